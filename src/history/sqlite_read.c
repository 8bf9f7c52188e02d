#include <stdio.h>

#include "history/sqlite.h"

static se_bytes bytes_at(sqlite3_stmt *q, int column)
{
    const void *data = sqlite3_column_blob(q, column);
    int size = sqlite3_column_bytes(q, column);

    return (se_bytes){ data ? data : "", data && size > 0 ? (size_t)size : 0 };
}

static bool hash_at(struct hash *out, sqlite3_stmt *q, int column)
{
    se_bytes bytes = bytes_at(q, column);

    if (bytes.size == HASH_SIZE)
        memcpy(out, bytes.data, HASH_SIZE);
    else
        *out = (struct hash){ { 0 } };
    return bytes.size == HASH_SIZE;
}

static uint64_t seq_at(sqlite3_stmt *q, int column)
{
    return (uint64_t)sqlite3_column_int64(q, column) & (((uint64_t)1 << SQLITE_SEQ_BITS) - 1);
}

static void edge_at(struct chain *out, struct edge *edge, sqlite3_stmt *q, int column)
{
    if (edge_read(edge, (uint64_t)sqlite3_column_int64(q, column), bytes_at(q, column + 1), NULL))
        out->damaged = true;
}

static void fill(struct chain *out, sqlite3_stmt *q, const char *name)
{
    se_bytes id = bytes_at(q, 1);

    *out = (struct chain){ .number = sqlite3_column_int64(q, 0) };
    (void)snprintf(out->name, sizeof out->name, "%s", name ? name : "");
    if (id.size == CHAIN_ID_SIZE)
        memcpy(&out->id, id.data, CHAIN_ID_SIZE);
    out->seals = (uint64_t)sqlite3_column_int64(q, 4);
    out->base_seal = (uint64_t)sqlite3_column_int64(q, 8);
    out->damaged = !hash_at(&out->last, q, 5) || id.size != CHAIN_ID_SIZE;
    edge_at(out, &out->edge, q, 2);
    edge_at(out, &out->base, q, 6);
}

se_status sqlite_chain(struct chain *out, bool *found, struct database *store, const char *name,
                       se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    sqlite3_stmt *q;
    se_status st = sqlite_statement(&q, s, SQL_CHAIN, err);
    int code;

    *found = false;
    if (st)
        return st;
    (void)sqlite3_bind_text(q, 1, name, -1, SQLITE_STATIC);
    code = sqlite3_step(q);
    if (code == SQLITE_ROW) {
        *found = true;
        fill(out, q, name);
    } else if (code != SQLITE_DONE)
        st = sqlite_failed(s, err);
    (void)sqlite3_reset(q);
    return st;
}

/* Gives every row of the statement to `take`, until it fails. */
static se_status each(struct sqlite *s, sqlite3_stmt *q,
                      se_status (*take)(void *arg, sqlite3_stmt *q, se_error *err), void *arg,
                      se_error *err)
{
    int code = sqlite3_step(q);
    se_status st = SE_OK;

    for (; !st && code == SQLITE_ROW; code = st ? code : sqlite3_step(q))
        st = take(arg, q, err);
    if (!st && code != SQLITE_DONE)
        st = sqlite_failed(s, err);
    (void)sqlite3_reset(q);
    return st;
}

struct chain_call {
    chain_fn fn;
    void *arg;
};

static se_status take_chain(void *arg, sqlite3_stmt *q, se_error *err)
{
    const struct chain_call *call = arg;
    struct chain chain;

    fill(&chain, q, (const char *)sqlite3_column_text(q, 9));
    return call->fn(call->arg, &chain, err);
}

se_status sqlite_chains(struct database *store, chain_fn fn, void *arg, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    struct chain_call call = { fn, arg };
    sqlite3_stmt *q;
    se_status st = sqlite_statement(&q, s, SQL_CHAINS, err);

    return st ? st : each(s, q, take_chain, &call, err);
}

