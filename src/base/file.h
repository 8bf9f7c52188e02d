/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files in, whole files out. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include "base/buf.h"

/*
 * Reads all of `path`, at most `limit` bytes; a NUL follows, not counted.
 * SE_ERR_ACCESS: no permission; SE_ERR_IO: any other failure; SE_ERR_FORMAT: longer than `limit`.
 */
SE_MUST_CHECK se_status file_read(se_buf *out, const char *path, size_t limit, se_error *err);

/*
 * Opens a file, to be checked before it is read; -1 with errno set.  It does not wait for a writer
 * of a pipe.  The second reads the rest of it, as file_read() does; it stays open.
 */
int file_open(const char *path);
SE_MUST_CHECK se_status file_read_open(se_buf *out, int fd, const char *path, size_t limit,
                                       se_error *err);

/* The file's folder: everything before the last slash, "." if there is none.  NULL: out of memory.
 * Released with free(). */
char *file_folder(const char *path);

/* `name` as seen from `folder`: joined unless it is absolute.  Likewise. */
char *file_join(const char *folder, const char *name);

/* What to say behind the reason why a path leads nowhere: that it is one of Windows, or "". */
const char *file_hint(const char *path);

/* What is replaced when `path` is written to: a symbolic link stays one, and what it points to is.
 * Likewise. */
char *file_target(const char *path);

/*
 * A file that appears whole or not at all: it has no name (O_TMPFILE) until output_commit() has
 * synced it, so that not even a killed process leaves any of it; where the file system can't do
 * that, a temporary one beside its target.  An existing target is untouched until then.  Its owner,
 * group, mode, access list and users' attributes stay, or output_open() fails.  output_discard()
 * accepts a committed or empty one.
 */
struct output {
    int fd;
    char *path, *temporary; /* without a temporary one: it has no name yet, or `in_place` */
    bool secret;
    bool in_place; /* `path` can't be replaced, and is written to */
    size_t behind; /* bytes written since the last sync_file_range() */
};
#define OUTPUT_INIT                                                                                \
    {                                                                                              \
        -1, NULL, NULL, false, false, 0                                                            \
    }

/* `mode`: of a file that is not there yet, less the umask. */
SE_MUST_CHECK se_status output_open(struct output *out, const char *path, mode_t mode,
                                    se_error *err);
/*
 * The same for secrets: the file is overwritten when it is discarded, and only a file can be its
 * target.
 */
SE_MUST_CHECK se_status output_open_secret(struct output *out, const char *path, mode_t mode,
                                           se_error *err);
SE_MUST_CHECK se_status output_write(struct output *out, se_bytes data, se_error *err);
/* `size` bytes were put there past output_write().  What is large goes to the disk while more
 * comes, so that committing need not wait. */
void output_wrote(struct output *out, size_t size);
SE_MUST_CHECK se_status output_commit(struct output *out, se_error *err);
void output_discard(struct output *out);
AUTO_KIND(output, struct output, output_discard(p))

/* A file that is read from its start to its end; -1: it is not open.  SE_ERR_ACCESS, SE_ERR_IO. */
SE_MUST_CHECK se_status file_open_stream(int *fd, const char *path, se_error *err);
void file_close(int *fd);
AUTO_KIND(file, int, file_close(p))

/* A file in `folder` that has no name and goes with its descriptor, or -1 with errno set. */
int file_unnamed(const char *folder);

/* Overwrites a file with zeros, on its disk too, as far as its file system lets it. */
void file_wipe(int fd);

/* What errno says when writing fails; of what was closed from the start that it is closed. */
const char *write_reason(int number);

/* All of it, whatever write(2) takes at a time; -1 with errno set on failure. */
int write_all(int fd, const void *data, size_t size);

/* ---- folders ---- */

typedef se_status folder_entry_fn(void *arg, const char *path, se_error *err);

/*
 * Calls `fn` for each entry but "." and "..", in the order of their names, until it fails.
 * SE_ERR_ACCESS: no permission; SE_ERR_IO: not a folder, or any other failure.
 */
SE_MUST_CHECK se_status folder_each(const char *folder, folder_entry_fn *fn, void *arg,
                                    se_error *err);

#endif
