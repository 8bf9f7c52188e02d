/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/pkcs11/rsa_padding.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "crypto/crypto.h"

/*
 * OpenSSL 3.0 calls these functions deprecated and offers the paddings only as a part of operations
 * with a whole key.  They are used nevertheless: a second, home-made constant-time OAEP would be
 * the greater risk.
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static int add_pkcs1(se_buf *out, se_bytes data)
{
    return RSA_padding_add_PKCS1_type_1(out->data, (int)out->size, data.data, (int)data.size);
}

static int add_pss(se_buf *out, EVP_PKEY *key, const EVP_MD *md, int salt, se_bytes hash)
{
    RSA *rsa = EVP_PKEY_get1_RSA(key);
    int ok = rsa && RSA_padding_add_PKCS1_PSS_mgf1(rsa, out->data, hash.data, md, md, salt);

    RSA_free(rsa);
    return ok;
}

static int check_oaep(se_buf *out, se_bytes block, const EVP_MD *md, const EVP_MD *mgf1)
{
    return RSA_padding_check_PKCS1_OAEP_mgf1(out->data, (int)out->size, block.data, (int)block.size,
                                             (int)block.size, NULL, 0, md, mgf1);
}

#pragma GCC diagnostic pop

AUTO_KIND(md, EVP_MD *, EVP_MD_free(*p))

static EVP_MD *digest_fetch(enum digest digest)
{
    return EVP_MD_fetch(crypto_context(), crypto_digest(digest), NULL);
}

se_status rsa_padding_add(se_buf *out, EVP_PKEY *key, const struct sign_how *how, se_bytes data,
                          se_error *err)
{
    AUTO(se_buf) padded = SE_BUF_INIT;
    AUTO(md) md = digest_fetch(how->digest);

    *out = (se_buf)SE_BUF_INIT;
    TRY(buf_new(&padded, (size_t)EVP_PKEY_get_size(key), err));
    if (!md || !(how->padding == PADDING_PSS ? add_pss(&padded, key, md, how->salt, data)
                                             : add_pkcs1(&padded, data)))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot pad the hash");
    *out = buf_move(&padded);
    return SE_OK;
}

se_status rsa_padding_remove_oaep(bool *good, se_buf *out, const struct unwrap_how *how,
                                  se_bytes block, se_error *err)
{
    AUTO(md) md = digest_fetch(how->digest);
    AUTO(md) mgf1 = digest_fetch(how->mgf1);
    AUTO(se_buf) room = SE_BUF_INIT;
    int size;

    *good = false;
    *out = (se_buf)SE_BUF_INIT;
    TRY(buf_new(&room, block.size, err));
    if (!md || !mgf1)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot remove the padding");
    ERR_set_mark();
    size = check_oaep(&room, block, md, mgf1);
    ERR_pop_to_mark();
    *good = size >= 0;
    return *good ? buf_copy(out, (se_bytes){ room.data, (size_t)size }, err) : SE_OK;
}
