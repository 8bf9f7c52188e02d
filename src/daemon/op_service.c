/* SPDX-License-Identifier: Apache-2.0 */
/* About the service itself: a descriptor's certificates, the state of its keys, what the caller
 * may do. */
#include <limits.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/base64.h"
#include "base/text.h"
#include "daemon/op.h"

/* ---- certificates ---- */

/* The verifiers of a descriptor's versions, in the order of the file. */
struct verifiers {
    const char *descriptor;
    unsigned long last; /* version that was seen */
    unsigned *versions;
    se_verifier **list;
    size_t count, room, opened;
    bool failed; /* out of memory */
};

static void verifiers_close(struct verifiers *v)
{
    for (size_t i = 0; i < v->opened; i++)
        se_verifier_close(&v->list[i]);
    free(v->list);
    free(v->versions);
}
AUTO_KIND(verifiers, struct verifiers, verifiers_close(p))

/* `item` is "descriptor NAME:VERSION", once for each of its properties. */
static void note_version(void *arg, const char *item, const char *unused, const char *value)
{
    struct verifiers *v = arg;
    const size_t size = strlen(v->descriptor);
    unsigned long version;

    (void)unused;
    (void)value;
    if (!text_starts(item, "descriptor "))
        return;
    item += strlen("descriptor ");
    if (!text_starts(item, v->descriptor) || item[size] != ':' ||
        !text_number(&version, item + size + 1, UINT_MAX) || version == v->last)
        return;
    v->failed |= !array_grow(&v->versions, &v->room, v->count);
    if (!v->failed)
        v->versions[v->count++] = (unsigned)version;
    v->last = version;
}

/* One version, or all. */
static se_status choose_versions(struct verifiers *v, const struct request *request, se_error *err)
{
    unsigned version;

    TRY(request_version(&version, request, err));
    if (version) {
        v->failed = !array_grow(&v->versions, &v->room, 0);
        v->count = !v->failed;
        if (v->count)
            *v->versions = version;
    } else
        TRY(se_describe(request->engine, note_version, v, err));
    if (v->failed || !(v->list = calloc(v->count + 1, sizeof *v->list)))
        return error_memory(err);
    return v->count ? SE_OK
                    : error_set(err, SE_ERR_NO_DESCRIPTOR, "no descriptor '%s'", v->descriptor);
}

static se_status verifiers_open(struct verifiers *v, const struct request *request, se_error *err)
{
    TRY(choose_versions(v, request, err));
    for (; v->opened < v->count; v->opened++)
        TRY(se_verifier_open(&v->list[v->opened], request->engine, v->descriptor,
                             v->versions[v->opened], err));
    return SE_OK;
}

static se_status write_pem(struct writer *w, const struct request *request, se_error *err)
{
    AUTO(verifiers) v = { .descriptor = request_descriptor(request) };

    TRY(verifiers_open(&v, request, err));
    for (size_t i = 0; i < v.count; i++) {
        const se_bytes certificate = se_verifier_certificate(v.list[i]);

        if (!certificate.size)
            return error_set(err, SE_ERR_POLICY,
                             "version %u has a public key without a certificate", v.versions[i]);
        writer_pem(w, "CERTIFICATE", certificate);
    }
    return SE_OK;
}

static se_status write_jwks(struct writer *w, const struct request *request, se_error *err)
{
    const char *descriptor = request_descriptor(request);
    se_jwks_params params = SE_JWKS_PARAMS_INIT;
    AUTO(se_buf) set = SE_BUF_INIT;

    TRY(request_version(&params.version, request, err));
    TRY(se_jwks(&set, request->engine, &descriptor, 1, &params, err));
    writer_put(w, set.data, set.size);
    writer_text(w, "\n");
    return SE_OK;
}

se_status answer_certificates(struct answer *out, const struct request *request, se_error *err)
{
    const bool is_set = request->accept & MEDIA_JWKS;
    AUTO(writer) w = { 0 };
    AUTO(se_buf) text = SE_BUF_INIT;

    TRY((is_set ? write_jwks : write_pem)(&w, request, err));
    TRY(writer_finish(&text, &w, err));
    answer_bytes(out, is_set ? MEDIA_JWKS : MEDIA_PEM, &text);
    return SE_OK;
}

/* ---- check ---- */

struct check_report {
    const char *descriptor; /* NULL: all */
    struct writer *w;
    size_t rows;
};

static void write_finding(struct writer *w, const se_check_finding *finding)
{
    json_write_begin(w, NULL, '{');
    json_write_text(w, "level", se_check_level_name(finding->level));
    json_write_text(w, "kind", finding->kind);
    json_write_text(w, "subject", finding->subject);
    json_write_time(w, "date", finding->date);
    json_write_text(w, "text", finding->text);
    json_write_end(w, '}');
}

