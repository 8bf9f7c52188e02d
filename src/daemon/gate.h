/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of a request (RFC 9112), as the HTTP library understood it: only one that every server
 * and proxy understands in the same way passes. The library is lenient, and what it corrects can't
 * be seen any more but for one thing: the head's size.
 */
#ifndef DAEMON_GATE_H
#define DAEMON_GATE_H

#include <signengine.h>

/* More fields in a head are too many. */
enum { HEAD_FIELDS = 64 };

struct head_field {
    se_bytes name, value;
};

struct head {
    const char *method, *target, *version; /* "POST", "/v1/check?days=3", "HTTP/1.1" */
    const struct head_field *fields;
    size_t field_count;
    size_t size; /* of all that was received, up to the empty line and with it */
};

enum head_expectation { EXPECT_NOTHING, EXPECT_CONTINUE, EXPECT_ANYTHING_ELSE };

/* How the body comes, if any does. */
struct head_framing {
    bool chunked, has_length;
    uint64_t length;
    enum head_expectation expectation;
};

/* SE_ERR_FORMAT: it does not pass; nothing behind it can be trusted. */
SE_MUST_CHECK se_status gate_check(struct head_framing *out, const struct head *head,
                                   se_error *err);

/* The field of that name, which is no secret; NULL data: there is none. Not those that may come
 * twice. */
se_bytes head_value(const struct head *head, const char *name);

/* Whether it is a token (RFC 9110, 5.6.2). */
bool head_is_token(se_bytes text);

#endif
