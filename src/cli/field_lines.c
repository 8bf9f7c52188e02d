/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/field_lines.h"

#include <limits.h>
#include <malloc.h>
#include <stdlib.h>

#include "base/text.h"

/* ---- what one value belongs to ---- */

int context_read(struct context *out, const struct cli *cli, const struct option_list *list,
                 const char *column)
{
    AUTO(se_buf) bytes = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    *out = (struct context){ .column = column };
    for (size_t i = 0; i < list->count; i++) {
        const char *text = list->items[i], *equals = strchr(text, '=');

        if (!equals)
            return cli_usage(cli, "--context '%s': NAME=VALUE is needed", text);
        out->pairs[out->count++] =
            (se_pair){ { text, (size_t)(equals - text) }, text_bytes(equals + 1) };
    }
    if (column)
        out->pairs[out->count] = (se_pair){ text_bytes(column), { NULL, 0 } };
    if (se_context(&bytes, out->pairs, out->count + (column != NULL), &err))
        return cli_fail(cli, &err);
    return EXIT_DONE;
}

se_status context_bytes(se_buf *out, const struct context *context, se_bytes key, se_error *err)
{
    se_pair pairs[OPTION_LIST_MOST + 1];

    memcpy(pairs, context->pairs, sizeof pairs);
    pairs[context->count].value = key;
    return se_context(out, pairs, context->count + (context->column != NULL), err);
}

int context_read_bytes(se_buf *out, const struct cli *cli, const struct option_list *list)
{
    struct context context;
    se_error err = SE_ERROR_INIT;
    int status = context_read(&context, cli, list, NULL);

    *out = (se_buf)SE_BUF_INIT;
    if (status || !context.count)
        return status;
    return context_bytes(out, &context, (se_bytes){ NULL, 0 }, &err) ? cli_fail(cli, &err)
                                                                     : EXIT_DONE;
}

/* ---- many values, one for each line ---- */

/* One line: its key, and the key with the TAB behind it; the rest is the field. */
struct line {
    se_bytes key, tabbed;
    se_buf context;
    bool bad; /* there is no TAB */
};

struct batch {
    struct field_lines *job;
    const struct lines *lines;
    struct line *line;
    se_field *fields;
    struct writer out, rejects; /* of these lines; written at once */
};

static void batch_free(struct batch *w)
{
    for (size_t i = 0; i < w->lines->count; i++) {
        if (w->line)
            se_buf_free(&w->line[i].context);
        if (w->fields)
            se_buf_free(&w->fields[i].out);
    }
    free(w->line);
    free(w->fields);
    writer_free(&w->out);
    writer_free(&w->rejects);
}
AUTO_KIND(batch, struct batch, batch_free(p))

static void split_key(struct line *line, se_field *field, se_bytes text)
{
    const char *begin = text.data, *tab = memchr(begin, '\t', text.size);

    if (!tab) {
        line->bad = true;
        return;
    }
    line->key = (se_bytes){ begin, (size_t)(tab - begin) };
    line->tabbed = (se_bytes){ begin, line->key.size + 1 };
    field->in = (se_bytes){ tab + 1, text.size - line->tabbed.size };
}

static se_status prepare_fields(struct batch *w, se_error *err)
{
    const struct context *context = w->job->context;

    for (size_t i = 0; i < w->lines->count; i++) {
        w->fields[i].in = w->lines->list[i];
        if (context->column)
            split_key(&w->line[i], &w->fields[i], w->lines->list[i]);
        if (w->job->values)
            w->fields[i].in = text_trim_end(w->fields[i].in);
        TRY(context_bytes(&w->line[i].context, context, w->line[i].key, err));
        w->fields[i].context = buf_bytes(&w->line[i].context);
    }
    return SE_OK;
}

static const char *reject_reason(const struct line *line, const se_field *field)
{
    if (line->bad)
        return "there is no TAB after the key";
    if (field->status == SE_ERR_FORMAT)
        return field->in.size ? "this is no encrypted value" : "an empty value";
    if (field->status == SE_ERR_REJECTED)
        return "it does not decrypt: changed, moved to another context, or made for another key";
    if (field->status == SE_ERR_NO_DESCRIPTOR)
        return "it was made with a version that is not configured here";
    if (field->status == SE_ERR_USAGE)
        return "it is too long";
    return !field->status && field->out.size && memchr(field->out.data, '\n', field->out.size)
               ? "the plaintext has line breaks"
               : NULL;
}

static void write_reject(struct batch *w, size_t i, const char *reason)
{
    const se_bytes text = w->lines->list[i];

    writer_format(&w->rejects, "%ju\t%s\t", (uintmax_t)(w->lines->number + i), reason);
    writer_put(&w->rejects, text.data, text.size);
    writer_text(&w->rejects, "\n");
    w->job->count.rejected++;
}

