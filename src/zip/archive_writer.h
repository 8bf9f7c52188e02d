/* SPDX-License-Identifier: Apache-2.0 */
/* Signed archives, written from the first byte to the last: a signature's files, then what is kept
 * of an old archive. */
#ifndef ZIP_ARCHIVE_WRITER_H
#define ZIP_ARCHIVE_WRITER_H

#include "base/file.h"
#include "zip/archive.h"

enum { NEW_FILES = 3 };

/* A file that the old archive does not have, to be stored. */
struct new_file {
    const char *name;
    se_bytes content;
};

struct archive_plan {
    struct new_file files[NEW_FILES];
    int64_t time; /* of them */
    const struct archive *old;
    const bool *dropped; /* by entry of the old archive: it is not kept */
};

/*
 * Entries stay in the order in which they are stored.  Their local records are copied byte for
 * byte, unless they are untidy, and central records get their new offset; end records are made
 * anew, and the comment stays.
 */
SE_MUST_CHECK se_status archive_write(struct output *out, const struct archive_plan *plan,
                                      se_error *err);

#endif
