/* SPDX-License-Identifier: Apache-2.0 */
/* The store: from a keyref to a key, within the deadline. */
#include <stdlib.h>

#include "crypto/certificate.h"
#include "keystore/keystore.h"
#include "keystore/pkcs11/recovery.h"

/* What is being opened: complete in itself, because it may go on when its caller has gone. */
struct store_opening {
    struct p11_call call;
    const struct keyref *ref; /* held */
    enum key_part part;
    const struct key_watch
        *watch; /* only its address: nobody uses the key of a call that is late */
    struct key *key;
    se_error error;
};

/* A configured certificate reaches the store only together with a private key (store_open()). */
static se_status open_public(struct key **out, const struct store_opening *o, se_error *err)
{
    AUTO(certificates) certificates = { .own = NULL };
    const struct p11_search search = {
        .ref = o->ref,
        .part = o->part,
        .certificates = &certificates,
    };

    TRY(p11_search_run(&search, err));
    return key_new(out, NULL, &certificates, err);
}

static se_status open_private(struct key **out, const struct store_opening *o, se_error *err)
{
    AUTO(certificates) certificates = { .own = NULL };
    struct p11_key *key;
    EVP_PKEY *private_key;
    unsigned namesakes;

    TRY(store_configured_certificate(&certificates, o->ref, err));
    TRY(p11_key_open(&key, &certificates, o->ref, o->part, err));
    namesakes = key->namesakes;
    TRY(p11_key_wrap(&private_key, key, certificates.own, o->watch, err));
    TRY(key_new(out, private_key, &certificates, err));
    (*out)->namesakes = namesakes;
    return SE_OK;
}

static void opening_run(void *arg)
{
    struct store_opening *o = arg;

    o->error.status = (o->part <= PART_ENCRYPT ? open_public : open_private)(&o->key, o, &o->error);
}

static void opening_free(void *arg)
{
    struct store_opening *o = arg;

    key_unref(o->key);
    keyref_release(o->ref);
    free(o);
}

static se_status pkcs11_open(struct key **out, const struct keyref *ref, enum key_part part,
                             const struct key_watch *watch, se_error *err)
{
    struct store_opening *o = calloc(1, sizeof *o);
    const struct keyref *held;
    enum timed_call_end end;
    se_status st;

    *out = NULL;
    if (!o || !(held = keyref_hold(ref))) {
        free(o);
        return error_memory(err);
    }
    *o = (struct store_opening){
        .call = { .run = opening_run, .release = opening_free, .ref = held },
        .ref = held,
        .part = part,
        .watch = watch,
    };
    if ((end = p11_call_run(&o->call)) != TIMED_CALL_DONE)
        return p11_call_error(err, ref, end);
    if ((st = o->error.status))
        (void)error_set_at(err, st, o->error.file, o->error.line, "%s", o->error.text);
    else
        *out = MOVE(o->key);
    opening_free(o);
    return st;
}

const struct store_type pkcs11_store = {
    .name = "HSM",
    .has_rights = true,
    .open = pkcs11_open,
};
