/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/azure/jwk.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "base/base64.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "crypto/pkey_ops.h"

AUTO_KIND(bignum, BIGNUM *, BN_clear_free(*p))
AUTO_KIND(builder, OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free(*p))
AUTO_KIND(params, OSSL_PARAM *, OSSL_PARAM_free(*p))
AUTO_KIND(pkey_ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free(*p))

enum {
    RSA_LEAST_BITS = 2048,   /* what a vault makes and imports */
    RSA_MOST_BITS = 16384,   /* what OpenSSL verifies */
    RSA_MOST_E_BITS = 64,    /* likewise, of a large modulus */
    NUMBER_MOST_TEXT = 2750, /* base64url of RSA_MOST_BITS, and a zero byte before them */
    EC_MOST_BYTES = 66,
};

/* ---- from a vault ---- */

/* A text from the vault, for messages. */
static const char *clean_text(char out[64], const char *text)
{
    text_copy(out, 64, text, strlen(text));
    text_clean(out);
    return out;
}

static se_status read_number(BIGNUM **out, const json_t *jwk, const char *name, se_error *err)
{
    const json_t *member = json_object_get(jwk, name);
    se_bytes text = { json_string_value(member), json_string_length(member) };
    AUTO(se_buf) bytes = SE_BUF_INIT;

    if (!text.data)
        return error_set(err, SE_ERR_STORE, "the vault's key has no '%s'", name);
    if (text.size > NUMBER_MOST_TEXT)
        return error_set(err, SE_ERR_STORE, "the '%s' of the vault's key is too long", name);
    if (base64url_decode(&bytes, text, NULL))
        return error_set(err, SE_ERR_STORE, "the '%s' of the vault's key is not base64url", name);
    *out = BN_bin2bn(bytes.data, (int)bytes.size, NULL); /* zeroes in front don't count */
    return *out ? SE_OK : error_memory(err);
}

static se_status make_public_key(EVP_PKEY **out, const char *type, OSSL_PARAM_BLD *builder,
                                 se_error *err)
{
    AUTO(params) params = OSSL_PARAM_BLD_to_param(builder);
    AUTO(pkey_ctx) context = EVP_PKEY_CTX_new_from_name(crypto_context(), type, NULL);

    if (!params || !context)
        return error_memory(err);
    /* a point that is not on its curve is refused here */
    if (EVP_PKEY_fromdata_init(context) > 0 &&
        EVP_PKEY_fromdata(context, out, EVP_PKEY_PUBLIC_KEY, params) > 0)
        return SE_OK;
    return crypto_error(err, SE_ERR_STORE, "the vault's %s key is none", type);
}

static se_status check_rsa(const BIGNUM *n, const BIGNUM *e, se_error *err)
{
    int bits = BN_num_bits(n);

    if (bits > RSA_MOST_BITS || !BN_is_odd(n) || BN_num_bits(e) > RSA_MOST_E_BITS ||
        !BN_is_odd(e) || BN_is_one(e))
        return error_set(err, SE_ERR_STORE,
                         "the vault's RSA key makes no sense: %d bits, with an exponent of %d bits",
                         bits, BN_num_bits(e));
    if (bits < RSA_LEAST_BITS)
        return error_set(err, SE_ERR_KEY,
                         "the vault's RSA key has %d bits: fewer than %d are not used", bits,
                         RSA_LEAST_BITS);
    return SE_OK;
}

static se_status read_rsa(EVP_PKEY **out, const json_t *jwk, se_error *err)
{
    AUTO(bignum) n = NULL;
    AUTO(bignum) e = NULL;
    AUTO(builder) builder = OSSL_PARAM_BLD_new();

    TRY(read_number(&n, jwk, "n", err));
    TRY(read_number(&e, jwk, "e", err));
    TRY(check_rsa(n, e, err));
    if (!builder || !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) ||
        !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e))
        return error_memory(err);
    return make_public_key(out, "RSA", builder, err);
}

