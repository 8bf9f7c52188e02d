/* Bytes that wait: in memory while they are few, then in a file without a name. */
#ifndef MILTER_SPOOL_H
#define MILTER_SPOOL_H

#include "base/buf.h"

enum { SPOOL_MEMORY = 1 << 20 };

struct spool {
    struct writer memory;
    int fd; /* -1: all is in memory */
    size_t read;
};
#define SPOOL_INIT                                                                                 \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* 0, or -1 with errno set. */
int spool_write(struct spool *spool, const void *data, size_t size);
/* From the beginning again. */
int spool_rewind(struct spool *spool);
/* Up to `size` bytes; 0 at the end, -1 with errno set. */
ptrdiff_t spool_read(struct spool *spool, void *data, size_t size);
void spool_clear(struct spool *spool);
AUTO_KIND(spool, struct spool, spool_clear(p))

#endif
