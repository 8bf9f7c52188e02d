/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/clock.h"
#include "cms/tsp.h"
#include "crypto/certificate.h"
#include "evidence/evidence.h"
#include "evidence/hash_tree.h"

void seen_stamps_free(struct seen_stamps *stamps)
{
    free(stamps->list);
}

AUTO_KIND(digest_list, struct content_digest *, free(*p))

void evidence_wanted_digests(bool wanted[DIGEST_SHA512 + 1], const struct evidence_record *record)
{
    for (int i = 0; i < sk_stamp_chain_num(record->chains); i++)
        wanted[evidence_chain_digest(sk_stamp_chain_value(record->chains, i))] = true;
}

/* ---- what a chain is about ---- */

/* The order is not sorted: so do all that make such records, although RFC 4998, 5.2 can be read in
 * two ways. */
se_status evidence_bind_file(struct content_digest *out, const struct content_digest *file,
                             const struct content_digest *before, se_error *err)
{
    const se_bytes pieces[2] = { content_digest_bytes(file), content_digest_bytes(before) };

    return content_digest_join(out, file->algorithm, pieces, 2, err);
}

/* Of each file, as the chain at `index` has it. */
static se_status hash_files(struct content_digest **out, const struct evidence_record *record,
                            int index, enum digest digest, const struct evidence_files *files,
                            se_error *err)
{
    AUTO(digest_list) hashes = calloc(files->count + 1, sizeof *hashes);
    struct content_digest before;

    if (!hashes)
        return error_memory(err);
    if (index)
        TRY(evidence_hash_chains(&before, record, index, digest, err));
    for (size_t i = 0; i < files->count; i++) {
        const struct content_digest *file = &files->list[i].by[digest];

        if (!index)
            hashes[i] = *file;
        else
            TRY(evidence_bind_file(&hashes[i], file, &before, err));
    }
    *out = MOVE(hashes);
    return SE_OK;
}

static se_status hash_token(struct content_digest *out, const archive_stamp *stamp,
                            enum digest digest, se_error *err)
{
    const se_bytes token = stamp_token(stamp);

    return content_digest_join(out, digest, &token, 1, err);
}

static se_status hash_tokens(struct content_digest **out, const stamp_chain *chain,
                             enum digest digest, se_error *err)
{
    const int count = sk_archive_stamp_num(chain);
    AUTO(digest_list) hashes = calloc((size_t)count + 1, sizeof *hashes);

    if (!hashes)
        return error_memory(err);
    for (int i = 0; i < count; i++)
        TRY(hash_token(&hashes[i], sk_archive_stamp_value(chain, i), digest, err));
    *out = MOVE(hashes);
    return SE_OK;
}

/*
 * A stamp need cover the one before only.  Bouncy Castle looks for all of the chain, which does no
 * harm.
 */
se_status evidence_renewal_hashes(struct content_digest **out, size_t *count,
                                  const struct evidence_record *record,
                                  const struct evidence_files *files, enum digest digest,
                                  se_error *err)
{
    const stamp_chain *last = evidence_last_chain(record);

    *out = NULL;
    if (evidence_chain_digest(last) == digest) {
        *count = (size_t)sk_archive_stamp_num(last);
        return hash_tokens(out, last, digest, err);
    }
    *count = files->count;
    return hash_files(out, record, sk_stamp_chain_num(record->chains), digest, files, err);
}

/* ---- what stamps are of ---- */

/* A stamp, and what it has to do with the others. */
struct link {
    const archive_stamp *stamp;
    struct content_digest imprint; /* as its token says */
    struct content_digest root;    /* what it has to be of */
};

struct verification {
    const struct evidence_record *record;
    const struct evidence_files *files;
    bool partial;
    const struct verify_job *job;
    struct seen_stamps seen;
    struct link *links; /* beside seen.list */
};

static void verification_free(struct verification *v)
{
    seen_stamps_free(&v->seen);
    free(v->links);
}
AUTO_KIND(verification, struct verification, verification_free(p))

static const hash_list *first_list(const struct link *link)
{
    return sk_hash_list_value(link->stamp->tree, 0);
}

/* Without a tree the token is of a single hash. */
static bool link_covers(const struct link *link, const struct content_digest *hash)
{
    return link->stamp->tree ? hash_list_has(first_list(link), hash)
                             : content_digest_is(hash, content_digest_bytes(&link->imprint));
}

static se_status check_root(struct link *link, se_error *err)
{
    const struct content_digest *imprint = &link->imprint;

    link->root = *imprint;
    if (!link->stamp->tree)
        return SE_OK;
    TRY(hash_tree_root(&link->root, imprint->algorithm, link->stamp->tree, err));
    if (content_digest_is(&link->root, content_digest_bytes(imprint)))
        return SE_OK;
    return error_set(err, SE_ERR_REJECTED, "it is not the time stamp of its hash tree");
}

static bool hashes_have(const struct content_digest *hashes, size_t count,
                        const ASN1_OCTET_STRING *one)
{
    for (size_t i = 0; i < count; i++)
        if (content_digest_is(&hashes[i], octet_bytes(one)))
            return true;
    return false;
}

/* RFC 4998, 4.3: that the stamp relates to the group, and not to more. */
static se_status check_group(const struct link *link, const struct content_digest *hashes,
                             size_t count, se_error *err)
{
    const hash_list *list = first_list(link);
    int others = 0;

    for (int i = 0; i < sk_ASN1_OCTET_STRING_num(list); i++)
        others += !hashes_have(hashes, count, sk_ASN1_OCTET_STRING_value(list, i));
    if (!others)
        return SE_OK;
    return error_set(err, SE_ERR_REJECTED, "it is about %d more file%s, which %s not named", others,
                     others == 1 ? "" : "s", others == 1 ? "is" : "are");
}

