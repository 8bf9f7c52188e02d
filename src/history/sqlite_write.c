#include "history/sqlite.h"

enum { ROW_VALUES = 6 };

/* What is bound outlasts the step that follows. */
static void bind_bytes(sqlite3_stmt *statement, int at, se_bytes bytes)
{
    (void)sqlite3_bind_blob64(statement, at, bytes.size ? bytes.data : "", bytes.size,
                              SQLITE_STATIC);
}

static se_status step(struct sqlite *s, sqlite3_stmt *statement, se_error *err)
{
    se_status st = sqlite3_step(statement) == SQLITE_DONE ? SE_OK : sqlite_failed(s, err);

    (void)sqlite3_reset(statement);
    return st;
}

se_status sqlite_put_chain(struct database *store, struct chain *chain, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    const se_bytes id = { &chain->id, sizeof chain->id };
    sqlite3_stmt *q;

    TRY(sqlite_statement(&q, s, chain->number ? SQL_CHAIN_PUT : SQL_CHAIN_NEW, err));
    (void)sqlite3_bind_text(q, 1, chain->name, -1, SQLITE_STATIC);
    bind_bytes(q, 2, id);
    (void)sqlite3_bind_int64(q, 3, (int64_t)chain->edge.size);
    bind_bytes(q, 4, edge_bytes(&chain->edge));
    (void)sqlite3_bind_int64(q, 5, (int64_t)chain->seals);
    bind_bytes(q, 6, hash_bytes(&chain->last));
    (void)sqlite3_bind_int64(q, 7, (int64_t)chain->base.size);
    bind_bytes(q, 8, edge_bytes(&chain->base));
    (void)sqlite3_bind_int64(q, 9, (int64_t)chain->base_seal);
    if (chain->number)
        (void)sqlite3_bind_int64(q, 10, chain->number);
    TRY(step(s, q, err));
    if (!chain->number)
        chain->number = sqlite3_last_insert_rowid(s->db);
    return SE_OK;
}

static void bind_row(sqlite3_stmt *q, int at, const struct chain *chain, const struct row *row)
{
    (void)sqlite3_bind_int64(q, at + 1, sqlite_key(chain, row->seq));
    (void)sqlite3_bind_int64(q, at + 2, row->time);
    bind_bytes(q, at + 3, row->object);
    bind_bytes(q, at + 4, row->salt);
    bind_bytes(q, at + 5, row->payload);
    bind_bytes(q, at + 6, hash_bytes(&row->leaf));
}

/* As many as the statement takes at once. */
static se_status put_some(struct sqlite *s, enum sqlite_statement which, const struct chain *chain,
                          const struct row *rows, se_error *err)
{
    sqlite3_stmt *q;
    se_status st = sqlite_statement(&q, s, which, err);
    int values = st ? 0 : sqlite3_bind_parameter_count(q);

    if (st)
        return st;
    for (int at = 0; at < values; at += ROW_VALUES)
        bind_row(q, at, chain, rows++);
    return step(s, q, err);
}

se_status sqlite_put_rows(struct database *store, const struct chain *chain, const struct row *rows,
                          size_t count, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    se_status st = SE_OK;
    size_t done = 0;

    for (; !st && count - done >= SQLITE_ROWS; done += SQLITE_ROWS)
        st = put_some(s, SQL_ROWS_PUT, chain, rows + done, err);
    for (; !st && done < count; done++)
        st = put_some(s, SQL_ROW_PUT, chain, rows + done, err);
    return st;
}

se_status sqlite_put_nodes(struct database *store, const struct chain *chain,
                           const struct node *nodes, size_t count, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    sqlite3_stmt *q;
    se_status st = sqlite_statement(&q, s, SQL_NODE_PUT, err);

    for (size_t i = 0; !st && i < count; i++) {
        (void)sqlite3_bind_int64(q, 1, chain->number);
        (void)sqlite3_bind_int64(q, 2, nodes[i].level);
        (void)sqlite3_bind_int64(q, 3, (int64_t)nodes[i].index);
        bind_bytes(q, 4, hash_bytes(&nodes[i].hash));
        st = step(s, q, err);
    }
    return st;
}

se_status sqlite_put_seal(struct database *store, const struct chain *chain,
                          const struct sealed *seal, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    sqlite3_stmt *q;

    TRY(sqlite_statement(&q, s, SQL_SEAL_PUT, err));
    (void)sqlite3_bind_int64(q, 1, sqlite_key(chain, seal->number));
    (void)sqlite3_bind_int64(q, 2, (int64_t)seal->size);
    bind_bytes(q, 3, seal->note);
    return step(s, q, err);
}

se_status sqlite_erase(struct database *store, const struct chain *chain, uint64_t seq,
                       const struct hash *commitment, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    sqlite3_stmt *q;

    TRY(sqlite_statement(&q, s, SQL_ERASE, err));
    s->erased = true;
    bind_bytes(q, 1, hash_bytes(commitment));
    (void)sqlite3_bind_int64(q, 2, sqlite_key(chain, seq));
    return step(s, q, err);
}

static se_status drop_up_to(struct sqlite *s, enum sqlite_statement which,
                            const struct chain *chain, uint64_t last, se_error *err)
{
    sqlite3_stmt *q;

    TRY(sqlite_statement(&q, s, which, err));
    s->erased = true;
    (void)sqlite3_bind_int64(q, 1, sqlite_key(chain, 0));
    (void)sqlite3_bind_int64(q, 2, sqlite_key(chain, last));
    return step(s, q, err);
}

se_status sqlite_drop(struct database *store, const struct chain *chain, uint64_t last,
                      uint64_t first_seal, se_error *err)
{
    struct sqlite *s = (struct sqlite *)store;
    se_status st = drop_up_to(s, SQL_DROP_ROWS, chain, last, err);

    return st ? st : drop_up_to(s, SQL_DROP_SEALS, chain, first_seal - 1, err);
}
