/* SPDX-License-Identifier: Apache-2.0 */
#include "history/verification.h"

static uint64_t block_index(uint64_t entries)
{
    return entries >> SUBTREE_STEP;
}

/* ---- the two trees ---- */

/* What has become full is compared with what is stored; higher subtrees are compared when all are
 * known. */
static void compare_subtree(void *arg, const struct subtree *subtree)
{
    struct scan *scan = arg;
    const struct hash *stored;

    if (subtree->level != SUBTREE_STEP || scan->lost || scan->suspect)
        return;
    stored = subtree_at(scan->subtrees, subtree->index);
    if (!stored || !hash_equal(stored, &subtree->hash))
        finding_add(scan->findings, (se_finding){ .kind = SE_FINDING_CHANGED },
                    "the stored hash of entries %ju to %ju is %s: the entries are not what is "
                    "wrong, but the store was changed",
                    (uintmax_t)((subtree->index << SUBTREE_STEP) + 1),
                    (uintmax_t)((subtree->index + 1) << SUBTREE_STEP),
                    stored ? "another one" : "missing");
}

/* Both trees are the same as long as nothing is wrong: until then there is one. */
static void part_trees(struct scan *scan)
{
    if (!scan->parted)
        scan->stored = scan->now;
    scan->parted = true;
}

/* At the end of a block of 256 the stored hash of all of them is taken, which makes up for one that
 * is missing. */
static void end_block(struct scan *scan, uint64_t block)
{
    const struct hash *stored = subtree_at(scan->subtrees, block);

    part_trees(scan);
    if (stored && block_index(scan->block.size) == block && scan->block.size % BLOCK == 0) {
        scan->stored = scan->block;
        frontier_add(&scan->stored, SUBTREE_STEP, stored, NULL, NULL);
    }
    if (scan->lost)
        scan->now = scan->stored;
    scan->block = scan->stored;
    scan->parted = !frontier_equal(&scan->now, &scan->stored);
}

/* ---- signed roots ---- */

static void compare_roots(struct scan *scan, const struct signed_root *root, const struct hash *now,
                          const struct hash *stored)
{
    bool is_now = scan->now.size == root->size && hash_equal(now, &root->root);
    bool is_stored =
        scan->parted && scan->stored.size == root->size && hash_equal(stored, &root->root);
    const se_finding at = {
        .kind = SE_FINDING_CHANGED,
        .first = scan->covered + 1,
        .last = root->size,
        .seal = root->number,
    };

    if (!is_now && is_stored)
        scan->now = scan->stored;
    if (is_now || is_stored)
        scan->parted = false;
    else if (!scan->lost && !scan->suspect)
        finding_add(scan->findings, at,
                    "not what seal %ju covers: something there was changed, removed or added, and "
                    "its hashes with it",
                    (uintmax_t)root->number);
    scan->lost = !is_now && !is_stored;
}

static void report_missing_covered(struct scan *scan, const struct signed_root *root)
{
    bool ends = scan->next_checkpoint > scan->last_checkpoint;
    const se_finding at = {
        .kind = ends ? SE_FINDING_TRUNCATED : SE_FINDING_REMOVED,
        .first = scan->next,
        .last = root->size,
        .seal = root->number,
    };

    finding_add(scan->findings, at,
                ends ? "missing at the end: seal %ju covers them" : "missing: seal %ju covers them",
                (uintmax_t)root->number);
    scan->next = root->size + 1;
    scan->lost = scan->suspect = true;
}

static se_status reach_root(struct scan *scan, const struct signed_root *root, se_error *err)
{
    struct hash now, stored = { { 0 } };

    if (root->size >= scan->next)
        report_missing_covered(scan, root);
    TRY(frontier_root(&now, &scan->now, err));
    if (scan->parted)
        TRY(frontier_root(&stored, &scan->stored, err));
    if (root->size >= scan->covered)
        compare_roots(scan, root, &now, &stored);
    scan->covered = root->size;
    scan->suspect = false;
    return SE_OK;
}

static se_status reach_roots(struct scan *scan, uint64_t entries, se_error *err)
{
    while (scan->root_at < scan->root_count && scan->roots[scan->root_at].size <= entries)
        TRY(reach_root(scan, &scan->roots[scan->root_at++], err));
    return SE_OK;
}

/* ---- entries ---- */

static void report_missing_entries(struct scan *scan, uint64_t until)
{
    finding_add(scan->findings,
                (se_finding){ .kind = SE_FINDING_REMOVED, .first = scan->next, .last = until },
                "missing");
    scan->lost = scan->suspect = true;
    for (uint64_t block = block_index(scan->next - 1);
         block < block_index(until) && subtree_at(scan->subtrees, block); block++) {
        end_block(scan, block);
        scan->next = (block + 1) * BLOCK + 1;
    }
}

static void check_erasure(struct scan *scan, const struct row *row)
{
    const se_finding at = { .kind = SE_FINDING_CHANGED, .first = row->seq };
    bool is_signed = is_erasure_signed(scan->events, row->seq);

    if (entry_erased(row) && !is_signed)
        finding_add(scan->findings, at, "its payload is gone, and no seal says that it was erased");
    if (!entry_erased(row) && is_signed)
        finding_add(scan->findings, at, "its payload is there, and a seal says that it was erased");
}

