#include "history/entry.h"

enum { EDITION = 1, LEAF_PREFIX = 0, COMMITMENT_PREFIX = 2 };

se_status row_commitment(struct hash *out, const struct row *row, se_error *err)
{
    unsigned char head[1 + SALT_SIZE] = { COMMITMENT_PREFIX };
    const se_bytes parts[] = { { head, sizeof head }, row->payload };

    if (row->oversized)
        return error_set(err, SE_ERR_FORMAT, "it is bigger than an entry can be");
    if (row_erased(row)) {
        if (row->payload.size != HASH_SIZE)
            return error_set(err, SE_ERR_FORMAT,
                             "the commitment of an erased payload has %zu bytes",
                             row->payload.size);
        memcpy(out, row->payload.data, HASH_SIZE);
        return SE_OK;
    }
    if (row->salt.size != SALT_SIZE)
        return error_set(err, SE_ERR_FORMAT, "a salt has %zu bytes", row->salt.size);
    memcpy(head + 1, row->salt.data, SALT_SIZE);
    return hash_make(out, parts, 2) ? SE_OK : error_memory(err);
}

static void put_number(unsigned char *out, uint64_t number, unsigned bytes)
{
    while (bytes--) {
        out[bytes] = (unsigned char)number;
        number >>= 8;
    }
}

/* What the hash of a leaf is over: a zero, and the canonical encoding.  The size of it; 0: not an
 * entry. */
static size_t spell(unsigned char *out, const struct row *row, const struct chain_id *chain,
                    se_error *err)
{
    unsigned char *at = out;

    if (row->object.size > OBJECT_MOST) {
        (void)error_set(err, SE_ERR_FORMAT, "an object's name of %zu bytes", row->object.size);
        return 0;
    }
    *at++ = LEAF_PREFIX;
    *at++ = EDITION;
    memcpy(at, chain, CHAIN_ID_SIZE);
    at += CHAIN_ID_SIZE;
    put_number(at, row->seq, 8);
    put_number(at + 8, (uint64_t)row->time, 8);
    put_number(at + 16, row->object.size, 2);
    at += 18;
    if (row->object.size)
        memcpy(at, row->object.data, row->object.size);
    at += row->object.size;
    if (row_commitment((struct hash *)at, row, err))
        return 0;
    return (size_t)(at - out) + HASH_SIZE;
}

se_status row_leaf(struct hash *out, const struct row *row, const struct chain_id *chain,
                   se_error *err)
{
    unsigned char room[1 + ENTRY_FIXED + OBJECT_MOST];
    se_bytes part = { room, spell(room, row, chain, err) };

    if (!part.size)
        return SE_ERR_FORMAT;
    return hash_make(out, &part, 1) ? SE_OK : error_memory(err);
}

se_status row_encode(struct writer *w, const struct row *row, const struct chain_id *chain,
                     se_error *err)
{
    unsigned char room[1 + ENTRY_FIXED + OBJECT_MOST];
    size_t size = spell(room, row, chain, err);

    if (!size)
        return SE_ERR_FORMAT;
    writer_put(w, room + 1, size - 1);
    return SE_OK;
}
