/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/probe.h"

#include "base/text.h"
#include "crypto/crypto.h"
#include "crypto/pkey_ops.h"
#include "engine/engine.h"

static se_bytes probe_text(void)
{
    return text_bytes("signengine check");
}

static se_status probe_verify(const struct key *key, const struct algorithm *algorithm,
                              se_bytes signature, se_error *err)
{
    AUTO(md_context) context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters;

    if (context &&
        EVP_DigestVerifyInit_ex(context, &parameters, crypto_digest(algorithm->digest),
                                crypto_context(), NULL, X509_get0_pubkey(key->certificate),
                                NULL) > 0 &&
        padding_set(parameters, algorithm) &&
        EVP_DigestVerify(context, signature.data, signature.size, probe_text().data,
                         probe_text().size) == 1)
        return SE_OK;
    return crypto_error(err, SE_ERR_KEY, "what it signs does not verify with its certificate");
}

static se_status probe_signing(const char **mechanism, const struct key *key,
                               const struct algorithm *algorithm, se_error *err)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    AUTO(se_buf) signature = SE_BUF_INIT;
    struct sign_how how = { algorithm->digest, algorithm->padding, 0 };
    size_t size = sizeof hash;

    if (!EVP_Q_digest(crypto_context(), crypto_digest(algorithm->digest), NULL, probe_text().data,
                      probe_text().size, hash, &size))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot hash");
    how.salt = algorithm->padding == PADDING_PSS ? (int)size : 0;
    TRY(key_sign_hash(&signature, key->private, &how, (se_bytes){ hash, size }, err));
    *mechanism = remote_sign_mechanism(key->private, &how);
    return probe_verify(key, algorithm, buf_bytes(&signature), err);
}

/* To its certificate and back. */
static se_status probe_round_trip(se_buf *clear, struct key *key, const struct unwrap_how *how,
                                  se_bytes secret, se_error *err)
{
    AUTO(se_buf) blob = SE_BUF_INIT;
    se_status st;

    if ((st = key_wrap(&blob, X509_get0_pubkey(key->certificate), how, secret, err)) ||
        (st = key_unwrap(clear, key->private, how, buf_bytes(&blob), err)))
        return st == SE_ERR_REJECTED || st == SE_ERR_USAGE ? error_restate(err, SE_ERR_KEY) : st;
    return SE_OK;
}

static se_status probe_decryption(const char **mechanism, struct key *key,
                                  const struct algorithm *algorithm, se_error *err)
{
    const struct unwrap_how how = { algorithm->oaep, algorithm->mgf1 };
    AUTO(se_buf) clear = SE_BUF_INIT;

    TRY(probe_round_trip(&clear, key, &how, probe_text(), err));
    *mechanism = remote_unwrap_mechanism(key->private, &how);
    if (clear.size != probe_text().size ||
        CRYPTO_memcmp(clear.data, probe_text().data, clear.size) != 0)
        return error_set(err, SE_ERR_KEY,
                         "it decrypts to something else than was encrypted for its certificate");
    return SE_OK;
}

se_status key_probe(const char **mechanism, struct key *key, const struct descriptor *descriptor,
                    se_error *err)
{
    const struct algorithm *algorithm = &descriptor->algorithm;

    *mechanism = "";
    if (algorithm->kind == ALGORITHM_CIPHER || algorithm->kind == ALGORITHM_WRAP)
        return probe_decryption(mechanism, key, algorithm, err);
    TRY(key_own_algorithm(&algorithm, descriptor, key->private, err));
    return probe_signing(mechanism, key, algorithm, err);
}
