/* SPDX-License-Identifier: Apache-2.0 */
/* One key in two tokens and a file: what is signed and decrypted while one of them is away. */
#include <stdlib.h>
#include <unistd.h>

#include "base/breaker.h"
#include "base/clock.h"
#include "base/file.h"
#include "crypto/pkey_ops.h"
#include "engine/failover.h"
#include "tests/token/places.h"

enum { THREADS = 8, OUTAGES = 6 };

static void stays_with_what_works(void **state)
{
    se_engine *engine = engine_with(FIRST SECOND);

    (void)state;
    assert_true(first_signs(engine));
    assert_int_equal(told.signer, 1);
    set_away(CKR_DEVICE_REMOVED);
    for (int i = 0; i < 20; i++) {
        assert_false(first_signs(engine));
        assert_int_equal(told.signer, 2);
    }
    assert_told("1 lost, 2 failed over, ");
    assert_non_null(strstr(told.why, "CKR_DEVICE_REMOVED"));
    set_away(CKR_OK);
    usleep(2 * BREAKER_MOST_MS * 1000);
    for (int i = 0; i < 5; i++)
        assert_false(first_signs(engine));
    assert_told("");
    assert_int_equal(told.good, 2 * 26);
    assert_int_equal(told.bad, 0);
    se_close(&engine);
}

static void returns_to_a_replica_with_failback(void **state)
{
    se_engine *engine = engine_with(RETURNING SECOND);

    (void)state;
    assert_true(first_signs(engine));
    for (int outage = 0; outage < 3; outage++) {
        set_away(CKR_DEVICE_REMOVED);
        for (int i = 0; i < 20; i++)
            assert_false(first_signs(engine));
        set_away(CKR_OK);
        first_returns(engine);
        assert_true(first_signs(engine));
        assert_int_equal(told.signer, 1);
        assert_told("1 lost, 2 failed over, 1 healed, 1 failed back, ");
    }
    se_close(&engine);
}

/* ---- in mid-traffic ---- */

struct worker {
    pthread_t thread;
    se_engine *engine;
    bool *stop;
    unsigned signatures;
    se_error err;
};

static void *work(void *arg)
{
    struct worker *w = arg;

    while (!__atomic_load_n(w->stop, __ATOMIC_RELAXED) && !sign(w->engine, &w->err))
        w->signatures++;
    return NULL;
}

static void start(struct worker workers[THREADS], se_engine *engine, bool *stop)
{
    *stop = false;
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .engine = engine, .stop = stop };
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
}

