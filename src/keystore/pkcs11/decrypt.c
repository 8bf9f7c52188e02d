/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/pkcs11/decrypt.h"

#include <openssl/rsa.h>

#include "crypto/crypto.h"
#include "keystore/pkcs11/rsa_padding.h"

AUTO_KIND(pkey_ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free(*p))

/* Which key decrypts, where and how. */
struct decryption {
    struct p11_key *key;
    struct session *session;
    const struct unwrap_how *how;
};

static const char *const way_names[] = {
    [WAY_NATIVE] = "CKM_RSA_PKCS_OAEP", [WAY_RAW] = "CKM_RSA_X_509"
};

static unsigned char *way_of(const struct decryption *q)
{
    return &q->key->ways.decrypt[q->how->digest][q->how->mgf1];
}

/* ---- one decryption: *rv is CKR_OK, or says why *out is empty ---- */

static se_status decrypt_natively(CK_RV *rv, se_buf *out, const struct decryption *q, se_bytes blob,
                                  se_error *err)
{
    CK_RSA_PKCS_OAEP_PARAMS params = {
        .hashAlg = token_digest(q->how->digest)->mechanism,
        .mgf = token_digest(q->how->mgf1)->mgf,
        .source = CKZ_DATA_SPECIFIED,
    };
    AUTO(se_buf) room = SE_BUF_INIT;
    struct p11_operation op = {
        .decrypt = true,
        .mechanism = { CKM_RSA_PKCS_OAEP, &params, sizeof params },
        .in = blob,
        .out = &room,
    };

    TRY(buf_new(&room, blob.size, err));
    TRY(p11_operation_run(&op, q->key, q->session, err));
    *rv = op.rv == CKR_OK && op.size > room.size ? CKR_GENERAL_ERROR : op.rv;
    return *rv == CKR_OK ? buf_copy(out, (se_bytes){ room.data, op.size }, err) : SE_OK;
}

/* Some tokens give the number without its leading zeros. */
static void align_right(se_buf *block, size_t size)
{
    size_t zeros = block->size - size;

    memmove(block->data + zeros, block->data, size);
    memset(block->data, 0, zeros);
}

static se_status decrypt_raw(CK_RV *rv, se_buf *out, const struct decryption *q, se_bytes blob,
                             se_error *err)
{
    AUTO(se_buf) block = SE_BUF_INIT;
    struct p11_operation op = {
        .decrypt = true,
        .mechanism = { CKM_RSA_X_509, NULL, 0 },
        .in = blob,
        .out = &block,
    };
    bool good;
    se_status st;

    TRY(buf_new(&block, blob.size, err));
    TRY(p11_operation_run(&op, q->key, q->session, err));
    *rv = op.rv == CKR_OK && op.size > block.size ? CKR_GENERAL_ERROR : op.rv;
    if (*rv != CKR_OK)
        return SE_OK;
    align_right(&block, op.size);
    st = rsa_padding_remove_oaep(&good, out, q->how, buf_bytes(&block), err);
    *rv = good ? CKR_OK : CKR_ENCRYPTED_DATA_INVALID;
    return st;
}

static se_status decrypt_by(CK_RV *rv, se_buf *out, const struct decryption *q, enum p11_way way,
                            se_bytes blob, se_error *err)
{
    return (way == WAY_NATIVE ? decrypt_natively : decrypt_raw)(rv, out, q, blob, err);
}

/* ---- what the answers mean ---- */

static const char probe[] = "signengine asks what it knows";

static bool encrypt_oaep(se_buf *out, EVP_PKEY_CTX *ctx, const struct unwrap_how *how)
{
    size_t size = out->size;

    return ctx && EVP_PKEY_encrypt_init(ctx) > 0 &&
           EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, crypto_digest(how->digest), NULL) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, crypto_digest(how->mgf1), NULL) > 0 &&
           EVP_PKEY_encrypt(ctx, out->data, &size, (const unsigned char *)probe, sizeof probe) > 0;
}

/* A number without the highest bit is in the range of every modulus of that size, also of a
 * stranger's key. */
static se_status encrypt_known(se_buf *out, const struct decryption *q, se_error *err)
{
    AUTO(pkey_ctx) ctx = EVP_PKEY_CTX_new_from_pkey(crypto_context(), q->key->public_key, NULL);
    unsigned char highest = (unsigned char)(1U << (EVP_PKEY_get_bits(q->key->public_key) - 1) % 8);

    TRY(buf_new(out, (size_t)EVP_PKEY_get_size(q->key->public_key), err));
    do
        if (!encrypt_oaep(out, ctx, q->how))
            return crypto_error(err, SE_ERR_KEY, "the key can't encrypt with OAEP and %s",
                                digest_name(q->how->digest));
    while (out->data[0] & highest);
    return SE_OK;
}

/* Decrypts something that the key surely decrypts. */
static se_status decrypt_known(CK_RV *rv, const struct decryption *q, enum p11_way way,
                               se_error *err)
{
    AUTO(se_buf) blob = SE_BUF_INIT;
    AUTO(se_buf) clear = SE_BUF_INIT;

    TRY(encrypt_known(&blob, q, err));
    TRY(decrypt_by(rv, &clear, q, way, buf_bytes(&blob), err));
    if (*rv == CKR_OK &&
        (clear.size != sizeof probe || CRYPTO_memcmp(clear.data, probe, sizeof probe)))
        *rv = CKR_ENCRYPTED_DATA_INVALID;
    return SE_OK;
}

