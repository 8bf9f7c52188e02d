/* The files that a new archive has in front of those of an old one: a signature's, stored. */
#ifndef ZIP_FRONT_H
#define ZIP_FRONT_H

#include "zip/pen.h"

enum { FRONT_FILES = 3 };

struct front_file {
    char name[32];
    se_bytes content;
};

struct front {
    struct front_file files[FRONT_FILES];
    int64_t time;
    size_t padding; /* bytes of the last one's extra field */
};

uint64_t front_size(const struct front *front);

/* Pads it, so that it takes exactly `size` bytes.  false: it takes more, or so few that no extra field is long enough. */
bool front_pad(struct front *front, uint64_t size);

/* The local records, contents included, and the central ones; the first local one is where the file begins. */
SE_MUST_CHECK se_status front_put(struct pen *pen, const struct front *front, se_error *err);
SE_MUST_CHECK se_status front_put_central(struct pen *pen, const struct front *front, se_error *err);

#endif
