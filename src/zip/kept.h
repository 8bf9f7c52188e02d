/* What a new archive keeps of an old one: local records, byte for byte unless they are untidy, in the order in which they are stored. */
#ifndef ZIP_KEPT_H
#define ZIP_KEPT_H

#include <stdatomic.h>

#include "zip/archive.h"
#include "zip/pen.h"

struct kept {
    const struct archive *archive;
    const bool *dropped; /* by entry: not kept */
};

uint64_t kept_entry_size(const struct entry *entry);
uint64_t kept_size(const struct kept *kept);

/* Writes them where the pen is.  SE_ERR_CANCELLED: *stopped was set meanwhile; NULL: nobody does. */
SE_MUST_CHECK se_status kept_copy(struct pen *pen, const struct kept *kept, const atomic_bool *stopped, se_error *err);

#endif
