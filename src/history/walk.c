#include "history/walk.h"

static uint64_t block_of(uint64_t entries)
{
    return entries >> NODE_STEP;
}

/* ---- stored nodes ---- */

static const struct hash *node_at(const struct nodes *nodes, uint64_t index)
{
    if (!nodes || index < nodes->first || index - nodes->first >= nodes->count ||
        !nodes->there[index - nodes->first])
        return NULL;
    return &nodes->list[index - nodes->first];
}

/* What has become full is compared with what is stored; higher ones are compared when all are
 * known. */
static void compare_node(void *arg, const struct node *node)
{
    struct walk *w = arg;
    const struct hash *stored = node->level == NODE_STEP ? node_at(w->nodes, node->index) : NULL;

    if (node->level != NODE_STEP || w->lost || w->suspect)
        return;
    if (!stored || !hash_same(stored, &node->hash))
        finding_add(w->findings, (se_finding){ .kind = SE_FINDING_CHANGED },
                    "the stored hash of entries %ju to %ju is %s: the entries are not what is "
                    "wrong, but the store was changed",
                    (uintmax_t)((node->index << NODE_STEP) + 1),
                    (uintmax_t)((node->index + 1) << NODE_STEP),
                    stored ? "another one" : "missing");
}

/* Both trees are the same as long as nothing is wrong: until then there is one. */
static void part(struct walk *w)
{
    if (!w->parted)
        w->stored = w->now;
    w->parted = true;
}

/* At the end of a block of 256 the stored hash of all of them is taken: one that is missing is made
 * good by that. */
static void end_block(struct walk *w, uint64_t block)
{
    const struct hash *stored = node_at(w->nodes, block);

    part(w);
    if (stored && block_of(w->block.size) == block && w->block.size % BLOCK == 0) {
        w->stored = w->block;
        edge_add(&w->stored, NODE_STEP, stored, NULL, NULL);
    }
    if (w->lost)
        w->now = w->stored;
    w->block = w->stored;
    w->parted = !edge_same(&w->now, &w->stored);
}

/* ---- seals ---- */

static void compare(struct walk *w, const struct checkpoint *seal, const struct hash *now,
                    const struct hash *stored)
{
    bool is_now = w->now.size == seal->size && hash_same(now, &seal->root);
    bool is_stored = w->parted && w->stored.size == seal->size && hash_same(stored, &seal->root);
    const se_finding at = {
        .kind = SE_FINDING_CHANGED,
        .first = w->covered + 1,
        .last = seal->size,
        .seal = seal->number,
    };

    if (!is_now && is_stored)
        w->now = w->stored;
    if (is_now || is_stored)
        w->parted = false;
    else if (!w->lost && !w->suspect)
        finding_add(w->findings, at,
                    "not what seal %ju covers: something there was changed, removed or added, and "
                    "its hashes with it",
                    (uintmax_t)seal->number);
    w->lost = !is_now && !is_stored;
}

static se_status reach(struct walk *w, const struct checkpoint *seal, se_error *err)
{
    struct hash now, stored = { { 0 } };
    se_status st;

    if (seal->size >= w->next) {
        bool ends = w->next_seal > w->last_seal;

        finding_add(w->findings,
                    (se_finding){ .kind = ends ? SE_FINDING_TRUNCATED : SE_FINDING_REMOVED,
                                  .first = w->next,
                                  .last = seal->size,
                                  .seal = seal->number },
                    ends ? "missing at the end: seal %ju covers them"
                         : "missing: seal %ju covers them",
                    (uintmax_t)seal->number);
        w->next = seal->size + 1;
        w->lost = w->suspect = true;
    }
    if ((st = edge_root(&now, &w->now, err)) ||
        (w->parted && (st = edge_root(&stored, &w->stored, err))))
        return st;
    if (seal->size >= w->covered)
        compare(w, seal, &now, &stored);
    w->covered = seal->size;
    w->suspect = false;
    return SE_OK;
}

static se_status reach_up_to(struct walk *w, uint64_t entries, se_error *err)
{
    se_status st = SE_OK;

    while (!st && w->seal_at < w->seal_count && w->seals[w->seal_at].size <= entries)
        st = reach(w, &w->seals[w->seal_at++], err);
    return st;
}

/* ---- entries ---- */

static void missing(struct walk *w, uint64_t until)
{
    finding_add(w->findings,
                (se_finding){ .kind = SE_FINDING_REMOVED, .first = w->next, .last = until },
                "missing");
    w->lost = w->suspect = true;
    while (block_of(w->next - 1) < block_of(until) && node_at(w->nodes, block_of(w->next - 1))) {
        end_block(w, block_of(w->next - 1));
        w->next = (block_of(w->next - 1) + 1) * BLOCK + 1;
    }
}

