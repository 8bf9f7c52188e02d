/* SPDX-License-Identifier: Apache-2.0 */
/* keepAlive: sessions that nobody has used for long are closed, before the token does it. */
#include <pthread.h>
#include <unistd.h>

#include "keystore/pkcs11/token.h"
#include "tests/token/fixture.h"

enum { THREADS = 8, ROUNDS = 60 };

static int fill(void **state)
{
    if (fixture_make(state))
        return -1;
    make_token("lab");
    put_pair("lab", "a", "ec:P-256", "01");
    put_pair("lab", "b", "ec:P-256", "02");
    return 0;
}

/* As if the first `count` idle sessions had been so for that much longer. */
static void age(struct pool *pool, size_t count, int64_t ms)
{
    pthread_mutex_lock(&pool->lock);
    for (size_t i = 0; i < count && i < pool->idle_count; i++)
        pool->idle[i].since -= ms;
    pthread_mutex_unlock(&pool->lock);
}

/* The login stays, with the session that is young enough. */
static void only_the_old_ones_are_closed(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "a");
    se_error err = SE_ERROR_INIT;
    struct session taken[3];
    struct module *module;
    struct token *token = token_of(ref, &module);
    CK_SESSION_HANDLE youngest;

    (void)state;
    ref->keep_alive = 60;
    for (int i = 0; i < 3; i++)
        assert_status(SE_OK, token_session(&taken[i], token, ref, true, &err), &err);
    youngest = taken[2].handle;
    for (int i = 0; i < 3; i++)
        session_end(&taken[i]);
    age(&token->pool, 3, 59000);
    assert_status(SE_OK, token_session(&taken[0], token, ref, true, &err), &err);
    assert_int_equal(shim->sessions, 3);
    session_end(&taken[0]);
    age(&token->pool, 2, 1000);
    assert_status(SE_OK, token_session(&taken[0], token, ref, true, &err), &err);
    assert_int_equal(taken[0].handle, youngest);
    assert_int_equal(shim->sessions, 1);
    assert_int_equal(shim->logins, 1);
    /* the one in use is not idle, however long it takes */
    assert_status(SE_OK, token_session(&taken[1], token, ref, true, &err), &err);
    assert_int_equal(shim->sessions, 2);
    session_end(&taken[0]);
    session_end(&taken[1]);
    token_close(token);
    module_close(module);
    assert_int_equal(shim->sessions, 0);
}

/* No call is made in a session that the token may have closed, so that none fails. */
static void the_last_one_takes_the_login_with_it(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "a");
    struct key *key;

    (void)state;
    ref->keep_alive = 1;
    key = opens(ref, PART_SIGN);
    still_signs(key);
    assert_int_equal(shim->logins, 1);
    usleep(1100000);
    still_signs(key);
    assert_int_equal(shim->logins, 2);
    assert_int_equal(shim->signatures, 2);
    assert_int_equal(shim->sessions, 1);
    still_signs(key);
    assert_int_equal(shim->logins, 2);
    assert_int_equal(shim->initialized, 1);
    key_unref(key);
    assert_int_equal(shim->sessions, 0);
}

static void without_it_sessions_stay(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "a");
    struct key *key = opens(ref, PART_SIGN);
    struct module *module;
    struct token *token = token_of(ref, &module);

    (void)state;
    still_signs(key);
    age(&token->pool, 1, 86400 * 1000);
    still_signs(key);
    assert_int_equal(shim->logins, 1);
    assert_int_equal(shim->sessions, 1);
    key_unref(key);
    token_close(token);
    module_close(module);
}

struct worker {
    pthread_t thread;
    struct key *key;
    unsigned seed;
    se_error err;
};

static void *work(void *arg)
{
    struct worker *w = arg;

    for (unsigned i = 0; i < ROUNDS && !sign_and_verify(w->key, w->seed * ROUNDS + i, &w->err); i++)
        usleep(w->seed * 300);
    return NULL;
}

/* All sessions are always too old, so that the last one is closed again and again, while others use
 * their keys. */
static void threads_notice_nothing(void **state)
{
    static struct worker workers[THREADS];
    struct shim *shim;
    struct keyref *a = ref_through_shim(&shim, "lab", "a"),
                  *b = ref_through_shim(&shim, "lab", "b");
    struct module *module;
    struct token *token;
    struct key *keys[2];

    (void)state;
    a->keep_alive = b->keep_alive = 1;
    keys[0] = opens(a, PART_SIGN);
    keys[1] = opens(b, PART_SIGN);
    token = token_of(a, &module);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .key = keys[i % 2], .seed = i };
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < 1000; i++, usleep(200))
        age(&token->pool, THREADS, 2000);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    for (unsigned i = 0; i < THREADS; i++)
        assert_status(SE_OK, workers[i].err.status, &workers[i].err);
    print_message("%u logins\n", shim->logins);
    assert_true(shim->logins > 1);
    key_unref(keys[0]);
    key_unref(keys[1]);
    token_close(token);
    module_close(module);
    assert_int_equal(shim->sessions, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_old_ones_are_closed),
        cmocka_unit_test(the_last_one_takes_the_login_with_it),
        cmocka_unit_test(without_it_sessions_stay),
        cmocka_unit_test(threads_notice_nothing),
    };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
