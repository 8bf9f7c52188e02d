#include "store/pkcs11/sign.h"

#include <openssl/ec.h>

#include "key/crypto.h"

AUTO_KIND(ecdsa_sig, ECDSA_SIG *, ECDSA_SIG_free(*p))

/* RFC 8017, section 9.2, note 1: what stands before the hash in a DigestInfo. */
enum { PREFIX = 19, HASH_MOST = 64 };
static const struct hash {
    enum digest digest;
    size_t size;
    CK_MECHANISM_TYPE mechanism;
    CK_RSA_PKCS_MGF_TYPE mgf;
    unsigned char prefix[PREFIX];
} hashes[] = {
    { DIGEST_SHA256,
      32,
      CKM_SHA256,
      CKG_MGF1_SHA256,
      { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 } },
    { DIGEST_SHA384,
      48,
      CKM_SHA384,
      CKG_MGF1_SHA384,
      { 0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30 } },
    { DIGEST_SHA512,
      64,
      CKM_SHA512,
      CKG_MGF1_SHA512,
      { 0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40 } },
};

/* What the token is asked to do, and what it must answer. */
struct request {
    const char *name;
    CK_MECHANISM mechanism;
    CK_RSA_PKCS_PSS_PARAMS pss;
    unsigned char data[PREFIX + HASH_MOST];
    CK_ULONG size;
    CK_ULONG answer; /* bytes of the signature, exactly */
};

static void add(struct request *r, const void *data, size_t size)
{
    memcpy(r->data + r->size, data, size);
    r->size += size;
}

static void ask_pkcs1(struct request *r, const struct hash *hash, se_bytes value)
{
    r->name = "CKM_RSA_PKCS";
    r->mechanism = (CK_MECHANISM){ CKM_RSA_PKCS, NULL, 0 };
    add(r, hash->prefix, PREFIX);
    add(r, value.data, value.size);
}

static void ask_pss(struct request *r, const struct hash *hash, se_bytes value, int salt)
{
    r->name = "CKM_RSA_PKCS_PSS";
    r->pss = (CK_RSA_PKCS_PSS_PARAMS){ hash->mechanism, hash->mgf, (CK_ULONG)salt };
    r->mechanism = (CK_MECHANISM){ CKM_RSA_PKCS_PSS, &r->pss, sizeof r->pss };
    add(r, value.data, value.size);
}

/* ECDSA takes the leftmost bits of a hash that is longer than the group order (FIPS 186-4, 6.4): some tokens want that done for them. */
static void ask_ecdsa(struct request *r, se_bytes value, size_t order)
{
    r->name = "CKM_ECDSA";
    r->mechanism = (CK_MECHANISM){ CKM_ECDSA, NULL, 0 };
    add(r, value.data, value.size < order ? value.size : order);
}

static const struct hash *find_hash(enum digest digest)
{
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++)
        if (hashes[i].digest == digest)
            return &hashes[i];
    return NULL;
}

static se_status ask(struct request *r, const EVP_PKEY *public, const struct sign_how *how, se_bytes value, se_error *err)
{
    const struct hash *hash = find_hash(how->digest);
    size_t order = ((size_t)EVP_PKEY_get_bits(public) + 7) / 8;

    *r = (struct request){ .size = 0 };
    if (!hash || value.size != hash->size || how->salt < 0)
        return error_set(err, SE_ERR_CRYPTO, "no signature is made over %zu bytes of %s", value.size, digest_name(how->digest));
    if ((key_family(public) == FAMILY_EC) != (how->padding == PADDING_NONE))
        return error_set(err, SE_ERR_CRYPTO, "the padding does not go with the key");
    r->answer = how->padding == PADDING_NONE ? 2 * order : order;
    if (how->padding == PADDING_PKCS1)
        ask_pkcs1(r, hash, value);
    else if (how->padding == PADDING_PSS)
        ask_pss(r, hash, value, how->salt);
    else
        ask_ecdsa(r, value, order);
    return SE_OK;
}

static se_status begin(const struct token_key *key, struct session *session, struct request *r, se_error *err)
{
    CK_RV rv = session->calls->C_SignInit(session->handle, &r->mechanism, key->object);
    se_status st;

    if (rv == CKR_KEY_FUNCTION_NOT_PERMITTED)
        return error_set(err, SE_ERR_KEY, "the private key may not sign: %s", ckr_name(rv));
    if (rv == CKR_MECHANISM_INVALID)
        return error_set(err, SE_ERR_KEY, "the token has no %s: %s", r->name, ckr_name(rv));
    if (rv != CKR_OK)
        return session_error(err, session, rv, "cannot begin to sign with %s", r->name);
    if (!key->always_authenticate || !(st = token_login_again(key->token, session, key->ref, err)))
        return SE_OK;
    /* the operation that was begun would be in the way of the next */
    session->broken = true;
    return st;
}

static se_status run(se_buf *out, const struct token_key *key, struct session *session, struct request *r, se_error *err)
{
    CK_ULONG size = r->answer;
    se_status st;
    CK_RV rv;

    if ((st = buf_new(out, r->answer, err)) || (st = begin(key, session, r, err)))
        return st;
    rv = session->calls->C_Sign(session->handle, r->data, r->size, out->data, &size);
    if (rv != CKR_OK)
        return session_error(err, session, rv, "cannot sign with %s", r->name);
    if (size != r->answer)
        return error_set(err, SE_ERR_CRYPTO, "the token gave %lu bytes as a signature with %s, not %lu", size, r->name, r->answer);
    return SE_OK;
}

/* r and s, one after the other, as RFC 3279's ECDSA-Sig-Value */
static se_status der_encode(se_buf *out, const se_buf *raw, se_error *err)
{
    int half = (int)(raw->size / 2), size;
    BIGNUM *r = BN_bin2bn(raw->data, half, NULL), *s = BN_bin2bn(raw->data + half, half, NULL);
    AUTO(ecdsa_sig) signature = ECDSA_SIG_new();
    unsigned char *p;
    se_status st;

    if (!r || !s || !signature || !ECDSA_SIG_set0(signature, r, s)) {
        BN_free(r);
        BN_free(s);
        return crypto_error(err, SE_ERR_MEMORY, "cannot encode the signature");
    }
    if ((size = i2d_ECDSA_SIG(signature, NULL)) <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encode the signature");
    if ((st = buf_new(out, (size_t)size, err)))
        return st;
    p = out->data;
    (void)i2d_ECDSA_SIG(signature, &p);
    return SE_OK;
}

se_status token_key_sign(se_buf *out, const struct token_key *key, struct session *session, const struct sign_how *how, se_bytes hash,
                         se_error *err)
{
    AUTO(se_buf) raw = SE_BUF_INIT;
    struct request request;
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    if ((st = ask(&request, key->public, how, hash, err)) || (st = run(&raw, key, session, &request, err)))
        return st;
    if (how->padding == PADDING_NONE)
        return der_encode(out, &raw, err);
    *out = buf_move(&raw);
    return SE_OK;
}
