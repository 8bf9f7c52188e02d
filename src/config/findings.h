/* SPDX-License-Identifier: Apache-2.0 */
/* Findings about a configuration: collected in any order, reported in the order of the lines. */
#ifndef CONFIG_FINDINGS_H
#define CONFIG_FINDINGS_H

#include "base/error.h"
#include "config/config.h"

struct finding {
    int line; /* 0: the file as a whole */
    bool error;
    size_t order;
    char *text;
};

/* As many as are kept: a hostile file could have any number. */
enum { FINDINGS_MAX = 100 };

struct findings {
    struct finding items[FINDINGS_MAX];
    size_t count, errors;
    bool failed; /* out of memory */
};

/* The same text at the same line is kept once.  Warnings leave room for errors. */
void findings_error(struct findings *f, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void findings_warning(struct findings *f, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* No more findings will be kept: looking for near misses is not worth the time. */
bool findings_full(const struct findings *f);

bool findings_error_at(const struct findings *f, int line);

/* Reports all, sorted, and returns SE_ERR_CONFIG with the first error, if there is one. */
SE_MUST_CHECK se_status findings_report(struct findings *f, const char *path,
                                        const struct config_options *options, se_error *err);

void findings_free(struct findings *f);
AUTO_KIND(findings, struct findings, findings_free(p))

#endif
