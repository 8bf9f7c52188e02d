#ifndef HISTORY_POSTGRES_H
#define HISTORY_POSTGRES_H

#include "history/database.h"
#include <libpq-fe.h>

struct postgres {
    struct database store;
    char *address, *shown; /* with and without password */
    char *schema, *prefix; /* where the tables are, and how their names begin in SQL */
    char *settings;        /* SQL that is said in every transaction */
    PGconn *connection;
    enum database_mode mode; /* of the transaction */
};

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
void pg_number(struct pg_parameters *p, uint64_t number);
void pg_bytes(struct pg_parameters *p, se_bytes bytes);

/* "@entry" in it is the table signengine_entry.  *out is released by the caller, after a failure
 * too. */
SE_MUST_CHECK se_status pg_query(PGresult **out, struct postgres *s, const char *sql,
                                 const struct pg_parameters *p, se_error *err);

/* Without parameters or a result. */
SE_MUST_CHECK se_status pg_run(struct postgres *s, const char *sql, se_error *err);

/* A transaction with the settings of all, `how` (an isolation level), and `first` in it. */
SE_MUST_CHECK se_status postgres_begin(struct postgres *s, const char *how, const char *first,
                                       se_error *err);

/* In a transaction: where the tables are, or will be; nothing else is looked up there then. */
SE_MUST_CHECK se_status postgres_find_schema(struct postgres *s, bool create, se_error *err);

/* In a transaction: that the four tables are there, are exactly as we make them, and nothing is on
 * them.  SE_ERR_FORMAT. */
SE_MUST_CHECK se_status postgres_check_tables(struct postgres *s, se_error *err);

/* Makes those that are not there. */
SE_MUST_CHECK se_status postgres_make_tables(struct postgres *s, se_error *err);

se_bytes pg_at(const PGresult *result, int row, int column);
uint64_t pg_number_at(const PGresult *result, int row, int column);

void pg_put_number(unsigned char *out, uint64_t number, unsigned bytes);

/* struct database_type has what these do */
se_status postgres_chain(struct chain *out, bool *found, struct database *store, const char *name,
                         se_error *err);
se_status postgres_chains(struct database *store, chain_fn fn, void *arg, se_error *err);
se_status postgres_put_chain(struct database *store, struct chain *chain, se_error *err);
se_status postgres_put_rows(struct database *store, const struct chain *chain,
                            const struct row *rows, size_t count, se_error *err);
se_status postgres_put_nodes(struct database *store, const struct chain *chain,
                             const struct node *nodes, size_t count, se_error *err);
se_status postgres_put_seal(struct database *store, const struct chain *chain,
                            const struct sealed *seal, se_error *err);
se_status postgres_erase(struct database *store, const struct chain *chain, uint64_t seq,
                         const struct hash *commitment, se_error *err);
se_status postgres_drop(struct database *store, const struct chain *chain, uint64_t last,
                        uint64_t first_seal, se_error *err);
se_status postgres_extent(struct extent *out, struct database *store, const struct chain *chain,
                          uint64_t first, uint64_t last, se_error *err);
se_status postgres_rows(struct database *store, const struct chain *chain, uint64_t first,
                        uint64_t last, row_fn fn, void *arg, se_error *err);
se_status postgres_seals(struct database *store, const struct chain *chain, uint64_t first,
                         uint64_t last, sealed_fn fn, void *arg, se_error *err);
se_status postgres_nodes(struct database *store, const struct chain *chain, unsigned level,
                         uint64_t first, uint64_t last, stored_node_fn fn, void *arg,
                         se_error *err);

#endif