static void finish(struct worker workers[THREADS], bool *stop)
{
    __atomic_store_n(stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    for (int i = 0; i < THREADS; i++) {
        assert_status(SE_OK, workers[i].err.status, &workers[i].err);
        assert_true(workers[i].signatures > 0);
    }
}

static void no_call_fails(const char *replicas)
{
    struct worker workers[THREADS];
    se_engine *engine = engine_with(replicas);
    bool stop;

    start(workers, engine, &stop);
    for (int i = 0; i < OUTAGES; i++) {
        usleep(60000);
        set_away(i % 2 ? CKR_GENERAL_ERROR : CKR_DEVICE_REMOVED);
        usleep(60000);
        set_away(CKR_OK);
    }
    usleep(200000);
    finish(workers, &stop);
    se_close(&engine);
}

static void threads_see_no_failure(void **state)
{
    (void)state;
    no_call_fails(RETURNING SECOND);
    no_call_fails(RETURNING IN_FILE);
    /* no more than a hiccup, though there is nothing else */
    no_call_fails(FIRST NO_FILE);
}

/* ---- replicas that can't be opened ---- */

static void signs_again(se_engine *engine)
{
    int64_t until = clock_monotonic_ms() + 10 * BREAKER_MOST_MS;
    se_error err;

    while (sign(engine, &err))
        assert_true(clock_monotonic_ms() < until);
}

static void different_keys_are_refused(void **state)
{
    se_engine *engine = engine_with(FIRST STRANGER);
    se_error err;

    (void)state;
    assert_status(SE_ERR_KEY, sign(engine, &err), &err);
    assert_says(&err, "replica 2 (line 5) holds another key than replica 1 (line 4)");
    se_close(&engine);
}

/* What could not be compared at first is compared before it is used. */
static void a_stranger_that_comes_late_is_never_used(void **state)
{
    se_engine *engine;
    se_error err;

    (void)state;
    run("openssl pkcs12 -export -inkey stranger.key -in stranger.pem -name k -passout pass:" PIN
        " -out late.p12");
    run("mv late.p12 later.p12");
    engine = engine_with(FIRST NO_FILE);
    signs(engine);
    run("mv later.p12 late.p12");
    usleep(2 * BREAKER_FIRST_MS * 1000);
    set_away(CKR_DEVICE_REMOVED);
    for (int i = 0; i < 5; i++) {
        assert_status(SE_ERR_UNAVAILABLE, sign(engine, &err), &err);
        assert_says(&err, "none of 2 replicas serves; number 1 (line 4): ");
    }
    assert_told("2 lost, 1 lost, 2 lost, ");
    assert_non_null(strstr(told.why, "another key"));
    set_away(CKR_OK);
    signs_again(engine);
    se_close(&engine);
    run("rm late.p12");
}

static void a_replica_that_comes_late_serves(void **state)
{
    se_engine *engine = engine_with(FIRST NO_FILE);
    se_error err;

    (void)state;
    signs(engine);
    set_away(CKR_DEVICE_REMOVED);
    assert_status(SE_ERR_UNAVAILABLE, sign(engine, &err), &err);
    run("cp k.p12 late.p12");
    signs_again(engine);
    assert_told("2 lost, 1 lost, 2 healed, 2 failed over, ");
    se_close(&engine);
    run("rm late.p12");
}

/* Away from the start, and opened when it is back. */
static void the_first_may_come_later(void **state)
{
    se_engine *engine = engine_with(RETURNING SECOND);

    (void)state;
    set_away(CKR_DEVICE_REMOVED);
    for (int i = 0; i < 5; i++)
        assert_false(first_signs(engine));
    assert_told("1 lost, 2 failed over, ");
    set_away(CKR_OK);
    first_returns(engine);
    assert_told("1 healed, 1 failed back, ");
    se_close(&engine);
}

static void all_away_is_unavailable_until_one_is_back(void **state)
{
    se_engine *engine = engine_with(FIRST NO_FILE);
    se_error err;

    (void)state;
    set_away(CKR_DEVICE_REMOVED);
    assert_status(SE_ERR_UNAVAILABLE, sign(engine, &err), &err);
    assert_says(&err, "number 1 (line 4)");
    set_away(CKR_OK);
    signs(engine);
    set_away(CKR_TOKEN_NOT_PRESENT);
    for (int i = 0; i < 100; i++)
        assert_status(SE_ERR_UNAVAILABLE, sign(engine, &err), &err);
    assert_int_equal(told.bad, 101);
    set_away(CKR_OK);
    signs_again(engine);
    assert_told("2 lost, 1 lost, 1 healed, ");
    se_close(&engine);
}

static void a_wrong_pin_is_presented_once(void **state)
{
    struct worker workers[THREADS];
    se_engine *engine = engine_with(WRONG_PIN SECOND);
    bool stop;

    (void)state;
    start(workers, engine, &stop);
    usleep(3 * BREAKER_FIRST_MS * 1000);
    finish(workers, &stop);
    assert_int_equal(shim->logins, 1);
    assert_told("1 lost, 2 failed over, ");
    assert_non_null(strstr(told.why, "wrong PIN"));
    se_close(&engine);
}

static void no_replica_with_a_right_pin_is_no_access(void **state)
{
    se_engine *engine =
        engine_with(WRONG_PIN "<type name='pkcs12' locationValue='@k.p12' pin='12'/>");
    se_error err;

    (void)state;
    assert_status(SE_ERR_ACCESS, sign(engine, &err), &err);
    assert_says(&err, "number 1 (line 4)");
    se_close(&engine);
}

/* What one token can't do another may. */
static void a_mechanism_that_one_lacks(void **state)
{
    se_engine *engine = engine_with(FIRST SECOND);

    (void)state;
    shim->refused[0] = CKM_RSA_PKCS;
    shim->refused[1] = CKM_RSA_X_509;
    shim->refusal = CKR_MECHANISM_INVALID;
    for (int i = 0; i < 3; i++)
        signs(engine);
    assert_told("1 lost, 2 failed over, ");
    se_close(&engine);
}

/* A call that does not return costs its deadline once; who comes after it does not wait at all. */
static void a_replica_that_hangs(void **state)
{
    se_engine *engine = engine_with(HANGING SECOND);
    int64_t begin;

    (void)state;
    assert_true(first_signs(engine));
    faults->list[0] = (struct fault){
        .call = AT_SIGN, .first = faults->seen[AT_SIGN] + 1, .times = 1, .sleep_ms = 2500
    };
    begin = clock_monotonic_ms();
    signs(engine);
    assert_in_range(clock_monotonic_ms() - begin, 900, 2400);
    assert_told("1 lost, 2 failed over, ");
    begin = clock_monotonic_ms();
    signs(engine);
    assert_in_range(clock_monotonic_ms() - begin, 0, 500);
    usleep(2500 * 1000);
    se_close(&engine);
}

/* Nothing fails when sessions are lost, but somebody may want to know. */
static void lost_sessions_are_told(void **state)
{
    se_engine *engine = engine_with(FIRST SECOND);

    (void)state;
    signs(engine);
    faults->list[0] = (struct fault){ .call = AT_SIGN,
                                      .first = faults->seen[AT_SIGN] + 1,
                                      .times = 1,
                                      .rv = CKR_SESSION_HANDLE_INVALID };
    signs(engine);
    assert_told("1 renewed, ");
    signs(engine);
    assert_told("");
    se_close(&engine);
}

/* ---- decryption ---- */

static void encrypt(const char *in, const char *out)
{
    run("printf secret >%s && openssl pkeyutl -encrypt -certin -inkey k.pem -in %s -out %s "
        "-pkeyopt rsa_padding_mode:oaep "
        "-pkeyopt rsa_oaep_md:sha256",
        in, in, out);
}

static void decrypts_with_any(void **state)
{
    const struct unwrap_how how = { DIGEST_SHA256, DIGEST_SHA256 };
    const struct events nobody = { NULL, NULL };
    struct reporter reporters[2];
    AUTO(config) config = NULL;
    AUTO(key) key = NULL;
    AUTO(se_buf) blob = SE_BUF_INIT;
    const struct key_entry *entry;
    se_error err = SE_ERROR_INIT;

    (void)state;
    encrypt("clear", "blob");
    assert_status(SE_OK, file_read(&blob, file_of("blob"), 1000, &err), &err);
    configure(FIRST IN_FILE);
    assert_status(SE_OK,
                  config_load(&config, file_of("engine.xml"),
                              &(struct config_options){ .pin_key = NULL }, &err),
                  &err);
    assert_status(SE_OK, config_key(&entry, config, "k", &err), &err);
    for (size_t i = 0; i < 2; i++)
        reporter_init(&reporters[i], &nobody, entry, i);
    assert_status(SE_OK, failover_open(&key, entry, PART_DECRYPT, reporters, &err), &err);
    for (int i = 0; i < 3; i++) {
        AUTO(se_buf) clear = SE_BUF_INIT;
        se_buf damaged = SE_BUF_INIT;

        set_away(i == 1 ? CKR_DEVICE_REMOVED : CKR_OK);
        assert_status(SE_OK, key_unwrap(&clear, key->private, &how, buf_bytes(&blob), &err), &err);
        assert_int_equal(remote_trace()->replica, i ? 2 : 1);
        assert_int_equal(clear.size, 6);
        assert_memory_equal(clear.data, "secret", 6);
        blob.data[blob.size - 1] ^= 1;
        assert_int_equal(key_unwrap(&damaged, key->private, &how, buf_bytes(&blob), NULL),
                         SE_ERR_REJECTED);
        blob.data[blob.size - 1] ^= 1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stays_with_what_works),
        cmocka_unit_test(returns_to_a_replica_with_failback),
        cmocka_unit_test(threads_see_no_failure),
        cmocka_unit_test(different_keys_are_refused),
        cmocka_unit_test(a_stranger_that_comes_late_is_never_used),
        cmocka_unit_test(a_replica_that_comes_late_serves),
        cmocka_unit_test(the_first_may_come_later),
        cmocka_unit_test(all_away_is_unavailable_until_one_is_back),
        cmocka_unit_test(a_mechanism_that_one_lacks),
        cmocka_unit_test(lost_sessions_are_told),
        cmocka_unit_test(a_replica_that_hangs),
        cmocka_unit_test(decrypts_with_any),
        cmocka_unit_test(a_wrong_pin_is_presented_once),
        cmocka_unit_test(no_replica_with_a_right_pin_is_no_access),
    };

    return cmocka_run_group_tests(tests, places_fill, fixture_drop);
}
