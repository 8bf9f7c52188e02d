/* SPDX-License-Identifier: Apache-2.0 */
/* Connections to PostgreSQL, and transactions: several processes and hosts work on one chain, and
 * take turns by its row. */
#include "history/postgres.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

/* ---- URIs, of which messages may have all but passwords ---- */

/* What follows user and password, as libpq sees it: they end at the first "@", if no "/" comes
 * before it. */
static const char *find_host(const char *uri)
{
    const char *user = uri + strlen(POSTGRES_SCHEME);
    const char *end = user + strcspn(user, "@/");

    return *end == '@' ? end + 1 : user;
}

/* An "@" further on, but for the values of parameters, is the end of a password that has more of
 * its like in it: libpq may take a part of it for something that its messages name. */
static bool is_password_clear(const char *uri)
{
    const char *host = find_host(uri);

    return !memchr(host, '@', strcspn(host, "="));
}

/* The parameters that are no secrets; libpq may know more of those than we do. */
static void write_parameters(struct writer *w, const char *parameters)
{
    static const char *const plain[] = { "host=",   "hostaddr=", "port=",
                                         "dbname=", "user=",     "sslmode=" };
    char before = '?';

    for (const char *at = parameters; *at++; at += strcspn(at, "&"))
        for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
            if (text_starts(at, plain[i])) {
                writer_put(w, &before, 1);
                writer_put(w, at, strcspn(at, "&"));
                before = '&';
            }
}

char *postgres_redact_uri(const char *uri)
{
    AUTO(writer) w = { 0 };
    const char *user = uri + strlen(POSTGRES_SCHEME), *host = find_host(uri);

    writer_text(&w, POSTGRES_SCHEME);
    if (!is_password_clear(uri))
        writer_text(&w, "...");
    else {
        if (host > user)
            writer_format(&w, "%.*s@", (int)strcspn(user, ":@"), user);
        writer_put(&w, host, strcspn(host, "?"));
        write_parameters(&w, host + strcspn(host, "?"));
    }
    return w.failed ? NULL : strdup(writer_string(&w));
}

/* ---- connections ---- */

