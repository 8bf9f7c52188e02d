/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever byte of what a store keeps is changed: verification finds it.  In the environment:
 * BYTES, how many changes; STORE, the address of another store than a file of SQLite.
 */
#include <stdio.h>

#include "signengine-history.h"
#include "tests/history/bytes.h"
#include "tests/unit/folder.h"
#include "tests/unit/maker.h"

enum { ENTRIES = 300, GROUP = 25, CHANGES = 300 };

static const char configuration[] =
    "<engineSignEncrypt><descriptors><descriptor name=\"ObjectHistorySigner\">"
    "<type algorithm=\"SHA-256\" key=\"k\"/></descriptor></descriptors>"
    "<keys><key name=\"k\"><type name=\"pem\" locationValue=\"classpath:k.pem\"/></key></keys>"
    "</engineSignEncrypt>";

const char *const victim_tables[TABLES] = { "chain", "entry", "node", "seal" };

unsigned throw_dice(unsigned sides)
{
    static unsigned dice = 1;

    dice = dice * 1103515245 + 12345;
    return (dice >> 8) % sides;
}

static se_engine *begin_chain(se_history **history, const char *store)
{
    struct certificate_wish wish = { .usage = "critical,digitalSignature" };
    EVP_PKEY *key = make_key("P-256");
    X509 *certificate = make_certificate(key, &wish);
    se_error err = SE_ERROR_INIT;
    se_history_options options = SE_HISTORY_OPTIONS_INIT;
    se_engine *engine;

    make_bundle("k.pem", key, certificate);
    EVP_PKEY_free(key);
    X509_free(certificate);
    make("engine.xml", configuration, 0600);
    assert_status(SE_OK, se_open(&engine, "engine.xml", NULL, &err), &err);
    assert_status(SE_OK, se_history_create(engine, store, NULL, &err), &err);
    options.inspect = true;
    assert_status(SE_OK, se_history_open(history, engine, store, &options, &err), &err);
    return engine;
}

static void append_entries(se_history *history)
{
    se_record records[GROUP];
    char payloads[GROUP][32];
    se_error err = SE_ERROR_INIT;

    for (size_t i = 0; i < ENTRIES / GROUP; i++) {
        for (size_t k = 0; k < GROUP; k++) {
            int size = snprintf(payloads[k], sizeof payloads[k], "payload %zu of %zu", k, i);

            records[k] = (se_record){ { "object", 6 }, { payloads[k], (size_t)size } };
        }
        assert_status(SE_OK, se_history_append_many(NULL, history, records, GROUP, NULL, &err),
                      &err);
    }
}

static const struct victim *victim_of(const char *store)
{
    static const struct victim *const victims[] = {
        &sqlite_victim,
#ifdef HAVE_POSTGRESQL
        &postgres_victim,
#endif
    };

    for (size_t i = 0; i < sizeof victims / sizeof *victims; i++)
        if (strncmp(store, victims[i]->scheme, strlen(victims[i]->scheme)) == 0)
            return victims[i];
    fail_msg("no store '%s'", store);
    return NULL;
}

static void test_every_byte_counts(void **state)
{
    const char *asked = getenv("BYTES"), *place = getenv("STORE"),
               *store = place ? place : "sqlite:h.db";
    unsigned wanted = asked ? (unsigned)atoi(asked) : CHANGES, done = 0;
    const struct victim *victim = victim_of(store);
    se_error err = SE_ERROR_INIT;
    se_history *history;
    se_engine *engine = begin_chain(&history, store);
    char what[WHAT_ROOM];
    void *opened;

    (void)state;
    append_entries(history);
    assert_status(SE_OK, se_history_verify(NULL, history, NULL, &err), &err);
    opened = victim->open(store);
    while (done < wanted) {
        se_error found = SE_ERROR_INIT;

        if (victim->change(opened, what)) {
            done++;
            if (se_history_verify(NULL, history, NULL, &found) != SE_ERR_REJECTED)
                fail_msg("change %u, %s, was not found: %s", done, what, found.text);
        }
        victim->undo(opened);
    }
    victim->close(opened);
    assert_status(SE_OK, se_history_verify(NULL, history, NULL, &err), &err);
    se_history_close(&history);
    se_close(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = { IN_FOLDER(test_every_byte_counts) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
