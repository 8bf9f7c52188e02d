/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing the rows of a chain in PostgreSQL. */
#include <stdio.h>

#include "history/postgres.h"

/* ---- values of a row ---- */

static bool pg_hash_at(struct hash *out, const PGresult *result, int row, int column)
{
    se_bytes bytes = pg_bytes_at(result, row, column);

    *out = (struct hash){ { 0 } };
    if (bytes.size == HASH_SIZE)
        memcpy(out, bytes.data, HASH_SIZE);
    return bytes.size == HASH_SIZE;
}

static bool pg_frontier_at(struct frontier *out, const PGresult *result, int row, int column)
{
    return !frontier_parse(out, pg_number_at(result, row, column),
                           pg_bytes_at(result, row, column + 1), NULL);
}

/* ---- the chain ---- */

/* Whoever can write to the store decides how big a value is: the server leaves out what is bigger
 * than ours, here and below. */
static const char select_chain[] =
    "SELECT number, CASE WHEN octet_length(id) <= 16 THEN id END,"
    " size, CASE WHEN octet_length(edge) <= 2048 THEN edge END,"
    " seals, CASE WHEN octet_length(last) <= 32 THEN last END,"
    " base_size, CASE WHEN octet_length(base_edge) <= 2048 THEN base_edge END, base_seal,"
    " CASE WHEN octet_length(name) <= 64 THEN name END FROM ONLY @chain";

static se_status select_chains(PGresult **out, struct postgres *s, const char *where,
                               const struct pg_parameters *p, se_error *err)
{
    AUTO(writer) w = { 0 };

    writer_format(&w, "%s %s", select_chain, where);
    return w.failed ? error_memory(err) : pg_query(out, s, writer_string(&w), p, err);
}

static void pg_chain_at(struct chain *out, const PGresult *result, int row)
{
    se_bytes id = pg_bytes_at(result, row, 1), name = pg_bytes_at(result, row, 9);
    bool good = id.size == CHAIN_ID_SIZE;

    *out = (struct chain){ .number = (int64_t)pg_number_at(result, row, 0) };
    (void)snprintf(out->name, sizeof out->name, "%.*s", (int)name.size, (const char *)name.data);
    if (good)
        memcpy(&out->id, id.data, CHAIN_ID_SIZE);
    good = pg_frontier_at(&out->frontier, result, row, 2) && good;
    out->checkpoints = pg_number_at(result, row, 4);
    good = pg_hash_at(&out->last, result, row, 5) && good;
    good = pg_frontier_at(&out->base, result, row, 6) && good;
    out->base_checkpoint = pg_number_at(result, row, 8);
    out->damaged = !good;
}

/* Whoever appends locks the chain's row: others wait here. */
static se_status postgres_read_chain(struct chain *out, bool *found, struct chain_store *store,
                                     const char *name, se_error *err)
{
    struct postgres *s = (struct postgres *)store;
    const char *where = s->mode == STORE_READ ? "WHERE name = $1" : "WHERE name = $1 FOR UPDATE";
    AUTO(pg_result) result = NULL;
    struct pg_parameters p = { 0 };

    *found = false;
    pg_add_bytes(&p, text_bytes(name));
    TRY(select_chains(&result, s, where, &p, err));
    *found = PQntuples(result) > 0;
    if (*found)
        pg_chain_at(out, result, 0);
    return SE_OK;
}

/* Some, from the one after *last on, which becomes the last of them; *more: there may be others. */
static se_status read_some_chains(bool *more, struct postgres *s, struct chain *last,
                                  const struct visitor *v, se_error *err)
{
    AUTO(pg_result) result = NULL;
    struct pg_parameters p = { 0 };

    pg_add_number(&p, (uint64_t)last->number);
    TRY(select_chains(&result, s, "WHERE number > $1 ORDER BY number LIMIT 1000", &p, err));
    *more = PQntuples(result) > 0;
    for (int i = 0; i < PQntuples(result); i++) {
        pg_chain_at(last, result, i);
        TRY(v->chain(v->arg, last, err));
    }
    return SE_OK;
}

static se_status postgres_read_chains(struct chain_store *store, chain_fn fn, void *arg,
                                      se_error *err)
{
    const struct visitor v = { .chain = fn, .arg = arg };
    struct chain chain = { .number = 0 };
    bool more = true;

    while (more)
        TRY(read_some_chains(&more, (struct postgres *)store, &chain, &v, err));
    return SE_OK;
}

static se_status execute_with(struct chain_store *store, const char *sql,
                              const struct pg_parameters *p, se_error *err)
{
    AUTO(pg_result) result = NULL;

    return pg_query(&result, (struct postgres *)store, sql, p, err);
}

