/* SPDX-License-Identifier: Apache-2.0 */
/* What se_check() finds out about one version of a descriptor, or about one other thing. */
#ifndef ENGINE_CHECK_ROW_H
#define ENGINE_CHECK_ROW_H

#include "config/config.h"
#include "crypto/key.h"

/* The row, and what its strings point to. */
struct check_row {
    const struct descriptor *descriptor; /* NULL: it is about something else */
    char name[300];                      /* "descriptor NAME:VERSION", "tsa URL", "record NAME" */
    char store[256], key_type[32], subject[256], mechanism[160];
    char text[sizeof((se_error *)0)->text];
    se_check_row row;
    se_error error; /* why it can't be used */
    se_check_finding *findings;
    size_t room;
    struct text_list *texts;
    bool failed; /* out of memory */
};

void row_init(struct check_row *f, const struct config *config,
              const struct descriptor *descriptor);
void row_init_other(struct check_row *f, const char *kind, const char *name);
void row_free(struct check_row *f);
AUTO_KIND(check_row, struct check_row, row_free(p))

void row_see_certificate(struct check_row *f, const struct key *key);

/* A mechanism that several replicas use is listed once. */
void row_add_mechanism(struct check_row *f, const char *mechanism);

/* One more finding, which is copied; `finding->text` is not looked at.  NULL as its subject: the
 * descriptor. */
void row_add(struct check_row *f, const se_check_finding *finding, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same of the descriptor, without a date. */
#define row_warn(f, what, ...)                                                                     \
    row_add(f, &(se_check_finding){ .level = SE_CHECK_WARNING, .kind = (what) }, __VA_ARGS__)

/* Fills in `row`, whose status is known, for the caller of se_check(). */
void row_conclude(struct check_row *f);

/* Rounded down: below 0 for what has ended. */
int days_until(int64_t then);

#endif
