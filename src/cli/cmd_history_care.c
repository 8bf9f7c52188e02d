/* `signengine history erase|prune|resign|end` */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/consent.h"
#include "cli/entry.h"
#include "cli/history.h"

struct plain_options {
    struct history_place place;
};

struct care_options {
    struct history_place place;
    struct consent_options consent;
    int64_t before; /* prune */
};

#define CARE_YES "do not ask"

static const struct option_row plain_rows[] = { HISTORY_ROWS(struct plain_options),
                                                { .name = NULL } };
static const struct option_row care_rows[] = {
    CONSENT_ROWS(struct care_options, CARE_YES),
    HISTORY_ROWS(struct care_options),
    { .name = NULL },
};
static const struct option_row prune_rows[] = {
    { .name = "before",
      .kind = OPTION_TIME,
      .offset = offsetof(struct care_options, before),
      .argument = "TIME",
      .help = "what was sealed earlier is dropped" },
    CONSENT_ROWS(struct care_options, CARE_YES),
    HISTORY_ROWS(struct care_options),
    { .name = NULL },
};

int history_number(uint64_t *out, const struct cli *cli, int argc, char **argv)
{
    unsigned long number;

    if (argc != 1)
        return cli_usage(cli, "which entry? its number is missing");
    if (!text_number(&number, argv[0], INT64_MAX) || !number)
        return cli_usage(cli, "'%s' is not the number of an entry", argv[0]);
    *out = number;
    return EXIT_DONE;
}

/* ---- what goes for good: first as a dry run, which says what; then somebody says yes ---- */

struct care;
struct care_kind {
    const char *name, *question, *done;
    se_status (*act)(struct care *care, se_history *history, se_error *err);
    /* Puts a line into care->loss, and which entries those are; none: there is nothing to do. */
    se_status (*describe)(struct care *care, se_history *history, se_error *err);
    void (*tell)(const struct care *care); /* what was done; NULL: that needs no words */
};

struct care {
    struct cli *cli;
    const struct care_options *options;
    const struct care_kind *kind;
    uint64_t seq;         /* the entry that is erased, or up to which they are dropped */
    uint64_t first, last; /* entries of the chain, and then those that it is about */
    struct writer loss;
};

static void care_free(struct care *care)
{
    writer_free(&care->loss);
}
AUTO_KIND(care, struct care, care_free(p))

static uint64_t care_count(const struct care *care)
{
    return care->last >= care->first ? care->last - care->first + 1 : 0;
}

static void put_count(struct care *care)
{
    uint64_t count = care_count(care);

    writer_format(&care->loss, "%ju %s of chain '%s'", (uintmax_t)count,
                  count == 1 ? "entry" : "entries", care->options->place.chain);
}

static bool take_extent(void *arg, const se_history_chain *chain)
{
    struct care *care = arg;
    bool ours = strcmp(chain->name, care->options->place.chain) == 0;

    if (ours) {
        care->first = chain->first;
        care->last = chain->last;
    }
    return !ours;
}

static int rehearse(struct care *care)
{
    AUTO(history_session) session = { .engine = NULL };
    se_error err = SE_ERROR_INIT;
    int status =
        history_enter(&session, care->cli, &care->options->place, HISTORY_DRY_RUN, "verifying");

    if (status)
        return status;
    if (care->kind->act(care, session.history, &err) ||
        care->kind->describe(care, session.history, &err)) {
        progress_end(&session.progress);
        return cli_fail(care->cli, &err);
    }
    return care->loss.failed ? cli_fail(care->cli, (error_memory(&err), &err)) : EXIT_DONE;
}

static void tell_rehearsal(const struct care *care)
{
    if (care->cli->json)
        (void)json_line(json_pack("{s:s, s:I, s:I, s:I, s:b}", "command", care->kind->name, "first",
                                  (json_int_t)care->first, "last", (json_int_t)care->last,
                                  "entries", (json_int_t)care_count(care), "dryRun", true));
    else
        (void)fputs(care->loss.buf.size ? writer_string(&care->loss) : "nothing\n", stdout);
}

static int ask(struct care *care)
{
    const struct consent_question question = {
        .loss = writer_string(&care->loss),
        .question = care->kind->question,
        .done = care->kind->done,
        .option = "--yes",
    };
    se_error err = SE_ERROR_INIT;

    return consent_ask(&question, &err) ? cli_fail(care->cli, &err) : EXIT_DONE;
}

static int take_care(struct care *care)
{
    AUTO(history_session) session = { .engine = NULL };
    const struct care_options *o = care->options;
    se_error err = SE_ERROR_INIT;
    int status = EXIT_DONE;
    se_status st;

    if ((o->consent.dry_run || !o->consent.yes) && (status = rehearse(care)))
        return status;
    if (o->consent.dry_run) {
        tell_rehearsal(care);
        return EXIT_DONE;
    }
    if (!o->consent.yes && care->loss.buf.size && (status = ask(care)))
        return status;
    if ((status = history_enter(&session, care->cli, &o->place, HISTORY_CHANGE, "verifying")))
        return status;
    st = care->kind->act(care, session.history, &err);
    progress_end(&session.progress);
    if (st)
        return cli_fail_output(care->cli, &err);
    if (care->kind->tell)
        care->kind->tell(care);
    return EXIT_DONE;
}