static se_status find_curve(const struct key_curve **out, const json_t *jwk, se_error *err)
{
    const char *name = json_string_value(json_object_get(jwk, "crv"));
    char text[64];

    for (size_t i = 0; name && i < KEY_CURVES; i++)
        if (strcmp(name, key_curves[i].name) == 0) {
            *out = &key_curves[i];
            return SE_OK;
        }
    if (!name)
        return error_set(err, SE_ERR_STORE, "the vault's key has no 'crv'");
    return error_set(err, SE_ERR_KEY,
                     "the vault's key is on the curve %s: only P-256, P-384 and P-521 are used",
                     clean_text(text, name));
}

static se_status read_ec(EVP_PKEY **out, const json_t *jwk, se_error *err)
{
    unsigned char point[1 + 2 * EC_MOST_BYTES] = { POINT_CONVERSION_UNCOMPRESSED };
    const struct key_curve *curve = NULL;
    AUTO(bignum) x = NULL;
    AUTO(bignum) y = NULL;
    AUTO(builder) builder = OSSL_PARAM_BLD_new();

    TRY(find_curve(&curve, jwk, err));
    TRY(read_number(&x, jwk, "x", err));
    TRY(read_number(&y, jwk, "y", err));
    if (BN_bn2binpad(x, point + 1, (int)curve->bytes) < 0 ||
        BN_bn2binpad(y, point + 1 + curve->bytes, (int)curve->bytes) < 0)
        return error_set(err, SE_ERR_STORE,
                         "the vault's key has coordinates that are too large for %s", curve->name);
    if (!builder ||
        !OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0) ||
        !OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point,
                                          1 + 2 * curve->bytes))
        return error_memory(err);
    return make_public_key(out, "EC", builder, err);
}

se_status jwk_public_key(EVP_PKEY **out, const json_t *jwk, se_error *err)
{
    const char *type = json_string_value(json_object_get(jwk, "kty"));
    char text[64];

    *out = NULL;
    ERR_clear_error();
    if (!type)
        return error_set(err, SE_ERR_STORE, "the vault's key does not say its kind ('kty')");
    if (strcmp(type, "RSA") == 0 || strcmp(type, "RSA-HSM") == 0)
        return read_rsa(out, jwk, err);
    if (strcmp(type, "EC") == 0 || strcmp(type, "EC-HSM") == 0)
        return read_ec(out, jwk, err);
    if (text_starts(type, "oct"))
        return error_set(err, SE_ERR_KEY,
                         "the vault's key is a symmetric one (%s): only RSA and EC keys are used",
                         clean_text(text, type));
    return error_set(err, SE_ERR_KEY,
                     "the vault's key is of the kind '%s': only RSA and EC keys are used",
                     clean_text(text, type));
}

/* ---- to a vault ---- */

struct member {
    const char *name, *param; /* of the JWK; OpenSSL's */
};

/*
 * A number of the key, base64url.  `width`: so many bytes (RFC 7518, 6.2.1.2); 0: as few as there
 * are (section 2, Base64urlUInt).  OpenSSL writes into our memory: what it would allocate is not
 * wiped in all of its versions.
 */
static se_status write_number(struct writer *w, const EVP_PKEY *key, const struct member *member,
                              size_t width, se_error *err)
{
    AUTO(se_buf) native = SE_BUF_INIT;
    AUTO(se_buf) bytes = SE_BUF_INIT;
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(bignum) number = NULL;
    OSSL_PARAM params[2] = { OSSL_PARAM_END, OSSL_PARAM_END };

    TRY(buf_new(&native, RSA_MOST_BITS / 8, err));
    params[0] = OSSL_PARAM_construct_BN(member->param, native.data, native.size);
    if (EVP_PKEY_get_params(key, params) <= 0 || !OSSL_PARAM_modified(params) ||
        params[0].return_size > native.size)
        return crypto_error(err, SE_ERR_KEY, "the private key can't be taken out: it has no '%s'",
                            member->name);
    number = BN_native2bn(native.data, (int)params[0].return_size, NULL);
    if (!number)
        return error_memory(err);
    TRY(buf_new(&bytes, width ? width : (size_t)BN_num_bytes(number), err));
    if (BN_bn2binpad(number, bytes.data, (int)bytes.size) < 0)
        return error_set(err, SE_ERR_KEY, "the private key has a '%s' that is too large",
                         member->name);
    TRY(base64url_encode(&text, buf_bytes(&bytes), err));
    writer_format(w, ",\"%s\":\"", member->name);
    writer_put(w, text.data, text.size);
    writer_text(w, "\"");
    return SE_OK;
}

