#include "key/oaep.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "key/crypto.h"

AUTO_KIND(pkey_context, EVP_PKEY_CTX *, EVP_PKEY_CTX_free(*p))

static bool set_oaep(EVP_PKEY_CTX *context, const struct unwrap_how *how)
{
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_oaep_md_name(context, crypto_digest(how->digest), NULL) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, crypto_digest(how->mgf1), NULL) > 0;
}

static se_status prepare(EVP_PKEY_CTX **out, EVP_PKEY *key, int (*init)(EVP_PKEY_CTX *), const struct unwrap_how *how, se_error *err)
{
    AUTO(pkey_context) context = EVP_PKEY_CTX_new_from_pkey(crypto_context(), key, NULL);

    *out = NULL;
    if (!context || init(context) <= 0 || !set_oaep(context, how))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot prepare RSA-OAEP with %s", crypto_digest(how->digest));
    *out = context;
    context = NULL;
    return SE_OK;
}

/* Preparing takes half as long as encrypting, so it is done once for a key; when two threads do it at once, one of them does it in vain. */
static se_status prepared(EVP_PKEY_CTX **out, struct key *key, const struct unwrap_how *how, se_error *err)
{
    EVP_PKEY_CTX **kept = &key->wrappers[how->digest][how->mgf1], *made, *none = NULL;
    se_status st;

    if ((*out = __atomic_load_n(kept, __ATOMIC_ACQUIRE)))
        return SE_OK;
    if ((st = prepare(&made, X509_get0_pubkey(key->certificate), EVP_PKEY_encrypt_init, how, err)))
        return st;
    *out = made;
    if (__atomic_compare_exchange_n(kept, &none, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return SE_OK;
    EVP_PKEY_CTX_free(made);
    *out = none;
    return SE_OK;
}

static se_status wrap(se_buf *out, EVP_PKEY_CTX *context, se_bytes clear, se_error *err)
{
    AUTO(se_buf) wrapped = SE_BUF_INIT;
    se_status st = buf_new(&wrapped, (size_t)EVP_PKEY_get_size(EVP_PKEY_CTX_get0_pkey(context)), err);

    if (st)
        return st;
    if (EVP_PKEY_encrypt(context, wrapped.data, &wrapped.size, clear.data, clear.size) <= 0) {
        if (ERR_GET_REASON(ERR_peek_error()) != RSA_R_DATA_TOO_LARGE_FOR_KEY_SIZE)
            return crypto_error(err, SE_ERR_CRYPTO, "RSA-OAEP failed");
        ERR_clear_error();
        return error_set(err, SE_ERR_USAGE, "%zu bytes are more than this key encrypts", clear.size);
    }
    *out = buf_move(&wrapped);
    return SE_OK;
}

se_status oaep_wrap(se_buf *out, struct key *key, const struct unwrap_how *how, se_bytes clear, se_error *err)
{
    AUTO(pkey_context) copy = NULL;
    EVP_PKEY_CTX *context;
    se_status st = prepared(&context, key, how, err);

    *out = (se_buf)SE_BUF_INIT;
    if (st)
        return st;
    /* a context is one thread's, but any number of threads may copy it */
    if (!(copy = EVP_PKEY_CTX_dup(context)))
        return error_memory(err);
    return wrap(out, copy, clear, err);
}

/* A key that is held fails for no other reason; one that is not says which it was. */
static se_status refusal(se_error *err)
{
    se_error failure = SE_ERROR_INIT;

    ERR_clear_error();
    if (!remote_failure(&failure) || failure.status == SE_ERR_REJECTED)
        return remote_refused(err);
    return error_set_at(err, failure.status, failure.file, failure.line, "%s", failure.text);
}

se_status oaep_unwrap(se_buf *out, const struct key *key, const struct unwrap_how *how, se_bytes wrapped, se_error *err)
{
    AUTO(pkey_context) context = NULL;
    AUTO(se_buf) clear = SE_BUF_INIT;
    size_t room = (size_t)EVP_PKEY_get_size(key->private), size = room;
    se_error stale;
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    (void)remote_failure(&stale);
    if (wrapped.size != room)
        return remote_refused(err);
    if ((st = prepare(&context, key->private, EVP_PKEY_decrypt_init, how, err)) || (st = buf_new(&clear, room, err)))
        return st;
    if (EVP_PKEY_decrypt(context, clear.data, &size, wrapped.data, wrapped.size) <= 0)
        return refusal(err);
    return buf_copy(out, (se_bytes){ clear.data, size }, err);
}
