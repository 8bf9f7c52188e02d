/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions, as an application calls them. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "base/stream.h"
#include "tests/unit/folder.h"
#include "tests/unit/maker.h"
#include "tests/unit/unit.h"

static const char configuration[] =
    "<engineSignEncrypt><descriptors>"
    "<descriptor name='Files' version='1'><type algorithm='SHA256withRSA' key='one'/></descriptor>"
    "<descriptor name='Files' version='2'><type algorithm='SHA-384' key='two'/></descriptor>"
    "</descriptors><keys>"
    "<key name='one'><type name='pem' locationValue='one.pem'/></key>"
    "<key name='two'><type name='pem' locationValue='gone.pem'/><type name='pem' "
    "locationValue='two.pem'/></key>"
    "</keys></engineSignEncrypt>";

static se_engine *opened(void)
{
    se_error err = SE_ERROR_INIT;
    se_engine *engine;

    make("engine.xml", configuration, 0600);
    make_signer(
        "one.pem", "RSA-2048",
        &(struct certificate_wish){ .subject = "one.pem", .usage = "critical,digitalSignature" });
    make_signer(
        "two.pem", "P-256",
        &(struct certificate_wish){ .subject = "two.pem", .usage = "critical,digitalSignature" });
    assert_status(SE_OK, se_open(&engine, "engine.xml", NULL, &err), &err);
    return engine;
}

static const se_bytes content = { "some content", 12 };

static void highest_version_signs_and_any_verifies(void **state)
{
    se_engine *engine = opened();
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_verify_params verify = SE_VERIFY_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    for (unsigned version = 0; version <= 2; version++) {
        AUTO(se_buf) signature = SE_BUF_INIT;
        se_signer signer;

        params.version = version;
        assert_status(SE_OK, se_sign(&signature, engine, "Files", content, &params, &err), &err);
        verify.signature = buf_bytes(&signature);
        assert_status(SE_OK, se_verify(&signer, engine, "Files", content, &verify, &err), &err);
        assert_int_equal(signer.version, version ? version : 2);
        assert_string_equal(signer.algorithm, version == 1 ? "SHA256withRSA" : "SHA384withECDSA");
        assert_string_equal(signer.subject, version == 1 ? "CN=one.pem" : "CN=two.pem");
        assert_true(signer.signing_time > 1700000000);
    }
    se_close(&engine);
    assert_null(engine);
}

static void files_are_signed_and_verified(void **state)
{
    se_engine *engine = opened();
    se_error err = SE_ERROR_INIT;
    se_signer signer;

    (void)state;
    make("document", "content", 0600);
    make("other", "Content", 0600);
    make("empty", "", 0600);
    assert_status(SE_OK, se_sign_file("document.p7s", engine, "Files", "document", NULL, &err),
                  &err);
    assert_status(SE_OK,
                  se_verify_file(&signer, engine, "Files", "document", "document.p7s", NULL, &err),
                  &err);
    assert_int_equal(signer.version, 2);
    assert_status(SE_ERR_REJECTED,
                  se_verify_file(&signer, engine, "Files", "other", "document.p7s", NULL, &err),
                  &err);
    assert_int_equal(signer.version, 0);
    assert_status(SE_ERR_FORMAT,
                  se_verify_file(NULL, engine, "Files", "document", "empty", NULL, &err), &err);
    assert_status(SE_ERR_FORMAT,
                  se_verify_file(NULL, engine, "Files", "document", NULL, NULL, &err), &err);
    assert_status(SE_ERR_IO,
                  se_verify_file(NULL, engine, "Files", "none", "document.p7s", NULL, &err), &err);
    assert_status(SE_ERR_IO, se_sign_file("never", engine, "Files", "none", NULL, &err), &err);
    assert_status(SE_ERR_NO_DESCRIPTOR,
                  se_sign_file("never", engine, "Nobody", "document", NULL, &err), &err);
    assert_int_equal(access("never", F_OK), -1);
    se_close(&engine);
}

