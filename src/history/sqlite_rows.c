/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing the rows of a chain in SQLite. */
#include <stdio.h>

#include "base/clock.h"
#include "history/sqlite.h"

/* Of an entry's or a checkpoint's key; the rest is the chain's number, which may be anything where
 * somebody has changed it. */
enum { SEQ_BITS = 44, ROW_VALUES = 6 };
static const uint64_t seq_most = ((uint64_t)1 << SEQ_BITS) - 1;

static int64_t make_key(const struct chain *chain, uint64_t seq)
{
    return (int64_t)((uint64_t)chain->number << SEQ_BITS | seq);
}

/* ---- values of a row ---- */

static se_bytes sqlite_bytes_at(sqlite3_stmt *q, int column)
{
    const void *data = sqlite3_column_blob(q, column);
    int size = sqlite3_column_bytes(q, column);

    return (se_bytes){ data ? data : "", data && size > 0 ? (size_t)size : 0 };
}

static bool sqlite_hash_at(struct hash *out, sqlite3_stmt *q, int column)
{
    se_bytes bytes = sqlite_bytes_at(q, column);

    *out = (struct hash){ { 0 } };
    if (bytes.size == HASH_SIZE)
        memcpy(out, bytes.data, HASH_SIZE);
    return bytes.size == HASH_SIZE;
}

static uint64_t sqlite_seq_at(sqlite3_stmt *q, int column)
{
    return (uint64_t)sqlite3_column_int64(q, column) & seq_most;
}

static bool sqlite_frontier_at(struct frontier *out, sqlite3_stmt *q, int column)
{
    return !frontier_parse(out, (uint64_t)sqlite3_column_int64(q, column),
                           sqlite_bytes_at(q, column + 1), NULL);
}

static void sqlite_chain_at(struct chain *out, sqlite3_stmt *q)
{
    const char *name = (const char *)sqlite3_column_text(q, 9);
    se_bytes id = sqlite_bytes_at(q, 1);
    bool good = id.size == CHAIN_ID_SIZE;

    *out = (struct chain){ .number = sqlite3_column_int64(q, 0) };
    (void)snprintf(out->name, sizeof out->name, "%s", name ? name : "");
    if (good)
        memcpy(&out->id, id.data, CHAIN_ID_SIZE);
    good = sqlite_frontier_at(&out->frontier, q, 2) && good;
    out->checkpoints = (uint64_t)sqlite3_column_int64(q, 4);
    good = sqlite_hash_at(&out->last, q, 5) && good;
    good = sqlite_frontier_at(&out->base, q, 6) && good;
    out->base_checkpoint = (uint64_t)sqlite3_column_int64(q, 8);
    out->damaged = !good;
}

/* What is bound outlasts the step that follows. */
static void bind_bytes(sqlite3_stmt *q, int at, se_bytes bytes)
{
    (void)sqlite3_bind_blob64(q, at, bytes.size ? bytes.data : "", bytes.size, SQLITE_STATIC);
}

static void bind_range(sqlite3_stmt *q, const struct range *range)
{
    const uint64_t first = range->first, last = range->last;

    (void)sqlite3_bind_int64(q, 1, make_key(range->chain, first < seq_most ? first : seq_most));
    (void)sqlite3_bind_int64(q, 2, make_key(range->chain, last < seq_most ? last : seq_most));
}

/* ---- the chain ---- */

static se_status sqlite_take_chain(void *arg, sqlite3_stmt *q, se_error *err)
{
    const struct visitor *v = arg;
    struct chain chain;

    sqlite_chain_at(&chain, q);
    return v->chain(v->arg, &chain, err);
}

struct chain_lookup {
    struct chain *out;
    bool *found;
};

static se_status take_found_chain(void *arg, sqlite3_stmt *q, se_error *err)
{
    const struct chain_lookup *lookup = arg;

    (void)err;
    *lookup->found = true;
    sqlite_chain_at(lookup->out, q);
    return SE_OK;
}

static se_status sqlite_read_chain(struct chain *out, bool *found, struct chain_store *store,
                                   const char *name, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    struct chain_lookup lookup = { out, found };
    sqlite3_stmt *q;

    *found = false;
    TRY(sqlite_prepare(&q, s, SQL_CHAIN, err));
    (void)sqlite3_bind_text(q, 1, name, -1, SQLITE_STATIC);
    return sqlite_step_rows(s, q, take_found_chain, &lookup, err);
}

static se_status sqlite_read_chains(struct chain_store *store, chain_fn fn, void *arg,
                                    se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    struct visitor v = { .chain = fn, .arg = arg };
    sqlite3_stmt *q;

    TRY(sqlite_prepare(&q, s, SQL_CHAINS, err));
    return sqlite_step_rows(s, q, sqlite_take_chain, &v, err);
}

