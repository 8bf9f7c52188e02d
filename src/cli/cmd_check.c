/* SPDX-License-Identifier: Apache-2.0 */
/* `check`: whether each descriptor can do its work, and what will stop it. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/check_table.h"
#include "cli/check_watch.h"
#include "cli/commands.h"
#include "cli/html_report.h"
#include "cli/print_access.h"
#include "cli/service.h"

struct check_options {
    bool probe, strict;
    unsigned days;
    const char *metrics, *notify, *state, *html;
    struct option_list authorities, records;
};

static const struct option_row rows[] = {
    { .name = "probe",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct check_options, probe),
      .help = "also run one operation with each key and replica" },
    { .name = "strict",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct check_options, strict),
      .help = "status 1 if there is a warning" },
    { .name = "days",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct check_options, days),
      .argument = "N",
      .help = "warn when a certificate or secret has fewer days left (30)",
      .fallback = "30" },
    { .name = "tsa",
      .kind = OPTION_LIST,
      .offset = offsetof(struct check_options, authorities),
      .argument = "URL",
      .help = "also ask this time stamping authority for a time stamp; may be given several times",
      .place = OPTION_LOCAL },
    { .name = "record",
      .kind = OPTION_LIST,
      .offset = offsetof(struct check_options, records),
      .argument = "FILE",
      .help = "also look at this evidence record, or at all FILE/*.ers; may be given several times",
      .place = OPTION_LOCAL },
    { .name = "metrics",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct check_options, metrics),
      .argument = "FILE",
      .help = "write what was found there, for node_exporter's textfile collector" },
    { .name = "notify",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct check_options, notify),
      .argument = "PROGRAM",
      .help = "run it once for each finding that is new or nearer, as JSON on its input" },
    { .name = "state",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct check_options, state),
      .argument = "FILE",
      .help = "where --notify keeps what it has told" },
    { .name = "html",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct check_options, html),
      .argument = "FILE",
      .help = "write what was found there, as a page to keep" },
    { .name = NULL },
};

/* ---- the rows ---- */

struct check_report {
    struct check_table table;
    struct check_watch watch;
    struct html_report page_rows; /* of the page */
    char fingerprint[65];         /* of the configuration; "": not known */
};

static void check_report_free(struct check_report *r)
{
    check_table_free(&r->table);
    check_watch_free(&r->watch);
    html_report_free(&r->page_rows);
}
AUTO_KIND(check_report, struct check_report, check_report_free(p))

static const char *const page_columns[] = { "descriptor", "verdict",     "state", "key",  "store",
                                            "algorithm",  "certificate", "until", "days", NULL };

static enum html_mood page_mood(enum check_verdict verdict)
{
    return verdict == CHECK_OK ? HTML_GOOD : verdict == CHECK_WARNING ? HTML_WARNING : HTML_BAD;
}

static void add_page_row(struct html_report *page, const se_check_row *row)
{
    char name[ROW_NAME_ROOM], algorithm[120], until[TIME_TEXT_ROOM], days[20] = "";
    const enum check_verdict verdict = row_verdict(row);
    const char *const cells[] = { name,
                                  verdict_name(verdict),
                                  se_version_state_name(row->state),
                                  row->key,
                                  row->store,
                                  algorithm,
                                  row->subject,
                                  until,
                                  days,
                                  NULL };

    row_name(name, row);
    (void)snprintf(algorithm, sizeof algorithm, "%s %s", row->algorithm, row->key_type);
    (void)time_format(until, TIME_DATE, row->not_after);
    if (row->not_after)
        (void)snprintf(days, sizeof days, "%d", row->days_left);
    else
        *until = '\0';
    html_table_row(page, page_mood(verdict), cells);
}

static void collect_row(void *arg, const se_check_row *row)
{
    struct check_report *report = arg;

    check_table_add(&report->table, row);
    check_watch_add(&report->watch, row);
    add_page_row(&report->page_rows, row);
}

static json_t *json_findings(const se_check_row *row)
{
    json_t *list = json_array();

    for (size_t i = 0; list && i < row->finding_count; i++) {
        const se_check_finding *f = &row->findings[i];

        (void)json_array_append_new(
            list, json_pack("{s:s, s:o, s:o, s:o, s:o}", "level", se_check_level_name(f->level),
                            "kind", json_text(f->kind), "subject", json_text(f->subject), "date",
                            json_time(f->date), "text", json_text(f->text)));
    }
    return list;
}

