/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/crypto.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <pthread.h>

#include "crypto/provider_keymgmt.h"

static OSSL_LIB_CTX *context;
static EVP_MD *digests[DIGEST_SHA512 + 1];
enum { AES_SIZES = 3 };
static EVP_CIPHER *ciphers[CIPHER_AES_GCM + 1][AES_SIZES];
static EVP_MAC *hmac;
static EVP_KDF *hkdf;

static void fetch_digests(OSSL_LIB_CTX *made)
{
    for (enum digest d = DIGEST_SHA1; d <= DIGEST_SHA512; d++)
        digests[d] = EVP_MD_fetch(made, crypto_digest(d), NULL);
}

static void make_context(void)
{
    OSSL_LIB_CTX *made = OSSL_LIB_CTX_new();

    if (!made)
        return;
    if (!OSSL_PROVIDER_load(made, "default") || !remote_provider_load(made)) {
        OSSL_LIB_CTX_free(made);
        return;
    }
    ERR_set_mark();
    fetch_digests(made);
    ERR_pop_to_mark();
    context = made;
}

OSSL_LIB_CTX *crypto_context(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    return pthread_once(&once, make_context) ? NULL : context;
}

static void load_legacy(void)
{
    ERR_set_mark();
    (void)OSSL_PROVIDER_load(context, "legacy");
    ERR_pop_to_mark();
}

void crypto_legacy(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (crypto_context())
        (void)pthread_once(&once, load_legacy);
}

const EVP_MD *crypto_md(enum digest digest)
{
    return crypto_context() ? digests[digest] : NULL;
}

/* The first of them makes OpenSSL list all that it has, which processes that only sign do without.
 */
static void fetch_for_encryption(void)
{
    static const char *const names[][AES_SIZES] = {
        [CIPHER_AES_CBC] = { "AES-128-CBC", "AES-192-CBC", "AES-256-CBC" },
        [CIPHER_AES_GCM] = { "AES-128-GCM", "AES-192-GCM", "AES-256-GCM" },
    };

    ERR_set_mark();
    for (size_t i = 0; i < AES_SIZES; i++) {
        ciphers[CIPHER_AES_CBC][i] = EVP_CIPHER_fetch(context, names[CIPHER_AES_CBC][i], NULL);
        ciphers[CIPHER_AES_GCM][i] = EVP_CIPHER_fetch(context, names[CIPHER_AES_GCM][i], NULL);
    }
    hmac = EVP_MAC_fetch(context, "HMAC", NULL);
    hkdf = EVP_KDF_fetch(context, "HKDF", NULL);
    ERR_pop_to_mark();
}

static bool encryption_fetched(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    return crypto_context() && !pthread_once(&once, fetch_for_encryption);
}

const EVP_CIPHER *crypto_cipher(enum cipher cipher, unsigned bits)
{
    if (bits < 128 || bits > 256 || !encryption_fetched())
        return NULL;
    return ciphers[cipher][(bits - 128) / 64];
}

EVP_MAC *crypto_hmac(void)
{
    return encryption_fetched() ? hmac : NULL;
}

se_status crypto_hkdf(unsigned char *out, size_t size, se_bytes secret, se_bytes info,
                      se_error *err)
{
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA2-256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret.data, secret.size),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info.data, info.size),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF_CTX *ctx = encryption_fetched() ? EVP_KDF_CTX_new(hkdf) : NULL;
    bool done = ctx && EVP_KDF_derive(ctx, out, size, params) > 0;

    EVP_KDF_CTX_free(ctx);
    return done ? SE_OK : crypto_error(err, SE_ERR_CRYPTO, "HKDF failed");
}

se_status crypto_sha256(unsigned char out[SHA256_SIZE], const se_bytes *pieces, size_t count,
                        se_error *err)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool done = ctx && EVP_DigestInit_ex2(ctx, crypto_md(DIGEST_SHA256), NULL) > 0;

    for (size_t i = 0; done && i < count; i++)
        done = EVP_DigestUpdate(ctx, pieces[i].data, pieces[i].size) > 0;
    done = done && EVP_DigestFinal_ex(ctx, out, NULL) > 0;
    EVP_MD_CTX_free(ctx);
    return done ? SE_OK : crypto_error(err, SE_ERR_CRYPTO, "SHA-256 failed");
}

se_status crypto_draw_secret(unsigned char *out, size_t size, se_error *err)
{
    if (RAND_priv_bytes_ex(crypto_context(), out, size, 0) > 0)
        return SE_OK;
    return crypto_error(err, SE_ERR_CRYPTO, "no random bytes");
}

se_status crypto_draw_public(unsigned char *out, size_t size, se_error *err)
{
    if (RAND_bytes_ex(crypto_context(), out, size, 0) > 0)
        return SE_OK;
    return crypto_error(err, SE_ERR_CRYPTO, "no random bytes");
}