static se_status sqlite_write_chain(struct chain_store *store, struct chain *chain, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    sqlite3_stmt *q;

    TRY(sqlite_prepare(&q, s, chain->number ? SQL_CHAIN_PUT : SQL_CHAIN_NEW, err));
    (void)sqlite3_bind_text(q, 1, chain->name, -1, SQLITE_STATIC);
    bind_bytes(q, 2, (se_bytes){ &chain->id, sizeof chain->id });
    (void)sqlite3_bind_int64(q, 3, (int64_t)chain->frontier.size);
    bind_bytes(q, 4, frontier_bytes(&chain->frontier));
    (void)sqlite3_bind_int64(q, 5, (int64_t)chain->checkpoints);
    bind_bytes(q, 6, hash_bytes(&chain->last));
    (void)sqlite3_bind_int64(q, 7, (int64_t)chain->base.size);
    bind_bytes(q, 8, frontier_bytes(&chain->base));
    (void)sqlite3_bind_int64(q, 9, (int64_t)chain->base_checkpoint);
    if (chain->number)
        (void)sqlite3_bind_int64(q, 10, chain->number);
    TRY(sqlite_step_rows(s, q, NULL, NULL, err));
    if (!chain->number)
        chain->number = sqlite3_last_insert_rowid(s->db);
    return SE_OK;
}

/* ---- entries ---- */

static se_status sqlite_take_extent(void *arg, sqlite3_stmt *q, se_error *err)
{
    (void)err;
    *(struct extent *)arg = (struct extent){
        .there = sqlite3_column_int64(q, 0) != 0,
        .first = sqlite_seq_at(q, 0),
        .last = sqlite_seq_at(q, 1),
    };
    return SE_OK;
}

static se_status sqlite_read_extent(struct extent *out, struct chain_store *store,
                                    const struct range *range, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    sqlite3_stmt *q;

    *out = (struct extent){ .there = false };
    TRY(sqlite_prepare(&q, s, SQL_EXTENT, err));
    bind_range(q, range);
    return sqlite_step_rows(s, q, sqlite_take_extent, out, err);
}

static se_status sqlite_take_row(void *arg, sqlite3_stmt *q, se_error *err)
{
    const struct visitor *v = arg;
    struct row row = {
        .seq = sqlite_seq_at(q, 0),
        .time = sqlite3_column_int64(q, 1),
        .object = sqlite_bytes_at(q, 2),
        .salt = sqlite_bytes_at(q, 3),
        .payload = sqlite_bytes_at(q, 4),
    };

    (void)sqlite_hash_at(&row.leaf, q, 5);
    return v->row(v->arg, &row, err);
}

static se_status sqlite_read_rows(struct chain_store *store, const struct range *range, row_fn fn,
                                  void *arg, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    struct visitor v = { .row = fn, .arg = arg };
    sqlite3_stmt *q;

    TRY(sqlite_prepare(&q, s, SQL_ROWS, err));
    bind_range(q, range);
    return sqlite_step_rows(s, q, sqlite_take_row, &v, err);
}

static void bind_row(sqlite3_stmt *q, int at, const struct chain *chain, const struct row *row)
{
    (void)sqlite3_bind_int64(q, at + 1, make_key(chain, row->seq));
    (void)sqlite3_bind_int64(q, at + 2, row->time);
    bind_bytes(q, at + 3, row->object);
    bind_bytes(q, at + 4, row->salt);
    bind_bytes(q, at + 5, row->payload);
    bind_bytes(q, at + 6, hash_bytes(&row->leaf));
}

/* As many as the statement takes at once. */
static se_status write_some_rows(struct sqlite *s, enum sqlite_statement which,
                                 const struct chain *chain, const struct row *rows, se_error *err)
{
    sqlite3_stmt *q;
    int values;

    TRY(sqlite_prepare(&q, s, which, err));
    values = sqlite3_bind_parameter_count(q);
    for (int at = 0; at < values; at += ROW_VALUES)
        bind_row(q, at, chain, rows++);
    return sqlite_step_rows(s, q, NULL, NULL, err);
}

static se_status sqlite_write_rows(struct chain_store *store, const struct chain *chain,
                                   const struct row *rows, size_t count, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    size_t done = 0;

    for (; count - done >= SQLITE_ROWS; done += SQLITE_ROWS)
        TRY(write_some_rows(s, SQL_ROWS_PUT, chain, rows + done, err));
    for (; done < count; done++)
        TRY(write_some_rows(s, SQL_ROW_PUT, chain, rows + done, err));
    return SE_OK;
}

