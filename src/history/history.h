/* A chain that is open. */
#ifndef HISTORY_HISTORY_H
#define HISTORY_HISTORY_H

#include <pthread.h>

#include "history/database.h"
#include "signengine-history.h"

enum { VERSIONS_MOST = 64 };

/* The last seal that this process has seen and found good. */
struct known {
    uint64_t seals; /* 0: none */
    struct hash hash;
    struct seal seal;
};

struct se_history;

/* A caller that waits for its entries to be sealed, or to be alone with the store. */
struct waiter {
    se_status (*work)(struct se_history *h, void *arg, se_error *err); /* NULL: entries */
    void *arg;
    const se_record *records;
    size_t count;
    int64_t time;
    uint64_t first; /* gets a number */
    bool done, leads;
    se_status status;
    se_error error;
    pthread_cond_t wake; /* each its own: nobody takes another one's turn */
    struct waiter *next;
};

struct queue {
    pthread_mutex_t lock;
    struct waiter *first, *last;
    size_t waiting;
    bool led;           /* somebody works on the store */
    size_t expected;    /* callers that were there lately */
    unsigned gather_us; /* how long a leader may wait for them */
};

struct se_history {
    se_engine *engine;
    char *address, *descriptor;
    char *shown; /* the address without a password */
    char chain[CHAIN_NAME_MOST + 1];
    pid_t process;
    bool dry_run;
    se_progress_fn progress;
    void *progress_arg;

    /* of who leads */
    struct database *store;
    struct known known;

    struct queue queue;

    pthread_mutex_t lock; /* of what follows */
    struct {
        unsigned version;
        se_verifier *verifier;
    } verifiers[VERSIONS_MOST]; /* opened when they are first needed */
    size_t verifier_count;
};

/* SE_ERR_USAGE: in the child of a fork. */
SE_MUST_CHECK se_status history_ours(const struct se_history *h, se_error *err);

/* Of a version, 0 is the highest; kept until the history is closed. */
SE_MUST_CHECK se_status history_verifier(const se_verifier **out, struct se_history *h,
                                         unsigned version, se_error *err);

/* A connection of the caller's own, in a transaction that reads, and the chain. */
SE_MUST_CHECK se_status history_reader(struct database **out, struct chain *chain,
                                       const struct se_history *h, se_error *err);

/* One seal's note.  SE_ERR_REJECTED: it is not there. */
SE_MUST_CHECK se_status history_note(se_buf *out, struct database *store, const struct chain *chain,
                                     uint64_t number, se_error *err);

/* For who leads: a transaction, and the chain as the store has it. */
SE_MUST_CHECK se_status history_lock(struct chain *chain, struct se_history *h,
                                     enum database_mode mode, se_error *err);

/*
 * For who leads: a transaction, and the chain as it is now, of which the last seal is good and does
 * not close it.  history_end() commits if `st` is 0, and `sealed` is known then. Returns `st`, or
 * how that failed.
 */
SE_MUST_CHECK se_status history_begin(struct chain *chain, struct se_history *h,
                                      enum database_mode mode, se_error *err);
SE_MUST_CHECK se_status history_end(struct se_history *h, const struct known *sealed, se_status st,
                                    se_error *err);

/* Signs the chain as it is now, and stores seal and chain.  *out is what is known when the
 * transaction has ended well. */
struct sealing {
    enum seal_event event;
    uint64_t subject;
    int64_t time;
};
SE_MUST_CHECK se_status history_seal(struct known *out, struct se_history *h, struct chain *chain,
                                     const struct sealing *what, se_error *err);

/* The halves of that.  The first one leaves the store alone: another thread may use it meanwhile.
 */
SE_MUST_CHECK se_status seal_make(struct known *out, se_buf *note, struct se_history *h,
                                  const struct chain *chain, const struct sealing *what,
                                  se_error *err);
SE_MUST_CHECK se_status seal_put(struct se_history *h, struct chain *chain,
                                 const struct known *made, se_bytes note, se_error *err);

/* That the chain's last seal is good and covers what the store says, and that what was known is
 * still there; it is known then. */
SE_MUST_CHECK se_status head_check(struct se_history *h, struct database *store,
                                   const struct chain *chain, se_error *err);

/* The last seal, if it is good and covers what the store says. */
SE_MUST_CHECK se_status head_load(struct known *out, struct se_history *h, struct database *store,
                                  const struct chain *chain, se_error *err);

/* What waits becomes the chain's next entries, in one transaction, with a seal. */
SE_MUST_CHECK se_status history_commit(struct se_history *h, struct waiter *waiters, se_error *err);

/* Takes part in the queue: returns when others, or this caller, have done it. */
SE_MUST_CHECK se_status queue_join(struct se_history *h, struct waiter *waiter, se_error *err);

/* The tree of the first `entries`, from stored hashes.  SE_ERR_REJECTED: some are missing. */
SE_MUST_CHECK se_status tree_edge(struct edge *out, struct database *store,
                                  const struct chain *chain, uint64_t entries, se_error *err);

/* The last seal up to number `last` that is older than `time`.  False: there is none, or one can't
 * be read. */
bool seal_before(struct seal *out, struct database *store, const struct chain *chain, uint64_t last,
                 int64_t time);

int64_t micros_now(void);

#endif