/* ---- payloads ---- */

static se_status act_erase(struct care *care, se_history *history, se_error *err)
{
    return se_history_erase(history, care->seq, err);
}

static bool put_entry(void *arg, const se_history_entry *entry)
{
    struct care *care = arg;
    char object[ENTRY_CUT + 1];

    entry_cut(object, entry->object);
    writer_format(&care->loss, "the payload of entry %ju of chain '%s', about '%s': %zu bytes\n",
                  (uintmax_t)entry->seq, care->options->place.chain, object, entry->payload.size);
    return false;
}

/* The dry run has verified it just before. */
static se_status describe_erase(struct care *care, se_history *history, se_error *err)
{
    se_history_range range = SE_HISTORY_RANGE_INIT;

    range.first = range.last = care->first = care->last = care->seq;
    range.unverified = true;
    return se_history_read(history, &range, put_entry, care, err);
}

static int run_erase(struct cli *cli, void *arg, int argc, char **argv)
{
    static const struct care_kind kind = { "erase",   "Erase it?",    "erased",
                                           act_erase, describe_erase, NULL };
    AUTO(care) care = { .cli = cli, .options = arg, .kind = &kind };
    int status = history_number(&care.seq, cli, argc, argv);

    return status ? status : take_care(&care);
}

/* ---- old entries ---- */

static se_status act_prune(struct care *care, se_history *history, se_error *err)
{
    return se_history_prune(&care->seq, history, care->options->before, err);
}

static se_status describe_prune(struct care *care, se_history *history, se_error *err)
{
    se_status st = se_history_chains(care->options->place.store, take_extent, care, err);

    (void)history;
    care->last = care->seq;
    if (st || !care_count(care))
        return st;
    put_count(care);
    writer_format(&care->loss, ", %ju to %ju\n", (uintmax_t)care->first, (uintmax_t)care->last);
    return SE_OK;
}

static void tell_prune(const struct care *care)
{
    if (care->cli->json)
        (void)json_line(json_pack("{s:I}", "dropped", (json_int_t)care->seq));
    else if (!care->cli->quiet)
        printf("dropped up to entry %ju\n", (uintmax_t)care->seq);
}

static int run_prune(struct cli *cli, void *arg, int argc, char **argv)
{
    static const struct care_kind kind = { "prune",   "Drop them?",   "dropped",
                                           act_prune, describe_prune, tell_prune };
    AUTO(care) care = { .cli = cli, .options = arg, .kind = &kind };

    (void)argv;
    if (argc || !care.options->before)
        return cli_usage(cli,
                         argc ? "history prune takes no file" : "until when? say --before TIME");
    return take_care(&care);
}

/* ---- the end ---- */

static se_status act_end(struct care *care, se_history *history, se_error *err)
{
    (void)care;
    return se_history_end(history, err);
}

static se_status describe_end(struct care *care, se_history *history, se_error *err)
{
    se_status st = se_history_chains(care->options->place.store, take_extent, care, err);

    (void)history;
    put_count(care);
    writer_text(&care->loss, ", and none can be added any more\n");
    return st;
}

static int run_end(struct cli *cli, void *arg, int argc, char **argv)
{
    static const struct care_kind kind = { "end",   "End the chain?", "changed",
                                           act_end, describe_end,     NULL };
    AUTO(care) care = { .cli = cli, .options = arg, .kind = &kind };

    (void)argv;
    return argc ? cli_usage(cli, "history end takes no file") : take_care(&care);
}

/* ---- a new key ---- */

static int run_resign(struct cli *cli, void *arg, int argc, char **argv)
{
    const struct plain_options *o = arg;
    AUTO(history_session) session = { .engine = NULL };
    se_error err = SE_ERROR_INIT;
    se_status st;
    int status;

    (void)argv;
    if (argc)
        return cli_usage(cli, "history resign takes no file");
    /* its last seal may be one of a key that is gone */
    if ((status = history_enter(&session, cli, &o->place, HISTORY_INSPECT, "verifying")))
        return status;
    st = se_history_resign(session.history, &err);
    progress_end(&session.progress);
    return st ? cli_fail_output(cli, &err) : EXIT_DONE;
}

const struct command command_history_erase = {
    .name = "history erase",
    .options = care_rows,
    .options_size = sizeof(struct care_options),
    .run = run_erase,
};
const struct command command_history_prune = {
    .name = "history prune",
    .options = prune_rows,
    .options_size = sizeof(struct care_options),
    .run = run_prune,
};
const struct command command_history_resign = {
    .name = "history resign",
    .options = plain_rows,
    .options_size = sizeof(struct plain_options),
    .run = run_resign,
};
const struct command command_history_end = {
    .name = "history end",
    .options = care_rows,
    .options_size = sizeof(struct care_options),
    .run = run_end,
};
