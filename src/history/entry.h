/* An entry of a history, and its leaf of the tree (doc/formats.md). */
#ifndef HISTORY_ENTRY_H
#define HISTORY_ENTRY_H

#include "history/tree.h"

enum {
    CHAIN_ID_SIZE = 16,
    SALT_SIZE = 16,
    OBJECT_MOST = 1000,
    PAYLOAD_MOST = 16 << 20,
    ENTRY_FIXED = 1 + CHAIN_ID_SIZE + 8 + 8 + 2 + HASH_SIZE, /* all but the object */
};

struct chain_id {
    unsigned char bytes[CHAIN_ID_SIZE];
};

/* As it is stored. */
struct row {
    uint64_t seq; /* from 1 */
    int64_t time; /* microseconds since 1970 */
    se_bytes object;
    se_bytes salt; /* empty: the payload was erased, and `payload` is its commitment */
    se_bytes payload;
    struct hash leaf; /* as it was when it was stored */
    bool oversized;   /* something is bigger than it can be in an entry, and was not read */
};

static inline bool row_erased(const struct row *row)
{
    return !row->salt.size && !row->oversized;
}

/* SE_ERR_FORMAT: what is stored is no entry at all, whatever its hash. */
SE_MUST_CHECK se_status row_commitment(struct hash *out, const struct row *row, se_error *err);
SE_MUST_CHECK se_status row_leaf(struct hash *out, const struct row *row,
                                 const struct chain_id *chain, se_error *err);

/* The canonical encoding, of which the leaf is the hash. */
SE_MUST_CHECK se_status row_encode(struct writer *w, const struct row *row,
                                   const struct chain_id *chain, se_error *err);

#endif
