/* SPDX-License-Identifier: Apache-2.0 */
/* `signengine history export`: entries as lines of JSON, or as an XML document that is signed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/stream.h"
#include "cli/commands.h"
#include "cli/history_session.h"
#include "cli/print_entry.h"

#define NAMESPACE "urn:signengine:history-export"

/* A document of this size has fewer tags than our verifiers accept, and leaves room for the
 * signature. */
enum { DOCUMENT_LIMIT = 100 << 20, MILLION = 1000000 };

struct export_options {
    struct history_place place;
    struct history_selection selection;
    const char *output, *signer;
    bool xml;
};

static const struct option_row export_rows[] = {
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct export_options, place),
      .rows = history_place_rows },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct export_options, selection),
      .rows = history_selection_rows },
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct export_options, output),
      .argument = "FILE",
      .help = "where to, `-` is standard output",
      .fallback = "-" },
    { .name = "xml",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct export_options, xml),
      .help = "as a signed XML document, of a chain that is good" },
    { .name = "sign-with",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct export_options, signer),
      .argument = "NAME[:VERSION]",
      .help = "XML: who signs, the chain's descriptor if not given" },
    { .name = NULL },
};

/* ---- JSON ---- */

struct lines_task {
    const se_sink *sink;
    struct writer text; /* what is to be written next */
    se_status status;
    se_error *err;
};

static se_status flush_lines(struct lines_task *t)
{
    se_status st = t->text.failed ? error_memory(t->err)
                                  : sink_write(t->sink, buf_bytes(&t->text.buf), t->err);

    writer_free(&t->text);
    return st;
}

static bool export_line(void *arg, const se_history_entry *entry)
{
    struct lines_task *t = arg;
    json_t *object = json_entry(entry);
    char *line = object ? json_dumps(object, JSON_COMPACT) : NULL;

    if (line) {
        writer_text(&t->text, line);
        writer_text(&t->text, "\n");
    } else
        t->text.failed = true;
    free(line);
    json_decref(object);
    if (t->text.failed || t->text.buf.size >= STREAM_PIECE)
        t->status = flush_lines(t);
    return !t->status;
}

static se_status export_json(const se_sink *sink, se_history *history,
                             const struct export_options *o, se_error *err)
{
    const se_history_range range = history_range(&o->selection);
    struct lines_task task = { .sink = sink, .err = err };
    se_status st = se_history_read(history, &range, export_line, &task, err);

    if (!st)
        st = task.status;
    if (!st)
        st = flush_lines(&task);
    writer_free(&task.text);
    return st;
}

/* ---- XML ---- */

struct document {
    const struct export_options *options;
    se_history_report report;
    se_buf seal;
    struct writer text;
    bool full;
};

static void write_time_attribute(struct writer *w, const char *attribute, int64_t micros)
{
    char time[ENTRY_TIME];

    entry_time(time, micros);
    writer_format(w, " %s=\"%s\"", attribute, time);
}

/* The selection: entries that it covers and the document lacks are missing in the chain. */
static void write_selection(struct writer *w, const struct history_selection *s)
{
    if (!s->first && !s->last && !s->since && !s->until && !*s->object)
        return;
    writer_text(w, "<selection");
    if (s->first)
        writer_format(w, " first=\"%u\"", s->first);
    if (s->last)
        writer_format(w, " last=\"%u\"", s->last);
    if (s->since)
        write_time_attribute(w, "since", s->since * MILLION);
    if (s->until)
        write_time_attribute(w, "until", s->until * MILLION);
    writer_text(w, ">");
    if (*s->object)
        write_xml_value(w, "object", text_bytes(s->object));
    writer_text(w, "</selection>\n");
}

