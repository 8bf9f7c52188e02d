#include "keystore/pkcs11/unwrap.h"

#include <openssl/rsa.h>

#include "crypto/crypto.h"
#include "keystore/pkcs11/rawrsa.h"

AUTO_KIND(pkey_ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free(*p))

/* Who is asked to decrypt how. */
struct question {
    struct token_key *key;
    struct session *session;
    const struct unwrap_how *how;
};

static const char *const names[] = {
    [WAY_NATIVE] = "CKM_RSA_PKCS_OAEP", [WAY_RAW] = "CKM_RSA_X_509"
};

static unsigned char *way_of(const struct question *q)
{
    return &q->key->ways.unwrap[q->how->digest][q->how->mgf1];
}

/* ---- one decryption: *rv is CKR_OK, or says why *out is empty ---- */

static se_status decrypt_natively(CK_RV *rv, se_buf *out, const struct question *q, se_bytes blob,
                                  se_error *err)
{
    CK_RSA_PKCS_OAEP_PARAMS params = { token_digest(q->how->digest)->mechanism,
                                       token_digest(q->how->mgf1)->mgf, CKZ_DATA_SPECIFIED, NULL,
                                       0 };
    AUTO(se_buf) room = SE_BUF_INIT;
    struct operation op = { true,   { CKM_RSA_PKCS_OAEP, &params, sizeof params },
                            blob,   &room,
                            CKR_OK, 0 };

    TRY(buf_new(&room, blob.size, err));
    TRY(operation_run(&op, q->key, q->session, err));
    *rv = op.rv == CKR_OK && op.size > room.size ? CKR_GENERAL_ERROR : op.rv;
    return *rv == CKR_OK ? buf_copy(out, (se_bytes){ room.data, op.size }, err) : SE_OK;
}

/* Some tokens give the number without its leading zeros. */
static void align(se_buf *block, size_t size)
{
    size_t zeros = block->size - size;

    memmove(block->data + zeros, block->data, size);
    memset(block->data, 0, zeros);
}

static se_status decrypt_raw(CK_RV *rv, se_buf *out, const struct question *q, se_bytes blob,
                             se_error *err)
{
    AUTO(se_buf) block = SE_BUF_INIT;
    struct operation op = { true, { CKM_RSA_X_509, NULL, 0 }, blob, &block, CKR_OK, 0 };
    bool good;
    se_status st;

    TRY(buf_new(&block, blob.size, err));
    TRY(operation_run(&op, q->key, q->session, err));
    *rv = op.rv == CKR_OK && op.size > block.size ? CKR_GENERAL_ERROR : op.rv;
    if (*rv != CKR_OK)
        return SE_OK;
    align(&block, op.size);
    st = raw_unpad(&good, out, q->how, buf_bytes(&block), err);
    *rv = good ? CKR_OK : CKR_ENCRYPTED_DATA_INVALID;
    return st;
}

static se_status decrypt(CK_RV *rv, se_buf *out, const struct question *q, enum way way,
                         se_bytes blob, se_error *err)
{
    return (way == WAY_NATIVE ? decrypt_natively : decrypt_raw)(rv, out, q, blob, err);
}

/* ---- what the answers mean ---- */

static const char known[] = "signengine asks what it knows";

static bool encrypt(se_buf *out, EVP_PKEY_CTX *ctx, const struct unwrap_how *how)
{
    size_t size = out->size;

    return ctx && EVP_PKEY_encrypt_init(ctx) > 0 &&
           EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, crypto_digest(how->digest), NULL) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, crypto_digest(how->mgf1), NULL) > 0 &&
           EVP_PKEY_encrypt(ctx, out->data, &size, (const unsigned char *)known, sizeof known) > 0;
}

/* A number without the highest bit is in the range of every modulus of that size, also of a
 * stranger's key. */
static se_status encrypt_known(se_buf *out, const struct question *q, se_error *err)
{
    AUTO(pkey_ctx) ctx = EVP_PKEY_CTX_new_from_pkey(crypto_context(), q->key->public, NULL);
    unsigned char highest = (unsigned char)(1U << (EVP_PKEY_get_bits(q->key->public) - 1) % 8);

    TRY(buf_new(out, (size_t)EVP_PKEY_get_size(q->key->public), err));
    do
        if (!encrypt(out, ctx, q->how))
            return crypto_error(err, SE_ERR_KEY, "the key can't encrypt with OAEP and %s",
                                digest_name(q->how->digest));
    while (out->data[0] & highest);
    return SE_OK;
}

/* Decrypts something that the key surely decrypts. */
static se_status ask_known(CK_RV *rv, const struct question *q, enum way way, se_error *err)
{
    AUTO(se_buf) blob = SE_BUF_INIT;
    AUTO(se_buf) clear = SE_BUF_INIT;
    se_status st;

    if ((st = encrypt_known(&blob, q, err)) ||
        (st = decrypt(rv, &clear, q, way, buf_bytes(&blob), err)) || *rv != CKR_OK)
        return st;
    if (clear.size != sizeof known || CRYPTO_memcmp(clear.data, known, sizeof known))
        *rv = CKR_ENCRYPTED_DATA_INVALID;
    return SE_OK;
}

