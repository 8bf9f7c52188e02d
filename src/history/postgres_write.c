#include "history/postgres.h"

enum { COPY_PIECE = 1 << 20 };

static se_status change(struct postgres *s, const char *sql, const struct pg_parameters *p,
                        se_error *err)
{
    AUTO(pg_result) result = NULL;

    return pg_query(&result, s, sql, p, err);
}

static se_status number_new(struct chain *chain, struct postgres *s, const struct pg_parameters *p,
                            se_error *err)
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

se_status postgres_put_chain(struct database *store, struct chain *chain, se_error *err)
{
    struct postgres *s = (struct postgres *)store;
    struct pg_parameters p = { 0 };

    pg_bytes(&p, text_bytes(chain->name));
    pg_bytes(&p, (se_bytes){ &chain->id, sizeof chain->id });
    pg_number(&p, chain->edge.size);
    pg_bytes(&p, edge_bytes(&chain->edge));
    pg_number(&p, chain->seals);
    pg_bytes(&p, hash_bytes(&chain->last));
    pg_number(&p, chain->base.size);
    pg_bytes(&p, edge_bytes(&chain->base));
    pg_number(&p, chain->base_seal);
    if (!chain->number)
        return number_new(chain, s, &p, err);
    pg_number(&p, (uint64_t)chain->number);
    return change(s,
                  "UPDATE ONLY @chain SET name = $1, id = $2, size = $3, edge = $4, seals = $5, "
                  "last = $6, base_size = $7,"
                  " base_edge = $8, base_seal = $9 WHERE number = $10",
                  &p, err);
}

/* ---- COPY in its binary form ---- */

struct copy {
    struct postgres *s;
    unsigned char *room;
    size_t used;
    se_status st;
    se_error *err;
};

static void copy_send(struct copy *c)
{
    if (!c->st && c->used &&
        PQputCopyData(c->s->connection, (const char *)c->room, (int)c->used) != 1)
        c->st = postgres_failed(c->s, NULL, c->err);
    c->used = 0;
}

static void copy_put(struct copy *c, se_bytes bytes)
{
    if (c->used + bytes.size > COPY_PIECE)
        copy_send(c);
    if (bytes.size > COPY_PIECE) {
        if (!c->st && PQputCopyData(c->s->connection, bytes.data, (int)bytes.size) != 1)
            c->st = postgres_failed(c->s, NULL, c->err);
        return;
    }
    if (bytes.size)
        memcpy(c->room + c->used, bytes.data, bytes.size);
    c->used += bytes.size;
}

static void copy_count(struct copy *c, uint64_t number, unsigned bytes)
{
    unsigned char room[8];

    pg_put_number(room, number, bytes);
    copy_put(c, (se_bytes){ room, bytes });
}

static void copy_number(struct copy *c, uint64_t number)
{
    copy_count(c, 8, 4);
    copy_count(c, number, 8);
}

static void copy_bytes(struct copy *c, se_bytes bytes)
{
    copy_count(c, bytes.size, 4);
    copy_put(c, bytes);
}

static se_status copy_begin(struct copy *c, se_buf *room, struct postgres *s, const char *sql,
                            se_error *err)
{
    static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
    se_status st = buf_new(room, COPY_PIECE, err);

    if (st || (st = change(s, sql, NULL, err)))
        return st;
    *c = (struct copy){ s, room->data, 0, SE_OK, err };
    copy_put(c, (se_bytes){ head, 19 });
    return SE_OK;
}

static se_status copy_end(struct copy *c)
{
    PGconn *connection = c->s->connection;
    PGresult *result;

    copy_count(c, UINT16_MAX, 2);
    copy_send(c);
    if (PQputCopyEnd(connection, c->st ? "failed" : NULL) != 1 && !c->st)
        c->st = postgres_failed(c->s, NULL, c->err);
    while ((result = PQgetResult(connection))) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK && !c->st)
            c->st = postgres_failed(c->s, result, c->err);
        PQclear(result);
    }
    if (!c->st && PQstatus(connection) != CONNECTION_OK)
        c->st = postgres_failed(c->s, NULL, c->err);
    return c->st;
}

se_status postgres_put_rows(struct database *store, const struct chain *chain,
                            const struct row *rows, size_t count, se_error *err)
{
    AUTO(se_buf) room = SE_BUF_INIT;
    struct copy c;
    se_status st = copy_begin(
        &c, &room, (struct postgres *)store,
        "COPY @entry (chain, seq, time, object, salt, payload, leaf) FROM STDIN (FORMAT binary)",
        err);

    if (st)
        return st;
    for (size_t i = 0; !c.st && i < count; i++) {
        copy_count(&c, 7, 2);
        copy_number(&c, (uint64_t)chain->number);
        copy_number(&c, rows[i].seq);
        copy_number(&c, (uint64_t)rows[i].time);
        copy_bytes(&c, rows[i].object);
        copy_bytes(&c, rows[i].salt);
        copy_bytes(&c, rows[i].payload);
        copy_bytes(&c, hash_bytes(&rows[i].leaf));
    }
    return copy_end(&c);
}

se_status postgres_put_nodes(struct database *store, const struct chain *chain,
                             const struct node *nodes, size_t count, se_error *err)
{
    AUTO(se_buf) room = SE_BUF_INIT;
    struct copy c;
    se_status st =
        count
            ? copy_begin(&c, &room, (struct postgres *)store,
                         "COPY @node (chain, level, number, hash) FROM STDIN (FORMAT binary)", err)
            : SE_OK;

    if (st || !count)
        return st;
    for (size_t i = 0; !c.st && i < count; i++) {
        copy_count(&c, 4, 2);
        copy_number(&c, (uint64_t)chain->number);
        copy_number(&c, nodes[i].level);
        copy_number(&c, nodes[i].index);
        copy_bytes(&c, hash_bytes(&nodes[i].hash));
    }
    return copy_end(&c);
}

se_status postgres_put_seal(struct database *store, const struct chain *chain,
                            const struct sealed *seal, se_error *err)
{
    struct pg_parameters p = { 0 };

    pg_number(&p, (uint64_t)chain->number);
    pg_number(&p, seal->number);
    pg_number(&p, seal->size);
    pg_bytes(&p, seal->note);
    return change((struct postgres *)store,
                  "INSERT INTO @seal (chain, number, size, note) VALUES ($1, $2, $3, $4)", &p, err);
}

/* ---- care ---- */

se_status postgres_erase(struct database *store, const struct chain *chain, uint64_t seq,
                         const struct hash *commitment, se_error *err)
{
    struct pg_parameters p = { 0 };

    pg_bytes(&p, hash_bytes(commitment));
    pg_number(&p, (uint64_t)chain->number);
    pg_number(&p, seq);
    return change((struct postgres *)store,
                  "UPDATE ONLY @entry SET salt = '', payload = $1 WHERE chain = $2 AND seq = $3",
                  &p, err);
}

se_status postgres_drop(struct database *store, const struct chain *chain, uint64_t last,
                        uint64_t first_seal, se_error *err)
{
    struct pg_parameters entries = { 0 }, seals = { 0 };

    pg_number(&entries, (uint64_t)chain->number);
    pg_number(&entries, last);
    pg_number(&seals, (uint64_t)chain->number);
    pg_number(&seals, first_seal);
    TRY(change((struct postgres *)store, "DELETE FROM ONLY @entry WHERE chain = $1 AND seq <= $2",
               &entries, err));
    return change((struct postgres *)store,
                  "DELETE FROM ONLY @seal WHERE chain = $1 AND number < $2", &seals, err);
}
