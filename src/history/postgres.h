/* SPDX-License-Identifier: Apache-2.0 */
/* Chains in PostgreSQL: postgres_rows.c and postgres_keys.c read and write them, in transactions of
 * postgres.c, by the queries and over the tables of postgres_schema.c. */
#ifndef HISTORY_POSTGRES_H
#define HISTORY_POSTGRES_H

#include <libpq-fe.h>

#include "history/store.h"

struct postgres {
    struct chain_store store;
    char *uri, *shown;     /* with and without password */
    char *schema, *prefix; /* where the tables are, and how their names begin in SQL */
    char *settings;        /* SQL that is said in every transaction */
    PGconn *connection;
    enum store_mode mode; /* of the transaction */
    bool keyed; /* the table of idempotency keys was there when they were looked at last */
};

/* ---- postgres_schema.c ---- */

AUTO_KIND(pg_result, PGresult *, PQclear(*p))

/* What the server, or libpq, says about the last call.  `result` may be NULL. */
se_status postgres_failed(const struct postgres *s, const PGresult *result, se_error *err);

/* Parameters and results are binary. */
enum { PG_PARAMETERS = 10 };
struct pg_parameters {
    int count;
    const char *values[PG_PARAMETERS];
    int sizes[PG_PARAMETERS], formats[PG_PARAMETERS];
    unsigned char numbers[PG_PARAMETERS][8];
};
void pg_add_number(struct pg_parameters *p, uint64_t number);
void pg_add_bytes(struct pg_parameters *p, se_bytes bytes);

/* "@entry" in it is the table signengine_entry.  *out is released by the caller, after a failure
 * too. */
SE_MUST_CHECK se_status pg_query(PGresult **out, struct postgres *s, const char *sql,
                                 const struct pg_parameters *p, se_error *err);

/* Without parameters or a result. */
SE_MUST_CHECK se_status pg_execute(struct postgres *s, const char *sql, se_error *err);

se_bytes pg_bytes_at(const PGresult *result, int row, int column);
uint64_t pg_number_at(const PGresult *result, int row, int column);

/* Many rows: COPY in its binary form.  It stays failed, and pg_copy_end() says so. */
struct pg_copy {
    struct postgres *s;
    struct writer w;
    se_status st;
    se_error *err;
};
SE_MUST_CHECK se_status pg_copy_begin(struct pg_copy *c, struct postgres *s, const char *sql,
                                      se_error *err);
void pg_copy_row(struct pg_copy *c, unsigned columns);
void pg_copy_number(struct pg_copy *c, uint64_t number);
void pg_copy_bytes(struct pg_copy *c, se_bytes bytes);
SE_MUST_CHECK se_status pg_copy_end(struct pg_copy *c);

/* In a transaction: where the tables are, or will be; nothing else is looked up there then. */
SE_MUST_CHECK se_status postgres_find_schema(struct postgres *s, bool create, se_error *err);

/* In a transaction: that the tables are there, but perhaps that of keys, are exactly as we make
 * them, and nothing is on them.  SE_ERR_FORMAT. */
SE_MUST_CHECK se_status postgres_check_tables(struct postgres *s, se_error *err);

/* Likewise: that this role owns them.  SE_ERR_ACCESS. */
SE_MUST_CHECK se_status postgres_check_owner(struct postgres *s, se_error *err);

/* Makes those that are not there. */
extern const char postgres_create_tables[];

/* ---- postgres_keys.c: likewise, but for the last one ---- */

SE_MUST_CHECK se_status postgres_read_keys(struct chain_store *store, const struct chain *chain,
                                           struct append_key *keys, size_t count, se_error *err);
SE_MUST_CHECK se_status postgres_write_keys(struct chain_store *store, const struct chain *chain,
                                            const struct append_key *keys, size_t count,
                                            se_error *err);

/* In STORE_EXCLUSIVE: the digests of what was appended in `range` go. */
SE_MUST_CHECK se_status postgres_erase_digests(struct postgres *s, const struct range *range,
                                               se_error *err);

/* ---- postgres.c: struct chain_store_type says what these do ---- */

#define POSTGRES_SCHEME "postgresql://"

char *postgres_redact_uri(const char *uri);
SE_MUST_CHECK se_status postgres_open_uri(struct chain_store **out, const char *uri, bool create,
                                          se_error *err);
void postgres_close(struct chain_store *store);
SE_MUST_CHECK se_status postgres_begin(struct chain_store *store, enum store_mode mode,
                                       se_error *err);
se_status postgres_end(struct chain_store *store, bool commit, se_error *err);

#endif
