/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies in JSON (RFC 8259), read into structs that tables describe: what the table does not name,
 * comes twice, is missing or of another type is refused with its place.
 */
#ifndef DAEMON_JSON_READ_H
#define DAEMON_JSON_READ_H

#include "base/buf.h"

enum json_kind {
    JSON_TEXT,   /* struct json_value: a string */
    JSON_BASE64, /* struct json_value: a string, decoded (RFC 4648, 4) */
    JSON_PAIRS,  /* struct json_pairs: an object of strings */
    JSON_LIST,   /* struct json_list: objects of one shape, one at least */
};

struct json_shape;

struct json_member {
    const char *name; /* NULL: the last row */
    enum json_kind kind;
    size_t offset; /* in the struct */
    bool required;
    const struct json_shape *items; /* of a list */
};

/* An object: the struct that it fills has this size, and begins as zeroes. */
struct json_shape {
    size_t size;
    const struct json_member *members;
};

/* Borrowed from the text where that says it literally, else owned. Without data: not given. */
struct json_value {
    se_bytes bytes;
    se_buf owned;
};

struct json_pair {
    struct json_value name, value;
};

enum { JSON_PAIRS_MOST = 32, JSON_ITEMS_MOST = 10000, JSON_NESTED_MOST = 2 };

struct json_pairs {
    struct json_pair *list;
    size_t count, room;
};

struct json_list {
    void *items;
    size_t count, room;
};

/*
 * Reads all of `text`, which is one object and has to outlive *out. SE_ERR_FORMAT: it is not what
 * the table says; then *out is empty. What is secret in it is wiped where it was copied to.
 */
SE_MUST_CHECK se_status json_read(void *out, const struct json_shape *shape, se_bytes text,
                                  se_error *err);

/* Wipes and releases what an object has; accepts an empty one. */
void json_release(void *object, const struct json_shape *shape);

#endif
