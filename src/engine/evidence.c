/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence records (RFC 4998): files in, time stamps fetched, records out. */
#include "evidence/evidence.h"

#include <stdlib.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/file.h"
#include "cms/tsp.h"
#include "engine/revocation_policy.h"
#include "engine/timestamp.h"
#include "engine/trust_store.h"
#include "evidence/hash_tree.h"

AUTO_KIND(store, X509_STORE *, X509_STORE_free(*p))

/* One record of a call. */
struct evidence_work {
    struct evidence_record *record;
    struct file_digests *files;
    struct content_digest *hashes; /* that its time stamp is to cover */
    size_t hash_count;
    bool new_chain;
};

static void evidence_work_free(struct evidence_work *work)
{
    evidence_free(work->record);
    free(work->files);
    free(work->hashes);
}
AUTO_KIND(evidence_work, struct evidence_work, evidence_work_free(p))

struct evidence_job {
    se_evidence *records;
    size_t count;
    se_evidence_params params;
    enum digest digest;          /* of the new time stamp; DIGEST_NONE: not stated */
    struct evidence_work *works; /* one for each of `records` */
};

static void evidence_job_free(struct evidence_job *job)
{
    for (size_t i = 0; job->works && i < job->count; i++)
        evidence_work_free(&job->works[i]);
    free(job->works);
}
AUTO_KIND(evidence_job, struct evidence_job, evidence_job_free(p))

/* ---- what was asked for ---- */

static se_status check_files(const se_evidence *record, se_error *err)
{
    const se_evidence_file *files = record->files;
    const se_bytes der = record->der;

    if (!record->count)
        return error_set(err, SE_ERR_USAGE, "a record has to be about a file");
    TRY(arguments_check(err, files, given_bytes(der)));
    for (size_t i = 0; i < record->count; i++)
        if (!files[i].name || (files[i].in && !files[i].in->read))
            return error_set(err, SE_ERR_USAGE, "file %zu of a record has no name, or no source",
                             i + 1);
    return SE_OK;
}

static se_status read_digest(enum digest *out, const char *name, se_error *err)
{
    *out = DIGEST_NONE;
    if (!name || (digest_parse(out, name) && *out >= DIGEST_SHA256))
        return SE_OK;
    return error_set(err, SE_ERR_USAGE,
                     "'%s' is not the digest of a record: SHA-256, SHA-384 or SHA-512 is expected",
                     name);
}

static struct stamp_wish wish_of(const se_evidence_params *params)
{
    return (struct stamp_wish){ params->tsa, params->tsa_policy };
}

static void empty_made(se_evidence *records, size_t count)
{
    for (size_t i = 0; records && i < count; i++)
        records[i].made = (se_buf)SE_BUF_INIT;
}

static se_status begin_job(struct evidence_job *job, const se_evidence_params *params,
                           se_error *err)
{
    struct stamp_wish wish;

    for (size_t i = 0; i < job->count; i++)
        TRY(check_files(&job->records[i], err));
    TRY(arguments_options(&job->params, params, se_evidence_params, err));
    TRY(read_digest(&job->digest, job->params.digest, err));
    wish = wish_of(&job->params);
    TRY(timestamp_check_wish(&wish, err));
    if (!wish.urls)
        return error_set(err, SE_ERR_USAGE, "a record needs a time stamping authority");
    if (!job->count)
        return error_set(err, SE_ERR_USAGE, "no record to be stamped");
    job->works = calloc(job->count, sizeof *job->works);
    return job->works ? SE_OK : error_memory(err);
}

/* ---- files ---- */

static se_status hash_stream(struct file_digests *out, struct stream *in,
                             const bool wanted[DIGEST_SHA512 + 1], se_error *err)
{
    AUTO(content_hasher) hasher = { .content = NULL };

    for (enum digest d = DIGEST_SHA256; d <= DIGEST_SHA512; d++)
        if (wanted[d])
            TRY(content_hasher_want(&hasher, d, err));
    TRY(stream_drain(in, content_hasher_take, &hasher, err));
    for (enum digest d = DIGEST_SHA256; d <= DIGEST_SHA512; d++)
        if (wanted[d])
            TRY(content_hasher_finish(&out->by[d], &hasher, d, err));
    return SE_OK;
}

static se_status hash_file(struct file_digests *out, const se_evidence_file *file,
                           const bool wanted[DIGEST_SHA512 + 1], se_error *err)
{
    AUTO(file) fd = -1;
    struct stream stream = { .source = file->in };
    se_source source;

    out->name = file->name;
    if (!file->in) {
        TRY(file_open_stream(&fd, file->name, err));
        source = source_fd(fd);
        stream.source = &source;
    }
    TRY_PREFIX(hash_stream(out, &stream, wanted, err), err, "'%s': ", file->name);
    return SE_OK;
}

static se_status hash_record_files(struct file_digests **out, const se_evidence *record,
                                   const bool wanted[DIGEST_SHA512 + 1], se_error *err)
{
    struct file_digests *files = calloc(record->count, sizeof *files);

    *out = files;
    if (!files)
        return error_memory(err);
    for (size_t i = 0; i < record->count; i++)
        TRY(hash_file(&files[i], &record->files[i], wanted, err));
    return SE_OK;
}

