/* SPDX-License-Identifier: Apache-2.0 */
/* An engine that is loaded again while it is used. */
#include "base/stream.h"
#include "tests/unit/reload.h"

/* ---- asked to ---- */

static void later_calls_use_what_is_loaded_then(void **state)
{
    se_engine *engine = opened(first, false);
    char before[65], after[65];

    (void)state;
    assert_signs(engine, 1);
    assert_int_equal(se_fingerprint(before, engine, NULL), SE_OK);
    make_text("engine.xml", second, 0600);
    assert_signs(engine, 1);
    assert_reloads(engine);
    assert_signs(engine, 2);
    assert_int_equal(se_fingerprint(after, engine, NULL), SE_OK);
    assert_string_not_equal(before, after);
    assert_int_equal(heard.reloaded, 1);
    assert_string_equal(
        heard.text,
        "descriptor Files:2: algorithm is new: 'SHA-256'; descriptor Files:2: key is "
        "new: 'two'; key two: locationValue is new: 'two.pem'; key two: type is new: 'pem'");
    assert_reloads(engine);
    assert_string_equal(heard.text, "no property of the configuration differs");
    se_close(&engine);
}

struct interruption {
    se_engine *engine;
    size_t left;
};

/* Between its octets, the engine is loaded again without the descriptor. */
static ptrdiff_t read_and_reload(void *arg, void *data, size_t size)
{
    struct interruption *i = arg;

    if (!i->left || !size)
        return 0;
    if (i->left-- == 2) {
        make_text("engine.xml", renamed, 0600);
        assert_reloads(i->engine);
    }
    *(char *)data = 'x';
    return 1;
}

static void calls_end_as_they_began(void **state)
{
    se_engine *engine = opened(first, false);
    struct interruption interruption = { engine, 3 };
    const se_source source = { read_and_reload, &interruption, 0 };
    AUTO(writer) signature = { 0 };
    const se_sink sink = sink_writer(&signature);
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_engine *held;
    unsigned version = 0;
    se_error err = SE_ERROR_INIT;

    (void)state;
    params.form = SE_FORM_ATTACHED;
    assert_status(SE_OK, se_hold(&held, engine, &err), &err);
    assert_status(SE_OK, se_sign_stream(&sink, engine, "Files", &source, &params, &err), &err);
    assert_int_equal(interruption.left, 0);
    assert_status(SE_ERR_NO_DESCRIPTOR, sign_version(&version, engine, &err), &err);
    assert_signs(held, 1);
    assert_status(SE_ERR_USAGE, se_reload(held, &err), &err);
    se_close(&engine);
    assert_signs(held, 1);
    se_close(&held);
}

enum { THREADS = 64, RELOADS = 100 };

/* Everybody signs once for each reload, while that goes on. */
struct crowd {
    se_engine *engine;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t begun;
    unsigned reloads, done, failed;
    bool ending;
    se_error err; /* of the last that failed */
};

/* False: the end. */
static bool await_reload(struct crowd *crowd, unsigned *seen)
{
    bool goes_on;

    pthread_mutex_lock(&crowd->lock);
    while (crowd->reloads == *seen && !crowd->ending)
        pthread_cond_wait(&crowd->begun, &crowd->lock);
    *seen = crowd->reloads;
    goes_on = !crowd->ending;
    pthread_mutex_unlock(&crowd->lock);
    return goes_on;
}

static void *sign_at_each_reload(void *arg)
{
    struct crowd *crowd = arg;
    unsigned seen = 0;

    while (await_reload(crowd, &seen)) {
        unsigned version = 1;
        se_error err = SE_ERROR_INIT;
        const se_status st = sign_version(&version, crowd->engine, &err);

        pthread_mutex_lock(&crowd->lock);
        crowd->done++;
        crowd->failed += st != SE_OK;
        if (st)
            crowd->err = err;
        pthread_mutex_unlock(&crowd->lock);
    }
    return NULL;
}

