/* SPDX-License-Identifier: Apache-2.0 */
/* Reading binary formats straight down: a reader that failed stays failed, gives zeroes and
 * nothing, and is asked once. */
#ifndef BASE_READER_H
#define BASE_READER_H

#include "base/buf.h"

struct reader {
    const unsigned char *at;
    size_t left;
    bool failed;
};

struct reader reader_of(se_bytes bytes);

/* The next `size` bytes, borrowed; empty when there are fewer. */
se_bytes reader_take(struct reader *r, size_t size);

/* The next bytes as a number, the most significant first. */
uint64_t reader_number(struct reader *r, size_t bytes);

/* Likewise; `number` has to fit. */
void writer_number(struct writer *w, uint64_t number, size_t bytes);

#endif
