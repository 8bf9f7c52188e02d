/* SPDX-License-Identifier: Apache-2.0 */
/* A wrong PIN is presented once: not once for each thread, key, replica or try.  Tokens count, and
 * lock. */
#include <pthread.h>
#include <stdio.h>

#include "signengine.h"
#include "tests/token/control.h"
#include "tests/token/fixture.h"

enum { THREADS = 8, TRIES = 5 };

static int fill(void **state)
{
    if (fixture_make(state))
        return -1;
    make_token("lab");
    put_pair("lab", "a", "rsa:2048", "01");
    put_pair("lab", "b", "ec:P-256", "02");
    return 0;
}

/* Two keys with two replicas each, all of them on one token. */
static void configure(const char *pin)
{
    FILE *f = fopen(file_of("engine.xml"), "w");

    assert_non_null(f);
    fputs("<engineSignEncrypt><descriptors>", f);
    for (const char *name = "ab"; *name; name++)
        fprintf(f, "<descriptor name='%c'><type algorithm='SHA-256' key='%c'/></descriptor>", *name,
                *name);
    fputs("</descriptors><keys>", f);
    for (const char *name = "ab"; *name; name++) {
        fprintf(f, "<key name='%c'>", *name);
        for (int i = 0; i < 2; i++)
            fprintf(f, "<type name='HSM' locationValue='%s' tokenLabel='lab' alias='%c' pin='%s'/>",
                    shim_path, *name, pin);
        fputs("</key>", f);
    }
    fputs("</keys></engineSignEncrypt>", f);
    fclose(f);
}

struct worker {
    pthread_t thread;
    se_engine *engine;
    struct key *key; /* or that */
    const char *descriptor;
    se_status unlike; /* SE_ERR_ACCESS */
};

static se_status sign(struct worker *w)
{
    static const unsigned char hash[32] = { 1 };
    AUTO(se_buf) out = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    if (w->engine)
        return se_sign(&out, w->engine, w->descriptor, (se_bytes){ hash, sizeof hash }, NULL, &err);
    return sign_hash(&out, w->key, DIGEST_SHA256, 0, (se_bytes){ hash, sizeof hash }, &err);
}

/* A thread may be faster than the loss. */
static void *work(void *arg)
{
    struct worker *w = arg;

    for (int i = 0; i < TRIES; i++) {
        se_status st = sign(w);

        if (st != SE_ERR_ACCESS && (st || i || w->engine))
            w->unlike = st ? st : SE_ERR_USAGE; /* it worked */
    }
    return NULL;
}

static void all_are_refused(struct worker workers[THREADS])
{
    for (size_t i = 0; i < THREADS; i++) {
        workers[i].unlike = SE_OK;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    for (size_t i = 0; i < THREADS; i++)
        assert_string_equal(se_status_name(workers[i].unlike), "ok");
}

static void by_a_fresh_engine(void **state)
{
    struct worker workers[THREADS];
    se_engine *engine[2];
    struct shim *shim;
    se_error err = SE_ERROR_INIT;

    (void)state;
    (void)ref_through_shim(&shim, "lab", "a");
    configure("9999");
    for (int i = 0; i < 2; i++)
        assert_status(SE_OK, se_open(&engine[i], file_of("engine.xml"), NULL, &err), &err);
    for (size_t i = 0; i < THREADS; i++)
        workers[i] =
            (struct worker){ .engine = engine[i / 4 % 2], .descriptor = i % 2 ? "a" : "b" };
    all_are_refused(workers);
    assert_int_equal(shim->logins, 1);
    for (int i = 0; i < 2; i++)
        se_close(&engine[i]);
    configure(PIN);
    assert_status(SE_OK, se_open(&engine[0], file_of("engine.xml"), NULL, &err), &err);
    assert_int_equal(sign(&(struct worker){ .engine = engine[0], .descriptor = "a" }), SE_OK);
    assert_int_equal(shim->logins, 2);
    se_close(&engine[0]);
}

/* While the keys are open, somebody else changes it; then the login is lost.  (SoftHSM itself goes
 * on with the PIN that it has read.) */
static void after_it_was_changed(void **state)
{
    struct worker workers[THREADS];
    struct shim *shim;
    struct faults *faults;
    struct keyref *a = ref_through_shim(&shim, "lab", "a"),
                  *b = ref_through_faults(&faults, "lab", "b");
    struct key *keys[2] = { opens(a, PART_SIGN), opens(b, PART_SIGN) };
    const struct fault logout = {
        .call = AT_SIGN_INIT, .first = 1, .times = 1, .harm = HARM_LOGOUT
    };

    (void)state;
    shim->login = CKR_PIN_INCORRECT;
    for (size_t i = 0; i < THREADS; i++)
        workers[i] = (struct worker){ .key = keys[i % 2] };
    assert_int_equal(shim->logins, 1);
    set_faults(faults, &logout, NULL);
    all_are_refused(workers);
    assert_int_equal(shim->logins, 2);
    for (size_t i = 0; i < 2; i++)
        key_unref(keys[i]);
    assert_int_equal(shim->sessions, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(by_a_fresh_engine),
                                        cmocka_unit_test(after_it_was_changed) };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