static void announce(struct crowd *crowd, bool ending)
{
    pthread_mutex_lock(&crowd->lock);
    crowd->reloads++;
    crowd->ending = ending;
    pthread_cond_broadcast(&crowd->begun);
    pthread_mutex_unlock(&crowd->lock);
}

static void no_call_fails_meanwhile(void **state)
{
    struct crowd crowd = { .engine = opened(first, false),
                           .lock = PTHREAD_MUTEX_INITIALIZER,
                           .begun = PTHREAD_COND_INITIALIZER,
                           .err = SE_ERROR_INIT };
    pthread_t threads[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_at_each_reload, &crowd), 0);
    for (unsigned i = 0; i < RELOADS; i++) {
        make_text("engine.xml", i % 2 ? first : second, 0600);
        announce(&crowd, false);
        assert_reloads(crowd.engine);
    }
    announce(&crowd, true);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    if (crowd.failed || crowd.done < RELOADS)
        fail_msg("%u of %u calls failed: %s", crowd.failed, crowd.done, crowd.err.text);
    assert_int_equal(heard.reloaded, RELOADS);
    se_close(&crowd.engine);
}

/* ---- who may do what ---- */

#define ALLOW(operation)                                                                           \
    "<access><allow name='row' operations='" operation                                             \
    "'><user name='root'/><descriptor name='Files'/></allow></access>\n"

static se_status decide(const se_access *access, const char *operation)
{
    se_caller caller = SE_CALLER_INIT;
    se_use use = SE_USE_INIT;

    caller.has_uid = true;
    use.operation = operation;
    use.descriptor = "Files";
    return se_access_decide(NULL, access, &caller, &use, NULL);
}

/* What is opened before stays, as the engine does that is held; what is opened later is new. */
static void access_is_that_of_the_loading(void **state)
{
    se_engine *engine = opened(ROOT_WITH(DESCRIPTOR("1", "one"), KEY("one"), ALLOW("sign")), false);
    se_access *before, *held, *after;
    se_engine *kept;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, se_access_open(&before, engine, NULL, NULL, &err), &err);
    assert_status(SE_OK, se_hold(&kept, engine, &err), &err);
    make_text("engine.xml", ROOT_WITH(DESCRIPTOR("1", "one"), KEY("one"), ALLOW("verify")), 0600);
    assert_reloads(engine);
    assert_status(SE_OK, se_access_open(&after, engine, NULL, NULL, &err), &err);
    assert_status(SE_OK, se_access_open(&held, kept, NULL, NULL, &err), &err);
    assert_int_equal(decide(before, "sign"), SE_OK);
    assert_int_equal(decide(before, "verify"), SE_ERR_ACCESS);
    assert_int_equal(decide(held, "sign"), SE_OK);
    assert_int_equal(decide(held, "verify"), SE_ERR_ACCESS);
    assert_int_equal(decide(after, "sign"), SE_ERR_ACCESS);
    assert_int_equal(decide(after, "verify"), SE_OK);
    se_access_close(&before);
    se_access_close(&held);
    se_access_close(&after);
    se_close(&kept);
    se_close(&engine);
}

/* ---- in the place of another ---- */

/* By the rules of a reload: what works is not given up. */
static void an_engine_follows_another(void **state)
{
    se_engine *engine = opened(first, false), *next;
    se_options options = SE_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_signs(engine, 1);
    options.follows = engine;
    make_text("one.pem", "-----BEGIN PRIVATE KEY-----\nMIG", 0600);
    assert_status(SE_ERR_KEY, se_open(&next, "engine.xml", &options, &err), &err);
    assert_non_null(strstr(err.text, "key 'one' is in use, and can't be opened any more: "));
    assert_null(next);
    assert_signs(engine, 1);
    make_text("engine.xml", second, 0600);
    assert_status(SE_OK, se_open(&next, "engine.xml", &options, &err), &err);
    se_close(&engine);
    assert_signs(next, 2);
    se_close(&next);
}

/* ---- refused ---- */