static void collect_json(void *arg, const se_check_row *row)
{
    collect_row(arg, row);
    (void)json_line(json_pack(
        "{s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:s, s:s, s:o, s:s, s:o, s:o, s:o, "
        "s:o}",
        "descriptor", json_text(row->descriptor), "version", (int)row->version, "key",
        json_text(row->key), "store", json_text(row->store), "algorithm", json_text(row->algorithm),
        "keyType", json_text(row->key_type), "subject", json_text(row->subject), "notAfter",
        json_time(row->not_after), "daysLeft", row->days_left, "mechanism",
        json_text(row->mechanism), "verdict", verdict_name(row_verdict(row)), "status",
        se_status_name(row->status), "text", json_text(row->text), "state",
        se_version_state_name(row->state), "from", json_time(row->from), "until",
        json_time(row->until), "mayLeave", json_text(row->may_leave), "findings",
        json_findings(row)));
}

/* Each cause is printed once: in the table, or where there is none on stderr. */
static void print_check(const struct cli *cli, const struct check_options *o,
                        const struct check_table *t)
{
    if (!cli->json && !cli->quiet)
        check_table_print(t);
    else
        check_table_print_causes(t, cli, o->strict ? CHECK_WARNING : CHECK_FAILED);
}

/* ---- time stamps, which no configuration names ---- */

struct stamp_check {
    struct check_report *report;
    se_check_fn row;
    se_check_options options;
    se_status status; /* the first that is not SE_OK */
};

static void keep_status(struct stamp_check *c, se_status st)
{
    c->status = c->status ? c->status : st;
}

static void check_authority(struct stamp_check *c, const char *url)
{
    keep_status(c, se_check_tsa(url, NULL, c->row, c->report, &c->options, NULL));
}

static void check_record(struct stamp_check *c, const char *path)
{
    keep_status(c, se_check_record(path, c->row, c->report, &c->options, NULL));
}

static se_status check_record_in_folder(void *arg, const char *path, se_error *err)
{
    (void)err;
    if (text_ends(path, ".ers"))
        check_record(arg, path);
    return SE_OK;
}

/* A folder that can't be read fails as a record does. */
static void check_records(struct stamp_check *c, const char *path)
{
    struct stat info;

    if (stat(path, &info) || !S_ISDIR(info.st_mode) ||
        folder_each(path, check_record_in_folder, c, NULL))
        check_record(c, path);
}

static void check_stamps(struct stamp_check *c, const struct check_options *o)
{
    for (size_t i = 0; i < o->authorities.count; i++)
        check_authority(c, o->authorities.items[i]);
    for (size_t i = 0; i < o->records.count; i++)
        check_records(c, o->records.items[i]);
}

/* ---- access: nothing is said of it where the daemon is not used ---- */

/* A user that this machine lacks may be there on another that runs on the same file. */
static void warn_of_name(void *arg, const se_report *report)
{
    struct cli *cli = arg;
    const se_options options = cli_options(cli);
    se_report warning = *report;

    warning.error = false;
    if (report->line)
        options.report(options.report_arg, &warning);
}

struct access_print {
    const struct cli *cli;
    bool any;
};

static void print_allowed(void *arg, const se_access_row *row)
{
    struct access_print *print = arg;

    if (print->cli->json)
        (void)json_line(json_pack("{s:o}", "access", json_access_row(row)));
    else if (!print->cli->quiet && !print->any)
        puts("\nACCESS");
    if (!print->cli->json && !print->cli->quiet)
        print_access_row(row);
    print->any = true;
}

static int check_access(struct cli *cli, se_engine *engine)
{
    AUTO(access) access = NULL;
    struct access_print print = { .cli = cli };
    se_error err = SE_ERROR_INIT;
    se_status st = se_access_open(&access, engine, warn_of_name, cli, &err);

    if ((st && st != SE_ERR_CONFIG && st != SE_ERR_UNAVAILABLE) ||
        se_access_rows(engine, print_allowed, &print, &err))
        return cli_fail(cli, &err);
    return EXIT_DONE;
}

/* ---- the command ---- */

