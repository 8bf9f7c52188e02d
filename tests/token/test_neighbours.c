/* SPDX-License-Identifier: Apache-2.0 */
/* An engine is not alone in its process: other engines, other users of the PKCS #11 module, and
 * children of a fork. */
#include <dlfcn.h>
#include <p11-kit/p11-kit.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/token/fixture.h"

enum { THREADS = 8 };

static int fill(void **state)
{
    FILE *file;

    if (fixture_make(state))
        return -1;
    make_token("lab");
    put_pair("lab", "a", "ec:P-256", "01");
    put_pair("lab", "b", "rsa:2048", "02");
    file = fopen(file_of("engine.xml"), "w");
    fprintf(
        file,
        "<engineSignEncrypt><descriptors><descriptor name='A'><type algorithm='SHA-256' "
        "key='a'/></descriptor>"
        "<descriptor name='B'><type algorithm='SHA-256' key='b'/></descriptor></descriptors><keys>"
        "<key name='a'><type name='HSM' locationValue='%s' tokenLabel='lab' alias='a' pin='" PIN
        "'/></key>"
        "<key name='b'><type name='HSM' locationValue='%s' tokenLabel='lab' alias='b' pin='" PIN
        "'/></key>"
        "</keys></engineSignEncrypt>",
        softhsm, softhsm);
    return fclose(file);
}

/* ---- engines ---- */

static se_engine *engine_of(void)
{
    se_error err = SE_ERROR_INIT;
    se_engine *engine;

    assert_status(SE_OK, se_open(&engine, file_of("engine.xml"), NULL, &err), &err);
    return engine;
}

static se_status sign_with(se_engine *engine, unsigned n, se_error *err)
{
    unsigned char data[4] = { (unsigned char)n, (unsigned char)(n >> 8) };
    const char *descriptor = n % 4 ? "A" : "B";
    se_bytes in = { data, sizeof data };
    const se_sign_params raw = { sizeof raw, .form = SE_FORM_RAW };
    se_verify_params params = { sizeof params, .form = SE_FORM_RAW };
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_status st;

    *err = (se_error)SE_ERROR_INIT;
    if ((st = se_sign(&signature, engine, descriptor, in, &raw, err)))
        return st;
    params.signature = buf_bytes(&signature);
    return se_verify(NULL, engine, descriptor, in, &params, err);
}

static void signs(se_engine *engine)
{
    se_error err;

    for (unsigned n = 0; n < 5; n++)
        assert_status(SE_OK, sign_with(engine, n, &err), &err);
}

struct worker {
    pthread_t thread;
    se_engine *engine;
    unsigned seed, least; /* signatures */
    bool *stop;           /* NULL: after these */
    unsigned good;
    se_error err;
};

static bool goes_on(const struct worker *w)
{
    return w->good < w->least || (w->stop && !__atomic_load_n(w->stop, __ATOMIC_RELAXED));
}

static void *work(void *arg)
{
    struct worker *w = arg;

    while (goes_on(w) && !sign_with(w->engine, w->seed * 1000 + w->good, &w->err))
        w->good++;
    return NULL;
}

static void start(struct worker workers[THREADS], se_engine *engine, unsigned least, bool *stop)
{
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .engine = engine, .seed = i, .least = least, .stop = stop };
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
}

/* None failed. */
static void finish(struct worker workers[THREADS])
{
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_status(SE_OK, workers[i].err.status, &workers[i].err);
        assert_true(workers[i].good >= workers[i].least);
    }
}

static void stop_and_finish(struct worker workers[THREADS], bool *stop)
{
    __atomic_store_n(stop, true, __ATOMIC_RELAXED);
    finish(workers);
}

/* Eight threads, `least` signatures each. */
static void all_sign(se_engine *engine, unsigned least)
{
    static struct worker workers[THREADS];

    start(workers, engine, least, NULL);
    finish(workers);
}

