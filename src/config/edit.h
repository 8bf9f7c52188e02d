/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration's text, changed in one place.  Everything else stays to the byte: comments,
 * layout and the order of attributes are the operator's.
 */
#ifndef CONFIG_EDIT_H
#define CONFIG_EDIT_H

#include "base/buf.h"

/* The element of that name with that `name`, and with that version if it is not 0. */
struct edit_place {
    const char *element, *name;
    unsigned version;
};

/* An attribute of the element, or of an element inside of it, becomes `value`; NULL: it goes. */
struct edit {
    const char *element, *attribute, *value;
};

/* `place` changed where it is.  SE_ERR_CONFIG: it is not there. */
SE_MUST_CHECK se_status edit_element(se_buf *out, se_bytes text, const struct edit_place *place,
                                     const struct edit *edits, size_t count, se_error *err);

/* The same with a copy of it that stands behind it, on a line of its own. */
SE_MUST_CHECK se_status edit_element_copy(se_buf *out, se_bytes text,
                                          const struct edit_place *place, const struct edit *edits,
                                          size_t count, se_error *err);

/* The same with `place` in a comment, behind `note`.  It has to stay one: a "--" in it becomes
 * "- -". */
SE_MUST_CHECK se_status edit_element_comment(se_buf *out, se_bytes text,
                                             const struct edit_place *place, const char *note,
                                             se_error *err);

#endif
