/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: those in the slots of a module, the one that a configuration means, and those in use. */
#ifndef KEYSTORE_PKCS11_TOKEN_H
#define KEYSTORE_PKCS11_TOKEN_H

#include "base/breaker.h"
#include "config/config.h"
#include "crypto/provider_keymgmt.h"
#include "keystore/pkcs11/session.h"

/* ---- the slots of a module that hold a token, as data and as words for messages ---- */

struct slot {
    CK_SLOT_ID id;
    CK_RV rv; /* of C_GetTokenInfo; when it is not CKR_OK, the rest is empty */
    CK_FLAGS flags;
    unsigned long max_sessions; /* CK_EFFECTIVELY_INFINITE, CK_UNAVAILABLE_INFORMATION */
    char label[33], manufacturer[33], model[17], serial[17];
};

struct slots {
    struct slot *list; /* in the module's order: slotIndex counts from 0 */
    size_t count;
};

/* Those with a token in them, initialised or not.  The caller releases *out with slots_free(). */
SE_MUST_CHECK se_status slots_load(struct slots *out, struct module *module, se_error *err);
void slots_free(struct slots *slots);
AUTO_KIND(slots, struct slots, slots_free(p))

/* Asks again for the slot of that ID. */
void slot_load(struct slot *out, struct module *module, CK_SLOT_ID id);

/*
 * SoftHSM writes a token's file anew at each login, of whatever process: for that moment it shows
 * the token to others as not initialised, or answers CKR_GENERAL_ERROR.  So long it is asked again.
 */
enum { TOKEN_WRITING_TRIES = 10, TOKEN_WRITING_PAUSE_US = 5000 };

/* Likewise; while its file may be being written, until it is a token with these flags. */
void slot_load_settled(struct slot *out, struct module *module, CK_SLOT_ID id, CK_FLAGS expected);

static inline bool slot_initialised(const struct slot *slot)
{
    return slot->rv == CKR_OK && (slot->flags & CKF_TOKEN_INITIALIZED) != 0;
}

/* slot 1027394 'lab' serial 8f1c */
void slot_text(struct writer *out, const struct slot *slot);

/*
 * The slot of the token that `ref` means: slot ID, label, serial and index, as far as they are
 * given, must all fit exactly one.  With none of them: the one initialised token that shows
 * ref->alias without a login, or else the only one.  SE_ERR_STORE lists the slots, labels and
 * serials that are there instead; SE_ERR_UNAVAILABLE: no slot has any token.
 */
SE_MUST_CHECK se_status token_select(CK_SLOT_ID *out, struct module *module,
                                     const struct keyref *ref, se_error *err);

/* ---- tokens in use ---- */

/*
 * By this process: keys on one token share its sessions and its login.  Counted; one per module and
 * slot.
 */
struct token {
    struct module *module; /* counted */
    struct slot slot;      /* as it was when the token was opened */
    struct pool pool;

    pthread_mutex_t login; /* held while a PIN is presented */
    bool wrong_pin_seen;   /* atomic; by the token before our last login, and nobody was told yet */

    /* atomic, by clock_monotonic_ms() */
    int64_t deaf; /* since when all that its device must do fails as if it were away; 0: it works */
    int64_t answered; /* when an operation last succeeded */

    /* kept by recovery.c under fork_lock_take() */
    struct breaker breaker;
    char away[200]; /* why it is open */

    /* kept under module->tokens_lock */
    unsigned refs;
    struct token *next;
};

/* The token in that slot, which is counted; nothing is presented to it.  SE_ERR_ACCESS: it is not
 * initialised. */
SE_MUST_CHECK se_status token_open(struct token **out, struct module *module, CK_SLOT_ID slot,
                                   se_error *err);
void token_close(struct token *token); /* accepts NULL */
AUTO_KIND(token, struct token *, token_close(*p))

/* A login or an operation has succeeded, or has failed as if the device were away. */
void token_note_hearing(struct token *token, bool heard);

/* How many are open, in use or not. */
unsigned token_count_sessions(struct token *token);

/* Puts in front of the error which token it is about; returns its status. */
se_status token_context(const struct token *token, se_status status, se_error *err);

/* ---- login.c ---- */

/*
 * Logs the user in, if that has not happened yet: `session` is any session with this token.  The
 * PIN is taken from `ref` and does not outlive the call.  A wrong one is presented once
 * (pin_blocklist.h), and none is presented at the last try before the token locks itself: an
 * operator's login with the right PIN resets that.  All failures that trying again does not mend
 * are SE_ERR_ACCESS.
 */
SE_MUST_CHECK se_status token_login(struct token *token, struct session *session,
                                    const struct keyref *ref, se_error *err);

/* remote_ops.advise: whether others presented wrong PINs to it.  A login with the right one has it
 * forget that, so it is told once after each login that found it so. */
void token_advise(struct token *token, remote_advice_fn fn, void *arg);

/* The token is asked: other components of this process log in and out as well. */
bool token_is_logged_in(struct session *session);

/* For a key with CKA_ALWAYS_AUTHENTICATE: the login that it wants between C_SignInit and C_Sign. */
SE_MUST_CHECK se_status token_login_again(struct token *token, struct session *session,
                                          const struct keyref *ref, se_error *err);

/* A session of the token's pool, logged in if `login`; ref->max_sessions bounds the pool,
 * ref->keep_alive the age of what is idle. */
SE_MUST_CHECK se_status token_session(struct session *out, struct token *token,
                                      const struct keyref *ref, bool login, se_error *err);

#endif
