/* Chains in PostgreSQL: several processes and hosts on one chain, which take turns by its row. */
#include "history/postgres.h"

#include <stdio.h>
#include <stdlib.h>

/* The class of an SQLSTATE says whether another try may help. */
static se_status status_of(const char *state)
{
    static const struct {
        const char *begin;
        se_status status;
    } classes[] = {
        { "08", SE_ERR_UNAVAILABLE },    { "57P", SE_ERR_UNAVAILABLE },
        { "40", SE_ERR_UNAVAILABLE },    { "5330", SE_ERR_UNAVAILABLE },
        { "55P03", SE_ERR_UNAVAILABLE }, { "28", SE_ERR_ACCESS },
        { "42501", SE_ERR_ACCESS },      { "25006", SE_ERR_ACCESS },
        { "22", SE_ERR_FORMAT },         { "42", SE_ERR_FORMAT },
    };

    for (size_t i = 0; state && i < sizeof classes / sizeof *classes; i++)
        if (strncmp(state, classes[i].begin, strlen(classes[i].begin)) == 0)
            return classes[i].status;
    return SE_ERR_IO;
}

se_status postgres_failed(const struct postgres *s, const PGresult *result, se_error *err)
{
    const char *text = result ? PQresultErrorMessage(result) : "";
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    bool lost = PQstatus(s->connection) != CONNECTION_OK;
    char line[400];

    (void)snprintf(line, sizeof line, "%s", *text ? text : PQerrorMessage(s->connection));
    line[strcspn(line, "\n")] = '\0';
    return error_set(err, lost ? SE_ERR_UNAVAILABLE : status_of(state), "'%s': %s", s->shown,
                     *line ? line : "no answer");
}

/* ---- queries ---- */

void pg_put_number(unsigned char *out, uint64_t number, unsigned bytes)
{
    while (bytes--) {
        out[bytes] = (unsigned char)number;
        number >>= 8;
    }
}

void pg_number(struct pg_parameters *p, uint64_t number)
{
    pg_put_number(p->numbers[p->count], number, 8);
    pg_bytes(p, (se_bytes){ p->numbers[p->count], 8 });
}

void pg_bytes(struct pg_parameters *p, se_bytes bytes)
{
    p->values[p->count] = bytes.size ? bytes.data : "";
    p->sizes[p->count] = (int)bytes.size;
    p->formats[p->count++] = 1;
}

/* "@entry" is the table, wherever it is. */
static void put_sql(struct writer *w, const struct postgres *s, const char *sql)
{
    for (const char *at; (at = strchr(sql, '@')); sql = at + 1) {
        writer_put(w, sql, (size_t)(at - sql));
        writer_text(w, s->prefix);
    }
    writer_text(w, sql);
}

se_status pg_query(PGresult **out, struct postgres *s, const char *text,
                   const struct pg_parameters *p, se_error *err)
{
    AUTO(writer) w = { 0 };
    ExecStatusType status;
    const char *sql;

    *out = NULL;
    put_sql(&w, s, text);
    if (w.failed)
        return error_memory(err);
    sql = writer_string(&w);
    *out = p ? PQexecParams(s->connection, sql, p->count, NULL, p->values, p->sizes, p->formats, 1)
             : PQexec(s->connection, sql);
    status = PQresultStatus(*out);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN
               ? SE_OK
               : postgres_failed(s, *out, err);
}

se_status pg_run(struct postgres *s, const char *sql, se_error *err)
{
    AUTO(pg_result) result = NULL;

    return pg_query(&result, s, sql, NULL, err);
}

se_bytes pg_at(const PGresult *result, int row, int column)
{
    return (se_bytes){ PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column) };
}

uint64_t pg_number_at(const PGresult *result, int row, int column)
{
    se_bytes bytes = pg_at(result, row, column);
    const unsigned char *at = bytes.data;
    uint64_t number = 0;

    for (size_t i = 0; i < bytes.size && i < 8; i++)
        number = number << 8 | at[i];
    return number;
}

/* ---- connections ---- */

static void close_connection(struct database *store)
{
    struct postgres *s = (struct postgres *)store;

    PQfinish(s->connection);
    if (s->address)
        explicit_bzero(s->address, strlen(s->address));
    free(s->address);
    free(s->shown);
    free(s->schema);
    free(s->prefix);
    free(s->settings);
    free(s);
}

