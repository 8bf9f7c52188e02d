/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted fields, as an application uses them. */
#include "tests/unit/folder.h"
#include "tests/unit/maker.h"
#include "tests/unit/unit.h"

#define OAEP(digest) "asymCipher='RSA/ECB/OAEPWithSHA-" digest "AndMGF1Padding'"

static const char configuration[] =
    "<engineSignEncrypt><descriptors>"
    "<descriptor name='EncryptedFields' version='1'><type algorithm='AES/CBC/PKCS7Padding' "
    "key='one' " OAEP(
        "384") "/></descriptor>"
               "<descriptor name='EncryptedFields' version='2'><type algorithm='AES/GCM/NoPadding' "
               "size='128' key='two' " OAEP(
                   "256") " mgf1='SHA-1'/></descriptor>"
                          "<descriptor name='Small' version='1'><type "
                          "algorithm='AES/CBC/PKCS7Padding' key='one' dataKeyUses='3' "
                          "cacheAge='0' " OAEP(
                              "1") "/></descriptor>"
                                   "<descriptor name='Signer'><type algorithm='SHA256withRSA' "
                                   "key='one'/></descriptor>"
                                   "</descriptors><keys>"
                                   "<key name='one'><type name='pem' "
                                   "locationValue='one.pem'/></key>"
                                   "<key name='two'><type name='pem' "
                                   "locationValue='two.pem'/></key>"
                                   "</keys></engineSignEncrypt>";

static const se_bytes secret = { "a secret", 8 }, row = { "row 7", 5 }, other_row = { "row 8", 5 };

static se_engine *opened(void)
{
    se_error err = SE_ERROR_INIT;
    se_engine *engine;

    make("engine.xml", configuration, 0600);
    make_signer("one.pem", "RSA-2048", &(struct certificate_wish){ .subject = "one.pem" });
    make_signer("two.pem", "RSA-3072", &(struct certificate_wish){ .subject = "two.pem" });
    assert_status(SE_OK, se_open(&engine, "engine.xml", NULL, &err), &err);
    return engine;
}

static void assert_bytes(const se_buf *got, se_bytes expected)
{
    assert_int_equal(got->size, expected.size);
    if (expected.size)
        assert_memory_equal(got->data, expected.data, expected.size);
}

static void every_version_and_form_comes_back(void **state)
{
    se_engine *engine = opened();

    (void)state;
    for (unsigned version = 0; version <= 2; version++)
        for (int binary = 0; binary <= 1; binary++) {
            AUTO(se_buf) value = SE_BUF_INIT;
            AUTO(se_buf) plain = SE_BUF_INIT;
            se_field_params params = SE_FIELD_PARAMS_INIT;
            se_error err = SE_ERROR_INIT;

            params.version = version;
            params.binary = binary;
            params.context = row;
            assert_status(
                SE_OK, se_encrypt(&value, engine, "EncryptedFields", secret, &params, &err), &err);
            assert_memory_equal(value.data, binary ? "NX02\1" : "NX02:", 5);
            params.version = 0;
            assert_status(
                SE_OK,
                se_decrypt(&plain, engine, "EncryptedFields", buf_bytes(&value), &params, &err),
                &err);
            assert_bytes(&plain, secret);
        }
    se_close(&engine);
}

static void refused(se_engine *engine, se_bytes value, se_bytes context, se_status expected)
{
    AUTO(se_buf) plain = SE_BUF_INIT;
    se_field_params params = SE_FIELD_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    params.context = context;
    assert_status(expected, se_decrypt(&plain, engine, "EncryptedFields", value, &params, &err),
                  &err);
    assert_null(plain.data);
    if (expected == SE_ERR_REJECTED)
        assert_string_equal(err.text, "descriptor 'EncryptedFields': the value does not decrypt: "
                                      "it was changed, moved to another context, "
                                      "or made for another key");
}

static void nothing_else_decrypts(void **state)
{
    se_engine *engine = opened();
    AUTO(se_buf) value = SE_BUF_INIT;
    se_field_params params = SE_FIELD_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    params.context = row;
    for (params.version = 1; params.version <= 2; params.version++) {
        se_buf_free(&value);
        assert_status(SE_OK, se_encrypt(&value, engine, "EncryptedFields", secret, &params, &err),
                      &err);
        refused(engine, buf_bytes(&value), other_row, SE_ERR_REJECTED);
        refused(engine, buf_bytes(&value), (se_bytes){ NULL, 0 }, SE_ERR_REJECTED);
        value.data[value.size - 20] ^= 1;
        refused(engine, buf_bytes(&value), row, SE_ERR_REJECTED);
    }
    refused(engine, (se_bytes){ "nonsense", 8 }, row, SE_ERR_FORMAT);
    refused(engine, (se_bytes){ "", 0 }, row, SE_ERR_FORMAT);
    refused(engine, (se_bytes){ NULL, 0 }, row, SE_ERR_FORMAT);
    se_buf_free(&value);
    assert_int_equal(se_encrypt(&value, engine, "Signer", secret, NULL, NULL), SE_ERR_POLICY);
    assert_int_equal(se_decrypt(&value, engine, "Signer", secret, NULL, NULL), SE_ERR_POLICY);
    se_close(&engine);
}