/* ---- checkpoints ---- */

static se_status sqlite_take_checkpoint(void *arg, sqlite3_stmt *q, se_error *err)
{
    const struct visitor *v = arg;
    const struct stored_checkpoint stored = {
        .number = sqlite_seq_at(q, 0),
        .size = (uint64_t)sqlite3_column_int64(q, 1),
        .note = sqlite_bytes_at(q, 2),
    };

    return v->checkpoint(v->arg, &stored, err);
}

static se_status sqlite_read_checkpoints(struct chain_store *store, const struct range *range,
                                         checkpoint_fn fn, void *arg, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    struct visitor v = { .checkpoint = fn, .arg = arg };
    sqlite3_stmt *q;

    TRY(sqlite_prepare(&q, s, SQL_SEALS, err));
    bind_range(q, range);
    return sqlite_step_rows(s, q, sqlite_take_checkpoint, &v, err);
}

static se_status sqlite_write_checkpoint(struct chain_store *store, const struct chain *chain,
                                         const struct stored_checkpoint *checkpoint, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    sqlite3_stmt *q;

    TRY(sqlite_prepare(&q, s, SQL_SEAL_PUT, err));
    (void)sqlite3_bind_int64(q, 1, make_key(chain, checkpoint->number));
    (void)sqlite3_bind_int64(q, 2, (int64_t)checkpoint->size);
    bind_bytes(q, 3, checkpoint->note);
    return sqlite_step_rows(s, q, NULL, NULL, err);
}

/* ---- subtrees ---- */

static se_status sqlite_take_subtree(void *arg, sqlite3_stmt *q, se_error *err)
{
    const struct visitor *v = arg;
    struct subtree subtree = {
        .level = (unsigned)sqlite3_column_int64(q, 0),
        .index = (uint64_t)sqlite3_column_int64(q, 1),
    };

    (void)sqlite_hash_at(&subtree.hash, q, 2);
    return v->subtree(v->arg, &subtree, err);
}

static se_status sqlite_read_subtrees(struct chain_store *store, unsigned level,
                                      const struct range *range, subtree_fn fn, void *arg,
                                      se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    struct visitor v = { .subtree = fn, .arg = arg };
    sqlite3_stmt *q;

    TRY(sqlite_prepare(&q, s, SQL_NODES, err));
    (void)sqlite3_bind_int64(q, 1, range->chain->number);
    (void)sqlite3_bind_int64(q, 2, level);
    (void)sqlite3_bind_int64(q, 3, (int64_t)range->first);
    (void)sqlite3_bind_int64(q, 4, (int64_t)(range->last < INT64_MAX ? range->last : INT64_MAX));
    return sqlite_step_rows(s, q, sqlite_take_subtree, &v, err);
}

static se_status sqlite_write_subtrees(struct chain_store *store, const struct chain *chain,
                                       const struct subtree *subtrees, size_t count, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    sqlite3_stmt *q;

    TRY(sqlite_prepare(&q, s, SQL_NODE_PUT, err));
    for (size_t i = 0; i < count; i++) {
        (void)sqlite3_bind_int64(q, 1, chain->number);
        (void)sqlite3_bind_int64(q, 2, subtrees[i].level);
        (void)sqlite3_bind_int64(q, 3, (int64_t)subtrees[i].index);
        bind_bytes(q, 4, hash_bytes(&subtrees[i].hash));
        TRY(sqlite_step_rows(s, q, NULL, NULL, err));
    }
    return SE_OK;
}

/* ---- idempotency keys ---- */

static se_status sqlite_take_key(void *arg, sqlite3_stmt *q, se_error *err)
{
    struct append_key *key = arg;

    (void)err;
    key->first = (uint64_t)sqlite3_column_int64(q, 0);
    key->count = (uint64_t)sqlite3_column_int64(q, 1);
    key->erased = !sqlite_hash_at(&key->digest, q, 2);
    return SE_OK;
}

static void bind_key(sqlite3_stmt *q, const struct chain *chain, const struct append_key *key)
{
    (void)sqlite3_bind_int64(q, 1, chain->number);
    bind_bytes(q, 2, key->caller);
    bind_bytes(q, 3, key->name);
}

static se_status sqlite_read_keys(struct chain_store *store, const struct chain *chain,
                                  struct append_key *keys, size_t count, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    sqlite3_stmt *q;

    TRY(sqlite_prepare(&q, s, SQL_KEY, err));
    for (struct append_key *key = keys; key < keys + count; key++) {
        key->count = 0;
        bind_key(q, chain, key);
        TRY(sqlite_step_rows(s, q, sqlite_take_key, key, err));
    }
    return SE_OK;
}