static void write_result(struct batch *w, size_t i)
{
    writer_put(&w->out, w->line[i].tabbed.data, w->line[i].tabbed.size);
    writer_put(&w->out, w->fields[i].out.data, w->fields[i].out.size);
    writer_text(&w->out, "\n");
    w->job->count.kept += w->fields[i].kept;
}

/* That a value's version is not there is the value's affair if what the caller named is. */
static void look_for_descriptor(struct field_lines *job, const struct batch *w)
{
    for (size_t i = 0; i < w->lines->count && !job->found; i++)
        if (job->values && w->fields[i].status == SE_ERR_NO_DESCRIPTOR) {
            job->found = service_has_descriptor(job->service, job->descriptor, job->params.version);
            return;
        }
}

/* False: what happened is no line's fault. */
static bool is_fault_of_line(const struct field_lines *job, se_status st)
{
    return st == SE_OK || st == SE_ERR_FORMAT || st == SE_ERR_REJECTED || st == SE_ERR_USAGE ||
           (st == SE_ERR_NO_DESCRIPTOR && job->found);
}

/* As wide as lines of wrapped base64 are: the value goes on in the next one. */
static bool looks_wrapped(const struct batch *w, size_t i)
{
    enum { MIME = 76, PEM = 64 };
    const size_t size = w->fields[i].in.size;

    return size == MIME || size == PEM;
}

/* The line that ends the job is worth the whole reason, which is asked for again. */
static se_status stop_at_line(struct batch *w, size_t i, se_status st, const char *reason,
                              se_error *err)
{
    const struct field_lines *job = w->job;
    se_field_params params = job->params;
    AUTO(se_buf) out = SE_BUF_INIT;
    se_error why = SE_ERROR_INIT;

    params.version = 0;
    params.context = w->fields[i].context;
    if (job->values && (st == SE_ERR_REJECTED || st == SE_ERR_NO_DESCRIPTOR) &&
        service_decrypt(&out, job->service, job->descriptor, w->fields[i].in, &params, &why) == st)
        reason = why.text;
    (void)error_set(err, st, "line %ju: %s", (uintmax_t)(w->lines->number + i), reason);
    if (job->values && looks_wrapped(w, i))
        (void)error_suffix(err, st,
                           "; as long as a line of wrapped base64: each value has to be one line");
    return st;
}

static se_status sort_results(struct batch *w, const se_error *why, se_error *err)
{
    for (size_t i = 0; i < w->lines->count; i++) {
        const se_field *field = &w->fields[i];
        const char *reason = reject_reason(&w->line[i], field);
        se_status st = field->status ? field->status : SE_ERR_FORMAT;

        if (!is_fault_of_line(w->job, field->status))
            return error_set(err, field->status, "line %ju: %s", (uintmax_t)(w->lines->number + i),
                             why->status == field->status ? why->text
                                                          : se_status_name(field->status));
        if (reason && !w->job->rejects)
            return stop_at_line(w, i, st, reason, err);
        if (reason)
            write_reject(w, i, reason);
        else
            write_result(w, i);
    }
    return w->out.failed || w->rejects.failed ? error_memory(err) : SE_OK;
}

int check_rejects(const struct cli *cli, const char *rejects, const char *output, const char *input)
{
    if (rejects && same_file(rejects, output))
        return cli_usage(cli, "--rejects and --output name the same file, '%s'", output);
    if (rejects && same_file(rejects, input_path(input)))
        return cli_usage(cli, "--rejects names the input, '%s'", rejects);
    return EXIT_DONE;
}

/* Batch after batch needs the same memory: to give it back to the system and to take it again costs
 * more than to encrypt what is in it. */
static void keep_memory(void)
{
    (void)mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

se_status field_lines_run(struct field_lines *job, const struct lines *lines, se_error *err)
{
    AUTO(batch) w = { .job = job, .lines = lines };
    se_error why = SE_ERROR_INIT;

    keep_memory();
    w.line = calloc(lines->count, sizeof *w.line);
    w.fields = calloc(lines->count, sizeof *w.fields);
    if (!w.line || !w.fields)
        return error_memory(err);
    TRY(prepare_fields(&w, err));
    (void)!job->many(w.fields, lines->count, job->service, job->descriptor, &job->params, &why);
    TRY(recording_confirm(job->recording, err));
    look_for_descriptor(job, &w);
    TRY(sort_results(&w, &why, err));
    job->count.lines += lines->count;
    if (job->rejects)
        TRY(sink_write(job->rejects, buf_bytes(&w.rejects.buf), err));
    return job->out ? sink_write(job->out, buf_bytes(&w.out.buf), err) : SE_OK;
}
