#include "key/rsa_public.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <stdlib.h>

#include "key/crypto.h"
#include "key/key.h"

enum { USUAL_EXPONENT = 65537, SQUARINGS = 16 }; /* 2^16 + 1 */

struct rsa_public {
    BIGNUM *modulus, *exponent;
    BN_MONT_CTX *montgomery;
};

AUTO_KIND(numbers, BN_CTX *, BN_CTX_free(*p)) /* wipes what was computed with */

static bool read_numbers(struct rsa_public *key, const EVP_PKEY *from)
{
    AUTO(numbers) numbers = BN_CTX_new();

    return key_family(from) == FAMILY_RSA && numbers && EVP_PKEY_get_bn_param(from, OSSL_PKEY_PARAM_RSA_N, &key->modulus) > 0 &&
           EVP_PKEY_get_bn_param(from, OSSL_PKEY_PARAM_RSA_E, &key->exponent) > 0 && (key->montgomery = BN_MONT_CTX_new()) &&
           BN_MONT_CTX_set(key->montgomery, key->modulus, numbers);
}

se_status rsa_public_new(struct rsa_public **out, const EVP_PKEY *key, se_error *err)
{
    AUTO(rsa_public) made = calloc(1, sizeof *made);

    *out = NULL;
    if (!made)
        return error_memory(err);
    if (!read_numbers(made, key))
        return crypto_error(err, SE_ERR_KEY, "the key can't encrypt");
    *out = made;
    made = NULL;
    return SE_OK;
}

void rsa_public_free(struct rsa_public *key)
{
    if (!key)
        return;
    BN_free(key->modulus);
    BN_free(key->exponent);
    BN_MONT_CTX_free(key->montgomery);
    free(key);
}

size_t rsa_public_size(const struct rsa_public *key)
{
    return (size_t)BN_num_bytes(key->modulus);
}

/* The last multiplication is by `base` as it is, and not in Montgomery's form, so that its result needs no way back. */
static bool usual_power(BIGNUM *out, const BIGNUM *base, const struct rsa_public *key, BN_CTX *numbers)
{
    bool done = BN_to_montgomery(out, base, key->montgomery, numbers);

    for (int i = 0; done && i < SQUARINGS; i++)
        done = BN_mod_mul_montgomery(out, out, out, key->montgomery, numbers);
    return done && BN_mod_mul_montgomery(out, out, base, key->montgomery, numbers);
}

static bool power(BIGNUM *out, const BIGNUM *base, const struct rsa_public *key, BN_CTX *numbers)
{
    if (BN_is_word(key->exponent, USUAL_EXPONENT))
        return usual_power(out, base, key, numbers);
    return BN_mod_exp_mont(out, base, key->exponent, key->modulus, numbers, key->montgomery);
}

static bool encrypt(se_buf *out, const struct rsa_public *key, se_bytes block)
{
    AUTO(numbers) numbers = BN_CTX_new();
    BIGNUM *base, *result;

    if (!numbers)
        return false;
    BN_CTX_start(numbers);
    base = BN_CTX_get(numbers);
    result = BN_CTX_get(numbers); /* NULL if the one before it is */
    return result && BN_bin2bn(block.data, (int)block.size, base) && BN_ucmp(base, key->modulus) < 0 && power(result, base, key, numbers) &&
           BN_bn2binpad(result, out->data, (int)out->size) > 0;
}

se_status rsa_public_encrypt(se_buf *out, const struct rsa_public *key, se_bytes block, se_error *err)
{
    AUTO(se_buf) made = SE_BUF_INIT;
    se_status st = buf_new(&made, rsa_public_size(key), err);

    *out = (se_buf)SE_BUF_INIT;
    if (st)
        return st;
    if (block.size != made.size || !encrypt(&made, key, block))
        return crypto_error(err, SE_ERR_CRYPTO, "RSA failed");
    *out = buf_move(&made);
    return SE_OK;
}
