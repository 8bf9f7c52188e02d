#include "store/pkcs11/key.h"

#include <stdlib.h>

#include "store/pkcs11/heal.h"
#include "store/pkcs11/sign.h"
#include "store/pkcs11/unwrap.h"

void hsm_key_unref(struct hsm_key *key)
{
    if (!key || __atomic_sub_fetch(&key->refs, 1, __ATOMIC_ACQ_REL))
        return;
    EVP_PKEY_free(key->key.public);
    token_close(key->key.token);
    free(key);
}

struct signing {
    se_buf *out;
    const struct sign_how *how;
    se_bytes hash;
};

static se_status sign_with(void *arg, struct token_key *key, struct session *session, se_error *err)
{
    const struct signing *s = arg;

    return token_key_sign(s->out, key, session, s->how, s->hash, err);
}

static se_status sign(se_buf *out, void *remote, const struct sign_how *how, se_bytes hash, se_error *err)
{
    struct signing signing = { out, how, hash };

    *out = (se_buf)SE_BUF_INIT;
    return with_key(remote, sign_with, &signing, err);
}

struct unwrapping {
    se_buf *out;
    const struct unwrap_how *how;
    se_bytes blob;
};

static se_status unwrap_with(void *arg, struct token_key *key, struct session *session, se_error *err)
{
    const struct unwrapping *u = arg;

    return token_key_unwrap(u->out, key, session, u->how, u->blob, err);
}

static se_status unwrap(se_buf *out, void *remote, const struct unwrap_how *how, se_bytes blob, se_error *err)
{
    struct unwrapping unwrapping = { out, how, blob };

    *out = (se_buf)SE_BUF_INIT;
    return with_key(remote, unwrap_with, &unwrapping, err);
}

static void close_remote(void *data)
{
    struct remote *remote = data;

    hsm_key_unref(remote->now);
    X509_free(remote->certificate);
    free(remote);
}

se_status hsm_key_bridge(EVP_PKEY **out, struct hsm_key *key, X509 *certificate, se_error *err)
{
    static const struct remote_ops ops = { sign, unwrap, close_remote };
    struct remote *remote = calloc(1, sizeof *remote);
    se_status st;

    *out = NULL;
    if (!remote || !X509_up_ref(certificate)) {
        free(remote);
        hsm_key_unref(key);
        return error_memory(err);
    }
    *remote = (struct remote){ certificate, key };
    if ((st = remote_key(out, &ops, remote, key->key.public, err)))
        close_remote(remote);
    return st;
}
