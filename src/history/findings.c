/* SPDX-License-Identifier: Apache-2.0 */
#include "history/findings.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"

enum { SECOND = 1000000 };

const char *se_finding_name(se_finding_kind kind)
{
    static const char *const names[] = {
        [SE_FINDING_UNSEALED] = "unsealed",
        [SE_FINDING_CHANGED] = "changed",
        [SE_FINDING_REMOVED] = "removed",
        [SE_FINDING_INSERTED] = "inserted",
        [SE_FINDING_REORDERED] = "reordered",
        [SE_FINDING_TRUNCATED] = "truncated",
        [SE_FINDING_FOREIGN] = "foreign",
        [SE_FINDING_SIGNATURE] = "signature",
        [SE_FINDING_KEY] = "key",
        [SE_FINDING_VERSION] = "version",
        [SE_FINDING_ROLLED_BACK] = "rolled back",
    };
    size_t i = (size_t)kind;

    return i < sizeof names / sizeof *names ? names[i] : "unknown";
}

bool findings_suffice(const struct findings *f)
{
    return f->count >= FINDINGS_MOST && clock_monotonic_us() - f->since > SECOND;
}

void finding_report(struct findings *f, const se_finding *what)
{
    if (!f->count++) {
        (void)error_set(&f->first, SE_ERR_REJECTED, "%s", what->text);
        f->since = clock_monotonic_us();
    }
    if (f->fn && f->count <= FINDINGS_MOST)
        f->fn(f->arg, what);
}

static int format_place(char *out, size_t room, const se_finding *what)
{
    if (what->first && what->last > what->first)
        return snprintf(out, room, "entries %ju to %ju: ", (uintmax_t)what->first,
                        (uintmax_t)what->last);
    if (what->first)
        return snprintf(out, room, "entry %ju: ", (uintmax_t)what->first);
    if (what->seal)
        return snprintf(out, room, "seal %ju: ", (uintmax_t)what->seal);
    *out = '\0';
    return 0;
}

static bool is_same_place(const se_finding *a, const se_finding *b)
{
    return a->first == b->first && a->last == b->last && a->seal == b->seal;
}

void finding_add(struct findings *f, se_finding what, const char *format, ...)
{
    char text[700];
    size_t used = (size_t)format_place(text, sizeof text, &what);
    se_error clean = SE_ERROR_INIT;
    va_list args;

    if (f->early && is_same_place(&f->earlier, &what)) {
        f->early = false;
        return;
    }
    va_start(args, format);
    (void)vsnprintf(text + used, sizeof text - used, format, args);
    va_end(args);
    (void)error_set(&clean, SE_ERR_REJECTED, "%s", text); /* one line */
    what.text = clean.text;
    finding_report(f, &what);
}

se_status findings_status(const struct findings *f, se_error *err)
{
    const se_status st = f->unknown == f->count ? SE_ERR_NO_DESCRIPTOR : SE_ERR_REJECTED;

    if (!f->count)
        return SE_OK;
    if (f->count == 1)
        return error_set(err, st, "%s", f->first.text);
    return error_set(err, st, "%ju findings; the first: %s", (uintmax_t)f->count, f->first.text);
}

/* ---- where an entry comes from that is not what was sealed in its place ---- */

/* The time is that of all searches of a verification together: many changed entries, or chains that
 * were added to be searched, must not keep the findings back. */
enum { FAR = 4096, CLOCK_EVERY = 64, SEARCHING_MOST = SECOND };

struct origin_search {
    struct row row; /* as if it had been erased: its leaf is the same, and is made in no time */
    int64_t until;
    unsigned tries;
    bool over;
    struct chain found;
    uint64_t seq; /* 0: not found */
};

static bool was_entry(struct origin_search *s, uint64_t seq, const struct chain_id *id)
{
    struct row there = s->row;
    struct hash leaf;

    if (++s->tries % CLOCK_EVERY == 0 && clock_monotonic_us() > s->until)
        s->over = true;
    there.seq = seq;
    return !s->over && !entry_leaf(&leaf, &there, id, NULL) && hash_equal(&leaf, &s->row.leaf);
}

/* The number that it was sealed with; 0: it is none of those around. */
static uint64_t find_former_place(struct origin_search *s, const struct chain *chain)
{
    const uint64_t seq = s->row.seq;

    for (uint64_t far = 1; !s->over && far <= FAR; far++) {
        if (seq > far && was_entry(s, seq - far, &chain->id))
            return seq - far;
        if (was_entry(s, seq + far, &chain->id))
            return seq + far;
    }
    return 0;
}

/* An entry's row names no chain: each of the store's is tried. */
static se_status search_chain(void *arg, const struct chain *chain, se_error *err)
{
    struct origin_search *s = arg;

    for (uint64_t seq = 1; !s->seq && !s->over && seq <= FAR; seq++)
        if (was_entry(s, seq, &chain->id))
            s->seq = seq;
    if (!s->seq && was_entry(s, s->row.seq, &chain->id))
        s->seq = s->row.seq;
    if (s->seq)
        s->found = *chain;
    return s->seq || s->over ? error_set(err, SE_ERR_CANCELLED, "found") : SE_OK;
}

/* False: nothing more can be said than that it is another one. */
static bool add_origin(struct findings *f, struct origin_search *s, struct chain_store *store,
                       const struct chain *chain)
{
    se_finding at = { .kind = SE_FINDING_REORDERED, .first = s->row.seq };
    uint64_t place = find_former_place(s, chain);

    if (place) {
        finding_add(f, at, "it is what was entry %ju", (uintmax_t)place);
        return true;
    }
    if (!s->over && store->type->read_chains(store, search_chain, s, NULL) != SE_ERR_CANCELLED)
        return false;
    at.kind = SE_FINDING_FOREIGN;
    if (s->seq)
        finding_add(f, at, "it is entry %ju of the chain '%s'", (uintmax_t)s->seq, s->found.name);
    return s->seq > 0;
}

void finding_add_changed(struct findings *f, const struct row *row, struct chain_store *store,
                         const struct chain *chain)
{
    const se_finding at = { .kind = SE_FINDING_CHANGED, .first = row->seq };
    int64_t began = clock_monotonic_us();
    struct origin_search s = { .row = *row, .until = began + SEARCHING_MOST - f->searched };
    struct hash commitment;
    bool said = false;

    if (store && began < s.until && !entry_commitment(&commitment, row, NULL)) {
        s.row.salt = (se_bytes){ "", 0 };
        s.row.payload = hash_bytes(&commitment);
        said = add_origin(f, &s, store, chain);
    }
    f->searched += clock_monotonic_us() - began;
    if (row->oversized)
        finding_add(f, at, "it is bigger than an entry can be: it was changed");
    else if (!said)
        finding_add(f, at,
                    "it is not what was stored: its time, object, payload or hash was changed");
}
