#include "keystore/pkcs11/sign.h"

#include <openssl/ec.h>

#include "crypto/crypto.h"
#include "keystore/pkcs11/rawrsa.h"

AUTO_KIND(ecdsa_sig, ECDSA_SIG *, ECDSA_SIG_free(*p))

/* RFC 8017, section 9.2, note 1: what stands before the hash in a DigestInfo. */
enum { PREFIX = 19, HASH_MOST = 64 };
static const unsigned char prefixes[][PREFIX] = {
    [DIGEST_SHA256] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
                        0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 },
    [DIGEST_SHA384] = { 0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
                        0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30 },
    [DIGEST_SHA512] = { 0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
                        0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40 },
};

/* What is to be signed, as the token's own mechanism for it wants it. */
struct request {
    const struct sign_how *how;
    const char *name;
    CK_MECHANISM mechanism;
    CK_RSA_PKCS_PSS_PARAMS pss;
    unsigned char data[PREFIX + HASH_MOST];
    size_t size;
    size_t answer; /* bytes of the signature, exactly */
};

static void add(struct request *r, const void *data, size_t size)
{
    memcpy(r->data + r->size, data, size);
    r->size += size;
}

static void ask_pkcs1(struct request *r, se_bytes value)
{
    r->name = "CKM_RSA_PKCS";
    r->mechanism = (CK_MECHANISM){ CKM_RSA_PKCS, NULL, 0 };
    add(r, prefixes[r->how->digest], PREFIX);
    add(r, value.data, value.size);
}

static void ask_pss(struct request *r, const struct token_digest *hash, se_bytes value)
{
    r->name = "CKM_RSA_PKCS_PSS";
    r->pss = (CK_RSA_PKCS_PSS_PARAMS){ hash->mechanism, hash->mgf, (CK_ULONG)r->how->salt };
    r->mechanism = (CK_MECHANISM){ CKM_RSA_PKCS_PSS, &r->pss, sizeof r->pss };
    add(r, value.data, value.size);
}

/* ECDSA takes the leftmost bits of a hash that is longer than the group order (FIPS 186-4, 6.4):
 * some tokens want that done for them. */
static void ask_ecdsa(struct request *r, se_bytes value, size_t order)
{
    r->name = "CKM_ECDSA";
    r->mechanism = (CK_MECHANISM){ CKM_ECDSA, NULL, 0 };
    add(r, value.data, value.size < order ? value.size : order);
}

static se_status ask(struct request *r, const EVP_PKEY *public, const struct sign_how *how,
                     se_bytes value, se_error *err)
{
    const struct token_digest *hash = how->digest == DIGEST_SHA1 ? NULL : token_digest(how->digest);
    size_t order = ((size_t)EVP_PKEY_get_bits(public) + 7) / 8;

    *r = (struct request){ .how = how };
    if (!hash || value.size != hash->size || how->salt < 0)
        return error_set(err, SE_ERR_CRYPTO, "no signature is made over %zu bytes of %s",
                         value.size, digest_name(how->digest));
    if ((key_family(public) == FAMILY_EC) != (how->padding == PADDING_NONE))
        return error_set(err, SE_ERR_CRYPTO, "the padding does not go with the key");
    r->answer = how->padding == PADDING_NONE ? 2 * order : order;
    if (how->padding == PADDING_PKCS1)
        ask_pkcs1(r, value);
    else if (how->padding == PADDING_PSS)
        ask_pss(r, hash, value);
    else
        ask_ecdsa(r, value, order);
    return SE_OK;
}

/* What the token said, when it knows the mechanism. */
static se_status conclude(const struct operation *op, const char *name, struct session *session,
                          se_error *err)
{
    if (op->rv == CKR_KEY_FUNCTION_NOT_PERMITTED)
        return error_set(err, SE_ERR_KEY, "the private key may not sign: %s", ckr_name(op->rv));
    if (op->rv != CKR_OK)
        return session_error(err, session, op->rv, "cannot sign with %s", name);
    if (op->size != op->out->size)
        return error_set(err, SE_ERR_CRYPTO,
                         "the token gave %lu bytes as a signature with %s, not %zu", op->size, name,
                         op->out->size);
    return SE_OK;
}

