/* SPDX-License-Identifier: Apache-2.0 */
/* What an application is told of its own calls. */
#include <openssl/evp.h>

#include "tests/unit/events.h"

/* The next operation that was told is the only one: "OPERATION STATUS KEY:VERSION:REPLICA
 * FAILED/ITEMS". */
static const struct operation *assert_heard(const char *expected)
{
    const struct operation *last = &heard.last[(heard.count - 1) % LAST];
    const se_event *event = &last->event;
    char got[200];

    assert_int_equal(heard.count, 1);
    heard.count = 0;
    snprintf(got, sizeof got, "%s %s %s:%u:%u %u/%u", last->operation,
             se_status_name(event->status), last->key, event->version, event->replica,
             (unsigned)event->failed, (unsigned)event->items);
    assert_string_equal(got, expected);
    assert_true(event->duration_us < 60 * 1000000);
    return last;
}

static void assert_digest(const char *got, const char *name, const char *algorithm, se_bytes of)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    char expected[160];
    size_t size = sizeof hash, used;

    assert_true(EVP_Q_digest(NULL, algorithm, NULL, of.data, of.size, hash, &size));
    used = (size_t)snprintf(expected, sizeof expected, "%s:", name);
    for (size_t i = 0; i < size; i++)
        used += (size_t)snprintf(expected + used, sizeof expected - used, "%02x", hash[i]);
    assert_string_equal(got, expected);
}

/* ---- signatures ---- */

static void signatures_are_told(void **state)
{
    se_engine *engine = opened();
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_verify_params verify = { sizeof verify, .form = SE_FORM_RAW };
    AUTO(se_buf) signature = SE_BUF_INIT;
    const struct operation *told;
    se_buf none;
    se_error err = SE_ERROR_INIT;

    (void)state;
    params.form = SE_FORM_RAW;
    assert_status(SE_OK, se_sign(&signature, engine, "Files", content, &params, &err), &err);
    told = assert_heard("sign ok two:2:2 0/1");
    assert_string_equal(told->descriptor, "Files");
    assert_int_equal(told->event.bytes, content.size);
    assert_true(told->event.duration_us > 0);
    assert_string_equal(told->text, "");
    assert_digest(told->digest, "sha384", "SHA384", content);
    assert_string_equal(heard.keys, "two 1 lost, two 2 failed over, ");
    verify.signature = buf_bytes(&signature);
    assert_status(SE_OK, se_verify(NULL, engine, "Files", content, &verify, &err), &err);
    told = assert_heard("verify ok two:2:2 0/1");
    assert_int_equal(told->event.bytes, content.size);
    assert_digest(told->digest, "sha384", "SHA384", content);
    signature.data[signature.size - 1] ^= 1;
    assert_int_equal(se_verify(NULL, engine, "Files", content, &verify, NULL), SE_ERR_REJECTED);
    told = assert_heard("verify rejected :0:0 1/1");
    assert_non_null(strstr(told->text, "descriptor 'Files'"));
    assert_digest(told->digest, "sha384", "SHA384", content);
    assert_int_equal(se_sign(&none, engine, "Filse", content, NULL, NULL), SE_ERR_NO_DESCRIPTOR);
    told = assert_heard("sign no descriptor :0:0 1/1");
    assert_string_equal(told->digest, "");
    assert_string_equal(heard.keys, "two 1 lost, two 2 failed over, ");
    se_close(&engine);
    assert_string_equal(se_event_name((se_event_kind)99), "unknown");
}

static void digests_are_of_what_is_signed(void **state)
{
    static const struct {
        se_form form;
        se_bytes in, of;
    } cases[] = {
        { SE_FORM_DETACHED, { "some content", 12 }, { "some content", 12 } },
        { SE_FORM_ATTACHED, { "some content", 12 }, { "some content", 12 } },
        { SE_FORM_XML_DETACHED, { "some content", 12 }, { "some content", 12 } },
        { SE_FORM_XML, { "<a ><b/></a>", 12 }, { "<a><b></b></a>", 14 } },
    };
    se_engine *engine = opened();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool is_detached =
            cases[i].form == SE_FORM_DETACHED || cases[i].form == SE_FORM_XML_DETACHED;
        se_sign_params params = SE_SIGN_PARAMS_INIT;
        se_verify_params verify = SE_VERIFY_PARAMS_INIT;
        AUTO(se_buf) signature = SE_BUF_INIT;
        se_error err = SE_ERROR_INIT;

        params.form = verify.form = cases[i].form;
        params.xml_uri = "it";
        assert_status(SE_OK, se_sign(&signature, engine, "Files", cases[i].in, &params, &err),
                      &err);
        assert_digest(assert_heard("sign ok two:2:2 0/1")->digest, "sha384", "SHA384", cases[i].of);
        if (is_detached)
            verify.signature = buf_bytes(&signature);
        assert_status(SE_OK,
                      se_verify(NULL, engine, "Files",
                                is_detached ? cases[i].in : buf_bytes(&signature), &verify, &err),
                      &err);
        assert_digest(assert_heard("verify ok two:2:2 0/1")->digest, "sha384", "SHA384",
                      cases[i].of);
    }
    se_close(&engine);
}

