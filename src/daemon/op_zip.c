/* SPDX-License-Identifier: Apache-2.0 */
/* Zips: signed as JARs, verified; any file: encrypted to a container and back. */
#include <stdio.h>

#include "base/text.h"
#include "daemon/op.h"

/* ---- the zip of a call ---- */

/* The caller has sent no file of that name: in the failure's text it is "the zip". */
static se_status blame_zip(const char *path, se_error *err, se_status st)
{
    AUTO(writer) quoted = { 0 };
    AUTO(writer) text = { 0 };
    const char *at, *left = err ? err->text : "";

    if (!st || !err)
        return st;
    writer_format(&quoted, "'%s'", path);
    for (; (at = strstr(left, writer_string(&quoted))); left = at + quoted.buf.size) {
        writer_put(&text, left, (size_t)(at - left));
        writer_text(&text, "the zip");
    }
    writer_text(&text, left);
    text_copy(err->text, sizeof err->text, writer_string(&text), text.buf.size);
    return st;
}

/* ---- signing ---- */

static se_status sign_zip(const char *to, const char *from, const struct request *request,
                          se_error *err)
{
    se_zip_sign_params params = SE_ZIP_SIGN_PARAMS_INIT;

    TRY(request_version(&params.version, request, err));
    TRY(target_flag(&params.keep, request->target, "keep", false, err));
    params.signature_name = target_parameter(request->target, "signatureName");
    params.tag = target_parameter(request->target, "tag");
    params.threads = 1; /* callers are served side by side already */
    params.progress = request->progress;
    params.progress_arg = request->progress_arg;
    return se_zip_sign(to, request->engine, request_descriptor(request), from, &params, err);
}

/* A signed zip is hardly larger than what it was made of. */
static se_status begin_zip(char path[BODY_PATH], struct answer *out, const struct request *request,
                           se_error *err)
{
    out->media = MEDIA_OCTETS;
    out->body = (struct body){ .spool = request->spool };
    if (!body_begin_file(&out->body, request->body->size))
        return error_set(err, SE_ERR_IO, "%s", out->body.failure.error.text);
    return body_path(path, &out->body, err);
}

se_status zip_sign_body(struct answer *out, const struct request *request, se_error *err)
{
    char from[BODY_PATH], to[BODY_PATH];

    TRY(body_path(from, request->body, err));
    TRY(begin_zip(to, out, request, err));
    TRY(blame_zip(from, err, sign_zip(to, from, request, err)));
    return body_end_file(&out->body)
               ? SE_OK
               : error_set(err, SE_ERR_IO, "%s", out->body.failure.error.text);
}

/* ---- verifying ---- */

struct zip_report {
    struct writer signatures, entries;
};

static void zip_report_end(struct zip_report *report)
{
    writer_free(&report->signatures);
    writer_free(&report->entries);
}
AUTO_KIND(zip_report, struct zip_report, zip_report_end(p))

static void report_signature(void *arg, const char *name, const se_signer *signer)
{
    struct zip_report *report = arg;

    json_write_begin(&report->signatures, NULL, '{');
    json_write_text(&report->signatures, "name", name);
    json_write_signer(&report->signatures, signer);
    json_write_end(&report->signatures, '}');
}

static void report_entry(void *arg, const se_zip_entry *entry)
{
    struct zip_report *report = arg;

    json_write_begin(&report->entries, NULL, '{');
    json_write_text(&report->entries, "name", entry->name);
    json_write_number(&report->entries, "size", entry->size);
    json_write_text(&report->entries, "state", se_zip_state_text(entry->state));
    json_write_end(&report->entries, '}');
}

static void write_list(struct writer *w, const char *name, const struct writer *items)
{
    json_write_begin(w, name, '[');
    writer_put(w, items->buf.data, items->buf.size);
    json_write_end(w, ']');
    w->failed |= items->failed;
}

static se_status verify_zip(struct zip_report *report, const char *path,
                            const struct request *request, se_error *err)
{
    se_zip_verify_params params = SE_ZIP_VERIFY_PARAMS_INIT;

    params.threads = 1;
    params.signature = report_signature;
    params.entry = report_entry;
    params.report_arg = report;
    params.revocation = request->revocation;
    params.progress = request->progress;
    params.progress_arg = request->progress_arg;
    params.tag = target_parameter(request->target, "tag");
    TRY(request_version(&params.version, request, err));
    TRY(target_flag(&params.issuers, request->target, "issuers", false, err));
    return se_zip_verify(request->engine, request_descriptor(request), path, &params, err);
}

se_status zip_verify_body(struct answer *out, const struct request *request, se_error *err)
{
    AUTO(zip_report) report = { .entries = { .room = 0 } };
    AUTO(writer) w = { 0 };
    char path[BODY_PATH];

    TRY(body_path(path, request->body, err));
    TRY(blame_zip(path, err, verify_zip(&report, path, request, err)));
    answer_begin(&w);
    json_write_text(&w, "descriptor", request_descriptor(request));
    write_list(&w, "signatures", &report.signatures);
    write_list(&w, "entries", &report.entries);
    return answer_finish(out, &w, request, err);
}

/* ---- containers ---- */

typedef se_status container_fn(const se_sink *out, se_engine *engine, const char *descriptor,
                               const se_source *in, const se_container_params *params,
                               se_error *err);

/* What was decrypted leaves when all of it is authentic; until then it is sealed, if it is large.
 */
static se_status run_container(struct answer *out, const struct request *request,
                               container_fn *container, se_error *err)
{
    AUTO(se_buf) context = SE_BUF_INIT;
    AUTO(body_reader) reader = { NULL };
    const se_source source = body_source(&reader, request->body);
    const se_sink sink = answer_stream(out, MEDIA_OCTETS, request);
    se_container_params params = SE_CONTAINER_PARAMS_INIT;

    TRY(request_version(&params.version, request, err));
    TRY(request_context(&context, request, err));
    params.context = buf_bytes(&context);
    params.tag = target_parameter(request->target, "tag");
    params.progress = request->progress;
    params.progress_arg = request->progress_arg;
    return container(&sink, request->engine, request_descriptor(request), &source, &params, err);
}

se_status zip_encrypt_body(struct answer *out, const struct request *request, se_error *err)
{
    return run_container(out, request, se_container_encrypt_stream, err);
}

se_status zip_decrypt_body(struct answer *out, const struct request *request, se_error *err)
{
    return run_container(out, request, se_container_decrypt_stream, err);
}
