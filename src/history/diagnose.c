/* Where an entry comes from that is not what was sealed in its place. */
#include "history/walk.h"

/* All searches of a verification together: who has changed many entries, or added chains to be
 * searched, keeps nobody from being told. */
enum { FAR = 4096, OFTEN = 64, SEARCHING_MOST = 1000000 };

struct search {
    struct row row; /* as if it had been erased: its leaf is the same, and is made in no time */
    int64_t until;
    unsigned tries;
    bool over;
    struct chain found;
    uint64_t seq; /* 0: not found */
};

static bool goes_on(struct search *s)
{
    if (++s->tries % OFTEN == 0 && findings_clock() > s->until)
        s->over = true;
    return !s->over;
}

static bool was(struct search *s, uint64_t seq, const struct chain_id *id)
{
    struct row there = s->row;
    struct hash leaf;

    there.seq = seq;
    return goes_on(s) && !row_leaf(&leaf, &there, id, NULL) && hash_same(&leaf, &s->row.leaf);
}

/* The number that it was sealed with; 0: it is none of those around. */
static uint64_t former_place(struct search *s, const struct walk *w)
{
    const uint64_t seq = s->row.seq;

    for (uint64_t far = 1; !s->over && far <= FAR; far++) {
        if (seq > far && was(s, seq - far, &w->chain->id))
            return seq - far;
        if (was(s, seq + far, &w->chain->id))
            return seq + far;
    }
    return 0;
}

/* An entry's row names no chain: each of the store's is tried. */
static se_status try_chain(void *arg, const struct chain *chain, se_error *err)
{
    struct search *s = arg;

    for (uint64_t seq = 1; !s->seq && !s->over && seq <= FAR; seq++)
        if (was(s, seq, &chain->id))
            s->seq = seq;
    if (!s->seq && was(s, s->row.seq, &chain->id))
        s->seq = s->row.seq;
    if (s->seq)
        s->found = *chain;
    return s->seq || s->over ? error_set(err, SE_ERR_CANCELLED, "found") : SE_OK;
}

/* False: nothing more can be said than that it is another one. */
static bool search(struct walk *w, struct search *s, const struct hash *commitment)
{
    se_finding at = { .kind = SE_FINDING_REORDERED, .first = s->row.seq };
    uint64_t place;

    s->row.salt = (se_bytes){ "", 0 };
    s->row.payload = hash_bytes(commitment);
    if ((place = former_place(s, w))) {
        finding_add(w->findings, at, "it is what was entry %ju", (uintmax_t)place);
        return true;
    }
    if (!s->over && w->store->type->chains(w->store, try_chain, s, NULL) != SE_ERR_CANCELLED)
        return false;
    at.kind = SE_FINDING_FOREIGN;
    if (s->seq)
        finding_add(w->findings, at, "it is entry %ju of the chain '%s'", (uintmax_t)s->seq,
                    s->found.name);
    return s->seq > 0;
}

void walk_diagnose(struct walk *w, const struct row *row)
{
    const se_finding at = { .kind = SE_FINDING_CHANGED, .first = row->seq };
    int64_t began = findings_clock();
    struct search s = { .row = *row, .until = began + SEARCHING_MOST - w->findings->searched };
    struct hash commitment;
    bool said = !w->stops && began < s.until && !row_commitment(&commitment, row, NULL) &&
                search(w, &s, &commitment);

    w->findings->searched += findings_clock() - began;
    if (row->oversized)
        finding_add(w->findings, at, "it is bigger than an entry can be: it was changed");
    else if (!said)
        finding_add(w->findings, at,
                    "it is not what was stored: its time, object, payload or hash was changed");
}
