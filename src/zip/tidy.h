/*
 * What headers say beside names and content.  Nobody signs it, and extractors obey it: it must be
 * what it can't do harm with.  Verifying wants it so, signing makes it so.
 */
#ifndef ZIP_TIDY_H
#define ZIP_TIDY_H

#include "base/buf.h"

/* Behind all that is refused when it is verified, and put right when it is signed; archive.c has what helps signers. */
#define SIGN_ANEW "; signing anew puts it right"

#define EXTRA_ZIP64_ODD "a zip64 extra field that does not hold exactly what is asked for"

/* The external attributes, without what they must not say; "-" is a file, and a folder's name a folder's. */
uint32_t tidy_attributes(uint32_t attributes, const char *name, bool folder);

/* General purpose bits: UTF-8 is marked as such where the comment allows it, for it is marked with the name. */
uint16_t tidy_flags(uint16_t flags, const char *name, se_bytes comment);

/* "Version needed to extract": readers leave out what asks for more than they know. */
uint16_t tidy_version(uint16_t needed);

/* "Version made by", whose system tells readers how to understand the attributes. */
uint16_t tidy_maker(uint16_t made_by);

/* SE_ERR_REJECTED, with what is wrong, if one of them is not tidy. */
SE_MUST_CHECK se_status tidy_check_central(const unsigned char *central, bool folder, const char *name, se_error *err);
SE_MUST_CHECK se_status tidy_check_version(uint16_t needed, const char *name, const char *where, se_error *err);

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
 * Whether a field has a place: known, and understood by all readers alike.  `reason`: why it has
 * none.
 */
bool extra_field_is_tidy(const char **reason, unsigned id, se_bytes value, const char *name);

/*
 * Moves those that have a place together, and with `zip64` the one of that kind; their size.  They
 * are well-formed.
 */
size_t extra_fields_tidy(unsigned char *extra, size_t size, const char *name, bool zip64);

SE_MUST_CHECK se_status extra_fields_check(const struct extra_report *report, const char *name, const char *where, se_error *err);

#endif
