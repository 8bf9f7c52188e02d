#include <stdio.h>

#include "history/postgres.h"

#define CHAIN_COLUMNS "number, id, size, edge, seals, last, base_size, base_edge, base_seal, name"

enum { ROWS_FIRST = 200, ROWS_MOST = 4000, ROWS_BYTES = 8 << 20 };

static bool hash_at(struct hash *out, const PGresult *result, int row, int column)
{
    se_bytes bytes = pg_at(result, row, column);

    *out = (struct hash){ { 0 } };
    if (bytes.size == HASH_SIZE)
        memcpy(out, bytes.data, HASH_SIZE);
    return bytes.size == HASH_SIZE;
}

static void edge_at(struct chain *out, struct edge *edge, const PGresult *result, int row, int column)
{
    if (edge_read(edge, pg_number_at(result, row, column), pg_at(result, row, column + 1), NULL))
        out->damaged = true;
}

static void fill(struct chain *out, const PGresult *result, int row)
{
    se_bytes id = pg_at(result, row, 1), name = pg_at(result, row, 9);

    *out = (struct chain){ .number = (int64_t)pg_number_at(result, row, 0) };
    (void)snprintf(out->name, sizeof out->name, "%.*s", (int)name.size, (const char *)name.data);
    if (id.size == CHAIN_ID_SIZE)
        memcpy(&out->id, id.data, CHAIN_ID_SIZE);
    out->seals = pg_number_at(result, row, 4);
    out->base_seal = pg_number_at(result, row, 8);
    out->damaged = !hash_at(&out->last, result, row, 5) || id.size != CHAIN_ID_SIZE;
    edge_at(out, &out->edge, result, row, 2);
    edge_at(out, &out->base, result, row, 6);
}

/* Who appends locks the chain's row: others wait here. */
se_status postgres_chain(struct chain *out, bool *found, struct database *store, const char *name, se_error *err)
{
    struct postgres *s = (struct postgres *)store;
    AUTO(pg_result) result = NULL;
    struct pg_parameters p = { 0 };
    se_status st;

    *found = false;
    pg_bytes(&p, text_bytes(name));
    st = pg_query(&result, s,
                  s->mode == DATABASE_APPEND ? "SELECT " CHAIN_COLUMNS " FROM signengine_chain WHERE name = $1 FOR UPDATE"
                                             : "SELECT " CHAIN_COLUMNS " FROM signengine_chain WHERE name = $1",
                  &p, err);
    if (st)
        return st;
    if (pq.PQntuples(result)) {
        *found = true;
        fill(out, result, 0);
    }
    return SE_OK;
}

se_status postgres_chains(struct database *store, chain_fn fn, void *arg, se_error *err)
{
    AUTO(pg_result) result = NULL;
    const struct pg_parameters none = { 0 };
    se_status st =
        pg_query(&result, (struct postgres *)store, "SELECT " CHAIN_COLUMNS " FROM signengine_chain ORDER BY number", &none, err);

    for (int i = 0; !st && i < pq.PQntuples(result); i++) {
        struct chain chain;

        fill(&chain, result, i);
        st = fn(arg, &chain, err);
    }
    return st;
}

/* ---- many rows, some at a time: one that is given to somebody may make him ask for others ---- */

struct reading {
    struct postgres *s;
    const char *sql; /* with $1 to $4: chain, from, to, how many */
    const struct chain *chain;
    uint64_t first, last;
    uint64_t (*take)(const PGresult *result, int row, void *arg, se_status *st, se_error *err); /* returns the row's number */
    void *arg;
};

static se_status read_some(int *got, size_t *bytes, struct reading *r, uint64_t most, se_error *err)
{
    AUTO(pg_result) result = NULL;
    struct pg_parameters p = { 0 };
    se_status st;

    pg_number(&p, (uint64_t)r->chain->number);
    pg_number(&p, r->first);
    pg_number(&p, r->last < INT64_MAX ? r->last : INT64_MAX);
    pg_number(&p, most);
    *got = 0;
    if ((st = pg_query(&result, r->s, r->sql, &p, err)))
        return st;
    *bytes = pq.PQresultMemorySize(result);
    *got = pq.PQntuples(result);
    for (int i = 0; !st && i < *got; i++)
        r->first = r->take(result, i, r->arg, &st, err) + 1;
    return st;
}