static void params_without_a_size_are_refused(void **state)
{
    se_engine *engine = opened();
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_options options = SE_OPTIONS_INIT;
    se_check_options check = SE_CHECK_OPTIONS_INIT;
    se_buf out = { NULL, 7 };
    se_error err = SE_ERROR_INIT, more = SE_ERROR_INIT, last = SE_ERROR_INIT;
    se_engine *other = engine;

    (void)state;
    params.size = 0;
    assert_status(SE_ERR_USAGE, se_sign(&out, engine, "Files", content, &params, &err), &err);
    assert_null(out.data);
    assert_int_equal(out.size, 0);
    options.size = 0;
    assert_status(SE_ERR_USAGE, se_open(&other, "engine.xml", &options, &more), &more);
    assert_null(other);
    check.size = 1;
    assert_status(SE_ERR_USAGE, se_check(engine, NULL, NULL, &check, &last), &last);
    se_close(&engine);
    se_close(&engine);
    se_close(NULL);
}

static void usage_errors_are_told(void **state)
{
    se_engine *engine = opened();
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_buf out;
    size_t count;

    (void)state;
    params.form = (se_form)99;
    assert_int_equal(se_sign(&out, engine, "Files", content, &params, NULL), SE_ERR_USAGE);
    params = (se_sign_params)SE_SIGN_PARAMS_INIT;
    params.time = -5;
    assert_int_equal(se_sign(&out, engine, "Files", content, &params, NULL), SE_ERR_USAGE);
    assert_int_equal(se_sign(&out, engine, "files", content, NULL, NULL), SE_ERR_NO_DESCRIPTOR);
    params = (se_sign_params)SE_SIGN_PARAMS_INIT;
    params.version = 3;
    assert_int_equal(se_sign(&out, engine, "Files", content, &params, NULL), SE_ERR_NO_DESCRIPTOR);
    assert_int_equal(se_describe(engine, NULL, NULL, NULL), SE_ERR_USAGE);
    assert_int_equal(se_scramble_pin(&out, content, NULL, NULL), SE_ERR_USAGE);
    assert_int_equal(se_scramble_pin(&out, (se_bytes){ "", 0 }, "pin.key", NULL), SE_ERR_USAGE);
    assert_int_equal(se_scramble_pins(&out, &count, content, NULL, NULL), SE_ERR_USAGE);
    se_close(&engine);
}

/* ---- sources and sinks that fail, and callbacks that stop ---- */

static ptrdiff_t read_fails(void *arg, void *data, size_t size)
{
    unsigned *calls = arg;

    if ((*calls)++ < 2) {
        memset(data, 'x', size);
        return (ptrdiff_t)size;
    }
    errno = ENETDOWN;
    return -1;
}

static int write_fails(void *arg, const void *data, size_t size)
{
    (void)arg;
    (void)data;
    (void)size;
    errno = ENOSPC;
    return -1;
}

static bool stop_at_once(void *arg, uint64_t done, uint64_t total)
{
    (void)total;
    *(uint64_t *)arg = done;
    return false;
}

static void failing_streams_are_told(void **state)
{
    se_engine *engine = opened();
    unsigned calls = 0;
    const se_source broken = { read_fails, &calls, 0 };
    const se_sink full = { write_fails, NULL };
    se_sign_params params = SE_SIGN_PARAMS_INIT;

    (void)state;
    for (params.form = SE_FORM_DETACHED; params.form <= SE_FORM_RAW; params.form++) {
        AUTO(writer) w = { 0 };
        const se_sink sink = { write_fails, &w };
        se_error err = SE_ERROR_INIT, more = SE_ERROR_INIT;
        se_bytes bytes = content;
        const se_source good = source_memory(&bytes);

        calls = 0;
        /* attached content goes out while it comes in */
        assert_status(SE_ERR_IO, se_sign_stream(&sink, engine, "Files", &broken, &params, &err),
                      &err);
        if (params.form != SE_FORM_ATTACHED)
            assert_non_null(strstr(err.text, "Network is down"));
        assert_status(SE_ERR_IO, se_sign_stream(&full, engine, "Files", &good, &params, &more),
                      &more);
        assert_non_null(strstr(more.text, "write"));
    }
    se_close(&engine);
}

