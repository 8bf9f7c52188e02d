/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encrypted fields with the key `rsa` of a token and with the same key in a file: what the one
 * reads, the other does. The environment is that of tests/token/mechanisms; FIELDS_LARGEST: bytes
 * of the largest field (1 MB); TOKEN_ONE_BY_ONE: the token is not asked by several threads at once.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/token/control.h"
#include "tests/token/fixture.h"

enum { BATCHES = 6, BATCH = 50, FIELDS = BATCHES * BATCH, LARGE = 1 << 20 };

static struct faults *faults;
static se_engine *engine;

static const char *const hashes[] = { "1", "256", "384", "512" },
                         *const modes[] = { "ECB", "None" }, *const dashes[] = { "-", "" },
                         *const mgf1s[] = { "", "SHA-1" }, *const places[] = { "token", "file" };
static const char *const formats[] = { "NX02", "CMS", "JWE" };

static void put_descriptor(struct writer *w, const char *name, const char *place,
                           const char *cipher, const char *rest)
{
    writer_format(w, "<descriptor name='%s-%s'><type algorithm='AES/%s' key='%s' %s/></descriptor>",
                  name, place, cipher, place, rest);
}

static void put_spellings(struct writer *w, const char *place)
{
    for (size_t i = 0; i < 32; i++) {
        char name[40], rest[200];

        snprintf(name, sizeof name, "spelling-%zu", i);
        snprintf(rest, sizeof rest, "asymCipher='RSA/%s/OAEPWithSHA%s%sAndMGF1Padding' mgf1='%s'",
                 modes[i / 4 % 2], dashes[i / 8 % 2], hashes[i % 4], mgf1s[i / 16]);
        put_descriptor(w, name, place, "CBC/PKCS7Padding", rest);
    }
}

static void put_formats(struct writer *w, const char *place)
{
    for (size_t f = 0; f < 3; f++) {
        char rest[200];

        snprintf(rest, sizeof rest,
                 "result='%s' asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'", formats[f]);
        put_descriptor(w, formats[f], place, "GCM/NoPadding", rest);
    }
    put_descriptor(w, "CBC", place, "CBC/PKCS7Padding",
                   "asymCipher='RSA/ECB/OAEPWithSHA-384AndMGF1Padding'");
    put_descriptor(w, "forgetful", place, "CBC/PKCS7Padding",
                   "cacheAge='0' asymCipher='RSA/ECB/OAEPWithSHA-384AndMGF1Padding'");
}

static void write_config(const struct keyref *ref)
{
    AUTO(writer) w = { 0 };
    FILE *file = fopen(file_of("fields.xml"), "w");

    writer_text(&w, "<engineSignEncrypt><descriptors>");
    for (size_t p = 0; p < 2; p++) {
        put_spellings(&w, places[p]);
        put_formats(&w, places[p]);
    }
    writer_format(&w,
                  "</descriptors><keys><key name='token'><type name='HSM' locationValue='%s' "
                  "alias='rsa' pin='" PIN
                  "' tokenLabel='%s' initArgs=\"%s\"/></key><key name='file'><type name='pem' "
                  "locationValue='rsa.both'/></key>"
                  "</keys></engineSignEncrypt>",
                  ref->location, ref->token_label,
                  getenv("TOKEN_INIT_ARGS") ? getenv("TOKEN_INIT_ARGS") : "");
    assert_non_null(file);
    assert_true(fputs(writer_string(&w), file) >= 0);
    fclose(file);
    run("cat rsa.key rsa.pem >rsa.both");
}

static int setup(void **state)
{
    struct keyref *ref;
    se_error err = SE_ERROR_INIT;
    int skipped = fixture_given(state);

    if (skipped)
        return skipped;
    ref = ref_through_faults(&faults, getenv("TOKEN_LABEL"), "rsa");
    write_config(ref);
    assert_status(SE_OK, se_open(&engine, file_of("fields.xml"), NULL, &err), &err);
    return 0;
}

static int teardown(void **state)
{
    se_close(&engine);
    return fixture_release(state);
}