bool erasure_is_sealed(const struct events *events, uint64_t seq)
{
    size_t low = 0, high = events->erased_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (events->erased[middle].seq == seq)
            return true;
        if (events->erased[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static void check_erasure(struct walk *w, const struct row *row)
{
    const se_finding at = { .kind = SE_FINDING_CHANGED, .first = row->seq };
    bool sealed = erasure_is_sealed(w->events, row->seq);

    if (row_erased(row) && !sealed)
        finding_add(w->findings, at, "its payload is gone, and no seal says that it was erased");
    if (!row_erased(row) && sealed)
        finding_add(w->findings, at, "its payload is there, and a seal says that it was erased");
}

static void add(struct walk *w, const struct row *row)
{
    struct hash leaf;
    bool good = !row_leaf(&leaf, row, &w->chain->id, NULL);

    if (!good || !hash_same(&leaf, &row->leaf)) {
        walk_diagnose(w, row);
        w->suspect = true;
        part(w);
    }
    check_erasure(w, row);
    edge_add(&w->now, 0, good ? &leaf : &row->leaf, compare_node, w);
    if (w->parted)
        edge_add(&w->stored, 0, &row->leaf, NULL, NULL);
    w->entries++;
    w->erased += row_erased(row);
    w->next = row->seq + 1;
    if (row->seq % BLOCK == 0)
        end_block(w, block_of(row->seq - 1));
}

enum { OFTEN = 4096 };

static se_status check_end(const struct walk *w, se_error *err)
{
    if (w->shared && shared_stopped(w->shared))
        return error_set(err, SE_ERR_CANCELLED, "stopped");
    return findings_suffice(w->findings)
               ? error_set(err, SE_ERR_REJECTED, "what comes after them was not looked at")
               : SE_OK;
}

static se_status progress(struct walk *w, se_error *err)
{
    const struct se_history *h = w->h;
    se_status st = check_end(w, err);

    if (st || ++w->done % OFTEN)
        return st;
    if (w->shared ? shared_step(w->shared, OFTEN)
                  : !h->progress || h->progress(h->progress_arg, w->done, w->total))
        return SE_OK;
    return error_set(err, SE_ERR_CANCELLED, "stopped");
}

static bool is_tail(const struct walk *w)
{
    return !w->part && w->seal_at == w->seal_count && w->next_seal > w->last_seal;
}

static se_status take_row(void *arg, const struct row *row, se_error *err)
{
    struct walk *w = arg;

    TRY(progress(w, err));
    if (row->seq > w->next && !is_tail(w))
        missing(w, row->seq - 1);
    TRY(reach_up_to(w, row->seq - 1, err));
    if (is_tail(w)) { /* however much that is */
        w->tail = true;
        return SE_ERR_CANCELLED;
    }
    add(w, row);
    return w->stops && w->findings->count ? SE_ERR_REJECTED : SE_OK;
}

/* ---- */

static se_status take_seal(void *arg, const struct sealed *sealed, se_error *err)
{
    struct walk *w = arg;
    se_status st = check_end(w, err);

    if (!st)
        st = walk_seal(w, sealed, err);
    if (!st && w->stops && w->findings->count)
        return SE_ERR_REJECTED;
    return st || w->seal_count < SEALS_AT_ONCE ? st : SE_ERR_CANCELLED;
}

/* Some seals, the entries that they cover, and so on. */
static se_status step(struct walk *w, se_error *err)
{
    const struct database_type *type = w->store->type;
    uint64_t last;
    bool more;
    se_status st = SE_OK;

    w->seal_count = w->seal_at = 0;
    if (w->next_seal <= w->last_seal)
        st = type->seals(w->store, w->chain, w->next_seal, w->last_seal, take_seal, w, err);
    more = st == SE_ERR_CANCELLED && w->seal_count == SEALS_AT_ONCE;
    if (st && !more)
        return st;
    if (!more && w->next_seal <= w->last_seal) {
        finding_add(w->findings, (se_finding){ .kind = SE_FINDING_TRUNCATED, .seal = w->next_seal },
                    "missing, with all up to seal %ju", (uintmax_t)w->last_seal);
        w->next_seal = w->last_seal + 1;
    }
    last = more ? w->seals[w->seal_count - 1].size : w->last;
    if (last >= w->next && (st = type->rows(w->store, w->chain, w->next, last, take_row, w, err)) &&
        !w->tail)
        return st;
    return reach_up_to(w, UINT64_MAX, err);
}

/* The seal before the first one, if it is still there. */
static se_status take_before(void *arg, const struct sealed *sealed, se_error *err)
{
    struct walk *w = arg;
    struct note note;

    w->last_bad = note_parse(&note, sealed->note, NULL) != SE_OK;
    w->last_known = note.seal;
    return note_hash(&w->last_hash, sealed->note, err);
}

se_status walk_begin(struct walk *w, const struct start *start, se_error *err)
{
    w->now = w->block = start->edge;
    w->parted = false;
    w->covered = start->edge.size;
    w->next = start->edge.size + 1;
    w->next_seal = start->seal;
    w->last_bad = true;
    if (start->seal <= 1)
        return SE_OK;
    return w->store->type->seals(w->store, w->chain, start->seal - 1, start->seal - 1, take_before,
                                 w, err);
}

se_status walk_alone(struct walk *w, const struct start *start, se_error *err)
{
    se_status st = walk_begin(w, start, err);

    return st ? st : walk_run(w, err);
}

se_status walk_run(struct walk *w, se_error *err)
{
    se_status st = SE_OK;

    do
        st = step(w, err);
    while (!st && w->next_seal <= w->last_seal);
    return st;
}
