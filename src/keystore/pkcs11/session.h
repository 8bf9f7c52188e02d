/* One session with a token, used by one thread at a time. */
#ifndef KEYSTORE_PKCS11_SESSION_H
#define KEYSTORE_PKCS11_SESSION_H

#include "keystore/pkcs11/module.h"

struct pool;

struct session {
    CK_FUNCTION_LIST *calls;
    struct module *module;
    CK_SESSION_HANDLE handle;
    struct pool *pool; /* where it goes back to; NULL: it is closed */
    unsigned losses;   /* of its pool, when it was opened */
    bool logged_in;    /* as far as its pool knows */
    bool broken;       /* not to be used again */
};

/*
 * C_OpenSession and C_CloseSession by the rules of handles.h.  *anew: the module has been
 * initialised anew by somebody else, and the pools know it now.
 */
CK_RV handle_open(CK_SESSION_HANDLE *out, bool *anew, struct module *module, CK_SLOT_ID slot,
                  CK_FLAGS flags);
void handle_close(struct module *module, CK_SESSION_HANDLE handle);

/* A session of its own, outside of any pool: `flags` may be CKF_RW_SESSION.  The caller ends it
 * with session_end(). */
SE_MUST_CHECK se_status session_open(struct session *out, struct module *module, CK_SLOT_ID slot,
                                     CK_FLAGS flags, se_error *err);

/* Closes it or gives it back to its pool; accepts an empty one and leaves it empty. */
void session_end(struct session *session);
AUTO_KIND(session, struct session, session_end(p))

/* ckr_error() that also remembers when `rv` means that the session is lost. */
#define session_error(err, session, rv, ...)                                                       \
    (session_note((session), (rv)), ckr_error_at((err), (rv), __FILE__, __LINE__, __VA_ARGS__))
void session_note(struct session *session, CK_RV rv);

#endif
