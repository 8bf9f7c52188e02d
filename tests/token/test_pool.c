/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions under threads: a pool that is too small, a token that gives few, a deadline, and engines
 * that share a module. */
#include <pthread.h>
#include <time.h>

#include "keystore/pkcs11/token.h"
#include "tests/token/fixture.h"

enum { THREADS = 8, ROUNDS = 40 };

static int fill(void **state)
{
    if (fixture_make(state))
        return -1;
    make_token("lab");
    put_pair("lab", "a", "ec:P-256", "01");
    put_pair("lab", "b", "rsa:2048", "02");
    return 0;
}

struct worker {
    pthread_t thread;
    struct key *key;
    unsigned seed, good;
    se_error err;
};

static void *work(void *arg)
{
    struct worker *w = arg;

    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned char hash[32] = { (unsigned char)w->seed, (unsigned char)i };
        se_bytes hashed = { hash, sizeof hash };
        AUTO(se_buf) signature = SE_BUF_INIT;

        if (sign_hash(&signature, w->key, DIGEST_SHA256, 0, hashed, &w->err))
            break;
        w->good += verify_hash(w->key, DIGEST_SHA256, 0, hashed, buf_bytes(&signature));
    }
    return NULL;
}

static void start(struct worker workers[THREADS], struct key *key)
{
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .key = key, .seed = i };
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
}

static void finish(struct worker workers[THREADS])
{
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_status(SE_OK, workers[i].err.status, &workers[i].err);
        assert_int_equal(workers[i].good, ROUNDS);
    }
}

static void threads_share_three_sessions(void **state)
{
    struct worker workers[THREADS];
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "a");
    struct key *key;

    (void)state;
    ref->max_sessions = 3;
    key = opens(ref, PART_SIGN);
    start(workers, key);
    finish(workers);
    assert_in_range(shim->most_sessions, 2, 3);
    assert_int_equal(shim->logins, 1);
    key_unref(key);
    assert_int_equal(shim->sessions, 0);
}

/* Neither token has as many sessions as there are threads: one says so, the other does not. */
static void a_token_gives_what_it_has(void **state)
{
    struct worker workers[THREADS];
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "b");
    struct key *key;

    (void)state;
    shim->told_sessions = 2;
    key = opens(ref, PART_SIGN);
    start(workers, key);
    finish(workers);
    assert_int_equal(shim->most_sessions, 2);
    key_unref(key);
    (void)ref_through_shim(&shim, "lab", "b");
    shim->given_sessions = 3;
    key = opens(ref, PART_SIGN);
    start(workers, key);
    finish(workers);
    key_unref(key);
    assert_int_equal(shim->sessions, 0);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void nobody_waits_for_ever(void **state)
{
    struct keyref *ref = ref_to("lab", "a");
    static const unsigned char hash[32];
    struct session taken[2];
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    struct module *module;
    struct token *token;
    struct key *key;
    double begin;

    (void)state;
    ref->max_sessions = 2;
    ref->deadline = 1;
    key = opens(ref, PART_SIGN);
    token = token_of(ref, &module);
    for (int i = 0; i < 2; i++)
        assert_status(SE_OK, token_session(&taken[i], token, ref, true, &err), &err);
    begin = now();
    assert_status(SE_ERR_UNAVAILABLE,
                  sign_hash(&signature, key, DIGEST_SHA256, 0, (se_bytes){ hash, 32 }, &err), &err);
    assert_true(now() - begin >= 0.5 && now() - begin < 5);
    assert_non_null(
        strstr(err.text, "all 2 sessions are in use, and none came free within 500 ms"));
    session_end(&taken[0]);
    assert_int_equal(sign_hash(&signature, key, DIGEST_SHA256, 0, (se_bytes){ hash, 32 }, &err),
                     SE_OK);
    session_end(&taken[1]);
    token_close(token);
    module_close(module);
    key_unref(key);
}

static void what_others_give_back_is_found_later(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "a");
    se_error err = SE_ERROR_INIT;
    struct session taken[3] = { 0 };
    struct module *module;
    struct token *token = token_of(ref, &module);

    (void)state;
    ref->deadline = 1;
    shim->given_sessions = 2;
    for (int i = 0; i < 2; i++)
        assert_status(SE_OK, token_session(&taken[i], token, ref, true, &err), &err);
    assert_status(SE_ERR_UNAVAILABLE, token_session(&taken[2], token, ref, true, &err), &err);
    shim->given_sessions = 0;
    assert_status(SE_ERR_UNAVAILABLE, token_session(&taken[2], token, ref, true, &err), &err);
    token->pool.learned -= POOL_RELEARN_MS;
    err = (se_error)SE_ERROR_INIT;
    assert_status(SE_OK, token_session(&taken[2], token, ref, true, &err), &err);
    for (int i = 0; i < 3; i++)
        session_end(&taken[i]);
    token_close(token);
    module_close(module);
}

static void *give_back(void *session)
{
    nanosleep(&(struct timespec){ 0, 100000000 }, NULL);
    session_end(session);
    return NULL;
}

