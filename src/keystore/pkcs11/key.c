#include "keystore/pkcs11/key.h"

#include <stdlib.h>

#include "keystore/pkcs11/heal.h"
#include "keystore/pkcs11/late.h"
#include "keystore/pkcs11/sign.h"
#include "keystore/pkcs11/unwrap.h"

static void drop(void *arg)
{
    struct hsm_key *key = arg;

    EVP_PKEY_free(key->key.public);
    token_close(key->key.token);
    keyref_release(key->key.ref);
    free(key);
}

/* A key that could not be dropped stays. */
static void keep(void *key)
{
    (void)key;
}

/* With the last key its token's sessions are closed, which is not waited for for ever. */
void hsm_key_unref(struct hsm_key *key)
{
    static const struct timed_call dropping = { drop, keep };
    AUTO(keyref) ref = NULL;

    if (!key || __atomic_sub_fetch(&key->refs, 1, __ATOMIC_ACQ_REL))
        return;
    ref = keyref_hold(key->key.ref);
    (void)late_run(&dropping, key, ref);
}

static se_status sign_with(struct request *request, struct token_key *key, struct session *session,
                           se_error *err)
{
    return token_key_sign(&request->out, key, session, &request->sign, buf_bytes(&request->in),
                          err);
}

static se_status sign(se_buf *out, void *remote, const struct sign_how *how, se_bytes hash,
                      se_error *err)
{
    struct request request = { .run = sign_with, .sign = *how };
    se_status st = buf_copy(&request.in, hash, err);

    *out = (se_buf)SE_BUF_INIT;
    return st ? st : with_key(out, remote, &request, err);
}

static se_status unwrap_with(struct request *request, struct token_key *key,
                             struct session *session, se_error *err)
{
    return token_key_unwrap(&request->out, key, session, &request->unwrap, buf_bytes(&request->in),
                            err);
}

static se_status unwrap(se_buf *out, void *remote, const struct unwrap_how *how, se_bytes blob,
                        se_error *err)
{
    struct request request = { .run = unwrap_with, .unwrap = *how };
    se_status st = buf_copy(&request.in, blob, err);

    *out = (se_buf)SE_BUF_INIT;
    return st ? st : with_key(out, remote, &request, err);
}

static const char *sign_mechanism(void *remote, const struct sign_how *how)
{
    AUTO(hsm_key) key = remote_now(remote);

    return token_key_sign_mechanism(&key->key, how);
}

static const char *unwrap_mechanism(void *remote, const struct unwrap_how *how)
{
    AUTO(hsm_key) key = remote_now(remote);

    return token_key_unwrap_mechanism(&key->key, how);
}

static void close_remote(void *remote)
{
    remote_unref(remote);
}

se_status hsm_key_bridge(EVP_PKEY **out, struct hsm_key *key, X509 *certificate,
                         const struct key_watch *watch, se_error *err)
{
    static const struct remote_ops ops = { sign, unwrap, close_remote, sign_mechanism,
                                           unwrap_mechanism };
    struct remote *remote = calloc(1, sizeof *remote);
    se_status st;

    *out = NULL;
    if (!remote || !X509_up_ref(certificate)) {
        free(remote);
        hsm_key_unref(key);
        return error_memory(err);
    }
    *remote = (struct remote){ .refs = 1, .certificate = certificate, .watch = watch, .now = key };
    if ((st = remote_key(out, &ops, remote, key->key.public, err)))
        remote_unref(remote);
    return st;
}