/* The first of a chain. */
static se_status check_files(const struct verification *v, const struct link *link, int chain,
                             se_error *err)
{
    AUTO(digest_list) hashes = NULL;
    const enum digest digest = link->imprint.algorithm;

    TRY(hash_files(&hashes, v->record, chain, digest, v->files, err));
    for (size_t i = 0; i < v->files->count; i++)
        if (!link_covers(link, &hashes[i]))
            return error_set(err, SE_ERR_REJECTED, "'%s' is not what was stamped%s",
                             v->files->list[i].name,
                             chain ? ", or the time stamps before it are not" : "");
    return v->partial ? SE_OK : check_group(link, hashes, v->files->count, err);
}

/* Any other. */
static se_status check_covers_last(const struct link *link, se_error *err)
{
    struct content_digest before;

    TRY(hash_token(&before, link[-1].stamp, link->imprint.algorithm, err));
    if (link_covers(link, &before))
        return SE_OK;
    return error_set(err, SE_ERR_REJECTED, "it does not cover the time stamp before it");
}

static se_status check_link(const struct verification *v, size_t at, bool first, se_error *err)
{
    struct link *link = &v->links[at];

    TRY(stamp_read_imprint(&link->imprint, stamp_token(link->stamp), err));
    v->seen.list[at].digest = link->imprint.algorithm;
    TRY(check_root(link, err));
    return first ? check_files(v, link, v->seen.list[at].chain, err) : check_covers_last(link, err);
}

/* "time stamp 2 of 3: ", where there are several. */
static se_status blame_stamp(const struct verification *v, size_t at, se_status st, se_error *err)
{
    return v->seen.count < 2
               ? st
               : error_prefix(err, st, "time stamp %zu of %zu: ", at + 1, v->seen.count);
}

static se_status check_links(const struct verification *v, se_error *err)
{
    for (size_t at = 0; at < v->seen.count; at++) {
        const bool first = !at || v->seen.list[at].chain != v->seen.list[at - 1].chain;
        const se_status st = check_link(v, at, first, err);

        if (st)
            return blame_stamp(v, at, st, err);
    }
    return SE_OK;
}

/* ---- whether they were good in time ---- */

static se_status check_order(const struct verification *v, size_t at, se_error *err)
{
    const struct seen_stamp *seen = &v->seen.list[at];
    char own[TIME_TEXT_ROOM], next[TIME_TEXT_ROOM];

    if (at + 1 == v->seen.count || seen->stamp.time <= seen[1].stamp.time)
        return SE_OK;
    return error_set(err, SE_ERR_REJECTED, "its time, %s, is after that of the next, %s",
                     time_format(own, TIME_READABLE, seen->stamp.time),
                     time_format(next, TIME_READABLE, seen[1].stamp.time));
}

/* As long as nobody renews it, a stamp has to be good today; after that, only until then. */
static se_status check_stamp(const struct verification *v, size_t at, se_error *err)
{
    const bool last = at + 1 == v->seen.count;
    struct seen_stamp *seen = &v->seen.list[at];
    struct verify_job job = *v->job;
    char day[16];

    if (!last)
        job.time = seen[1].stamp.time;
    date_text(day, job.time);
    TRY_PREFIX(stamp_check_digest(&seen->stamp, stamp_token(v->links[at].stamp), &v->links[at].root,
                                  &job, err),
               err, last ? "" : "at the time of the next (%s): ", day);
    return check_order(v, at, err);
}

static se_status check_stamps(const struct verification *v, se_error *err)
{
    for (size_t left = v->seen.count; left; left--) {
        const se_status st = check_stamp(v, left - 1, err);

        if (st)
            return blame_stamp(v, left - 1, st, err);
    }
    return SE_OK;
}

/* ---- all of it ---- */

static size_t count_stamps(const struct evidence_record *record)
{
    size_t count = 0;

    for (int i = 0; i < sk_stamp_chain_num(record->chains); i++)
        count += (size_t)sk_archive_stamp_num(sk_stamp_chain_value(record->chains, i));
    return count;
}

static se_status lay_out(struct verification *v, se_error *err)
{
    const size_t count = count_stamps(v->record);
    size_t at = 0;

    v->seen.list = calloc(count, sizeof *v->seen.list);
    v->links = calloc(count, sizeof *v->links);
    if (!v->seen.list || !v->links)
        return error_memory(err);
    v->seen.count = count;
    for (int i = 0; i < sk_stamp_chain_num(v->record->chains); i++) {
        const stamp_chain *chain = sk_stamp_chain_value(v->record->chains, i);

        for (int j = 0; j < sk_archive_stamp_num(chain); j++, at++) {
            v->links[at].stamp = sk_archive_stamp_value(chain, j);
            v->seen.list[at].chain = i;
        }
    }
    return SE_OK;
}

se_status evidence_verify(struct seen_stamps *out, const struct evidence_record *record,
                          const struct evidence_files *files, bool partial,
                          const struct verify_job *job, se_error *err)
{
    AUTO(verification) v = { .record = record, .files = files, .partial = partial, .job = job };

    *out = (struct seen_stamps){ .count = 0 };
    TRY(lay_out(&v, err));
    TRY(check_links(&v, err));
    TRY(check_stamps(&v, err));
    *out = MOVE(v.seen);
    return SE_OK;
}