static void progress_can_cancel(void **state)
{
    se_engine *engine = opened();
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;
    uint64_t done = 0;
    se_buf out;

    (void)state;
    params.progress = stop_at_once;
    params.progress_arg = &done;
    assert_status(SE_ERR_CANCELLED, se_sign(&out, engine, "Files", content, &params, &err), &err);
    assert_null(out.data);
    assert_int_equal(done, content.size);
    se_close(&engine);
}

/* ---- check, describe, fingerprint ---- */

struct rows {
    unsigned count, good;
    char text[256];
};

static void count_rows(void *arg, const se_check_row *row)
{
    struct rows *rows = arg;

    rows->count++;
    rows->good += row->status == SE_OK;
    if (row->status)
        (void)snprintf(rows->text, sizeof rows->text, "%s:%u %s", row->descriptor, row->version,
                       row->text);
    else
        assert_true(*row->key_type && *row->subject && row->days_left >= 364);
}

static void check_tells_every_descriptor(void **state)
{
    se_engine *engine = opened();
    se_check_options options = SE_CHECK_OPTIONS_INIT;
    struct rows rows = { 0 };
    se_error err = SE_ERROR_INIT;

    (void)state;
    options.probe = true;
    assert_status(SE_OK, se_check(engine, count_rows, &rows, &options, &err), &err);
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.good, 2);
    se_close(&engine);

    assert_int_equal(unlink("one.pem"), 0);
    rows = (struct rows){ 0 };
    assert_status(SE_OK, se_open(&engine, "engine.xml", NULL, &err), &err);
    assert_status(SE_ERR_STORE, se_check(engine, count_rows, &rows, NULL, &err), &err);
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.good, 1);
    assert_non_null(strstr(rows.text, "Files:1"));
    assert_non_null(strstr(err.text, "descriptor 'Files': key 'one': "));
    se_close(&engine);
}

static void count_properties(void *arg, const char *item, const char *property, const char *value)
{
    assert_true(*item && *property && value);
    ++*(unsigned *)arg;
}

static void fingerprints_are_equal_for_equal_configurations(void **state)
{
    se_engine *engine = opened();
    se_error err = SE_ERROR_INIT;
    char one[65], two[65];
    unsigned count = 0;

    (void)state;
    assert_status(SE_OK, se_fingerprint(one, engine, &err), &err);
    assert_status(SE_OK, se_fingerprint(two, engine, &err), &err);
    assert_string_equal(one, two);
    assert_int_equal(strlen(one), 64);
    assert_int_equal(strspn(one, "0123456789abcdef"), 64);
    assert_status(SE_OK, se_describe(engine, count_properties, &count, &err), &err);
    assert_true(count == 10);
    se_close(&engine);
}

/* ---- verification without everything ---- */

static void a_version_out_of_reach_makes_no_false_verdict(void **state)
{
    se_engine *engine = opened();
    AUTO(se_buf) first = SE_BUF_INIT;
    AUTO(se_buf) second = SE_BUF_INIT;
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_verify_params verify = SE_VERIFY_PARAMS_INIT;
    se_error err = SE_ERROR_INIT, good = SE_ERROR_INIT;

    (void)state;
    params.version = 1;
    assert_status(SE_OK, se_sign(&first, engine, "Files", content, &params, &good), &good);
    assert_status(SE_OK, se_sign(&second, engine, "Files", content, NULL, &good), &good);
    se_close(&engine);
    assert_int_equal(unlink("one.pem"), 0);
    assert_status(SE_OK, se_open(&engine, "engine.xml", NULL, &good), &good);

    verify.signature = buf_bytes(&second);
    assert_status(SE_OK, se_verify(NULL, engine, "Files", content, &verify, &good), &good);
    /* not "rejected": the key that would say so is not there */
    verify.signature = buf_bytes(&first);
    assert_status(SE_ERR_STORE, se_verify(NULL, engine, "Files", content, &verify, &err), &err);
    assert_non_null(strstr(err.text, "version 1"));
    se_close(&engine);
}

