/* `signengine history verify` */
#include <inttypes.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/history.h"
#include "cli/json.h"

enum { HEAD_LIMIT = 8192 };

struct verify_options {
    struct history_place place;
    const char *head, *notify;
    unsigned months, threads;
};

static const struct option_row rows[] = {
    HISTORY_ROWS(struct verify_options),
    { 0, "head", OPTION_TEXT, offsetof(struct verify_options, head), "FILE", "a seal that `history head` printed: it has to be there",
      NULL },
    { 0, "months", OPTION_NUMBER, offsetof(struct verify_options, months), "N", "only what is not older; at least 12", NULL },
    { 0, "threads", OPTION_NUMBER, offsetof(struct verify_options, threads), "N", "how many; one for each processor if not given", NULL },
    { 0, "notify", OPTION_TEXT, offsetof(struct verify_options, notify), "COMMAND",
      "run when there are findings, which it reads from its standard input", NULL },
    { 0, NULL, OPTION_FLAG, 0, NULL, NULL, NULL },
};

struct telling {
    struct cli *cli;
    struct progress *progress;
    struct writer lines; /* for --notify */
};

static void tell_finding(void *arg, const se_finding *finding)
{
    struct telling *t = arg;

    progress_end(t->progress);
    writer_format(&t->lines, "%s: %s\n", se_finding_name(finding->kind), finding->text);
    if (t->cli->json)
        (void)json_line(json_pack("{s:s, s:I, s:I, s:I, s:s}", "finding", se_finding_name(finding->kind), "first",
                                  (json_int_t)finding->first, "last",
                                  (json_int_t)(finding->last > finding->first ? finding->last : finding->first), "seal",
                                  (json_int_t)finding->seal, "text", finding->text));
    else
        printf("%s: %s\n", se_finding_name(finding->kind), finding->text);
}

/* A command of the administrator's, as one program: no shell takes part. */
static void notify(const struct telling *t, const char *command)
{
    int link[2];
    pid_t child;

    if (pipe(link) || (child = fork()) < 0) {
        cli_warn(t->cli, "--notify: cannot start '%s'", command);
        return;
    }
    if (!child) {
        (void)dup2(link[0], STDIN_FILENO);
        (void)close(link[0]);
        (void)close(link[1]);
        (void)execlp(command, command, (char *)NULL);
        _exit(127);
    }
    (void)close(link[0]);
    (void)write_all(link[1], t->lines.buf.data, t->lines.buf.size);
    (void)close(link[1]);
    (void)waitpid(child, NULL, 0);
}

static void tell_verdict(const struct cli *cli, const struct verify_options *o, const se_history_report *r)
{
    bool good = !r->findings;

    if (cli->json)
        (void)json_line(json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:b}", "chain", o->place.chain, "verdict",
                                  good ? "good" : "refused", "first", (json_int_t)r->first, "entries", (json_int_t)r->entries, "erased",
                                  (json_int_t)r->erased, "seals", (json_int_t)r->seals, "findings", (json_int_t)r->findings, "pruned",
                                  r->pruned, "closed", r->closed));
    else if (good && !cli->quiet)
        printf("chain '%s': %ju entries and %ju seals are good%s%s\n", o->place.chain, (uintmax_t)r->entries, (uintmax_t)r->seals,
               r->pruned ? "; older entries were dropped" : "", r->closed ? "; the chain is closed" : "");
}

static int verify(struct cli *cli, const struct verify_options *o, se_history_verify_options *options)
{
    AUTO(history_session) session = { .engine = NULL };
    AUTO(writer) lines = { 0 };
    struct telling telling = { cli, &session.progress, { { NULL, 0 }, 0, false } };
    se_history_report report;
    se_error err = SE_ERROR_INIT;
    int status = history_enter(&session, cli, &o->place, true, "verifying");

    if (status)
        return status;
    options->finding = tell_finding;
    options->finding_arg = &telling;
    status = exit_status(se_history_verify(&report, session.history, options, &err));
    progress_end(&session.progress);
    lines = telling.lines;
    if (!status || err.status == SE_ERR_REJECTED)
        tell_verdict(cli, o, &report);
    if (status && o->notify)
        notify(&telling, o->notify);
    return status ? cli_fail(cli, &err) : EXIT_DONE;
}

static int run(struct cli *cli, void *arg, int argc, char **argv)
{
    const struct verify_options *o = arg;
    se_history_verify_options options = SE_HISTORY_VERIFY_OPTIONS_INIT;
    AUTO(se_buf) head = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)argv;
    if (argc)
        return cli_usage(cli, "history verify takes no file");
    if (o->head && file_read(&head, o->head, HEAD_LIMIT, &err))
        return cli_fail(cli, &err);
    if (o->head && !head.size)
        return cli_fail(cli, &(se_error){ .status = SE_ERR_FORMAT, .text = "the file of --head is empty" });
    if (o->months && o->months < 12)
        cli_warn(cli, "--months %u: less than a year is not verified; it is 12 now", o->months);
    options.head = buf_bytes(&head);
    options.months = o->months;
    options.threads = o->threads;
    return verify(cli, o, &options);
}

const struct command command_history_verify =
    COMMAND_ROW("history verify", "", "verify a chain, from its entries to its seals", rows, struct verify_options, run);
