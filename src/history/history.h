/* SPDX-License-Identifier: Apache-2.0 */
/* A chain that is open, and the checkpoints that this process makes and knows. */
#ifndef HISTORY_HISTORY_H
#define HISTORY_HISTORY_H

#include <pthread.h>

#include "history/store.h"
#include "signengine-history.h"

enum { VERSIONS_MOST = 64 };

/* The latest checkpoint that this process has seen and found good; number 0: none. */
struct latest {
    struct checkpoint checkpoint;
    struct hash hash; /* of its note */
};

/* A caller that waits for its entries to be covered by a checkpoint, or to be alone with the
 * store. */
struct queued_call {
    se_status (*work)(se_history *h, void *arg, se_error *err); /* NULL: entries */
    void *arg;
    const se_record *records;
    size_t count;
    const struct append_key *key; /* NULL: none */
    int64_t time;
    uint64_t first;                 /* gets a number */
    bool answered;                  /* by its key: it has no entries of its own */
    const struct queued_call *twin; /* has the same key, and its entries may be this one's */
    bool done, leads;
    se_error error;
    pthread_cond_t wake; /* each its own: nobody takes another one's turn */
    struct queued_call *next;
};

struct commit_queue {
    pthread_mutex_t lock;
    struct queued_call *first, *last;
    size_t waiting;
    bool led;           /* one of the callers works on the store */
    size_t expected;    /* callers that were there lately */
    unsigned gather_us; /* how long a leader may wait for them */
};

struct se_history {
    se_engine *engine; /* as it was when the history was opened */
    const struct chain_store_type *type;
    char *uri, *descriptor;
    char *shown; /* the URI without a password */
    char chain[CHAIN_NAME_MOST + 1];
    pid_t process;
    bool dry_run;
    se_progress_fn progress;
    void *progress_arg;

    /* the leader's */
    struct chain_store *store;
    struct latest latest;

    struct commit_queue queue;

    pthread_mutex_t lock; /* of what follows */
    struct {
        unsigned version;
        se_verifier *verifier;
    } verifiers[VERSIONS_MOST]; /* opened when they are first needed */
    size_t verifier_count;
};

/* ---- history.c ---- */

/* SE_ERR_USAGE: in the child of a fork. */
SE_MUST_CHECK se_status history_check_process(const se_history *h, se_error *err);

/* A connection of the caller's own, in a transaction that reads, and the chain. */
SE_MUST_CHECK se_status history_open_reader(struct chain_store **out, struct chain *chain,
                                            const se_history *h, se_error *err);

/* A connection in a transaction that reads.  SE_ERR_USAGE: there are no such stores. */
SE_MUST_CHECK se_status history_open_store(struct chain_store **out, const char *uri,
                                           se_error *err);

/* For the leader: a transaction, and the chain as the store has it. */
SE_MUST_CHECK se_status history_lock_chain(struct chain *chain, se_history *h, enum store_mode mode,
                                           se_error *err);

/*
 * For the leader: a transaction, and the chain as it is now, of which the latest checkpoint is good
 * and does not close it.  history_commit() ends it: it commits if `st` is 0, and `made` is the
 * latest checkpoint then.  Returns `st`, or how that failed.
 */
SE_MUST_CHECK se_status history_begin(struct chain *chain, se_history *h, enum store_mode mode,
                                      se_error *err);
SE_MUST_CHECK se_status history_commit(se_history *h, const struct latest *made, se_status st,
                                       se_error *err);

/* Random bytes of the system. */
SE_MUST_CHECK se_status random_fill(unsigned char *out, size_t size, se_error *err);

/* ---- checkpoint.c ---- */

/* Of a version of the descriptor; kept until the history is closed. */
SE_MUST_CHECK se_status checkpoint_verifier(const se_verifier **out, se_history *h,
                                            unsigned version, se_error *err);

/* False: it belongs to another chain, or to another one of that name. */
bool is_checkpoint_of(const struct checkpoint *checkpoint, const struct chain *chain);

/* One checkpoint's note.  SE_ERR_REJECTED: it is not there. */
SE_MUST_CHECK se_status checkpoint_read(se_buf *out, struct chain_store *store,
                                        const struct chain *chain, uint64_t number, se_error *err);

/*
 * Signs the chain as it is now; event, subject and time of out->checkpoint are the caller's.  It
 * leaves the store alone: another thread may use it meanwhile.
 */
SE_MUST_CHECK se_status checkpoint_sign(struct latest *out, se_buf *note, se_history *h,
                                        const struct chain *chain, se_error *err);

/* Stores a signed one, and the chain. */
SE_MUST_CHECK se_status checkpoint_store(se_history *h, struct chain *chain,
                                         const struct latest *made, se_bytes note, se_error *err);

/* Both. */
SE_MUST_CHECK se_status checkpoint_append(struct latest *out, se_history *h, struct chain *chain,
                                          se_error *err);

/* The latest checkpoint, if it is good and covers what the store says. */
SE_MUST_CHECK se_status latest_load(struct latest *out, se_history *h, struct chain_store *store,
                                    const struct chain *chain, se_error *err);

/* Likewise, and that the one that was known is still there; it is known then. */
SE_MUST_CHECK se_status latest_check(se_history *h, struct chain_store *store,
                                     const struct chain *chain, se_error *err);

/* The last one up to number `last` that is older than `time`.  False: there is none, or one can't
 * be read. */
bool checkpoint_before(struct checkpoint *out, struct chain_store *store, const struct chain *chain,
                       uint64_t last, int64_t time);

/* ---- idempotency.c ---- */

/* The key that `params` give, with the digest of the call's records; call->key stays NULL where
 * they give none.  It borrows from `params`. */
SE_MUST_CHECK se_status append_key_read(struct append_key *out, struct queued_call *call,
                                        const se_history_append_params *params, se_error *err);

/* The next call, from this one on, whose entries are to be appended. */
struct queued_call *next_appending(struct queued_call *calls);

/* For the leader: history_begin() for a group, of which it answers the calls whose keys are there
 * already, or come twice. */
SE_MUST_CHECK se_status append_keys_begin(struct chain *chain, se_history *h,
                                          struct queued_call *calls, se_error *err);

/* Stores the keys of what is appended. */
SE_MUST_CHECK se_status append_keys_store(se_history *h, const struct chain *chain,
                                          struct queued_call *calls, se_error *err);

/* ---- group_commit.c ---- */

/* Takes part in the queue: returns when others, or this caller, have done it. */
SE_MUST_CHECK se_status commit_queue_join(se_history *h, struct queued_call *call, se_error *err);

#endif