static unsigned char *way_of(struct token_key *key, const struct sign_how *how)
{
    return &key->ways.sign[how->padding][how->digest];
}

static se_status sign_raw(se_buf *out, struct token_key *key, struct session *session,
                          const struct request *r, se_error *err)
{
    AUTO(se_buf) padded = SE_BUF_INIT;
    struct operation op = { .mechanism = { CKM_RSA_X_509, NULL, 0 }, .out = out };

    TRY(raw_pad(&padded, key->public, r->how, (se_bytes){ r->data, r->size }, err));
    op.in = buf_bytes(&padded);
    TRY(operation_run(&op, key, session, err));
    if (operation_refused(op.rv))
        return error_set(err, SE_ERR_KEY, "the token has neither %s nor CKM_RSA_X_509 for it: %s",
                         r->name, ckr_name(op.rv));
    TRY(conclude(&op, "CKM_RSA_X_509", session, err));
    way_set(way_of(key, r->how), WAY_RAW);
    return SE_OK;
}

static se_status run(se_buf *out, struct token_key *key, struct session *session,
                     const struct request *r, se_error *err)
{
    struct operation op = { .mechanism = r->mechanism, .in = { r->data, r->size }, .out = out };

    TRY(buf_new(out, r->answer, err));
    if (way_get(way_of(key, r->how)) == WAY_RAW)
        return sign_raw(out, key, session, r, err);
    TRY(operation_run(&op, key, session, err));
    if (op.rv == CKR_OK)
        way_set(way_of(key, r->how), WAY_NATIVE);
    if (!operation_refused(op.rv))
        return conclude(&op, r->name, session, err);
    if (r->how->padding == PADDING_NONE)
        return error_set(err, SE_ERR_KEY, "the token has no %s: %s", r->name, ckr_name(op.rv));
    return sign_raw(out, key, session, r, err);
}

/* r and s, one after the other, as RFC 3279's ECDSA-Sig-Value */
static se_status der_encode(se_buf *out, const se_buf *raw, se_error *err)
{
    int half = (int)(raw->size / 2), size;
    BIGNUM *r = BN_bin2bn(raw->data, half, NULL), *s = BN_bin2bn(raw->data + half, half, NULL);
    AUTO(ecdsa_sig) signature = ECDSA_SIG_new();
    unsigned char *p;

    if (!r || !s || !signature || !ECDSA_SIG_set0(signature, r, s)) {
        BN_free(r);
        BN_free(s);
        return crypto_error(err, SE_ERR_MEMORY, "cannot encode the signature");
    }
    if ((size = i2d_ECDSA_SIG(signature, NULL)) <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encode the signature");
    TRY(buf_new(out, (size_t)size, err));
    p = out->data;
    (void)i2d_ECDSA_SIG(signature, &p);
    return SE_OK;
}

se_status token_key_sign(se_buf *out, struct token_key *key, struct session *session,
                         const struct sign_how *how, se_bytes hash, se_error *err)
{
    AUTO(se_buf) raw = SE_BUF_INIT;
    struct request request;

    *out = (se_buf)SE_BUF_INIT;
    TRY(ask(&request, key->public, how, hash, err));
    TRY(run(&raw, key, session, &request, err));
    if (how->padding == PADDING_NONE)
        return der_encode(out, &raw, err);
    *out = buf_move(&raw);
    return SE_OK;
}

const char *token_key_sign_mechanism(const struct token_key *key, const struct sign_how *how)
{
    static const char *const mechanisms[PADDING_PSS + 1][WAY_RAW + 1] = {
        [PADDING_NONE] = { "", "CKM_ECDSA", "" },
        [PADDING_PKCS1] = { "", "CKM_RSA_PKCS", "CKM_RSA_X_509 + PKCS #1 padding in software" },
        [PADDING_PSS] = { "", "CKM_RSA_PKCS_PSS", "CKM_RSA_X_509 + PSS in software" },
    };

    return mechanisms[how->padding][way_get(&key->ways.sign[how->padding][how->digest])];
}
