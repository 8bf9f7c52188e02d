#include "store/pkcs11/tokenkey.h"

se_status operation_run(struct operation *op, const struct token_key *key, struct session *session, se_error *err)
{
    CK_FUNCTION_LIST *calls = session->calls;
    se_status st;

    op->rv = (op->decrypt ? calls->C_DecryptInit : calls->C_SignInit)(session->handle, &op->mechanism, key->object);
    if (op->rv != CKR_OK)
        return SE_OK;
    if (key->always_authenticate && (st = token_login_again(key->token, session, key->ref, err))) {
        session->broken = true; /* the operation that was begun would be in the way of the next */
        return st;
    }
    op->size = op->out->size;
    op->rv =
        (op->decrypt ? calls->C_Decrypt : calls->C_Sign)(session->handle, (CK_BYTE *)op->in.data, op->in.size, op->out->data, &op->size);
    return SE_OK;
}

/* SoftHSM says CKR_ARGUMENTS_BAD to the SHA-2 digests of OAEP. */
bool operation_refused(CK_RV rv)
{
    return rv == CKR_MECHANISM_INVALID || rv == CKR_MECHANISM_PARAM_INVALID || rv == CKR_ARGUMENTS_BAD || rv == CKR_FUNCTION_NOT_SUPPORTED;
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
