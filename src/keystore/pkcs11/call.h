/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls into modules: with a deadline, because a module may never return (base/timed_call.h), and
 * the pair of calls that is one operation with a private key.
 */
#ifndef KEYSTORE_PKCS11_CALL_H
#define KEYSTORE_PKCS11_CALL_H

#include "base/timed_call.h"
#include "config/config.h"
#include "keystore/pkcs11/session.h"

enum {
    P11_CALL_MS = 20000,     /* unless the configuration says otherwise */
    P11_CALL_LATE_MOST = 16, /* at once, per module: each keeps a thread */
};

/* The first member of what is worked on; `ref` outlives the caller of p11_call_run(). */
struct p11_call {
    void (*run)(void *call);
    void (*release)(void *call);
    const struct keyref *ref; /* which module is called, and how long it may take */
    struct timed_call timed;  /* kept by p11_call_run() */
};

/*
 * Runs call->run(call) within the deadline of call->ref.  One without a deadline is plainly called,
 * but for p11-kit's client, which also dies of SIGPIPE.
 * TIMED_CALL_LATE: `call` is released when it returns.  TIMED_CALL_NONE: it was not made, because
 * too many calls into this module are late or there is no thread, and has been released.
 */
enum timed_call_end p11_call_run(struct p11_call *call);

/* SE_ERR_UNAVAILABLE, and why, for what p11_call_run() returned. */
se_status p11_call_error(se_error *err, const struct keyref *ref, enum timed_call_end end);

static inline unsigned p11_call_ms(const struct keyref *ref)
{
    return ref->deadline ? ref->deadline * 1000 : P11_CALL_MS;
}

struct p11_key;

/* C_SignInit and C_Sign, or C_DecryptInit and C_Decrypt, which have the same shape. */
struct p11_operation {
    bool decrypt;
    CK_MECHANISM mechanism;
    se_bytes in;
    se_buf *out; /* room for the answer */

    CK_RV rv;      /* of the token */
    CK_ULONG size; /* of its answer */
};

/*
 * With the login that the key wants between the two calls.  A failure is one of that login; the
 * token's answer to the operation is op->rv, and the session does not know of it yet
 * (session_error()).
 */
SE_MUST_CHECK se_status p11_operation_run(struct p11_operation *op, const struct p11_key *key,
                                          struct session *session, se_error *err);

/* A token answers so to a mechanism or to parameters that it does not have. */
bool p11_operation_refused(CK_RV rv);

/* The names of a digest for mechanism parameters; NULL: it has none. */
struct token_digest {
    enum digest digest;
    size_t size;
    CK_MECHANISM_TYPE mechanism;
    CK_RSA_PKCS_MGF_TYPE mgf;
};
const struct token_digest *token_digest(enum digest digest);

#endif
