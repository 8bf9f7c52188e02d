/* SPDX-License-Identifier: Apache-2.0 */
/* Extra fields of headers.  Nobody signs them, and some readers obey them: only those have a place
 * that do no harm. */
#ifndef ZIP_EXTRA_FIELD_H
#define ZIP_EXTRA_FIELD_H

#include "base/buf.h"

#define EXTRA_ZIP64_ODD "a zip64 extra field that does not hold exactly what is asked for"

/* Values of a zip64 extra field, in their order (APPNOTE 4.5.3). */
enum { ZIP64_SIZE, ZIP64_COMPRESSED, ZIP64_OFFSET, ZIP64_FIELDS };

/* A header's extra fields, as they have been found. */
struct extra_report {
    bool zip64;                    /* there is such a field */
    bool spare;                    /* it holds values that nothing asks for, or none */
    bool says[ZIP64_FIELDS];       /* those of them that the header's own fields have as well */
    uint64_t stated[ZIP64_FIELDS]; /* what it says they are */
    size_t surplus;                /* bytes of fields that have no place in an archive of ours */
    unsigned odd;                  /* identifier of the first one of them */
    const char *reason;            /* why it has none */
};

/*
 * Whose extra fields they are.  `fields`: the header's own ones whose values a zip64 extra field
 * may hold; FULL32: it does, or there is no telling.  NULL: none.
 */
struct extra_header {
    const char *name, *where; /* of the entry; "the central directory" */
    uint64_t *fields[ZIP64_FIELDS];
};

/* Walks over the extra fields of a header, takes the zip64 values, and compares a Unicode path with
 * the name. */
SE_MUST_CHECK se_status extra_fields_read(struct extra_report *out,
                                          const struct extra_header *header, se_bytes extra,
                                          se_error *err);

/* Moves those that have a place together, and with `zip64` the one of that kind; their size.  They
 * are well-formed. */
size_t extra_fields_tidy(unsigned char *extra, size_t size, const char *name, bool zip64);

/* SE_ERR_FORMAT, with what is wrong, if any of them has no place. */
SE_MUST_CHECK se_status extra_fields_check(const struct extra_report *report, const char *name,
                                           const char *where, se_error *err);

#endif
