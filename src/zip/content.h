/* What an entry holds, inflated piece by piece and checked against its size and checksum. */
#ifndef ZIP_CONTENT_H
#define ZIP_CONTENT_H

#include <zlib.h>

#include "zip/archive.h"

struct content {
    const struct archive *archive;
    const struct entry *entry;
    z_stream inflater;
    bool inflating, ended;
    uint64_t read, done; /* bytes so far, compressed and not */
    uint32_t crc;
    se_buf input;
};

SE_MUST_CHECK se_status content_open(struct content *out, const struct archive *archive, const struct entry *entry, se_error *err);

/* Up to `size` bytes into `data`; *got is 0 at the end, and then all of it has been checked.  SE_ERR_FORMAT: it is damaged. */
SE_MUST_CHECK se_status content_read(size_t *got, struct content *content, void *data, size_t size, se_error *err);
void content_close(struct content *content);
AUTO_KIND(content, struct content, content_close(p))

/* All of it, at most `limit` bytes. */
SE_MUST_CHECK se_status content_all(se_buf *out, const struct archive *archive, const struct entry *entry, size_t limit, se_error *err);

#endif
