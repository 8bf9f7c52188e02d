/* SPDX-License-Identifier: Apache-2.0 */
/* The members of a record, for sinks that show them one by one. */
#ifndef AUDIT_RECORD_H
#define AUDIT_RECORD_H

#include "audit/audit.h"

/* No record is longer; room is reserved in this unit. */
enum { RECORD_SIZE = 4096 };

/* A member and its value: a text as it came, at most `limit` bytes of which are shown, or a number
 * in digits, which is not `quoted`. */
struct record_member {
    const char *name, *value;
    size_t limit;
    bool quoted;
};
typedef void (*record_member_fn)(void *arg, const struct record_member *member);

/* All of them, in their order, those of the caller too. */
void record_members(const struct audit_record *record, record_member_fn fn, void *arg);

#endif
