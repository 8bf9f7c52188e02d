/* SPDX-License-Identifier: Apache-2.0 */
/* Whether each descriptor can do its work, and what a person should know of it. */
#include <stdarg.h>
#include <stdio.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/text.h"
#include "config/files.h"
#include "config/versions.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "crypto/pkey_ops.h"
#include "engine/engine.h"
#include "engine/probe.h"

enum { DAY = 24 * 60 * 60, CAUSES_MOST = 16 };

/* One row, and what its strings point to. */
struct check_row {
    const struct descriptor *descriptor;
    char store[256], key_type[32], subject[256];
    se_check_row row;
    se_error error;
    char warning[sizeof((se_error *)0)->text];
    char apart[sizeof((se_error *)0)->text +
               CAUSES_MOST]; /* the warnings one by one, each with its NUL */
    size_t apart_size;
    bool warned; /* the text is more than to be noted */
    const char *causes[CAUSES_MOST];
    char mechanism[160];
};

static void list_stores(struct check_row *f)
{
    const struct key_entry *entry = f->descriptor->key;
    size_t used = 0;

    for (size_t i = 0; i < entry->count && used < sizeof f->store; i++)
        used += (size_t)snprintf(f->store + used, sizeof f->store - used, "%s%s", i ? "+" : "",
                                 entry->replicas[i].store);
}

static void row_init(struct check_row *f, const struct config *config,
                     const struct descriptor *descriptor)
{
    *f = (struct check_row){ .descriptor = descriptor, .error = SE_ERROR_INIT };
    list_stores(f);
    f->row = (se_check_row){
        .descriptor = descriptor->name,
        .version = descriptor->version,
        .key = descriptor->key->name,
        .store = f->store,
        .algorithm = descriptor->algorithm.name,
        .key_type = f->key_type,
        .subject = f->subject,
        .mechanism = f->mechanism,
        .text = "",
        .causes = f->causes,
        .state = version_state(config, descriptor, clock_seconds()),
        .from = descriptor->time.from,
        .until = descriptor->time.until,
    };
}

static int days_until(int64_t then)
{
    int64_t left = then - clock_seconds();

    return (int)((left - (left < 0 ? DAY - 1 : 0)) / DAY);
}

static void row_see_certificate(struct check_row *f, const struct key *key)
{
    key_type_name(f->key_type, X509_get0_pubkey(key->certificate));
    certificate_subject(f->subject, sizeof f->subject, key->certificate);
    f->row.not_after = certificate_not_after(key->certificate);
    f->row.days_left = days_until(f->row.not_after);
}

static bool is_for_signing(const struct descriptor *descriptor)
{
    return descriptor->algorithm.kind == ALGORITHM_SIGNATURE ||
           descriptor->algorithm.kind == ALGORITHM_DIGEST;
}

static enum key_part part_needed(const struct descriptor *descriptor)
{
    const struct use *use = descriptor->use;
    enum algorithm_kind kind = descriptor->algorithm.kind;

    if (use->public_only)
        return PART_CERTIFICATE;
    return kind == ALGORITHM_CIPHER || kind == ALGORITHM_WRAP ? PART_DECRYPT : PART_SIGN;
}

static void row_add_cause(struct check_row *f, const char *text)
{
    size_t size = strlen(text) + 1;

    if (f->row.cause_count == CAUSES_MOST || size > sizeof f->apart - f->apart_size)
        return;
    f->causes[f->row.cause_count++] = memcpy(f->apart + f->apart_size, text, size);
    f->apart_size += size;
}

/* One more thing to know of a key that is usable. */
static void row_add(struct check_row *f, const char *format, va_list args)
{
    char text[sizeof f->warning];
    size_t used = strlen(f->warning);

    (void)vsnprintf(text, sizeof text, format, args);
    text_clean(text);
    row_add_cause(f, text);
    (void)snprintf(f->warning + used, sizeof f->warning - used, "%s%s", used ? "; " : "", text);
    text_clean(f->warning);
}

