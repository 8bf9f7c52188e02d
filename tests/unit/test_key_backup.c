/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backup leaves nothing of the private key in memory, nor does a restore, alone, of several
 * together, and of what a token has wrapped: the needle is a part of the key's secret number, which
 * a child made.
 */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "base/file.h"
#include "crypto/pkey_ops.h"
#include "provision/backup/wrapped_file.h"
#include "provision/key_backup.h"
#include "tests/unit/folder.h"
#include "tests/unit/maker.h"
#include "tests/unit/needle.h"

enum { NUMBER = 32, POINT = 65 };

static void count_row(void *arg, const struct key_row *row)
{
    assert_string_equal(row->subject, "CN=needle");
    ++*(size_t *)arg;
}

/* On P-256, whose order begins with 0xff. */
static EVP_PKEY *key_of_number(const unsigned char number[NUMBER])
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *point = EC_POINT_new(group);
    BIGNUM *secret = BN_bin2bn(number, NUMBER, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    unsigned char encoded[POINT];
    EVP_PKEY *key = NULL;

    assert_true(EC_POINT_mul(group, point, secret, NULL, NULL, NULL));
    assert_int_equal(EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, encoded,
                                        sizeof encoded, NULL),
                     POINT);
    assert_true(
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, secret) &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, encoded, sizeof encoded));
    assert_true(EVP_PKEY_fromdata_init(context) > 0);
    assert_true(EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, OSSL_PARAM_BLD_to_param(build)) >
                0);
    return key;
}

static void write_key(const char *pin)
{
    const struct certificate_wish wish = { .subject = "needle" };
    unsigned char number[NUMBER] = "1234567";
    EVP_PKEY *key;

    memcpy(number + NUMBER - NEEDLE, pin, NEEDLE);
    key = key_of_number(number);
    make_bundle("key.pem", key, make_certificate(key, &wish));
}

static void write_recovery_key(const char *name, const char *type)
{
    const struct certificate_wish wish = { .subject = name };
    EVP_PKEY *key = make_key(type);
    X509 *certificate = make_certificate(key, &wish);
    char path[64];

    (void)snprintf(path, sizeof path, "%s.pem", name);
    make_bundle(path, NULL, certificate);
    (void)snprintf(path, sizeof path, "%s.key", name);
    make_bundle(path, key, certificate);
}

static void write_recovery(const char *pin)
{
    (void)pin;
    write_recovery_key("recovery", "P-256");
    write_recovery_key("second", "P-384");
    write_recovery_key("rsa", "RSA-3072");
}

/* ---- as a token would wrap the key ---- */

static X509 *read_certificate(const char *path)
{
    FILE *file = fopen(path, "r");
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);

    fclose(file);
    assert_non_null(certificate);
    return certificate;
}

static se_buf wrap_pkcs8(EVP_PKEY *key, const unsigned char file_key[FILE_KEY])
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-WRAP-PAD", NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    unsigned char *der = NULL;
    int size = i2d_PKCS8_PRIV_KEY_INFO(info, &der), got;
    se_buf blob = SE_BUF_INIT;

    assert_int_equal(buf_new(&blob, (size_t)size + 32, NULL), SE_OK);
    assert_true(EVP_EncryptInit_ex2(ctx, cipher, file_key, NULL, NULL) > 0 &&
                EVP_EncryptUpdate(ctx, blob.data, &got, der, size) > 0);
    blob.size = (size_t)got;
    return blob;
}

