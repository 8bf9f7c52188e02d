/* SPDX-License-Identifier: Apache-2.0 */
/* Idempotency keys in PostgreSQL: those of a group in one query, for the server may be far away. */
#include "base/reader.h"
#include "history/postgres.h"

/* ---- arrays (array_recv() of the server): parameters that are as long as the group ---- */

enum { OID_BYTEA = 17, OID_BIGINT = 20 };

static void array_begin(struct writer *w, unsigned type, size_t count)
{
    writer_number(w, 1, 4); /* dimension */
    writer_number(w, 0, 4); /* nothing is NULL */
    writer_number(w, type, 4);
    writer_number(w, count, 4);
    writer_number(w, 1, 4); /* where it begins to count */
}

static void array_add_bytes(struct writer *w, se_bytes bytes)
{
    writer_number(w, bytes.size, 4);
    writer_put(w, bytes.data, bytes.size);
}

static void array_add_number(struct writer *w, uint64_t number)
{
    writer_number(w, 8, 4);
    writer_number(w, number, 8);
}

/* The columns of keys. */
struct key_columns {
    struct writer caller, name, digest, first, count;
};

static void key_columns_free(struct key_columns *c)
{
    writer_free(&c->caller);
    writer_free(&c->name);
    writer_free(&c->digest);
    writer_free(&c->first);
    writer_free(&c->count);
}
AUTO_KIND(key_columns, struct key_columns, key_columns_free(p))

static se_status fill_key_columns(struct key_columns *c, const struct append_key *keys,
                                  size_t count, se_error *err)
{
    array_begin(&c->caller, OID_BYTEA, count);
    array_begin(&c->name, OID_BYTEA, count);
    array_begin(&c->digest, OID_BYTEA, count);
    array_begin(&c->first, OID_BIGINT, count);
    array_begin(&c->count, OID_BIGINT, count);
    for (const struct append_key *key = keys; key < keys + count; key++) {
        array_add_bytes(&c->caller, key->caller);
        array_add_bytes(&c->name, key->name);
        array_add_bytes(&c->digest, hash_bytes(&key->digest));
        array_add_number(&c->first, key->first);
        array_add_number(&c->count, key->count);
    }
    return c->caller.failed || c->name.failed || c->digest.failed || c->first.failed ||
                   c->count.failed
               ? error_memory(err)
               : SE_OK;
}

/* ---- reading and writing ---- */

static void take_key(struct append_key *key, const PGresult *result, int row)
{
    se_bytes digest = pg_bytes_at(result, row, 3);

    key->first = pg_number_at(result, row, 1);
    key->count = pg_number_at(result, row, 2);
    key->erased = digest.size != HASH_SIZE;
    if (!key->erased)
        memcpy(&key->digest, digest.data, HASH_SIZE);
}

se_status postgres_read_keys(struct chain_store *store, const struct chain *chain,
                             struct append_key *keys, size_t count, se_error *err)
{
    static const char sql[] =
        "SELECT k.n, i.first, i.count,"
        " CASE WHEN octet_length(i.digest) <= 32 THEN i.digest END"
        " FROM unnest($2::bytea[], $3::bytea[]) WITH ORDINALITY AS k (caller, key, n)"
        " JOIN ONLY @idempotency i ON i.chain = $1 AND i.caller = k.caller AND i.key = k.key";
    AUTO(key_columns) columns = { .count = { .failed = false } };
    AUTO(pg_result) result = NULL;
    struct pg_parameters p = { 0 };

    TRY(fill_key_columns(&columns, keys, count, err));
    pg_add_number(&p, (uint64_t)chain->number);
    pg_add_bytes(&p, buf_bytes(&columns.caller.buf));
    pg_add_bytes(&p, buf_bytes(&columns.name.buf));
    TRY(pg_query(&result, (struct postgres *)store, sql, &p, err));
    for (struct append_key *key = keys; key < keys + count; key++)
        key->count = 0;
    for (int i = 0; i < PQntuples(result); i++) {
        uint64_t number = pg_number_at(result, i, 0);

        if (number && number <= count)
            take_key(&keys[number - 1], result, i);
    }
    return SE_OK;
}

/* The clock of the server, in microseconds: hosts that append may have others. */
#define SERVER_CLOCK "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint"

static se_status drop_old_keys(struct postgres *s, const struct chain *chain, size_t most,
                               se_error *err)
{
    AUTO(pg_result) result = NULL;
    struct pg_parameters p = { 0 };

    pg_add_number(&p, (uint64_t)chain->number);
    pg_add_number(&p, (uint64_t)KEYS_LAST_US);
    pg_add_number(&p, most);
    return pg_query(&result, s,
                    "DELETE FROM ONLY @idempotency WHERE chain = $1"
                    " AND time < " SERVER_CLOCK " - $2::bigint"
                    " AND first IN (SELECT first FROM ONLY @idempotency WHERE chain = $1"
                    " ORDER BY first LIMIT $3::bigint)",
                    &p, err);
}

se_status postgres_write_keys(struct chain_store *store, const struct chain *chain,
                              const struct append_key *keys, size_t count, se_error *err)
{
    static const char sql[] =
        "INSERT INTO @idempotency (chain, caller, key, digest, first, count, time)"
        " SELECT $1, caller, key, digest, first, count, " SERVER_CLOCK
        " FROM unnest($2::bytea[], $3::bytea[], $4::bytea[], $5::bigint[], $6::bigint[])"
        " AS k (caller, key, digest, first, count)";
    struct postgres *s = (struct postgres *)store;
    AUTO(key_columns) columns = { .count = { .failed = false } };
    AUTO(pg_result) result = NULL;
    struct pg_parameters p = { 0 };

    TRY(fill_key_columns(&columns, keys, count, err));
    TRY(drop_old_keys(s, chain, 2 * count + KEYS_DROPPED_MORE, err));
    pg_add_number(&p, (uint64_t)chain->number);
    pg_add_bytes(&p, buf_bytes(&columns.caller.buf));
    pg_add_bytes(&p, buf_bytes(&columns.name.buf));
    pg_add_bytes(&p, buf_bytes(&columns.digest.buf));
    pg_add_bytes(&p, buf_bytes(&columns.first.buf));
    pg_add_bytes(&p, buf_bytes(&columns.count.buf));
    return pg_query(&result, s, sql, &p, err);
}

se_status postgres_erase_digests(struct postgres *s, const struct range *range, se_error *err)
{
    AUTO(pg_result) result = NULL;
    struct pg_parameters p = { 0 };

    if (!s->keyed)
        return SE_OK;
    pg_add_number(&p, (uint64_t)range->chain->number);
    pg_add_number(&p, range->first);
    pg_add_number(&p, range->last);
    return pg_query(&result, s,
                    "UPDATE ONLY @idempotency SET digest = '' WHERE chain = $1 AND first <= $3"
                    " AND count > $2 - greatest(first, 0)",
                    &p, err);
}
