/*
 * Walking along entries and seals, in their order, and comparing them.  Two trees grow on the way:
 * one of what the entries hash to now, one of the hashes that were stored with them.  The signed
 * roots say which of the two is right.
 */
#ifndef HISTORY_WALK_H
#define HISTORY_WALK_H

#include "history/findings.h"
#include "history/history.h"
#include "signengine-history.h"

enum { BLOCK = 1 << NODE_STEP, SEALS_AT_ONCE = 512 };

/* Full subtrees of one level that the store has. */
struct nodes {
    unsigned level;
    uint64_t first, count;
    struct hash *list;
    bool *there;
};
void nodes_free(struct nodes *nodes);
AUTO_KIND(nodes, struct nodes, nodes_free(p))

/* Those of `level` that `size` entries have; what is there besides is a finding. */
SE_MUST_CHECK se_status nodes_load(struct nodes *out, struct database *store,
                                   const struct chain *chain, unsigned level,
                                   struct findings *findings, se_error *err);

/* That the levels above that of `nodes` are what follows from them. */
SE_MUST_CHECK se_status nodes_check_above(const struct nodes *nodes, struct database *store,
                                          const struct chain *chain, struct findings *findings,
                                          se_error *err);

/* What the seals say has happened to entries: found before the walk. */
struct erased {
    uint64_t seq, seal;
};
struct events {
    struct erased *erased; /* ascending */
    size_t erased_count, erased_room;
    uint64_t pruned;   /* up to this entry */
    uint64_t resigned; /* the last seal that vouches for older ones */
};

/* Seals of which the signature was checked, and whose roots are compared when the walk comes there.
 */
struct checkpoint {
    uint64_t number, size;
    struct hash root;
};

struct walk {
    struct se_history *h;
    struct database *store;
    const struct chain *chain;
    const struct events *events;
    struct findings *findings;
    bool stops; /* at the first finding */

    /* entries */
    uint64_t next;             /* the one that should come */
    uint64_t last;             /* where the walk ends */
    struct edge now;           /* what the entries are now */
    struct edge stored;        /* what the stored hashes say, once that is something else */
    bool parted;               /* it is */
    struct edge block;         /* `stored` where its last block of 256 began */
    const struct nodes *nodes; /* of level 8 */
    bool lost;    /* neither of the two gives the last root: an entry is missing, or its hash was
                     changed with it */
    bool suspect; /* something was found among the entries since the last seal */
    bool part;    /* what follows the last seal is sealed by others */
    bool tail;    /* there is something that no seal covers */
    uint64_t entries, erased;

    /* seals */
    struct checkpoint seals[SEALS_AT_ONCE];
    size_t seal_count, seal_at;
    uint64_t next_seal, last_seal;
    uint64_t seals_seen;
    uint64_t covered;       /* entries that the last seal covers */
    struct hash last_hash;  /* of the last seal */
    struct seal last_known; /* number 0: none */
    bool last_bad;

    uint64_t total, done;  /* for progress */
    struct shared *shared; /* of walks that go on side by side; NULL: this one is alone */
};

/* Where a walk begins: the tree of what is before, and the seal to begin with. */
struct start {
    struct edge edge;
    uint64_t seal;
};

/* Seals that go with parts of the entries, found before the walk. */
struct survey {
    struct events events;
    uint64_t first, last; /* seal; 0: none */
};
void survey_free(struct survey *survey);
AUTO_KIND(survey, struct survey, survey_free(p))
SE_MUST_CHECK se_status survey_make(struct survey *out, struct database *store,
                                    const struct chain *chain, se_error *err);

/* Signatures of seals before number `first` are not verified: what those say excuses nothing. */
void survey_forget(struct survey *survey, uint64_t first);

/* One walk on the caller's thread, with all that can be said about what is wrong. */
SE_MUST_CHECK se_status walk_alone(struct walk *w, const struct start *start, se_error *err);

/* Sets what a walk begins with; *w is zero but for what it works on. */
SE_MUST_CHECK se_status walk_begin(struct walk *w, const struct start *start, se_error *err);

/* A finding that says all by itself: of an entry or of a seal, and not that trees are not the same.
 */
struct early {
    se_finding what; /* without text: there is none */
    char text[sizeof((se_error *)NULL)->text];
};

/*
 * The same by several threads, which only say whether all is well.  False: it is not, or it is not
 * worth while; walk_alone() finds out, and *early is what can be told at once.  *w is where the
 * last of them ended, if all is well.  SE_ERR_CANCELLED and other failures of the caller's world
 * are told as such.
 */
SE_MUST_CHECK se_status walk_together(bool *good, struct early *early, struct walk *w,
                                      const struct start *start, unsigned threads, se_error *err);

/* The tree of the first `entries`, a multiple of 256, as the stored nodes say.  False: some are
 * missing. */
bool nodes_edge(struct edge *out, const struct nodes *nodes, uint64_t entries);

/* For the walks that go on side by side: false: stop. */
bool shared_step(struct shared *shared, uint64_t entries);
bool shared_stopped(const struct shared *shared);

/* From where walk->next, next_seal, last_hash and the trees stand, to `last` and `last_seal`. */
SE_MUST_CHECK se_status walk_run(struct walk *w, se_error *err);

/* One seal: looks at it as far as it can be looked at alone, and keeps its root for later. */
SE_MUST_CHECK se_status walk_seal(struct walk *w, const struct sealed *sealed, se_error *err);

/* Whether a seal says that the payload of an entry was erased. */
bool erasure_is_sealed(const struct events *events, uint64_t seq);

/* An entry that is not what was stored: says why, as far as that can be found out. */
void walk_diagnose(struct walk *w, const struct row *row);

#endif
