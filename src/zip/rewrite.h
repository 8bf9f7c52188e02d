/*
 * A new archive: some files in front, then what is kept of an old one.  The files in front are known last and what is kept is most of it:
 * that can be written first, behind room that is left for them, while others find out what they are.
 */
#ifndef ZIP_REWRITE_H
#define ZIP_REWRITE_H

#include "zip/front.h"
#include "zip/kept.h"

enum { REWRITE_WORTH = 16 << 20 }; /* as much has to be kept for room in front to be worth its bytes */

struct rewriting {
    const struct kept *kept;
    uint64_t room; /* for the files in front; 0: as much as they take */
    struct pen pen;
    bool early; /* what is kept is there already */
};

/*
 * Writes to `output`, which is empty.  `front`: bytes that the files in front will take at most, as far as one can tell; 0: nobody can.
 * What is written depends on it, and not on whether rewrite_early() is called.
 */
SE_MUST_CHECK se_status rewrite_begin(struct rewriting *out, struct output *output, const struct kept *kept, uint64_t front, se_error *err);

/* Writes what is kept, if there is room in front.  On any thread; SE_ERR_CANCELLED: *stopped was set. */
SE_MUST_CHECK se_status rewrite_early(struct rewriting *w, const atomic_bool *stopped, se_error *err);

/* Writes all the rest; once more from the beginning, when `front` takes more than its room. */
SE_MUST_CHECK se_status rewrite_end(struct rewriting *w, struct front *front, se_error *err);
void rewrite_free(struct rewriting *w);

#endif
