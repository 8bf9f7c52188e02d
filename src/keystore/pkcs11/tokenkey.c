#include "keystore/pkcs11/tokenkey.h"

#include <openssl/crypto.h>

static CK_RV begin(struct operation *op, const struct token_key *key, struct session *session)
{
    CK_FUNCTION_LIST *calls = session->calls;

    return (op->decrypt ? calls->C_DecryptInit : calls->C_SignInit)(session->handle, &op->mechanism,
                                                                    key->object);
}

/* C_Decrypt and C_Sign end an operation also when they fail (PKCS #11, 5.2); tpm2-pkcs11 leaves it
 * as it is. */
static void end_what_failed(const struct operation *op, struct session *session)
{
    CK_BYTE rest[1024];
    CK_ULONG size = sizeof rest;

    (void)(op->decrypt ? session->calls->C_DecryptFinal
                       : session->calls->C_SignFinal)(session->handle, rest, &size);
    OPENSSL_cleanse(rest, sizeof rest);
}

se_status operation_run(struct operation *op, const struct token_key *key, struct session *session,
                        se_error *err)
{
    CK_FUNCTION_LIST *calls = session->calls;
    se_status st;

    op->rv = begin(op, key, session);
    if (op->rv == CKR_OPERATION_ACTIVE) {
        end_what_failed(op, session);
        op->rv = begin(op, key, session);
    }
    if (op->rv != CKR_OK)
        return SE_OK;
    if (key->always_authenticate && (st = token_login_again(key->token, session, key->ref, err))) {
        session->broken = true; /* the operation that was begun would be in the way of the next */
        return st;
    }
    op->size = op->out->size;
    op->rv = (op->decrypt ? calls->C_Decrypt : calls->C_Sign)(
        session->handle, (CK_BYTE *)op->in.data, op->in.size, op->out->data, &op->size);
    return SE_OK;
}

/* SoftHSM says CKR_ARGUMENTS_BAD to the SHA-2 digests of OAEP. */
bool operation_refused(CK_RV rv)
{
    return rv == CKR_MECHANISM_INVALID || rv == CKR_MECHANISM_PARAM_INVALID ||
           rv == CKR_ARGUMENTS_BAD || rv == CKR_FUNCTION_NOT_SUPPORTED;
}

const struct token_digest *token_digest(enum digest digest)
{
    static const struct token_digest digests[] = {
        { DIGEST_SHA1, 20, CKM_SHA_1, CKG_MGF1_SHA1 },
        { DIGEST_SHA256, 32, CKM_SHA256, CKG_MGF1_SHA256 },
        { DIGEST_SHA384, 48, CKM_SHA384, CKG_MGF1_SHA384 },
        { DIGEST_SHA512, 64, CKM_SHA512, CKG_MGF1_SHA512 },
    };

    for (size_t i = 0; i < sizeof digests / sizeof *digests; i++)
        if (digests[i].digest == digest)
            return &digests[i];
    return NULL;
}
