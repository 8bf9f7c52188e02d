/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The target of a request (RFC 9112, 3.2): path and query, decoded strictly. Split first, decoded
 * then; no %00, valid UTF-8, `..` is a name like any other.
 */
#ifndef DAEMON_TARGET_H
#define DAEMON_TARGET_H

#include <signengine.h>

enum { TARGET_SEGMENTS = 8, TARGET_VARIABLES = 4, TARGET_PARAMETERS = 32, TARGET_NAME_ROOM = 16 };

struct target_parameter {
    const char *name, *value;
};

/* Strings belong to it. */
struct target {
    struct target_parameter variables[TARGET_VARIABLES]; /* {descriptor}, {history}, {entry} */
    struct target_parameter query[TARGET_PARAMETERS];
    size_t variable_count, query_count;
    const char *segments[TARGET_SEGMENTS]; /* of the path, between its slashes */
    size_t segment_count;
    char names[TARGET_VARIABLES][TARGET_NAME_ROOM]; /* of the variables */
    char *text;                                     /* where the others are */
};

/* NULL: there is none. */
const char *target_variable(const struct target *target, const char *name);
const char *target_parameter(const struct target *target, const char *name);

/* "true" or "false"; not given: `otherwise`. SE_ERR_USAGE: something else. */
SE_MUST_CHECK se_status target_flag(bool *out, const struct target *target, const char *name,
                                    bool otherwise, se_error *err);
/* The place of one of `names`, whose end is NULL; not given: 0. SE_ERR_USAGE: something else. */
SE_MUST_CHECK se_status target_choice(unsigned *out, const struct target *target, const char *name,
                                      const char *const *names, se_error *err);
/* Decimal digits from 1 to `most`; not given: 0. SE_ERR_USAGE: something else. */
SE_MUST_CHECK se_status target_number(uint64_t *out, const struct target *target, const char *name,
                                      uint64_t most, se_error *err);

/* SE_ERR_FORMAT: not a target; a parameter comes twice. `raw` begins with '/'. */
SE_MUST_CHECK se_status target_read(struct target *out, const char *raw, se_error *err);
void target_free(struct target *target);

/* Whether the path is that of `pattern`, "/v1/descriptors/{descriptor}/sign"; then the variables
 * are set. A variable is not empty. */
bool target_matches(struct target *target, const char *pattern);

/* Adds a parameter that is not there; both strings are borrowed. False: there is no room. */
bool target_add(struct target *target, const char *name, const char *value);

#endif
