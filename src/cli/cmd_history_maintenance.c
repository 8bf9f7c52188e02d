/* SPDX-License-Identifier: Apache-2.0 */
/* `signengine history erase|prune|resign|end` */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/history_session.h"
#include "cli/print_entry.h"

struct maintenance_options {
    struct history_place place;
    struct consent_options consent;
    int64_t before; /* prune */
};

static const struct option_row maintenance_rows[] = {
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct maintenance_options, consent),
      .rows = consent_rows },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct maintenance_options, place),
      .rows = history_place_rows },
    { .name = NULL },
};
static const struct option_row prune_rows[] = {
    { .name = "before",
      .kind = OPTION_TIME,
      .offset = offsetof(struct maintenance_options, before),
      .argument = "TIME",
      .help = "what was sealed earlier is dropped" },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct maintenance_options, consent),
      .rows = consent_rows },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct maintenance_options, place),
      .rows = history_place_rows },
    { .name = NULL },
};

/* ---- deleting for good: a dry run first, which says what goes; then the user says yes ---- */

struct maintenance;
struct maintenance_kind {
    const char *name, *question, *done;
    se_status (*act)(struct maintenance *m, se_history *history, se_error *err);
    /* Puts a line into m->loss, and which entries those are; none: there is nothing to do. */
    se_status (*describe)(struct maintenance *m, se_history *history, se_error *err);
    void (*print)(const struct maintenance *m); /* the result; NULL: nothing to print */
};

struct maintenance {
    struct cli *cli;
    const struct maintenance_options *options;
    const struct maintenance_kind *kind;
    uint64_t seq;         /* the entry that is erased, or up to which they are dropped */
    uint64_t first, last; /* entries of the chain, and then those that it is about */
    struct writer loss;
};

static void maintenance_free(struct maintenance *m)
{
    writer_free(&m->loss);
}
AUTO_KIND(maintenance, struct maintenance, maintenance_free(p))

static uint64_t maintenance_count(const struct maintenance *m)
{
    return m->last >= m->first ? m->last - m->first + 1 : 0;
}

static void write_count(struct maintenance *m)
{
    uint64_t count = maintenance_count(m);

    writer_format(&m->loss, "%ju %s of chain '%s'", (uintmax_t)count,
                  count == 1 ? "entry" : "entries", m->options->place.chain);
}

static bool take_extent(void *arg, const se_history_chain *chain)
{
    struct maintenance *m = arg;
    bool ours = strcmp(chain->name, m->options->place.chain) == 0;

    if (ours) {
        m->first = chain->first;
        m->last = chain->last;
    }
    return !ours;
}

static int run_dry(struct maintenance *m)
{
    AUTO(history_session) session = { .history = NULL };
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(
        history_session_open(&session, m->cli, &m->options->place, HISTORY_DRY_RUN, "verifying"));
    if (m->kind->act(m, session.history, &err) || m->kind->describe(m, session.history, &err)) {
        progress_end(&session.progress);
        return cli_fail(m->cli, &err);
    }
    return m->loss.failed ? cli_fail(m->cli, (error_memory(&err), &err)) : EXIT_DONE;
}

static void print_dry_run(const struct maintenance *m)
{
    if (m->cli->json)
        (void)json_line(json_pack("{s:s, s:I, s:I, s:I, s:b}", "command", m->kind->name, "first",
                                  (json_int_t)m->first, "last", (json_int_t)m->last, "entries",
                                  (json_int_t)maintenance_count(m), "dryRun", true));
    else
        (void)fputs(m->loss.buf.size ? writer_string(&m->loss) : "nothing\n", stdout);
}

static int ask_consent(struct maintenance *m)
{
    const struct consent_question question = {
        .loss = writer_string(&m->loss),
        .question = m->kind->question,
        .done = m->kind->done,
        .option = "--yes",
    };
    se_error err = SE_ERROR_INIT;

    return consent_ask(&question, &err) ? cli_fail(m->cli, &err) : EXIT_DONE;
}

static int maintenance_run(struct maintenance *m)
{
    AUTO(history_session) session = { .history = NULL };
    const struct maintenance_options *o = m->options;
    se_error err = SE_ERROR_INIT;
    se_status st;

    if (o->consent.dry_run || !o->consent.yes)
        TRY_EXIT(run_dry(m));
    if (o->consent.dry_run) {
        print_dry_run(m);
        return EXIT_DONE;
    }
    if (!o->consent.yes && m->loss.buf.size)
        TRY_EXIT(ask_consent(m));
    TRY_EXIT(history_session_open(&session, m->cli, &o->place, HISTORY_CHANGE, "verifying"));
    st = m->kind->act(m, session.history, &err);
    progress_end(&session.progress);
    if (st)
        return cli_fail_output(m->cli, &err);
    if (m->kind->print)
        m->kind->print(m);
    return EXIT_DONE;
}

/* ---- payloads ---- */

static se_status act_erase(struct maintenance *m, se_history *history, se_error *err)
{
    return se_history_erase(history, m->seq, err);
}

