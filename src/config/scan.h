/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk over the tags of an XML text, for what must happen before libxml2 sees it: PINs are taken
 * out, line numbers are kept, and what makes XML dangerous is refused.  It is strict about the
 * shape of tags; all else is left to libxml2.
 */
#ifndef CONFIG_SCAN_H
#define CONFIG_SCAN_H

#include <string.h>

#include "base/error.h"

/* A start tag, or one of its attributes (which follow it). */
struct scan_item {
    bool element;
    int line;
    se_bytes name;
    se_bytes value; /* between the quotes, undecoded */
};

static inline bool scan_is(se_bytes part, const char *text)
{
    return part.size == strlen(text) && !strncmp(part.data, text, part.size);
}

/* Returns SE_OK to go on. */
typedef se_status (*scan_fn)(void *arg, const struct scan_item *item, se_error *err);

/* On failure (SE_ERR_CONFIG, or what `fn` returned) *line is where.  No text of a value gets into
 * the error. */
SE_MUST_CHECK se_status scan_xml(se_bytes text, scan_fn fn, void *arg, int *line, se_error *err);

/* Where an element of a well-formed text ends. */
struct scan_end {
    size_t element; /* which, in the order of their start tags, from 0: set by the caller */
    size_t start;   /* of its start tag */
    size_t offset;  /* of its end tag, or of the "/>" of an empty one */
    bool empty;
    se_bytes name;
};

/* The same walk over any document, with limits for those; `wanted` may be NULL. */
SE_MUST_CHECK se_status scan_document(struct scan_end *wanted, se_bytes text, int *line,
                                      se_error *err);

#endif
