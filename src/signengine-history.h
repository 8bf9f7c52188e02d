/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signengine-history.h: an object history that shows what was changed, removed or added.
 *
 * Link with libsignengine-history. What signengine.h says of threads, errors, ownership and units
 * holds here too.
 */
#ifndef SIGNENGINE_HISTORY_H
#define SIGNENGINE_HISTORY_H

#include <signengine.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A chain of entries in a database, and seals over them (doc/formats.md): what is changed, removed,
 * added or put in another order shows.
 *
 * Threads: any number of threads may use one se_history; se_history_close() must be the last call
 * on it.
 *
 * Forks: the child of a fork must not use a history of its parent, nor close it; its calls fail
 * with SE_ERR_USAGE. It opens its own.
 *
 * Stores: "sqlite:PATH", and "postgresql://..." (libpq's connection URI) where that was built in.
 * Other processes may use the same chain. Objects and payloads come out as they were put in: any
 * bytes.
 */
typedef struct se_history se_history;

typedef struct se_history_options {
    size_t size;            /* sizeof(se_history_options), set by SE_HISTORY_OPTIONS_INIT */
    const char *chain;      /* letters, digits, '.', '-', '_'; 64 at the most; NULL: "default" */
    const char *descriptor; /* whose key seals; NULL: "ObjectHistorySigner" */
    bool inspect; /* for verifying and reading: a chain that is not good is opened all the same */
    se_progress_fn progress; /* of verifying and other long jobs; may be NULL */
    void *progress_arg;
    bool dry_run; /* erasing, pruning, signing anew and ending do everything but that: nothing is
                     changed, nothing is made or appended, and nobody waits */
} se_history_options;
#define SE_HISTORY_OPTIONS_INIT                                                                    \
    {                                                                                              \
        sizeof(se_history_options), NULL, NULL, false, NULL, NULL, false                           \
    }

/*
 * Makes a chain, and its first seal; the store too, if it is not there. `options` may be NULL.
 * SE_ERR_USAGE: the chain is there already.
 */
SE_MUST_CHECK se_status se_history_create(se_engine *engine, const char *store,
                                          const se_history_options *options, se_error *error);

/*
 * Opens a chain. The engine has to outlive it; *out keeps the engine as it is now, whatever
 * se_reload() does later. The caller closes *out.
 * SE_ERR_CONFIG: the configuration lacks the key of the last seal, which is named. SE_ERR_REJECTED:
 * the last seal is not good.
 */
SE_MUST_CHECK se_status se_history_open(se_history **out, se_engine *engine, const char *store,
                                        const se_history_options *options, se_error *error);
void se_history_close(se_history **history); /* accepts NULL and a pointer to NULL */

/* What a store says of a chain; se_history_verify() tells whether that is true. */
typedef struct se_history_chain {
    const char *name;     /* lasts for the call only */
    uint64_t first, last; /* entries that are there; `last` is below `first`: none */
    uint64_t seals;       /* how many there were ever */
    bool damaged;         /* some of this could not be read */
} se_history_chain;
typedef bool (*se_history_chain_fn)(void *arg, const se_history_chain *chain); /* false: no more */

/* The chains of a store, in the order in which they were made. */
SE_MUST_CHECK se_status se_history_chains(const char *store, se_history_chain_fn fn, void *arg,
                                          se_error *error);

/* Seals of a chain, one behind the other, that one version of a descriptor has made, as they say.
 * Strings last for the call only. */
typedef struct se_history_seals {
    const char *chain, *descriptor;
    unsigned version;
    uint64_t first, last;      /* their numbers */
    bool vouched;              /* a later seal, of se_history_resign(), vouches for all of them */
    int64_t first_us, last_us; /* when those two say that they were made, since 1970 */
} se_history_seals;
typedef bool (*se_history_seals_fn)(void *arg, const se_history_seals *seals); /* false: no more */

/*
 * Who has sealed the chains of a store, in their order; `chain` NULL: of all. Nothing is verified.
 * SE_ERR_USAGE: there is no such chain. SE_ERR_REJECTED: a seal can't be read.
 */
SE_MUST_CHECK se_status se_history_sealers(const char *store, const char *chain,
                                           se_history_seals_fn fn, void *arg, se_error *error);

/* Something to remember. */
typedef struct se_record {
    se_bytes object;  /* what it is about: a person, a card ...; up to 1,000 bytes */
    se_bytes payload; /* what happened to it; up to 16 MB */
} se_record;

/*
 * Returns when the entry is stored and a signature covers it. What is appended at the same time by
 * other threads is sealed by the same signature. *seq (may be NULL): its number in the chain,
 * from 1. After a failure the entry is not there; but when the connection to a database broke at
 * the very moment, and it can't be asked, the text of SE_ERR_UNAVAILABLE says so. That is also the
 * status where another process holds the chain for 30 s (PostgreSQL: unless the role or the
 * database has a lock_timeout of its own).
 */
SE_MUST_CHECK se_status se_history_append(uint64_t *seq, se_history *history, se_bytes object,
                                          se_bytes payload, se_error *error);

typedef struct se_history_append_params {
    size_t size; /* sizeof(se_history_append_params), set by SE_HISTORY_APPEND_PARAMS_INIT */
    const char *idempotency_key; /* 1 to 64 visible ASCII characters; NULL: none */
    const char
        *caller; /* whose key it is: 1 to 200 bytes of UTF-8 without control characters; NULL:
                    "". The keys of different callers are different. */
} se_history_append_params;
#define SE_HISTORY_APPEND_PARAMS_INIT                                                              \
    {                                                                                              \
        sizeof(se_history_append_params), NULL, NULL                                               \
    }

/* What came of it. */
typedef struct se_history_appended {
    uint64_t first, count; /* entries; `first`: number of the first of them */
    bool repeated;         /* they were there already: the key had been used for them */
} se_history_appended;

/*
 * The same for `count` entries: all of them or none, under one signature. `out` and `params` may be
 * NULL.
 *
 * Who did not get the answer asks again with the same idempotency key, from whatever process or
 * host: the same records are not appended twice, and the answer is that of the first time. Keys are
 * kept in the store, for 7 days at least. SE_ERR_USAGE: the key was used for other records, or some
 * of the entries were erased or dropped since. SE_ERR_REJECTED: the entries of the key are not what
 * was asked for then: somebody has changed the store. SE_ERR_ACCESS: the store is older than keys,
 * and this role of the database may not add the table for them; the text says who has to.
 */
SE_MUST_CHECK se_status se_history_append_many(se_history_appended *out, se_history *history,
                                               const se_record *records, size_t count,
                                               const se_history_append_params *params,
                                               se_error *error);

/* The last seal, if it is good, as text. Kept elsewhere, it shows later that nothing older was put
 * back. */
SE_MUST_CHECK se_status se_history_head(se_buf *out, se_history *history, se_error *error);

typedef enum se_finding_kind {
    SE_FINDING_UNSEALED = 0, /* there is no seal over it */
    SE_FINDING_CHANGED,      /* an entry or a seal is not what was sealed */
    SE_FINDING_REMOVED,      /* entries or seals are missing in the middle */
    SE_FINDING_INSERTED,     /* something is there that was not sealed */
    SE_FINDING_REORDERED,    /* an entry that was sealed in another place */
    SE_FINDING_TRUNCATED,    /* entries or seals are missing at the end */
    SE_FINDING_FOREIGN,      /* of another chain */
    SE_FINDING_SIGNATURE,    /* a seal's signature is not good */
    SE_FINDING_KEY,          /* a seal was made with another key, or its key is not configured */
    SE_FINDING_VERSION,      /* a seal's version is lower than that of the seal before it */
    SE_FINDING_ROLLED_BACK,  /* the head that was kept elsewhere is not in the chain */
} se_finding_kind;

/* One word for a kind, as "rolled back"; never NULL. */
const char *se_finding_name(se_finding_kind kind);

/* What is wrong, and where. Strings last for the call only. */
typedef struct se_finding {
    se_finding_kind kind;
    uint64_t first, last; /* entries that it is about; 0: none */
    uint64_t seal;        /* the seal that it is about; 0: none */
    const char *text;     /* one line that says all of that */
} se_finding;
typedef void (*se_finding_fn)(void *arg, const se_finding *finding);

typedef struct se_history_verify_options {
    size_t size; /* sizeof(se_history_verify_options), set by SE_HISTORY_VERIFY_OPTIONS_INIT */
    se_finding_fn finding; /* called for each finding, on the caller's thread; may be NULL */
    void *finding_arg;
    se_bytes head;   /* a seal that was kept elsewhere (se_history_head()): the chain has to contain
                        it; empty: none */
    unsigned months; /* only what is not older; below 12 is 12; 0: everything */
    unsigned threads; /* 0: one for each processor */
} se_history_verify_options;
#define SE_HISTORY_VERIFY_OPTIONS_INIT                                                             \
    {                                                                                              \
        sizeof(se_history_verify_options), NULL, NULL, { NULL, 0 }, 0, 0                           \
    }

/* What was verified. */
typedef struct se_history_report {
    uint64_t first, entries; /* number of the first entry that was looked at, and how many */
    uint64_t erased;         /* of them, without payload */
    uint64_t seals;          /* that were looked at */
    uint64_t findings;
    bool pruned; /* entries were dropped by se_history_prune() */
    bool closed; /* the last seal closes the chain */
} se_history_report;

/*
 * Verifies the chain from its entries to its seals. Public keys suffice. `out` and `options` may
 * be NULL. SE_ERR_REJECTED: there are findings; the error has the first. SE_ERR_NO_DESCRIPTOR: all
 * of them are seals of versions that are not configured here.
 */
SE_MUST_CHECK se_status se_history_verify(se_history_report *out, se_history *history,
                                          const se_history_verify_options *options,
                                          se_error *error);

/*
 * ---- maintenance ----
 *
 * Each of these verifies the whole chain first, while nobody can append to it. SE_ERR_REJECTED: it
 * is not good; nothing was changed.
 */

/* The payload of an entry goes, for good; the chain still verifies, and a seal says that it was
 * erased. */
SE_MUST_CHECK se_status se_history_erase(se_history *history, uint64_t seq, se_error *error);

/*
 * Drops the entries, and the seals over them, that were sealed before `before`, and keeps what
 * proves what they were: the roots of their subtrees, and the seal that covers them. *dropped (may
 * be NULL): up to which entry. SE_ERR_USAGE: `before` is yet to come.
 */
SE_MUST_CHECK se_status se_history_prune(uint64_t *dropped, se_history *history, int64_t before,
                                         se_error *error);

/*
 * Repair: verifies a chain whose old keys are not configured any more, except for the signatures
 * that they made, and seals it with the newest key, which vouches for all before it from then on.
 * The history may have been opened with `inspect`.
 */
SE_MUST_CHECK se_status se_history_resign(se_history *history, se_error *error);

/* The last seal: nothing can be added after it. */
SE_MUST_CHECK se_status se_history_end(se_history *history, se_error *error);

/* An entry that is read. Bytes last for the call only. */
typedef struct se_history_entry {
    uint64_t seq;
    int64_t time_us; /* since 1970 */
    se_bytes object;
    se_bytes payload; /* empty when it was erased */
    se_bytes salt;    /* of its commitment; likewise */
    bool erased;
    se_bytes commitment; /* when it was erased; else empty */
} se_history_entry;
typedef bool (*se_history_entry_fn)(void *arg, const se_history_entry *entry); /* false: no more */

typedef struct se_history_range {
    size_t size;          /* sizeof(se_history_range), set by SE_HISTORY_RANGE_INIT */
    uint64_t first, last; /* numbers; 0: from the first, to the last that is sealed */
    int64_t from, to;     /* only what was appended at `from` or later, and before `to`; 0: no
                             limit */
    se_bytes object;      /* only what is about it; empty: everything */
    bool unverified;      /* what is there, though nobody says that it is good */
} se_history_range;
#define SE_HISTORY_RANGE_INIT                                                                      \
    {                                                                                              \
        sizeof(se_history_range), 0, 0, 0, 0, { NULL, 0 }, false                                   \
    }

/*
 * Verifies the chain as se_history_verify() does, and then reads entries of that same state, in
 * their order. `range` may be NULL. SE_ERR_REJECTED: there are findings, and the error has the
 * first; `fn` got nothing, or what was good before something was changed.
 */
SE_MUST_CHECK se_status se_history_read(se_history *history, const se_history_range *range,
                                        se_history_entry_fn fn, void *arg, se_error *error);

/* The same, with what was verified and the last seal of that state; both are there when `fn` is
 * called. range->unverified is false. */
SE_MUST_CHECK se_status se_history_export(se_history_report *report, se_buf *seal,
                                          se_history *history, const se_history_range *range,
                                          se_history_entry_fn fn, void *arg, se_error *error);

/* That an entry belongs to the chain: entry, path in the tree, last seal, and certificate of its
 * key, as text (doc/formats.md). */
SE_MUST_CHECK se_status se_history_prove(se_buf *out, se_history *history, uint64_t seq,
                                         se_error *error);

/* What a proof proves. Started with zeroes, released with se_history_proof_free(). */
typedef struct se_history_proof {
    char chain[65];
    uint64_t seq, size;         /* of the entry; how many the seal covers */
    int64_t time_us, sealed_us; /* since 1970 */
    se_buf object, payload;
    bool erased;
    se_signer signer;
    char fingerprint[65]; /* SHA-256 of its certificate, hexadecimal */
} se_history_proof;
void se_history_proof_free(se_history_proof *proof);

/*
 * Verifies a proof, without store or configuration. `certificate`, DER or PEM: whose seal it has
 * to be; empty: the certificate that the proof brings along, and whose that is has to be known in
 * another way. SE_ERR_FORMAT: not a proof; SE_ERR_REJECTED: it proves nothing.
 */
SE_MUST_CHECK se_status se_history_verify_proof(se_history_proof *out, se_bytes proof,
                                                se_bytes certificate, se_error *error);

#ifdef __cplusplus
}
#endif
#endif
