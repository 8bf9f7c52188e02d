/* Entries looked at in parallel. */
#ifndef ZIP_CREW_H
#define ZIP_CREW_H

#include "zip/archive.h"
#include "zip/digest.h"

struct crew;

/* What a thread has to itself. */
struct worker {
    struct crew *crew;
    se_buf piece;
    struct digests digests;
    struct section_reader reader;
};

struct crew_job {
    const struct archive *archive;
    /* Called for each entry, in any order, on several threads; a failure ends the job. */
    se_status (*entry)(void *arg, size_t index, struct worker *worker, se_error *err);
    void *arg;
    unsigned threads;        /* 0: one for each core */
    se_progress_fn progress; /* on the caller's thread; may be NULL */
    void *progress_arg;
};

SE_MUST_CHECK se_status crew_run(const struct crew_job *job, se_error *err);

/* The digests of an entry's content. */
SE_MUST_CHECK se_status crew_hash(unsigned char out[DIGEST_KINDS][DIGEST_MOST], struct worker *worker, const struct entry *entry,
                                  const bool wanted[DIGEST_KINDS], se_error *err);

/* That there is nothing but what the headers say: of what is not digested. */
SE_MUST_CHECK se_status crew_check(struct worker *worker, const struct entry *entry, se_error *err);

#endif