static void assert_refused(se_engine *engine, se_status status, const char *text)
{
    const unsigned before = heard.refused;
    se_error err = SE_ERROR_INIT;

    assert_status(status, se_reload(engine, &err), &err);
    assert_non_null(strstr(err.text, text));
    assert_int_equal(heard.refused, before + 1);
    assert_int_equal(heard.status, status);
    assert_string_equal(heard.text, err.text);
    assert_signs(engine, 1);
}

static void what_does_not_load_changes_nothing(void **state)
{
    se_engine *engine = opened(first, false);

    (void)state;
    assert_signs(engine, 1);
    make_text("engine.xml", "", 0600);
    assert_refused(engine, SE_ERR_CONFIG, "engine.xml");
    make_text("engine.xml", "<engineSignEncrypt>", 0600);
    assert_refused(engine, SE_ERR_CONFIG, "engine.xml:");
    make_text("engine.xml", ROOT(DESCRIPTOR("1", "none"), KEY("one")), 0600);
    assert_refused(engine, SE_ERR_CONFIG, "none");
    assert_int_equal(unlink("engine.xml"), 0);
    assert_refused(engine, SE_ERR_CONFIG, "engine.xml");
    assert_int_equal(heard.reloaded, 0);
    make_text("engine.xml", second, 0600);
    assert_reloads(engine);
    assert_signs(engine, 2);
    se_close(&engine);
}

/* What works is not given up; but a version that nothing is signed with may lose its key. */
static void a_key_in_use_has_to_open(void **state)
{
    se_engine *engine = opened(first, false);

    (void)state;
    assert_signs(engine, 1);
    make_text("one.pem", "-----BEGIN PRIVATE KEY-----\nMIG", 0600);
    assert_refused(engine, SE_ERR_KEY, "key 'one' is in use, and can't be opened any more: ");
    make_text("engine.xml", second, 0600);
    assert_reloads(engine);
    se_close(&engine);
}

static void only_signed_configurations_are_loaded(void **state)
{
    EVP_PKEY *key = make_key("P-256");
    X509 *ca = make_certificate(key, &(struct certificate_wish){ .subject = "CA", .ca = true });
    AUTO(se_buf) signed_text = SE_BUF_INIT;
    se_options options = SE_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;
    se_engine *engine, *admin;

    (void)state;
    make_keys();
    make_signer("admin.pem", "P-256",
                &(struct certificate_wish){
                    .usage = "critical,digitalSignature", .issuer = ca, .issuer_key = key });
    make_bundle("ca.pem", key, ca);
    make("admin.xml",
         ROOT("<descriptor name='Admin' version='1'><type algorithm='SHA-256' "
              "key='admin'/></descriptor>\n",
              KEY("admin")),
         0600);
    assert_status(SE_OK, se_open(&admin, "admin.xml", NULL, &err), &err);
    assert_status(
        SE_OK,
        se_config_sign(&signed_text, admin, "Admin", 0, text_bytes(first), "engine.xml", &err),
        &err);
    make_file("engine.xml", signed_text.data, signed_text.size, 0600);
    options.trust_config = "ca.pem";
    options.event = hear;
    options.event_arg = &heard;
    heard.refused = heard.reloaded = 0;
    assert_status(SE_OK, se_open(&engine, "engine.xml", &options, &err), &err);
    make_text("engine.xml", second, 0600);
    assert_refused(engine, SE_ERR_CONFIG, "sign");
    make_file("engine.xml", signed_text.data, signed_text.size, 0600);
    assert_reloads(engine);
    se_close(&engine);
    se_close(&admin);
    X509_free(ca);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(later_calls_use_what_is_loaded_then),
        IN_FOLDER(calls_end_as_they_began),
        IN_FOLDER(no_call_fails_meanwhile),
        IN_FOLDER(access_is_that_of_the_loading),
        IN_FOLDER(an_engine_follows_another),
        IN_FOLDER(what_does_not_load_changes_nothing),
        IN_FOLDER(a_key_in_use_has_to_open),
        IN_FOLDER(only_signed_configurations_are_loaded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
