/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/check_table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/text.h"

enum { CHECK_CELLS = 4 };

struct check_line {
    enum check_verdict verdict;
    char *cells[CHECK_CELLS];
    char *detail;
};

/* Why rows are not ok. */
struct check_cause {
    enum check_verdict verdict;
    char *text;
    size_t *rows;
    size_t count, room;
};

enum { WIDTH = 80, GAP = 2, INDENT = 4, NAMED_MOST = 3, DAYS = CHECK_CELLS - 1 };
static const char *const titles[CHECK_CELLS] = { "DESCRIPTOR", "KEY", "STORE", "DAYS" };

static const struct {
    const char *word, *colour; /* of ECMA-48, 8.3.117 */
} verdicts[] = { [CHECK_OK] = { "ok", "32" },
                 [CHECK_WARNING] = { "warning", "33" },
                 [CHECK_FAILED] = { "FAILED", "1;31" } };

enum check_verdict row_verdict(const se_check_row *row)
{
    return row->status ? CHECK_FAILED : row->warning ? CHECK_WARNING : CHECK_OK;
}

const char *verdict_name(enum check_verdict verdict)
{
    static const char *const names[] = {
        [CHECK_OK] = "ok", [CHECK_WARNING] = "warning", [CHECK_FAILED] = "failed"
    };

    return names[verdict];
}

void row_name(char out[ROW_NAME_ROOM], const se_check_row *row)
{
    if (row->version)
        (void)snprintf(out, ROW_NAME_ROOM, "%s:%u", row->descriptor, row->version);
    else
        (void)snprintf(out, ROW_NAME_ROOM, "%s", row->descriptor);
}

/* A date that is far away is no cause of anything. */
static enum check_verdict finding_verdict(const se_check_finding *finding)
{
    return finding->level == SE_CHECK_FAILURE   ? CHECK_FAILED
           : finding->level == SE_CHECK_WARNING ? CHECK_WARNING
                                                : CHECK_OK;
}

/* ---- collecting ---- */

__attribute__((format(printf, 1, 2))) static char *text_of(const char *format, ...)
{
    va_list args;
    char *text;
    int n;

    va_start(args, format);
    n = vasprintf(&text, format, args);
    va_end(args);
    return n < 0 ? NULL : text;
}

/* The one text may go on where the other ends: a PIN that was refused once is not presented again,
 * as the next rows say. */
static bool is_same_cause(const char *one, const char *other)
{
    size_t size = strlen(one);

    return text_starts(other, one) && (!other[size] || other[size] == ':');
}

static struct check_cause *find_cause(struct check_table *t, enum check_verdict verdict,
                                      const char *text)
{
    struct check_cause *added;

    for (size_t i = 0; i < t->cause_count; i++)
        if (t->causes[i].verdict == verdict && is_same_cause(t->causes[i].text, text))
            return &t->causes[i];
    if (!array_grow(&t->causes, &t->cause_room, t->cause_count))
        return NULL;
    added = &t->causes[t->cause_count];
    *added = (struct check_cause){ .verdict = verdict, .text = strdup(text) };
    t->cause_count += added->text != NULL;
    return added->text ? added : NULL;
}

static bool add_cause(struct check_table *t, enum check_verdict verdict, const char *text,
                      size_t row)
{
    struct check_cause *cause = find_cause(t, verdict, text);

    if (!cause || !array_grow(&cause->rows, &cause->room, cause->count))
        return false;
    cause->rows[cause->count++] = row;
    return true;
}

static char *detail_of(const se_check_row *row)
{
    char subject[200];

    text_copy(subject, sizeof subject, row->subject, strlen(row->subject));
    return text_of("%s%s%s%s%s%s%s%s%s", row->algorithm, *row->key_type ? " " : "", row->key_type,
                   *row->mechanism ? ", by " : "", row->mechanism,
                   *subject && *row->algorithm ? ", " : "", subject,
                   *row->may_leave ? ", may leave: " : "", row->may_leave);
}

static bool fill_line(struct check_line *line, const se_check_row *row)
{
    char name[ROW_NAME_ROOM];
    bool whole = true;

    row_name(name, row);
    line->verdict = row_verdict(row);
    line->cells[0] = strdup(name);
    line->cells[1] = text_of("%s", row->key);
    line->cells[2] = text_of("%s", row->store);
    line->cells[DAYS] = row->not_after ? text_of("%d", row->days_left) : text_of("-");
    line->detail = detail_of(row);
    for (size_t i = 0; i < CHECK_CELLS; i++)
        whole = whole && line->cells[i];
    return whole && line->detail;
}

static bool add_causes(struct check_table *t, const se_check_row *row)
{
    for (size_t i = 0; i < row->finding_count; i++) {
        const se_check_finding *finding = &row->findings[i];

        if (finding->level == SE_CHECK_DATE)
            continue;
        if (!add_cause(t, finding_verdict(finding), finding->text, t->count))
            return false;
    }
    return true;
}

void check_table_add(struct check_table *t, const se_check_row *row)
{
    struct check_line *line;

    if (!array_grow(&t->lines, &t->room, t->count)) {
        t->failed = true;
        return;
    }
    line = &t->lines[t->count];
    t->failed = !fill_line(line, row) || t->failed;
    t->counts[line->verdict]++;
    t->failed = !add_causes(t, row) || t->failed;
    t->count++;
}