static void keys_stay_open_when_the_store_goes(void **state)
{
    se_engine *engine = opened();
    se_error err = SE_ERROR_INIT;

    (void)state;
    for (int i = 0; i < 2; i++) {
        AUTO(se_buf) signature = SE_BUF_INIT;
        se_verify_params verify = SE_VERIFY_PARAMS_INIT;

        assert_status(SE_OK, se_sign(&signature, engine, "Files", content, NULL, &err), &err);
        verify.signature = buf_bytes(&signature);
        verify.version = 2;
        assert_status(SE_OK, se_verify(NULL, engine, "Files", content, &verify, &err), &err);
        (void)unlink("two.pem");
    }
    se_close(&engine);
}

/* ---- threads and forks ---- */

enum { THREADS = 8, ROUNDS = 25 };

static void *sign_and_verify(void *arg)
{
    uintptr_t good = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        AUTO(se_buf) signature = SE_BUF_INIT;
        se_sign_params params = SE_SIGN_PARAMS_INIT;
        se_verify_params verify = SE_VERIFY_PARAMS_INIT;

        params.version = 1 + i % 2;
        if (se_sign(&signature, arg, "Files", content, &params, NULL))
            continue;
        verify.signature = buf_bytes(&signature);
        good += !se_verify(NULL, arg, "Files", content, &verify, NULL);
    }
    return (void *)good;
}

static void threads_share_an_engine(void **state)
{
    se_engine *engine = opened();
    pthread_t threads[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_and_verify, engine), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *good;

        assert_int_equal(pthread_join(threads[i], &good), 0);
        assert_int_equal((uintptr_t)good, ROUNDS);
    }
    se_close(&engine);
}

static void a_child_may_use_its_parent_s_engine(void **state)
{
    se_engine *engine = opened();
    int status;
    pid_t child;

    (void)state;
    assert_int_equal((uintptr_t)sign_and_verify(engine), ROUNDS);
    child = fork();
    assert_true(child >= 0);
    if (!child)
        _exit((uintptr_t)sign_and_verify(engine) == ROUNDS ? 42 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
    se_close(&engine);
}

/* A thread of the parent is opening the key, and waits: for a pipe. */
static void nor_does_a_child_wait_for_its_parent_s_threads(void **state)
{
    se_engine *engine = opened();
    int pipe, left = 1, status;
    pthread_t thread;
    pid_t child;

    (void)state;
    assert_int_equal(rename("one.pem", "kept"), 0);
    assert_int_equal(mkfifo("one.pem", 0600), 0);
    assert_true((pipe = open("one.pem", O_RDWR)) >= 0);
    assert_int_equal(write_all(pipe, "\n", 1), 0);
    assert_int_equal(pthread_create(&thread, NULL, sign_and_verify, engine), 0);
    while (left)
        assert_int_equal(ioctl(pipe, FIONREAD, &left), 0);
    assert_int_equal(rename("kept", "one.pem"), 0);
    assert_true((child = fork()) >= 0);
    if (!child) {
        alarm(60);
        _exit((uintptr_t)sign_and_verify(engine) == ROUNDS ? 42 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    close(pipe);
    assert_int_equal(pthread_join(thread, NULL), 0);
    se_close(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(highest_version_signs_and_any_verifies),
        IN_FOLDER(files_are_signed_and_verified),
        IN_FOLDER(params_without_a_size_are_refused),
        IN_FOLDER(usage_errors_are_told),
        IN_FOLDER(failing_streams_are_told),
        IN_FOLDER(progress_can_cancel),
        IN_FOLDER(check_tells_every_descriptor),
        IN_FOLDER(fingerprints_are_equal_for_equal_configurations),
        IN_FOLDER(a_version_out_of_reach_makes_no_false_verdict),
        IN_FOLDER(keys_stay_open_when_the_store_goes),
        IN_FOLDER(threads_share_an_engine),
        IN_FOLDER(a_child_may_use_its_parent_s_engine),
        IN_FOLDER(nor_does_a_child_wait_for_its_parent_s_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
