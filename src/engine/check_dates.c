/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/check_dates.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/file.h"
#include "cms/tsp.h"
#include "config/versions.h"
#include "crypto/certificate.h"
#include "engine/timestamp.h"
#include "evidence/syntax.h"

enum { CLOCK_TOLERANCE = 600, CLOCKS_DIFFER_S = 60, RECORD_MOST = 64 << 20 };

const char *se_check_level_name(se_check_level level)
{
    static const char *const names[] = {
        [SE_CHECK_DATE] = "date",
        [SE_CHECK_NOTE] = "note",
        [SE_CHECK_WARNING] = "warning",
        [SE_CHECK_FAILURE] = "failure",
    };

    return (size_t)level < sizeof names / sizeof *names ? names[level] : "unknown";
}

const char *se_version_state_name(se_version_state state)
{
    static const char *const names[] = {
        [SE_VERSION_CURRENT] = "current",   [SE_VERSION_OLDER] = "older",
        [SE_VERSION_WAITS] = "waits",       [SE_VERSION_ENDED] = "ended",
        [SE_VERSION_VERIFIES] = "verifies",
    };

    return (size_t)state < sizeof names / sizeof *names ? names[state] : "unknown";
}

se_status check_options_read(se_check_options *out, const se_check_options *options, se_error *err)
{
    se_status st = arguments_options(out, options, se_check_options, err);

    if (!st && !out->days)
        out->days = 30;
    return st;
}

/* ---- what ends ---- */

/* "expires in 5 days", "has expired on 2026-12-01" */
static const char *end_text(char out[64], int64_t end)
{
    const int days = days_until(end);
    char date[TIME_TEXT_ROOM];

    if (days < 0)
        (void)snprintf(out, 64, "has expired on %s", time_format(date, TIME_DATE, end));
    else
        (void)snprintf(out, 64, "expires in %d day%s", days, days == 1 ? "" : "s");
    return out;
}

static se_check_finding end_finding(const char *kind, const char *subject, int64_t end,
                                    const se_check_options *options)
{
    return (se_check_finding){
        .level = days_until(end) < options->days ? SE_CHECK_WARNING : SE_CHECK_DATE,
        .kind = kind,
        .subject = subject,
        .date = end,
    };
}

/* ---- certificates ---- */

/* What ends before the certificate does, or soon, has verifiers refuse what is signed with it. */
static void check_issuer(struct check_row *f, const X509 *issuer, const se_check_options *options)
{
    char name[256], subject[sizeof name + 16], end[64];
    const int64_t not_after = certificate_not_after(issuer);
    se_check_finding finding;

    certificate_subject(name, sizeof name, issuer);
    (void)snprintf(subject, sizeof subject, "CA %s", name);
    finding = end_finding("issuer", subject, not_after, options);
    row_add(f, &finding, "the certificate of its CA, %s, %s", name, end_text(end, not_after));
}

/* A certificate from the future: either it, or the clock is wrong. */
static void check_clock(struct check_row *f, const X509 *certificate)
{
    const se_check_finding finding = { .level = SE_CHECK_WARNING,
                                       .kind = "clock",
                                       .subject = "clock" };
    const int64_t begin = certificate_not_before(certificate), now = clock_seconds();
    char date[TIME_TEXT_ROOM], today[TIME_TEXT_ROOM];

    if (f->row.state != SE_VERSION_WAITS && begin > now + CLOCK_TOLERANCE)
        row_add(f, &finding,
                "the clock says %s, and the certificate in use begins on %s: is the clock right?",
                time_format(today, TIME_READABLE, now), time_format(date, TIME_READABLE, begin));
}

/* Whether its end stops anything: that of a version which signs no more, or of a use to which
 * validity means nothing, does not. */
static bool is_end_felt(const struct check_row *f)
{
    return f->descriptor->use->validity &&
           (f->row.state == SE_VERSION_CURRENT || f->row.state == SE_VERSION_WAITS);
}

