/* SPDX-License-Identifier: Apache-2.0 */
/* What every public function begins with. */
#ifndef BASE_ARGUMENTS_H
#define BASE_ARGUMENTS_H

#include "signengine.h"

/*
 * Clears `err`, which may be NULL, and fails with SE_ERR_USAGE if one of the pointers is NULL.
 * Functions may be among them.
 */
#define arguments_check(err, ...)                                                                  \
    arguments_check_at((err), __func__, #__VA_ARGS__, (const void *const[]){ __VA_ARGS__ },        \
                       sizeof((const void *const[]){ __VA_ARGS__ }) / sizeof(const void *))
SE_MUST_CHECK se_status arguments_check_at(se_error *err, const char *function, const char *names,
                                           const void *const pointers[], size_t count);

/*
 * The caller's option struct, or zeros where it is NULL.  Such structs begin with their size,
 * because they grow: a program built against an older one sets less, and one built against a newer
 * one may not set what this library does not know (SE_ERR_USAGE).
 */
#define arguments_options(out, options, type, err)                                                 \
    arguments_options_at((out), sizeof(type), (options), #type, (err))
SE_MUST_CHECK se_status arguments_options_at(void *out, size_t size, const void *options,
                                             const char *type, se_error *err);

/* NULL: an array that is not empty is missing. */
static inline const void *given_array(const void *array, size_t count)
{
    return array || !count ? "" : NULL;
}

static inline const void *given_bytes(se_bytes bytes)
{
    return given_array(bytes.data, bytes.size);
}

static inline const void *given_source(const se_source *source)
{
    return source && source->read ? source : NULL;
}

static inline const void *given_sink(const se_sink *sink)
{
    return sink && sink->write ? sink : NULL;
}

#endif
