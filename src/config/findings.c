/* SPDX-License-Identifier: Apache-2.0 */
#include "config/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_known_finding(const struct findings *f, int line, bool error, const char *text)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->items[i].line == line && f->items[i].error == error &&
            !strcmp(f->items[i].text, text))
            return true;
    return false;
}

/* Names come from the file: a control character must not forge a second line. */
static void make_one_line(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            *text = ' ';
}

static void findings_add(struct findings *f, int line, bool error, const char *format, va_list args)
{
    char *text;

    f->errors += error;
    if (f->failed || f->count >= (error ? FINDINGS_MAX : FINDINGS_MAX / 2))
        return;
    if (vasprintf(&text, format, args) < 0) {
        f->failed = true;
        return;
    }
    make_one_line(text);
    if (is_known_finding(f, line, error, text)) {
        free(text);
        return;
    }
    f->items[f->count] = (struct finding){ line, error, f->count, text };
    f->count++;
}

void findings_error(struct findings *f, int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    findings_add(f, line, true, format, args);
    va_end(args);
}

void findings_warning(struct findings *f, int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    findings_add(f, line, false, format, args);
    va_end(args);
}

bool findings_full(const struct findings *f)
{
    return f->count == FINDINGS_MAX;
}

bool findings_error_at(const struct findings *f, int line)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->items[i].error && f->items[i].line == line)
            return true;
    return false;
}

static int compare_lines(const void *left, const void *right)
{
    const struct finding *a = left, *b = right;

    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static void report_finding(const struct finding *finding, const char *path,
                           const struct config_options *options)
{
    se_report report = { finding->error, path, finding->line, finding->text };

    if (options && options->report)
        options->report(options->report_arg, &report);
}

static void report_all_findings(struct findings *f, const char *path,
                                const struct config_options *options)
{
    char more[] = "there is more: only the first 100 findings are told";

    for (size_t i = 0; i < f->count; i++)
        report_finding(&f->items[i], path, options);
    if (findings_full(f))
        report_finding(
            &(struct finding){ .line = f->items[f->count - 1].line, .error = true, .text = more },
            path, options);
}

static se_status set_first_error(const struct findings *f, const char *path, se_error *err)
{
    const struct finding *first = f->items;

    while (!first->error)
        first++;
    if (!first->line)
        return error_set(err, SE_ERR_CONFIG, "%s", first->text);
    return error_set(err, SE_ERR_CONFIG, "%s:%d: %s", path, first->line, first->text);
}

se_status findings_report(struct findings *f, const char *path,
                          const struct config_options *options, se_error *err)
{
    if (f->failed)
        return error_memory(err);
    if (f->count)
        qsort(f->items, f->count, sizeof *f->items, compare_lines);
    report_all_findings(f, path, options);
    return f->errors ? set_first_error(f, path, err) : SE_OK;
}

void findings_free(struct findings *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->items[i].text);
    *f = (struct findings){ 0 };
}
