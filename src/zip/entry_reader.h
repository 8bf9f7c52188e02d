/* SPDX-License-Identifier: Apache-2.0 */
/* What an entry holds, inflated piece by piece and checked against its size and checksum. */
#ifndef ZIP_ENTRY_READER_H
#define ZIP_ENTRY_READER_H

#include <zlib.h>

#include "zip/archive.h"

struct entry_reader {
    const struct archive *archive;
    const struct entry *entry;
    z_stream inflater;
    bool inflating, ended;
    uint64_t read, done; /* bytes so far, compressed and not */
    uint32_t crc;
    se_buf input;
};

SE_MUST_CHECK se_status entry_reader_open(struct entry_reader *out, const struct archive *archive,
                                          const struct entry *entry, se_error *err);

/* Up to `size` bytes into `data`; *got is 0 at the end, and then all of it has been checked.
 * SE_ERR_FORMAT: it is damaged. */
SE_MUST_CHECK se_status entry_reader_read(size_t *got, struct entry_reader *reader, void *data,
                                          size_t size, se_error *err);
void entry_reader_close(struct entry_reader *reader);
AUTO_KIND(entry_reader, struct entry_reader, entry_reader_close(p))

/* All of it, at most `limit` bytes. */
SE_MUST_CHECK se_status entry_read_all(se_buf *out, const struct archive *archive,
                                       const struct entry *entry, size_t limit, se_error *err);

#endif
