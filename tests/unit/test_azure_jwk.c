/* SPDX-License-Identifier: Apache-2.0 */
/* Keys as vaults have them: recorded ones, with signatures that they made, and keys to be imported.
 */
#include "keystore/azure/jwk.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "base/base64.h"
#include "crypto/crypto.h"
#include "tests/unit/azure_vectors.h"
#include "tests/unit/maker.h"

AUTO_KIND(pkey_ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free(*p))

/* ---- recorded signatures ---- */

static void decode(se_buf *out, const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    assert_non_null(text);
    assert_int_equal(base64url_decode(out, text_bytes(text), NULL), SE_OK);
}

/* "RS256": the digest of 256 bits. */
static enum digest digest_of(const char *alg)
{
    return strcmp(alg + 2, "256") == 0   ? DIGEST_SHA256
           : strcmp(alg + 2, "384") == 0 ? DIGEST_SHA384
                                         : DIGEST_SHA512;
}

static bool verify(EVP_PKEY *key, const char *alg, const se_buf *signature, const se_buf *hash)
{
    AUTO(pkey_ctx) context = EVP_PKEY_CTX_new_from_pkey(crypto_context(), key, NULL);

    assert_true(context && EVP_PKEY_verify_init(context) > 0);
    assert_true(EVP_PKEY_CTX_set_signature_md(context, crypto_md(digest_of(alg))) > 0);
    if (*alg == 'R')
        assert_true(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0);
    if (*alg == 'P') {
        assert_true(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0);
        assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0);
    }
    return EVP_PKEY_verify(context, signature->data, signature->size, hash->data, hash->size) == 1;
}

/* False: by a key that is refused. */
static bool check_recorded(const json_t *row)
{
    const json_t *jwk = json_object_get(row, "key");
    const char *alg = json_string_value(json_object_get(json_object_get(row, "request"), "alg"));
    AUTO(evp_pkey) key = NULL;
    AUTO(se_buf) hash = SE_BUF_INIT;
    AUTO(se_buf) raw = SE_BUF_INIT;
    AUTO(se_buf) der = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    if (strcmp(alg, "ES256K") == 0) {
        assert_status(SE_ERR_KEY, jwk_public_key(&key, jwk, &err), &err);
        assert_non_null(strstr(err.text, "P-256K"));
        assert_null(key);
        return false;
    }
    assert_status(SE_OK, jwk_public_key(&key, jwk, &err), &err);
    decode(&hash, json_object_get(row, "request"), "value");
    decode(&raw, json_object_get(row, "response"), "value");
    if (*alg == 'E')
        assert_status(SE_OK, jwk_ecdsa_der(&der, key, buf_bytes(&raw), &err), &err);
    else
        der = buf_move(&raw);
    assert_true(verify(key, alg, &der, &hash));
    hash.data[0] ^= 1;
    assert_false(verify(key, alg, &der, &hash));
    return true;
}

static void recorded_signatures_verify(void **state)
{
    AUTO(json) list = load_vectors("signatures.json");
    size_t verified = 0, refused = 0;

    (void)state;
    for (size_t i = 0; i < json_array_size(list); i++)
        if (check_recorded(json_array_get(list, i)))
            verified++;
        else
            refused++;
    assert_int_equal(verified, 79);
    assert_int_equal(refused, 6);
}

/* ---- private keys ---- */

static json_t *parse_private(const se_buf *text)
{
    json_t *json = json_loadb((const char *)text->data, text->size, JSON_REJECT_DUPLICATES, NULL);

    assert_non_null(json);
    return json;
}