static void bind_range(sqlite3_stmt *q, const struct chain *chain, uint64_t first, uint64_t last)
{
    const uint64_t most = ((uint64_t)1 << SQLITE_SEQ_BITS) - 1;

    (void)sqlite3_bind_int64(q, 1, sqlite_key(chain, first < most ? first : most));
    (void)sqlite3_bind_int64(q, 2, sqlite_key(chain, last < most ? last : most));
}

static se_status take_extent(void *arg, sqlite3_stmt *q, se_error *err)
{
    struct extent *out = arg;

    (void)err;
    out->there = sqlite3_column_int64(q, 0) != 0;
    out->first = seq_at(q, 0);
    out->last = seq_at(q, 1);
    return SE_OK;
}

se_status sqlite_extent(struct extent *out, struct database *store, const struct chain *chain,
                        uint64_t first, uint64_t last, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    sqlite3_stmt *q;
    se_status st = sqlite_statement(&q, s, SQL_EXTENT, err);

    *out = (struct extent){ .there = false };
    if (st)
        return st;
    bind_range(q, chain, first, last);
    return each(s, q, take_extent, out, err);
}

struct row_call {
    row_fn fn;
    void *arg;
};

static se_status take_row(void *arg, sqlite3_stmt *q, se_error *err)
{
    const struct row_call *call = arg;
    struct row row = {
        .seq = seq_at(q, 0),
        .time = sqlite3_column_int64(q, 1),
        .object = bytes_at(q, 2),
        .salt = bytes_at(q, 3),
        .payload = bytes_at(q, 4),
    };

    (void)hash_at(&row.leaf, q, 5);
    return call->fn(call->arg, &row, err);
}

se_status sqlite_rows(struct database *store, const struct chain *chain, uint64_t first,
                      uint64_t last, row_fn fn, void *arg, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    struct row_call call = { fn, arg };
    sqlite3_stmt *q;

    TRY(sqlite_statement(&q, s, SQL_ROWS, err));
    bind_range(q, chain, first, last);
    return each(s, q, take_row, &call, err);
}

struct seal_call {
    sealed_fn fn;
    void *arg;
};

static se_status take_seal(void *arg, sqlite3_stmt *q, se_error *err)
{
    const struct seal_call *call = arg;
    const struct sealed sealed = { seq_at(q, 0), (uint64_t)sqlite3_column_int64(q, 1),
                                   bytes_at(q, 2) };

    return call->fn(call->arg, &sealed, err);
}

se_status sqlite_seals(struct database *store, const struct chain *chain, uint64_t first,
                       uint64_t last, sealed_fn fn, void *arg, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    struct seal_call call = { fn, arg };
    sqlite3_stmt *q;

    TRY(sqlite_statement(&q, s, SQL_SEALS, err));
    bind_range(q, chain, first, last);
    return each(s, q, take_seal, &call, err);
}

struct node_call {
    stored_node_fn fn;
    void *arg;
};

static se_status take_node(void *arg, sqlite3_stmt *q, se_error *err)
{
    const struct node_call *call = arg;
    struct node node = { (unsigned)sqlite3_column_int64(q, 0),
                         (uint64_t)sqlite3_column_int64(q, 1),
                         { { 0 } } };

    (void)hash_at(&node.hash, q, 2);
    return call->fn(call->arg, &node, err);
}

se_status sqlite_nodes(struct database *store, const struct chain *chain, unsigned level,
                       uint64_t first, uint64_t last, stored_node_fn fn, void *arg, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    struct node_call call = { fn, arg };
    sqlite3_stmt *q;

    TRY(sqlite_statement(&q, s, SQL_NODES, err));
    (void)sqlite3_bind_int64(q, 1, chain->number);
    (void)sqlite3_bind_int64(q, 2, level);
    (void)sqlite3_bind_int64(q, 3, (int64_t)first);
    (void)sqlite3_bind_int64(q, 4, (int64_t)(last < INT64_MAX ? last : INT64_MAX));
    return each(s, q, take_node, &call, err);
}