/* What is as it was meant to be. */
static void row_note(struct check_row *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void row_note(struct check_row *f, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    row_add(f, format, args);
    va_end(args);
}

/* What a person may have to do something about. */
static void row_warn(struct check_row *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void row_warn(struct check_row *f, const char *format, ...)
{
    va_list args;

    f->warned = true;
    va_start(args, format);
    row_add(f, format, args);
    va_end(args);
}

static bool is_listed(const char *list, const char *item)
{
    size_t size = strlen(item);

    for (const char *at = list; (at = strstr(at, item)); at += size)
        if ((at == list || (at - list >= 2 && at[-1] == ' ' && at[-2] == ',')) &&
            (!at[size] || at[size] == ','))
            return true;
    return false;
}

/* A mechanism that several replicas use is listed once. */
static void row_add_mechanism(struct check_row *f, const char *mechanism)
{
    size_t used = strlen(f->mechanism);

    if (*mechanism && !is_listed(f->mechanism, mechanism))
        (void)snprintf(f->mechanism + used, sizeof f->mechanism - used, "%s%s", used ? ", " : "",
                       mechanism);
}

/* Whether the key can do that, as far as it is known without asking its store. */
static se_status check_ability(const struct key *key, const struct descriptor *d, se_error *err)
{
    const struct unwrap_how unwrap = { d->algorithm.oaep, d->algorithm.mgf1 };
    const struct algorithm *algorithm;
    struct sign_how sign;

    if (part_needed(d) == PART_DECRYPT)
        return remote_may_unwrap(key->private, &unwrap, err);
    if (!is_for_signing(d))
        return SE_OK;
    TRY(key_signing_algorithm(&algorithm, d, X509_get0_pubkey(key->certificate), err));
    sign = padding_how(algorithm, (size_t)EVP_MD_get_size(crypto_md(algorithm->digest)));
    return remote_may_sign(key->private, &sign, err);
}

static void warn_advice(void *arg, const char *text)
{
    row_warn(arg, "%s", text);
}

static se_status row_probe(struct check_row *f, struct key *key, const se_check_options *options,
                           se_error *err)
{
    const char *mechanism;
    se_status st;

    if (!options->probe)
        return SE_OK;
    if (!(st = key_probe(&mechanism, key, f->descriptor, err)))
        row_add_mechanism(f, mechanism);
    return st;
}

static void check_namesakes(struct check_row *f, const struct key *key, const struct keyref *ref)
{
    if (key->namesakes)
        row_warn(
            f,
            "the token has %u more private key%s with the label '%s': commands that change one "
            "refuse",
            key->namesakes, key->namesakes > 1 ? "s" : "", ref->alias);
}

/* What opens, and yet is of no use to the commands that are made for descriptors of this name. */
static void check_commands(struct check_row *f)
{
    const struct descriptor *d = f->descriptor;
    se_error why = SE_ERROR_INIT;

    if (d->algorithm.kind == ALGORITHM_JWS)
        row_warn(
            f,
            "the key is good, but no command, nor the library, makes JWS: other programs have to");
    else if (d->use->container && container_check_algorithm(d, &why))
        row_warn(f, "`zip encrypt` can't use it: %s", why.text);
}

/* By itself, whatever the engine has made of it. */
static se_status check_replica(struct check_row *f, size_t index, const struct key *whole,
                               const se_check_options *options, se_error *err)
{
    const struct keyref *ref = &f->descriptor->key->replicas[index];
    AUTO(key) key = NULL;
    se_status st = store_open(&key, ref, part_needed(f->descriptor), NULL, err);

    if (!st &&
        EVP_PKEY_eq(X509_get0_pubkey(key->certificate), X509_get0_pubkey(whole->certificate)) != 1)
        st = error_set(err, SE_ERR_KEY, "it holds another key than the other replicas");
    if (!st) {
        check_namesakes(f, key, ref);
        remote_advise(key->private, warn_advice, f);
        if (!(st = check_ability(key, f->descriptor, err)))
            st = row_probe(f, key, options, err);
    }
    return error_prefix(err, st, "replica %zu (line %d): ", index + 1, ref->line);
}

static se_status check_replicas(struct check_row *f, const struct key *whole,
                                const se_check_options *options)
{
    size_t count = f->descriptor->key->count, failed = 0;

    for (size_t i = 0; i < count; i++) {
        se_error failure = SE_ERROR_INIT;

        if (!check_replica(f, i, whole, options, &failure))
            continue;
        row_warn(f, "%s", failure.text);
        if (!failed++)
            f->error = failure;
    }
    return failed < count ? SE_OK : f->error.status;
}

static void warn_exposure(void *arg, const char *text)
{
    row_warn(arg, "%s", text);
}

static void check_exposure(struct check_row *f)
{
    const struct key_entry *entry = f->descriptor->key;

    for (size_t i = 0; i < entry->count; i++)
        keyref_exposure(&entry->replicas[i], warn_exposure, f);
}

/* Of the name's purpose: what a mail command or a zip command does with another name is not known
 * here. */
static se_status check_purpose(struct check_row *f, X509 *certificate)
{
    enum purpose purpose = f->descriptor->use->purpose;
    se_error others = SE_ERROR_INIT;
    se_status st = certificate_purpose(purpose, certificate, true, SE_ERR_POLICY, &f->error);

    if (!st && certificate_purpose(purpose, certificate, false, SE_ERR_POLICY, &others))
        row_warn(f,
                 "%s: who trusts its CA, and does not have this descriptor, refuses what it signs",
                 others.text);
    return st;
}

/* A certificate may be prepared together with the version that waits. */
static se_status check_validity(struct check_row *f, X509 *certificate)
{
    const struct descriptor *d = f->descriptor;
    const bool waits = f->row.state == SE_VERSION_WAITS;
    const int64_t used = waits ? d->time.from : clock_seconds();

    TRY_PREFIX(certificate_check(d, certificate, used, SE_ERR_POLICY, &f->error), &f->error, "%s",
               waits ? "when its time comes: " : "");
    return SE_OK;
}

static se_status check_usable(struct check_row *f, struct engine *engine,
                              const se_check_options *options)
{
    AUTO(key) key = NULL;
    const struct algorithm *algorithm;
    const struct descriptor *d = f->descriptor;
    enum key_part part = part_needed(d);

    TRY(key_cache_open(&key, engine, d->key, part, &f->error));
    row_see_certificate(f, key);
    check_exposure(f);
    TRY(check_validity(f, key->certificate));
    if (is_for_signing(d)) {
        TRY(key_signing_algorithm(&algorithm, d, X509_get0_pubkey(key->certificate), &f->error));
        TRY(check_purpose(f, key->certificate));
    }
    TRY(key_check_sharing(engine, d, key, SE_ERR_POLICY, &f->error));
    if (part == PART_CERTIFICATE)
        return SE_OK;
    check_commands(f);
    if (d->key->count > 1)
        return check_replicas(f, key, options);
    check_namesakes(f, key, d->key->replicas);
    TRY(check_ability(key, d, &f->error));
    remote_advise(key->private, warn_advice, f);
    return row_probe(f, key, options, &f->error);
}

/* Whether it signs no more: what is left for this one is to verify. */
static bool is_superseded(const struct check_row *f)
{
    return part_needed(f->descriptor) == PART_SIGN && f->row.state != SE_VERSION_CURRENT &&
           f->row.state != SE_VERSION_WAITS;
}

/* With the certificate alone, of what was signed while it was valid. */
static bool can_verify(struct check_row *f, struct engine *engine)
{
    const struct descriptor *d = f->descriptor;
    const struct algorithm *algorithm;
    AUTO(key) key = NULL;

    if (key_cache_open(&key, engine, d->key, PART_CERTIFICATE, NULL))
        return false;
    row_see_certificate(f, key);
    return !certificate_check(d, key->certificate, f->row.not_after, SE_ERR_POLICY, NULL) &&
           (!is_for_signing(d) ||
            (!key_signing_algorithm(&algorithm, d, X509_get0_pubkey(key->certificate), NULL) &&
             !certificate_purpose(d->use->purpose, key->certificate, true, SE_ERR_POLICY, NULL)));
}

static se_status check_key(struct check_row *f, struct engine *engine,
                           const se_check_options *options)
{
    se_status st = check_usable(f, engine, options);

    if (!st || !is_superseded(f) || !can_verify(f, engine))
        return st;
    row_warn(f, "this version can only verify: %s", f->error.text);
    f->error = (se_error)SE_ERROR_INIT;
    return SE_OK;
}

/* ---- when it is its time ---- */

static void note_waiting(struct check_row *f, const struct config *config)
{
    const struct descriptor *d = f->descriptor;
    char when[TIME_TEXT_ROOM];
    const int days = days_until(d->time.from);

    (void)time_format(when, TIME_RFC3339, d->time.from);
    if (config_current(config, d->name, clock_seconds()))
        row_note(f, "version %u waits for %s (%d day%s)", d->version, when, days,
                 days == 1 ? "" : "s");
    else
        row_warn(f, "version %u waits for %s (%d day%s), and until then none %s", d->version, when,
                 days, days == 1 ? "" : "s", version_verb(d));
}

static void check_successor(struct check_row *f, const struct config *config,
                            const se_check_options *options)
{
    const struct descriptor *d = f->descriptor;
    const int days = days_until(d->time.until);
    char when[TIME_TEXT_ROOM];

    if (!d->time.until || config_current(config, d->name, d->time.until))
        return;
    (void)time_format(when, TIME_RFC3339, d->time.until);
    if (days < options->days)
        row_warn(f, "version %u ends on %s (%d day%s) without a successor", d->version, when, days,
                 days == 1 ? "" : "s");
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
    char when[TIME_TEXT_ROOM];

    return error_set(&f->error, SE_ERR_POLICY, "version %u ended on %s, and no other %s now",
                     d->version, time_format(when, TIME_RFC3339, d->time.until), version_verb(d));
}

static se_status check_time(struct check_row *f, const struct config *config,
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

static se_status check_version(struct check_row *f, struct engine *engine,
                               const se_check_options *options)
{
    TRY(check_key(f, engine, options));
    return check_time(f, engine->config, options);
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

static void row_conclude(struct check_row *f, const se_check_options *options)
{
    if (f->row.status) {
        f->row.text = f->error.text;
        f->causes[0] = f->error.text;
        f->row.cause_count = 1;
        return;
    }
    if (f->descriptor->use->validity && f->row.days_left < options->days && f->row.days_left >= 0)
        row_warn(f, "the certificate expires in %d days", f->row.days_left);
    f->row.warning = f->warned;
    f->row.text = f->warning;
}

static se_status check_options_read(se_check_options *out, const se_check_options *options,
                                    se_error *err)
{
    se_status st = arguments_options(out, options, se_check_options, err);

    if (!st && !out->days)
        out->days = 30;
    return st;
}

se_status se_check(se_engine *engine, se_check_fn fn, void *arg, const se_check_options *options,
                   se_error *error)
{
    AUTO(engine) now = NULL;
    se_check_options read;
    se_status first = SE_OK;

    TRY(arguments_check(error, engine, fn));
    TRY(check_options_read(&read, options, error));
    now = engine_enter(engine);
    for (size_t i = 0; i < now->config->descriptor_count; i++) {
        struct check_row f;

        row_init(&f, now->config, &now->config->descriptors[i]);
        f.row.status = check_version(&f, now, &read);
        row_conclude(&f, &read);
        fn(arg, &f.row);
        if (!f.row.status || first)
            continue;
        first = error_copy(error, f.row.status, &f.error);
        (void)error_blame_key(error, first, f.descriptor);
    }
    return first;
}