static void a_signed_configuration_is_told(void **state)
{
    const se_bytes config = { configuration, sizeof configuration - 1 };
    se_engine *engine = opened();
    AUTO(se_buf) out = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, se_config_sign(&out, engine, "Files", 0, config, NULL, &err), &err);
    assert_memory_equal(assert_heard("sign ok two:2:2 0/1")->digest, "sha384:", 7);
    se_close(&engine);
}

/* ---- encryption ---- */

static se_buf encrypted(se_engine *engine, unsigned version)
{
    se_field_params params = SE_FIELD_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;
    se_buf value;

    params.version = version;
    assert_status(SE_OK, se_encrypt(&value, engine, "Fields", content, &params, &err), &err);
    assert_string_equal(
        assert_heard(version == 1 ? "encrypt ok old:1:1 0/1" : "encrypt ok new:2:2 0/1")->digest,
        "");
    return value;
}

static void decryptions_are_told(void **state)
{
    se_engine *engine = opened();
    AUTO(se_buf) old = encrypted(engine, 1);
    AUTO(se_buf) new = encrypted(engine, 2);
    se_error err = SE_ERROR_INIT;
    se_buf plain;

    (void)state;
    for (int i = 0; i < 2; i++) { /* once by the key, once by the data key that is remembered */
        assert_status(SE_OK, se_decrypt(&plain, engine, "Fields", buf_bytes(&old), NULL, &err),
                      &err);
        se_buf_free(&plain);
        (void)assert_heard("decrypt ok old:1:1 0/1");
        assert_status(SE_OK, se_decrypt(&plain, engine, "Fields", buf_bytes(&new), NULL, &err),
                      &err);
        se_buf_free(&plain);
        assert_string_equal(assert_heard("decrypt ok new:2:2 0/1")->digest, "");
    }
    new.data[new.size - 1] = new.data[new.size - 1] == 'A' ? 'B' : 'A';
    assert_int_not_equal(se_decrypt(&plain, engine, "Fields", buf_bytes(&new), NULL, NULL), SE_OK);
    assert_int_equal(heard.last[0].event.failed, 1);
    heard.count = 0;
    assert_int_equal(se_decrypt(&plain, engine, "Fields", content, NULL, NULL), SE_ERR_FORMAT);
    (void)assert_heard("decrypt format :0:0 1/1");
    se_close(&engine);
}

static void fields_free(se_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        se_buf_free(&fields[i].out);
}

static void batches_count(void **state)
{
    se_engine *engine = opened();
    AUTO(se_buf) old = encrypted(engine, 1);
    AUTO(se_buf) new = encrypted(engine, 2);
    se_field fields[] = { { .in = buf_bytes(&new) }, { .in = content }, { .in = buf_bytes(&new) } };
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_int_equal(se_decrypt_many(fields, 3, engine, "Fields", NULL, NULL), SE_ERR_FORMAT);
    fields_free(fields, 3);
    assert_int_equal(assert_heard("decrypt many format new:2:2 1/3")->event.bytes,
                     2 * new.size + content.size);
    fields[1].in = buf_bytes(&old);
    assert_status(SE_OK, se_decrypt_many(fields, 3, engine, "Fields", NULL, &err), &err);
    fields_free(fields, 3);
    (void)assert_heard("decrypt many ok :0:0 0/3");
    assert_status(SE_OK, se_encrypt_many(fields, 3, engine, "Fields", NULL, &err), &err);
    fields_free(fields, 3);
    (void)assert_heard("encrypt many ok new:2:2 0/3");
    assert_status(SE_OK, se_rekey_many(fields, 3, engine, "Fields", NULL, &err), &err);
    fields_free(fields, 3);
    (void)assert_heard("rekey many ok :0:0 0/3");
    assert_status(SE_OK, se_rekey_many(fields, 1, engine, "Fields", NULL, &err), &err);
    fields_free(fields, 1);
    (void)assert_heard("rekey many ok new:2:2 0/1");
    assert_int_equal(se_encrypt_many(fields, 3, engine, "Filds", NULL, NULL), SE_ERR_NO_DESCRIPTOR);
    (void)assert_heard("encrypt many no descriptor :0:0 3/3");
    assert_status(SE_OK, se_encrypt_many(NULL, 0, engine, "Fields", NULL, &err), &err);
    (void)assert_heard("encrypt many ok new:2:2 0/0");
    se_close(&engine);
}

