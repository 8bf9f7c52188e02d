/* SPDX-License-Identifier: Apache-2.0 */
/* One key behind two `p11-kit server`s, of which one is killed and started again while 8 threads
 * sign: no call fails. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/token/fixture.h"
#include "tests/token/server.h"

enum { THREADS = 8, ROUNDS = 4, SLOWEST_MS = 5000 };

static struct server one = { "one", 0 }, two = { "two", 0 };

static int fill(void **state)
{
    if (fixture_make(state))
        return -1;
    server_needed();
    make_token("one");
    make_token("two");
    put_pair("one", "k", "ec:P-256", "01");
    put_key("two", "k", "k", "01");
    put_certificate("two", "k", "k", "01");
    run("client=$(sh \"$top_srcdir/tests/lib/find-library.sh\" p11-kit-client.so) && cp $client "
        "p11-kit-client.one.so && cp "
        "$client p11-kit-client.two.so");
    return 0;
}

/*
 * Each client module remembers the address that it was loaded with, and a module that is in use
 * stays loaded.  Its name is what the store knows p11-kit's client by.
 */
static struct key *load_client(struct server *server, const char *module)
{
    struct keyref *ref = ref_to(server->token, "k");
    int64_t until = clock_monotonic_ms() + SLOWEST_MS;
    struct key *key;

    server_start(server);
    server_address(server);
    ref->location = file_of(module);
    while (pkcs11_store.open(&key, ref, PART_SIGN, NULL, NULL) && clock_monotonic_ms() < until)
        usleep(2000);
    return key ? key : opens(ref, PART_SIGN);
}

static unsigned
    returns; /* of the first replica, found out by a failure or before there was one; atomic */

static void listen(void *arg, const se_event *event)
{
    (void)arg;
    if (event->replica == 1 &&
        (event->kind == SE_EVENT_FAILED_BACK || event->kind == SE_EVENT_KEY_RENEWED))
        __atomic_add_fetch(&returns, 1, __ATOMIC_RELAXED);
}

static se_engine *open_engine(void)
{
    se_options options = SE_OPTIONS_INIT;
    FILE *f = fopen(file_of("engine.xml"), "w");
    se_error err = SE_ERROR_INIT;
    se_engine *engine;

    fprintf(f,
            "<engineSignEncrypt><descriptors><descriptor name='Files'><type algorithm='SHA-256' "
            "key='k'/></descriptor></descriptors>"
            "<keys><key name='k'>"
            "<type name='HSM' locationValue='%s' tokenLabel='one' alias='k' pin='" PIN
            "' failback='true'/>"
            "<type name='HSM' locationValue='%s' tokenLabel='two' alias='k' pin='" PIN "'/>"
            "</key></keys></engineSignEncrypt>",
            file_of("p11-kit-client.one.so"), file_of("p11-kit-client.two.so"));
    fclose(f);
    options.event = listen;
    assert_status(SE_OK, se_open(&engine, file_of("engine.xml"), &options, &err), &err);
    return engine;
}

struct worker {
    pthread_t thread;
    se_engine *engine;
    const bool *stop;
    unsigned signatures;
    int64_t slowest;
    se_error err;
};

static se_status sign(se_engine *engine, se_error *err)
{
    const se_bytes text = { "some text", 9 };
    AUTO(se_buf) signature = SE_BUF_INIT;
    const se_sign_params raw = { sizeof raw, .form = SE_FORM_RAW };
    se_verify_params params = { sizeof params, .form = SE_FORM_RAW };
    se_status st;

    if ((st = se_sign(&signature, engine, "Files", text, &raw, err)))
        return st;
    params.signature = buf_bytes(&signature);
    return se_verify(NULL, engine, "Files", text, &params, err);
}

static void *work(void *arg)
{
    struct worker *w = arg;

    while (!__atomic_load_n(w->stop, __ATOMIC_RELAXED)) {
        int64_t begin = clock_monotonic_ms(), took;

        if (sign(w->engine, &w->err))
            break;
        w->signatures++;
        took = clock_monotonic_ms() - begin;
        w->slowest = took > w->slowest ? took : w->slowest;
    }
    return NULL;
}

static void finish(struct worker workers[THREADS])
{
    for (int i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    for (int i = 0; i < THREADS; i++) {
        assert_status(SE_OK, workers[i].err.status, &workers[i].err);
        assert_true(workers[i].signatures > 0);
        if (workers[i].slowest >= SLOWEST_MS)
            fail_msg("a call took %d ms", (int)workers[i].slowest);
    }
}

static void wait_for_return(unsigned seen)
{
    int64_t until = clock_monotonic_ms() + SLOWEST_MS;

    while (__atomic_load_n(&returns, __ATOMIC_RELAXED) == seen && clock_monotonic_ms() < until)
        usleep(1000);
    assert_true(clock_monotonic_ms() < until);
}

/* The first, which is in use, and then the second, which is not and must serve all the same when
 * the first goes again. */
static void kill_both(int round)
{
    unsigned seen = __atomic_load_n(&returns, __ATOMIC_RELAXED);

    server_kill(&one);
    usleep((useconds_t)round * 100000);
    server_start(&one);
    wait_for_return(seen);
    server_kill(&two);
    usleep((useconds_t)round * 100000);
    server_start(&two);
    usleep(100000);
}

static void no_call_fails(void **state)
{
    struct key *first = load_client(&one, "p11-kit-client.one.so"),
               *second = load_client(&two, "p11-kit-client.two.so");
    se_engine *engine = open_engine();
    struct worker workers[THREADS];
    bool stop = false;

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .engine = engine, .stop = &stop };
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < ROUNDS; i++)
        kill_both(i);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    finish(workers);
    se_close(&engine);
    key_unref(first);
    key_unref(second);
    server_kill(&one);
    server_kill(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_call_fails),
    };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