static se_status write_numbers(struct writer *w, const EVP_PKEY *key, const struct member *members,
                               size_t count, size_t width, se_error *err)
{
    for (size_t i = 0; i < count; i++)
        TRY(write_number(w, key, &members[i], width, err));
    writer_text(w, "}");
    return SE_OK;
}

static se_status write_rsa(struct writer *w, const EVP_PKEY *key, bool is_hsm, se_error *err)
{
    static const struct member members[] = {
        { "n", OSSL_PKEY_PARAM_RSA_N },          { "e", OSSL_PKEY_PARAM_RSA_E },
        { "d", OSSL_PKEY_PARAM_RSA_D },          { "p", OSSL_PKEY_PARAM_RSA_FACTOR1 },
        { "q", OSSL_PKEY_PARAM_RSA_FACTOR2 },    { "dp", OSSL_PKEY_PARAM_RSA_EXPONENT1 },
        { "dq", OSSL_PKEY_PARAM_RSA_EXPONENT2 }, { "qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
    };
    BIGNUM *third = NULL;
    bool is_multi_prime = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_FACTOR3, &third) > 0;

    BN_clear_free(third);
    if (is_multi_prime)
        return error_set(err, SE_ERR_KEY, "the RSA key has more than two primes");
    writer_format(w, "{\"kty\":\"%s\"", is_hsm ? "RSA-HSM" : "RSA");
    return write_numbers(w, key, members, sizeof members / sizeof *members, 0, err);
}

static se_status write_ec(struct writer *w, const EVP_PKEY *key, const struct key_curve *curve,
                          bool is_hsm, se_error *err)
{
    static const struct member members[] = {
        { "x", OSSL_PKEY_PARAM_EC_PUB_X },
        { "y", OSSL_PKEY_PARAM_EC_PUB_Y },
        { "d", OSSL_PKEY_PARAM_PRIV_KEY },
    };

    writer_format(w, "{\"kty\":\"%s\",\"crv\":\"%s\"", is_hsm ? "EC-HSM" : "EC", curve->name);
    return write_numbers(w, key, members, sizeof members / sizeof *members, curve->bytes, err);
}

se_status jwk_write_private(se_buf *out, const EVP_PKEY *key, bool is_hsm, se_error *err)
{
    const struct key_curve *curve = key_curve(key);
    AUTO(writer) w = { .room = 0 };
    char type[32];

    *out = (se_buf)SE_BUF_INIT;
    ERR_clear_error();
    if (curve) {
        TRY(write_ec(&w, key, curve, is_hsm, err));
    } else if (key_family(key) == FAMILY_RSA) {
        TRY(write_rsa(&w, key, is_hsm, err));
    } else {
        key_type_name(type, key);
        return error_set(err, SE_ERR_KEY,
                         "an %s key can't be imported: a vault takes RSA, P-256, P-384 and P-521",
                         type);
    }
    ERR_clear_error();
    return writer_finish(out, &w, err);
}

/* ---- signatures ---- */

se_status jwk_ecdsa_der(se_buf *out, const EVP_PKEY *key, se_bytes raw, se_error *err)
{
    const struct key_curve *curve = key_curve(key);

    *out = (se_buf)SE_BUF_INIT;
    if (!curve)
        return error_set(err, SE_ERR_KEY, "the key is none that makes ECDSA signatures");
    if (raw.size != 2 * curve->bytes)
        return error_set(err, SE_ERR_STORE,
                         "the vault gave %zu bytes as a signature with a %s key, not %zu", raw.size,
                         curve->name, 2 * curve->bytes);
    return ecdsa_to_der(out, raw, err);
}