static void begin_document(struct document *d)
{
    const struct export_options *o = d->options;

    if (d->text.buf.size)
        return;
    writer_format(
        &d->text,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<historyExport xmlns=\"%s\" chain=\"%s\"",
        NAMESPACE, o->place.chain);
    write_time_attribute(&d->text, "time", clock_seconds() * MILLION);
    writer_format(&d->text, " first=\"%ju\" entries=\"%ju\">\n", (uintmax_t)d->report.first,
                  (uintmax_t)d->report.entries);
    write_selection(&d->text, &o->selection);
    write_xml_value(&d->text, "seal", buf_bytes(&d->seal));
    writer_text(&d->text, "\n");
}

static bool export_entry(void *arg, const se_history_entry *entry)
{
    struct document *d = arg;

    begin_document(d);
    write_xml_entry(&d->text, entry);
    d->full = d->text.buf.size > DOCUMENT_LIMIT;
    return !d->full && !d->text.failed;
}

/* Only verified entries get in, and the seal is the one that covers them. */
static se_status make_document(struct document *out, struct history_session *s, se_error *err)
{
    const se_history_range range = history_range(&out->options->selection);
    se_status st =
        se_history_export(&out->report, &out->seal, s->history, &range, export_entry, out, err);

    if (st)
        return error_prefix(err, st, "nothing is signed: ");
    if (out->full)
        return error_set(err, SE_ERR_USAGE,
                         "more than %d MB: export it in parts, with --first and --last",
                         DOCUMENT_LIMIT >> 20);
    begin_document(out);
    writer_text(&out->text, "</historyExport>\n");
    return out->text.failed ? error_memory(err) : SE_OK;
}

static se_status export_xml(const se_sink *sink, struct history_session *s,
                            const struct export_options *o, const struct descriptor_option *signer,
                            se_error *err)
{
    struct document document = { .options = o };
    AUTO(se_buf) text = SE_BUF_INIT;
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_bytes rest;
    se_source source;
    se_status st = make_document(&document, s, err);

    if (!st)
        st = writer_finish(&text, &document.text, err);
    writer_free(&document.text);
    se_buf_free(&document.seal);
    if (st)
        return st;
    params.form = SE_FORM_XML;
    params.version = signer->version;
    rest = buf_bytes(&text);
    source = source_memory(&rest);
    return se_sign_stream(sink, s->service.engine, signer->name, &source, &params, err);
}

/* ---- both ---- */

static int read_signer(struct descriptor_option *out, const struct cli *cli,
                       const struct export_options *o)
{
    if (!o->xml && o->signer)
        return cli_usage(cli, "--sign-with needs --xml");
    if (o->xml && o->selection.unverified)
        return cli_usage(cli, "--unverified does not go with --xml: what is signed is verified");
    if (o->signer)
        return descriptor_read(out, cli, o->signer);
    out->version = 0;
    (void)snprintf(out->name, sizeof out->name, "%s", o->place.descriptor);
    return EXIT_DONE;
}

static int history_export_run(struct cli *cli, void *arg, int argc, char **argv)
{
    const struct export_options *o = arg;
    AUTO(history_session) session = { .history = NULL };
    AUTO(result) result = RESULT_INIT;
    struct descriptor_option signer;
    se_error err = SE_ERROR_INIT;

    (void)argv;
    if (argc)
        return cli_usage(cli, "history export takes no file");
    TRY_EXIT(read_signer(&signer, cli, o));
    TRY_EXIT(history_session_open(&session, cli, &o->place, HISTORY_INSPECT,
                                  o->selection.unverified ? NULL : "verifying"));
    if (result_open(&result, o->output, false, &err) ||
        (o->xml ? export_xml(&result.sink, &session, o, &signer, &err)
                : export_json(&result.sink, session.history, o, &err)) ||
        result_commit(&result, &err))
        return result_fail(&result, cli, &err);
    return EXIT_DONE;
}

const struct command command_history_export = {
    .name = "history export",
    .options = export_rows,
    .options_size = sizeof(struct export_options),
    .run = history_export_run,
};
