/* SPDX-License-Identifier: Apache-2.0 */
/* Files of settings, as milter.conf: a line is NAME = VALUE..., or what else its program takes; '#'
 * begins a comment. */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include "base/buf.h"

enum { SETTING_WORDS = 64 };

/* A line that has words. Those of a value begin at SETTING_VALUE. */
enum { SETTING_NAME, SETTING_EQUALS, SETTING_VALUE };
struct setting {
    const char *path; /* of the file */
    unsigned line;    /* from 1 */
    char *words[SETTING_WORDS];
    size_t count;
};

typedef se_status (*setting_take_fn)(void *arg, const struct setting *setting, se_error *err);

/*
 * Hands each line that has words to `take`. The text is cut to pieces; `path` is for the findings.
 * SE_ERR_CONFIG: it is no text; otherwise the first failure of `take`.
 */
SE_MUST_CHECK se_status settings_read(se_buf *text, const char *path, setting_take_fn take,
                                      void *arg, se_error *err);

/* Fails with SE_ERR_CONFIG and the line's place: "FILE:LINE: text". */
#define setting_bad(setting, err, ...)                                                             \
    (error_set((err), SE_ERR_CONFIG, __VA_ARGS__), setting_place((setting), SE_ERR_CONFIG, (err)))

/* Puts the place in front of a failure's text. Returns `status`. */
se_status setting_place(const struct setting *setting, se_status status, se_error *err);

/* Whether it is NAME = VALUE...; SE_ERR_CONFIG otherwise. */
SE_MUST_CHECK se_status setting_check(const struct setting *setting, se_error *err);

/* All words of the value, with a blank between two. */
void setting_words(struct writer *w, const struct setting *setting);

/* Each takes a single value; SE_ERR_CONFIG: it is another. */
SE_MUST_CHECK se_status setting_text(char **to, const struct setting *setting, se_error *err);
SE_MUST_CHECK se_status setting_number(unsigned *to, const struct setting *setting, unsigned least,
                                       unsigned most, se_error *err);
/* Bytes, as 4096, 64k, 16M or 1G. */
SE_MUST_CHECK se_status setting_size(uint64_t *to, const struct setting *setting, uint64_t most,
                                     se_error *err);
/* As chmod takes it. */
SE_MUST_CHECK se_status setting_mode(unsigned *to, const struct setting *setting, se_error *err);
/* *to is the place of the word among `words`. */
SE_MUST_CHECK se_status setting_choice(unsigned *to, const struct setting *setting,
                                       const char *const *words, size_t count, se_error *err);
/* *to is whether it is the second word. */
SE_MUST_CHECK se_status setting_switch(bool *to, const struct setting *setting,
                                       const char *const words[2], se_error *err);

/* There is none of that name; one of `names` may have been meant. */
se_status setting_unknown(const struct setting *setting, const char *const *names, size_t count,
                          se_error *err);

#endif