static se_status read_all(struct reading *r, se_error *err)
{
    uint64_t most = ROWS_FIRST;
    int got;

    do {
        size_t bytes = 0;
        uint64_t asked = most;
        se_status st = read_some(&got, &bytes, r, most, err);

        if (st || (uint64_t)got < asked)
            return st;
        most = bytes > ROWS_BYTES ? most * ROWS_BYTES / bytes + 1 : most < ROWS_MOST ? most * 2 : most;
    } while (r->first <= r->last);
    return SE_OK;
}

struct row_call {
    row_fn fn;
    void *arg;
};

static uint64_t take_row(const PGresult *result, int i, void *arg, se_status *st, se_error *err)
{
    const struct row_call *call = arg;
    struct row row = {
        .seq = pg_number_at(result, i, 0),
        .time = (int64_t)pg_number_at(result, i, 1),
        .object = pg_at(result, i, 2),
        .salt = pg_at(result, i, 3),
        .payload = pg_at(result, i, 4),
    };

    (void)hash_at(&row.leaf, result, i, 5);
    *st = call->fn(call->arg, &row, err);
    return row.seq;
}

se_status postgres_rows(struct database *store, const struct chain *chain, uint64_t first, uint64_t last, row_fn fn, void *arg,
                        se_error *err)
{
    static const char sql[] = "SELECT seq, time, object, salt, payload, leaf FROM signengine_entry"
                              " WHERE chain = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq LIMIT $4";
    struct row_call call = { fn, arg };
    struct reading r = { (struct postgres *)store, sql, chain, first, last, take_row, &call };

    return read_all(&r, err);
}

struct seal_call {
    sealed_fn fn;
    void *arg;
};

static uint64_t take_seal(const PGresult *result, int i, void *arg, se_status *st, se_error *err)
{
    const struct seal_call *call = arg;
    const struct sealed sealed = { pg_number_at(result, i, 0), pg_number_at(result, i, 1), pg_at(result, i, 2) };

    *st = call->fn(call->arg, &sealed, err);
    return sealed.number;
}

se_status postgres_seals(struct database *store, const struct chain *chain, uint64_t first, uint64_t last, sealed_fn fn, void *arg,
                         se_error *err)
{
    static const char sql[] = "SELECT number, size, note FROM signengine_seal WHERE chain = $1 AND number BETWEEN $2 AND $3"
                              " ORDER BY number LIMIT $4";
    struct seal_call call = { fn, arg };
    struct reading r = { (struct postgres *)store, sql, chain, first, last, take_seal, &call };

    return read_all(&r, err);
}

struct node_call {
    stored_node_fn fn;
    void *arg;
    unsigned level;
};

static uint64_t take_node(const PGresult *result, int i, void *arg, se_status *st, se_error *err)
{
    const struct node_call *call = arg;
    struct node node = { call->level, pg_number_at(result, i, 0), { { 0 } } };

    (void)hash_at(&node.hash, result, i, 1);
    *st = call->fn(call->arg, &node, err);
    return node.index;
}

/* The level is a small number, and part of the text. */
se_status postgres_nodes(struct database *store, const struct chain *chain, unsigned level, uint64_t first, uint64_t last,
                         stored_node_fn fn, void *arg, se_error *err)
{
    struct node_call call = { fn, arg, level };
    struct reading r = { (struct postgres *)store, NULL, chain, first, last, take_node, &call };
    char sql[200];

    (void)snprintf(sql, sizeof sql,
                   "SELECT number, hash FROM signengine_node WHERE chain = $1 AND level = %u AND number BETWEEN $2 AND $3"
                   " ORDER BY number LIMIT $4",
                   level);
    r.sql = sql;
    return read_all(&r, err);
}