static se_status insert_chain(struct chain *chain, struct postgres *s,
                              const struct pg_parameters *p, se_error *err)
{
    AUTO(pg_result) result = NULL;

    TRY(pg_query(
        &result, s,
        "INSERT INTO @chain (name, id, size, edge, seals, last, base_size, base_edge, base_seal)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING number",
        p, err));
    if (!PQntuples(result)) /* another process has made it just now */
        return error_set(err, SE_ERR_USAGE, "there is a chain '%s' in '%s' already", chain->name,
                         s->shown);
    chain->number = (int64_t)pg_number_at(result, 0, 0);
    return SE_OK;
}

static se_status postgres_write_chain(struct chain_store *store, struct chain *chain, se_error *err)
{
    struct pg_parameters p = { 0 };

    pg_add_bytes(&p, text_bytes(chain->name));
    pg_add_bytes(&p, (se_bytes){ &chain->id, sizeof chain->id });
    pg_add_number(&p, chain->frontier.size);
    pg_add_bytes(&p, frontier_bytes(&chain->frontier));
    pg_add_number(&p, chain->checkpoints);
    pg_add_bytes(&p, hash_bytes(&chain->last));
    pg_add_number(&p, chain->base.size);
    pg_add_bytes(&p, frontier_bytes(&chain->base));
    pg_add_number(&p, chain->base_checkpoint);
    if (!chain->number)
        return insert_chain(chain, (struct postgres *)store, &p, err);
    pg_add_number(&p, (uint64_t)chain->number);
    return execute_with(store,
                        "UPDATE ONLY @chain SET name = $1, id = $2, size = $3, edge = $4,"
                        " seals = $5, last = $6, base_size = $7, base_edge = $8, base_seal = $9"
                        " WHERE number = $10",
                        &p, err);
}

/* ---- reading many rows ---- */

/*
 * Some at a time: whoever gets one may ask for others meanwhile.  How big they are is up to whoever
 * can write to the store, and libpq has all of a result in memory.  So the server leaves out what
 * is bigger than its share of the room.  Where that is a payload, the row is asked for again, among
 * fewer.
 */
enum { ROWS_FIRST = 200, ROWS_MOST = 4000, ROWS_BYTES = 8 << 20 };

struct paged_read {
    struct postgres *s;
    const char *sql; /* with $1 to $4: chain, from, to, how many; $5, if there is a payload: how big
                        it may be.  The first column is the row's number. */
    struct range range; /* what is still to come */
    se_status (*take)(const struct paged_read *r, const PGresult *result, int row, se_error *err);
    struct visitor visitor;
    unsigned level; /* of subtrees */
    int payload;    /* its column; 0: none */
};

struct page {
    uint64_t most; /* rows */
    int got;
    size_t bytes;
    bool cut; /* at one that was too big for its share */
};

static uint64_t page_share(const struct page *page)
{
    uint64_t share = page->most > 1 ? ROWS_BYTES / page->most : PAYLOAD_MOST;

    return share < PAYLOAD_MOST ? share : PAYLOAD_MOST;
}

static se_status read_page(struct page *page, struct paged_read *r, se_error *err)
{
    AUTO(pg_result) result = NULL;
    struct pg_parameters p = { 0 };

    pg_add_number(&p, (uint64_t)r->range.chain->number);
    pg_add_number(&p, r->range.first);
    pg_add_number(&p, r->range.last < INT64_MAX ? r->range.last : INT64_MAX);
    pg_add_number(&p, page->most);
    if (r->payload)
        pg_add_number(&p, page_share(page));
    TRY(pg_query(&result, r->s, r->sql, &p, err));
    page->bytes = PQresultMemorySize(result);
    page->got = PQntuples(result);
    page->cut = false;
    for (int i = 0; i < page->got; i++) {
        page->cut = r->payload && PQgetisnull(result, i, r->payload) && page->most > 1;
        if (page->cut)
            break;
        r->range.first = pg_number_at(result, i, 0) + 1;
        TRY(r->take(r, result, i, err));
    }
    return SE_OK;
}

/* As many as there will be room for, if they are like those that came. */
static uint64_t next_page_size(const struct page *page)
{
    if (page->cut)
        return page->most > 8 ? page->most / 8 : 1;
    if (page->bytes > ROWS_BYTES)
        return page->most * ROWS_BYTES / page->bytes + 1;
    return page->most < ROWS_MOST ? page->most * 2 : page->most;
}

static se_status read_pages(struct paged_read *r, se_error *err)
{
    struct page page = { .most = ROWS_FIRST };

    do {
        uint64_t asked = page.most;

        TRY(read_page(&page, r, err));
        if ((uint64_t)page.got < asked && !page.cut)
            return SE_OK;
        page.most = next_page_size(&page);
    } while (r->range.first <= r->range.last);
    return SE_OK;
}

