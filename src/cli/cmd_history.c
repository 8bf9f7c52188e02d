/* SPDX-License-Identifier: Apache-2.0 */
/* `signengine history create|list|append|head`: chains, and what goes into them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/stream.h"
#include "cli/commands.h"
#include "cli/history_session.h"
#include "cli/print_entry.h"
#include "cli/stream.h"

enum { PAYLOAD_LIMIT = 16 << 20 };

/* Of an idempotency key for lines: it leaves room for what tells their parts apart. */
enum { LINES_KEY_MOST = 58, PART_KEY_ROOM = LINES_KEY_MOST + 12 };

struct list_options {
    const char *store;
    bool sealers;
};

struct append_options {
    struct history_place place;
    const char *object, *key, *caller;
    bool lines;
};

static const struct option_row list_rows[] = {
    { .letter = 's',
      .name = "store",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct list_options, store),
      .argument = "URI",
      .help = "sqlite:PATH or postgresql://..." },
    { .name = "sealers",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct list_options, sealers),
      .help = "which versions of which descriptors have sealed them, as they say" },
    { .name = NULL },
};
static const struct option_row append_rows[] = {
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct append_options, place),
      .rows = history_place_rows },
    { .name = "object",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct append_options, object),
      .argument = "ID",
      .help = "what it is about",
      .fallback = "" },
    { .name = "lines",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct append_options, lines),
      .help = "each line is an entry: OBJECT, a TAB, and the payload" },
    { .name = "idempotency-key",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct append_options, key),
      .argument = "TEXT",
      .help = "append nothing twice, however often it is said with this key" },
    { .name = "caller",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct append_options, caller),
      .argument = "NAME",
      .help = "whose key it is",
      .place = OPTION_LOCAL },
    { .name = NULL },
};

static int history_create_run(struct cli *cli, void *arg, int argc, char **argv)
{
    const struct history_place *place = arg;
    AUTO(history_session) session = { .history = NULL };
    se_history_options options;
    se_error err = SE_ERROR_INIT;

    (void)argv;
    if (argc)
        return cli_usage(cli, "history create takes no file");
    TRY_EXIT(history_options_prepare(&session, &options, cli, place));
    return se_history_create(session.service.engine, place->store, &options, &err)
               ? cli_fail_output(cli, &err)
               : EXIT_DONE;
}

static int history_head_run(struct cli *cli, void *arg, int argc, char **argv)
{
    const struct history_place *place = arg;
    AUTO(history_session) session = { .history = NULL };
    AUTO(se_buf) head = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)argv;
    if (argc)
        return cli_usage(cli, "history head takes no file");
    TRY_EXIT(history_session_open(&session, cli, place, HISTORY_CHANGE, NULL));
    if (history_session_head(&head, &session, &err))
        return cli_fail(cli, &err);
    if (cli->json)
        (void)json_line(json_pack("{s:s%}", "seal", head.data, head.size));
    else
        (void)fwrite(head.data, 1, head.size, stdout);
    return EXIT_DONE;
}

/* ---- which chains there are ---- */

static void print_chain(const char *name, const se_history_chain *chain)
{
    uint64_t count = chain->last >= chain->first ? chain->last - chain->first + 1 : 0;

    printf("%-20s %ju %s", name, (uintmax_t)count, count == 1 ? "entry" : "entries");
    if (count)
        printf(", %ju to %ju", (uintmax_t)chain->first, (uintmax_t)chain->last);
    printf(", %ju %s%s\n", (uintmax_t)chain->seals, chain->seals == 1 ? "seal" : "seals",
           chain->damaged ? ", damaged" : "");
}

/* The store may hold anything under a chain's name. */
static bool report_chain(void *arg, const se_history_chain *chain)
{
    const struct cli *cli = arg;
    char name[ENTRY_CUT + 1];

    entry_cut(name, text_bytes(chain->name));
    if (cli->json)
        return json_line(json_pack("{s:s, s:I, s:I, s:I, s:b}", "chain", name, "first",
                                   (json_int_t)chain->first, "last", (json_int_t)chain->last,
                                   "seals", (json_int_t)chain->seals, "damaged",
                                   (int)chain->damaged));
    print_chain(name, chain);
    return true;
}

static void print_sealer(const char *chain, const se_history_seals *seals)
{
    printf("%-20s seal", chain);
    if (seals->last > seals->first)
        printf("s %ju to %ju", (uintmax_t)seals->first, (uintmax_t)seals->last);
    else
        printf(" %ju", (uintmax_t)seals->first);
    printf(" by %s:%u%s\n", seals->descriptor, seals->version,
           seals->vouched ? ", for which a later one vouches" : "");
}