void postgres_close(struct chain_store *store)
{
    struct postgres *s = (struct postgres *)store;

    PQfinish(s->connection);
    if (s->uri)
        explicit_bzero(s->uri, strlen(s->uri));
    free(s->uri);
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
 * commit waits for come from the values that sessions begin with.
 *
 * A process that holds the chain's row and does not go on must not hold all others for ever: they
 * wait as long as in SQLite.
 *
 * A commit that is acknowledged has to be on the disk, whatever the server's default is.
 *
 * Rows are read in pieces, in their key's order.  Of a table that PostgreSQL has not analysed yet,
 * as after many rows at once, it believes that few follow, and would read and sort all of them for
 * each piece.
 */
static const char settings[] =
    "SELECT pg_catalog.format("
    "'SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL client_min_messages = warning;"
    " SET LOCAL statement_timeout TO DEFAULT; SET LOCAL enable_seqscan = off;"
    " SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off;"
    " SET LOCAL lock_timeout = %L; SET LOCAL synchronous_commit = %L',"
    " (SELECT CASE reset_val WHEN '0' THEN '30s' ELSE reset_val END"
    " FROM pg_catalog.pg_settings WHERE name = 'lock_timeout'),"
    " (SELECT CASE reset_val WHEN 'off' THEN 'on' ELSE reset_val END"
    " FROM pg_catalog.pg_settings WHERE name = 'synchronous_commit'))";

static se_status read_settings(struct postgres *s, se_error *err)
{
    AUTO(pg_result) result = NULL;
    const struct pg_parameters none = { 0 };
    se_bytes text;

    TRY(pg_query(&result, s, settings, &none, err));
    text = pg_bytes_at(result, 0, 0);
    free(s->settings);
    s->settings = strndup(text.data, text.size);
    return s->settings ? SE_OK : error_memory(err);
}

static se_status find_schema_and_settings(struct postgres *s, bool create, se_error *err)
{
    TRY(postgres_find_schema(s, create, err));
    TRY(read_settings(s, err));
    return pg_execute(s, "COMMIT", err);
}

/* What is the same in all transactions. */
static se_status prepare_connection(struct postgres *s, bool create, se_error *err)
{
    se_status st;

    TRY(pg_execute(
        s, "BEGIN; SET LOCAL search_path TO DEFAULT; SET LOCAL statement_timeout TO DEFAULT", err));
    st = find_schema_and_settings(s, create, err);
    if (st)
        (void)postgres_end(&s->store, false, NULL);
    return st;
}

static void ignore_notice(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

/* libpq repeats what it does not understand, and that may be a part of a password. */
static se_status check_uri(const struct postgres *s, se_error *err)
{
    char *why = NULL;
    PQconninfoOption *options = PQconninfoParse(s->uri, &why);
    se_status st = SE_OK;

    if (!is_password_clear(s->uri) || (!options && strcmp(s->uri, s->shown) != 0))
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

static se_status connect_server(struct postgres *s, bool create, se_error *err)
{
    /* a host that is gone is noticed within a minute: the system's own limit for one that owes us
     * an answer is two hours */
    static const char *const names[] = {
        "fallback_application_name", "connect_timeout",  "tcp_user_timeout", "keepalives_idle",
        "keepalives_interval",       "keepalives_count", "dbname",           NULL
    };
    const char *values[] = { "signengine", "10", "30000", "30", "10", "3", s->uri, NULL };

    s->connection = PQconnectdbParams(names, values, 1);
    if (!s->connection)
        return error_memory(err);
    if (PQstatus(s->connection) != CONNECTION_OK) {
        const char *why = PQerrorMessage(s->connection); /* some lines for each host */
        size_t size = strlen(why);

        return error_set(err, SE_ERR_UNAVAILABLE, "'%s': %.*s", s->shown, (int)(size - (size > 0)),
                         why);
    }
    (void)PQsetNoticeProcessor(s->connection, ignore_notice, NULL);
    return prepare_connection(s, create, err);
}

/* ---- transactions ---- */

/*
 * The tables are locked before the catalogs are looked at and the snapshot is taken: nobody puts
 * others in their place meanwhile, or makes a trigger for what is written.  Nor does anybody append
 * where this is to be STORE_EXCLUSIVE.
 */
static const struct {
    const char *how, *locks;
    bool keys; /* as far as their table is there */
} beginnings[] = {
    [STORE_READ] = {
        "ISOLATION LEVEL REPEATABLE READ READ ONLY",
        "LOCK TABLE ONLY @chain, ONLY @entry, ONLY @node, ONLY @seal IN ACCESS SHARE MODE",
    },
    [STORE_APPEND] = {
        "ISOLATION LEVEL READ COMMITTED",
        "LOCK TABLE ONLY @chain, ONLY @entry, ONLY @node, ONLY @seal IN ROW EXCLUSIVE MODE",
    },
    [STORE_APPEND_KEYED] = {
        "ISOLATION LEVEL READ COMMITTED",
        "LOCK TABLE ONLY @chain, ONLY @entry, ONLY @node, ONLY @seal IN ROW EXCLUSIVE MODE",
        true,
    },
    [STORE_EXCLUSIVE] = {
        "ISOLATION LEVEL REPEATABLE READ",
        "LOCK TABLE ONLY @chain IN SHARE ROW EXCLUSIVE MODE;"
        "LOCK TABLE ONLY @entry, ONLY @node, ONLY @seal IN ROW EXCLUSIVE MODE",
        true,
    },
};
static const char keys_lock[] = "LOCK TABLE ONLY @idempotency IN ROW EXCLUSIVE MODE";

/* A transaction with the settings of all, `how` (an isolation level), and `first` in it; over
 * tables that are ours. */
static se_status postgres_begin_checked(struct postgres *s, const char *how, const char *first,
                                        se_error *err)
{
    AUTO(writer) w = { 0 };
    se_status st;

    /* a SET takes no snapshot */
    writer_format(&w, "BEGIN %s; %s; %s", how, s->settings, first);
    st = w.failed ? error_memory(err) : pg_execute(s, writer_string(&w), err);
    if (!st)
        st = postgres_check_tables(s, err);
    if (st)
        (void)postgres_end(&s->store, false, NULL);
    return st;
}

static se_status make_tables(struct postgres *s, se_error *err)
{
    se_status st;

    TRY(postgres_begin_checked(s, "ISOLATION LEVEL READ COMMITTED", postgres_create_tables, err));
    st = pg_execute(s, "COMMIT", err);
    if (st)
        (void)postgres_end(&s->store, false, NULL);
    return st;
}

/* With the table of keys, if it is one that uses them and `keyed`. */
static se_status begin_locked(struct postgres *s, bool keyed, se_error *err)
{
    AUTO(writer) locks = { 0 };

    writer_text(&locks, beginnings[s->mode].locks);
    if (keyed && beginnings[s->mode].keys)
        writer_format(&locks, "; %s", keys_lock);
    s->keyed = false; /* one that was dropped since can't be locked, but can be made anew */
    return locks.failed
               ? error_memory(err)
               : postgres_begin_checked(s, beginnings[s->mode].how, writer_string(&locks), err);
}

/* For a history that is older than keys.  Their table is made by the owner of the others: a writer
 * who did that would be the only one who can use it. */
static se_status add_keys_table(struct postgres *s, se_error *err)
{
    static const char help[] =
        "; it is older than idempotency keys: let the owner of its tables append with a key once, "
        "and grant SELECT, INSERT, UPDATE and DELETE on the new table signengine_idempotency";
    se_status st = postgres_check_owner(s, err);

    (void)postgres_end(&s->store, false, NULL);
    if (!st)
        st = make_tables(s, err);
    return st == SE_ERR_ACCESS ? error_suffix(err, st, "%s", help) : st;
}

static se_status begin_connected(struct postgres *s, se_error *err)
{
    const bool keyed = s->keyed;

    TRY(begin_locked(s, keyed, err));
    if (keyed || !beginnings[s->mode].keys || (!s->keyed && s->mode == STORE_EXCLUSIVE))
        return SE_OK;
    /* the table of keys is there and not locked, or has to be made */
    if (s->keyed)
        (void)postgres_end(&s->store, false, NULL);
    else
        TRY(add_keys_table(s, err));
    return begin_locked(s, true, err);
}

se_status postgres_begin(struct chain_store *store, enum store_mode mode, se_error *err)
{
    struct postgres *s = (struct postgres *)store;
    se_error why = SE_ERROR_INIT;

    s->mode = mode;
    if (PQstatus(s->connection) == CONNECTION_OK && !begin_connected(s, &why))
        return SE_OK;
    if (PQstatus(s->connection) == CONNECTION_OK)
        return error_hand_on(err, &why);
    PQreset(s->connection);
    if (PQstatus(s->connection) != CONNECTION_OK)
        return postgres_failed(s, NULL, err);
    return prepare_connection(s, false, err) ? SE_ERR_UNAVAILABLE : begin_connected(s, err);
}

/* A transaction that has failed answers a COMMIT with ROLLBACK. */
se_status postgres_end(struct chain_store *store, bool commit, se_error *err)
{
    struct postgres *s = (struct postgres *)store;
    AUTO(pg_result) result = NULL;

    if (!commit)
        return PQtransactionStatus(s->connection) == PQTRANS_IDLE ? SE_OK
                                                                  : pg_execute(s, "ROLLBACK", err);
    TRY(pg_query(&result, s, "COMMIT", NULL, err));
    return strcmp(PQcmdStatus(result), "COMMIT") == 0
               ? SE_OK
               : error_set(err, SE_ERR_IO, "'%s': the transaction was rolled back", s->shown);
}

/* ---- opening ---- */

static se_status open_connection(struct postgres *s, const char *uri, bool create, se_error *err)
{
    s->uri = strdup(uri);
    s->shown = postgres_redact_uri(uri);
    if (!s->uri || !s->shown)
        return error_memory(err);
    TRY(check_uri(s, err));
    TRY(connect_server(s, create, err));
    return create ? make_tables(s, err) : SE_OK;
}

se_status postgres_open_uri(struct chain_store **out, const char *uri, bool create, se_error *err)
{
    struct postgres *s = calloc(1, sizeof *s);
    se_status st = s ? open_connection(s, uri, create, err) : error_memory(err);

    if (!st)
        *out = &s->store;
    else if (s)
        postgres_close(&s->store);
    return st;
}
