/* SPDX-License-Identifier: Apache-2.0 */
/* <access>: who may do what, as the file has it.  Names of users and groups are those of no machine
 * yet: engine/access.c looks them up. */
#ifndef CONFIG_ACCESS_H
#define CONFIG_ACCESS_H

#include <stddef.h>

/* Bits of `operations`, in the order of the canonical form. */
enum access_operation {
    ACCESS_SIGN,
    ACCESS_VERIFY,
    ACCESS_ENCRYPT,
    ACCESS_DECRYPT,
    ACCESS_REKEY,
    ACCESS_ZIP_SIGN,
    ACCESS_ZIP_VERIFY,
    ACCESS_ZIP_ENCRYPT,
    ACCESS_ZIP_DECRYPT,
    ACCESS_MAIL_SIGN,
    ACCESS_MAIL_VERIFY,
    ACCESS_CERTIFICATES,
    ACCESS_HISTORY_APPEND,
    ACCESS_HISTORY_READ,
    ACCESS_CHECK,
    ACCESS_MONITOR,
    ACCESS_OPERATIONS
};

/* Their names, as "zip-sign", and NULL behind the last. */
extern const char *const access_operation_names[ACCESS_OPERATIONS + 1];

/*
 * What they are done with.  `check` may be limited to descriptors; without one it is of all.
 * `monitor` is of the process as a whole.
 */
enum {
    ACCESS_OF_DESCRIPTORS = (1 << (ACCESS_CERTIFICATES + 1)) - 1,
    ACCESS_OF_HISTORIES = 1 << ACCESS_HISTORY_APPEND | 1 << ACCESS_HISTORY_READ,
    ACCESS_OF_ALL = 1 << ACCESS_CHECK,
};

enum access_kind { ACCESS_USER, ACCESS_GROUP, ACCESS_CERTIFICATE };

/* <user>, <group> or <certificate>; "": it does not say so. */
struct access_caller {
    int line;
    enum access_kind kind;
    const char *name;
    const char *subject, *issuer, *san;
    char sha256[65]; /* lower-case hexadecimal */
};

/* <descriptor> or <history>; the other is "". */
struct access_target {
    int line;
    const char *descriptor;
    unsigned version; /* 0: all */
    const char *history;
};

/* <allow>: each of its callers may do each operation with each target. */
struct access_row {
    int line;
    const char *name;
    unsigned operations, per_minute; /* per_minute 0: no limit */
    struct access_caller *callers;   /* sorted, each once */
    struct access_target *targets;   /* likewise */
    size_t caller_count, target_count;
};

#endif
