/* Where an entry comes from that is not what was sealed in its place. */
#include "history/walk.h"

enum { FAR = 4096, DIAGNOSES_MOST = 200 };

static bool was(const struct row *row, uint64_t seq, const struct chain_id *id)
{
    struct row there = *row;
    struct hash leaf;

    there.seq = seq;
    return !row_leaf(&leaf, &there, id, NULL) && hash_same(&leaf, &row->leaf);
}

/* The number that it was sealed with; 0: it is none of those around. */
static uint64_t former_place(const struct walk *w, const struct row *row)
{
    for (uint64_t far = 1; far <= FAR; far++) {
        if (row->seq > far && was(row, row->seq - far, &w->chain->id))
            return row->seq - far;
        if (was(row, row->seq + far, &w->chain->id))
            return row->seq + far;
    }
    return 0;
}

/* An entry's row names no chain: each of the store's is tried. */
struct search {
    const struct row *row;
    struct chain found;
    uint64_t seq; /* 0: not found */
};

static se_status try_chain(void *arg, const struct chain *chain, se_error *err)
{
    struct search *s = arg;

    (void)err;
    for (uint64_t seq = 1; !s->seq && seq <= FAR; seq++)
        if (was(s->row, seq, &chain->id)) {
            s->found = *chain;
            s->seq = seq;
        }
    if (!s->seq && was(s->row, s->row->seq, &chain->id)) {
        s->found = *chain;
        s->seq = s->row->seq;
    }
    return SE_OK;
}

void walk_diagnose(struct walk *w, const struct row *row)
{
    const struct database_type *type = w->store->type;
    se_finding at = { .kind = SE_FINDING_CHANGED, .first = row->seq };
    bool searched = w->findings->count < DIAGNOSES_MOST && !w->stops;
    uint64_t place = searched ? former_place(w, row) : 0;
    struct search s = { .row = row };

    if (place) {
        at.kind = SE_FINDING_REORDERED;
        finding_add(w->findings, at, "it is what was entry %ju", (uintmax_t)place);
    } else if (searched && !type->chains(w->store, try_chain, &s, NULL) && s.seq) {
        at.kind = SE_FINDING_FOREIGN;
        finding_add(w->findings, at, "it is entry %ju of the chain '%s'", (uintmax_t)s.seq, s.found.name);
    } else
        finding_add(w->findings, at, "it is not what was stored: its time, object, payload or hash was changed");
}