static void write_wrapped(const char *pin)
{
    static const unsigned char file_key[FILE_KEY] = "a file key";
    struct wrapped_key wrapped = {
        .wrapping = WRAPPING_PADDED,
        .oaep = { DIGEST_SHA256, DIGEST_SHA256 },
        .sealed_count = 1,
        .certificates = sk_X509_new_null(),
    };
    STACK_OF(X509) *readers = sk_X509_new_null();
    FILE *file = fopen("key.pem", "r");
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    X509 *reader = read_certificate("rsa.pem");
    se_buf der;

    (void)pin;
    wrapped.blob = wrap_pkcs8(key, file_key);
    assert_int_equal(key_wrap(&wrapped.sealed[0], X509_get0_pubkey(reader), &wrapped.oaep,
                              (se_bytes){ file_key, sizeof file_key }, NULL),
                     SE_OK);
    assert_true(sk_X509_push(wrapped.certificates, read_certificate("key.pem")));
    assert_true(sk_X509_push(readers, reader));
    assert_int_equal(wrapped_key_encode(&der, &wrapped, readers, NULL), SE_OK);
    file = fopen("wrapped.backup", "w");
    assert_int_equal(fwrite(der.data, 1, der.size, file), der.size);
    fclose(file);
}

/* ---- what this process does ---- */

static struct target *target_at(const char *file)
{
    const struct target_location place = { "", "", "", "", "", file, "" };
    struct target *target;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, target_direct(&target, &place, &err), &err);
    return target;
}

static void back_up_key(se_buf *out, unsigned threshold, bool is_tried)
{
    static const char *const certificates[] = { "recovery.pem", "second.pem", "rsa.pem" };
    AUTO(target) target = target_at("key.pem");
    AUTO(target) recovery = target_at("recovery.key");
    AUTO(target) second = target_at("rsa.key");
    const struct target *const keys[] = { recovery, second };
    const struct backup_wish wish = {
        .certificates = certificates,
        .certificate_count = threshold ? 3 : 1,
        .threshold = threshold,
        .recovery = { keys, is_tried ? 2 : 0 },
    };
    struct backup_row row;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, provision_backup(out, &row, target, &wish, &err), &err);
    assert_int_equal(row.is_opened, is_tried);
    assert_int_equal(row.threshold, threshold);
    assert_string_equal(row.subject, "CN=needle");
}

static void restore_key(const se_buf *file, const char *first, const char *second)
{
    AUTO(target) target = target_at("new.pem");
    AUTO(target) recovery = target_at(first);
    AUTO(target) other = target_at(second);
    const struct target *const keys[] = { recovery, other };
    const struct restore_wish wish = {
        .file = buf_bytes(file),
        .name = "the backup",
        .recovery = { keys, strcmp(first, second) ? 2 : 1 },
    };
    size_t rows = 0;
    const struct provision_report report = { NULL, count_row, &rows };
    struct backup_row row;
    se_error err = SE_ERROR_INIT;

    (void)remove("new.pem");
    assert_status(SE_OK, provision_restore(&row, target, &wish, &report, &err), &err);
    assert_true(row.is_opened);
    assert_int_equal(rows, 1);
    assert_int_equal(pieces_in_memory(), 0);
}

/* What the search would find, if it were left. */
static size_t pieces_in_content(const char *path)
{
    FILE *file = fopen(path, "r");
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    unsigned char *der = NULL;
    int size = i2d_PrivateKey(key, &der);
    size_t found = pieces_in_memory();

    assert_true(size > 0);
    OPENSSL_clear_free(der, (size_t)size);
    EVP_PKEY_free(key);
    fclose(file);
    return found;
}

static void nothing_stays_in_memory(void **state)
{
    AUTO(se_buf) file = SE_BUF_INIT, tried = SE_BUF_INIT, shared = SE_BUF_INIT,
                 wrapped = SE_BUF_INIT;

    (void)state;
    in_child(write_key);
    in_child(write_recovery);
    in_child(write_wrapped);
    back_up_key(&file, 0, false);
    assert_int_equal(pieces_in_memory(), 0);
    back_up_key(&tried, 0, true);
    assert_int_equal(pieces_in_memory(), 0);
    back_up_key(&shared, 2, true);
    assert_int_equal(pieces_in_memory(), 0);
    restore_key(&file, "recovery.key", "recovery.key");
    restore_key(&shared, "second.key", "rsa.key");
    assert_int_equal(file_read(&wrapped, "wrapped.backup", 1 << 20, NULL), SE_OK);
    restore_key(&wrapped, "rsa.key", "rsa.key");
    assert_true(pieces_in_content("new.pem") > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(nothing_stays_in_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
