/* SPDX-License-Identifier: Apache-2.0 */
/* Whose mail is signed with what: the first rule that fits an address counts. */
#ifndef MILTER_RULES_H
#define MILTER_RULES_H

#include "base/buf.h"

enum policy {
    POLICY_NONE,    /* nobody we know */
    POLICY_SIGN,    /* signed if that is possible */
    POLICY_REQUIRE, /* signed, or not sent */
    POLICY_SKIP,
};

struct rule {
    enum policy policy;
    char *pattern; /* of addresses, as sender_settle() has them; '*' stands for any characters */
    char *descriptor;
    unsigned version; /* 0: the highest */
    unsigned line;    /* of the file */
};

struct rules {
    struct rule *list;
    size_t count, room;
};
void rules_free(struct rules *rules);

/* What a word says; POLICY_NONE: it begins no rule. */
enum policy policy_read(const char *word);

/* A line's words, the policy among them. */
SE_MUST_CHECK se_status rules_add(struct rules *rules, char *const *words, size_t count,
                                  unsigned line, se_error *err);

/* Brings patterns into the form that rules_find() compares.  SE_ERR_CONFIG: an earlier rule
 * covers one ("PATH:LINE: text"). */
SE_MUST_CHECK se_status rules_settle(struct rules *rules, const char *path, se_error *err);

/* The first for the address; NULL: none. */
const struct rule *rules_find(const struct rules *rules, const char *address);

/* The first that requires a signature of anybody; NULL: none does. */
const struct rule *rules_requirement(const struct rules *rules);

#endif
