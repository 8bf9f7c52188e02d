/* SPDX-License-Identifier: Apache-2.0 */
/* Zips: signed as JARs, verified; any file: encrypted to a container and back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/stream.h"
#include "base/text.h"
#include "daemon/op.h"

/* ---- files of a call ---- */

enum { PATH_ROOM = 64, OUTPUT_LIMIT = 1 << 30 };

/* The body as a file: in memory, for it need not be fit for a disk. */
struct body_file {
    int fd;
    char path[PATH_ROOM];
};

static void body_file_close(struct body_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
}
AUTO_KIND(body_file, struct body_file, body_file_close(p))

static se_status body_file_open(struct body_file *out, se_bytes body, se_error *err)
{
    if ((out->fd = memfd_create("body", MFD_CLOEXEC)) < 0 ||
        write_all(out->fd, body.data, body.size))
        return error_set(err, SE_ERR_IO, "no file in memory: %s", strerror(errno));
    (void)snprintf(out->path, sizeof out->path, "/proc/self/fd/%d", out->fd);
    return SE_OK;
}

/* The caller has sent no file of that name: in the failure's text it is "the zip". */
static se_status body_file_blame(const struct body_file *file, se_error *err, se_status st)
{
    AUTO(writer) quoted = { 0 };
    AUTO(writer) text = { 0 };
    const char *at, *left = err ? err->text : "";

    if (!st || !err)
        return st;
    writer_format(&quoted, "'%s'", file->path);
    for (; (at = strstr(left, writer_string(&quoted))); left = at + quoted.buf.size) {
        writer_put(&text, left, (size_t)(at - left));
        writer_text(&text, "the zip");
    }
    writer_text(&text, left);
    text_copy(err->text, sizeof err->text, writer_string(&text), text.buf.size);
    return st;
}

/* A folder of its own, for what has to appear under a name. */
struct output_folder {
    char *folder, *file;
};

static void output_folder_remove(struct output_folder *o)
{
    if (o->file)
        (void)unlink(o->file);
    if (o->folder)
        (void)rmdir(o->folder);
    free(o->file);
    free(o->folder);
}
AUTO_KIND(output_folder, struct output_folder, output_folder_remove(p))

static se_status output_folder_make(struct output_folder *out, const char *spool, se_error *err)
{
    char *pattern = file_join(spool ? spool : "/tmp", "call.XXXXXX");

    if (!pattern)
        return error_memory(err);
    if (!mkdtemp(pattern)) {
        (void)error_set(err, SE_ERR_IO, "no folder for the call in '%s': %s",
                        spool ? spool : "/tmp", strerror(errno));
        free(pattern);
        return SE_ERR_IO;
    }
    out->folder = pattern;
    out->file = file_join(pattern, "out");
    return out->file ? SE_OK : error_memory(err);
}

/* ---- signing ---- */

static se_status sign_body_file(const char *to, const char *from, const struct request *request,
                                se_error *err)
{
    se_zip_sign_params params = SE_ZIP_SIGN_PARAMS_INIT;

    TRY(request_version(&params.version, request, err));
    TRY(target_flag(&params.keep, request->target, "keep", false, err));
    params.signature_name = target_parameter(request->target, "signatureName");
    params.tag = target_parameter(request->target, "tag");
    params.threads = 1; /* callers are served side by side already */
    return se_zip_sign(to, request->engine, request_descriptor(request), from, &params, err);
}

se_status zip_sign_body(struct answer *out, const struct request *request, se_error *err)
{
    AUTO(body_file) in = { .fd = -1 };
    AUTO(output_folder) to = { NULL, NULL };
    AUTO(se_buf) bytes = SE_BUF_INIT;

    TRY(body_file_open(&in, request->body, err));
    TRY(output_folder_make(&to, request->spool, err));
    TRY(body_file_blame(&in, err, sign_body_file(to.file, in.path, request, err)));
    TRY(file_read(&bytes, to.file, OUTPUT_LIMIT, err));
    answer_bytes(out, MEDIA_OCTETS, &bytes);
    return SE_OK;
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

se_status zip_verify_body(struct answer *out, const struct request *request, se_error *err)
{
    AUTO(body_file) in = { .fd = -1 };
    AUTO(zip_report) report = { .entries = { .room = 0 } };
    AUTO(writer) w = { 0 };
    se_zip_verify_params params = SE_ZIP_VERIFY_PARAMS_INIT;

    params.threads = 1;
    params.signature = report_signature;
    params.entry = report_entry;
    params.report_arg = &report;
    params.tag = target_parameter(request->target, "tag");
    TRY(target_flag(&params.issuers, request->target, "issuers", false, err));
    TRY(body_file_open(&in, request->body, err));
    TRY(body_file_blame(
        &in, err,
        se_zip_verify(request->engine, request_descriptor(request), in.path, &params, err)));
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

/* What was decrypted leaves when all of it is authentic. */
static se_status run_container(struct answer *out, const struct request *request,
                               container_fn *container, se_error *err)
{
    AUTO(se_buf) context = SE_BUF_INIT;
    AUTO(se_buf) bytes = SE_BUF_INIT;
    AUTO(writer) w = { 0 };
    const se_sink sink = sink_writer(&w);
    se_bytes in = request_octets(request);
    const se_source source = source_memory(&in);
    se_container_params params = SE_CONTAINER_PARAMS_INIT;

    TRY(request_version(&params.version, request, err));
    TRY(request_context(&context, request, err));
    params.context = buf_bytes(&context);
    params.tag = target_parameter(request->target, "tag");
    writer_expect(&w, in.size + 4096);
    TRY(container(&sink, request->engine, request_descriptor(request), &source, &params, err));
    TRY(writer_finish(&bytes, &w, err));
    answer_bytes(out, MEDIA_OCTETS, &bytes);
    return SE_OK;
}

se_status zip_encrypt_body(struct answer *out, const struct request *request, se_error *err)
{
    return run_container(out, request, se_container_encrypt_stream, err);
}

se_status zip_decrypt_body(struct answer *out, const struct request *request, se_error *err)
{
    return run_container(out, request, se_container_decrypt_stream, err);
}