static void who_waits_gets_what_comes_back(void **state)
{
    struct keyref *ref = ref_to("lab", "a");
    struct session taken, next;
    se_error err = SE_ERROR_INIT;
    struct module *module;
    struct token *token = token_of(ref, &module);
    CK_SESSION_HANDLE handle;
    pthread_t thread;

    (void)state;
    ref->max_sessions = 1;
    assert_status(SE_OK, token_session(&taken, token, ref, true, &err), &err);
    handle = taken.handle;
    assert_int_equal(pthread_create(&thread, NULL, give_back, &taken), 0);
    assert_status(SE_OK, token_session(&next, token, ref, true, &err), &err);
    pthread_join(thread, NULL);
    assert_int_equal(next.handle, handle);
    /* a broken one makes room for a new one */
    next.broken = true;
    session_end(&next);
    assert_status(SE_OK, token_session(&next, token, ref, true, &err), &err);
    assert_int_not_equal(next.handle, handle);
    session_end(&next);
    token_close(token);
    module_close(module);
}

struct turn {
    struct token *token;
    const struct keyref *ref;
    struct session session;
    int *order, place;
};

static void *take_turn(void *arg)
{
    struct turn *turn = arg;

    if (!token_session(&turn->session, turn->token, turn->ref, true, NULL))
        turn->place = __atomic_add_fetch(turn->order, 1, __ATOMIC_ACQ_REL);
    session_end(&turn->session);
    return NULL;
}

static void wait_for_queue(struct pool *pool)
{
    for (bool queued = false; !queued;) {
        pthread_mutex_lock(&pool->lock);
        queued = pool->first != NULL;
        pthread_mutex_unlock(&pool->lock);
    }
}

/* Who gives a session back and asks at once comes after those that wait. */
static void nobody_jumps_the_queue(void **state)
{
    struct keyref *ref = ref_to("lab", "a");
    se_error err = SE_ERROR_INIT;
    struct module *module;
    struct token *token = token_of(ref, &module);

    (void)state;
    ref->max_sessions = 1;
    for (int round = 0; round < 20; round++) {
        int order = 0;
        struct turn turn = { token, ref, { 0 }, &order, 0 };
        struct session mine;
        pthread_t thread;

        assert_status(SE_OK, token_session(&mine, token, ref, true, &err), &err);
        assert_int_equal(pthread_create(&thread, NULL, take_turn, &turn), 0);
        wait_for_queue(&token->pool);
        session_end(&mine);
        assert_status(SE_OK, token_session(&mine, token, ref, true, &err), &err);
        assert_int_equal(__atomic_add_fetch(&order, 1, __ATOMIC_ACQ_REL), 2);
        session_end(&mine);
        pthread_join(thread, NULL);
        assert_int_equal(turn.place, 1);
    }
    token_close(token);
    module_close(module);
}

static void a_token_that_others_have_filled_is_told_at_once(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "a");
    double begin = now();

    (void)state;
    shim->open = CKR_SESSION_COUNT;
    refuses(SE_ERR_UNAVAILABLE, ref, PART_SIGN,
            "the token gives no session: other programs hold all that it has", NULL);
    assert_true(now() - begin < 5);
}

static void one_engine_closes_while_the_other_signs(void **state)
{
    struct worker workers[THREADS];
    struct key *first = opens(ref_to("lab", "a"), PART_SIGN),
               *second = opens(ref_to("lab", "a"), PART_SIGN);

    (void)state;
    start(workers, first);
    key_unref(second);
    for (int i = 0; i < 5; i++)
        key_unref(opens(ref_to("lab", "b"), PART_SIGN));
    finish(workers);
    key_unref(first);
}

static void *open_and_close(void *ref)
{
    for (int i = 0; i < 10; i++) {
        struct key *key;

        if (pkcs11_store.open(&key, ref, i % 2 ? PART_SIGN : PART_CERTIFICATE, NULL, NULL))
            return ref;
        key_unref(key);
    }
    return NULL;
}

static void keys_come_and_go_on_many_threads(void **state)
{
    pthread_t threads[THREADS];
    struct keyref *a = ref_to("lab", "a"), *b = ref_to("lab", "b");
    void *failed = NULL;

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_and_close, i % 2 ? a : b), 0);
    for (int i = 0; i < THREADS; i++) {
        void *result;

        pthread_join(threads[i], &result);
        failed = result ? result : failed;
    }
    assert_null(failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_three_sessions),
        cmocka_unit_test(a_token_gives_what_it_has),
        cmocka_unit_test(nobody_waits_for_ever),
        cmocka_unit_test(what_others_give_back_is_found_later),
        cmocka_unit_test(who_waits_gets_what_comes_back),
        cmocka_unit_test(nobody_jumps_the_queue),
        cmocka_unit_test(a_token_that_others_have_filled_is_told_at_once),
        cmocka_unit_test(one_engine_closes_while_the_other_signs),
        cmocka_unit_test(keys_come_and_go_on_many_threads),
    };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
