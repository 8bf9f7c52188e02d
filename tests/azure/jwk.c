/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and their JWK. */
#include "tests/azure/store.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct curve {
    const char *crv, *group;
    size_t width;
    int bits;
} curves[] = {
    { "P-256", "prime256v1", 32, 256 },
    { "P-384", "secp384r1", 48, 384 },
    { "P-521", "secp521r1", 66, 521 },
    { "P-256K", "secp256k1", 32, 256 },
};

static const struct curve *find_curve(const char *name)
{
    for (size_t i = 0; name && i < sizeof curves / sizeof *curves; i++)
        if (strcmp(curves[i].crv, name) == 0 || strcmp(curves[i].group, name) == 0)
            return &curves[i];
    return NULL;
}

const char *curve_group(const char *crv)
{
    const struct curve *curve = find_curve(crv);
    return curve ? curve->group : NULL;
}

size_t curve_width(const char *crv)
{
    const struct curve *curve = find_curve(crv);
    return curve ? curve->width : 0;
}

static void set_number(json_t *jwk, const char *name, EVP_PKEY *key, const char *parameter,
                       size_t width)
{
    BIGNUM *number = NULL;
    unsigned char bytes[1024];
    if (EVP_PKEY_get_bn_param(key, parameter, &number) != 1)
        return;
    size_t size = width ? width : (size_t)BN_num_bytes(number);
    BN_bn2binpad(number, bytes, (int)size);
    char *text = base64url_encode(bytes, size);
    json_object_set_new(jwk, name, json_string(text));
    free(text);
    BN_free(number);
}

json_t *jwk_public(EVP_PKEY *key, const char *crv)
{
    json_t *jwk = json_object();
    if (EVP_PKEY_is_a(key, "RSA")) {
        set_number(jwk, "n", key, OSSL_PKEY_PARAM_RSA_N, 0);
        set_number(jwk, "e", key, OSSL_PKEY_PARAM_RSA_E, 0);
    } else {
        json_object_set_new(jwk, "crv", json_string(crv));
        set_number(jwk, "x", key, OSSL_PKEY_PARAM_EC_PUB_X, curve_width(crv));
        set_number(jwk, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y, curve_width(crv));
    }
    return jwk;
}

/* A Managed HSM has nothing but -HSM keys, whatever was asked for. */
void version_describe(struct version *version, const char *kty)
{
    char group[64] = "";
    bool suffix = settings.hsm && !text_ends(kty, "-HSM");
    snprintf(version->kty, sizeof version->kty, "%s%s", kty, suffix ? "-HSM" : "");
    if (!version->key)
        return;
    if (EVP_PKEY_get_group_name(version->key, group, sizeof group, NULL) == 1) {
        const struct curve *curve = find_curve(group);
        snprintf(version->crv, sizeof version->crv, "%s", curve ? curve->crv : "");
    }
    version->bits = EVP_PKEY_get_bits(version->key);
    version->jwk = jwk_public(version->key, version->crv);
}

const char *key_generate(struct version *out, const char *kty, int bits, const char *crv)
{
    const struct curve *curve = find_curve(crv);
    if (strncmp(kty, "RSA", 3) == 0) {
        if (bits != 2048 && bits != 3072 && bits != 4096)
            return "key_size";
        out->key = EVP_RSA_gen((unsigned)bits);
    } else if (strncmp(kty, "EC", 2) == 0) {
        if (!curve)
            return "crv";
        out->key = EVP_EC_gen(curve->group);
    } else {
        if (bits != 128 && bits != 192 && bits != 256)
            return "key_size";
        out->octet_count = (size_t)bits / 8;
        out->bits = bits;
        RAND_bytes(out->octets, (int)out->octet_count);
    }
    version_describe(out, kty);
    return NULL;
}

/* ---- import ---- */

static BIGNUM *get_number(const json_t *jwk, const char *name)
{
    const char *text = json_string_value(json_object_get(jwk, name));
    size_t size;
    unsigned char *bytes = text ? base64url_decode(&size, text) : NULL;
    BIGNUM *number = bytes ? BN_bin2bn(bytes, (int)size, NULL) : NULL;
    free(bytes);
    return number;
}

static EVP_PKEY *make_key(const char *type, OSSL_PARAM_BLD *build)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!parameters || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parameters) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    return key;
}

static EVP_PKEY *import_rsa(const json_t *jwk)
{
    static const char *const names[][2] = {
        { "n", OSSL_PKEY_PARAM_RSA_N },          { "e", OSSL_PKEY_PARAM_RSA_E },
        { "d", OSSL_PKEY_PARAM_RSA_D },          { "p", OSSL_PKEY_PARAM_RSA_FACTOR1 },
        { "q", OSSL_PKEY_PARAM_RSA_FACTOR2 },    { "dp", OSSL_PKEY_PARAM_RSA_EXPONENT1 },
        { "dq", OSSL_PKEY_PARAM_RSA_EXPONENT2 }, { "qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
    };
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *numbers[8] = { NULL };
    bool whole = true;
    for (size_t i = 0; i < 8; i++) {
        numbers[i] = get_number(jwk, names[i][0]);
        whole = whole && numbers[i] && OSSL_PARAM_BLD_push_BN(build, names[i][1], numbers[i]);
    }
    EVP_PKEY *key = whole ? make_key("RSA", build) : NULL;
    for (size_t i = 0; i < 8; i++)
        BN_clear_free(numbers[i]);
    OSSL_PARAM_BLD_free(build);
    return key;
}

static EVP_PKEY *import_ec(const json_t *jwk, const char *crv)
{
    const struct curve *curve = find_curve(crv);
    BIGNUM *x = get_number(jwk, "x"), *y = get_number(jwk, "y"), *d = get_number(jwk, "d");
    EVP_PKEY *key = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (curve && x && y && d) {
        unsigned char point[133] = { POINT_CONVERSION_UNCOMPRESSED };
        BN_bn2binpad(x, point + 1, (int)curve->width);
        BN_bn2binpad(y, point + 1 + curve->width, (int)curve->width);
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0);
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
                                         1 + 2 * curve->width);
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, d);
        key = make_key("EC", build);
    }
    OSSL_PARAM_BLD_free(build);
    BN_free(x);
    BN_free(y);
    BN_clear_free(d);
    return key;
}

const char *jwk_import(struct version *out, const json_t *jwk)
{
    const char *kty = json_string_value(json_object_get(jwk, "kty"));
    if (!kty)
        return "kty is missing";
    if (strncmp(kty, "oct", 3) == 0) {
        const char *k = json_string_value(json_object_get(jwk, "k"));
        size_t size = 0;
        unsigned char *bytes = k ? base64url_decode(&size, k) : NULL;
        if (bytes && (size == 16 || size == 24 || size == 32))
            memcpy(out->octets, bytes, out->octet_count = size);
        free(bytes);
        out->bits = (int)out->octet_count * 8;
        version_describe(out, kty);
        return out->octet_count ? NULL : "k is missing or has a wrong size";
    }
    out->key = strncmp(kty, "RSA", 3) == 0 ? import_rsa(jwk)
               : strncmp(kty, "EC", 2) == 0
                   ? import_ec(jwk, json_string_value(json_object_get(jwk, "crv")))
                   : NULL;
    if (!out->key)
        return "the private key is incomplete or invalid";
    version_describe(out, kty);
    /* a leading zero byte of n stays: recorded */
    if (json_object_get(jwk, "n"))
        json_object_set(out->jwk, "n", json_object_get(jwk, "n"));
    return NULL;
}
