#include "keystore/pkcs11/session.h"

#include "keystore/pkcs11/token.h"

CK_RV handle_open(CK_SESSION_HANDLE *out, bool *anew, struct module *module, CK_SLOT_ID slot,
                  CK_FLAGS flags)
{
    for (*anew = false;;) {
        CK_RV rv = module->calls->C_OpenSession(slot, CKF_SERIAL_SESSION | flags, NULL, NULL, out);
        enum handle_is is;

        if (rv != CKR_OK || (is = handles_add(&module->handles, *out)) == HANDLE_NEW)
            return rv;
        if (is == HANDLE_KNOWN) {
            *anew = true;
            tokens_forget(module);
            /* if the other one was idle, it is forgotten now, and this one is ours */
            is = handles_add(&module->handles, *out);
        }
        if (is == HANDLE_NEW)
            return CKR_OK;
        if (is == HANDLE_LOST) {
            (void)module->calls->C_CloseSession(*out);
            return CKR_HOST_MEMORY;
        }
    }
}

void handle_close(struct module *module, CK_SESSION_HANDLE handle)
{
    handles_close(&module->handles, handle);
    do
        (void)module->calls->C_CloseSession(handle);
    while (handles_closed(&module->handles, handle));
}

se_status session_open(struct session *out, struct module *module, CK_SLOT_ID slot, CK_FLAGS flags,
                       se_error *err)
{
    CK_SESSION_HANDLE handle = 0;
    bool anew;
    CK_RV rv = handle_open(&handle, &anew, module, slot, flags);

    *out = (struct session){ 0 };
    if (rv != CKR_OK)
        return ckr_error(err, rv, "cannot open a session with the token in slot %lu", slot);
    *out = (struct session){ .calls = module->calls, .module = module, .handle = handle };
    return SE_OK;
}

void session_end(struct session *session)
{
    if (session->pool)
        pool_put(session->pool, session);
    else if (session->calls)
        handle_close(session->module, session->handle);
    *session = (struct session){ 0 };
}

void session_note(struct session *session, CK_RV rv)
{
    if (ckr_breaks_session(rv))
        session->broken = true;
}
