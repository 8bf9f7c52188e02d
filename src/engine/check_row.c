/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/check_row.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "config/versions.h"
#include "crypto/certificate.h"

enum { DAY = 24 * 60 * 60 };

int days_until(int64_t then)
{
    int64_t left = then - clock_seconds();

    return (int)((left - (left < 0 ? DAY - 1 : 0)) / DAY);
}

/* ---- the row ---- */

static void list_stores(struct check_row *f)
{
    const struct key_entry *entry = f->descriptor->key;
    size_t used = 0;

    for (size_t i = 0; i < entry->count && used < sizeof f->store; i++)
        used += (size_t)snprintf(f->store + used, sizeof f->store - used, "%s%s", i ? "+" : "",
                                 entry->replicas[i].store);
}

void row_init(struct check_row *f, const struct config *config, const struct descriptor *descriptor)
{
    *f = (struct check_row){ .descriptor = descriptor, .error = SE_ERROR_INIT };
    list_stores(f);
    (void)snprintf(f->name, sizeof f->name, "descriptor %s:%u", descriptor->name,
                   descriptor->version);
    f->row = (se_check_row){
        .descriptor = descriptor->name,
        .version = descriptor->version,
        .key = descriptor->key->name,
        .store = f->store,
        .algorithm = descriptor->algorithm.name,
        .key_type = f->key_type,
        .subject = f->subject,
        .mechanism = f->mechanism,
        .text = f->text,
        .state = version_state(config, descriptor, clock_seconds()),
        .from = descriptor->time.from,
        .until = descriptor->time.until,
        .may_leave = "",
    };
}

void row_init_other(struct check_row *f, const char *kind, const char *name)
{
    *f = (struct check_row){ .error = SE_ERROR_INIT };
    (void)snprintf(f->name, sizeof f->name, "%s %s", kind, name);
    text_clean(f->name);
    f->row = (se_check_row){
        .descriptor = f->name,
        .key = "",
        .store = "",
        .algorithm = "",
        .key_type = "",
        .subject = f->subject,
        .mechanism = "",
        .text = f->text,
        .may_leave = "",
    };
}

void row_free(struct check_row *f)
{
    free(f->findings);
    text_list_free(f->texts);
    f->findings = NULL;
    f->texts = NULL;
}

void row_see_certificate(struct check_row *f, const struct key *key)
{
    key_type_name(f->key_type, X509_get0_pubkey(key->certificate));
    certificate_subject(f->subject, sizeof f->subject, key->certificate);
    f->row.not_after = certificate_not_after(key->certificate);
    f->row.days_left = days_until(f->row.not_after);
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

void row_add_mechanism(struct check_row *f, const char *mechanism)
{
    size_t used = strlen(f->mechanism);

    if (*mechanism && !is_listed(f->mechanism, mechanism))
        (void)snprintf(f->mechanism + used, sizeof f->mechanism - used, "%s%s", used ? ", " : "",
                       mechanism);
}

/* ---- its findings ---- */

static void keep_finding(struct check_row *f, const se_check_finding *finding, const char *text)
{
    se_check_finding *added;

    if (!array_grow(&f->findings, &f->room, f->row.finding_count)) {
        f->failed = true;
        return;
    }
    added = &f->findings[f->row.finding_count++];
    *added = *finding;
    added->subject = finding->subject ? text_list_keep(&f->texts, finding->subject) : f->name;
    added->text = text_list_keep(&f->texts, text);
    if (added->subject && added->text)
        return;
    f->failed = true;
    f->row.finding_count--;
}

void row_add(struct check_row *f, const se_check_finding *finding, const char *format, ...)
{
    char text[sizeof f->text];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    text_clean(text);
    keep_finding(f, finding, text);
}

/* ---- the verdict ---- */

static void join_texts(struct check_row *f)
{
    for (size_t i = 0; i < f->row.finding_count; i++) {
        const se_check_finding *finding = &f->findings[i];
        size_t used = strlen(f->text);

        if (finding->level == SE_CHECK_DATE)
            continue;
        f->row.warning |= finding->level == SE_CHECK_WARNING;
        (void)snprintf(f->text + used, sizeof f->text - used, "%s%s", used ? "; " : "",
                       finding->text);
    }
    text_clean(f->text);
}

/* Of what can't be used, nothing else is worth a word but when things end, and what is wrong with
 * other things. */
static void drop_details(struct check_row *f)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->row.finding_count; i++) {
        const se_check_finding *finding = &f->findings[i];

        if (finding->level != SE_CHECK_NOTE && (finding->date || finding->subject != f->name))
            f->findings[kept++] = *finding;
    }
    f->row.finding_count = kept;
}

/* The end of certificate or version is the reason itself: one thing, one finding. */
static se_check_finding *find_reason(struct check_row *f)
{
    for (size_t i = 0; i < f->row.finding_count; i++) {
        se_check_finding *finding = &f->findings[i];

        if ((!strcmp(finding->kind, "certificate") || !strcmp(finding->kind, "version") ||
             !strcmp(finding->kind, "record")) &&
            finding->date <= clock_seconds())
            return finding;
    }
    return NULL;
}

static void add_failure(struct check_row *f)
{
    const se_check_finding failure = { .level = SE_CHECK_FAILURE, .kind = "unusable" };
    se_check_finding *reason;

    drop_details(f);
    (void)snprintf(f->text, sizeof f->text, "%s", f->error.text);
    if (!(reason = find_reason(f))) {
        row_add(f, &failure, "%s", f->text);
        return;
    }
    reason->level = SE_CHECK_FAILURE;
    reason->text = f->text;
}

void row_conclude(struct check_row *f)
{
    if (f->failed)
        f->row.status = error_memory(&f->error);
    if (f->row.status)
        add_failure(f);
    else
        join_texts(f);
    f->row.findings = f->findings;
}
