/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/history/any_store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#ifdef HAVE_POSTGRESQL
#include <libpq-fe.h>
#endif

#include "base/buf.h"
#include "base/text.h"
#include "tests/unit/maker.h"

static const char configuration[] =
    "<engineSignEncrypt><descriptors><descriptor name=\"ObjectHistorySigner\">"
    "<type algorithm=\"SHA-256\" key=\"k\"/></descriptor></descriptors>"
    "<keys><key name=\"k\"><type name=\"pem\" locationValue=\"classpath:k.pem\"/></key></keys>"
    "</engineSignEncrypt>";

static const char sqlite_scheme[] = "sqlite:";

se_history *any_chain_open(const struct any_chain *c, const char *name, bool create)
{
    se_history_options options = SE_HISTORY_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;
    se_history *history;

    options.chain = name;
    if (create)
        assert_status(SE_OK, se_history_create(c->engine, c->store, &options, &err), &err);
    assert_status(SE_OK, se_history_open(&history, c->engine, c->store, &options, &err), &err);
    return history;
}

void any_chain_begin(struct any_chain *c)
{
    static unsigned number;
    struct certificate_wish wish = { .usage = "critical,digitalSignature" };
    EVP_PKEY *key = make_key("P-256");
    X509 *certificate = make_certificate(key, &wish);
    const char *store = getenv("STORE");
    se_error err = SE_ERROR_INIT;

    *c = (struct any_chain){ .store = store ? store : "sqlite:h.db" };
    (void)snprintf(c->name, sizeof c->name, "chain-%d-%u", (int)getpid(), ++number);
    make_bundle("k.pem", key, certificate);
    EVP_PKEY_free(key);
    X509_free(certificate);
    make("engine.xml", configuration, 0600);
    assert_status(SE_OK, se_open(&c->engine, "engine.xml", NULL, &err), &err);
    c->history = any_chain_open(c, c->name, true);
}

void any_chain_end(struct any_chain *c)
{
    se_history_close(&c->history);
    se_close(&c->engine);
}

void any_chain_expect(const struct any_chain *c, uint64_t entries, uint64_t seals)
{
    se_history_report report;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, se_history_verify(&report, c->history, NULL, &err), &err);
    assert_int_equal(report.entries, entries);
    assert_int_equal(report.seals, seals);
}

/* ---- SQL ---- */

static void write_sql(struct writer *w, const struct any_chain *c, const char *sql,
                      const char *prefix)
{
    for (const char *at; (at = strchr(sql, '@')); sql = at + 1) {
        writer_put(w, sql, (size_t)(at - sql));
        if (text_starts(at, "@this")) {
            writer_format(w, "(SELECT number FROM %schain WHERE name = '%s')", prefix, c->name);
            at += strlen("this");
        } else
            writer_text(w, prefix);
    }
    writer_text(w, sql);
}

static long long sqlite_value(const char *path, const char *sql)
{
    long long value = 0;
    sqlite3_stmt *q;
    sqlite3 *db;
    int code;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL))
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    code = sqlite3_step(q);
    if (code == SQLITE_ROW)
        value = sqlite3_column_int64(q, 0);
    else if (code != SQLITE_DONE)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_finalize(q);
    sqlite3_close(db);
    return value;
}

#ifdef HAVE_POSTGRESQL
static long long postgres_value(const char *uri, const char *sql)
{
    PGconn *connection = PQconnectdb(uri);
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    long long value = 0;

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(connection));
    if (PQntuples(result))
        value = atoll(PQgetvalue(result, 0, 0));
    PQclear(result);
    PQfinish(connection);
    return value;
}
#endif

long long any_chain_sql(const struct any_chain *c, const char *sql)
{
    const bool file = text_starts(c->store, sqlite_scheme);
    AUTO(writer) w = { 0 };

    write_sql(&w, c, sql, file ? "" : "signengine_");
    assert_false(w.failed);
    if (file)
        return sqlite_value(c->store + strlen(sqlite_scheme), writer_string(&w));
#ifdef HAVE_POSTGRESQL
    return postgres_value(c->store, writer_string(&w));
#else
    fail_msg("no store '%s'", c->store);
    return 0;
#endif
}

/* ---- appending with idempotency keys ---- */

void send_request(struct keyed_answer *out, se_history *history, const struct keyed_request *r)
{
    se_history_append_params params = SE_HISTORY_APPEND_PARAMS_INIT;
    se_record records[3];
    size_t count = 0;

    for (; count < 3 && r->payloads[count]; count++)
        records[count] = (se_record){ { "object", 6 }, text_bytes(r->payloads[count]) };
    params.idempotency_key = r->key;
    params.caller = r->caller;
    *out = (struct keyed_answer){ .appended = { .first = 1 } };
    out->status =
        se_history_append_many(&out->appended, history, records, count, &params, &out->error);
}

void assert_appended(const struct keyed_answer *answer, uint64_t first, bool repeated)
{
    assert_status(SE_OK, answer->status, &answer->error);
    assert_int_equal(answer->appended.first, first);
    assert_int_equal(answer->appended.repeated, repeated);
}

void assert_refused(const struct keyed_answer *answer, se_status status, const char *text)
{
    assert_status(status, answer->status, &answer->error);
    if (!strstr(answer->error.text, text))
        fail_msg("'%s', not '%s'", answer->error.text, text);
    assert_int_equal(answer->appended.first, 0);
    assert_int_equal(answer->appended.count, 0);
    assert_false(answer->appended.repeated);
}
