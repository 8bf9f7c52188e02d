/*
 * A long job from file to file that goes on where it was stopped, however it was stopped.
 * Beside OUT there are OUT.partial, what is done so far, and OUT.checkpoint, how far that goes and
 * of which input it is.
 */
#ifndef CLI_CHECKPOINT_H
#define CLI_CHECKPOINT_H

#include "cli/linejob.h"
#include "cli/stream.h"

struct checkpoint {
    char *out, *partial, *state;
    const char *rejects_path;
    int fd, rejects;    /* both are appended to; -1: none */
    char input[120];    /* which input it is */
    uint64_t consumed;  /* of it, in bytes */
    uint64_t size, bad; /* of OUT.partial and the rejects, in bytes */
    struct line_count count;
    bool resumed;
    bool failed; /* writing is what failed: exit status 73 */
    se_sink sink, reject_sink;
};
#define CHECKPOINT_INIT                                                                            \
    {                                                                                              \
        .fd = -1, .rejects = -1                                                                    \
    }

/*
 * Begins, or goes on.  The input is a file, and is positioned.  `job`: what the job is, besides its
 * input. SE_ERR_USAGE: a job of another kind, or with another input, was begun with the same OUT.
 */
SE_MUST_CHECK se_status checkpoint_open(struct checkpoint *c, const char *out, const char *rejects,
                                        const struct input *input, const char *job, se_error *err);

/* All that was written so far stays. */
SE_MUST_CHECK se_status checkpoint_save(struct checkpoint *c, uint64_t consumed,
                                        const struct line_count *count, se_error *err);

/* OUT.partial becomes OUT. */
SE_MUST_CHECK se_status checkpoint_commit(struct checkpoint *c, se_error *err);
void checkpoint_close(struct checkpoint *c);
AUTO_KIND(checkpoint, struct checkpoint, checkpoint_close(p))

#endif