/*
 * A pooler (pgbouncer in transaction mode) gives each transaction whatever connection to the server
 * is free, and another application has it next.  So what is set is set for the transaction, in each
 * of them, and nothing is taken from what a session was left with: how long to wait and what a
 * commit waits for are told by the values that sessions begin with.
 *
 * Who holds the chain's row and does not go on must not hold all others for ever: they wait as long
 * as in SQLite.
 *
 * A commit that is acknowledged has to be on the disk, whatever the server's default is.
 *
 * Rows are read in pieces, in their key's order.  Of a table that PostgreSQL has not analysed yet,
 * as after many rows at once, it believes that few follow, and would read and sort all of them for
 * each piece.
 */
static const char settings[] = "SELECT pg_catalog.format('SET LOCAL search_path = pg_catalog, "
                               "pg_temp; SET LOCAL client_min_messages = warning;"
                               " SET LOCAL statement_timeout TO DEFAULT; SET LOCAL enable_seqscan "
                               "= off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = "
                               "off;"
                               " SET LOCAL lock_timeout = %L; SET LOCAL synchronous_commit = %L',"
                               " (SELECT CASE reset_val WHEN '0' THEN '30s' ELSE reset_val END "
                               "FROM pg_catalog.pg_settings WHERE name = 'lock_timeout'),"
                               " (SELECT CASE reset_val WHEN 'off' THEN 'on' ELSE reset_val END "
                               "FROM pg_catalog.pg_settings WHERE name = 'synchronous_commit'))";

static se_status read_settings(struct postgres *s, se_error *err)
{
    AUTO(pg_result) result = NULL;
    const struct pg_parameters none = { 0 };
    se_bytes text;

    TRY(pg_query(&result, s, settings, &none, err));
    text = pg_at(result, 0, 0);
    free(s->settings);
    s->settings = strndup(text.data, text.size);
    return s->settings ? SE_OK : error_memory(err);
}

/* What is the same in all transactions. */
static se_status prepare(struct postgres *s, bool create, se_error *err)
{
    se_status st;

    TRY(pg_run(s, "BEGIN; SET LOCAL search_path TO DEFAULT; SET LOCAL statement_timeout TO DEFAULT",
               err));
    if ((st = postgres_find_schema(s, create, err)) || (st = read_settings(s, err)) ||
        (st = pg_run(s, "COMMIT", err)))
        database_abandon(&s->store);
    return st;
}

