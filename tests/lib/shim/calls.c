/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/shim/calls.h"

/* tests/check-faults.sh compares these with the calls in src/ */
const char *const fault_names[FAULT_CALLS] = {
    [AT_INITIALIZE] = "C_Initialize",
    [AT_GET_INFO] = "C_GetInfo",
    [AT_SLOT_LIST] = "C_GetSlotList",
    [AT_TOKEN_INFO] = "C_GetTokenInfo",
    [AT_OPEN_SESSION] = "C_OpenSession",
    [AT_CLOSE_SESSION] = "C_CloseSession",
    [AT_SESSION_INFO] = "C_GetSessionInfo",
    [AT_LOGIN] = "C_Login",
    [AT_FIND_INIT] = "C_FindObjectsInit",
    [AT_FIND] = "C_FindObjects",
    [AT_FIND_FINAL] = "C_FindObjectsFinal",
    [AT_ATTRIBUTES] = "C_GetAttributeValue",
    [AT_SIGN_INIT] = "C_SignInit",
    [AT_SIGN] = "C_Sign",
    [AT_DECRYPT_INIT] = "C_DecryptInit",
    [AT_DECRYPT] = "C_Decrypt",
    [AT_FINALIZE] = "C_Finalize",
    [AT_SIGN_UPDATE] = "C_SignUpdate",
    [AT_SIGN_FINAL] = "C_SignFinal",
    [AT_CREATE] = "C_CreateObject",
    [AT_DESTROY] = "C_DestroyObject",
    [AT_SET_ATTRIBUTES] = "C_SetAttributeValue",
    [AT_GENERATE] = "C_GenerateKeyPair",
    [AT_DECRYPT_FINAL] = "C_DecryptFinal",
    [AT_GENERATE_SECRET] = "C_GenerateKey",
    [AT_MECHANISM_INFO] = "C_GetMechanismInfo",
    [AT_WRAP] = "C_WrapKey",
    [AT_UNWRAP] = "C_UnwrapKey",
};

static CK_FUNCTION_LIST inner;

#define BELOW(call) (fault_enter(), fault_leave(call))

static CK_RV initialize(void *args)
{
    CK_RV rv;

    fault_restart();
    rv = fault_at(AT_INITIALIZE);
    return rv ? rv : BELOW(inner.C_Initialize(args));
}

static CK_RV get_info(CK_INFO *info)
{
    CK_RV rv = fault_at(AT_GET_INFO);

    return rv ? rv : BELOW(inner.C_GetInfo(info));
}

static CK_RV slot_list(CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG *count)
{
    CK_RV rv = fault_at(AT_SLOT_LIST);

    if (rv == CKR_OK && present && fault_no_tokens()) {
        *count = 0;
        return CKR_OK;
    }
    return rv ? rv : BELOW(inner.C_GetSlotList(present, list, count));
}

static CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    CK_RV rv = fault_at(AT_TOKEN_INFO);

    return rv ? rv : BELOW(inner.C_GetTokenInfo(slot, info));
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *arg, CK_NOTIFY notify,
                          CK_SESSION_HANDLE *out)
{
    CK_RV rv = fault_at(AT_OPEN_SESSION);

    fault_slot(slot);
    return rv ? rv : BELOW(inner.C_OpenSession(slot, flags, arg, notify, out));
}

/* Closed in any case: a session that can't be closed would be counted as a leak. */
static CK_RV close_session(CK_SESSION_HANDLE session)
{
    CK_RV rv = fault_at(AT_CLOSE_SESSION), real = BELOW(inner.C_CloseSession(session));

    return rv ? rv : real;
}

static CK_RV session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
    CK_RV rv = fault_at(AT_SESSION_INFO);

    return rv ? rv : BELOW(inner.C_GetSessionInfo(session, info));
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG size)
{
    CK_RV rv = fault_at(AT_LOGIN);

    return rv ? rv : BELOW(inner.C_Login(session, user, pin, size));
}

static CK_RV find_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG n)
{
    CK_RV rv = fault_at(AT_FIND_INIT);

    return rv ? rv : BELOW(inner.C_FindObjectsInit(session, template, n));
}

static CK_RV find(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *out, CK_ULONG most, CK_ULONG *n)
{
    CK_RV rv = fault_at(AT_FIND);

    rv = rv ? rv : BELOW(inner.C_FindObjects(session, out, most, n));
    for (CK_ULONG i = 0; rv == CKR_OK && i < *n; i++)
        out[i] += fault_moved();
    return rv;
}

static CK_RV find_final(CK_SESSION_HANDLE session)
{
    CK_RV rv = fault_at(AT_FIND_FINAL), real = BELOW(inner.C_FindObjectsFinal(session));

    return rv ? rv : real;
}

static CK_RV attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template,
                        CK_ULONG n)
{
    CK_RV rv = fault_at(AT_ATTRIBUTES);

    return rv ? rv : BELOW(inner.C_GetAttributeValue(session, object - fault_moved(), template, n));
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    CK_RV rv = fault_at(AT_SIGN_INIT);

    rv = rv ? rv : fault_refusal(mechanism->mechanism);
    return rv ? rv : BELOW(inner.C_SignInit(session, mechanism, key - fault_moved()));
}

/* The module below ends its operation, as it would when the line is cut on the way back. */
static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG size, CK_BYTE *signature,
                  CK_ULONG *signature_size)
{
    CK_RV rv = fault_at(AT_SIGN),
          real = BELOW(inner.C_Sign(session, data, size, signature, signature_size));

    return rv ? rv : real;
}

static CK_RV decrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    CK_RV rv = fault_at(AT_DECRYPT_INIT);

    rv = rv ? rv : fault_refusal(mechanism->mechanism);
    return rv ? rv : BELOW(inner.C_DecryptInit(session, mechanism, key - fault_moved()));
}

