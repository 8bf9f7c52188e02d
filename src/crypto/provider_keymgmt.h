/* SPDX-License-Identifier: Apache-2.0 */
/* A private key that can't be held (HSM, vault) as an EVP_PKEY, behind a provider of
 * our own in crypto_context(). */
#ifndef CRYPTO_PROVIDER_KEYMGMT_H
#define CRYPTO_PROVIDER_KEYMGMT_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "config/algorithm.h"

struct sign_how {
    enum digest digest;
    enum padding padding; /* PADDING_NONE: ECDSA */
    int salt;             /* PSS: bytes */
};

/* RSAES-OAEP (RFC 8017, 7.1) with MGF1 and an empty label. */
struct unwrap_how {
    enum digest digest, mgf1;
};

/* What a person should know of a key and its store, and do about it. */
struct remote_advice {
    const char *kind; /* a word that stays the same, as se_check_finding has it */
    int64_t date;     /* when it ends; 0: it has no date */
    const char *text; /* a sentence */
};
typedef void (*remote_advice_fn)(void *arg, const struct remote_advice *advice);

/* Whether a private key may leave its store, if only under another key. */
enum leaving { LEAVING_UNKNOWN, LEAVING_NO, LEAVING_YES };

/*
 * What a store implements for a key that stays where it is.  Called from any thread, several at
 * once. The se_error reaches the caller of the engine as it is: say what happened to which key,
 * without secrets.
 */
struct remote_ops {
    /* Signs a finished hash.  RSA: exactly the modulus size.  EC: DER ECDSA-Sig-Value.  *out is
     * released by the caller. */
    se_status (*sign)(se_buf *out, void *remote, const struct sign_how *how, se_bytes hash,
                      se_error *err);
    /*
     * Decrypts `blob`, which has exactly the modulus size.  For RSA keys; NULL: this key only
     * signs.  *out is released, and so wiped, by the caller. Whatever does not decrypt is
     * remote_refused(), whichever step of RFC 8017, 7.1.2, it fails at: telling one from the other,
     * by a word or by the time it takes, decrypts for strangers (Manger's attack).
     */
    se_status (*unwrap)(se_buf *out, void *remote, const struct unwrap_how *how, se_bytes blob,
                        se_error *err);
    /* The last EVP_PKEY on it is gone. */
    void (*close)(void *remote);
    /*
     * Whether it can do that at all, as far as is known without asking the store: for what is
     * checked beforehand.  NULL: only trying tells.
     */
    se_status (*may_sign)(void *remote, const struct sign_how *how, se_error *err);
    se_status (*may_unwrap)(void *remote, const struct unwrap_how *how, se_error *err);
    /*
     * What a person should know of the key and its store, and do about it: a sentence for each.  It
     * may ask the store.  NULL: there is nothing to say.
     */
    void (*advise)(void *remote, remote_advice_fn fn, void *arg);
    /* As the store says; NULL: it says nothing. */
    enum leaving (*may_leave)(void *remote);
    /*
     * How the last such operation was done, for people: "CKM_RSA_PKCS", "CKM_RSA_X_509 + OAEP in
     * software".  Static; "" when it is not known. NULL: there is nothing to say.
     */
    const char *(*sign_mechanism)(void *remote, const struct sign_how *how);
    const char *(*unwrap_mechanism)(void *remote, const struct unwrap_how *how);
};

/*
 * An EVP_PKEY whose public half is `public` (which is counted, not taken) and whose private
 * operations are `ops` on `remote`. `remote` is taken over on success only.
 */
SE_MUST_CHECK se_status remote_key(EVP_PKEY **out, const struct remote_ops *ops, void *remote,
                                   EVP_PKEY *public_key, se_error *err);

/* What remote_ops says to that; "software" for a key that is held. */
const char *remote_sign_mechanism(const EVP_PKEY *key, const struct sign_how *how);
const char *remote_unwrap_mechanism(const EVP_PKEY *key, const struct unwrap_how *how);

/* What remote_ops says beforehand; a key that is held can do everything, and has no advice. */
SE_MUST_CHECK se_status remote_may_sign(const EVP_PKEY *key, const struct sign_how *how,
                                        se_error *err);
SE_MUST_CHECK se_status remote_may_unwrap(const EVP_PKEY *key, const struct unwrap_how *how,
                                          se_error *err);
void remote_advise(const EVP_PKEY *key, remote_advice_fn fn, void *arg);
enum leaving remote_may_leave(const EVP_PKEY *key); /* one that is held may */

/*
 * What the last remote operation on this thread left behind: which replica of its key did it, how
 * many sessions its token had open, and its request, for the store's own log: what we named it, and
 * what the store did.  Static for the thread; 0 and "" when there was none since
 * remote_trace_forget().
 */
struct remote_trace {
    unsigned replica; /* from 1; 0: the key has no choice of them */
    unsigned sessions;
    char sent[40], answered[64];
};
const struct remote_trace *remote_trace(void);
void remote_trace_replica(unsigned replica);
void remote_trace_sessions(unsigned sessions);
void remote_trace_request(const char *sent, const char *answered);
void remote_trace_forget(void);

/* SE_ERR_REJECTED, and the one text for all that does not decrypt; nothing is put in front of it.
 */
se_status remote_refused(se_error *err);

/*
 * OpenSSL carries only numbers through a failure: this is the status and text of the last remote
 * one on this thread. Returns false when there is none.  Forgets it.
 */
bool remote_failure(se_error *out);

/* For crypto_context(): puts the provider into a context that is being made. */
bool remote_provider_load(OSSL_LIB_CTX *context);

#endif