/* ---- verification ---- */

struct trust {
    se_evidence_verify_params params;
    X509_STORE *roots;
    struct revocation_policy policy;
    struct verify_job job;
};

static void trust_free(struct trust *trust)
{
    X509_STORE_free(trust->roots);
    revocation_policy_free(&trust->policy);
}
AUTO_KIND(trust, struct trust, trust_free(p))

static se_status begin_trust(struct trust *out, const se_evidence_verify_params *params,
                             se_error *err)
{
    TRY(arguments_options(&out->params, params, se_evidence_verify_params, err));
    if (out->params.time < 0)
        return error_set(err, SE_ERR_USAGE, "a time before 1970");
    if (!out->params.time)
        out->params.time = clock_seconds();
    if (!out->params.trust_tsa)
        return error_set(err, SE_ERR_USAGE,
                         "no CA is trusted to name time stamping authorities: a record shows "
                         "nothing without");
    TRY(trust_store_load(&out->roots, out->params.trust_tsa, err));
    TRY(revocation_policy_read(&out->policy, out->params.revocation, out->params.time, err));
    out->job = (struct verify_job){
        .tsa_roots = out->roots,
        .time = out->params.time,
        .revocation = &out->policy.rules,
    };
    return SE_OK;
}

static void tell_stamps(const struct seen_stamps *seen, se_evidence_stamp_fn stamp, void *arg)
{
    for (size_t i = 0; stamp && i < seen->count; i++) {
        const struct seen_stamp *one = &seen->list[i];

        stamp(arg, &(se_evidence_stamp){ .tree = (unsigned)one->chain + 1,
                                         .digest = digest_name(one->digest),
                                         .time = one->stamp.time,
                                         .accuracy_us = one->stamp.accuracy_us,
                                         .authority = one->stamp.authority,
                                         .not_after = one->stamp.not_after });
    }
}

static se_status verify_work(struct seen_stamps *out, struct evidence_work *work, size_t count,
                             const struct trust *trust, se_error *err)
{
    const struct evidence_files files = { work->files, count };

    return evidence_verify(out, work->record, &files, trust->params.partial, &trust->job, err);
}

se_status se_evidence_verify(const se_evidence *record, const se_evidence_verify_params *params,
                             se_evidence_stamp_fn stamp, void *arg, se_error *error)
{
    AUTO(trust) trust = { .roots = NULL };
    AUTO(evidence_work) work = { .record = NULL };
    AUTO(seen_stamps) seen = { .count = 0 };
    bool wanted[DIGEST_SHA512 + 1] = { false };

    TRY(arguments_check(error, record, params));
    TRY(check_files(record, error));
    TRY(begin_trust(&trust, params, error));
    TRY(evidence_read(&work.record, record->der, error));
    evidence_wanted_digests(wanted, work.record);
    TRY(hash_record_files(&work.files, record, wanted, error));
    TRY(verify_work(&seen, &work, record->count, &trust, error));
    tell_stamps(&seen, stamp, arg);
    return SE_OK;
}

/* ---- one time stamp for all ---- */

AUTO_KIND(groups, struct hash_group *, free(*p))

static se_status stamp_work(struct evidence_work *work, const struct hash_tree *tree, size_t at,
                            se_bytes token, se_error *err)
{
    struct stamp_addition addition = {
        .new_chain = work->new_chain,
        .digest = hash_tree_top(tree)->algorithm,
        .token = token,
    };
    AUTO(hash_lists) lists = NULL;

    TRY(hash_tree_reduce(&lists, tree, at, err));
    addition.tree = MOVE(lists);
    return evidence_add_stamp(work->record, &addition, err);
}

static se_status stamp_works(struct evidence_job *job, se_error *err)
{
    AUTO(groups) groups = calloc(job->count, sizeof *groups);
    const struct stamp_wish wish = wish_of(&job->params);
    AUTO(hash_tree) tree = { .nodes = NULL };
    AUTO(se_buf) token = SE_BUF_INIT;

    if (!groups)
        return error_memory(err);
    for (size_t i = 0; i < job->count; i++)
        groups[i] = (struct hash_group){ job->works[i].hashes, job->works[i].hash_count };
    TRY(hash_tree_build(&tree, groups, job->count, err));
    TRY(timestamp_fetch(&token, &wish, hash_tree_top(&tree), err));
    for (size_t i = 0; i < job->count; i++)
        TRY(stamp_work(&job->works[i], &tree, i, buf_bytes(&token), err));
    return SE_OK;
}

static void drop_made(const struct evidence_job *job)
{
    for (size_t i = 0; i < job->count; i++)
        se_buf_free(&job->records[i].made);
}

/* All of them, or none. */
static se_status write_records(const struct evidence_job *job, se_error *err)
{
    se_status st = SE_OK;

    for (size_t i = 0; !st && i < job->count; i++)
        st = evidence_write(&job->records[i].made, job->works[i].record, err);
    if (st)
        drop_made(job);
    return st;
}

/* ---- new ones ---- */

