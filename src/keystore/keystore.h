/* SPDX-License-Identifier: Apache-2.0 */
/* Where keys are.  To add a store: one file that fills a struct store_type, one row in keystores.c.
 */
#ifndef KEYSTORE_KEYSTORE_H
#define KEYSTORE_KEYSTORE_H

#include "config/config.h"
#include "crypto/key.h"

enum key_part {
    PART_CERTIFICATE, /* enough to verify: no PIN is presented to a token, key->private stays NULL
                       */
    PART_ENCRYPT,     /* likewise, unless the store can tell that the private key may not decrypt */
    PART_SIGN,        /* the private key as well, which may sign */
    PART_DECRYPT,     /* likewise, which may decrypt */
    PART_COUNT,
};

enum key_change {
    KEY_LOST,    /* its store is away, and operations fail */
    KEY_HEALED,  /* it is back */
    KEY_SLOWED,  /* its store refuses to work faster, and is asked more slowly */
    KEY_RENEWED, /* the store had lost its sessions and opened new ones; nothing failed */
};

/* Hears what happens to a key after it was opened: on a thread that uses the key, with nothing
 * locked. */
struct key_watch {
    void (*tell)(void *arg, enum key_change change, const char *text);
    void *arg;
};

struct store_type {
    const char *name; /* as keyref.store has it */
    bool has_rights;  /* it knows what a private key may do; others are never asked for PART_ENCRYPT
                       */

    /*
     * Opens the key that `ref` points at; the caller releases *out with key_unref().  `ref` and
     * `watch`, which may be NULL, outlive it. The PIN does not outlive the call.  Called from any
     * thread, several at once. SE_ERR_UNAVAILABLE: worth another try; SE_ERR_STORE, SE_ERR_KEY,
     * SE_ERR_ACCESS: not. The text says what was looked for, where, and what is there instead.
     */
    se_status (*open)(struct key **out, const struct keyref *ref, enum key_part part,
                      const struct key_watch *watch, se_error *err);
};

extern const struct store_type pkcs12_store, pem_store, pkcs11_store, key_vault_store,
    managed_hsm_store;

/* Opens a key with the store that `ref` names, from keyref.certificate alone where that is enough.
 */
SE_MUST_CHECK se_status store_open(struct key **out, const struct keyref *ref, enum key_part part,
                                   const struct key_watch *watch, se_error *err);

/* What tokens and login services refused within the last hour is presented to them again. */
void store_forget_refused_pins(void);

/* The certificate that the configuration itself gives (keyref.certificate, keyref.certificate_der),
 * with the rest of its file; out->own is NULL without one. */
SE_MUST_CHECK se_status store_configured_certificate(struct certificates *out,
                                                     const struct keyref *ref, se_error *err);

#endif
