/* SPDX-License-Identifier: Apache-2.0 */
/* `check`: whether each descriptor can do its work, and what will stop it. */
#include <stdio.h>

#include "base/text.h"
#include "cli/check_table.h"
#include "cli/check_watch.h"
#include "cli/commands.h"
#include "cli/print_access.h"
#include "cli/service.h"

struct check_options {
    bool probe, strict;
    unsigned days;
    const char *metrics, *notify, *state;
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
    { .name = NULL },
};

/* ---- the rows ---- */

struct check_report {
    struct check_table table;
    struct check_watch watch;
};

static void check_report_free(struct check_report *r)
{
    check_table_free(&r->table);
    check_watch_free(&r->watch);
}
AUTO_KIND(check_report, struct check_report, check_report_free(p))

static void collect_row(void *arg, const se_check_row *row)
{
    struct check_report *report = arg;

    check_table_add(&report->table, row);
    check_watch_add(&report->watch, row);
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
    se_error err = SE_ERROR_INIT;
    se_status st;

    TRY_EXIT(open_checked(&service, report, cli));
    check.probe = o->probe;
    check.days = !o->days ? -1 : (int)(o->days > INT32_MAX ? INT32_MAX : o->days);
    st = service_check(&service, cli->json ? collect_json : collect_row, report, &check, &err);
    if (report->table.failed || report->watch.failed)
        return cli_fail(cli, &(se_error){ .status = SE_ERR_MEMORY, .text = "out of memory" });
    if (st && !report->table.counts[CHECK_FAILED])
        return fail_unchecked(report, cli, &err);
    print_check(cli, o, &report->table);
    if (service.engine)
        TRY_EXIT(check_access(cli, service.engine));
    if (st && !cli->quiet)
        cli_message(cli, "%zu of %zu descriptors can't be used", report->table.counts[CHECK_FAILED],
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
    return status && status != EXIT_REFUSED ? status : written ? written : status;
}

static int check_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct check_options *o = options;
    AUTO(check_report) report = { .table = { .lines = NULL } };

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