static const char *descriptor_of(const char *name, size_t place)
{
    static char text[2][64];

    snprintf(text[place], sizeof text[place], "%s-%s", name, places[place]);
    return text[place];
}

/* Made with one of the two, read with both; large ones with the other only. */
static void comes_back(const char *name, se_bytes plain, bool binary)
{
    for (size_t from = 0; from < 2; from++)
        for (size_t to = 0; to < 2; to++) {
            AUTO(se_buf) value = SE_BUF_INIT;
            AUTO(se_buf) back = SE_BUF_INIT;
            se_field_params params = SE_FIELD_PARAMS_INIT;
            se_error err = SE_ERROR_INIT;

            if (plain.size > LARGE && from == to)
                continue;
            params.binary = binary;
            assert_status(
                SE_OK, se_encrypt(&value, engine, descriptor_of(name, from), plain, &params, &err),
                &err);
            assert_status(SE_OK,
                          se_decrypt(&back, engine, descriptor_of(name, to), buf_bytes(&value),
                                     &params, &err),
                          &err);
            assert_int_equal(back.size, plain.size);
            if (plain.size && memcmp(back.data, plain.data, plain.size) != 0)
                fail_msg("%s: %zu bytes came back as others", name, plain.size);
        }
}

static void every_spelling_of_asym_cipher(void **state)
{
    (void)state;
    for (size_t i = 0; i < 32; i++) {
        char name[40];

        snprintf(name, sizeof name, "spelling-%zu", i);
        comes_back(name, (se_bytes){ "a field", 7 }, i % 2);
    }
}

static void every_size(void **state)
{
    static const size_t sizes[] = { 0,   1,   15,   16,    17,    31,    32,     33,
                                    255, 256, 1000, 65535, 65536, 65537, 1 << 20 };
    const char *largest = getenv("FIELDS_LARGEST");
    size_t most = largest ? strtoul(largest, NULL, 10) : 1 << 20;
    AUTO(se_buf) plain = SE_BUF_INIT;

    (void)state;
    assert_int_equal(buf_new(&plain, most, NULL), SE_OK);
    for (size_t i = 0; i < most; i++)
        plain.data[i] = (unsigned char)(i * 2654435761U >> 13);
    for (size_t f = 0; f < 4; f++) {
        const char *name = f < 3 ? formats[f] : "CBC";

        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            if (sizes[i] < most)
                comes_back(name, (se_bytes){ plain.data, sizes[i] }, i % 2);
        comes_back(name, (se_bytes){ plain.data, most }, true);
    }
}

static void forget(void)
{
    memset(faults->seen, 0, sizeof faults->seen);
}

static unsigned decryptions(void)
{
    return faults->seen[AT_DECRYPT];
}

/* In batches, each with a data key of its own. */
static void encrypt_all(se_field *values, const char *descriptor)
{
    se_error err = SE_ERROR_INIT;

    for (size_t b = 0; b < BATCHES; b++) {
        se_field fields[BATCH] = { 0 };

        for (size_t i = 0; i < BATCH; i++)
            fields[i] =
                (se_field){ .in = { "a field", 7 }, .context = { &"0123456789"[i % 10], 1 } };
        assert_status(SE_OK, se_encrypt_many(fields, BATCH, engine, descriptor, NULL, &err), &err);
        for (size_t i = 0; i < BATCH; i++) {
            values[b * BATCH + i].context = fields[i].context;
            values[b * BATCH + i].in = buf_bytes(&fields[i].out);
        }
    }
}

static void decrypt_all(se_field *values, const char *descriptor)
{
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, se_decrypt_many(values, FIELDS, engine, descriptor, NULL, &err), &err);
    for (size_t i = 0; i < FIELDS; i++) {
        assert_int_equal(values[i].out.size, 7);
        assert_memory_equal(values[i].out.data, "a field", 7);
        se_buf_free(&values[i].out);
    }
}

static void free_all(se_field *values)
{
    for (size_t i = 0; i < FIELDS; i++)
        se_buf_free(&(se_buf){ (unsigned char *)values[i].in.data, values[i].in.size });
}

