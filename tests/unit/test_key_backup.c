/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backup leaves nothing of the private key in memory, nor does a restore: the needle is a part of
 * the key's secret number, which a child made.
 */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

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

static void write_recovery(const char *pin)
{
    const struct certificate_wish wish = { .subject = "recovery" };
    EVP_PKEY *key = make_key("P-256");
    X509 *certificate = make_certificate(key, &wish);

    (void)pin;
    make_bundle("recovery.pem", NULL, certificate);
    make_bundle("recovery.key", key, certificate);
}

static struct target *target_at(const char *file)
{
    const struct target_location place = { "", "", "", "", "", file, "" };
    struct target *target;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, target_direct(&target, &place, &err), &err);
    return target;
}

static void back_up_key(se_buf *out, bool is_tried)
{
    static const char *const certificates[] = { "recovery.pem" };
    AUTO(target) target = target_at("key.pem");
    AUTO(target) recovery = target_at("recovery.key");
    const struct backup_wish wish = { certificates, 1, is_tried ? recovery : NULL };
    struct backup_row row;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, provision_backup(out, &row, target, &wish, &err), &err);
    assert_int_equal(row.is_opened, is_tried);
    assert_string_equal(row.subject, "CN=needle");
}

static void restore_key(const se_buf *file)
{
    AUTO(target) target = target_at("new.pem");
    AUTO(target) recovery = target_at("recovery.key");
    const struct restore_wish wish = {
        .file = buf_bytes(file),
        .name = "the backup",
        .recovery = recovery,
    };
    size_t rows = 0;
    const struct provision_report report = { NULL, count_row, &rows };
    struct backup_row row;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, provision_restore(&row, target, &wish, &report, &err), &err);
    assert_true(row.is_opened);
    assert_int_equal(rows, 1);
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
    AUTO(se_buf) file = SE_BUF_INIT, tried = SE_BUF_INIT;

    (void)state;
    in_child(write_key);
    in_child(write_recovery);
    back_up_key(&file, false);
    assert_int_equal(pieces_in_memory(), 0);
    back_up_key(&tried, true);
    assert_int_equal(pieces_in_memory(), 0);
    restore_key(&file);
    assert_int_equal(pieces_in_memory(), 0);
    assert_true(pieces_in_content("new.pem") > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(nothing_stays_in_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
