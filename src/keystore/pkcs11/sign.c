/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/pkcs11/sign.h"

#include "crypto/crypto.h"
#include "crypto/pkey_ops.h"
#include "keystore/pkcs11/rsa_padding.h"

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

/* What is signed, as the token's own mechanism wants it. */
struct sign_input {
    const struct sign_how *how;
    const char *name; /* of the mechanism */
    CK_MECHANISM mechanism;
    CK_RSA_PKCS_PSS_PARAMS pss;
    unsigned char data[PREFIX + HASH_MOST];
    size_t size;
    size_t signature_size; /* exactly */
};

static void input_append(struct sign_input *in, const void *data, size_t size)
{
    memcpy(in->data + in->size, data, size);
    in->size += size;
}

static void input_set_mechanism(struct sign_input *in, const struct token_digest *digest)
{
    switch (in->how->padding) {
    case PADDING_PKCS1:
        in->name = "CKM_RSA_PKCS";
        in->mechanism = (CK_MECHANISM){ CKM_RSA_PKCS, NULL, 0 };
        break;
    case PADDING_PSS:
        in->name = "CKM_RSA_PKCS_PSS";
        in->pss =
            (CK_RSA_PKCS_PSS_PARAMS){ digest->mechanism, digest->mgf, (CK_ULONG)in->how->salt };
        in->mechanism = (CK_MECHANISM){ CKM_RSA_PKCS_PSS, &in->pss, sizeof in->pss };
        break;
    default:
        in->name = "CKM_ECDSA";
        in->mechanism = (CK_MECHANISM){ CKM_ECDSA, NULL, 0 };
    }
}

static se_status input_make(struct sign_input *in, const EVP_PKEY *key, const struct sign_how *how,
                            se_bytes hash, se_error *err)
{
    const struct token_digest *digest =
        how->digest == DIGEST_SHA1 ? NULL : token_digest(how->digest);
    const bool is_ecdsa = how->padding == PADDING_NONE;
    const size_t order = ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;

    *in = (struct sign_input){ .how = how, .signature_size = is_ecdsa ? 2 * order : order };
    if (!digest || hash.size != digest->size || how->salt < 0)
        return error_set(err, SE_ERR_CRYPTO, "no signature is made over %zu bytes of %s", hash.size,
                         digest_name(how->digest));
    if ((key_family(key) == FAMILY_EC) != is_ecdsa)
        return error_set(err, SE_ERR_CRYPTO, "the padding does not go with the key");
    input_set_mechanism(in, digest);
    if (how->padding == PADDING_PKCS1)
        input_append(in, prefixes[how->digest], PREFIX);
    /* ECDSA takes the leftmost bits of a hash that is longer than the group order (FIPS 186-4,
     * 6.4): some tokens want that done for them */
    input_append(in, hash.data, is_ecdsa && hash.size > order ? order : hash.size);
    return SE_OK;
}

/* The token's answer, when it knows the mechanism. */
static se_status check_answer(const struct p11_operation *op, const char *name,
                              struct session *session, se_error *err)
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

static se_status sign_raw(se_buf *out, struct p11_key *key, struct session *session,
                          const struct sign_input *in, se_error *err)
{
    AUTO(se_buf) padded = SE_BUF_INIT;
    struct p11_operation op = { .mechanism = { CKM_RSA_X_509, NULL, 0 }, .out = out };

    TRY(rsa_padding_add(&padded, key->public_key, in->how, (se_bytes){ in->data, in->size }, err));
    op.in = buf_bytes(&padded);
    TRY(p11_operation_run(&op, key, session, err));
    if (p11_operation_refused(op.rv))
        return error_set(err, SE_ERR_KEY, "the token has neither %s nor CKM_RSA_X_509 for it: %s",
                         in->name, ckr_name(op.rv));
    return check_answer(&op, "CKM_RSA_X_509", session, err);
}

/* *way is how the key does it, and becomes how it did. */
static se_status sign_by_way(se_buf *out, unsigned char *way, struct p11_key *key,
                             struct session *session, const struct sign_input *in, se_error *err)
{
    struct p11_operation op = {
        .mechanism = in->mechanism,
        .in = { in->data, in->size },
        .out = out,
    };

    if (way_get(way) != WAY_RAW) {
        TRY(p11_operation_run(&op, key, session, err));
        if (op.rv == CKR_OK)
            way_set(way, WAY_NATIVE);
        if (!p11_operation_refused(op.rv))
            return check_answer(&op, in->name, session, err);
        if (in->how->padding == PADDING_NONE)
            return error_set(err, SE_ERR_KEY, "the token has no %s: %s", in->name, ckr_name(op.rv));
    }
    TRY(sign_raw(out, key, session, in, err));
    way_set(way, WAY_RAW);
    return SE_OK;
}

se_status p11_key_sign(se_buf *out, struct p11_key *key, struct session *session,
                       const struct sign_how *how, se_bytes hash, se_error *err)
{
    AUTO(se_buf) signature = SE_BUF_INIT;
    struct sign_input in;

    *out = (se_buf)SE_BUF_INIT;
    TRY(input_make(&in, key->public_key, how, hash, err));
    TRY(buf_new(&signature, in.signature_size, err));
    TRY(sign_by_way(&signature, &key->ways.sign[how->padding][how->digest], key, session, &in,
                    err));
    if (how->padding == PADDING_NONE)
        return ecdsa_to_der(out, buf_bytes(&signature), err);
    *out = buf_move(&signature);
    return SE_OK;
}

const char *p11_key_sign_mechanism(const struct p11_key *key, const struct sign_how *how)
{
    static const char *const mechanisms[PADDING_PSS + 1][WAY_RAW + 1] = {
        [PADDING_NONE] = { "", "CKM_ECDSA", "" },
        [PADDING_PKCS1] = { "", "CKM_RSA_PKCS", "CKM_RSA_X_509 + PKCS #1 padding in software" },
        [PADDING_PSS] = { "", "CKM_RSA_PKCS_PSS", "CKM_RSA_X_509 + PSS in software" },
    };

    return mechanisms[how->padding][way_get(&key->ways.sign[how->padding][how->digest])];
}