static se_status drop_old_keys(struct sqlite *s, const struct chain *chain, int64_t before,
                               size_t most, se_error *err)
{
    sqlite3_stmt *q;

    TRY(sqlite_prepare(&q, s, SQL_KEYS_DROP, err));
    (void)sqlite3_bind_int64(q, 1, chain->number);
    (void)sqlite3_bind_int64(q, 2, before);
    (void)sqlite3_bind_int64(q, 3, (int64_t)most);
    return sqlite_step_rows(s, q, NULL, NULL, err);
}

/* Who appends to a file has the clock of its host. */
static se_status sqlite_write_keys(struct chain_store *store, const struct chain *chain,
                                   const struct append_key *keys, size_t count, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    const int64_t now = clock_microseconds();
    sqlite3_stmt *q;

    TRY(drop_old_keys(s, chain, now - KEYS_LAST_US, 2 * count + KEYS_DROPPED_MORE, err));
    TRY(sqlite_prepare(&q, s, SQL_KEY_PUT, err));
    for (const struct append_key *key = keys; key < keys + count; key++) {
        bind_key(q, chain, key);
        bind_bytes(q, 4, hash_bytes(&key->digest));
        (void)sqlite3_bind_int64(q, 5, (int64_t)key->first);
        (void)sqlite3_bind_int64(q, 6, (int64_t)key->count);
        (void)sqlite3_bind_int64(q, 7, now);
        TRY(sqlite_step_rows(s, q, NULL, NULL, err));
    }
    return SE_OK;
}

/* ---- erasing and dropping ---- */

static se_status erase_digests(struct sqlite *s, const struct range *range, se_error *err)
{
    sqlite3_stmt *q;

    if (!s->keyed)
        return SE_OK;
    TRY(sqlite_prepare(&q, s, SQL_KEYS_ERASE, err));
    (void)sqlite3_bind_int64(q, 1, range->chain->number);
    (void)sqlite3_bind_int64(q, 2, (int64_t)range->first);
    (void)sqlite3_bind_int64(q, 3, (int64_t)range->last);
    return sqlite_step_rows(s, q, NULL, NULL, err);
}

static se_status sqlite_erase_payload(struct chain_store *store, const struct chain *chain,
                                      uint64_t seq, const struct hash *commitment, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    sqlite3_stmt *q;

    TRY(erase_digests(s, &(struct range){ chain, seq, seq }, err));
    TRY(sqlite_prepare(&q, s, SQL_ERASE, err));
    s->erased = true;
    bind_bytes(q, 1, hash_bytes(commitment));
    (void)sqlite3_bind_int64(q, 2, make_key(chain, seq));
    return sqlite_step_rows(s, q, NULL, NULL, err);
}

static se_status drop_up_to(struct sqlite *s, enum sqlite_statement which,
                            const struct chain *chain, uint64_t last, se_error *err)
{
    sqlite3_stmt *q;

    TRY(sqlite_prepare(&q, s, which, err));
    s->erased = true;
    bind_range(q, &(struct range){ chain, 0, last });
    return sqlite_step_rows(s, q, NULL, NULL, err);
}

static se_status sqlite_drop_entries(struct chain_store *store, const struct chain *chain,
                                     uint64_t last, uint64_t first_checkpoint, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;

    TRY(erase_digests(s, &(struct range){ chain, 0, last }, err));
    TRY(drop_up_to(s, SQL_DROP_ROWS, chain, last, err));
    return drop_up_to(s, SQL_DROP_SEALS, chain, first_checkpoint - 1, err);
}

/* ---- */

/* A path holds no password. */
static char *copy_uri(const char *uri)
{
    return strdup(uri);
}

const struct chain_store_type sqlite_store_type = {
    .scheme = SQLITE_SCHEME,
    .redact_uri = copy_uri,
    .open = sqlite_open_uri,
    .close = sqlite_close_file,
    .begin = sqlite_begin,
    .end = sqlite_end,
    .read_chain = sqlite_read_chain,
    .write_chain = sqlite_write_chain,
    .read_chains = sqlite_read_chains,
    .write_rows = sqlite_write_rows,
    .write_subtrees = sqlite_write_subtrees,
    .write_checkpoint = sqlite_write_checkpoint,
    .read_keys = sqlite_read_keys,
    .write_keys = sqlite_write_keys,
    .erase_payload = sqlite_erase_payload,
    .drop_entries = sqlite_drop_entries,
    .read_extent = sqlite_read_extent,
    .read_rows = sqlite_read_rows,
    .read_checkpoints = sqlite_read_checkpoints,
    .read_subtrees = sqlite_read_subtrees,
};