/* OpenSSL makes a pair of what the JWK says, and that is the key. */
static EVP_PKEY *rebuild_rsa(const json_t *jwk)
{
    static const struct {
        const char *name, *param;
    } members[] = {
        { "n", OSSL_PKEY_PARAM_RSA_N },          { "e", OSSL_PKEY_PARAM_RSA_E },
        { "d", OSSL_PKEY_PARAM_RSA_D },          { "p", OSSL_PKEY_PARAM_RSA_FACTOR1 },
        { "q", OSSL_PKEY_PARAM_RSA_FACTOR2 },    { "dp", OSSL_PKEY_PARAM_RSA_EXPONENT1 },
        { "dq", OSSL_PKEY_PARAM_RSA_EXPONENT2 }, { "qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
    };
    enum { COUNT = sizeof members / sizeof *members };
    AUTO(pkey_ctx) context = EVP_PKEY_CTX_new_from_name(crypto_context(), "RSA", NULL);
    unsigned char native[COUNT][1024];
    OSSL_PARAM params[COUNT + 1];
    EVP_PKEY *key = NULL;

    for (size_t i = 0; i < COUNT; i++) {
        AUTO(se_buf) bytes = SE_BUF_INIT;
        BIGNUM *number;

        decode(&bytes, jwk, members[i].name);
        assert_int_not_equal(bytes.data[0], 0);
        number = BN_bin2bn(bytes.data, (int)bytes.size, NULL);
        assert_true(BN_bn2nativepad(number, native[i], sizeof native[i]) > 0);
        params[i] = OSSL_PARAM_construct_BN(members[i].param, native[i], sizeof native[i]);
        BN_free(number);
    }
    params[COUNT] = OSSL_PARAM_construct_end();
    assert_true(EVP_PKEY_fromdata_init(context) > 0);
    assert_true(EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) > 0);
    return key;
}

static void assert_pairwise(EVP_PKEY *key)
{
    AUTO(pkey_ctx) context = EVP_PKEY_CTX_new_from_pkey(crypto_context(), key, NULL);

    assert_true(EVP_PKEY_check(context) > 0);
}

static void rsa_keys_are_written(void **state)
{
    static const char *const types[] = { "RSA-2048", "RSA-3072" };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        bool is_hsm = i & 1;
        AUTO(evp_pkey) key = make_key(types[i / 2]);
        AUTO(evp_pkey) public_key = NULL;
        AUTO(evp_pkey) pair = NULL;
        AUTO(se_buf) text = SE_BUF_INIT;
        AUTO(json) jwk = NULL;
        se_error err = SE_ERROR_INIT;

        assert_status(SE_OK, jwk_write_private(&text, key, is_hsm, &err), &err);
        jwk = parse_private(&text);
        assert_int_equal(json_object_size(jwk), 9);
        assert_string_equal(json_string_value(json_object_get(jwk, "kty")),
                            is_hsm ? "RSA-HSM" : "RSA");
        assert_status(SE_OK, jwk_public_key(&public_key, jwk, &err), &err);
        assert_int_equal(EVP_PKEY_eq(key, public_key), 1);
        pair = rebuild_rsa(jwk);
        assert_int_equal(EVP_PKEY_eq(key, pair), 1);
        assert_pairwise(pair);
    }
}

static void check_ec_key(const char *curve, size_t bytes, bool is_hsm)
{
    AUTO(evp_pkey) key = make_key(curve);
    AUTO(evp_pkey) public_key = NULL;
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(json) jwk = NULL;
    se_error err = SE_ERROR_INIT;
    BIGNUM *number = NULL, *expected = NULL;

    assert_status(SE_OK, jwk_write_private(&text, key, is_hsm, &err), &err);
    jwk = parse_private(&text);
    assert_int_equal(json_object_size(jwk), 5);
    assert_string_equal(json_string_value(json_object_get(jwk, "kty")), is_hsm ? "EC-HSM" : "EC");
    assert_string_equal(json_string_value(json_object_get(jwk, "crv")), curve);
    for (const char *name = "xyd"; *name; name++) {
        AUTO(se_buf) value = SE_BUF_INIT;

        decode(&value, jwk, (const char[]){ *name, '\0' });
        assert_int_equal(value.size, bytes);
        if (*name == 'd')
            number = BN_bin2bn(value.data, (int)value.size, NULL);
    }
    assert_true(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &expected));
    assert_int_equal(BN_cmp(number, expected), 0);
    BN_clear_free(number);
    BN_clear_free(expected);
    assert_status(SE_OK, jwk_public_key(&public_key, jwk, &err), &err);
    assert_int_equal(EVP_PKEY_eq(key, public_key), 1);
}

static void ec_keys_are_written(void **state)
{
    (void)state;
    /* one in 128 numbers is shorter than its curve */
    for (int i = 0; i < 300; i++)
        check_ec_key("P-256", 32, i & 1);
    for (int i = 0; i < 4; i++) {
        check_ec_key("P-384", 48, i & 1);
        check_ec_key("P-521", 66, i & 1);
    }
}