enum { MANY = 10 };

static void many_go_together(void **state)
{
    se_engine *engine = opened();
    se_field fields[MANY] = { 0 }, values[MANY] = { 0 };
    se_error err = SE_ERROR_INIT;

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        fields[i].in = (se_bytes){ "0123456789", i };
        fields[i].context = i % 2 ? row : other_row;
    }
    assert_status(SE_OK, se_encrypt_many(fields, MANY, engine, "Small", NULL, &err), &err);
    for (size_t i = 0; i < MANY; i++)
        values[i] = (se_field){ .in = buf_bytes(&fields[i].out), .context = fields[i].context };
    values[3].context = other_row;
    values[5].in = text_bytes("nonsense");
    assert_status(SE_ERR_REJECTED, se_decrypt_many(values, MANY, engine, "Small", NULL, &err),
                  &err);
    assert_non_null(strstr(err.text, "field 4: "));
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(values[i].status, i == 3   ? SE_ERR_REJECTED
                                           : i == 5 ? SE_ERR_FORMAT
                                                    : SE_OK);
        assert_bytes(&values[i].out, values[i].status ? (se_bytes){ NULL, 0 } : fields[i].in);
        se_buf_free(&fields[i].out);
        se_buf_free(&values[i].out);
    }
    se_close(&engine);
}

/* ---- by several threads ---- */

enum { CROWD = 3000, WRONG = 1500, MOVED = 2000, KEYS = 3 };

struct crowd {
    char plain[CROWD][16];
    se_buf values[CROWD];
};

static se_bytes crowd_plain(const struct crowd *crowd, size_t i)
{
    return text_bytes(crowd->plain[i]);
}

/* One of the data keys, of version 1, 1 and 2, encrypts each third, so that they lie mixed. */
static struct crowd *make_crowd(se_engine *engine)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);
    se_field *fields = calloc(CROWD, sizeof *fields);
    se_error err = SE_ERROR_INIT;

    assert_true(crowd && fields);
    for (size_t key = 0; key < KEYS; key++) {
        se_field_params params = SE_FIELD_PARAMS_INIT;
        size_t count = 0;

        params.version = key < 2 ? 1 : 2;
        params.threads = (unsigned)key * 2;
        for (size_t i = key; i < CROWD; i += KEYS) {
            (void)snprintf(crowd->plain[i], sizeof crowd->plain[i], "value %zu", i);
            fields[count++] = (se_field){ .in = crowd_plain(crowd, i), .context = row };
        }
        assert_status(
            SE_OK, se_encrypt_many(fields, count, engine, "EncryptedFields", &params, &err), &err);
        for (size_t i = 0; i < count; i++)
            crowd->values[i * KEYS + key] = fields[i].out;
    }
    free(fields);
    return crowd;
}

static void crowd_free(struct crowd *crowd)
{
    for (size_t i = 0; i < CROWD; i++)
        se_buf_free(&crowd->values[i]);
    free(crowd);
}

static se_field *crowd_fields(const struct crowd *crowd)
{
    se_field *fields = calloc(CROWD, sizeof *fields);

    assert_non_null(fields);
    for (size_t i = 0; i < CROWD; i++)
        fields[i] = (se_field){ .in = buf_bytes(&crowd->values[i]), .context = row };
    fields[WRONG].in = text_bytes("nonsense");
    fields[MOVED].context = other_row;
    return fields;
}

static se_status crowd_status(size_t i)
{
    return i == WRONG ? SE_ERR_FORMAT : i == MOVED ? SE_ERR_REJECTED : SE_OK;
}

static void many_threads_do_what_one_does(void **state)
{
    se_engine *engine = opened();
    struct crowd *crowd = make_crowd(engine);
    se_error err = SE_ERROR_INIT;

    (void)state;
    for (unsigned threads = 0; threads <= 8; threads += 4) {
        se_field_params params = SE_FIELD_PARAMS_INIT;
        se_field *fields = crowd_fields(crowd);

        params.threads = threads;
        assert_status(SE_ERR_FORMAT,
                      se_decrypt_many(fields, CROWD, engine, "EncryptedFields", &params, &err),
                      &err);
        assert_non_null(strstr(err.text, "field 1501: "));
        for (size_t i = 0; i < CROWD; i++) {
            assert_int_equal(fields[i].status, crowd_status(i));
            assert_bytes(&fields[i].out,
                         crowd_status(i) ? (se_bytes){ NULL, 0 } : crowd_plain(crowd, i));
            se_buf_free(&fields[i].out);
        }
        free(fields);
    }
    crowd_free(crowd);
    se_close(&engine);
}