static se_status begin_record(struct evidence_work *work, const se_evidence *record,
                              enum digest digest, se_error *err)
{
    bool wanted[DIGEST_SHA512 + 1] = { [DIGEST_NONE] = false };

    wanted[digest] = true;
    TRY(evidence_new(&work->record, err));
    TRY(hash_record_files(&work->files, record, wanted, err));
    if (!(work->hashes = calloc(record->count, sizeof *work->hashes)))
        return error_memory(err);
    for (size_t i = 0; i < record->count; i++)
        work->hashes[i] = work->files[i].by[digest];
    work->hash_count = record->count;
    work->new_chain = true;
    return SE_OK;
}

se_status se_evidence_make(se_evidence *records, size_t count, const se_evidence_params *params,
                           se_error *error)
{
    AUTO(evidence_job) job = { .records = records, .count = count };

    empty_made(records, count);
    TRY(arguments_check(error, given_array(records, count), params));
    TRY(begin_job(&job, params, error));
    if (!job.digest)
        job.digest = DIGEST_SHA256;
    for (size_t i = 0; i < count; i++)
        TRY(begin_record(&job.works[i], &records[i], job.digest, error));
    TRY(stamp_works(&job, error));
    return write_records(&job, error);
}

/* ---- renewed ones ---- */

/* That of the last time stamp, unless another is asked for; one for all. */
static se_status choose_digest(struct evidence_job *job, const struct evidence_work *work,
                               se_error *err)
{
    const enum digest last = evidence_chain_digest(evidence_last_chain(work->record));

    if (!job->params.digest && job->digest && job->digest != last)
        return error_set(err, SE_ERR_USAGE,
                         "its digest is %s, and that of others in this call is %s: name the one "
                         "that the new time stamp is to have",
                         digest_name(last), digest_name(job->digest));
    if (!job->digest)
        job->digest = last;
    if (job->digest < last)
        return error_set(err, SE_ERR_USAGE, "%s is weaker than %s, the digest that it has",
                         digest_name(job->digest), digest_name(last));
    return SE_OK;
}

static se_status read_old(struct evidence_job *job, size_t at, se_error *err)
{
    struct evidence_work *work = &job->works[at];

    TRY(evidence_read(&work->record, job->records[at].der, err));
    TRY(choose_digest(job, work, err));
    work->new_chain = evidence_chain_digest(evidence_last_chain(work->record)) != job->digest;
    return SE_OK;
}

/* What is not good is never renewed: a new time stamp would hide what the old one lacks. */
static se_status begin_renewal(const struct evidence_job *job, size_t at, const struct trust *trust,
                               se_error *err)
{
    struct evidence_work *work = &job->works[at];
    const size_t count = job->records[at].count;
    bool wanted[DIGEST_SHA512 + 1] = { false };
    AUTO(seen_stamps) seen = { .count = 0 };
    struct evidence_files files;

    wanted[job->digest] = true;
    evidence_wanted_digests(wanted, work->record);
    TRY(hash_record_files(&work->files, &job->records[at], wanted, err));
    TRY(verify_work(&seen, work, count, trust, err));
    files = (struct evidence_files){ work->files, count };
    return evidence_renewal_hashes(&work->hashes, &work->hash_count, work->record, &files,
                                   job->digest, err);
}

/* The new authority may be one that is not trusted, or its clock may be wrong. */
static se_status check_renewed(const struct evidence_job *job, size_t at, const struct trust *trust,
                               se_error *err)
{
    AUTO(seen_stamps) seen = { .count = 0 };

    return verify_work(&seen, &job->works[at], job->records[at].count, trust, err);
}

static se_status renew_works(struct evidence_job *job, const struct trust *trust, se_error *err)
{
    for (size_t i = 0; i < job->count; i++)
        TRY_PREFIX(read_old(job, i, err), err,
                   "the record of '%s': ", job->records[i].files[0].name);
    for (size_t i = 0; i < job->count; i++)
        TRY_PREFIX(begin_renewal(job, i, trust, err), err,
                   "the record of '%s' is not renewed: ", job->records[i].files[0].name);
    TRY(stamp_works(job, err));
    for (size_t i = 0; i < job->count; i++)
        TRY_PREFIX(check_renewed(job, i, trust, err), err,
                   "the record of '%s' would not be good with the new time stamp: ",
                   job->records[i].files[0].name);
    return SE_OK;
}

se_status se_evidence_renew(se_evidence *records, size_t count, const se_evidence_params *params,
                            const se_evidence_verify_params *trust, se_error *error)
{
    AUTO(evidence_job) job = { .records = records, .count = count };
    AUTO(trust) whom = { .roots = NULL };

    empty_made(records, count);
    TRY(arguments_check(error, given_array(records, count), params, trust));
    TRY(begin_job(&job, params, error));
    TRY(begin_trust(&whom, trust, error));
    if (trust->time || trust->partial)
        return error_set(error, SE_ERR_USAGE,
                         "a record is renewed today, and with all its files: neither a time nor "
                         "part of them can be asked for");
    TRY(renew_works(&job, &whom, error));
    return write_records(&job, error);
}
