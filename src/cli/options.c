/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

enum { NAMES_MOST = 128, GROUPS_MOST = 3 /* within each other */ };

/* ---- rows, those of groups among them ---- */

struct cursor {
    struct {
        const struct option_row *row;
        size_t offset;
    } stack[GROUPS_MOST + 1];
    size_t depth;
};

static struct cursor cursor_at(const struct option_row *rows)
{
    static const struct option_row none = { .name = NULL };

    return (struct cursor){ .stack = { { rows ? rows : &none, 0 } } };
}

/* The next row that is an option, and where its value is; NULL: there is none. */
static const struct option_row *next_option(size_t *offset, struct cursor *c)
{
    for (;;) {
        const struct option_row *row = c->stack[c->depth].row;

        *offset = c->stack[c->depth].offset + row->offset;
        c->stack[c->depth].row++;
        if (row->name)
            return row;
        if (row->rows) {
            if (c->depth == GROUPS_MOST)
                abort(); /* a table is deeper than the stack */
            c->depth++;
            c->stack[c->depth].row = row->rows;
            c->stack[c->depth].offset = *offset;
        } else if (c->depth)
            c->depth--;
        else
            return NULL;
    }
}

/* ---- values ---- */

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

static bool parse_hex(struct option_bytes *out, const char *text)
{
    const size_t digits = strlen(text);

    if (!digits || digits % 2 || digits / 2 > OPTION_BYTES_MOST ||
        strspn(text, "0123456789abcdefABCDEF") != digits)
        return false;
    for (out->size = 0; out->size < digits / 2; out->size++)
        if (sscanf(text + 2 * out->size, "%2hhx", &out->data[out->size]) != 1)
            return false;
    return true;
}

static bool append_to_list(struct option_list *list, const char *value)
{
    if (list->count == OPTION_LIST_MOST)
        return false;
    list->items[list->count++] = value;
    return true;
}

static bool set_value(void *at, const struct option_row *row, const char *value)
{
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
        return append_to_list(at, value);
    case OPTION_TIME:
        return parse_time(at, value);
    case OPTION_HEX:
        return parse_hex(at, value);
    case OPTION_GROUP:
        break;
    }
    return false;
}

void options_defaults(const struct option_table *table)
{
    struct cursor c = cursor_at(table->rows);
    const struct option_row *row;
    size_t offset;

    while ((row = next_option(&offset, &c)))
        if (row->fallback)
            (void)set_value((char *)table->values + offset, row, row->fallback);
}

const char *options_text(const struct option_table *table, const char *name)
{
    struct cursor c = cursor_at(table->rows);
    const struct option_row *row;
    size_t offset;

    while ((row = next_option(&offset, &c)))
        if (row->kind == OPTION_TEXT && strcmp(row->name, name) == 0)
            return *(const char **)((char *)table->values + offset);
    return NULL;
}

const char *const *options_texts(size_t *count, const struct option_table *table, const char *name)
{
    struct cursor c = cursor_at(table->rows);
    const struct option_row *row;
    size_t offset;

    *count = 0;
    while ((row = next_option(&offset, &c))) {
        const void *at = (char *)table->values + offset;
        const struct option_list *list = at;

        if (strcmp(row->name, name) != 0)
            continue;
        if (row->kind == OPTION_LIST) {
            *count = list->count;
            return list->items;
        }
        if (row->kind == OPTION_TEXT) {
            *count = *(const char *const *)at != NULL;
            return at;
        }
    }
    return NULL;
}

/* ---- parsing ---- */

struct match {
    const struct option_row *row; /* NULL: none */
    void *value;
};

static bool is_option(const struct option_row *row, const char *argument)
{
    size_t length = strcspn(argument, "=");

    if (argument[1] != '-')
        return row->letter == argument[1];
    return strlen(row->name) == length - 2 && strncmp(row->name, argument + 2, length - 2) == 0;
}

/* Up to its value. */
static size_t option_size(const char *argument)
{
    return argument[1] == '-' ? strcspn(argument, "=") : 2;
}

static struct match find_option(const struct option_table *const tables[2], const char *argument)
{
    for (size_t i = 0; i < 2 && tables[i]; i++) {
        struct cursor c = cursor_at(tables[i]->rows);
        const struct option_row *row;
        size_t offset;

        while ((row = next_option(&offset, &c)))
            if (is_option(row, argument))
                return (struct match){ row, (char *)tables[i]->values + offset };
    }
    return (struct match){ NULL, NULL };
}

static se_status refuse_unknown(const struct option_table *const tables[2], const char *argument,
                                se_error *err)
{
    const char *names[NAMES_MOST], *nearest;
    char word[64];
    size_t count = 0;

    for (size_t i = 0; i < 2 && tables[i]; i++) {
        struct cursor c = cursor_at(tables[i]->rows);
        const struct option_row *row;
        size_t offset;

        while (count < NAMES_MOST && (row = next_option(&offset, &c)))
            names[count++] = row->name;
    }
    (void)snprintf(word, sizeof word, "%.*s", (int)strcspn(argument, "="),
                   argument + strspn(argument, "-"));
    nearest = strlen(word) > 1 ? text_nearest(word, names, count) : NULL;
    if (nearest)
        return error_set(err, SE_ERR_USAGE, "unknown option '%s'; did you mean '--%s'?", argument,
                         nearest);
    return error_set(err, SE_ERR_USAGE, "unknown option '%s'", argument);
}

static const char *const value_forms[] = {
    [OPTION_NUMBER] = "a whole number, up to 4294967295",
    [OPTION_TIME] = "as 2026-01-31T12:00:00Z, 2026-01-31T12:00Z, 2026-01-31, or @ and the seconds "
                    "since 1970; all in UTC",
    [OPTION_HEX] = "two hexadecimal digits for each of up to 64 bytes",
};