static void report_row(void *arg, const se_check_row *row)
{
    struct check_report *report = arg;
    struct writer *w = report->w;

    if (report->descriptor && strcmp(report->descriptor, row->descriptor) != 0)
        return;
    report->rows++;
    json_write_begin(w, NULL, '{');
    json_write_text(w, "descriptor", row->descriptor);
    json_write_number(w, "version", row->version);
    json_write_text(w, "key", row->key);
    json_write_text(w, "store", row->store);
    json_write_text(w, "algorithm", row->algorithm);
    json_write_text(w, "keyType", row->key_type);
    json_write_text(w, "subject", row->subject);
    json_write_time(w, "notAfter", row->not_after);
    json_write_text(w, "mechanism", row->mechanism);
    json_write_text(w, "mayLeave", row->may_leave);
    json_write_text(w, "status", row->status ? se_status_name(row->status) : "ok");
    json_write_flag(w, "warning", row->warning);
    json_write_text(w, "text", row->text);
    json_write_begin(w, "findings", '[');
    for (size_t i = 0; i < row->finding_count; i++)
        write_finding(w, &row->findings[i]);
    json_write_end(w, ']');
    json_write_end(w, '}');
}

/* Whether the rows are good is what the answer says, not whether there is one. */
static se_status check_keys(struct check_report *report, const struct request *request,
                            se_error *err)
{
    enum { DAYS_MOST = 36500 };
    se_check_options options = SE_CHECK_OPTIONS_INIT;
    uint64_t days;

    TRY(target_number(&days, request->target, "days", DAYS_MOST, err));
    TRY(target_flag(&options.probe, request->target, "probe", false, err));
    options.days = (int)days;
    (void)!se_check(request->engine, report_row, report, &options, NULL);
    return report->rows ? SE_OK
                        : error_set(err, SE_ERR_NO_DESCRIPTOR, "no descriptor '%s'",
                                    report->descriptor ? report->descriptor : "");
}

se_status answer_check(struct answer *out, const struct request *request, se_error *err)
{
    AUTO(writer) w = { 0 };
    struct check_report report = { target_parameter(request->target, "descriptor"), &w, 0 };

    answer_begin(&w);
    json_write_begin(&w, "rows", '[');
    TRY(check_keys(&report, request, err));
    json_write_end(&w, ']');
    return answer_finish(out, &w, request, err);
}

/* ---- access ---- */

static void write_things(struct writer *w, const se_access_row *row)
{
    json_write_begin(w, "descriptors", '[');
    for (size_t i = 0; i < row->what_count; i++) {
        if (!row->what[i].descriptor)
            continue;
        json_write_begin(w, NULL, '{');
        json_write_text(w, "name", row->what[i].descriptor);
        if (row->what[i].version)
            json_write_number(w, "version", row->what[i].version);
        json_write_end(w, '}');
    }
    json_write_end(w, ']');
    json_write_begin(w, "histories", '[');
    for (size_t i = 0; i < row->what_count; i++)
        if (row->what[i].history)
            json_write_text(w, NULL, row->what[i].history);
    json_write_end(w, ']');
}

/* For whom else the row is, is not for the caller to know. */
static void report_access(void *arg, const se_access_row *row)
{
    struct writer *w = arg;

    json_write_begin(w, NULL, '{');
    json_write_text(w, "name", row->name);
    json_write_begin(w, "operations", '[');
    for (size_t i = 0; i < row->operation_count; i++)
        json_write_text(w, NULL, row->operations[i]);
    json_write_end(w, ']');
    write_things(w, row);
    if (row->per_minute)
        json_write_number(w, "perMinute", row->per_minute);
    json_write_end(w, '}');
}

se_status answer_access(struct answer *out, const struct request *request, se_error *err)
{
    AUTO(writer) w = { 0 };

    answer_begin(&w);
    json_write_begin(&w, "rows", '[');
    TRY(se_access_list(request->access, request->who, report_access, &w, err));
    json_write_end(&w, ']');
    return answer_finish(out, &w, request, err);
}

/* ---- metrics ---- */

se_status answer_metrics(struct answer *out, const struct request *request, se_error *err)
{
    AUTO(writer) w = { 0 };
    AUTO(se_buf) text = SE_BUF_INIT;

    request->write_metrics(request->metrics_arg, &w);
    TRY(writer_finish(&text, &w, err));
    answer_bytes(out, MEDIA_METRICS, &text);
    return SE_OK;
}