/* ---- entries ---- */

static se_status pg_take_row(const struct paged_read *r, const PGresult *result, int i,
                             se_error *err)
{
    struct row row = {
        .seq = pg_number_at(result, i, 0),
        .time = (int64_t)pg_number_at(result, i, 1),
        .object = pg_bytes_at(result, i, 2),
        .salt = pg_bytes_at(result, i, 3),
        .payload = pg_bytes_at(result, i, 4),
    };

    for (int column = 2; column <= 5; column++)
        row.oversized = row.oversized || PQgetisnull(result, i, column);
    (void)pg_hash_at(&row.leaf, result, i, 5);
    return r->visitor.row(r->visitor.arg, &row, err);
}

static se_status postgres_read_rows(struct chain_store *store, const struct range *range, row_fn fn,
                                    void *arg, se_error *err)
{
    struct paged_read r = {
        .s = (struct postgres *)store,
        .sql = "SELECT seq, time, CASE WHEN octet_length(object) <= 1000 THEN object END,"
               " CASE WHEN octet_length(salt) <= 16 THEN salt END,"
               " CASE WHEN octet_length(payload) <= $5::bigint THEN payload END,"
               " CASE WHEN octet_length(leaf) <= 32 THEN leaf END"
               " FROM ONLY @entry WHERE chain = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq LIMIT $4",
        .range = *range,
        .take = pg_take_row,
        .visitor = { .row = fn, .arg = arg },
        .payload = 4,
    };

    return read_pages(&r, err);
}

static se_status postgres_write_rows(struct chain_store *store, const struct chain *chain,
                                     const struct row *rows, size_t count, se_error *err)
{
    struct pg_copy c;

    TRY(pg_copy_begin(
        &c, (struct postgres *)store,
        "COPY @entry (chain, seq, time, object, salt, payload, leaf) FROM STDIN (FORMAT binary)",
        err));
    for (const struct row *row = rows; !c.st && row < rows + count; row++) {
        pg_copy_row(&c, 7);
        pg_copy_number(&c, (uint64_t)chain->number);
        pg_copy_number(&c, row->seq);
        pg_copy_number(&c, (uint64_t)row->time);
        pg_copy_bytes(&c, row->object);
        pg_copy_bytes(&c, row->salt);
        pg_copy_bytes(&c, row->payload);
        pg_copy_bytes(&c, hash_bytes(&row->leaf));
    }
    return pg_copy_end(&c);
}

static se_status postgres_read_extent(struct extent *out, struct chain_store *store,
                                      const struct range *range, se_error *err)
{
    AUTO(pg_result) result = NULL;
    struct pg_parameters p = { 0 };

    *out = (struct extent){ .there = false };
    pg_add_number(&p, (uint64_t)range->chain->number);
    pg_add_number(&p, range->first ? range->first : (uint64_t)INT64_MIN);
    pg_add_number(&p, range->last < INT64_MAX ? range->last : INT64_MAX);
    TRY(pg_query(
        &result, (struct postgres *)store,
        "SELECT min(seq), max(seq) FROM ONLY @entry WHERE chain = $1 AND seq BETWEEN $2 AND $3", &p,
        err));
    if (!PQgetisnull(result, 0, 0))
        *out = (struct extent){ true, pg_number_at(result, 0, 0), pg_number_at(result, 0, 1) };
    return SE_OK;
}

/* ---- checkpoints ---- */

static se_status pg_take_checkpoint(const struct paged_read *r, const PGresult *result, int i,
                                    se_error *err)
{
    const struct stored_checkpoint stored = {
        .number = pg_number_at(result, i, 0),
        .size = pg_number_at(result, i, 1),
        .note = pg_bytes_at(result, i, 2),
    };

    return r->visitor.checkpoint(r->visitor.arg, &stored, err);
}

static se_status postgres_read_checkpoints(struct chain_store *store, const struct range *range,
                                           checkpoint_fn fn, void *arg, se_error *err)
{
    struct paged_read r = {
        .s = (struct postgres *)store,
        .sql = "SELECT number, size, CASE WHEN octet_length(note) <= 4096 THEN note END"
               " FROM ONLY @seal WHERE chain = $1 AND number BETWEEN $2 AND $3"
               " ORDER BY number LIMIT $4",
        .range = *range,
        .take = pg_take_checkpoint,
        .visitor = { .checkpoint = fn, .arg = arg },
    };

    return read_pages(&r, err);
}

static se_status postgres_write_checkpoint(struct chain_store *store, const struct chain *chain,
                                           const struct stored_checkpoint *checkpoint,
                                           se_error *err)
{
    struct pg_parameters p = { 0 };

    pg_add_number(&p, (uint64_t)chain->number);
    pg_add_number(&p, checkpoint->number);
    pg_add_number(&p, checkpoint->size);
    pg_add_bytes(&p, checkpoint->note);
    return execute_with(
        store, "INSERT INTO @seal (chain, number, size, note) VALUES ($1, $2, $3, $4)", &p, err);
}

