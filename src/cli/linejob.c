#include "cli/linejob.h"

#include <stdlib.h>

#include "cli/stream.h"

/* One line: what of it is the field, and what of it is its key, with the TAB behind. */
struct line {
    se_bytes key, tabbed;
    se_buf context;
    bool bad; /* there is no TAB */
};

struct work {
    struct line_job *job;
    const struct lines *lines;
    struct line *line;
    se_field *fields;
    struct writer out, rejects; /* of these lines; written at once */
};

static void work_free(struct work *w)
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
AUTO_KIND(work, struct work, work_free(p))

static void split(struct line *line, se_field *field, se_bytes text)
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

static se_status prepare(struct work *w, se_error *err)
{
    const struct context *context = w->job->context;
    se_status st = SE_OK;

    for (size_t i = 0; !st && i < w->lines->count; i++) {
        w->fields[i].in = w->lines->list[i];
        if (context->column)
            split(&w->line[i], &w->fields[i], w->lines->list[i]);
        if (w->job->values)
            w->fields[i].in = value_trim(w->fields[i].in);
        st = context_bytes(&w->line[i].context, context, w->line[i].key, err);
        w->fields[i].context = buf_bytes(&w->line[i].context);
    }
    return st;
}

static const char *reason_of(const struct line *line, const se_field *field)
{
    if (line->bad)
        return "there is no TAB after the key";
    if (field->status == SE_ERR_FORMAT)
        return field->in.size ? "this is no encrypted value" : "an empty value";
    if (field->status == SE_ERR_REJECTED)
        return "it does not decrypt: changed, moved to another context, or made for another key";
    if (field->status == SE_ERR_USAGE)
        return "it is too long";
    return !field->status && field->out.size && memchr(field->out.data, '\n', field->out.size)
               ? "the plaintext has line breaks"
               : NULL;
}

static void put_reject(struct work *w, size_t i, const char *reason)
{
    const se_bytes text = w->lines->list[i];

    writer_format(&w->rejects, "%ju\t%s\t", (uintmax_t)(w->lines->number + i), reason);
    writer_put(&w->rejects, text.data, text.size);
    writer_text(&w->rejects, "\n");
    w->job->count.rejected++;
}

static void put_done(struct work *w, size_t i)
{
    writer_put(&w->out, w->line[i].tabbed.data, w->line[i].tabbed.size);
    writer_put(&w->out, w->fields[i].out.data, w->fields[i].out.size);
    writer_text(&w->out, "\n");
    w->job->count.kept += w->fields[i].kept;
}

/* False: what happened is no line's fault. */
static bool of_the_line(se_status st)
{
    return st == SE_OK || st == SE_ERR_FORMAT || st == SE_ERR_REJECTED || st == SE_ERR_USAGE;
}

/* What of a line one line is too short for: the value goes on in the next one. */
static bool is_wrapped(const struct work *w, size_t i)
{
    enum { MIME = 76, PEM = 64 };
    const size_t size = w->fields[i].in.size;

    return size == MIME || size == PEM;
}

/* The line that ends the job is worth the whole reason, which is asked for again. */
static se_status stop_at(struct work *w, size_t i, se_status st, const char *reason, se_error *err)
{
    const struct line_job *job = w->job;
    se_field_params params = job->params;
    AUTO(se_buf) out = SE_BUF_INIT;
    se_error why = SE_ERROR_INIT;

    params.version = 0;
    params.context = w->fields[i].context;
    if (job->values && st == SE_ERR_REJECTED &&
        se_decrypt(&out, job->engine, job->descriptor, w->fields[i].in, &params, &why) == st)
        reason = why.text;
    (void)error_set(err, st, "line %ju: %s", (uintmax_t)(w->lines->number + i), reason);
    if (job->values && is_wrapped(w, i))
        (void)error_suffix(err,
                           "; as long as a line of wrapped base64: each value has to be one line");
    return st;
}

static se_status sort(struct work *w, const se_error *why, se_error *err)
{
    for (size_t i = 0; i < w->lines->count; i++) {
        const se_field *field = &w->fields[i];
        const char *reason = reason_of(&w->line[i], field);
        se_status st = field->status ? field->status : SE_ERR_FORMAT;

        if (!of_the_line(field->status))
            return error_set(err, field->status, "line %ju: %s", (uintmax_t)(w->lines->number + i),
                             why->status == field->status ? why->text
                                                          : se_status_name(field->status));
        if (reason && !w->job->rejects)
            return stop_at(w, i, st, reason, err);
        if (reason)
            put_reject(w, i, reason);
        else
            put_done(w, i);
    }
    return w->out.failed || w->rejects.failed ? error_memory(err) : SE_OK;
}

int rejects_check(const struct cli *cli, const char *rejects, const char *output, const char *input)
{
    if (rejects && same_file(rejects, output))
        return cli_usage(cli, "--rejects and --output name the same file, '%s'", output);
    if (rejects && same_file(rejects, input_path(input)))
        return cli_usage(cli, "--rejects names the input, '%s'", rejects);
    return EXIT_DONE;
}

se_status line_job_do(struct line_job *job, const struct lines *lines, se_error *err)
{
    AUTO(work) w = { .job = job, .lines = lines };
    se_error why = SE_ERROR_INIT;
    se_status st = SE_OK;

    w.line = calloc(lines->count, sizeof *w.line);
    w.fields = calloc(lines->count, sizeof *w.fields);
    if (!w.line || !w.fields)
        return error_memory(err);
    TRY(prepare(&w, err));
    (void)!job->many(w.fields, lines->count, job->engine, job->descriptor, &job->params, &why);
    TRY(sort(&w, &why, err));
    job->count.lines += lines->count;
    if (job->rejects && (st = sink_write(job->rejects, buf_bytes(&w.rejects.buf), err)))
        return st;
    return job->out ? sink_write(job->out, buf_bytes(&w.out.buf), err) : SE_OK;
}