static void one_operation_for_a_data_key(void **state)
{
    se_field values[FIELDS] = { 0 };
    AUTO(se_buf) back = SE_BUF_INIT;
    se_field_params params = SE_FIELD_PARAMS_INIT;

    (void)state;
    encrypt_all(values, "CBC-token");
    forget();
    decrypt_all(values, "CBC-token");
    assert_int_equal(decryptions(), BATCHES);
    decrypt_all(values, "CBC-token");
    params.context = values[0].context;
    assert_int_equal(se_decrypt(&back, engine, "CBC-token", values[0].in, &params, NULL), SE_OK);
    assert_int_equal(decryptions(), BATCHES);
    free_all(values);
}

static void nothing_is_remembered_at_age_0(void **state)
{
    se_field values[FIELDS] = { 0 };

    (void)state;
    encrypt_all(values, "forgetful-token");
    forget();
    decrypt_all(values, "forgetful-token");
    assert_int_equal(decryptions(), BATCHES);
    decrypt_all(values, "forgetful-token");
    assert_int_equal(decryptions(), 2 * BATCHES);
    free_all(values);
}

static void encrypting_asks_no_token(void **state)
{
    AUTO(se_buf) value = SE_BUF_INIT;

    (void)state;
    assert_int_equal(se_encrypt(&value, engine, "CBC-token", (se_bytes){ "a", 1 }, NULL, NULL),
                     SE_OK);
    forget();
    for (size_t i = 0; i < 10; i++) {
        se_buf_free(&value);
        assert_int_equal(se_encrypt(&value, engine, "CBC-token", (se_bytes){ "a", 1 }, NULL, NULL),
                         SE_OK);
    }
    for (size_t i = 0; i < FAULT_CALLS; i++)
        assert_int_equal(faults->seen[i], 0);
}

/* Two that hang in the token at once, or ten seconds have passed. */
static void *wait_for_two(void *met)
{
    for (unsigned i = 0; i < 1000 && !*(bool *)met; i++) {
        usleep(10000);
        pthread_mutex_lock(&faults->lock);
        *(bool *)met = faults->seen[AT_DECRYPT] >= 3;
        pthread_mutex_unlock(&faults->lock);
    }
    go_on(faults);
    return NULL;
}

/* The first goes alone; of the others, several are on their way when none has come back. */
static void data_keys_are_unwrapped_at_the_same_time(void **state)
{
    se_field values[FIELDS] = { 0 };
    bool met = false;
    pthread_t thread;

    (void)state;
    if (getenv("TOKEN_ONE_BY_ONE"))
        return;
    encrypt_all(values, "forgetful-token");
    set_faults(faults,
               &(struct fault){ .call = AT_DECRYPT, .first = 2, .times = 1000, .hang = true },
               NULL);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_two, &met), 0);
    decrypt_all(values, "forgetful-token");
    assert_int_equal(pthread_join(thread, NULL), 0);
    free_all(values);
    assert_true(met);
}

/* A refused data key is its values' own affair; a token that is away is everybody's, and nobody
 * waits for it twice. */
static void a_token_that_is_away_is_no_refusal(void **state)
{
    se_field values[FIELDS] = { 0 };
    se_error err = SE_ERROR_INIT;

    (void)state;
    encrypt_all(values, "forgetful-token");
    set_away(faults, CKR_DEVICE_REMOVED);
    assert_status(SE_ERR_UNAVAILABLE,
                  se_decrypt_many(values, FIELDS, engine, "forgetful-token", NULL, &err), &err);
    for (size_t i = 0; i < FIELDS; i++) {
        assert_int_equal(values[i].status, SE_ERR_UNAVAILABLE);
        assert_null(values[i].out.data);
    }
    set_away(faults, CKR_OK);
    wait_for_probe();
    decrypt_all(values, "forgetful-token");
    free_all(values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_of_asym_cipher),
        cmocka_unit_test(every_size),
        cmocka_unit_test(one_operation_for_a_data_key),
        cmocka_unit_test(nothing_is_remembered_at_age_0),
        cmocka_unit_test(encrypting_asks_no_token),
        cmocka_unit_test(data_keys_are_unwrapped_at_the_same_time),
        cmocka_unit_test(a_token_that_is_away_is_no_refusal),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