static void one_engine_closes_while_the_other_signs(void **state)
{
    static struct worker workers[THREADS];
    static bool stop;
    se_engine *first = engine_of(), *second = engine_of();

    (void)state;
    signs(first);
    start(workers, second, 20, &stop);
    /* the one that initialised the module goes first */
    se_close(&first);
    for (int i = 0; i < 10; i++) {
        first = engine_of();
        signs(first);
        se_close(&first);
    }
    stop_and_finish(workers, &stop);
    se_close(&second);
}

/* ---- other users of the module ---- */

static CK_FUNCTION_LIST *bare_module(void)
{
    void *handle = dlopen(softhsm, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    CK_C_GetFunctionList get =
        handle ? (CK_C_GetFunctionList)dlsym(handle, "C_GetFunctionList") : NULL;
    CK_FUNCTION_LIST *list = NULL;

    assert_non_null(get);
    assert_int_equal(get(&list), CKR_OK);
    dlclose(handle);
    return list;
}

/* Between two calls of ours: C_Finalize during a call is undefined. */
static void somebody_finalises_the_module(void **state)
{
    CK_FUNCTION_LIST *bare = bare_module();
    CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
    se_engine *engine = engine_of();
    CK_INFO info;

    (void)state;
    signs(engine);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(bare->C_Finalize(NULL), CKR_OK);
        all_sign(engine, 3);
    }
    /* and initialises it for itself, so that our sessions are gone and the module is not */
    for (int i = 0; i < 5; i++) {
        assert_int_equal(bare->C_Finalize(NULL), CKR_OK);
        assert_int_equal(bare->C_Initialize(&args), CKR_OK);
        all_sign(engine, 3);
    }
    /* as its last act */
    assert_int_equal(bare->C_Finalize(NULL), CKR_OK);
    se_close(&engine);
    assert_int_equal(bare->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
    engine = engine_of();
    signs(engine);
    se_close(&engine);
    assert_int_equal(bare->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
}

/* One that uses it by p11-kit, as we do, keeps p11-kit believing that it is initialised. */
static void a_module_that_others_hold_is_finalised(void **state)
{
    CK_FUNCTION_LIST *bare = bare_module(), *shared = p11_kit_module_load(softhsm, 0);
    se_engine *engine = engine_of();
    CK_INFO info;

    (void)state;
    assert_int_equal(p11_kit_module_initialize(shared), CKR_OK);
    signs(engine);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(bare->C_Finalize(NULL), CKR_OK);
        all_sign(engine, 3);
    }
    se_close(&engine);
    assert_int_equal(shared->C_GetInfo(&info), CKR_OK);
    assert_int_equal(p11_kit_module_finalize(shared), CKR_OK);
    p11_kit_module_release(shared);
}

/* It did not hear of p11-kit, was there first, and has the key in its own hands. */
struct host {
    pthread_t thread;
    CK_FUNCTION_LIST *calls;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    bool stop;
    unsigned good;
    CK_RV rv;
};

static CK_SLOT_ID slot_of_lab(CK_FUNCTION_LIST *calls)
{
    CK_SLOT_ID slots[10];
    CK_ULONG count = 10;
    CK_TOKEN_INFO info;

    assert_int_equal(calls->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
    for (CK_ULONG i = 0; i < count; i++)
        if (calls->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
            !strncmp((char *)info.label, "lab ", 4))
            return slots[i];
    fail_msg("no token 'lab'");
    return 0;
}

static void host_begin(struct host *host)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = { { CKA_CLASS, &class, sizeof class },
                                { CKA_LABEL, (char[]){ 'a' }, 1 } };
    CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
    CK_FUNCTION_LIST *calls = bare_module();
    CK_ULONG count;

    *host = (struct host){ .calls = calls };
    assert_int_equal(calls->C_Initialize(&args), CKR_OK);
    assert_int_equal(
        calls->C_OpenSession(slot_of_lab(calls), CKF_SERIAL_SESSION, NULL, NULL, &host->session),
        CKR_OK);
    assert_int_equal(calls->C_Login(host->session, CKU_USER, (CK_UTF8CHAR *)PIN, 4), CKR_OK);
    assert_int_equal(calls->C_FindObjectsInit(host->session, template, 2), CKR_OK);
    assert_int_equal(calls->C_FindObjects(host->session, &host->key, 1, &count), CKR_OK);
    assert_int_equal(calls->C_FindObjectsFinal(host->session), CKR_OK);
    assert_int_equal(count, 1);
}

static CK_RV host_sign(struct host *host)
{
    CK_BYTE hash[32] = { 1 }, signature[64];
    CK_ULONG size = sizeof signature;
    CK_RV rv =
        host->calls->C_SignInit(host->session, &(CK_MECHANISM){ CKM_ECDSA, NULL, 0 }, host->key);

    return rv ? rv : host->calls->C_Sign(host->session, hash, sizeof hash, signature, &size);
}

static void *host_works(void *arg)
{
    struct host *host = arg;

    for (; !__atomic_load_n(&host->stop, __ATOMIC_RELAXED) && !host->rv; host->good++)
        host->rv = host_sign(host);
    return NULL;
}

static void a_host_goes_on_using_the_module(void **state)
{
    struct host *host = calloc(1, sizeof *host);
    CK_INFO info;

    (void)state;
    host_begin(host);
    assert_int_equal(pthread_create(&host->thread, NULL, host_works, host), 0);
    for (int i = 0; i < 5; i++) {
        se_engine *engine = engine_of();

        all_sign(engine, 5);
        se_close(&engine);
    }
    __atomic_store_n(&host->stop, true, __ATOMIC_RELAXED);
    pthread_join(host->thread, NULL);
    assert_int_equal(host->rv, CKR_OK);
    assert_true(host->good > 0);
    assert_int_equal(host_sign(host), CKR_OK);
    assert_int_equal(host->calls->C_Finalize(NULL), CKR_OK);
    assert_int_equal(host->calls->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
    free(host);
}

/* Its login is ours, PKCS #11 says: when it logs out, we log in again, and when it ends, we go on.
 */
static void a_host_logs_out_and_ends(void **state)
{
    struct host host;
    se_engine *engine;

    (void)state;
    host_begin(&host);
    engine = engine_of();
    signs(engine);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(host.calls->C_Logout(host.session), CKR_OK);
        all_sign(engine, 3);
    }
    assert_int_equal(host.calls->C_CloseSession(host.session), CKR_OK);
    all_sign(engine, 3);
    assert_int_equal(host.calls->C_Finalize(NULL), CKR_OK);
    all_sign(engine, 3);
    se_close(&engine);
}

/* ---- forks ---- */

static int child(se_engine *inherited)
{
    static struct worker workers[THREADS];
    se_engine *own = NULL;
    se_error err = SE_ERROR_INIT;

    start(workers, inherited, 5, NULL);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    for (unsigned i = 0; i < THREADS; i++)
        if (workers[i].good < workers[i].least) {
            print_error("%s\n", workers[i].err.text);
            return 1;
        }
    if (se_open(&own, file_of("engine.xml"), NULL, &err) || sign_with(own, 1, &err))
        return 2;
    se_close(&inherited);
    if (sign_with(own, 2, &err))
        return 3;
    se_close(&own);
    return 0;
}

static void a_forked_child_signs_and_so_does_its_parent(void **state)
{
#ifdef __SANITIZE_THREAD__
    print_message("ThreadSanitizer knows no threads in the child of a fork of threads\n");
    skip();
#endif
    se_engine *engine = engine_of();

    (void)state;
    all_sign(engine, 5);
    for (int i = 0; i < 3; i++) {
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (!pid) {
            alarm(60);
            _exit(child(engine));
        }
        all_sign(engine, 5);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        all_sign(engine, 5);
    }
    se_close(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_engine_closes_while_the_other_signs),
        cmocka_unit_test(somebody_finalises_the_module),
        cmocka_unit_test(a_module_that_others_hold_is_finalised),
        cmocka_unit_test(a_host_goes_on_using_the_module),
        cmocka_unit_test(a_host_logs_out_and_ends),
        cmocka_unit_test(a_forked_child_signs_and_so_does_its_parent),
    };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