void check_certificate_dates(struct check_row *f, const struct key *key,
                             const se_check_options *options)
{
    const se_check_finding note = { .level = SE_CHECK_NOTE, .kind = "certificate" };
    const se_check_finding finding = end_finding("certificate", NULL, f->row.not_after, options);
    char end[64];

    check_clock(f, key->certificate);
    if (is_end_felt(f)) {
        row_add(f, &finding, "the certificate %s", end_text(end, f->row.not_after));
        for (int i = 0; i < sk_X509_num(key->chain); i++)
            check_issuer(f, sk_X509_value(key->chain, i), options);
    } else if (!f->descriptor->use->validity && f->row.days_left < 0)
        row_add(f, &note, "the certificate %s, which does not matter for this use",
                end_text(end, f->row.not_after));
}

/* ---- client secrets ---- */

/* All keys of a login have its secret. */
static void name_secret(char *out, size_t size, const struct key_entry *key,
                        const struct keyref *ref)
{
    if (*ref->login)
        (void)snprintf(out, size, "login %s", ref->login);
    else
        (void)snprintf(out, size, "key %s", key->name);
}

static void check_secret(struct check_row *f, const struct keyref *ref,
                         const se_check_options *options)
{
    char subject[300], end[64];
    se_check_finding finding;

    if (!ref->secret_until)
        return;
    name_secret(subject, sizeof subject, f->descriptor->key, ref);
    finding = end_finding("secret", subject, ref->secret_until, options);
    row_add(f, &finding,
            "the client secret of %s %s: make another, and change `pin` and `secretUntil`", subject,
            end_text(end, ref->secret_until));
}

void check_secret_dates(struct check_row *f, const se_check_options *options)
{
    const struct key_entry *key = f->descriptor->key;

    for (size_t i = 0; i < key->count; i++)
        check_secret(f, &key->replicas[i], options);
}

/* ---- versions ---- */

static void note_waiting(struct check_row *f, const struct config *config)
{
    const struct descriptor *d = f->descriptor;
    const bool idle = !config_current(config, d->name, clock_seconds());
    const se_check_finding finding = { .level = idle ? SE_CHECK_WARNING : SE_CHECK_NOTE,
                                       .kind = "waits",
                                       .date = d->time.from };
    const int days = days_until(d->time.from);
    char when[TIME_TEXT_ROOM];

    (void)time_format(when, TIME_RFC3339, d->time.from);
    row_add(f, &finding, "version %u waits for %s (%d day%s)%s%s", d->version, when, days,
            days == 1 ? "" : "s", idle ? ", and until then none " : "",
            idle ? version_verb(d) : "");
}

static void check_successor(struct check_row *f, const struct config *config,
                            const se_check_options *options)
{
    const struct descriptor *d = f->descriptor;
    const se_check_finding finding = end_finding("version", NULL, d->time.until, options);
    const int days = days_until(d->time.until);
    char when[TIME_TEXT_ROOM];

    if (!d->time.until || config_current(config, d->name, d->time.until))
        return;
    row_add(f, &finding, "version %u ends on %s (%d day%s) without a successor", d->version,
            time_format(when, TIME_RFC3339, d->time.until), days, days == 1 ? "" : "s");
}

/* Of several that have ended, the highest speaks. */
static bool is_last(const struct config *config, const struct descriptor *d)
{
    for (size_t i = 0; i < config->descriptor_count; i++)
        if (!strcmp(config->descriptors[i].name, d->name) &&
            config->descriptors[i].version > d->version)
            return false;
    return true;
}

static se_status refuse_ended(struct check_row *f)
{
    const struct descriptor *d = f->descriptor;
    const se_check_finding finding = { .level = SE_CHECK_WARNING,
                                       .kind = "version",
                                       .date = d->time.until };
    char when[TIME_TEXT_ROOM];

    row_add(f, &finding, "version %u has ended", d->version);
    return error_set(&f->error, SE_ERR_POLICY, "version %u ended on %s, and no other %s now",
                     d->version, time_format(when, TIME_RFC3339, d->time.until), version_verb(d));
}

se_status check_version_dates(struct check_row *f, const struct config *config,
                              const se_check_options *options)
{
    const struct descriptor *d = f->descriptor;

    if (f->row.state == SE_VERSION_WAITS)
        note_waiting(f, config);
    else if (f->row.state == SE_VERSION_CURRENT)
        check_successor(f, config, options);
    else if (f->row.state == SE_VERSION_ENDED && is_last(config, d) &&
             !config_current(config, d->name, clock_seconds()))
        return refuse_ended(f);
    return SE_OK;
}

