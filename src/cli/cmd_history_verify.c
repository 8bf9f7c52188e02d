/* SPDX-License-Identifier: Apache-2.0 */
/* `signengine history verify` */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/commands.h"
#include "cli/history_session.h"
#include "cli/html_report.h"
#include "cli/spawn.h"

enum { HEAD_LIMIT = 8192 };

struct verify_options {
    struct history_place place;
    const char *head, *notify, *html;
    unsigned months, threads;
};

static const struct option_row verify_rows[] = {
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct verify_options, place),
      .rows = history_place_rows },
    { .name = "head",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, head),
      .argument = "FILE",
      .help = "a seal that `history head` printed: it has to be there" },
    { .name = "months",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct verify_options, months),
      .argument = "N",
      .help = "only what is not older; at least 12" },
    { .name = "threads",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct verify_options, threads),
      .argument = "N",
      .help = "how many; one for each processor if not given" },
    { .name = "notify",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, notify),
      .argument = "COMMAND",
      .help = "run when there are findings, which it reads from its standard input" },
    { .name = "html",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, html),
      .argument = "FILE",
      .help = "write what was found there, as a page to keep" },
    { .name = NULL },
};

/* The program of --notify is started with the first finding, and, if there are more, once more when
 * all are there. */
struct notify {
    const char *command; /* NULL: none */
    struct writer lines;
    size_t sent; /* bytes of them that the program got */
    bool tried, runs;
    pid_t child;
};

struct finding_report {
    struct cli *cli;
    struct progress *progress;
    struct notify *notify;
    struct html_report *rows; /* of the page */
};

static se_status memory_file(int *out, const struct writer *w, se_error *err)
{
    *out = -1;
    if (w->failed)
        return error_set(err, SE_ERR_MEMORY, "--notify: not enough memory for all findings");
    *out = memfd_create("findings", MFD_CLOEXEC);
    if (*out < 0 || write_all(*out, w->buf.data, w->buf.size))
        return error_set(err, SE_ERR_UNAVAILABLE, "--notify: cannot keep the findings: %s",
                         strerror(errno));
    return SE_OK;
}

static struct spawn spawn_of(char *arguments[2], const struct notify *notify, int input)
{
    arguments[0] = (char *)notify->command;
    arguments[1] = NULL;
    return (struct spawn){
        .option = "--notify",
        .arguments = arguments,
        .search = true,
        .input = input,
    };
}

static se_status start_notify(struct notify *a, se_error *err)
{
    char *arguments[2];
    struct spawn spawn;
    int findings;
    se_status st = memory_file(&findings, &a->lines, err);

    spawn = spawn_of(arguments, a, findings);
    if (!st)
        st = spawn_start(&a->child, &spawn, err);
    if (findings >= 0)
        (void)close(findings);
    a->tried = true;
    a->runs = !st;
    a->sent = st ? 0 : a->lines.buf.size;
    return st;
}

static se_status await_notify(struct notify *a, se_error *err)
{
    char *arguments[2];
    const struct spawn spawn = spawn_of(arguments, a, -1);
    int status;

    a->runs = false;
    TRY(spawn_await(&status, a->child, &spawn, err));
    return status ? error_set(err, SE_ERR_UNAVAILABLE, "--notify: '%s' ended with status %d",
                              a->command, status)
                  : SE_OK;
}

/* The exit status says that the chain has findings, whether or not the program runs. */
static void notify_of_rest(const struct cli *cli, struct notify *a)
{
    se_error err = SE_ERROR_INIT;
    se_status st = a->runs ? await_notify(a, &err) : SE_OK;

    if (a->lines.failed || a->lines.buf.size > a->sent) {
        err = (se_error)SE_ERROR_INIT;
        st = start_notify(a, &err);
        if (!st)
            st = await_notify(a, &err);
    }
    if (st)
        (void)cli_fail(cli, &err);
}

static const char *const finding_columns[] = { "kind", "entries", "seal", "what", NULL };

