/* SPDX-License-Identifier: Apache-2.0 */
/* Filling the caller's se_error: the first failure wins, a missing se_error is fine. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "signengine.h"

/* Returns `status`, so that a failure is one line: return error_set(err, SE_ERR_FORMAT, "..."). */
#define error_set(err, status, ...) error_set_at((err), (status), __FILE__, __LINE__, __VA_ARGS__)
se_status error_set_at(se_error *err, se_status status, const char *file, int line,
                       const char *format, ...) __attribute__((format(printf, 5, 6)));

/* A step that may fail: leaves the function with its status.  A scope's AUTO variables are
 * released. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        se_status tried = (call);                                                                  \
        if (tried)                                                                                 \
            return tried;                                                                          \
    } while (0)

/* The same, with context in front of the failure's text (error_prefix()). */
#define TRY_PREFIX(call, err, ...)                                                                 \
    do {                                                                                           \
        se_status tried = (call);                                                                  \
        if (tried)                                                                                 \
            return error_prefix((err), tried, __VA_ARGS__);                                        \
    } while (0)

#define error_memory(err) error_set((err), SE_ERR_MEMORY, "out of memory")

/* Hands on a failure that was noted elsewhere.  Returns `status`. */
se_status error_copy(se_error *err, se_status status, const se_error *failure);

/* Gives the failure that is there another status: the same text means something else to the layer
 * above. */
se_status error_restate(se_error *err, se_status status);

/*
 * Puts context in front of the failure's text: "key 'k1': " + "wrong PIN".  Returns `status`: a
 * caller without an se_error fails as well.  SE_OK is nothing to put anything in front of.
 */
se_status error_prefix(se_error *err, se_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts behind it what can be done about it: "wrong PIN" + "; unlock the token". */
se_status error_suffix(se_error *err, se_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
