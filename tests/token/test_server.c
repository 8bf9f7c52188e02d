/* A token behind `p11-kit server`, which is killed and started again while 8 threads sign. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/breaker.h"
#include "tests/token/fixture.h"

enum { THREADS = 8, KILLS = 6, START_MS = 5000 };

#define CLIENT "p11-kit-client"

static pid_t server;
static char address[200];

/* The token has the PIN of the fixture, and the server the configuration of its SoftHSM. */
static int fill(void **state)
{
    if (fixture_make(state))
        return -1;
    make_token("lab");
    put_pair("lab", "a", "ec:P-256", "01");
    if (system("command -v p11-kit >/dev/null && p11-kit server --help >/dev/null 2>&1")) {
        print_message("SKIPPED: p11-kit server is not installed\n");
        exit(77);
    }
    snprintf(address, sizeof address, "unix:path=%s", file_of("socket"));
    setenv("P11_KIT_SERVER_ADDRESS", address, 1);
    return 0;
}

static void start_server(void)
{
    int64_t until = breaker_clock() + START_MS;
    struct stat info;

    unlink(file_of("socket"));
    server = fork();
    assert_true(server >= 0);
    if (!server) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)!freopen("/dev/null", "w", stdout);
        execlp("p11-kit", "p11-kit", "server", "--foreground", "--name", file_of("socket"), "--provider", softhsm, "pkcs11:token=lab",
               NULL);
        _exit(127);
    }
    while (stat(file_of("socket"), &info) && breaker_clock() < until)
        usleep(2000);
    assert_true(breaker_clock() < until);
}

/* It serves each connection in a process of its own.  Stopped first, it makes no new one while those are killed. */
static void kill_server(void)
{
    assert_int_equal(kill(server, SIGSTOP), 0);
    run("pkill -KILL -P %d || true", (int)server);
    assert_int_equal(kill(server, SIGKILL), 0);
    assert_int_equal(waitpid(server, NULL, 0), server);
}

struct worker {
    pthread_t thread;
    struct key *key;
    unsigned seed, good;
    bool *stop;
    int64_t slowest;
    se_error wrong;
};

static se_status sign_with(struct key *key, unsigned n, se_error *err)
{
    unsigned char hash[32] = { (unsigned char)n, (unsigned char)(n >> 8) };
    se_bytes hashed = { hash, sizeof hash };
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_status st;

    *err = (se_error)SE_ERROR_INIT;
    st = sign_hash(&signature, key, DIGEST_SHA256, 0, hashed, err);
    if (!st && !verify_hash(key, DIGEST_SHA256, 0, hashed, buf_bytes(&signature)))
        return error_set(err, SE_ERR_CRYPTO, "a wrong signature");
    return st;
}

static void *work(void *arg)
{
    struct worker *w = arg;

    for (unsigned n = 0; !__atomic_load_n(w->stop, __ATOMIC_RELAXED); n++) {
        int64_t begin = breaker_clock();
        se_error err;
        se_status st = sign_with(w->key, w->seed * 1000 + n, &err);

        w->good += st == SE_OK;
        if (st && st != SE_ERR_UNAVAILABLE)
            w->wrong = err;
        if (breaker_clock() - begin > w->slowest)
            w->slowest = breaker_clock() - begin;
        usleep(st ? 1000 : 0);
    }
    return NULL;
}

/* Within a second, or what a machine under load makes of it. */
static void goes_on(struct key *key)
{
    int64_t begin = breaker_clock();
    se_error err;
    se_status st;

    while ((st = sign_with(key, 7, &err)) && breaker_clock() - begin < 10 * BREAKER_MOST_MS)
        usleep(1000);
    assert_status(SE_OK, st, &err);
    if (breaker_clock() - begin > BREAKER_MOST_MS + 200)
        fail_msg("signing went on after %d ms", (int)(breaker_clock() - begin));
}

static void is_away(struct key *key)
{
    int64_t until = breaker_clock() + 5 * BREAKER_MOST_MS;
    se_error err;

    while (sign_with(key, 8, &err) != SE_ERR_UNAVAILABLE)
        assert_true(breaker_clock() < until);
}

/* A server that does not listen yet is, to p11-kit's client, one without tokens. */
static struct key *opens_soon(const struct keyref *ref)
{
    int64_t until = breaker_clock() + START_MS;
    struct key *key;

    while (pkcs11_store.open(&key, ref, PART_SIGN, NULL) && breaker_clock() < until)
        usleep(2000);
    return key ? key : opens(ref, PART_SIGN);
}

static void a_server_that_comes_and_goes(void **state)
{
    struct worker workers[THREADS];
    bool stop = false;
    struct keyref *ref = ref_to("lab", "a");
    struct key *key;

    (void)state;
    start_server();
    ref->location = CLIENT;
    key = opens_soon(ref);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .key = key, .seed = i, .stop = &stop };
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < KILLS; i++) {
        usleep(150000);
        kill_server();
        if (i % 2)
            is_away(key);
        start_server();
        goes_on(key);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_status(SE_OK, workers[i].wrong.status, &workers[i].wrong);
        assert_true(workers[i].good > 0);
        assert_true(workers[i].slowest < 5000);
    }
    key_unref(key);
    kill_server();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_comes_and_goes),
    };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