static void add_entry(struct scan *scan, const struct row *row)
{
    struct hash leaf;
    bool good = !entry_leaf(&leaf, row, &scan->chain->id, NULL);

    if (!good || !hash_equal(&leaf, &row->leaf)) {
        finding_add_changed(scan->findings, row, scan->stops ? NULL : scan->store, scan->chain);
        scan->suspect = true;
        part_trees(scan);
    }
    check_erasure(scan, row);
    frontier_add(&scan->now, 0, good ? &leaf : &row->leaf, compare_subtree, scan);
    if (scan->parted)
        frontier_add(&scan->stored, 0, &row->leaf, NULL, NULL);
    scan->entries++;
    scan->erased += entry_erased(row);
    scan->next = row->seq + 1;
    if (row->seq % BLOCK == 0)
        end_block(scan, block_index(row->seq - 1));
}

enum { PROGRESS_EVERY = 4096 };

static se_status check_stop(const struct scan *scan, se_error *err)
{
    if (scan->shared && __atomic_load_n(&scan->shared->stop, __ATOMIC_RELAXED))
        return error_set(err, SE_ERR_CANCELLED, "stopped");
    return findings_suffice(scan->findings)
               ? error_set(err, SE_ERR_REJECTED, "what comes after them was not looked at")
               : SE_OK;
}

/* Scans side by side count together; their caller reports it. */
static se_status report_scan_progress(struct scan *scan, se_error *err)
{
    const se_history *h = scan->h;

    TRY(check_stop(scan, err));
    if (++scan->done % PROGRESS_EVERY)
        return SE_OK;
    if (scan->shared)
        __atomic_add_fetch(&scan->shared->done, PROGRESS_EVERY, __ATOMIC_RELAXED);
    else if (h->progress && !h->progress(h->progress_arg, scan->done, scan->total))
        return error_set(err, SE_ERR_CANCELLED, "stopped");
    return SE_OK;
}

static bool is_tail(const struct scan *scan)
{
    return !scan->part && scan->root_at == scan->root_count &&
           scan->next_checkpoint > scan->last_checkpoint;
}

static se_status scan_row(void *arg, const struct row *row, se_error *err)
{
    struct scan *scan = arg;

    TRY(report_scan_progress(scan, err));
    if (row->seq > scan->next && !is_tail(scan))
        report_missing_entries(scan, row->seq - 1);
    TRY(reach_roots(scan, row->seq - 1, err));
    if (is_tail(scan)) { /* however much that is */
        scan->tail = true;
        return SE_ERR_CANCELLED;
    }
    add_entry(scan, row);
    return scan->stops && scan->findings->count ? SE_ERR_REJECTED : SE_OK;
}

/* ---- checkpoints and entries in turn ---- */

static se_status scan_checkpoint(void *arg, const struct stored_checkpoint *stored, se_error *err)
{
    struct scan *scan = arg;

    TRY(check_stop(scan, err));
    TRY(verify_checkpoint(scan, stored, err));
    if (scan->stops && scan->findings->count)
        return SE_ERR_REJECTED;
    return scan->root_count < ROOTS_AT_ONCE ? SE_OK : SE_ERR_CANCELLED;
}

/* Some checkpoints, the entries that they cover, and so on. */
static se_status scan_some(struct scan *scan, se_error *err)
{
    const struct chain_store_type *type = scan->store->type;
    uint64_t last;
    bool more;
    se_status st = SE_OK;

    scan->root_count = scan->root_at = 0;
    if (scan->next_checkpoint <= scan->last_checkpoint)
        st = type->read_checkpoints(
            scan->store,
            &(struct range){ scan->chain, scan->next_checkpoint, scan->last_checkpoint },
            scan_checkpoint, scan, err);
    more = st == SE_ERR_CANCELLED && scan->root_count == ROOTS_AT_ONCE;
    if (st && !more)
        return st;
    if (!more && scan->next_checkpoint <= scan->last_checkpoint) {
        finding_add(scan->findings,
                    (se_finding){ .kind = SE_FINDING_TRUNCATED, .seal = scan->next_checkpoint },
                    "missing, with all up to seal %ju", (uintmax_t)scan->last_checkpoint);
        scan->next_checkpoint = scan->last_checkpoint + 1;
    }
    last = more ? scan->roots[scan->root_count - 1].size : scan->last;
    if (last >= scan->next) {
        st = type->read_rows(scan->store, &(struct range){ scan->chain, scan->next, last },
                             scan_row, scan, err);
        if (st && !scan->tail)
            return st;
    }
    return reach_roots(scan, UINT64_MAX, err);
}

/* The checkpoint before the first one, if it is still there. */
static se_status take_preceding(void *arg, const struct stored_checkpoint *stored, se_error *err)
{
    struct scan *scan = arg;
    struct signed_note note;

    scan->last_bad = signed_note_parse(&note, stored->note, NULL) != SE_OK;
    scan->last_known = note.checkpoint;
    return signed_note_hash(&scan->last_hash, stored->note, err);
}

static se_status begin_scan(struct scan *scan, const struct scan_start *start, se_error *err)
{
    const uint64_t preceding = start->checkpoint - 1;

    scan->now = scan->block = start->frontier;
    scan->covered = start->frontier.size;
    scan->next = start->frontier.size + 1;
    scan->next_checkpoint = start->checkpoint;
    scan->last_bad = true;
    if (start->checkpoint <= 1)
        return SE_OK;
    return scan->store->type->read_checkpoints(scan->store,
                                               &(struct range){ scan->chain, preceding, preceding },
                                               take_preceding, scan, err);
}

se_status verify_scan(struct scan *scan, const struct scan_start *start, se_error *err)
{
    TRY(begin_scan(scan, start, err));
    do
        TRY(scan_some(scan, err));
    while (scan->next_checkpoint <= scan->last_checkpoint);
    return SE_OK;
}
