/* A new archive: some files in front, then what is kept of an old one, byte for byte. */
#ifndef ZIP_REWRITE_H
#define ZIP_REWRITE_H

#include "base/file.h"
#include "zip/archive.h"

/* A file to be stored in front. */
struct front_file {
    char name[32];
    se_bytes content;
};

struct rewrite {
    const struct archive *archive;
    const bool *dropped; /* by entry */
    const struct front_file *files;
    size_t file_count;
    int64_t time; /* of the files in front */
};

/* Writes to out->fd, which is empty. */
SE_MUST_CHECK se_status rewrite(struct output *out, const struct rewrite *job, se_error *err);

#endif