static void keys_that_cannot_go_are_refused(void **state)
{
    static const char *const types[] = { "secp256k1", "brainpoolP256r1" };
    AUTO(evp_pkey) edwards = EVP_PKEY_Q_keygen(crypto_context(), NULL, "ED25519");
    AUTO(evp_pkey) pair = make_key("RSA-2048");
    AUTO(evp_pkey) public_key = NULL;
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(json) jwk = NULL;
    se_error err = SE_ERROR_INIT;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        AUTO(evp_pkey) key = make_key(types[i]);

        err = (se_error)SE_ERROR_INIT;
        assert_status(SE_ERR_KEY, jwk_write_private(&text, key, false, &err), &err);
        assert_non_null(strstr(err.text, types[i]));
        assert_null(text.data);
    }
    err = (se_error)SE_ERROR_INIT;
    assert_status(SE_ERR_KEY, jwk_write_private(&text, edwards, false, &err), &err);
    assert_non_null(strstr(err.text, "ED25519"));

    /* without its private half */
    assert_status(SE_OK, jwk_write_private(&text, pair, false, &err), &err);
    jwk = parse_private(&text);
    se_buf_free(&text);
    err = (se_error)SE_ERROR_INIT;
    assert_status(SE_OK, jwk_public_key(&public_key, jwk, &err), &err);
    assert_status(SE_ERR_KEY, jwk_write_private(&text, public_key, false, &err), &err);
    assert_non_null(strstr(err.text, "'d'"));
    assert_null(text.data);
}

/* ---- what makes no sense ---- */

static void assert_refused(se_status expected, const char *text, const char *says)
{
    AUTO(json) jwk = json_loads(text, 0, NULL);
    EVP_PKEY *key = (EVP_PKEY *)1;
    se_error err = SE_ERROR_INIT;

    assert_non_null(jwk);
    assert_status(expected, jwk_public_key(&key, jwk, &err), &err);
    assert_null(key);
    if (!strstr(err.text, says))
        fail_msg("'%s' does not say '%s'", err.text, says);
}

/* The generator of P-256. */
#define GX "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY"
#define GY "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"

static void bad_keys_are_refused(void **state)
{
    static const struct {
        se_status status;
        const char *jwk, *says;
    } rows[] = {
        { SE_ERR_STORE, "{}", "'kty'" },
        { SE_ERR_STORE, "{\"kty\":1}", "'kty'" },
        { SE_ERR_KEY, "{\"kty\":\"oct-HSM\"}", "symmetric one (oct-HSM)" },
        { SE_ERR_KEY, "{\"kty\":\"AKP-HSM\"}", "'AKP-HSM'" },
        { SE_ERR_KEY, "{\"kty\":\"RSA-\"}", "'RSA-'" },
        { SE_ERR_KEY, "{\"kty\":\"rsa\"}", "'rsa'" },
        { SE_ERR_KEY, "{\"kty\":\"a\\nb\"}", "'a b'" },
        { SE_ERR_STORE, "{\"kty\":\"RSA\"}", "no 'n'" },
        { SE_ERR_STORE, "{\"kty\":\"RSA\",\"n\":7}", "no 'n'" },
        { SE_ERR_STORE, "{\"kty\":\"RSA\",\"n\":\"AA==\"}", "'n' of the vault's key is not" },
        { SE_ERR_STORE, "{\"kty\":\"RSA\",\"n\":\"AA\",\"e\":\"AQAB\"}", "makes no sense: 0 bits" },
        { SE_ERR_STORE, "{\"kty\":\"EC\"}", "no 'crv'" },
        { SE_ERR_KEY, "{\"kty\":\"EC\",\"crv\":\"P-256K\"}", "P-256K" },
        { SE_ERR_KEY, "{\"kty\":\"EC\",\"crv\":\"p-256\"}", "p-256" },
        { SE_ERR_STORE, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" GX "\"}", "no 'y'" },
        { SE_ERR_STORE, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" GX "\",\"y\":\"" GX "\"}",
          "EC key is none" },
        { SE_ERR_STORE, "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" GX "\",\"y\":\"" GY "\"}",
          "EC key is none" },
        { SE_ERR_STORE, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}",
          "EC key is none" },
        { SE_ERR_STORE, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ" GX "\",\"y\":\"" GY "\"}",
          "" },
        { SE_ERR_STORE, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" GX GX "AA\",\"y\":\"" GY "\"}",
          "" },
    };
    AUTO(evp_pkey) key = NULL;
    AUTO(evp_pkey) none = NULL;
    AUTO(json) good = json_pack("{ssssssss}", "kty", "EC-HSM", "crv", "P-256", "x", GX, "y", GY);
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, jwk_public_key(&key, good, &err), &err);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_refused(rows[i].status, rows[i].jwk, rows[i].says);
    assert_int_equal(jwk_public_key(&none, NULL, NULL), SE_ERR_STORE);
    assert_null(none);
}

