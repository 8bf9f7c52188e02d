/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queries, and the tables that they are for: where they are, and that they are those that we make
 * and nothing else.  A view, a trigger, a rule, a policy or a child under or on their names decides
 * what is read and written; what was verified then says nothing.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/reader.h"
#include "history/postgres.h"

/* ---- queries ---- */

/* The class of an SQLSTATE says whether another try may help. */
static se_status sqlstate_status(const char *state)
{
    static const struct {
        const char *postgres_begin;
        se_status status;
    } classes[] = {
        { "08", SE_ERR_UNAVAILABLE },    { "57P", SE_ERR_UNAVAILABLE },
        { "40", SE_ERR_UNAVAILABLE },    { "5330", SE_ERR_UNAVAILABLE },
        { "55P03", SE_ERR_UNAVAILABLE }, { "28", SE_ERR_ACCESS },
        { "42501", SE_ERR_ACCESS },      { "25006", SE_ERR_ACCESS },
        { "22", SE_ERR_FORMAT },         { "42", SE_ERR_FORMAT },
    };

    for (size_t i = 0; state && i < sizeof classes / sizeof *classes; i++)
        if (strncmp(state, classes[i].postgres_begin, strlen(classes[i].postgres_begin)) == 0)
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
    return error_set(err, lost ? SE_ERR_UNAVAILABLE : sqlstate_status(state), "'%s': %s", s->shown,
                     *line ? line : "no answer");
}

void pg_add_number(struct pg_parameters *p, uint64_t number)
{
    put_big_endian(p->numbers[p->count], number, 8);
    pg_add_bytes(p, (se_bytes){ p->numbers[p->count], 8 });
}

void pg_add_bytes(struct pg_parameters *p, se_bytes bytes)
{
    p->values[p->count] = bytes.size ? bytes.data : "";
    p->sizes[p->count] = (int)bytes.size;
    p->formats[p->count++] = 1;
}

/* "@entry" is the table, wherever it is. */
static void write_sql(struct writer *w, const struct postgres *s, const char *sql)
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
    write_sql(&w, s, text);
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

se_status pg_execute(struct postgres *s, const char *sql, se_error *err)
{
    AUTO(pg_result) result = NULL;

    return pg_query(&result, s, sql, NULL, err);
}

se_bytes pg_bytes_at(const PGresult *result, int row, int column)
{
    return (se_bytes){ PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column) };
}

uint64_t pg_number_at(const PGresult *result, int row, int column)
{
    se_bytes bytes = pg_bytes_at(result, row, column);
    const unsigned char *at = bytes.data;
    uint64_t number = 0;

    for (size_t i = 0; i < bytes.size && i < 8; i++)
        number = number << 8 | at[i];
    return number;
}

/* ---- COPY ---- */

enum { COPY_PIECE = 1 << 20 };

static void copy_flush(struct pg_copy *c)
{
    const se_bytes bytes = buf_bytes(&c->w.buf);

    if (!c->st && c->w.failed)
        c->st = error_memory(c->err);
    if (!c->st && PQputCopyData(c->s->connection, bytes.data, (int)bytes.size) != 1)
        c->st = postgres_failed(c->s, NULL, c->err);
    writer_free(&c->w);
}

void pg_copy_row(struct pg_copy *c, unsigned columns)
{
    if (c->w.buf.size >= COPY_PIECE)
        copy_flush(c);
    writer_number(&c->w, columns, 2);
}

void pg_copy_number(struct pg_copy *c, uint64_t number)
{
    writer_number(&c->w, 8, 4);
    writer_number(&c->w, number, 8);
}

void pg_copy_bytes(struct pg_copy *c, se_bytes bytes)
{
    writer_number(&c->w, bytes.size, 4);
    if (bytes.size)
        writer_put(&c->w, bytes.data, bytes.size);
}

se_status pg_copy_begin(struct pg_copy *c, struct postgres *s, const char *sql, se_error *err)
{
    static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";

    *c = (struct pg_copy){ .s = s, .err = err };
    TRY(pg_execute(c->s, sql, err));
    writer_put(&c->w, head, 19);
    return SE_OK;
}