static void many_threads_rekey(void **state)
{
    se_engine *engine = opened();
    struct crowd *crowd = make_crowd(engine);
    se_field *fields = crowd_fields(crowd);
    se_field_params params = SE_FIELD_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    params.threads = 5;
    assert_status(SE_ERR_FORMAT,
                  se_rekey_many(fields, CROWD, engine, "EncryptedFields", &params, &err), &err);
    for (size_t i = 0; i < CROWD; i++) {
        AUTO(se_buf) plain = SE_BUF_INIT;
        const bool kept = i % KEYS == 2; /* of the current version; its context does not matter */

        assert_int_equal(fields[i].status, kept ? SE_OK : crowd_status(i));
        assert_int_equal(fields[i].kept, kept && !fields[i].status);
        if (fields[i].status)
            continue;
        refused(engine, buf_bytes(&fields[i].out), other_row, SE_ERR_REJECTED);
        params.context = row;
        assert_status(
            SE_OK,
            se_decrypt(&plain, engine, "EncryptedFields", buf_bytes(&fields[i].out), &params, &err),
            &err);
        assert_bytes(&plain, crowd_plain(crowd, i));
        se_buf_free(&fields[i].out);
    }
    free(fields);
    crowd_free(crowd);
    se_close(&engine);
}

static void rekeying_keeps_what_is_there(void **state)
{
    se_engine *engine = opened();
    AUTO(se_buf) old = SE_BUF_INIT;
    AUTO(se_buf) new = SE_BUF_INIT;
    AUTO(se_buf) plain = SE_BUF_INIT;
    se_field_params params = SE_FIELD_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;
    se_field fields[3] = { 0 };

    (void)state;
    params.context = row;
    params.version = 1;
    assert_status(SE_OK, se_encrypt(&old, engine, "EncryptedFields", secret, &params, &err), &err);
    params.version = 2;
    assert_status(SE_OK, se_encrypt(&new, engine, "EncryptedFields", secret, &params, &err), &err);
    for (size_t i = 0; i < 3; i++)
        fields[i] = (se_field){ .in = buf_bytes(i ? &new : &old), .context = row };
    fields[2].in = text_bytes("?");
    assert_status(SE_ERR_FORMAT, se_rekey_many(fields, 3, engine, "EncryptedFields", NULL, &err),
                  &err);
    assert_false(fields[0].kept);
    assert_true(fields[1].kept);
    assert_bytes(&fields[1].out, buf_bytes(&new));
    assert_int_equal(fields[2].status, SE_ERR_FORMAT);
    assert_status(
        SE_OK,
        se_decrypt(&plain, engine, "EncryptedFields", buf_bytes(&fields[0].out), &params, &err),
        &err);
    assert_bytes(&plain, secret);
    for (size_t i = 0; i < 3; i++)
        se_buf_free(&fields[i].out);
    se_close(&engine);
}

static void contexts_are_told_apart(void **state)
{
    static const se_pair ab[] = { { { "b", 1 }, { "2", 1 } }, { { "a", 1 }, { "1", 1 } } };
    static const se_pair ba[] = { { { "a", 1 }, { "1", 1 } }, { { "b", 1 }, { "2", 1 } } };
    static const se_pair twice[] = { { { "a", 1 }, { "1", 1 } }, { { "a", 1 }, { "2", 1 } } };
    static const se_pair nameless[] = { { { "", 0 }, { "1", 1 } } };
    AUTO(se_buf) one = SE_BUF_INIT;
    AUTO(se_buf) two = SE_BUF_INIT;

    (void)state;
    assert_int_equal(se_context(&one, ab, 2, NULL), SE_OK);
    assert_int_equal(se_context(&two, ba, 2, NULL), SE_OK);
    assert_bytes(&one, buf_bytes(&two));
    assert_bytes(&one, (se_bytes){ "\0\0\0\1a\0\0\0\1"
                                   "1\0\0\0\1b\0\0\0\1"
                                   "2",
                                   20 });
    se_buf_free(&two);
    assert_int_equal(se_context(&two, twice, 2, NULL), SE_ERR_USAGE);
    assert_int_equal(se_context(&two, nameless, 1, NULL), SE_ERR_USAGE);
}

static void garbage_is_told_apart(void **state)
{
    static const char *const texts[] = {
        "garbage", "N",           "nx02:AAAA", "a.b.c.d",          "0049 123 456",
        "{}",      "hello world", " NX02:",    "\x30\x03\x02\x01", "-----BEGIN CMS-----\n"
    };
    se_engine *engine = opened();

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        se_buf plain;
        se_error err = SE_ERROR_INIT;
        bool begins_well = strcmp(texts[i], "N") == 0 || strncmp(texts[i], "-----BEGIN", 10) == 0;
        se_status expected = begins_well ? SE_ERR_REJECTED : SE_ERR_FORMAT;

        if (se_decrypt(&plain, engine, "EncryptedFields", text_bytes(texts[i]), NULL, &err) !=
            expected)
            fail_msg("%s: %s", texts[i], err.text);
        assert_null(plain.data);
    }
    se_close(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(every_version_and_form_comes_back),
        IN_FOLDER(nothing_else_decrypts),
        IN_FOLDER(many_go_together),
        IN_FOLDER(many_threads_do_what_one_does),
        IN_FOLDER(many_threads_rekey),
        IN_FOLDER(rekeying_keeps_what_is_there),
        cmocka_unit_test(contexts_are_told_apart),
        IN_FOLDER(garbage_is_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