/* ---- time stamping authorities, and evidence records: no configuration names them ---- */

static se_status end_row(struct check_row *f, se_check_fn fn, void *arg, se_error *err)
{
    row_conclude(f);
    fn(arg, &f->row);
    return error_prefix(err, error_copy(err, f->row.status, &f->error), "%s: ", f->name);
}

static se_status check_stamp_dates(struct check_row *f, const char *kind, const struct stamp *stamp,
                                   const se_check_options *options)
{
    const se_check_finding finding = end_finding(kind, NULL, stamp->not_after, options);
    char end[64];

    f->row.not_after = stamp->not_after;
    f->row.days_left = days_until(stamp->not_after);
    (void)snprintf(f->subject, sizeof f->subject, "%s", stamp->authority);
    row_add(f, &finding, "the certificate of its time stamping authority, %s, %s", stamp->authority,
            end_text(end, stamp->not_after));
    if (f->row.days_left >= 0)
        return SE_OK;
    return error_set(&f->error, SE_ERR_POLICY,
                     "the certificate of its time stamping authority, %s, %s", stamp->authority,
                     end);
}

/* A time stamp from ahead of our clock does not count, and one from behind it tells the wrong time.
 */
static void check_clocks(struct check_row *f, const struct stamp *stamp)
{
    const se_check_finding finding = { .level = SE_CHECK_WARNING,
                                       .kind = "clock",
                                       .subject = "clock" };
    const int64_t ahead = clock_seconds() - stamp->time;

    if (ahead > CLOCKS_DIFFER_S || -ahead > CLOCKS_DIFFER_S)
        row_add(f, &finding, "the clock is %lld s %s that of the time stamping authority",
                llabs((long long)ahead), ahead > 0 ? "ahead of" : "behind");
}

/* SE_ERR_REJECTED is what signatures are, and to the command line the mark of a mere warning. */
static se_status restate_refusal(se_error *err, se_status status)
{
    return err->status == SE_ERR_REJECTED ? error_restate(err, status) : err->status;
}

static se_status check_authority(struct check_row *f, const struct stamp_wish *wish,
                                 const se_check_options *options)
{
    struct stamp stamp;

    TRY(timestamp_check_wish(wish, &f->error));
    if (timestamp_probe(&stamp, wish, &f->error))
        return restate_refusal(&f->error, SE_ERR_UNAVAILABLE);
    check_clocks(f, &stamp);
    return check_stamp_dates(f, "authority", &stamp, options);
}

se_status se_check_tsa(const char *url, const char *policy, se_check_fn fn, void *arg,
                       const se_check_options *options, se_error *error)
{
    const struct stamp_wish wish = { url, policy };
    AUTO(check_row) f = { .descriptor = NULL };
    se_check_options read;

    TRY(arguments_check(error, url, fn));
    TRY(check_options_read(&read, options, error));
    row_init_other(&f, "tsa", url);
    f.row.status = check_authority(&f, &wish, &read);
    return end_row(&f, fn, arg, error);
}

static se_status read_last_stamp(struct stamp *out, const char *path, se_error *err)
{
    AUTO(se_buf) der = SE_BUF_INIT;
    AUTO(evidence) record = NULL;
    const stamp_chain *chain;

    TRY(file_read(&der, path, RECORD_MOST, err));
    TRY(evidence_read(&record, buf_bytes(&der), err));
    chain = evidence_last_chain(record);
    return stamp_read(
        out, stamp_token(sk_archive_stamp_value(chain, sk_archive_stamp_num(chain) - 1)), err);
}

static se_status check_record(struct check_row *f, const char *path,
                              const se_check_options *options)
{
    struct stamp stamp;

    if (read_last_stamp(&stamp, path, &f->error))
        return restate_refusal(&f->error, SE_ERR_FORMAT);
    return check_stamp_dates(f, "record", &stamp, options);
}

se_status se_check_record(const char *path, se_check_fn fn, void *arg,
                          const se_check_options *options, se_error *error)
{
    AUTO(check_row) f = { .descriptor = NULL };
    se_check_options read;

    TRY(arguments_check(error, path, fn));
    TRY(check_options_read(&read, options, error));
    row_init_other(&f, "record", path);
    f.row.status = check_record(&f, path, &read);
    return end_row(&f, fn, arg, error);
}
