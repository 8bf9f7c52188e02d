#include "store/pkcs11/session.h"

#include "store/pkcs11/pool.h"

se_status session_open(struct session *out, struct module *module, CK_SLOT_ID slot, CK_FLAGS flags, se_error *err)
{
    CK_SESSION_HANDLE handle = 0;
    CK_RV rv = module->calls->C_OpenSession(slot, CKF_SERIAL_SESSION | flags, NULL, NULL, &handle);

    *out = (struct session){ 0 };
    if (rv != CKR_OK)
        return ckr_error(err, rv, "cannot open a session with the token in slot %lu", slot);
    *out = (struct session){ .calls = module->calls, .handle = handle };
    return SE_OK;
}

void session_end(struct session *session)
{
    if (session->pool)
        pool_put(session->pool, session);
    else if (session->calls)
        (void)session->calls->C_CloseSession(session->handle);
    *session = (struct session){ 0 };
}

void session_note(struct session *session, CK_RV rv)
{
    if (ckr_breaks_session(rv))
        session->broken = true;
}