static bool write_entry(void *arg, const se_history_entry *entry)
{
    struct maintenance *m = arg;
    char object[ENTRY_CUT + 1];

    entry_cut(object, entry->object);
    writer_format(&m->loss, "the payload of entry %ju of chain '%s', about '%s': %zu bytes\n",
                  (uintmax_t)entry->seq, m->options->place.chain, object, entry->payload.size);
    return false;
}

/* The dry run has verified it just before. */
static se_status describe_erase(struct maintenance *m, se_history *history, se_error *err)
{
    se_history_range range = SE_HISTORY_RANGE_INIT;

    range.first = range.last = m->first = m->last = m->seq;
    range.unverified = true;
    return se_history_read(history, &range, write_entry, m, err);
}

static int history_erase_run(struct cli *cli, void *arg, int argc, char **argv)
{
    static const struct maintenance_kind kind = {
        .name = "erase",
        .question = "Erase it?",
        .done = "erased",
        .act = act_erase,
        .describe = describe_erase,
    };
    AUTO(maintenance) m = { .cli = cli, .options = arg, .kind = &kind };

    TRY_EXIT(history_entry_number(&m.seq, cli, argc, argv));
    return maintenance_run(&m);
}

/* ---- old entries ---- */

static se_status act_prune(struct maintenance *m, se_history *history, se_error *err)
{
    return se_history_prune(&m->seq, history, m->options->before, err);
}

static se_status describe_prune(struct maintenance *m, se_history *history, se_error *err)
{
    se_status st = se_history_chains(m->options->place.store, take_extent, m, err);

    (void)history;
    m->last = m->seq;
    if (st || !maintenance_count(m))
        return st;
    write_count(m);
    writer_format(&m->loss, ", %ju to %ju\n", (uintmax_t)m->first, (uintmax_t)m->last);
    return SE_OK;
}

static void print_pruned(const struct maintenance *m)
{
    if (m->cli->json)
        (void)json_line(json_pack("{s:I}", "dropped", (json_int_t)m->seq));
    else if (!m->cli->quiet)
        printf("dropped up to entry %ju\n", (uintmax_t)m->seq);
}

static int history_prune_run(struct cli *cli, void *arg, int argc, char **argv)
{
    static const struct maintenance_kind kind = {
        .name = "prune",
        .question = "Drop them?",
        .done = "dropped",
        .act = act_prune,
        .describe = describe_prune,
        .print = print_pruned,
    };
    AUTO(maintenance) m = { .cli = cli, .options = arg, .kind = &kind };

    (void)argv;
    if (argc || !m.options->before)
        return cli_usage(cli,
                         argc ? "history prune takes no file" : "until when? say --before TIME");
    return maintenance_run(&m);
}

/* ---- the end ---- */

static se_status act_end(struct maintenance *m, se_history *history, se_error *err)
{
    (void)m;
    return se_history_end(history, err);
}

static se_status describe_end(struct maintenance *m, se_history *history, se_error *err)
{
    se_status st = se_history_chains(m->options->place.store, take_extent, m, err);

    (void)history;
    write_count(m);
    writer_text(&m->loss, ", and none can be added any more\n");
    return st;
}

static int history_end_run(struct cli *cli, void *arg, int argc, char **argv)
{
    static const struct maintenance_kind kind = {
        .name = "end",
        .question = "End the chain?",
        .done = "changed",
        .act = act_end,
        .describe = describe_end,
    };
    AUTO(maintenance) m = { .cli = cli, .options = arg, .kind = &kind };

    (void)argv;
    return argc ? cli_usage(cli, "history end takes no file") : maintenance_run(&m);
}

/* ---- a new key ---- */

static int history_resign_run(struct cli *cli, void *arg, int argc, char **argv)
{
    const struct history_place *place = arg;
    AUTO(history_session) session = { .history = NULL };
    se_error err = SE_ERROR_INIT;
    se_status st;

    (void)argv;
    if (argc)
        return cli_usage(cli, "history resign takes no file");
    /* its last seal may be one of a key that is gone */
    TRY_EXIT(history_session_open(&session, cli, place, HISTORY_INSPECT, "verifying"));
    st = se_history_resign(session.history, &err);
    progress_end(&session.progress);
    return st ? cli_fail_output(cli, &err) : EXIT_DONE;
}

const struct command command_history_erase = {
    .name = "history erase",
    .options = maintenance_rows,
    .options_size = sizeof(struct maintenance_options),
    .run = history_erase_run,
};
const struct command command_history_prune = {
    .name = "history prune",
    .options = prune_rows,
    .options_size = sizeof(struct maintenance_options),
    .run = history_prune_run,
};
const struct command command_history_resign = {
    .name = "history resign",
    .options = history_place_rows,
    .options_size = sizeof(struct history_place),
    .run = history_resign_run,
};
const struct command command_history_end = {
    .name = "history end",
    .options = maintenance_rows,
    .options_size = sizeof(struct maintenance_options),
    .run = history_end_run,
};