/* ---- subtrees ---- */

static se_status pg_take_subtree(const struct paged_read *r, const PGresult *result, int i,
                                 se_error *err)
{
    struct subtree subtree = { .level = r->level, .index = pg_number_at(result, i, 0) };

    (void)pg_hash_at(&subtree.hash, result, i, 1);
    return r->visitor.subtree(r->visitor.arg, &subtree, err);
}

/* The level is a small number, and part of the text. */
static se_status postgres_read_subtrees(struct chain_store *store, unsigned level,
                                        const struct range *range, subtree_fn fn, void *arg,
                                        se_error *err)
{
    char sql[200];
    struct paged_read r = {
        .s = (struct postgres *)store,
        .sql = sql,
        .range = *range,
        .take = pg_take_subtree,
        .visitor = { .subtree = fn, .arg = arg },
        .level = level,
    };

    (void)snprintf(sql, sizeof sql,
                   "SELECT number, CASE WHEN octet_length(hash) <= 32 THEN hash END"
                   " FROM ONLY @node WHERE chain = $1 AND level = %u AND number BETWEEN $2 AND $3"
                   " ORDER BY number LIMIT $4",
                   level);
    return read_pages(&r, err);
}

static se_status postgres_write_subtrees(struct chain_store *store, const struct chain *chain,
                                         const struct subtree *subtrees, size_t count,
                                         se_error *err)
{
    struct pg_copy c;

    if (!count)
        return SE_OK;
    TRY(pg_copy_begin(&c, (struct postgres *)store,
                      "COPY @node (chain, level, number, hash) FROM STDIN (FORMAT binary)", err));
    for (const struct subtree *subtree = subtrees; !c.st && subtree < subtrees + count; subtree++) {
        pg_copy_row(&c, 4);
        pg_copy_number(&c, (uint64_t)chain->number);
        pg_copy_number(&c, subtree->level);
        pg_copy_number(&c, subtree->index);
        pg_copy_bytes(&c, hash_bytes(&subtree->hash));
    }
    return pg_copy_end(&c);
}

/* ---- erasing and dropping ---- */

static se_status postgres_erase_payload(struct chain_store *store, const struct chain *chain,
                                        uint64_t seq, const struct hash *commitment, se_error *err)
{
    struct pg_parameters p = { 0 };

    TRY(postgres_erase_digests((struct postgres *)store, &(struct range){ chain, seq, seq }, err));
    pg_add_bytes(&p, hash_bytes(commitment));
    pg_add_number(&p, (uint64_t)chain->number);
    pg_add_number(&p, seq);
    return execute_with(
        store, "UPDATE ONLY @entry SET salt = '', payload = $1 WHERE chain = $2 AND seq = $3", &p,
        err);
}

static se_status postgres_drop_entries(struct chain_store *store, const struct chain *chain,
                                       uint64_t last, uint64_t first_checkpoint, se_error *err)
{
    struct pg_parameters entries = { 0 }, checkpoints = { 0 };

    TRY(postgres_erase_digests((struct postgres *)store, &(struct range){ chain, 0, last }, err));
    pg_add_number(&entries, (uint64_t)chain->number);
    pg_add_number(&entries, last);
    pg_add_number(&checkpoints, (uint64_t)chain->number);
    pg_add_number(&checkpoints, first_checkpoint);
    TRY(execute_with(store, "DELETE FROM ONLY @entry WHERE chain = $1 AND seq <= $2", &entries,
                     err));
    return execute_with(store, "DELETE FROM ONLY @seal WHERE chain = $1 AND number < $2",
                        &checkpoints, err);
}

const struct chain_store_type postgres_store_type = {
    .scheme = POSTGRES_SCHEME,
    .redact_uri = postgres_redact_uri,
    .open = postgres_open_uri,
    .close = postgres_close,
    .begin = postgres_begin,
    .end = postgres_end,
    .read_chain = postgres_read_chain,
    .write_chain = postgres_write_chain,
    .read_chains = postgres_read_chains,
    .write_rows = postgres_write_rows,
    .write_subtrees = postgres_write_subtrees,
    .write_checkpoint = postgres_write_checkpoint,
    .read_keys = postgres_read_keys,
    .write_keys = postgres_write_keys,
    .erase_payload = postgres_erase_payload,
    .drop_entries = postgres_drop_entries,
    .read_extent = postgres_read_extent,
    .read_rows = postgres_read_rows,
    .read_checkpoints = postgres_read_checkpoints,
    .read_subtrees = postgres_read_subtrees,
};
