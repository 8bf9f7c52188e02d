/* What a new archive ends with: its central directory and end records, made of those of the old one. */
#ifndef ZIP_CLOSING_H
#define ZIP_CLOSING_H

#include "zip/front.h"
#include "zip/kept.h"

/* Central records that are kept get their new offset; end records are made anew, the comment stays. */
SE_MUST_CHECK se_status closing_put(struct pen *pen, const struct front *front, const struct kept *kept, se_error *err);

#endif
