#include <stdio.h>

#include "history/postgres.h"

#define UP_TO(most, column) "CASE WHEN octet_length(" #column ") <= " #most " THEN " #column " END"
#define CHAIN_COLUMNS                                                                              \
    "number, " UP_TO(16, id) ", size, " UP_TO(2048, edge) ", seals, " UP_TO(                       \
        32, last) ", base_size, " UP_TO(2048, base_edge) ", base_seal, " UP_TO(64, name)

enum { ROWS_FIRST = 200, ROWS_MOST = 4000, ROWS_BYTES = 8 << 20 };

static bool hash_at(struct hash *out, const PGresult *result, int row, int column)
{
    se_bytes bytes = pg_at(result, row, column);

    *out = (struct hash){ { 0 } };
    if (bytes.size == HASH_SIZE)
        memcpy(out, bytes.data, HASH_SIZE);
    return bytes.size == HASH_SIZE;
}

static void edge_at(struct chain *out, struct edge *edge, const PGresult *result, int row,
                    int column)
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
se_status postgres_chain(struct chain *out, bool *found, struct database *store, const char *name,
                         se_error *err)
{
    struct postgres *s = (struct postgres *)store;
    AUTO(pg_result) result = NULL;
    struct pg_parameters p = { 0 };
    se_status st;

    *found = false;
    pg_bytes(&p, text_bytes(name));
    st = pg_query(&result, s,
                  s->mode != DATABASE_READ
                      ? "SELECT " CHAIN_COLUMNS " FROM ONLY @chain WHERE name = $1 FOR UPDATE"
                      : "SELECT " CHAIN_COLUMNS " FROM ONLY @chain WHERE name = $1",
                  &p, err);
    if (st)
        return st;
    if (PQntuples(result)) {
        *found = true;
        fill(out, result, 0);
    }
    return SE_OK;
}

/* Some, from the one after *last on, which becomes the last of them; *more: there may be others. */
static se_status read_chains(bool *more, struct postgres *s, struct chain *last, chain_fn fn,
                             void *arg, se_error *err)
{
    AUTO(pg_result) result = NULL;
    struct pg_parameters p = { 0 };
    se_status st;

    pg_number(&p, (uint64_t)last->number);
    st = pg_query(&result, s,
                  "SELECT " CHAIN_COLUMNS
                  " FROM ONLY @chain WHERE number > $1 ORDER BY number LIMIT 1000",
                  &p, err);
    *more = !st && PQntuples(result);
    for (int i = 0; !st && i < PQntuples(result); i++) {
        fill(last, result, i);
        st = fn(arg, last, err);
    }
    return st;
}

se_status postgres_chains(struct database *store, chain_fn fn, void *arg, se_error *err)
{
    struct chain chain = { .number = 0 };
    bool more = true;
    se_status st = SE_OK;

    while (!st && more)
        st = read_chains(&more, (struct postgres *)store, &chain, fn, arg, err);
    return st;
}

/*
 * ---- many rows, some at a time: one that is given to somebody may make him ask for others ----
 *
 * Who can write to the store decides how big they are, and libpq has all of a result in memory.  So
 * the server leaves out what is bigger than its share of the room.  Where that is a payload, the
 * row is asked for again, among fewer.
 */

struct reading {
    struct postgres *s;
    const char *sql; /* with $1 to $4: chain, from, to, how many; $5, if there is something that may
                        be left out: how big it may be */
    const struct chain *chain;
    uint64_t first, last;
    uint64_t (*take)(const PGresult *result, int row, void *arg, se_status *st,
                     se_error *err); /* returns the row's number */
    void *arg;
    int payload; /* the column of that; 0: none */
};

struct page {
    uint64_t most; /* rows */
    int got;
    size_t bytes;
    bool cut; /* at one that was too big for its share */
};

static uint64_t share_of(const struct page *page)
{
    uint64_t share = page->most > 1 ? ROWS_BYTES / page->most : PAYLOAD_MOST;

    return share < PAYLOAD_MOST ? share : PAYLOAD_MOST;
}

static se_status read_page(struct page *page, struct reading *r, se_error *err)
{
    AUTO(pg_result) result = NULL;
    struct pg_parameters p = { 0 };
    se_status st;

    pg_number(&p, (uint64_t)r->chain->number);
    pg_number(&p, r->first);
    pg_number(&p, r->last < INT64_MAX ? r->last : INT64_MAX);
    pg_number(&p, page->most);
    if (r->payload)
        pg_number(&p, share_of(page));
    page->got = 0;
    page->cut = false;
    if ((st = pg_query(&result, r->s, r->sql, &p, err)))
        return st;
    page->bytes = PQresultMemorySize(result);
    page->got = PQntuples(result);
    for (int i = 0; !st && !page->cut && i < page->got; i++)
        if (r->payload && PQgetisnull(result, i, r->payload) && page->most > 1)
            page->cut = true;
        else
            r->first = r->take(result, i, r->arg, &st, err) + 1;
    return st;
}