static int strict_status(const struct cli *cli, const struct check_options *o,
                         const struct check_table *t)
{
    size_t warnings = t->counts[CHECK_WARNING] + cli->warned;

    if (!o->strict || !warnings)
        return EXIT_DONE;
    cli_message(cli, "--strict: %zu warning%s", warnings, warnings > 1 ? "s" : "");
    return EXIT_REFUSED;
}

/* That nothing could be looked at is a finding, too. */
static int fail_unchecked(struct check_report *report, const struct cli *cli, const se_error *err)
{
    check_watch_add_failure(&report->watch, cli->address ? "service" : "configuration", err);
    return cli_fail(cli, err);
}

static int open_checked(struct service *service, struct check_report *report, struct cli *cli)
{
    se_error err = SE_ERROR_INIT;
    const int status = service_open(service, cli, &err);

    if (status)
        check_watch_add_failure(&report->watch, cli->address ? "service" : "configuration", &err);
    return status;
}

/* An exit status, of which --strict knows nothing yet. */
static int check_all(struct check_report *report, struct cli *cli, const struct check_options *o)
{
    AUTO(service) service = SERVICE_INIT;
    se_check_options check = SE_CHECK_OPTIONS_INIT;
    const se_check_fn row = cli->json ? collect_json : collect_row;
    struct stamp_check stamps = { .report = report, .row = row };
    se_error err = SE_ERROR_INIT;
    se_status st;

    TRY_EXIT(open_checked(&service, report, cli));
    check.probe = o->probe;
    check.days = !o->days ? -1 : (int)(o->days > INT32_MAX ? INT32_MAX : o->days);
    if (service.engine && se_fingerprint(report->fingerprint, service.engine, NULL))
        *report->fingerprint = '\0'; /* the page says nothing of it */
    st = service_check(&service, row, report, &check, &err);
    if (st && !report->table.counts[CHECK_FAILED])
        return fail_unchecked(report, cli, &err);
    stamps.options = check;
    check_stamps(&stamps, o);
    if (report->table.failed || report->watch.failed)
        return cli_fail(cli, &(se_error){ .status = SE_ERR_MEMORY, .text = "out of memory" });
    st = st ? st : stamps.status;
    print_check(cli, o, &report->table);
    if (service.engine)
        TRY_EXIT(check_access(cli, service.engine));
    if (st && !cli->quiet)
        cli_message(cli, "%zu of %zu can't be used", report->table.counts[CHECK_FAILED],
                    report->table.count);
    return exit_status(st);
}

static int write_metrics(const struct check_report *report, const struct cli *cli, const char *path,
                         int status)
{
    const struct check_result result = { status, report->table.counts, cli->warned };
    se_error err = SE_ERROR_INIT;

    if (!path || !check_watch_write(&report->watch, path, &result, &err))
        return EXIT_DONE;
    (void)error_prefix(&err, err.status, "--metrics: ");
    return cli_fail_output(cli, &err);
}

/* ---- the page ---- */

static void put_findings(struct html_report *page, const struct check_watch *watch)
{
    static const char *const columns[] = { "finding", "level", "about", "kind", NULL };
    size_t told = 0;

    html_table_begin(page, "Findings", columns);
    for (size_t i = 0; i < watch->count; i++) {
        const se_check_finding *f = &watch->list[i];
        const char *const cells[] = { f->text, se_check_level_name(f->level), f->subject, f->kind,
                                      NULL };

        if (f->level == SE_CHECK_DATE)
            continue;
        html_table_row(page,
                       f->level == SE_CHECK_FAILURE   ? HTML_BAD
                       : f->level == SE_CHECK_WARNING ? HTML_WARNING
                                                      : HTML_GOOD,
                       cells);
        told++;
    }
    html_table_end(page);
    if (!told)
        html_paragraph(page, "There are none.");
}

static int compare_dates(const void *a, const void *b)
{
    const se_check_finding *const *one = a, *const *other = b;

    return ((*one)->date > (*other)->date) - ((*one)->date < (*other)->date);
}