/* Says that the token is away or the login lost, and nothing about blob or parameters.  The first
 * three some tokens say to anything. */
static bool is_away(CK_RV rv)
{
    se_status st = ckr_status(rv);

    if (rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED || rv == CKR_DEVICE_ERROR)
        return false;
    return st == SE_ERR_UNAVAILABLE || st == SE_ERR_ACCESS || st == SE_ERR_MEMORY ||
           (st == SE_ERR_CRYPTO && ckr_breaks_session(rv));
}

static se_status failed(const struct question *q, enum way way, CK_RV rv, se_error *err)
{
    return session_error(err, q->session, rv, "cannot decrypt with %s", names[way]);
}

static se_status can_neither(const struct question *q, CK_RV native, CK_RV raw, se_error *err)
{
    /* a vendor's own number is more often a line that is cut than a mechanism that is not there */
    if (ckr_status(raw) == SE_ERR_UNAVAILABLE || ckr_breaks_session(raw) || is_away(raw))
        return failed(q, WAY_RAW, raw, err);
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
 * The blob of the probe is our own, so a failure is the token's.  Codes that others give for
 * parameters that they do not know are no less many than those for failed decryptions: any that
 * does not mean that the token is away leads to the other way.
 */
static se_status probe(enum way *way, const struct question *q, se_error *err)
{
    CK_RV native, raw;
    se_status st = ask_known(&native, q, *way = WAY_NATIVE, err);

    if (!st && native != CKR_OK) {
        if (is_away(native))
            return failed(q, WAY_NATIVE, native, err);
        st = ask_known(&raw, q, *way = WAY_RAW, err);
        if (!st && raw != CKR_OK)
            return can_neither(q, native, raw, err);
    }
    if (!st)
        way_set(way_of(q), *way);
    return st;
}

/*
 * Tokens say no to a blob with many codes, some of which also mean that the token itself has
 * failed, and a difference between them that could be seen from outside would be a decryption
 * oracle.  So each failure, whatever its code, is followed by the same: the token shows that it
 * decrypts what we know, and is asked once more.
 */
static se_status insist(se_buf *out, const struct question *q, enum way way, se_bytes blob,
                        se_error *err)
{
    CK_RV rv;
    se_status st;

    TRY(ask_known(&rv, q, way, err));
    if (rv != CKR_OK) {
        way_set(way_of(q), WAY_UNKNOWN);
        return failed(q, way, rv, err);
    }
    if ((st = decrypt(&rv, out, q, way, blob, err)) || rv == CKR_OK)
        return st;
    return is_away(rv) ? failed(q, way, rv, err) : remote_refused(err);
}

se_status token_key_unwrap(se_buf *out, struct token_key *key, struct session *session,
                           const struct unwrap_how *how, se_bytes blob, se_error *err)
{
    const struct question q = { key, session, how };
    enum way way;
    CK_RV rv;
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    if (!token_digest(how->digest) || !token_digest(how->mgf1))
        return error_set(err, SE_ERR_CRYPTO, "OAEP needs a digest");
    way = way_get(way_of(&q));
    if (way == WAY_UNKNOWN && (st = probe(&way, &q, err)))
        return st;
    if ((st = decrypt(&rv, out, &q, way, blob, err)) || rv == CKR_OK)
        return st;
    return is_away(rv) ? failed(&q, way, rv, err) : insist(out, &q, way, blob, err);
}

/* With a stranger's key neither way gives what was encrypted. */
se_status token_key_decrypts(bool *out, struct token_key *key, struct session *session,
                             se_error *err)
{
    const struct unwrap_how how = { DIGEST_SHA1, DIGEST_SHA1 };
    const struct question q = { key, session, &how };
    CK_RV rv;
    se_status st = ask_known(&rv, &q, WAY_NATIVE, err);

    if (!st && rv != CKR_OK && !is_away(rv))
        st = ask_known(&rv, &q, WAY_RAW, err);
    *out = !st && rv == CKR_OK;
    return st || *out || (ckr_status(rv) == SE_ERR_CRYPTO && !is_away(rv))
               ? st
               : failed(&q, WAY_RAW, rv, err);
}

const char *token_key_unwrap_mechanism(const struct token_key *key, const struct unwrap_how *how)
{
    static const char *const mechanisms[] = {
        [WAY_UNKNOWN] = "",
        [WAY_NATIVE] = "CKM_RSA_PKCS_OAEP",
        [WAY_RAW] = "CKM_RSA_X_509 + OAEP in software",
    };

    return mechanisms[way_get(&key->ways.unwrap[how->digest][how->mgf1])];
}