static bool report_sealer(void *arg, const se_history_seals *seals)
{
    const struct cli *cli = arg;
    char chain[ENTRY_CUT + 1];

    entry_cut(chain, text_bytes(seals->chain));
    if (cli->json)
        return json_line(json_pack("{s:s, s:o, s:i, s:I, s:I, s:b}", "chain", chain, "descriptor",
                                   json_text(seals->descriptor), "version", (int)seals->version,
                                   "first", (json_int_t)seals->first, "last",
                                   (json_int_t)seals->last, "vouched", (int)seals->vouched));
    print_sealer(chain, seals);
    return true;
}

static int history_list_run(struct cli *cli, void *arg, int argc, char **argv)
{
    const struct list_options *o = arg;
    se_error err = SE_ERROR_INIT;

    (void)argv;
    if (argc)
        return cli_usage(cli, "history list takes no file");
    if (!o->store || !*o->store)
        return cli_usage(cli, "which store? say --store sqlite:PATH");
    if (o->sealers ? se_history_sealers(o->store, NULL, report_sealer, cli, &err)
                   : se_history_chains(o->store, report_chain, cli, &err))
        return cli_fail(cli, &err);
    return EXIT_DONE;
}

/* ---- append ---- */

struct append_task {
    struct cli *cli;
    const struct append_options *options;
    const struct history_session *session;
    const char *key; /* NULL: none */
    char made_key[CLIENT_KEY_ROOM];
    uint64_t first, last, count;
    bool repeated; /* all of it was there already */
    bool storing;  /* so that a failure is one of writing */
};

/* The key of a part of the lines: they are in the same parts whenever the file is the same, so that
 * what was stopped goes on where it was.  NULL: none. */
static const char *part_key(char room[PART_KEY_ROOM], const struct append_task *t, unsigned part)
{
    if (!t->key || part == 1)
        return t->key;
    (void)snprintf(room, PART_KEY_ROOM, "%.*s#%u", LINES_KEY_MOST, t->key, part);
    return room;
}

/* A service appends nothing without a key: whoever does not say one gets one. */
static se_status choose_key(struct append_task *t, se_error *err)
{
    t->key = t->options->key;
    if (t->key || !t->cli->address)
        return SE_OK;
    TRY(client_make_key(t->made_key, err));
    t->key = t->made_key;
    if (t->cli->verbose)
        cli_message(t->cli, "the idempotency key is %s", t->key);
    return SE_OK;
}

/* Whether it was appended is not known, if the answer was lost. */
static se_status suffix_key(const struct append_task *t, se_status st, se_error *err)
{
    return st == SE_ERR_UNAVAILABLE && t->key == t->made_key
               ? error_suffix(err, st, "; with --idempotency-key %s it is not appended twice",
                              t->key)
               : st;
}

static se_status append_records(struct append_task *t, const se_record *records, size_t count,
                                unsigned part, se_error *err)
{
    se_history_append_params params = SE_HISTORY_APPEND_PARAMS_INIT;
    se_history_appended appended;
    char key[PART_KEY_ROOM];

    params.idempotency_key = part_key(key, t, part);
    params.caller = t->options->caller;
    t->storing = true;
    TRY(history_session_append(&appended, t->session, records, count, &params, err));
    t->storing = false;
    t->first = t->count ? t->first : appended.first;
    t->repeated = appended.repeated && (t->repeated || !t->count);
    t->last = appended.first + count - 1;
    t->count += count;
    return SE_OK;
}

static se_status collect_payload(void *arg, se_bytes piece, se_error *err)
{
    struct writer *w = arg;

    if (w->buf.size + piece.size > PAYLOAD_LIMIT)
        return error_set(err, SE_ERR_USAGE, "the payload is longer than %d bytes", PAYLOAD_LIMIT);
    writer_put(w, piece.data, piece.size);
    return w->failed ? error_memory(err) : SE_OK;
}

static se_status append_one(struct append_task *t, struct stream *in, se_error *err)
{
    AUTO(writer) payload = { 0 };

    TRY(stream_drain(in, collect_payload, &payload, err));
    return append_records(
        t, &(se_record){ text_bytes(t->options->object), buf_bytes(&payload.buf) }, 1, 1, err);
}

/* "OBJECT<TAB>PAYLOAD"; with --object the whole line is the payload. */
static se_record record_of(const struct append_options *o, se_bytes line)
{
    const char *tab = *o->object || !line.size ? NULL : memchr(line.data, '\t', line.size);
    size_t object = tab ? (size_t)(tab - (const char *)line.data) : 0;

    if (!tab)
        return (se_record){ text_bytes(o->object), line };
    return (se_record){ { line.data, object }, { tab + 1, line.size - object - 1 } };
}

