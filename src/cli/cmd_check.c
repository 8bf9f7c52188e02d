#include <stdio.h>

#include "cli/check_table.h"
#include "cli/commands.h"
#include "cli/json.h"

struct check_options {
    bool probe, strict;
    unsigned days;
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
      .help = "warn when a certificate has fewer days left (30)",
      .fallback = "30" },
    { .name = NULL },
};

static void collect(void *arg, const se_check_row *row)
{
    check_table_add(arg, row);
}

static const char *json_verdict(const se_check_row *row)
{
    static const char *const words[] = {
        [CHECK_OK] = "ok", [CHECK_WARNING] = "warning", [CHECK_FAILED] = "failed"
    };

    return words[check_verdict(row)];
}

static void print_json(void *arg, const se_check_row *row)
{
    check_table_add(arg, row);
    (void)json_line(json_pack(
        "{s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:s, s:s, s:o}", "descriptor",
        json_text(row->descriptor), "version", (int)row->version, "key", json_text(row->key),
        "store", json_text(row->store), "algorithm", json_text(row->algorithm), "keyType",
        json_text(row->key_type), "subject", json_text(row->subject), "notAfter",
        json_time(row->not_after), "daysLeft", row->days_left, "mechanism",
        json_text(row->mechanism), "verdict", json_verdict(row), "status",
        se_status_name(row->status), "text", json_text(row->text)));
}

/* Each cause is told once: in the table, or where there is none on stderr. */
static void tell(const struct cli *cli, const struct check_options *o, const struct check_table *t)
{
    if (!cli->json && !cli->quiet)
        check_table_print(t);
    else
        check_table_tell(t, cli, o->strict ? CHECK_WARNING : CHECK_FAILED);
}

static int conclude(const struct cli *cli, const struct check_options *o,
                    const struct check_table *t, se_status status)
{
    size_t warnings = t->counts[CHECK_WARNING] + cli->warned;

    if (status && !cli->quiet)
        cli_tell(cli, "%zu of %zu descriptors can't be used", t->counts[CHECK_FAILED], t->count);
    if (status)
        return exit_status(status);
    if (!o->strict || !warnings)
        return EXIT_DONE;
    cli_tell(cli, "--strict: %zu warning%s", warnings, warnings > 1 ? "s" : "");
    return EXIT_REFUSED;
}

static int run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct check_options *o = options;
    AUTO(engine) engine = NULL;
    AUTO(check_table) table = { .lines = NULL };
    se_check_options check = SE_CHECK_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;
    int status;
    se_status st;

    (void)argv;
    if (argc)
        return cli_usage(cli, "it takes no operand");
    cli->warnings = true;
    if ((status = cli_open(&engine, cli, &err)))
        return status;
    check.probe = o->probe;
    check.days = !o->days ? -1 : (int)(o->days > INT32_MAX ? INT32_MAX : o->days);
    st = se_check(engine, cli->json ? print_json : collect, &table, &check, &err);
    if (table.failed)
        return cli_fail(cli, &(se_error){ .status = SE_ERR_MEMORY, .text = "out of memory" });
    if (st && !table.counts[CHECK_FAILED])
        return cli_fail(cli, &err);
    tell(cli, o, &table);
    return conclude(cli, o, &table, st);
}

const struct command command_check = {
    .name = "check", .options = rows, .options_size = sizeof(struct check_options), .run = run
};
