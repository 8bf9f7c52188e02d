/* SPDX-License-Identifier: Apache-2.0 */
#include "base/settings.h"

#include <stdlib.h>

#include "base/text.h"

se_status setting_place(const struct setting *setting, se_status status, se_error *err)
{
    return error_prefix(err, status, "%s:%u: ", setting->path, setting->line);
}

/* ---- the file ---- */

static void split_words(struct setting *s, char *line)
{
    char *rest = line, *word;

    line[strcspn(line, "#\r")] = '\0';
    s->count = 0;
    while (s->count < SETTING_WORDS && (word = strsep(&rest, " \t")))
        if (*word)
            s->words[s->count++] = word;
}

se_status settings_read(se_buf *text, const char *path, setting_take_fn take, void *arg,
                        se_error *err)
{
    struct setting s = { .path = path };
    char *rest = (char *)text->data, *line;

    if (text->size && memchr(text->data, '\0', text->size))
        return error_set(err, SE_ERR_CONFIG, "%s: it is no text", path);
    while ((line = strsep(&rest, "\n"))) {
        s.line++;
        split_words(&s, line);
        if (s.count)
            TRY(take(arg, &s, err));
    }
    return SE_OK;
}

se_status setting_check(const struct setting *s, se_error *err)
{
    return s->count > SETTING_VALUE && strcmp(s->words[SETTING_EQUALS], "=") == 0
               ? SE_OK
               : setting_bad(s, err, "not 'NAME = VALUE': '%s'", s->words[SETTING_NAME]);
}

se_status setting_unknown(const struct setting *s, const char *const *names, size_t count,
                          se_error *err)
{
    const char *name = s->words[SETTING_NAME], *near = text_nearest(name, names, count);

    return setting_bad(s, err, "no setting '%s'%s%s%s", name, near ? "; did you mean '" : "",
                       near ? near : "", near ? "'?" : "");
}

/* ---- values ---- */

void setting_words(struct writer *w, const struct setting *s)
{
    for (size_t i = SETTING_VALUE; i < s->count; i++) {
        writer_text(w, i > SETTING_VALUE ? " " : "");
        writer_text(w, s->words[i]);
    }
}

/* NULL: there are several. */
static const char *only_value(const struct setting *s)
{
    return s->count == SETTING_VALUE + 1 ? s->words[SETTING_VALUE] : NULL;
}

se_status setting_text(char **to, const struct setting *s, se_error *err)
{
    const char *word = only_value(s);

    if (!word)
        return setting_bad(s, err, "%s takes one value", s->words[SETTING_NAME]);
    free(*to);
    return (*to = strdup(word)) ? SE_OK : error_memory(err);
}

se_status setting_number(unsigned *to, const struct setting *s, unsigned least, unsigned most,
                         se_error *err)
{
    const char *word = only_value(s);
    unsigned long number;

    if (!word || !text_number(&number, word, most) || number < least)
        return setting_bad(s, err, "%s is a number from %u to %u", s->words[SETTING_NAME], least,
                           most);
    *to = (unsigned)number;
    return SE_OK;
}

static unsigned unit_shift(char unit)
{
    return unit == 'k' ? 10 : unit == 'M' ? 20 : unit == 'G' ? 30 : 0;
}

se_status setting_size(uint64_t *to, const struct setting *s, uint64_t most, se_error *err)
{
    const char *word = only_value(s);
    char digits[24] = "";
    const size_t length = word ? strlen(word) : 0;
    const unsigned shift = length ? unit_shift(word[length - 1]) : 0;
    unsigned long number = 0;

    if (length && length < sizeof digits)
        memcpy(digits, word, length - (shift != 0));
    if (!text_number(&number, digits, most >> shift) || !number)
        return setting_bad(s, err, "%s is a number of bytes up to %lluM, as 64k or 16M",
                           s->words[SETTING_NAME], (unsigned long long)(most >> 20));
    *to = (uint64_t)number << shift;
    return SE_OK;
}

se_status setting_mode(unsigned *to, const struct setting *s, se_error *err)
{
    const char *word = only_value(s);
    char *end;
    unsigned long mode = strtoul(word ? word : "", &end, 8);

    if (!word || *end || strspn(word, "01234567") != strlen(word) || mode > 0777)
        return setting_bad(s, err, "%s is an octal number, as 0660", s->words[SETTING_NAME]);
    *to = (unsigned)mode;
    return SE_OK;
}

/* "a, b or c" */
static void list_words(struct writer *w, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        writer_text(w, i == 0 ? "" : i + 1 < count ? ", " : " or ");
        writer_text(w, words[i]);
    }
}

se_status setting_choice(unsigned *to, const struct setting *s, const char *const *words,
                         size_t count, se_error *err)
{
    const char *word = only_value(s);
    AUTO(writer) list = { 0 };

    for (size_t i = 0; word && i < count; i++)
        if (strcmp(word, words[i]) == 0) {
            *to = (unsigned)i;
            return SE_OK;
        }
    list_words(&list, words, count);
    return setting_bad(s, err, "%s is %s", s->words[SETTING_NAME], writer_string(&list));
}

se_status setting_switch(bool *to, const struct setting *s, const char *const words[2],
                         se_error *err)
{
    unsigned place;

    TRY(setting_choice(&place, s, words, 2, err));
    *to = place == 1;
    return SE_OK;
}