static se_status append_lines(struct append_task *t, struct stream *in, se_error *err)
{
    AUTO(lines) lines = NULL;
    static se_record records[LINES_MOST];
    se_status st;

    TRY(lines_new(&lines, in, err));
    for (unsigned part = 1; !(st = lines_next(lines, err)) && lines->count; part++) {
        for (size_t i = 0; i < lines->count; i++)
            records[i] = record_of(t->options, lines->list[i]);
        TRY_PREFIX(append_records(t, records, lines->count, part, err), err,
                   "line %ju and those after it: ", (uintmax_t)lines->number);
        TRY(recording_confirm(&t->cli->recording, err));
    }
    return st;
}

static void print_appended(const struct append_task *t)
{
    const char *repeated = t->repeated ? " (repeated)" : "";

    if (t->cli->json)
        (void)json_line(json_pack("{s:I, s:I, s:b}", "first", (json_int_t)t->first, "last",
                                  (json_int_t)t->last, "repeated", (int)t->repeated));
    else if (!t->cli->quiet && t->count == 1)
        printf("%ju%s\n", (uintmax_t)t->first, repeated);
    else if (!t->cli->quiet && t->count)
        printf("%ju-%ju%s\n", (uintmax_t)t->first, (uintmax_t)t->last, repeated);
}

static int check_key_options(const struct cli *cli, const struct append_options *o)
{
    if (o->caller && !o->key)
        return cli_usage(cli, "--caller says whose --idempotency-key it is, and there is none");
    if (o->lines && o->key && strlen(o->key) > LINES_KEY_MOST)
        return cli_usage(cli, "with --lines, an idempotency key has up to %d characters",
                         LINES_KEY_MOST);
    return EXIT_DONE;
}

/* Reads and appends; the recording's end tells what. */
static se_status append_input(struct append_task *t, struct stream *in, se_error *err)
{
    struct recording *r = &t->cli->recording;
    se_status st = choose_key(t, err);

    if (!st)
        st = suffix_key(t, t->options->lines ? append_lines(t, in, err) : append_one(t, in, err),
                        err);

    r->first = t->first;
    r->items = t->first ? t->count : 0;
    return st;
}

static int history_append_run(struct cli *cli, void *arg, int argc, char **argv)
{
    struct append_task task = { .cli = cli, .options = arg };
    AUTO(history_session) session = { .history = NULL };
    AUTO(input) input = INPUT_INIT;
    struct stream stream = { .source = &input.source };
    se_error err = SE_ERROR_INIT;

    if (argc > 1)
        return cli_usage(cli, "one file at a time, %d were given", argc);
    TRY_EXIT(check_key_options(cli, task.options));
    cli->recording.chain = task.options->place.chain;
    TRY_EXIT(history_session_open(&session, cli, &task.options->place, HISTORY_CHANGE, NULL));
    task.session = &session;
    if (input_open(&input, argc ? argv[0] : NULL, &err))
        return cli_fail(cli, &err);
    if (append_input(&task, &stream, &err)) {
        if (task.options->lines && task.count)
            print_appended(&task);
        return task.storing ? cli_fail_output(cli, &err) : cli_fail(cli, &err);
    }
    print_appended(&task);
    return EXIT_DONE;
}

const struct command command_history_create = {
    .name = "history create",
    .options = history_place_rows,
    .options_size = sizeof(struct history_place),
    .run = history_create_run,
};
const struct command command_history_list = {
    .name = "history list",
    .options = list_rows,
    .options_size = sizeof(struct list_options),
    .run = history_list_run,
};
const struct command command_history_append = {
    .name = "history append",
    .options = append_rows,
    .options_size = sizeof(struct append_options),
    .recorded = RECORDED_CHANGE,
    .served = true,
    .run = history_append_run,
};
const struct command command_history_head = {
    .name = "history head",
    .options = history_place_rows,
    .options_size = sizeof(struct history_place),
    .served = true,
    .run = history_head_run,
};

/* ---- all commands of signengine-history: only it loads SQLite and libpq ---- */

const struct sink_type *const command_histories = &history_sink_type;

const struct command *const commands[] = {
    &command_history_create,       &command_history_append,
    &command_history_list,         &command_history_head,
    &command_history_verify,       &command_history_show,
    &command_history_export,       &command_history_prove,
    &command_history_verify_proof, &command_history_erase,
    &command_history_prune,        &command_history_resign,
    &command_history_end,          NULL,
};
