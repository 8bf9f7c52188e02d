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

void walk_diagnose(struct walk *w, const struct row *row)
{
    se_finding at = { .kind = SE_FINDING_CHANGED, .first = row->seq };
    uint64_t place = w->findings->count < DIAGNOSES_MOST && !w->stops ? former_place(w, row) : 0;

    if (place) {
        at.kind = SE_FINDING_REORDERED;
        finding_add(w->findings, at, "it is what was entry %ju", (uintmax_t)place);
    } else
        finding_add(w->findings, at, "it is not what was stored: its time, object, payload or hash was changed");
}