static void put_dates(struct html_report *page, const struct check_watch *watch)
{
    static const char *const columns[] = { "date", "about", "what", NULL };
    const se_check_finding **sorted = calloc(watch->count + 1, sizeof(*sorted));
    size_t count = 0;

    for (size_t i = 0; sorted && i < watch->count; i++)
        if (watch->list[i].date)
            sorted[count++] = &watch->list[i];
    if (sorted)
        qsort(sorted, count, sizeof(*sorted), compare_dates);
    page->page.failed |= !sorted;
    html_table_begin(page, "What ends, or begins", columns);
    for (size_t i = 0; i < count; i++) {
        char date[TIME_TEXT_ROOM];
        const char *const cells[] = { time_format(date, TIME_READABLE, sorted[i]->date),
                                      sorted[i]->subject, sorted[i]->text, NULL };

        html_table_row(page, HTML_GOOD, cells);
    }
    html_table_end(page);
    free(sorted);
}

static enum html_mood describe_verdict(char *out, size_t room, const struct check_report *report,
                                       int status)
{
    const size_t *counts = report->table.counts;

    if (!report->table.count)
        (void)snprintf(out, room, "%s",
                       status ? "Nothing could be looked at." : "Nothing is there.");
    else if (counts[CHECK_FAILED])
        (void)snprintf(out, room, "%zu of %zu can't be used.", counts[CHECK_FAILED],
                       report->table.count);
    else
        (void)snprintf(out, room, "All can be used: %zu, %zu of them with a warning.",
                       report->table.count, counts[CHECK_WARNING]);
    return counts[CHECK_FAILED] || (status && status != EXIT_REFUSED) ? HTML_BAD
           : counts[CHECK_WARNING]                                    ? HTML_WARNING
                                                                      : HTML_GOOD;
}

static int write_page(const struct check_report *report, const struct cli *cli,
                      const struct check_options *o, int status)
{
    AUTO(html_report) page = { .columns = NULL };
    se_error err = SE_ERROR_INIT;
    char verdict[120];
    const enum html_mood mood = describe_verdict(verdict, sizeof verdict, report, status);

    html_report_begin(&page, "signengine check", mood, verdict);
    html_fact(&page, "configuration", "%s", cli->address ? cli->address : cli_config(cli));
    html_fact(&page, "fingerprint", "%s", report->fingerprint);
    html_fact(&page, "looked at", "%s",
              o->probe ? "keys and certificates; each key has done its work once"
                       : "keys and certificates; no key was used (--probe)");
    html_fact(&page, "not looked at", "%s", "whether certificates were revoked");
    html_facts_end(&page);
    html_table_begin(&page, "Descriptors", page_columns);
    html_append(&page, &report->page_rows);
    html_table_end(&page);
    put_findings(&page, &report->watch);
    put_dates(&page, &report->watch);
    if (!html_report_write(&page, o->html, &err))
        return EXIT_DONE;
    (void)error_prefix(&err, err.status, "--html: ");
    return cli_fail_output(cli, &err);
}

/* What was found comes before what could not be told of it, and that before a mere warning. */
static int tell_report(const struct check_report *report, const struct cli *cli,
                       const struct check_options *o, int status)
{
    const struct check_notice notice = {
        .command = o->notify,
        .state = o->state,
        .days = (int)(o->days > INT32_MAX ? INT32_MAX : o->days),
    };
    const int strict = status ? EXIT_DONE : strict_status(cli, o, &report->table);
    int told = EXIT_DONE, written;

    if (o->notify)
        told = check_watch_notify(&report->watch, &notice, cli);
    status = status ? status : told ? told : strict;
    written = write_metrics(report, cli, o->metrics, status);
    if (o->html && !written)
        written = write_page(report, cli, o, status);
    return status && status != EXIT_REFUSED ? status : written ? written : status;
}

static int check_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct check_options *o = options;
    AUTO(check_report) report = { .page_rows = { .columns = page_columns } };

    (void)argv;
    if (argc)
        return cli_usage(cli, "it takes no operand");
    if (o->notify && !o->state)
        return cli_usage(cli, "--notify needs --state FILE, where it keeps what it has told");
    if (o->state && !o->notify)
        return cli_usage(cli, "--state is for --notify");
    cli->warnings = true;
    return tell_report(&report, cli, o, check_all(&report, cli, o));
}

const struct command command_check = {
    .name = "check",
    .options = rows,
    .options_size = sizeof(struct check_options),
    .served = true,
    .run = check_run,
};