static void add_finding_row(struct html_report *rows, const se_finding *finding)
{
    char entries[50] = "", seal[24] = "";
    const char *const cells[] = { se_finding_name(finding->kind), entries, seal, finding->text,
                                  NULL };

    if (finding->last > finding->first)
        (void)snprintf(entries, sizeof entries, "%ju to %ju", (uintmax_t)finding->first,
                       (uintmax_t)finding->last);
    else if (finding->first)
        (void)snprintf(entries, sizeof entries, "%ju", (uintmax_t)finding->first);
    if (finding->seal)
        (void)snprintf(seal, sizeof seal, "%ju", (uintmax_t)finding->seal);
    html_table_row(rows, HTML_BAD, cells);
}

static void report_finding(void *arg, const se_finding *finding)
{
    struct finding_report *t = arg;
    struct notify *a = t->notify;
    se_error err = SE_ERROR_INIT;

    progress_end(t->progress);
    add_finding_row(t->rows, finding);
    writer_format(&a->lines, "%s: %s\n", se_finding_name(finding->kind), finding->text);
    if (t->cli->json)
        (void)json_line(
            json_pack("{s:s, s:I, s:I, s:I, s:o}", "finding", se_finding_name(finding->kind),
                      "first", (json_int_t)finding->first, "last",
                      (json_int_t)(finding->last > finding->first ? finding->last : finding->first),
                      "seal", (json_int_t)finding->seal, "text", json_text(finding->text)));
    else
        printf("%s: %s\n", se_finding_name(finding->kind), finding->text);
    if (a->tried)
        return;
    (void)fflush(stdout);
    a->tried = true;
    if (a->command &&
        start_notify(a, &err)) /* the end of the command tries it once more, and reports failure */
        return;
}

static void print_verdict(const struct cli *cli, const struct verify_options *o,
                          const se_history_report *r)
{
    bool good = !r->findings;

    if (cli->json)
        (void)json_line(json_pack(
            "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:b}", "chain", o->place.chain, "verdict",
            good ? "good" : "refused", "first", (json_int_t)r->first, "entries",
            (json_int_t)r->entries, "erased", (json_int_t)r->erased, "seals", (json_int_t)r->seals,
            "findings", (json_int_t)r->findings, "pruned", r->pruned, "closed", r->closed));
    else if (good && !cli->quiet)
        printf("chain '%s': %ju entries and %ju seals are good%s%s\n", o->place.chain,
               (uintmax_t)r->entries, (uintmax_t)r->seals,
               r->pruned ? "; older entries were dropped" : "",
               r->closed ? "; the chain is closed" : "");
}

/* ---- the page ---- */

static bool add_seals_row(void *arg, const se_history_seals *seals)
{
    char name[300], numbers[60], begun[TIME_TEXT_ROOM], ended[TIME_TEXT_ROOM];
    const char *const cells[] = { name,
                                  numbers,
                                  time_format(begun, TIME_READABLE, seals->first_us / 1000000),
                                  time_format(ended, TIME_READABLE, seals->last_us / 1000000),
                                  seals->vouched ? "a later seal vouches for them" : "",
                                  NULL };

    (void)snprintf(name, sizeof name, "%s:%u", seals->descriptor, seals->version);
    (void)snprintf(numbers, sizeof numbers, "%ju to %ju", (uintmax_t)seals->first,
                   (uintmax_t)seals->last);
    html_table_row(arg, HTML_GOOD, cells);
    return true;
}

static void put_seals(struct html_report *page, const struct history_place *place)
{
    static const char *const columns[] = { "sealed by", "seals", "first", "last", "", NULL };
    se_error err = SE_ERROR_INIT;

    html_table_begin(page, "Seals, as they say", columns);
    if (se_history_sealers(place->store, place->chain, add_seals_row, page, &err)) {
        html_table_end(page);
        html_paragraph(page, err.text);
        return;
    }
    html_table_end(page);
}

static void put_head(struct html_report *page, const struct history_session *session)
{
    AUTO(se_buf) head = SE_BUF_INIT;

    if (!history_session_head(&head, session, NULL))
        html_verbatim(page,
                      "The newest seal: keep it, and give it to `history verify --head` next time",
                      buf_bytes(&head));
}

