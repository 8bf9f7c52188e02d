/* SPDX-License-Identifier: Apache-2.0 */
/* Histories of years, in minutes: the clock of a program that has this says what its tests want. */
#include <sys/syscall.h>

#include "tests/history/years.h"

static const char configuration[] =
    "<engineSignEncrypt><descriptors><descriptor name=\"ObjectHistorySigner\">"
    "<type algorithm=\"SHA-256\" key=\"k\"/></descriptor></descriptors>"
    "<keys><key name=\"k\"><type name=\"pem\" locationValue=\"classpath:k.pem\"/></key></keys>"
    "</engineSignEncrypt>";

/* ---- the clock ---- */

time_t clock_moved;

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int result = (int)syscall(SYS_clock_gettime, clock, out);

    if (!result && clock == CLOCK_REALTIME)
        out->tv_sec += clock_moved;
    return result;
}

time_t time(time_t *out)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

/* ---- a chain ---- */

static bool count_progress(void *arg, uint64_t done, uint64_t total)
{
    struct chain_under_test *c = arg;

    assert_true(done >= c->done && done <= total);
    c->done = done;
    c->total = total;
    return ++c->calls < c->most;
}

static void count_event(void *arg, const se_event *event)
{
    struct chain_under_test *c = arg;

    c->signatures +=
        strcmp(event->operation, "sign") == 0 && pthread_equal(pthread_self(), c->thread);
}

void chain_begin(struct chain_under_test *c)
{
    se_options engine_options = SE_OPTIONS_INIT;
    struct certificate_wish wish = { .usage = "critical,digitalSignature",
                                     .from_days = -2000,
                                     .to_days = 100 };
    EVP_PKEY *key = make_key("P-256");
    X509 *certificate = make_certificate(key, &wish);
    se_history_options options = SE_HISTORY_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;

    *c = (struct chain_under_test){ .most = UINT32_MAX, .thread = pthread_self() };
    engine_options.event = count_event;
    engine_options.event_arg = c;
    clock_moved = 0;
    make_bundle("k.pem", key, certificate);
    EVP_PKEY_free(key);
    X509_free(certificate);
    make("engine.xml", configuration, 0600);
    options.progress = count_progress;
    options.progress_arg = c;
    clock_moved = -900 * (time_t)DAY;
    assert_status(SE_OK, se_open(&c->engine, "engine.xml", &engine_options, &err), &err);
    assert_status(SE_OK, se_history_create(c->engine, "sqlite:h.db", NULL, &err), &err);
    assert_status(SE_OK, se_history_open(&c->history, c->engine, "sqlite:h.db", &options, &err),
                  &err);
    assert_int_equal(sqlite3_open("h.db", &c->db), SQLITE_OK);
}

void chain_end(struct chain_under_test *c)
{
    assert_int_equal(sqlite3_close(c->db), SQLITE_OK);
    se_history_close(&c->history);
    se_close(&c->engine);
    clock_moved = 0;
}

se_status chain_append(const struct chain_under_test *c, size_t count, se_error *err)
{
    static se_record records[BIG];
    static char payloads[BIG][16];

    for (size_t i = 0; i < count; i++)
        records[i] = (se_record){ { "object", 6 },
                                  { payloads[i],
                                    (size_t)snprintf(payloads[i], sizeof payloads[i], "%zu", i) } };
    return se_history_append_many(NULL, c->history, records, count, NULL, err);
}

void chain_append_days_ago(const struct chain_under_test *c, int days, size_t count)
{
    se_error err = SE_ERROR_INIT;

    clock_moved = -days * (time_t)DAY;
    assert_status(SE_OK, chain_append(c, count, &err), &err);
    clock_moved = 0;
}

void chain_run(const struct chain_under_test *c, const char *sql)
{
    char *text = NULL;

    if (sqlite3_exec(c->db, sql, NULL, NULL, &text))
        fail_msg("%s: %s", sql, text);
}

se_status chain_verify(const struct chain_under_test *c, unsigned months, se_history_report *out)
{
    se_history_verify_options options = SE_HISTORY_VERIFY_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;

    options.months = months;
    return se_history_verify(out, c->history, &options, &err);
}

void chain_expect(const struct chain_under_test *c, uint64_t entries)
{
    se_history_report report;

    assert_int_equal(chain_verify(c, 0, &report), SE_OK);
    assert_int_equal(report.entries, entries);
}
