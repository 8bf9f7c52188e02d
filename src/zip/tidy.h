/*
 * What headers say beside names and content.  Nobody signs it, and extractors obey it: it must be
 * what it can't do harm with.  Verifying wants it so, signing makes it so.
 */
#ifndef ZIP_TIDY_H
#define ZIP_TIDY_H

#include "base/buf.h"

/* The external attributes, without what they must not say. */
uint32_t tidy_attributes(uint32_t attributes, bool folder);

/* "Version needed to extract": readers leave out what asks for more than they know. */
uint16_t tidy_version(uint16_t needed);

/* "Version made by", whose system tells readers how to understand the attributes. */
uint16_t tidy_maker(uint16_t made_by);

/* SE_ERR_REJECTED, with what is wrong, if one of them is not tidy. */
SE_MUST_CHECK se_status tidy_check(const unsigned char *central, bool folder, const char *name, se_error *err);
SE_MUST_CHECK se_status tidy_check_version(uint16_t needed, const char *name, const char *where, se_error *err);

/* A header's extra fields, as they have been found. */
struct extra_report {
    bool zip64;         /* there is such a field */
    size_t surplus;     /* bytes of fields that have no place in an archive of ours */
    unsigned odd;       /* identifier of the first one of them */
    const char *reason; /* why it has none */
};

/*
 * Whether a field has a place: known, and understood by all readers alike.  `reason`: why it has
 * none.
 */
bool extra_is_tidy(const char **reason, unsigned id, se_bytes value, const char *name);

/*
 * Moves those that have a place together, and with `zip64` the one of that kind; their size.  They
 * are well-formed.
 */
size_t extra_tidy(unsigned char *extra, size_t size, const char *name, bool zip64);

SE_MUST_CHECK se_status extra_check(const struct extra_report *report, const char *name, const char *where, se_error *err);

#endif
