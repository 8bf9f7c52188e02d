#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/json.h"

struct check_options {
    bool probe;
    unsigned days;
};

static const struct option_row rows[] = {
    { 0, "probe", OPTION_FLAG, offsetof(struct check_options, probe), NULL, "also run one operation with each key and replica", NULL },
    { 0, "days", OPTION_NUMBER, offsetof(struct check_options, days), "N", "warn when a certificate has fewer days left (30)", "30" },
    { 0, NULL, OPTION_FLAG, 0, NULL, NULL, NULL },
};

/* A table is printed when all rows are known: then the columns fit. */
enum { MECHANISM = 4, COLUMNS = 7 };
static const char *const titles[COLUMNS] = { "DESCRIPTOR", "KEY", "STORE", "ALGORITHM", "MECHANISM", "CERTIFICATE", "DAYS" };

struct line {
    char *cells[COLUMNS];
    const char *verdict;
    char *text;
};

struct table {
    struct line *lines;
    size_t count;
    bool probed;
    bool failed; /* out of memory */
};

static char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *text_of(const char *format, ...)
{
    va_list args;
    char *text;
    int n;

    va_start(args, format);
    n = vasprintf(&text, format, args);
    va_end(args);
    return n < 0 ? NULL : text;
}

static struct line *add_line(struct table *table)
{
    struct line *lines = reallocarray(table->lines, table->count + 1, sizeof *lines);

    if (!lines) {
        table->failed = true;
        return NULL;
    }
    table->lines = lines;
    return memset(&lines[table->count++], 0, sizeof *lines);
}

static void collect(void *arg, const se_check_row *row)
{
    struct table *table = arg;
    struct line *line = add_line(table);

    if (!line)
        return;
    line->verdict = row->status ? "FAILED" : row->warning ? "warning" : "ok";
    line->cells[0] = text_of("%s:%u", row->descriptor, row->version);
    line->cells[1] = text_of("%s", row->key);
    line->cells[2] = text_of("%s", row->store);
    line->cells[3] = text_of("%s%s%s", row->algorithm, *row->key_type ? " " : "", row->key_type);
    line->cells[MECHANISM] = text_of("%s", *row->mechanism ? row->mechanism : "-");
    line->cells[5] = text_of("%.40s", *row->subject ? row->subject : "-");
    line->cells[6] = row->not_after ? text_of("%d", row->days_left) : text_of("-");
    line->text = text_of("%s", row->text);
    for (size_t i = 0; i < COLUMNS; i++)
        table->failed = table->failed || !line->cells[i] || !line->text;
}

static void measure(int widths[COLUMNS], const struct table *table)
{
    for (size_t c = 0; c < COLUMNS; c++) {
        widths[c] = (int)strlen(titles[c]);
        for (size_t i = 0; i < table->count; i++)
            if ((int)strlen(table->lines[i].cells[c]) > widths[c])
                widths[c] = (int)strlen(table->lines[i].cells[c]);
    }
}

/* The mechanism comes from the probe. */
static bool is_shown(const struct table *table, size_t column)
{
    return column != MECHANISM || table->probed;
}

static void print(const struct table *table)
{
    int widths[COLUMNS];

    measure(widths, table);
    for (size_t c = 0; c < COLUMNS; c++)
        if (is_shown(table, c))
            printf("%-*s  ", widths[c], titles[c]);
    puts("VERDICT");
    for (size_t i = 0; i < table->count; i++) {
        const struct line *line = &table->lines[i];

        for (size_t c = 0; c < COLUMNS; c++)
            if (is_shown(table, c))
                printf("%-*s  ", widths[c], line->cells[c]);
        printf("%s\n", line->verdict);
        if (*line->text)
            printf("    %s\n", line->text);
    }
}

static void table_free(struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        for (size_t c = 0; c < COLUMNS; c++)
            free(table->lines[i].cells[c]);
        free(table->lines[i].text);
    }
    free(table->lines);
}
AUTO_KIND(table, struct table, table_free(p))

static void print_json(void *arg, const se_check_row *row)
{
    (void)arg;
    (void)json_line(json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:o, s:i, s:s, s:s, s:s, s:s}", "descriptor", row->descriptor, "version",
                              (int)row->version, "key", row->key, "store", row->store, "algorithm", row->algorithm, "keyType",
                              row->key_type, "subject", row->subject, "notAfter", json_time(row->not_after), "daysLeft", row->days_left,
                              "mechanism", row->mechanism, "verdict",
                              row->status    ? "failed"
                              : row->warning ? "warning"
                                             : "ok",
                              "status", se_status_name(row->status), "text", row->text));
}

static int run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct check_options *o = options;
    AUTO(engine) engine = NULL;
    AUTO(table) table = { .probed = o->probe };
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
    check.days = (int)(o->days > INT32_MAX ? INT32_MAX : o->days);
    st = se_check(engine, cli->json ? print_json : collect, &table, &check, &err);
    if (table.failed)
        return cli_fail(cli, &(se_error){ .status = SE_ERR_MEMORY, .text = "out of memory" });
    if (!cli->json && (!cli->quiet || st))
        print(&table);
    return st ? cli_fail(cli, &err) : EXIT_DONE;
}

const struct command command_check =
    COMMAND_ROW("check", "", "validate the configuration and open every key", rows, struct check_options, run);