/* As many as there will be room for, if they are like those that came. */
static uint64_t next_most(const struct page *page)
{
    if (page->cut)
        return page->most > 8 ? page->most / 8 : 1;
    if (page->bytes > ROWS_BYTES)
        return page->most * ROWS_BYTES / page->bytes + 1;
    return page->most < ROWS_MOST ? page->most * 2 : page->most;
}

static se_status read_all(struct reading *r, se_error *err)
{
    struct page page = { .most = ROWS_FIRST };

    do {
        uint64_t asked = page.most;
        se_status st = read_page(&page, r, err);

        if (st || ((uint64_t)page.got < asked && !page.cut))
            return st;
        page.most = next_most(&page);
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

    for (int column = 2; column <= 5; column++)
        row.oversized = row.oversized || PQgetisnull(result, i, column);

    (void)hash_at(&row.leaf, result, i, 5);
    *st = call->fn(call->arg, &row, err);
    return row.seq;
}

se_status postgres_rows(struct database *store, const struct chain *chain, uint64_t first,
                        uint64_t last, row_fn fn, void *arg, se_error *err)
{
    static const char sql[] = "SELECT seq, time, " UP_TO(
        1000,
        object) ","
                " " UP_TO(16,
                          salt) ", CASE WHEN octet_length(payload) <= $5::bigint THEN payload END,"
                                " " UP_TO(32, leaf) " FROM ONLY @entry"
                                                    " WHERE chain = $1 AND seq BETWEEN $2 AND $3 "
                                                    "ORDER BY seq LIMIT $4";
    struct row_call call = { fn, arg };
    struct reading r = { (struct postgres *)store, sql, chain, first, last, take_row, &call, 4 };

    return read_all(&r, err);
}

se_status postgres_extent(struct extent *out, struct database *store, const struct chain *chain,
                          uint64_t first, uint64_t last, se_error *err)
{
    AUTO(pg_result) result = NULL;
    struct pg_parameters p = { 0 };
    se_status st;

    pg_number(&p, (uint64_t)chain->number);
    pg_number(&p, first ? first : (uint64_t)INT64_MIN);
    pg_number(&p, last < INT64_MAX ? last : INT64_MAX);
    *out = (struct extent){ .there = false };
    st = pg_query(
        &result, (struct postgres *)store,
        "SELECT min(seq), max(seq) FROM ONLY @entry WHERE chain = $1 AND seq BETWEEN $2 AND $3", &p,
        err);
    if (!st && !PQgetisnull(result, 0, 0))
        *out = (struct extent){ true, pg_number_at(result, 0, 0), pg_number_at(result, 0, 1) };
    return st;
}

struct seal_call {
    sealed_fn fn;
    void *arg;
};

static uint64_t take_seal(const PGresult *result, int i, void *arg, se_status *st, se_error *err)
{
    const struct seal_call *call = arg;
    const struct sealed sealed = { pg_number_at(result, i, 0), pg_number_at(result, i, 1),
                                   pg_at(result, i, 2) };

    *st = call->fn(call->arg, &sealed, err);
    return sealed.number;
}

se_status postgres_seals(struct database *store, const struct chain *chain, uint64_t first,
                         uint64_t last, sealed_fn fn, void *arg, se_error *err)
{
    static const char sql[] = "SELECT number, size, " UP_TO(
        4096, note) " FROM ONLY @seal WHERE chain = $1 AND number BETWEEN $2 AND $3"
                    " ORDER BY number LIMIT $4";
    struct seal_call call = { fn, arg };
    struct reading r = { (struct postgres *)store, sql, chain, first, last, take_seal, &call, 0 };

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
se_status postgres_nodes(struct database *store, const struct chain *chain, unsigned level,
                         uint64_t first, uint64_t last, stored_node_fn fn, void *arg, se_error *err)
{
    struct node_call call = { fn, arg, level };
    struct reading r = { (struct postgres *)store, NULL, chain, first, last, take_node, &call, 0 };
    char sql[200];

    (void)snprintf(
        sql, sizeof sql,
        "SELECT number, " UP_TO(
            32,
            hash) " FROM ONLY @node WHERE chain = $1 AND level = %u AND number BETWEEN $2 AND $3"
                  " ORDER BY number LIMIT $4",
        level);
    r.sql = sql;
    return read_all(&r, err);
}