se_status pg_copy_end(struct pg_copy *c)
{
    PGconn *connection = c->s->connection;
    PGresult *result;

    writer_number(&c->w, UINT16_MAX, 2);
    copy_flush(c);
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

/* ---- the tables ---- */

/* Several may want to make them at once, and IF NOT EXISTS is of no help then: they take turns (the
 * number is any). */
const char postgres_create_tables[] =
    "SELECT pg_advisory_xact_lock(7311430176);"
    "CREATE TABLE IF NOT EXISTS @chain (number bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY "
    "KEY, name text NOT NULL UNIQUE,"
    " id bytea NOT NULL, size bigint NOT NULL, edge bytea NOT NULL, seals bigint NOT NULL, last "
    "bytea NOT NULL,"
    " base_size bigint NOT NULL, base_edge bytea NOT NULL, base_seal bigint NOT NULL);"
    "CREATE TABLE IF NOT EXISTS @entry (chain bigint, seq bigint, time bigint NOT NULL, object "
    "bytea NOT NULL,"
    " salt bytea NOT NULL, payload bytea NOT NULL, leaf bytea NOT NULL, PRIMARY KEY (chain, seq));"
    "CREATE TABLE IF NOT EXISTS @node (chain bigint, level bigint, number bigint, hash bytea NOT "
    "NULL,"
    " PRIMARY KEY (chain, level, number));"
    "CREATE TABLE IF NOT EXISTS @seal (chain bigint, number bigint, size bigint NOT NULL, note "
    "bytea NOT NULL,"
    " PRIMARY KEY (chain, number));"
    "CREATE TABLE IF NOT EXISTS @idempotency (chain bigint, first bigint, count bigint NOT NULL,"
    " caller bytea NOT NULL, key bytea NOT NULL, digest bytea NOT NULL, time bigint NOT NULL,"
    " PRIMARY KEY (chain, first), UNIQUE (chain, caller, key))";

/* What the server's catalogs then say of them: a line for each thing that there is. */
static const char catalog_query[] =
    "WITH t AS (SELECT c.*, a.amname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN pg_am a ON a.oid = "
    "c.relam"
    " WHERE n.nspname = $1 AND c.relname IN ('signengine_chain', 'signengine_entry', "
    "'signengine_node', 'signengine_seal', 'signengine_idempotency'))"
    " SELECT relname || ' is ' || CASE relkind WHEN 'r' THEN 'a table' WHEN 'v' THEN 'a view' WHEN "
    "'p' THEN 'a partitioned table'"
    " ELSE 'of kind ' || relkind::text END || CASE relpersistence WHEN 'p' THEN '' WHEN 't' THEN "
    "', temporary' ELSE ', unlogged' END ||"
    " CASE WHEN amname = 'heap' THEN '' ELSE ' of ' || coalesce(amname, 'nothing') END ||"
    " CASE WHEN relrowsecurity OR relforcerowsecurity THEN ' with row-level security' ELSE '' END "
    "||"
    " CASE WHEN relispartition THEN ', a partition' ELSE '' END || CASE WHEN reloftype <> 0 THEN ' "
    "of a type' ELSE '' END FROM t"
    " UNION ALL SELECT relname || '.' || attname || ' is ' || format_type(atttypid, atttypmod) ||"
    " CASE WHEN attnotnull THEN ' not null' ELSE '' END || CASE attgenerated WHEN '' THEN '' ELSE "
    "' generated' END ||"
    " CASE attidentity WHEN '' THEN '' WHEN 'd' THEN ' identity' ELSE ' always identity' END ||"
    " CASE WHEN atthasdef THEN ' with a default' ELSE '' END ||"
    " CASE WHEN attcollation IN (0, 'pg_catalog.\"default\"'::regcollation) THEN '' ELSE ' with a "
    "collation' END"
    " FROM t JOIN pg_attribute ON attrelid = t.oid WHERE attnum > 0 AND NOT attisdropped"
    " UNION ALL SELECT relname || ' has ' || pg_get_constraintdef(k.oid) FROM t JOIN pg_constraint "
    "k ON conrelid = t.oid"
    " WHERE contype <> 'n'"
    " UNION ALL SELECT relname || ' has the index' || CASE WHEN indisunique AND indimmediate AND "
    "indisvalid AND indisready THEN '' ELSE"
    " ', not unique or not valid,' END || substring(pg_get_indexdef(indexrelid) FROM ' USING .*$') "
    "FROM t"
    " JOIN pg_index ON indrelid = t.oid"
    " UNION ALL SELECT relname || ' has the trigger ' || tgname FROM t JOIN pg_trigger ON tgrelid "
    "= t.oid"
    " UNION ALL SELECT relname || ' has the rule ' || rulename FROM t JOIN pg_rewrite ON ev_class "
    "= t.oid"
    " UNION ALL SELECT relname || ' has the policy ' || polname FROM t JOIN pg_policy ON polrelid "
    "= t.oid"
    " UNION ALL SELECT relname || ' inherits' FROM t JOIN pg_inherits ON inhrelid = t.oid"
    " UNION ALL SELECT relname || ' has children' FROM t JOIN pg_inherits ON inhparent = t.oid";

static const char *const catalog_answers[] = {
    "signengine_chain is a table",
    "signengine_chain.number is bigint not null identity",
    "signengine_chain.name is text not null",
    "signengine_chain.id is bytea not null",
    "signengine_chain.size is bigint not null",
    "signengine_chain.edge is bytea not null",
    "signengine_chain.seals is bigint not null",
    "signengine_chain.last is bytea not null",
    "signengine_chain.base_size is bigint not null",
    "signengine_chain.base_edge is bytea not null",
    "signengine_chain.base_seal is bigint not null",
    "signengine_chain has PRIMARY KEY (number)",
    "signengine_chain has UNIQUE (name)",
    "signengine_chain has the index USING btree (number)",
    "signengine_chain has the index USING btree (name)",
    "signengine_entry is a table",
    "signengine_entry.chain is bigint not null",
    "signengine_entry.seq is bigint not null",
    "signengine_entry.time is bigint not null",
    "signengine_entry.object is bytea not null",
    "signengine_entry.salt is bytea not null",
    "signengine_entry.payload is bytea not null",
    "signengine_entry.leaf is bytea not null",
    "signengine_entry has PRIMARY KEY (chain, seq)",
    "signengine_entry has the index USING btree (chain, seq)",
    "signengine_node is a table",
    "signengine_node.chain is bigint not null",
    "signengine_node.level is bigint not null",
    "signengine_node.number is bigint not null",
    "signengine_node.hash is bytea not null",
    "signengine_node has PRIMARY KEY (chain, level, number)",
    "signengine_node has the index USING btree (chain, level, number)",
    "signengine_seal is a table",
    "signengine_seal.chain is bigint not null",
    "signengine_seal.number is bigint not null",
    "signengine_seal.size is bigint not null",
    "signengine_seal.note is bytea not null",
    "signengine_seal has PRIMARY KEY (chain, number)",
    "signengine_seal has the index USING btree (chain, number)",
    "signengine_idempotency is a table",
    "signengine_idempotency.chain is bigint not null",
    "signengine_idempotency.first is bigint not null",
    "signengine_idempotency.count is bigint not null",
    "signengine_idempotency.caller is bytea not null",
    "signengine_idempotency.key is bytea not null",
    "signengine_idempotency.digest is bytea not null",
    "signengine_idempotency.time is bigint not null",
    "signengine_idempotency has PRIMARY KEY (chain, first)",
    "signengine_idempotency has UNIQUE (chain, caller, key)",
    "signengine_idempotency has the index USING btree (chain, first)",
    "signengine_idempotency has the index USING btree (chain, caller, key)",
};
/* The last ones are about the table of keys, which may be missing as a whole. */
enum { ANSWERS = sizeof catalog_answers / sizeof *catalog_answers, KEYS_ANSWER = ANSWERS - 12 };

static se_status judge_catalog_line(bool there[ANSWERS], const struct postgres *s, se_bytes line,
                                    se_error *err)
{
    for (size_t i = 0; i < ANSWERS; i++)
        if (!there[i] && line.size == strlen(catalog_answers[i]) &&
            strncmp(catalog_answers[i], line.data, line.size) == 0) {
            there[i] = true;
            return SE_OK;
        }
    return error_set(err, SE_ERR_FORMAT,
                     "'%s': %.*s, which signengine has not made so: it is not read", s->shown,
                     (int)(line.size < 200 ? line.size : 200), (const char *)line.data);
}

se_status postgres_check_tables(struct postgres *s, se_error *err)
{
    AUTO(pg_result) result = NULL;
    struct pg_parameters p = { 0 };
    bool there[ANSWERS] = { false };

    pg_add_bytes(&p, text_bytes(s->schema));
    TRY(pg_query(&result, s, catalog_query, &p, err));
    for (int i = 0; i < PQntuples(result); i++)
        TRY(judge_catalog_line(there, s, pg_bytes_at(result, i, 0), err));
    s->keyed = there[KEYS_ANSWER];
    for (size_t i = 0; i < (s->keyed ? ANSWERS : KEYS_ANSWER); i++)
        if (!there[i])
            return error_set(err, SE_ERR_FORMAT, "'%s': it is not so that %s: it is not read",
                             s->shown, catalog_answers[i]);
    return SE_OK;
}

se_status postgres_check_owner(struct postgres *s, se_error *err)
{
    AUTO(pg_result) result = NULL;
    struct pg_parameters p = { 0 };

    pg_add_bytes(&p, text_bytes(s->schema));
    TRY(pg_query(&result, s,
                 "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
                 "n.nspname = $1"
                 " AND c.relname = 'signengine_chain' AND pg_has_role(c.relowner, 'USAGE')",
                 &p, err));
    return PQntuples(result)
               ? SE_OK
               : error_set(err, SE_ERR_ACCESS, "'%s': this role does not own the history's tables",
                           s->shown);
}

/* ---- where they are ---- */

static se_status keep_schema(struct postgres *s, se_bytes name, se_error *err)
{
    char *quoted = PQescapeIdentifier(s->connection, name.data, name.size);
    int size = -1;

    free(s->schema);
    free(s->prefix);
    s->prefix = NULL;
    s->schema = strndup(name.data, name.size);
    if (quoted)
        size = asprintf(&s->prefix, "%s.signengine_", quoted);
    PQfreemem(quoted);
    if (size < 0)
        s->prefix = NULL;
    return s->schema && s->prefix ? SE_OK : error_memory(err);
}

static se_status look_into_schema(bool *found, struct postgres *s, se_bytes schema, se_error *err)
{
    static const char sql[] =
        "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = $1 AND c.relname IN"
        " ('signengine_chain', 'signengine_entry', 'signengine_node', 'signengine_seal') LIMIT 1";
    AUTO(pg_result) result = NULL;
    struct pg_parameters p = { 0 };

    pg_add_bytes(&p, schema);
    TRY(pg_query(&result, s, sql, &p, err));
    *found = PQntuples(result) > 0;
    return SE_OK;
}

/*
 * The first schema of the path that has one of the names has to have them all.  From here on
 * nothing is looked up by a path that somebody may have put operators, functions or temporary
 * tables into.
 */
se_status postgres_find_schema(struct postgres *s, bool create, se_error *err)
{
    AUTO(pg_result) path = NULL;
    const struct pg_parameters none = { 0 };
    bool found = false;
    int at = 0;

    TRY(pg_query(&path, s, "SELECT pg_catalog.unnest(pg_catalog.current_schemas(false))", &none,
                 err));
    TRY(pg_execute(s, "SET LOCAL search_path = pg_catalog, pg_temp", err));
    if (!PQntuples(path))
        return error_set(err, SE_ERR_FORMAT, "'%s': there is no schema in the search path",
                         s->shown);
    while (!create && !found && at < PQntuples(path))
        TRY(look_into_schema(&found, s, pg_bytes_at(path, at++, 0), err));
    return keep_schema(s, pg_bytes_at(path, found ? at - 1 : 0, 0), err);
}
