/* SPDX-License-Identifier: Apache-2.0 */
/* Files and pipes as what the engine reads and writes. */
#ifndef CLI_STREAM_H
#define CLI_STREAM_H

#include "base/file.h"
#include "base/stream.h"
#include "cli/cli.h"

/* Where a command reads: a file, or standard input for "-" and nothing. */
struct input {
    int fd;
    const char *name;
    se_source source;
};
#define INPUT_INIT                                                                                 \
    {                                                                                              \
        -1, NULL,                                                                                  \
        {                                                                                          \
            NULL, NULL, 0                                                                          \
        }                                                                                          \
    }
SE_MUST_CHECK se_status input_open(struct input *input, const char *path, se_error *err);
/* The same, but with the content's digest at hand there is nothing to read. */
SE_MUST_CHECK se_status input_open_content(struct input *input, const char *path, se_bytes digest,
                                           se_error *err);
/* The file that a command reads and that it is named by, "-" and NULL being standard input. */
const char *input_path(const char *path);
/* All of a text that has no line end of its own, a token: one at the end of standard input is left
 * out. */
SE_MUST_CHECK se_status input_read_token(se_buf *out, const char *path, size_t limit,
                                         se_error *err);
void input_close(struct input *input);
AUTO_KIND(input, struct input, input_close(p))

enum { RESULT_PATH = 32 };
/* Where a command writes: a file that appears whole or not at all, or standard output for "-". */
struct result {
    struct output file;
    bool standard;
    bool failed; /* writing is what failed: exit status 73 */
    bool secret; /* held output is overwritten when it is discarded */
    int spool; /* output to standard output or a pipe, held back until result_commit(); -1: not held
                * back
                */
    se_sink sink;
};
#define RESULT_INIT                                                                                \
    {                                                                                              \
        OUTPUT_INIT, false, false, false, -1,                                                      \
        {                                                                                          \
            NULL, NULL                                                                             \
        }                                                                                          \
    }

/* `hold_back`: nothing reaches standard output before result_commit(). */
SE_MUST_CHECK se_status result_open(struct result *result, const char *path, bool hold_back,
                                    se_error *err);
/* The same for what others should not read: a new file has mode 0600. */
SE_MUST_CHECK se_status result_open_secret(struct result *result, const char *path, se_error *err);
/* The same for output that nobody may see before result_commit(), whatever `path` is;
 * result_discard() overwrites it. */
SE_MUST_CHECK se_status result_open_held(struct result *result, const char *path, se_error *err);
/* A path to the output of a held result so far, as long as it is open. */
void result_path(char out[RESULT_PATH], const struct result *result);
SE_MUST_CHECK se_status result_commit(struct result *result, se_error *err);
/* All of it at once, and committed; an exit status. */
int result_finish(struct result *result, const struct cli *cli, se_bytes content);
/* The same of a file that is opened for it, or standard output ("-"). */
int result_write_all(const struct cli *cli, const char *path, se_bytes content);
void result_discard(struct result *result);
AUTO_KIND(result, struct result, result_discard(p))

/* Whether a file is replaced by what is written to `path`, or made; a device or a pipe is only
 * written to. */
bool is_replaced(const char *path);

/* For what may be the last of its kind.  SE_ERR_IO: a file is there that would be replaced. */
SE_MUST_CHECK se_status result_check_new(const char *path, se_error *err);

/* Whether what is written to one file takes the place of the other. */
bool same_file(const char *one, const char *other);

/* cli_fail(), but 73 when it was `result` that failed. */
int result_fail(const struct result *result, const struct cli *cli, const se_error *err);

/* How far a long job is, on a terminal. */
struct progress {
    const char *what, *unit; /* what is counted; NULL: bytes, shown in MB */
    bool shown;
    int width; /* of what is shown */
    uint64_t done, total;
    int64_t next_ms; /* when it is shown again */
};
/* The callback for `cli`'s --progress; NULL: none. */
se_progress_fn progress_begin(struct progress *progress, const struct cli *cli, const char *what);
/* A terminal has nothing of it then; elsewhere it ends with how far the job has come. */
void progress_end(struct progress *progress);
AUTO_KIND(progress, struct progress, progress_end(p))

/* ---- a file or pipe as lines, many at a time, in memory that does not grow with it ---- */

enum { LINES_MOST = 8192, LINE_LIMIT = 256 << 20 };

struct lines {
    struct stream *in;
    se_buf room;               /* wiped: lines may be secrets */
    size_t begin, end;         /* what of it was read and not yet handed out */
    bool ended;                /* there is no more to read */
    uint64_t number;           /* of the first line of `list`, from 1 */
    uint64_t consumed;         /* bytes handed out so far */
    se_bytes list[LINES_MOST]; /* without their LF; until the next call */
    size_t count;
};

SE_MUST_CHECK se_status lines_new(struct lines **out, struct stream *in, se_error *err);
void lines_free(struct lines *lines); /* accepts NULL */
AUTO_KIND(lines, struct lines *, lines_free(*p))

/* The next lines; none at the end. */
SE_MUST_CHECK se_status lines_next(struct lines *lines, se_error *err);

#endif
