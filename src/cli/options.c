#include "cli/options.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

enum { NAMES = 128 };

static void *place(const struct option_table *table, const struct option_row *row)
{
    return (char *)table->values + row->offset;
}

static bool parse_time(int64_t *out, const char *text)
{
    static const char *const forms[] = { "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d" };
    unsigned long seconds;

    if (*text == '@' && text_number(&seconds, text + 1, LONG_MAX)) {
        *out = (int64_t)seconds;
        return true;
    }
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct tm tm = { .tm_mday = 1 };
        const char *end = strptime(text, forms[i], &tm);
        int day = tm.tm_mday;

        if (end && !*end) {
            *out = timegm(&tm);
            return tm.tm_mday == day; /* the 31st of February is the 3rd of March */
        }
    }
    return false;
}

static bool append(struct option_list *list, const char *value)
{
    if (list->count == OPTION_LIST_MOST)
        return false;
    list->items[list->count++] = value;
    return true;
}

static bool set(const struct option_table *table, const struct option_row *row, const char *value)
{
    void *at = place(table, row);
    unsigned long number;

    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)at = true;
        return true;
    case OPTION_TEXT:
        *(const char **)at = value;
        return true;
    case OPTION_NUMBER:
        if (!text_number(&number, value, UINT_MAX))
            return false;
        *(unsigned *)at = (unsigned)number;
        return true;
    case OPTION_LIST:
        return append(at, value);
    case OPTION_TIME:
        return parse_time(at, value);
    }
    return false;
}

void options_defaults(const struct option_table *table)
{
    for (const struct option_row *row = table->rows; row->name; row++)
        if (row->fallback)
            (void)set(table, row, row->fallback);
}

struct match {
    const struct option_table *table;
    const struct option_row *row;
};

static struct match find(const struct option_table *const tables[2], const char *name,
                         size_t length, char letter)
{
    for (size_t i = 0; i < 2; i++)
        for (const struct option_row *row = tables[i] ? tables[i]->rows : NULL; row && row->name;
             row++)
            if (letter ? row->letter == letter
                       : strlen(row->name) == length && strncmp(row->name, name, length) == 0)
                return (struct match){ tables[i], row };
    return (struct match){ NULL, NULL };
}

static se_status unknown(const struct option_table *const tables[2], const char *argument,
                         se_error *err)
{
    const char *names[NAMES], *nearest;
    char word[64];
    size_t count = 0;

    for (size_t i = 0; i < 2; i++)
        for (const struct option_row *row = tables[i] ? tables[i]->rows : NULL;
             row && row->name && count < NAMES; row++)
            names[count++] = row->name;
    (void)snprintf(word, sizeof word, "%.*s", (int)strcspn(argument, "="),
                   argument + strspn(argument, "-"));
    nearest = strlen(word) > 1 ? text_nearest(word, names, count) : NULL;
    if (nearest)
        return error_set(err, SE_ERR_USAGE, "unknown option '%s'; did you mean '--%s'?", argument,
                         nearest);
    return error_set(err, SE_ERR_USAGE, "unknown option '%s'", argument);
}

static const char *const forms[] = {
    [OPTION_NUMBER] = "a whole number, up to 4294967295",
    [OPTION_TIME] = "as 2026-01-31T12:00:00Z, 2026-01-31T12:00Z, 2026-01-31, or @ and the seconds "
                    "since 1970; all in UTC",
};

static se_status no_value(const struct option_row *row, const char *value, se_error *err)
{
    if (row->kind == OPTION_LIST)
        return error_set(err, SE_ERR_USAGE, "option '--%s' is given more than %d times", row->name,
                         OPTION_LIST_MOST);
    return error_set(err, SE_ERR_USAGE, "option '--%s': '%s' is no %s, %s", row->name, value,
                     row->argument, forms[row->kind]);
}

/* One option with its value; *used: how many arguments it takes. */
static se_status take(int *used, int left, char **argv, const struct option_table *const tables[2],
                      se_error *err)
{
    const char *text = argv[0], *value = NULL;
    bool is_long = text[1] == '-';
    size_t length = strcspn(text, "=");
    struct match m =
        is_long ? find(tables, text + 2, length - 2, '\0') : find(tables, NULL, 0, text[1]);

    *used = 1;
    if (!m.row)
        return unknown(tables, text, err);
    if (is_long && text[length])
        value = text + length + 1;
    else if (!is_long && text[2])
        value = text + 2;
    if (m.row->kind == OPTION_FLAG)
        return value ? error_set(err, SE_ERR_USAGE, "option '--%s' takes no value", m.row->name)
                     : (set(m.table, m.row, NULL), SE_OK);
    if (!value && left > 1) {
        value = argv[1];
        *used = 2;
    }
    if (!value)
        return error_set(err, SE_ERR_USAGE, "option '--%s' needs %s", m.row->name, m.row->argument);
    if (!set(m.table, m.row, value))
        return no_value(m.row, value, err);
    return SE_OK;
}

se_status options_parse(int *argc, char **argv, const struct option_table *const tables[2],
                        bool operands_end_it, se_error *err)
{
    int operands = 0, i = 0;

    while (i < *argc) {
        int used = 1;

        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        if (argv[i][0] != '-' || !argv[i][1]) {
            if (operands_end_it)
                break;
            argv[operands++] = argv[i++];
            continue;
        }
        TRY(take(&used, *argc - i, argv + i, tables, err));
        i += used;
    }
    while (i < *argc)
        argv[operands++] = argv[i++];
    *argc = operands;
    return SE_OK;
}

const char *options_text(const struct option_table *table, const char *name)
{
    for (const struct option_row *row = table->rows; row->name; row++)
        if (row->kind == OPTION_TEXT && strcmp(row->name, name) == 0)
            return *(const char **)place(table, row);
    return NULL;
}

static bool has_kind(const struct option_row *rows, enum option_kind kind)
{
    while (rows->name && rows->kind != kind)
        rows++;
    return rows->name;
}

void options_help(const struct option_row *rows)
{
    bool has_time = has_kind(rows, OPTION_TIME);

    for (; rows->name; rows++) {
        char left[48];

        (void)snprintf(left, sizeof left, "%c%c%c --%s%s%s", rows->letter ? '-' : ' ',
                       rows->letter ? rows->letter : ' ', rows->letter ? ',' : ' ', rows->name,
                       rows->argument ? " " : "", rows->argument ? rows->argument : "");
        printf("  %-30s %s\n", left, rows->help);
    }
    if (has_time)
        printf("\nTIME: %s\n", forms[OPTION_TIME]);
}