static CK_RV decrypt(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_size, CK_BYTE *out,
                     CK_ULONG *size)
{
    CK_RV rv = fault_at(AT_DECRYPT), real = BELOW(inner.C_Decrypt(session, in, in_size, out, size));

    return rv ? rv : real;
}

static CK_RV decrypt_final(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG *size)
{
    CK_RV rv = fault_at(AT_DECRYPT_FINAL), real = BELOW(inner.C_DecryptFinal(session, out, size));

    return rv ? rv : real;
}

/* Finalised in any case. */
static CK_RV finalize(void *reserved)
{
    CK_RV rv = fault_at(AT_FINALIZE), real = BELOW(inner.C_Finalize(reserved));

    return rv ? rv : real;
}

static CK_RV sign_update(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG size)
{
    CK_RV rv = fault_at(AT_SIGN_UPDATE);

    return rv ? rv : BELOW(inner.C_SignUpdate(session, data, size));
}

static CK_RV sign_final(CK_SESSION_HANDLE session, CK_BYTE *signature, CK_ULONG *size)
{
    CK_RV rv = fault_at(AT_SIGN_FINAL), real = BELOW(inner.C_SignFinal(session, signature, size));

    return rv ? rv : real;
}

static CK_RV create(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG n,
                    CK_OBJECT_HANDLE *out)
{
    CK_RV rv = fault_at(AT_CREATE);

    rv = rv ? rv : BELOW(inner.C_CreateObject(session, template, n, out));
    *out += rv == CKR_OK ? fault_moved() : 0;
    return rv;
}

static CK_RV destroy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    CK_RV rv = fault_at(AT_DESTROY);

    return rv ? rv : BELOW(inner.C_DestroyObject(session, object - fault_moved()));
}

static CK_RV set_attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                            CK_ATTRIBUTE *template, CK_ULONG n)
{
    CK_RV rv = fault_at(AT_SET_ATTRIBUTES);

    return rv ? rv : BELOW(inner.C_SetAttributeValue(session, object - fault_moved(), template, n));
}

static CK_RV generate(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *public,
                      CK_ULONG publics, CK_ATTRIBUTE *private, CK_ULONG privates,
                      CK_OBJECT_HANDLE *out_public, CK_OBJECT_HANDLE *out_private)
{
    CK_RV rv = fault_at(AT_GENERATE);

    rv = rv ? rv
            : BELOW(inner.C_GenerateKeyPair(session, mechanism, public, publics, private, privates,
                                            out_public, out_private));
    *out_public += rv == CKR_OK ? fault_moved() : 0;
    *out_private += rv == CKR_OK ? fault_moved() : 0;
    return rv;
}

static CK_RV generate_secret(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                             CK_ATTRIBUTE *template, CK_ULONG n, CK_OBJECT_HANDLE *out)
{
    CK_RV rv = fault_at(AT_GENERATE_SECRET);

    rv = rv ? rv : BELOW(inner.C_GenerateKey(session, mechanism, template, n, out));
    *out += rv == CKR_OK ? fault_moved() : 0;
    return rv;
}

static CK_RV mechanism_info(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *out)
{
    CK_RV rv = fault_at(AT_MECHANISM_INFO);

    return rv ? rv : BELOW(inner.C_GetMechanismInfo(slot, type, out));
}

static CK_RV wrap(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE wrapping,
                  CK_OBJECT_HANDLE key, CK_BYTE *out, CK_ULONG *size)
{
    CK_RV rv = fault_at(AT_WRAP);

    return rv ? rv
              : BELOW(inner.C_WrapKey(session, mechanism, wrapping - fault_moved(),
                                      key - fault_moved(), out, size));
}

static CK_RV unwrap(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE unwrapping,
                    CK_BYTE *in, CK_ULONG size, CK_ATTRIBUTE *template, CK_ULONG n,
                    CK_OBJECT_HANDLE *out)
{
    CK_RV rv = fault_at(AT_UNWRAP);

    rv = rv ? rv
            : BELOW(inner.C_UnwrapKey(session, mechanism, unwrapping - fault_moved(), in, size,
                                      template, n, out));
    *out += rv == CKR_OK ? fault_moved() : 0;
    return rv;
}

void faults_install(CK_FUNCTION_LIST *list, CK_FUNCTION_LIST *real)
{
    inner = *list;
    fault_harms(&inner, real);
    list->C_Initialize = initialize;
    list->C_GetInfo = get_info;
    list->C_GetSlotList = slot_list;
    list->C_GetTokenInfo = token_info;
    list->C_OpenSession = open_session;
    list->C_CloseSession = close_session;
    list->C_GetSessionInfo = session_info;
    list->C_Login = login;
    list->C_FindObjectsInit = find_init;
    list->C_FindObjects = find;
    list->C_FindObjectsFinal = find_final;
    list->C_GetAttributeValue = attributes;
    list->C_SignInit = sign_init;
    list->C_Sign = sign;
    list->C_DecryptInit = decrypt_init;
    list->C_Decrypt = decrypt;
    list->C_DecryptFinal = decrypt_final;
    list->C_Finalize = finalize;
    list->C_SignUpdate = sign_update;
    list->C_SignFinal = sign_final;
    list->C_CreateObject = create;
    list->C_DestroyObject = destroy;
    list->C_SetAttributeValue = set_attributes;
    list->C_GenerateKeyPair = generate;
    list->C_GenerateKey = generate_secret;
    list->C_GetMechanismInfo = mechanism_info;
    list->C_WrapKey = wrap;
    list->C_UnwrapKey = unwrap;
}