static void containers_are_told(void **state)
{
    se_engine *engine = opened();
    se_error err = SE_ERROR_INIT;

    (void)state;
    make("plain", "some text", 0600);
    assert_status(
        SE_OK, se_container_encrypt_file("container", engine, "Fields", "plain", NULL, &err), &err);
    assert_int_equal(assert_heard("container encrypt ok new:2:2 0/1")->event.bytes, 9);
    assert_status(
        SE_OK, se_container_decrypt_file("back", engine, "Fields", "container", NULL, &err), &err);
    assert_string_equal(assert_heard("container decrypt ok new:2:2 0/1")->digest, "");
    se_close(&engine);
}

/* ---- zips ---- */

static void make_empty_zip(const char *path)
{
    static const char eocd[22] = "PK\5\6";
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write_all(fd, eocd, sizeof eocd), 0);
    assert_int_equal(close(fd), 0);
}

static void a_zip_is_one_operation(void **state)
{
    se_engine *engine = opened();
    const struct operation *told;
    char digest[160];
    se_error err = SE_ERROR_INIT;

    (void)state;
    make_empty_zip("a.zip");
    assert_status(SE_OK, se_zip_sign("signed.zip", engine, "Files", "a.zip", NULL, &err), &err);
    told = assert_heard("zip sign ok two:2:2 0/1");
    assert_int_equal(told->event.bytes, 22);
    assert_memory_equal(told->digest, "sha384:", 7);
    snprintf(digest, sizeof digest, "%s", told->digest);
    assert_status(SE_OK, se_zip_verify(engine, "Files", "signed.zip", NULL, &err), &err);
    told = assert_heard("zip verify ok two:2:2 0/1");
    assert_string_equal(told->digest, digest);
    assert_true(told->event.bytes > 22);
    assert_int_equal(se_zip_verify(engine, "Files", "a.zip", NULL, NULL), SE_ERR_REJECTED);
    assert_non_null(strstr(assert_heard("zip verify rejected :0:0 1/1")->text, "not signed"));
    assert_int_equal(se_zip_sign(NULL, engine, "Files", "engine.xml", NULL, NULL), SE_ERR_FORMAT);
    (void)assert_heard("zip sign format :0:0 1/1");
    assert_int_equal(se_zip_sign(NULL, engine, "Filse", "a.zip", NULL, NULL), SE_ERR_NO_DESCRIPTOR);
    (void)assert_heard("zip sign no descriptor :0:0 1/1");
    se_close(&engine);
}

/* What differs between them is not said. */
static void two_signatures_are_one_operation(void **state)
{
    se_engine *engine = opened();
    se_zip_sign_params params = SE_ZIP_SIGN_PARAMS_INIT;
    const struct operation *told;
    se_error err = SE_ERROR_INIT;

    (void)state;
    make_empty_zip("a.zip");
    for (params.version = 1; params.version <= 2; params.version++) {
        params.keep = params.version == 2;
        params.signature_name = params.keep ? "B" : "A";
        assert_status(SE_OK, se_zip_sign(NULL, engine, "Files", "a.zip", &params, &err), &err);
        heard.count = 0;
    }
    assert_status(SE_OK, se_zip_verify(engine, "Files", "a.zip", NULL, &err), &err);
    told = assert_heard("zip verify ok two:0:2 0/1");
    assert_string_equal(told->digest, "");
    se_close(&engine);
}

/* The container is another descriptor's. */
static void an_encrypted_zip_is_two_operations(void **state)
{
    se_engine *engine = opened();
    se_zip_sign_params params = SE_ZIP_SIGN_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    make_empty_zip("a.zip");
    params.encrypt = "Fields";
    params.tag = "request-7";
    assert_status(SE_OK, se_zip_sign("signed.zip", engine, "Files", "a.zip", &params, &err), &err);
    assert_int_equal(heard.count, 2);
    assert_string_equal(heard.last[0].operation, "container encrypt");
    assert_string_equal(heard.last[0].descriptor, "Fields");
    assert_string_equal(heard.last[0].tag, "request-7");
    assert_string_equal(heard.last[1].operation, "zip sign");
    assert_string_equal(heard.last[1].descriptor, "Files");
    assert_string_equal(heard.last[1].key, "two");
    assert_string_equal(heard.last[1].tag, "request-7");
    se_close(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(signatures_are_told),
        IN_FOLDER(digests_are_of_what_is_signed),
        IN_FOLDER(a_signed_configuration_is_told),
        IN_FOLDER(decryptions_are_told),
        IN_FOLDER(batches_count),
        IN_FOLDER(containers_are_told),
        IN_FOLDER(a_zip_is_one_operation),
        IN_FOLDER(two_signatures_are_one_operation),
        IN_FOLDER(an_encrypted_zip_is_two_operations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