static void put_facts(struct html_report *page, const struct verify_options *o,
                      const se_history_report *r)
{
    html_fact(page, "chain", "%s", o->place.chain);
    html_fact(page, "store", "%.*s", (int)strcspn(o->place.store, ":"), o->place.store);
    html_fact(page, "entries", "%ju, from %ju on; %ju without their payload, which was erased",
              (uintmax_t)r->entries, (uintmax_t)r->first, (uintmax_t)r->erased);
    html_fact(page, "seals", "%ju", (uintmax_t)r->seals);
    html_fact(page, "state", "%s%s", r->pruned ? "older entries were dropped; " : "",
              r->closed ? "closed: nothing can be added" : "open");
    html_fact(page, "a seal kept elsewhere", "%s",
              o->head ? "was given, and looked for"
                      : "was not given: a chain that was put back as "
                        "a whole would not show (--head)");
    if (o->months)
        html_fact(page, "only", "what is not older than %u months",
                  o->months < 12 ? 12 : o->months);
}

static int write_page(const struct history_session *session, const struct cli *cli,
                      const struct verify_options *o, const struct html_report *rows,
                      const se_history_report *r)
{
    AUTO(html_report) page = { .columns = NULL };
    se_error err = SE_ERROR_INIT;
    char verdict[200];

    (void)snprintf(verdict, sizeof verdict,
                   r->findings ? "The chain is not good: %ju findings."
                               : "The chain is good: nothing was changed, removed, added or moved.",
                   (uintmax_t)r->findings);
    html_report_begin(&page, "signengine history verify", r->findings ? HTML_BAD : HTML_GOOD,
                      verdict);
    put_facts(&page, o, r);
    html_facts_end(&page);
    if (r->findings) {
        html_table_begin(&page, "Findings", finding_columns);
        html_append(&page, rows);
        html_table_end(&page);
    }
    put_seals(&page, &o->place);
    if (!r->findings)
        put_head(&page, session);
    if (!html_report_write(&page, o->html, &err))
        return EXIT_DONE;
    (void)error_prefix(&err, err.status, "--html: ");
    return cli_fail_output(cli, &err);
}

static int verify_chain(struct notify *notify, struct cli *cli, const struct verify_options *o,
                        se_history_verify_options *options)
{
    AUTO(history_session) session = { .history = NULL };
    AUTO(html_report) rows = { .columns = finding_columns };
    struct finding_report found = { cli, &session.progress, notify, &rows };
    se_history_report report;
    se_error err = SE_ERROR_INIT;
    int status, written;

    TRY_EXIT(history_session_open(&session, cli, &o->place, HISTORY_INSPECT, "verifying"));
    options->finding = report_finding;
    options->finding_arg = &found;
    status = exit_status(se_history_verify(&report, session.history, options, &err));
    progress_end(&session.progress);
    if (status && !report.findings)
        return cli_fail(cli, &err); /* there is no verdict, and no page */
    print_verdict(cli, o, &report);
    if (status)
        cli_message(cli, "%s", err.text); /* the verdict is the answer already */
    written = o->html ? write_page(&session, cli, o, &rows, &report) : EXIT_DONE;
    return status ? status : written;
}

static int history_verify_run(struct cli *cli, void *arg, int argc, char **argv)
{
    const struct verify_options *o = arg;
    se_history_verify_options options = SE_HISTORY_VERIFY_OPTIONS_INIT;
    struct notify notify = { .command = o->notify };
    AUTO(se_buf) head = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    int status;

    (void)argv;
    if (argc)
        return cli_usage(cli, "history verify takes no file");
    if (o->head && file_read(&head, o->head, HEAD_LIMIT, &err))
        return cli_fail(cli, &err);
    if (o->head && !head.size)
        return cli_fail(
            cli, &(se_error){ .status = SE_ERR_FORMAT, .text = "the file of --head is empty" });
    if (o->months && o->months < 12)
        cli_warn(cli, "--months %u: less than a year is not verified; it is 12 now", o->months);
    options.head = buf_bytes(&head);
    options.months = o->months;
    options.threads = o->threads;
    status = verify_chain(&notify, cli, o, &options);
    if (o->notify)
        notify_of_rest(cli, &notify);
    writer_free(&notify.lines);
    return status;
}

const struct command command_history_verify = {
    .name = "history verify",
    .options = verify_rows,
    .options_size = sizeof(struct verify_options),
    .run = history_verify_run,
};
