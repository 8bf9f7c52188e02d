/* `signengine history erase|prune|resign|close` */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "cli/history.h"
#include "cli/json.h"

struct care_options {
    struct history_place place;
};

struct prune_options {
    struct history_place place;
    int64_t before;
};

static const struct option_row care_rows[] = { HISTORY_ROWS(struct care_options), { 0, NULL, OPTION_FLAG, 0, NULL, NULL, NULL } };
static const struct option_row prune_rows[] = {
    HISTORY_ROWS(struct prune_options),
    { 0, "before", OPTION_TIME, offsetof(struct prune_options, before), "TIME", "what was sealed earlier is dropped", NULL },
    { 0, NULL, OPTION_FLAG, 0, NULL, NULL, NULL },
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

static int run_erase(struct cli *cli, void *arg, int argc, char **argv)
{
    const struct care_options *o = arg;
    AUTO(history_session) session = { .engine = NULL };
    se_error err = SE_ERROR_INIT;
    uint64_t seq;
    int status;

    if ((status = history_number(&seq, cli, argc, argv)) || (status = history_enter(&session, cli, &o->place, false, "verifying")))
        return status;
    return se_history_erase(session.history, seq, &err) ? cli_fail(cli, &err) : EXIT_DONE;
}

static int run_prune(struct cli *cli, void *arg, int argc, char **argv)
{
    const struct prune_options *o = arg;
    AUTO(history_session) session = { .engine = NULL };
    se_error err = SE_ERROR_INIT;
    uint64_t dropped;
    int status;

    (void)argv;
    if (argc || !o->before)
        return cli_usage(cli, argc ? "history prune takes no file" : "until when? say --before TIME");
    if ((status = history_enter(&session, cli, &o->place, false, "verifying")))
        return status;
    if (se_history_prune(&dropped, session.history, o->before, &err))
        return cli_fail(cli, &err);
    if (cli->json)
        (void)json_line(json_pack("{s:I}", "dropped", (json_int_t)dropped));
    else if (!cli->quiet)
        printf("dropped up to entry %ju\n", (uintmax_t)dropped);
    return EXIT_DONE;
}

/* What is done to the chain as a whole.  `inspect`: its last seal may be one of a key that is gone. */
static int run_whole(struct cli *cli, const struct care_options *o, int files, bool inspect,
                     se_status (*act)(se_history *history, se_error *err))
{
    AUTO(history_session) session = { .engine = NULL };
    se_error err = SE_ERROR_INIT;
    int status;

    if (files)
        return cli_usage(cli, "%s takes no file", cli->command);
    if ((status = history_enter(&session, cli, &o->place, inspect, "verifying")))
        return status;
    return act(session.history, &err) ? cli_fail(cli, &err) : EXIT_DONE;
}

static int run_resign(struct cli *cli, void *arg, int argc, char **argv)
{
    (void)argv;
    return run_whole(cli, arg, argc, true, se_history_resign);
}

static int run_close(struct cli *cli, void *arg, int argc, char **argv)
{
    (void)argv;
    return run_whole(cli, arg, argc, false, se_history_end);
}

const struct command command_history_erase =
    COMMAND_ROW("history erase", "SEQ", "erase the payload of an entry", care_rows, struct care_options, run_erase);
const struct command command_history_prune =
    COMMAND_ROW("history prune", "", "drop old entries, and keep what proves what they were", prune_rows, struct prune_options, run_prune);
const struct command command_history_resign =
    COMMAND_ROW("history resign", "", "seal a chain anew whose old keys are gone", care_rows, struct care_options, run_resign);
const struct command command_history_close =
    COMMAND_ROW("history close", "", "make the last seal of a chain", care_rows, struct care_options, run_close);