void check_table_free(struct check_table *t)
{
    for (size_t i = 0; i < t->count; i++) {
        for (size_t c = 0; c < CHECK_CELLS; c++)
            free(t->lines[i].cells[c]);
        free(t->lines[i].detail);
    }
    for (size_t i = 0; i < t->cause_count; i++) {
        free(t->causes[i].text);
        free(t->causes[i].rows);
    }
    free(t->lines);
    free(t->causes);
}

/* ---- printing: when all rows are known, so that the columns fit ---- */

/* Characters, of which each takes a column. */
static int width_of(const char *text)
{
    int width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static const char *skip_columns(const char *text, int columns)
{
    while (columns-- > 0 && *text)
        do
            text++;
        while (((unsigned char)*text & 0xc0) == 0x80);
    return text;
}

/* A text that is too wide loses its middle: its end may be a version. */
static void print_cell(const char *text, int width)
{
    int wide = width_of(text), tail = width / 3, head = width - tail - 3;

    if (wide > width && head > 0)
        printf("%.*s...%s", (int)(skip_columns(text, head) - text), text,
               skip_columns(text, wide - tail));
    else
        printf("%s%*s", text, wide < width ? width - wide : 0, "");
    printf("%*s", GAP, "");
}

/* The widest gives way first. */
static void shrink_columns(int widths[CHECK_CELLS], int most)
{
    for (;;) {
        int all = 0, widest = 0;

        for (int c = 0; c < CHECK_CELLS; c++) {
            all += widths[c] + GAP;
            widest = widths[c] > widths[widest] ? c : widest;
        }
        if (all <= most)
            return;
        widths[widest]--;
    }
}

static void measure_columns(int widths[CHECK_CELLS], const struct check_table *t)
{
    for (size_t c = 0; c < CHECK_CELLS; c++) {
        widths[c] = width_of(titles[c]);
        for (size_t i = 0; i < t->count; i++)
            if (width_of(t->lines[i].cells[c]) > widths[c])
                widths[c] = width_of(t->lines[i].cells[c]);
    }
    shrink_columns(widths, WIDTH - (int)strlen("VERDICT"));
}

/* no-color.org: whatever it is set to, but for nothing */
static bool wants_colour(void)
{
    const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");

    return isatty(STDOUT_FILENO) && !(no && *no) && terminal && strcmp(terminal, "dumb") != 0;
}

static void print_verdict(enum check_verdict verdict)
{
    if (wants_colour())
        printf("\033[%sm%s\033[m", verdicts[verdict].colour, verdicts[verdict].word);
    else
        printf("%s", verdicts[verdict].word);
}

/* Words, as many as fit on a line. */
static void print_words(const char *text, int column)
{
    for (const char *word = text; *word;) {
        size_t size = strcspn(word, " ");
        int width = width_of(word) - width_of(word + size);

        if (column > INDENT && column + 1 + width > WIDTH) {
            printf("\n%*s", INDENT, "");
            column = INDENT;
        } else if (word > text)
            column += printf(" ");
        printf("%.*s", (int)size, word);
        column += width;
        word += size + (word[size] == ' ');
    }
    puts("");
}

static char *names_of(const struct check_table *t, const struct check_cause *cause)
{
    AUTO(writer) w = { 0 };
    size_t named = cause->count > NAMED_MOST + 1 ? NAMED_MOST : cause->count;

    for (size_t i = 0; i < named; i++)
        writer_format(&w, "%s%s", i ? ", " : "", t->lines[cause->rows[i]].cells[0]);
    if (named < cause->count)
        writer_format(&w, " and %zu others", cause->count - named);
    return w.failed ? NULL : strdup(writer_string(&w));
}

/* A terminal breaks lines anywhere; what reads them from a pipe finds each cause in one. */
static void print_cause(const struct check_table *t, const struct check_cause *cause)
{
    char *names = names_of(t, cause), *line = names ? text_of("%s: %s", names, cause->text) : NULL;

    print_verdict(cause->verdict);
    printf("  ");
    if (isatty(STDOUT_FILENO))
        print_words(line ? line : cause->text, (int)strlen(verdicts[cause->verdict].word) + GAP);
    else
        puts(line ? line : cause->text);
    free(names);
    free(line);
}

void check_table_print(const struct check_table *t)
{
    int widths[CHECK_CELLS];

    measure_columns(widths, t);
    for (size_t c = 0; c < CHECK_CELLS; c++)
        print_cell(titles[c], widths[c]);
    puts("VERDICT");
    for (size_t i = 0; i < t->count; i++) {
        for (size_t c = 0; c < CHECK_CELLS; c++)
            print_cell(t->lines[i].cells[c], widths[c]);
        print_verdict(t->lines[i].verdict);
        printf("\n%*s", INDENT, "");
        print_words(t->lines[i].detail, INDENT);
    }
    for (size_t i = 0; i < t->cause_count; i++)
        print_cause(t, &t->causes[i]);
}

void check_table_print_causes(const struct check_table *t, const struct cli *cli,
                              enum check_verdict least)
{
    for (size_t i = 0; i < t->cause_count; i++) {
        char *names = names_of(t, &t->causes[i]);

        if (t->causes[i].verdict >= least)
            cli_message(cli, "%s: %s", names ? names : "", t->causes[i].text);
        free(names);
    }
}