static void hush(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

/* libpq tells what it does not understand, and that may be a part of a password. */
static se_status check_address(const struct postgres *s, se_error *err)
{
    char *why = NULL;
    PQconninfoOption *options = PQconninfoParse(s->address, &why);
    se_status st = SE_OK;

    if (!address_clear(s->address) || (!options && strcmp(s->address, s->shown) != 0))
        st = error_set(err, SE_ERR_USAGE,
                       "'%s': it is not clear: in a user's name or a password, '%%', '/', ':' and "
                       "'@' are %%25, %%2F, %%3A and %%40",
                       s->shown);
    else if (!options)
        st = error_set(err, SE_ERR_USAGE, "%s", why ? why : "out of memory");
    PQconninfoFree(options);
    PQfreemem(why);
    return st;
}

static se_status connect_to(struct postgres *s, bool create, se_error *err)
{
    /* a host that is gone is noticed within a minute: the system's own limit for one that owes us
     * an answer is two hours */
    static const char *const names[] = {
        "fallback_application_name", "connect_timeout",  "tcp_user_timeout", "keepalives_idle",
        "keepalives_interval",       "keepalives_count", "dbname",           NULL
    };
    const char *values[] = { "signengine", "10", "30000", "30", "10", "3", s->address, NULL };

    s->connection = PQconnectdbParams(names, values, 1);
    if (!s->connection)
        return error_memory(err);
    if (PQstatus(s->connection) != CONNECTION_OK) {
        const char *why = PQerrorMessage(s->connection); /* some lines for each host */
        size_t size = strlen(why);

        return error_set(err, SE_ERR_UNAVAILABLE, "'%s': %.*s", s->shown, (int)(size - (size > 0)),
                         why);
    }
    (void)PQsetNoticeProcessor(s->connection, hush, NULL);
    return prepare(s, create, err);
}

static se_status open_connection(struct database **out, const char *address, bool create,
                                 se_error *err)
{
    struct postgres *s;
    se_status st;

    if (!(s = calloc(1, sizeof *s)))
        return error_memory(err);
    s->store.type = &postgres_database;
    s->address = strdup(address);
    s->shown = address_shown(address);
    if (!s->address || !s->shown)
        st = error_memory(err);
    else if (!(st = check_address(s, err)) && !(st = connect_to(s, create, err)) && create)
        st = postgres_make_tables(s, err);
    if (st)
        close_connection(&s->store);
    else
        *out = &s->store;
    return st;
}

/* ---- transactions ---- */

/*
 * The tables are locked before the catalogs are looked at and the snapshot is taken: nobody puts
 * others in their place meanwhile, or makes a trigger for what is written.  Nor does anybody append
 * where this is to be DATABASE_ALONE.
 */
static const struct {
    const char *how, *locks;
} beginnings[] = {
    [DATABASE_READ] = { "ISOLATION LEVEL REPEATABLE READ READ ONLY",
                        "LOCK TABLE ONLY @chain, ONLY @entry, ONLY @node, ONLY @seal IN ACCESS "
                        "SHARE MODE" },
    [DATABASE_APPEND] = { "ISOLATION LEVEL READ COMMITTED",
                          "LOCK TABLE ONLY @chain, ONLY @entry, ONLY @node, ONLY @seal IN ROW "
                          "EXCLUSIVE MODE" },
    [DATABASE_ALONE] = { "ISOLATION LEVEL REPEATABLE READ",
                         "LOCK TABLE ONLY @chain IN SHARE ROW EXCLUSIVE MODE;"
                         "LOCK TABLE ONLY @entry, ONLY @node, ONLY @seal IN ROW EXCLUSIVE MODE" },
};

se_status postgres_begin(struct postgres *s, const char *how, const char *first, se_error *err)
{
    AUTO(writer) w = { 0 };

    /* a SET takes no snapshot */
    writer_format(&w, "BEGIN %s; %s; %s", how, s->settings, first);
    return w.failed ? error_memory(err) : pg_run(s, writer_string(&w), err);
}

static se_status begin_connected(struct postgres *s, se_error *err)
{
    se_status st = postgres_begin(s, beginnings[s->mode].how, beginnings[s->mode].locks, err);

    if (!st)
        st = postgres_check_tables(s, err);
    if (st)
        database_abandon(&s->store);
    return st;
}

static se_status begin(struct database *store, enum database_mode mode, se_error *err)
{
    struct postgres *s = (struct postgres *)store;
    se_error why = SE_ERROR_INIT;
    se_status st;

    s->mode = mode;
    if (PQstatus(s->connection) == CONNECTION_OK && !(st = begin_connected(s, &why)))
        return SE_OK;
    if (PQstatus(s->connection) == CONNECTION_OK)
        return error_set_at(err, why.status, why.file, why.line, "%s", why.text);
    PQreset(s->connection);
    if (PQstatus(s->connection) != CONNECTION_OK)
        return postgres_failed(s, NULL, err);
    return prepare(s, false, err) ? SE_ERR_UNAVAILABLE : begin_connected(s, err);
}

/* A transaction that has failed answers a COMMIT with ROLLBACK. */
static se_status end(struct database *store, bool commit, se_error *err)
{
    struct postgres *s = (struct postgres *)store;
    AUTO(pg_result) result = NULL;

    if (!commit)
        return PQtransactionStatus(s->connection) == PQTRANS_IDLE ? SE_OK
                                                                  : pg_run(s, "ROLLBACK", err);
    TRY(pg_query(&result, s, "COMMIT", NULL, err));
    return strcmp(PQcmdStatus(result), "COMMIT") == 0
               ? SE_OK
               : error_set(err, SE_ERR_IO, "'%s': the transaction was rolled back", s->shown);
}

const struct database_type postgres_database = {
    .scheme = "postgresql://",
    .open = open_connection,
    .close = close_connection,
    .begin = begin,
    .end = end,
    .chain = postgres_chain,
    .chains = postgres_chains,
    .put_chain = postgres_put_chain,
    .put_rows = postgres_put_rows,
    .put_nodes = postgres_put_nodes,
    .put_seal = postgres_put_seal,
    .erase = postgres_erase,
    .drop = postgres_drop,
    .extent = postgres_extent,
    .rows = postgres_rows,
    .seals = postgres_seals,
    .nodes = postgres_nodes,
};
