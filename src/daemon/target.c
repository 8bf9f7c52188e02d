/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/target.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/utf8.h"

/* More is no target of ours: names are short. */
enum { TARGET_MOST = 4096 };

#define REFUSE(...) error_set(err, SE_ERR_FORMAT, __VA_ARGS__)

/* ---- decoding: RFC 3986, 2.1 and 3.3 ---- */

static int hexadecimal_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

static bool is_path_character(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c && strchr("-._~!$&'()*+,;=:@/?", c));
}

static bool is_clean_text(const char *text)
{
    uint32_t point;
    size_t size;

    for (; *text; text += size)
        if (!(size = utf8_next(&point, text)) || utf8_is_control(point))
            return false;
    return true;
}

/* In place, for what is decoded is shorter. */
static se_status decode_part(char *part, se_error *err)
{
    char *to = part;

    for (const char *from = part; *from; from++) {
        const bool coded = *from == '%'; /* what is decoded may stand in its place */
        int high = 0, low = 0;

        if (!coded && !is_path_character(*from))
            return REFUSE("the target has a character that has to be written as %%XX");
        if (coded &&
            ((high = hexadecimal_digit(from[1])) < 0 || (low = hexadecimal_digit(from[2])) < 0))
            return REFUSE("the target has '%%' without two hexadecimal digits");
        if (coded && !high && !low)
            return REFUSE("the target has %%00");
        *to++ = coded ? (char)(high << 4 | low) : *from;
        from += coded ? 2 : 0;
    }
    *to = '\0';
    return is_clean_text(part) ? SE_OK
                               : REFUSE("the target is no UTF-8 once decoded, or has controls");
}

/* ---- reading ---- */

static se_status read_path(struct target *t, char *path, se_error *err)
{
    char *segment;

    while ((segment = strsep(&path, "/"))) {
        if (t->segment_count == TARGET_SEGMENTS)
            return REFUSE("the path has more than %d parts", TARGET_SEGMENTS);
        TRY(decode_part(segment, err));
        t->segments[t->segment_count++] = segment;
    }
    return SE_OK;
}

static se_status read_parameter(struct target *t, char *name, se_error *err)
{
    char *value = strchr(name, '=');

    if (!value || value == name)
        return REFUSE("a part of the query is not NAME=VALUE");
    *value++ = '\0';
    TRY(decode_part(name, err));
    TRY(decode_part(value, err));
    if (target_parameter(t, name))
        return REFUSE("'%.64s' comes twice in the query", name);
    return target_add(t, name, value)
               ? SE_OK
               : REFUSE("the query has more than %d parameters", TARGET_PARAMETERS);
}

static se_status read_query(struct target *t, char *query, se_error *err)
{
    char *part;

    if (!*query) /* a bare '?' */
        return SE_OK;
    while ((part = strsep(&query, "&")))
        TRY(read_parameter(t, part, err));
    return SE_OK;
}

static se_status fill_target(struct target *t, const char *raw, se_error *err)
{
    char *query;

    if (*raw != '/')
        return REFUSE("the target does not begin with '/'");
    if (strlen(raw) > TARGET_MOST)
        return REFUSE("the target is longer than %d bytes", TARGET_MOST);
    if (!(t->text = strdup(raw)))
        return error_memory(err);
    if ((query = strchr(t->text, '?')))
        *query++ = '\0';
    TRY(read_path(t, t->text + 1, err));
    return query ? read_query(t, query, err) : SE_OK;
}

se_status target_read(struct target *out, const char *raw, se_error *err)
{
    se_status st;

    *out = (struct target){ .text = NULL };
    if ((st = fill_target(out, raw, err)))
        target_free(out);
    return st;
}

void target_free(struct target *target)
{
    free(target->text);
    *target = (struct target){ .text = NULL };
}

bool target_add(struct target *t, const char *name, const char *value)
{
    if (t->query_count == TARGET_PARAMETERS)
        return false;
    t->query[t->query_count++] = (struct target_parameter){ name, value };
    return true;
}

/* ---- patterns ---- */

/* The next part of a pattern, behind its slash; `size` is 0 at the end. */
static const char *next_part(size_t *size, const char **pattern)
{
    const char *part = *pattern + (**pattern == '/');

    *size = strcspn(part, "/");
    *pattern = part + *size;
    return part;
}

static void set_variable(struct target *t, const char *part, size_t size, const char *value)
{
    char *name = t->names[t->variable_count];

    text_copy(name, TARGET_NAME_ROOM, part + 1, size - 2);
    t->variables[t->variable_count++] = (struct target_parameter){ name, value };
}

bool target_matches(struct target *t, const char *pattern)
{
    t->variable_count = 0;
    for (size_t i = 0; i < t->segment_count; i++) {
        const char *segment = t->segments[i];
        size_t size;
        const char *part = next_part(&size, &pattern);

        if (!size)
            return false;
        if (*part == '{' && *segment && t->variable_count < TARGET_VARIABLES)
            set_variable(t, part, size, segment);
        else if (strlen(segment) != size || strncmp(segment, part, size) != 0)
            return false;
    }
    return !*pattern;
}

/* ---- asking ---- */

static const char *find_value(const struct target_parameter *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0)
            return list[i].value;
    return NULL;
}

const char *target_variable(const struct target *target, const char *name)
{
    return find_value(target->variables, target->variable_count, name);
}

const char *target_parameter(const struct target *target, const char *name)
{
    return find_value(target->query, target->query_count, name);
}

se_status target_flag(bool *out, const struct target *target, const char *name, bool otherwise,
                      se_error *err)
{
    const char *value = target_parameter(target, name);

    *out = value ? strcmp(value, "true") == 0 : otherwise;
    return !value || *out || strcmp(value, "false") == 0
               ? SE_OK
               : error_set(err, SE_ERR_USAGE, "%s is true or false", name);
}

static se_status refuse_choice(const char *name, const char *const *names, se_error *err)
{
    AUTO(writer) text = { 0 };

    for (size_t i = 0; names[i]; i++)
        writer_format(&text, "%s%s", !i ? "" : names[i + 1] ? ", " : " or ", names[i]);
    return error_set(err, SE_ERR_USAGE, "%s: %s", name, writer_string(&text));
}

se_status target_choice(unsigned *out, const struct target *target, const char *name,
                        const char *const *names, se_error *err)
{
    const char *value = target_parameter(target, name);

    for (*out = 0; value && names[*out]; ++*out)
        if (strcmp(names[*out], value) == 0)
            return SE_OK;
    return value ? refuse_choice(name, names, err) : SE_OK;
}

se_status target_number(uint64_t *out, const struct target *target, const char *name, uint64_t most,
                        se_error *err)
{
    const char *value = target_parameter(target, name);
    unsigned long number = 0;

    *out = 0;
    if (value && (!text_number(&number, value, most) || !number))
        return error_set(err, SE_ERR_USAGE, "%s is a number from 1 to %llu", name,
                         (unsigned long long)most);
    *out = number;
    return SE_OK;
}
