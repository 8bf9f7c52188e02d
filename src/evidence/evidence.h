/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence records (RFC 4998): that files were there at a time, shown for longer than certificates
 * last and digests hold. */
#ifndef EVIDENCE_EVIDENCE_H
#define EVIDENCE_EVIDENCE_H

#include "crypto/signature.h"
#include "evidence/syntax.h"

/* A file by all digests that records of it need. */
struct file_digests {
    const char *name;
    struct content_digest by[DIGEST_SHA512 + 1]; /* by enum digest */
};

/* What a record is about: one data object group. */
struct evidence_files {
    const struct file_digests *list;
    size_t count;
};

/* Which digests of the files a record is verified by. */
void evidence_wanted_digests(bool wanted[DIGEST_SHA512 + 1], const struct evidence_record *record);

/* Its time stamps, oldest first. */
struct seen_stamp {
    int chain; /* from 0 */
    enum digest digest;
    struct stamp stamp;
};
struct seen_stamps {
    struct seen_stamp *list;
    size_t count;
};
void seen_stamps_free(struct seen_stamps *stamps);
AUTO_KIND(seen_stamps, struct seen_stamps, seen_stamps_free(p))

/*
 * RFC 4998, 4.3 and 5.3: that it is about these files, and each time stamp was good when the next
 * one was made, the last one at job->time.  `partial`: it may be about others, too.
 * SE_ERR_REJECTED: that is not so.
 */
SE_MUST_CHECK se_status evidence_verify(struct seen_stamps *out,
                                        const struct evidence_record *record,
                                        const struct evidence_files *files, bool partial,
                                        const struct verify_job *job, se_error *err);

/* The hash of a file as a chain has it: alone, or bound to the chains before (RFC 4998, 5.2). */
SE_MUST_CHECK se_status evidence_bind_file(struct content_digest *out,
                                           const struct content_digest *file,
                                           const struct content_digest *before, se_error *err);

/*
 * The hashes that a renewal has to cover, of the files and all chains where `digest` is not that of
 * the last chain, or else of that chain's tokens; `count` of them, released with free().
 */
SE_MUST_CHECK se_status evidence_renewal_hashes(struct content_digest **out, size_t *count,
                                                const struct evidence_record *record,
                                                const struct evidence_files *files,
                                                enum digest digest, se_error *err);

#endif
