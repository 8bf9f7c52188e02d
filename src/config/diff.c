/* SPDX-License-Identifier: Apache-2.0 */
#include "config/diff.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "config/canonical.h"
#include "config/pins.h"

struct line {
    const char *item, *property, *value;
};

struct lines {
    se_buf text; /* with NULs where tabs and line ends were */
    struct line *list;
    size_t count;
};

static void lines_free(struct lines *lines)
{
    se_buf_free(&lines->text);
    free(lines->list);
}
AUTO_KIND(lines, struct lines, lines_free(p))

static int compare_items(const struct line *a, const struct line *b)
{
    int order = strcmp(a->item, b->item);

    return order ? order : strcmp(a->property, b->property);
}

static int compare_lines(const void *a, const void *b)
{
    return compare_items(a, b);
}

/* The text from *at to the next tab or line end, which must be `end` and becomes a NUL; NULL: it is
 * not. */
static const char *split_field(char **at, char end)
{
    char *start = *at, *stop = strpbrk(start, "\t\n");

    if (!stop || *stop != end)
        return NULL;
    *stop = '\0';
    *at = stop + 1;
    return start;
}

static size_t count_lines(se_bytes text)
{
    const char *p = text.data;
    size_t count = 0;

    for (size_t i = 0; i < text.size; i++)
        count += p[i] == '\n';
    return count;
}

static se_status refuse_text(se_error *err)
{
    return error_set(err, SE_ERR_FORMAT, "not a canonical configuration");
}

static se_status split_lines(struct lines *out, se_bytes canonical, se_error *err)
{
    char *at, *end;

    TRY(buf_copy(&out->text, canonical, err));
    if (!(out->list = calloc(count_lines(canonical) + 1, sizeof *out->list)))
        return error_memory(err);
    at = (char *)out->text.data;
    end = at + out->text.size;
    if (!text_starts(at, CANONICAL_HEADING))
        return refuse_text(err);
    for (at += strlen(CANONICAL_HEADING); at < end; out->count++) {
        struct line *line = &out->list[out->count];

        if (!(line->item = split_field(&at, '\t')) || !(line->property = split_field(&at, '\t')) ||
            !(line->value = split_field(&at, '\n')))
            return refuse_text(err);
    }
    qsort(out->list, out->count, sizeof *out->list, compare_lines);
    return SE_OK;
}

static void report_line(const struct line *before, const struct line *after, se_difference_fn fn,
                        void *arg)
{
    const struct line *any = before ? before : after;

    if (!before || !after || strcmp(before->value, after->value))
        fn(arg, any->item, any->property, before ? before->value : NULL,
           after ? after->value : NULL);
}

se_status canonical_diff(se_bytes before, se_bytes after, se_difference_fn fn, void *arg,
                         se_error *err)
{
    AUTO(lines) older = { .count = 0 };
    AUTO(lines) newer = { .count = 0 };
    size_t i = 0, j = 0;

    TRY(split_lines(&older, before, err));
    TRY(split_lines(&newer, after, err));
    while (i < older.count || j < newer.count) {
        int order = i == older.count   ? 1
                    : j == newer.count ? -1
                                       : compare_items(&older.list[i], &newer.list[j]);

        report_line(order <= 0 ? &older.list[i] : NULL, order >= 0 ? &newer.list[j] : NULL, fn,
                    arg);
        i += order <= 0;
        j += order >= 0;
    }
    return SE_OK;
}

static const char *mask_pin(bool there)
{
    return there ? "***" : NULL;
}

static void diff_pins(const char *item, const struct keyref *a, const struct keyref *b,
                      se_difference_fn fn, void *arg)
{
    if (!pins_equal(&a->pin, &b->pin))
        fn(arg, item, "pin", mask_pin(a->pin.size), mask_pin(b->pin.size));
    if (strcmp(a->pin_scrambled, b->pin_scrambled))
        fn(arg, item, "pin.encrypted", mask_pin(*a->pin_scrambled), mask_pin(*b->pin_scrambled));
    if (strcmp(a->pin_source, b->pin_source))
        fn(arg, item, "pin.source", *a->pin_source ? a->pin_source : NULL,
           *b->pin_source ? b->pin_source : NULL);
}

static se_status diff_key(const struct key_entry *a, const struct key_entry *b, se_difference_fn fn,
                          void *arg, se_error *err)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        AUTO(writer) item = { 0 };

        writer_format(&item, "key %s", a->name);
        if (a->count > 1)
            writer_format(&item, " replica %zu", i + 1);
        if (item.failed)
            return error_memory(err);
        diff_pins(writer_string(&item), &a->replicas[i], &b->replicas[i], fn, arg);
    }
    return SE_OK;
}

se_status config_diff(const struct config *before, const struct config *after, se_difference_fn fn,
                      void *arg, se_error *err)
{
    AUTO(se_buf) older = SE_BUF_INIT;
    AUTO(se_buf) newer = SE_BUF_INIT;

    TRY(config_canonical(&older, before, err));
    TRY(config_canonical(&newer, after, err));
    TRY(canonical_diff(buf_bytes(&older), buf_bytes(&newer), fn, arg, err));
    for (size_t i = 0; i < before->key_count; i++) {
        const struct key_entry *other;

        if (!config_key(&other, after, before->keys[i].name, NULL))
            TRY(diff_key(&before->keys[i], other, fn, arg, err));
    }
    return SE_OK;
}
