/* What is done when a token is lost in mid-operation: everything is opened anew, and the operation
 * is tried once more. */
#ifndef KEYSTORE_PKCS11_HEAL_H
#define KEYSTORE_PKCS11_HEAL_H

#include "keystore/pkcs11/key.h"

/* What the EVP_PKEY holds, counted: a call that is late (late.h) keeps it. */
struct remote {
    unsigned refs;
    X509 *certificate;
    const struct key_watch *watch; /* may be NULL */

    /* under fork_lock_take() */
    struct hsm_key *now;
    unsigned renewals,
        told;  /* how often `now` was replaced, and how often when that was told last */
    bool away; /* that it is has been told */
};
void remote_unref(struct remote *remote);

/* The key as it was opened last, counted. */
struct hsm_key *remote_now(struct remote *remote);

/*
 * Something that is done with a key in a session that is logged in: with a copy of what it needs,
 * for it may go on when its caller has gone.  run() may be called twice: what fails with a call
 * that lost the session (session_error()) is tried again on a new one.
 */
struct request {
    se_status (*run)(struct request *request, struct token_key *key, struct session *session,
                     se_error *err);
    struct sign_how sign;
    struct unwrap_how unwrap;
    se_buf in, out;
};

/*
 * Runs `request`; what it holds is moved away.  *out: request->out of a success.
 * When the token is lost and does not come back at once, or does not answer in time, the result is
 * SE_ERR_UNAVAILABLE: to all callers without asking it, but for one at a time that looks whether it
 * is there again (base/breaker.h).
 */
SE_MUST_CHECK se_status with_key(se_buf *out, struct remote *remote, struct request *request,
                                 se_error *err);

/* What a module says of a device that it has lost, or is just finding again. */
bool may_be_away(se_status st);

/* Something that is opened on a module. */
typedef se_status module_opening(void *arg, struct module *module, se_error *err);

/* Runs `opening` on the module of `ref`: again, if it fails because the module has lost its device
 * and wants to be initialised anew. */
SE_MUST_CHECK se_status with_module(const struct keyref *ref, module_opening *opening, void *arg,
                                    se_error *err);

#endif
