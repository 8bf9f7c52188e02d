/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifying a chain: a scan goes along entries and checkpoints, in their order, and compares them.
 * Two trees grow on the way: one of what the entries hash to now, one of the hashes that were
 * stored with them.  The signed roots say which of the two is right.
 */
#ifndef HISTORY_VERIFICATION_H
#define HISTORY_VERIFICATION_H

#include "history/history.h"
#include "history/subtree.h"

enum { ROOTS_AT_ONCE = 512 };

/* ---- what the checkpoints say, before the scan ---- */

struct erasure {
    uint64_t seq, checkpoint;
};

struct event_scan {
    struct erasure *erasures; /* ascending */
    size_t erasure_count, erasure_room;
    uint64_t pruned;      /* up to this entry */
    uint64_t resigned;    /* the last checkpoint that vouches for older ones */
    uint64_t first, last; /* checkpoint; 0: none */
};
void event_scan_free(struct event_scan *events);
SE_MUST_CHECK se_status scan_events(struct event_scan *out, struct chain_store *store,
                                    const struct chain *chain, se_error *err);

/* Signatures of checkpoints before number `first` are not verified: their events excuse nothing. */
void event_scan_forget(struct event_scan *events, uint64_t first);

/* Whether a checkpoint says that the payload of an entry was erased. */
bool is_erasure_signed(const struct event_scan *events, uint64_t seq);

/* ---- the scan ---- */

/* Of a checkpoint whose signature was checked; the scan compares it when it comes there. */
struct signed_root {
    uint64_t number, size;
    struct hash root;
};

/* Where a scan begins: the tree of what is before, and the checkpoint to begin with. */
struct scan_start {
    struct frontier frontier;
    uint64_t checkpoint;
};

/* What scans side by side share. */
struct scan_progress {
    uint64_t done; /* entries; atomic, like the next */
    bool stop;
};

struct scan {
    se_history *h;
    struct chain_store *store;
    const struct chain *chain;
    const struct event_scan *events;
    struct findings *findings;
    bool stops; /* at the first finding */

    /* entries */
    uint64_t next;                   /* the one that should come */
    uint64_t last;                   /* where the scan ends */
    struct frontier now;             /* what the entries are now */
    struct frontier stored;          /* what the stored hashes say, once that differs */
    bool parted;                     /* it does */
    struct frontier block;           /* `stored` where its last block of 256 began */
    const struct subtrees *subtrees; /* of level 8 */
    bool lost;    /* neither of the two gives the last root: an entry is missing, or its hash was
                     changed with it */
    bool suspect; /* there was a finding among the entries since the last checkpoint */
    bool part;    /* what follows the last checkpoint is covered by later ones */
    bool tail;    /* there is something that no checkpoint covers */
    uint64_t entries, erased;

    /* checkpoints */
    struct signed_root roots[ROOTS_AT_ONCE];
    size_t root_count, root_at;
    uint64_t next_checkpoint, last_checkpoint;
    uint64_t checkpoints;         /* that were looked at */
    uint64_t covered;             /* entries that the last one covers */
    struct hash last_hash;        /* of the last one's note */
    struct checkpoint last_known; /* number 0: none */
    bool last_bad;

    uint64_t total, done;         /* for progress */
    struct scan_progress *shared; /* NULL: this one is alone */
};

/* From `start` to scan->last and last_checkpoint, on the caller's thread, with all that can be said
 * about what is wrong.  *scan is zero but for what it works on. */
SE_MUST_CHECK se_status verify_scan(struct scan *scan, const struct scan_start *start,
                                    se_error *err);

/* One checkpoint: everything but its root, which is kept for later. */
SE_MUST_CHECK se_status verify_checkpoint(struct scan *scan, const struct stored_checkpoint *stored,
                                          se_error *err);

/* A finding that says all by itself: of an entry or of a checkpoint, and not that trees differ. */
struct early_finding {
    se_finding what; /* without text: there is none */
    char text[sizeof((se_error *)NULL)->text];
};

/*
 * The same by several threads, which only say whether all is well.  False: it is not, or threads do
 * not pay; verify_scan() finds out, and *early is what can be reported at once.  If all is well,
 * *scan is where the last of them ended.  SE_ERR_CANCELLED and other failures of the caller's world
 * are returned as such.
 */
SE_MUST_CHECK se_status verify_parallel(bool *good, struct early_finding *early, struct scan *scan,
                                        const struct scan_start *start, unsigned threads,
                                        se_error *err);

/* ---- the whole chain ---- */

/* A verification, and what it knows then of the state that it has seen. */
struct verification {
    se_history *h;
    const se_history_verify_options *options;
    struct chain_store *store; /* in a transaction; NULL: one of its own is opened */
    struct chain_store *own;   /* that one */
    struct chain chain;        /* goes with `store` */
    struct event_scan events;
    struct subtrees subtrees;
    struct findings findings;
    bool vouched; /* signatures of versions that are not configured are taken on trust */
    struct latest latest;
};
void verification_free(struct verification *v);
AUTO_KIND(verification, struct verification, verification_free(p))

/* Verifies all of the chain; a finding is SE_ERR_REJECTED. */
SE_MUST_CHECK se_status verification_require(se_history_report *out, struct verification *v,
                                             se_error *err);

#endif