static se_status refuse_value(const struct option_row *row, const char *value, se_error *err)
{
    if (row->kind == OPTION_LIST)
        return error_set(err, SE_ERR_USAGE, "option '--%s' is given more than %d times", row->name,
                         OPTION_LIST_MOST);
    return error_set(err, SE_ERR_USAGE, "option '--%s': '%s' is no %s, %s", row->name, value,
                     row->argument, value_forms[row->kind]);
}

/* One option with its value; *used: how many arguments it takes. */
static se_status take_option(int *used, int left, char **argv,
                             const struct option_table *const tables[2], se_error *err)
{
    const char *text = argv[0], *value = NULL;
    bool is_long = text[1] == '-';
    size_t length = option_size(text);
    struct match m = find_option(tables, text);

    *used = 1;
    if (!m.row)
        return refuse_unknown(tables, text, err);
    if (text[length])
        value = text + length + is_long;
    if (m.row->kind == OPTION_FLAG)
        return value ? error_set(err, SE_ERR_USAGE, "option '--%s' takes no value", m.row->name)
                     : (set_value(m.value, m.row, NULL), SE_OK);
    if (!value && left > 1) {
        value = argv[1];
        *used = 2;
    }
    if (!value)
        return error_set(err, SE_ERR_USAGE, "option '--%s' needs %s", m.row->name, m.row->argument);
    if (!set_value(m.value, m.row, value))
        return refuse_value(m.row, value, err);
    return SE_OK;
}

static bool is_operand(const char *argument)
{
    return argument[0] != '-' || !argument[1];
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
        if (is_operand(argv[i])) {
            if (operands_end_it)
                break;
            argv[operands++] = argv[i++];
            continue;
        }
        TRY(take_option(&used, *argc - i, argv + i, tables, err));
        i += used;
    }
    while (i < *argc)
        argv[operands++] = argv[i++];
    *argc = operands;
    return SE_OK;
}

/* ---- which are given ---- */

static bool is_given(const void *at, const struct option_row *row)
{
    unsigned long fallback = 0;

    switch (row->kind) {
    case OPTION_FLAG:
        return *(const bool *)at;
    case OPTION_TEXT:
        return *(const char *const *)at != row->fallback;
    case OPTION_NUMBER:
        return (!row->fallback || text_number(&fallback, row->fallback, UINT_MAX)) &&
               *(const unsigned *)at != fallback;
    case OPTION_LIST:
        return ((const struct option_list *)at)->count;
    case OPTION_TIME:
        return *(const int64_t *)at;
    case OPTION_HEX:
        return ((const struct option_bytes *)at)->size;
    case OPTION_GROUP:
        break;
    }
    return false;
}

const struct option_row *options_find_given(const struct option_table *table,
                                            enum option_place place)
{
    struct cursor c = cursor_at(table->rows);
    const struct option_row *row;
    size_t offset;

    while ((row = next_option(&offset, &c)))
        if (row->place == place && is_given((const char *)table->values + offset, row))
            return row;
    return NULL;
}

/* ---- while they are typed ---- */

const struct option_row *options_find(size_t *size, const struct option_table *const tables[2],
                                      const char *argument)
{
    const struct option_row *row = is_operand(argument) ? NULL : find_option(tables, argument).row;

    *size = 0;
    if (row && row->kind != OPTION_FLAG && argument[option_size(argument)])
        *size = option_size(argument) + (argument[1] == '-');
    return row;
}

/* The option that ends the arguments, and lacks its value; NULL: another, or none. */
static const struct option_row *find_awaited(const struct option_table *const tables[2],
                                             const char *last)
{
    size_t size;
    const struct option_row *row = options_find(&size, tables, last);

    return row && row->kind != OPTION_FLAG && !size ? row : NULL;
}

void options_parse_typed(struct options_typed *out, int *argc, char **argv,
                         const struct option_table *const tables[2], bool operands_end_it)
{
    int operands = 0, i = 0, used;

    *out = (struct options_typed){ .awaited = NULL };
    for (; i < *argc && !out->ended; i += used) {
        used = 1;
        if (strcmp(argv[i], "--") == 0)
            out->ended = true;
        else if (is_operand(argv[i]) && operands_end_it)
            break;
        else if (is_operand(argv[i]))
            argv[operands++] = argv[i];
        else if (take_option(&used, *argc - i, argv + i, tables, NULL) && i + used == *argc &&
                 used == 1)
            out->awaited = find_awaited(tables, argv[i]);
    }
    while (i < *argc)
        argv[operands++] = argv[i++];
    *argc = operands;
}

void options_each_open(const struct option_table *table, option_fn fn, void *arg)
{
    struct cursor c = cursor_at(table->rows);
    const struct option_row *row;
    size_t offset;

    while ((row = next_option(&offset, &c)))
        if (row->kind == OPTION_LIST || !is_given((const char *)table->values + offset, row))
            fn(arg, row);
}

/* ---- help ---- */

void options_help(const struct option_row *rows)
{
    struct cursor c = cursor_at(rows);
    const struct option_row *row;
    bool has_time = false;
    size_t offset;

    while ((row = next_option(&offset, &c))) {
        char left[48];

        (void)snprintf(left, sizeof left, "%c%c%c --%s%s%s", row->letter ? '-' : ' ',
                       row->letter ? row->letter : ' ', row->letter ? ',' : ' ', row->name,
                       row->argument ? " " : "", row->argument ? row->argument : "");
        printf("  %-30s %s\n", left, row->help);
        has_time = has_time || row->kind == OPTION_TIME;
    }
    if (has_time)
        printf("\nTIME: %s\n", value_forms[OPTION_TIME]);
}
