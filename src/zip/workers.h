/* SPDX-License-Identifier: Apache-2.0 */
/* Entries looked at in parallel. */
#ifndef ZIP_WORKERS_H
#define ZIP_WORKERS_H

#include "zip/archive.h"
#include "zip/digest.h"

struct workers;

/* What a thread has to itself. */
struct worker {
    struct workers *workers;
    se_buf piece;
    struct digests digests;
    struct section_reader reader;
};

struct workers_job {
    const struct archive *archive;
    /* Called for each entry, in any order, on several threads; a failure ends the job. */
    se_status (*entry)(void *arg, size_t index, struct worker *worker, se_error *err);
    void *arg;
    unsigned threads;        /* 0: one for each core */
    se_progress_fn progress; /* on the caller's thread; may be NULL */
    void *progress_arg;
};

SE_MUST_CHECK se_status workers_run(const struct workers_job *job, se_error *err);

/* The digests of an entry's content. */
SE_MUST_CHECK se_status worker_digest_entry(unsigned char out[DIGEST_KINDS][DIGEST_MOST],
                                            struct worker *worker, const struct entry *entry,
                                            const bool wanted[DIGEST_KINDS], se_error *err);

/* That there is nothing but what the headers say: of what is not digested. */
SE_MUST_CHECK se_status worker_check_entry(struct worker *worker, const struct entry *entry,
                                           se_error *err);

#endif