/* A modulus of so many bits, of which the last is `odd`. */
static void write_modulus(struct writer *w, int bits, bool odd)
{
    AUTO(se_buf) bytes = SE_BUF_INIT;
    AUTO(se_buf) text = SE_BUF_INIT;

    assert_int_equal(buf_new(&bytes, (size_t)bits / 8, NULL), SE_OK);
    bytes.data[0] = 0x80;
    bytes.data[bytes.size - 1] = odd;
    assert_int_equal(base64url_encode(&text, buf_bytes(&bytes), NULL), SE_OK);
    writer_put(w, text.data, text.size);
}

static void rsa_numbers_are_checked(void **state)
{
    static const struct {
        se_status status;
        int bits;
        bool odd;
        const char *e, *says;
    } rows[] = {
        { SE_OK, 2048, true, "AQAB", "" },
        { SE_OK, 16384, true, "Aw", "" },
        { SE_OK, 2048, true, "AAAAAAAAAAAAAAAAAQAB", "" },
        { SE_ERR_KEY, 1024, true, "AQAB", "1024 bits" },
        { SE_ERR_STORE, 2048, false, "AQAB", "makes no sense" },
        { SE_ERR_STORE, 16392, true, "AQAB", "makes no sense" },
        { SE_ERR_STORE, 32768, true, "AQAB", "too long" },
        { SE_ERR_STORE, 2048, true, "AQ", "makes no sense" },
        { SE_ERR_STORE, 2048, true, "AA", "makes no sense" },
        { SE_ERR_STORE, 2048, true, "Ag", "makes no sense" },
        { SE_ERR_STORE, 2048, true, "", "makes no sense" },
        { SE_ERR_STORE, 2048, true, "AQAAAAAAAAAB", "exponent of 65 bits" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO(writer) text = { .room = 0 };
        AUTO(json) jwk = NULL;
        AUTO(evp_pkey) key = NULL;
        se_error err = SE_ERROR_INIT;

        writer_text(&text, "{\"kty\":\"RSA\",\"n\":\"");
        write_modulus(&text, rows[i].bits, rows[i].odd);
        writer_format(&text, "\",\"e\":\"%s\"}", rows[i].e);
        jwk = json_loads(writer_string(&text), 0, NULL);
        assert_status(rows[i].status, jwk_public_key(&key, jwk, &err), &err);
        assert_int_equal(key != NULL, rows[i].status == SE_OK);
        if (!strstr(err.text, rows[i].says))
            fail_msg("'%s' does not say '%s'", err.text, rows[i].says);
    }
}

static void signatures_have_one_width(void **state)
{
    static const struct {
        const char *curve;
        size_t size;
    } rows[] = { { "P-256", 64 }, { "P-384", 96 }, { "P-521", 132 } };
    AUTO(evp_pkey) rsa = make_key("RSA-2048");
    unsigned char raw[256];
    se_buf out;

    (void)state;
    memset(raw, 0x01, sizeof raw);
    for (size_t i = 0; i < 3; i++) {
        AUTO(evp_pkey) key = make_key(rows[i].curve);

        for (size_t size = 0; size <= sizeof raw; size++) {
            memset(&out, 'x', sizeof out);
            assert_int_equal(jwk_ecdsa_der(&out, key, (se_bytes){ raw, size }, NULL),
                             size == rows[i].size ? SE_OK : SE_ERR_STORE);
            assert_int_equal(out.data != NULL, size == rows[i].size);
            se_buf_free(&out);
        }
    }
    assert_int_equal(jwk_ecdsa_der(&out, rsa, (se_bytes){ raw, 64 }, NULL), SE_ERR_KEY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_signatures_verify),
        cmocka_unit_test(rsa_keys_are_written),
        cmocka_unit_test(ec_keys_are_written),
        cmocka_unit_test(keys_that_cannot_go_are_refused),
        cmocka_unit_test(bad_keys_are_refused),
        cmocka_unit_test(rsa_numbers_are_checked),
        cmocka_unit_test(signatures_have_one_width),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