/* The token is away or the login lost: nothing is said about blob or parameters.  Some tokens give
 * the first three codes for anything. */
static bool is_not_about_blob(CK_RV rv)
{
    se_status st = ckr_status(rv);

    if (rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED || rv == CKR_DEVICE_ERROR)
        return false;
    return st == SE_ERR_UNAVAILABLE || st == SE_ERR_ACCESS || st == SE_ERR_MEMORY ||
           (st == SE_ERR_CRYPTO && ckr_breaks_session(rv));
}

static se_status decrypt_failed(const struct decryption *q, enum p11_way way, CK_RV rv,
                                se_error *err)
{
    return session_error(err, q->session, rv, "cannot decrypt with %s", way_names[way]);
}

static se_status can_neither(const struct decryption *q, CK_RV native, CK_RV raw, se_error *err)
{
    /* a vendor's own number is more often a line that is cut than a mechanism that is not there */
    if (ckr_status(raw) == SE_ERR_UNAVAILABLE || ckr_breaks_session(raw) || is_not_about_blob(raw))
        return decrypt_failed(q, WAY_RAW, raw, err);
    session_note(q->session, native);
    if (native == CKR_KEY_FUNCTION_NOT_PERMITTED)
        return error_set(err, SE_ERR_KEY, "the private key may not decrypt: %s", ckr_name(native));
    return error_set(err, SE_ERR_KEY,
                     "the token has neither CKM_RSA_PKCS_OAEP with %s and MGF1 over %s (%s) nor "
                     "CKM_RSA_X_509 (%s)",
                     digest_name(q->how->digest), digest_name(q->how->mgf1), ckr_name(native),
                     ckr_name(raw));
}

/*
 * The probe's blob is our own, so a failure is the token's.  Tokens have as many codes for
 * parameters that they do not know as for failed decryptions: any code that does not mean that the
 * token is away leads to the other way.
 */
static se_status find_way(enum p11_way *way, const struct decryption *q, se_error *err)
{
    CK_RV native, raw;

    *way = WAY_NATIVE;
    TRY(decrypt_known(&native, q, *way, err));
    if (native != CKR_OK) {
        if (is_not_about_blob(native))
            return decrypt_failed(q, WAY_NATIVE, native, err);
        *way = WAY_RAW;
        TRY(decrypt_known(&raw, q, *way, err));
        if (raw != CKR_OK)
            return can_neither(q, native, raw, err);
    }
    way_set(way_of(q), *way);
    return SE_OK;
}

/*
 * Tokens say no to a blob with many codes, some of which also mean that the token itself has
 * failed, and a difference between them that could be seen from outside would be a decryption
 * oracle.  So each failure, whatever its code, is followed by the same: the token shows that it
 * decrypts what we know, and is asked once more.
 */
static se_status decrypt_again(se_buf *out, const struct decryption *q, enum p11_way way,
                               se_bytes blob, se_error *err)
{
    CK_RV rv;

    TRY(decrypt_known(&rv, q, way, err));
    if (rv != CKR_OK) {
        way_set(way_of(q), WAY_UNKNOWN);
        return decrypt_failed(q, way, rv, err);
    }
    TRY(decrypt_by(&rv, out, q, way, blob, err));
    if (rv == CKR_OK)
        return SE_OK;
    return is_not_about_blob(rv) ? decrypt_failed(q, way, rv, err) : remote_refused(err);
}

se_status p11_key_decrypt(se_buf *out, struct p11_key *key, struct session *session,
                          const struct unwrap_how *how, se_bytes blob, se_error *err)
{
    const struct decryption q = { key, session, how };
    enum p11_way way;
    CK_RV rv;

    *out = (se_buf)SE_BUF_INIT;
    if (!token_digest(how->digest) || !token_digest(how->mgf1))
        return error_set(err, SE_ERR_CRYPTO, "OAEP needs a digest");
    way = way_get(way_of(&q));
    if (way == WAY_UNKNOWN)
        TRY(find_way(&way, &q, err));
    TRY(decrypt_by(&rv, out, &q, way, blob, err));
    if (rv == CKR_OK)
        return SE_OK;
    return is_not_about_blob(rv) ? decrypt_failed(&q, way, rv, err)
                                 : decrypt_again(out, &q, way, blob, err);
}

/* With a stranger's key neither way gives what was encrypted. */
se_status p11_key_decrypts(bool *out, struct p11_key *key, struct session *session, se_error *err)
{
    const struct unwrap_how how = { DIGEST_SHA1, DIGEST_SHA1 };
    const struct decryption q = { key, session, &how };
    CK_RV rv;

    *out = false;
    TRY(decrypt_known(&rv, &q, WAY_NATIVE, err));
    if (rv != CKR_OK && !is_not_about_blob(rv))
        TRY(decrypt_known(&rv, &q, WAY_RAW, err));
    *out = rv == CKR_OK;
    if (*out || (ckr_status(rv) == SE_ERR_CRYPTO && !is_not_about_blob(rv)))
        return SE_OK;
    return decrypt_failed(&q, WAY_RAW, rv, err);
}

const char *p11_key_decrypt_mechanism(const struct p11_key *key, const struct unwrap_how *how)
{
    static const char *const mechanisms[] = {
        [WAY_UNKNOWN] = "",
        [WAY_NATIVE] = "CKM_RSA_PKCS_OAEP",
        [WAY_RAW] = "CKM_RSA_X_509 + OAEP in software",
    };

    return mechanisms[way_get(&key->ways.decrypt[how->digest][how->mgf1])];
}
