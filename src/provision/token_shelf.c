#include "provision/token_shelf.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "keystore/pkcs11/object.h"

static void take_back(struct token_shelf_open *s)
{
    while (s->made_count)
        (void)s->session.calls->C_DestroyObject(s->session.handle, s->made[--s->made_count]);
}

static void close_token(struct shelf *shelf)
{
    struct token_shelf_open *s = (struct token_shelf_open *)shelf;

    if (!s->committed)
        take_back(s);
    se_buf_free(&s->id);
    session_end(&s->session);
    token_close(s->token);
    module_close(s->module);
    free(s);
}

static se_status find_by(struct objects *out, struct session *session, const CK_OBJECT_CLASS *class,
                         CK_ATTRIBUTE_TYPE by, se_bytes value, se_error *err)
{
    struct query query = query_class(class);

    query_add(&query, by, value);
    return object_find(out, session, &query, err);
}

/*
 * NSS gives private keys no label: then the certificate has the alias, and its CKA_ID leads to
 * them.  Of a private key that has it, the CKA_ID leads to a public half with another label.
 */
static se_status find_by_companion(struct token_shelf_open *s, se_error *err)
{
    const struct objects *known = s->certificates.count ? &s->certificates : &s->privates;
    AUTO(se_buf) id = SE_BUF_INIT;
    se_status st;

    if (!known->count || (s->privates.count && s->publics.count))
        return SE_OK;
    st = object_bytes(&id, &s->session, known->list[0], CKA_ID, err);
    if (!st && id.size && !s->privates.count)
        st = find_by(&s->privates, &s->session, &class_private, CKA_ID, buf_bytes(&id), err);
    if (!st && id.size && !s->publics.count)
        st = find_by(&s->publics, &s->session, &class_public, CKA_ID, buf_bytes(&id), err);
    return st;
}

static se_status find_meant(struct objects *out, struct token_shelf_open *s,
                            const CK_OBJECT_CLASS *class, se_error *err)
{
    const struct target *target = s->shelf.target;
    struct query query = query_class(class);
    struct keyref ref = target->ref;
    se_status st;

    if (!ref.id.size)
        ref.alias = target->name;
    st = meant_find(out, &s->session, &query, &ref, MEANT_EXACTLY, err);
    return st || out->count ? st : meant_find(out, &s->session, &query, &ref, MEANT_BY_LOOKS, err);
}

static se_status find_there(struct token_shelf_open *s, se_error *err)
{
    TRY(find_meant(&s->certificates, s, &class_certificate, err));
    TRY(find_meant(&s->publics, s, &class_public, err));
    TRY(find_meant(&s->privates, s, &class_private, err));
    TRY(find_by_companion(s, err));
    return token_keep_own(s, err);
}

/* Whoever only looks needs no PIN to see what is public. */
static se_status login(struct token_shelf_open *s, enum access access, se_error *err)
{
    AUTO(se_buf) pin = SE_BUF_INIT;
    se_status st = SE_OK;

    if (access == ACCESS_LOOK && ((st = keyref_pin(&pin, &s->shelf.target->ref, err)) || !pin.size))
        return st;
    return token_login(s->token, &s->session, &s->shelf.target->ref, err);
}

static se_status open_session(struct token_shelf_open *s, enum access access, se_error *err)
{
    se_status st = session_open(&s->session, s->module, s->token->slot.id,
                                access == ACCESS_USE ? CKF_RW_SESSION : 0, err);

    if (st || (st = login(s, access, err)) || (st = find_there(s, err)))
        (void)token_context(s->token, err);
    return st;
}

static se_status load(struct token_shelf_open *s, enum access access, se_error *err)
{
    const struct keyref *ref = &s->shelf.target->ref;
    CK_SLOT_ID slot;

    TRY(module_open(&s->module, ref->location, ref->init_args, err));
    TRY(token_select(&slot, s->module, ref, err));
    TRY(token_open(&s->token, s->module, slot, err));
    return open_session(s, access, err);
}

static se_status open_token(struct shelf **out, const struct target *target, enum access access,
                            se_error *err)
{
    AUTO(shelf) shelf = calloc(1, sizeof(struct token_shelf_open));

    if (!shelf)
        return error_memory(err);
    *shelf = (struct shelf){ &token_shelf, target };
    TRY(load((struct token_shelf_open *)shelf, access, err));
    *out = MOVE(shelf);
    return SE_OK;
}

static se_status holds(bool *out, const struct shelf *shelf, se_error *err)
{
    struct token_shelf_open *s = (struct token_shelf_open *)shelf;

    *out = s->privates.count || s->publics.count || s->certificates.count;
    return token_check_single(s, err);
}

/* RSA private keys tell their public half; of EC keys, the public key or the certificate does. */
static se_status find_public(EVP_PKEY **out, struct token_shelf_open *s, se_error *err)
{
    AUTO(se_buf) der = SE_BUF_INIT;
    AUTO(x509) certificate = NULL;
    se_status st = object_public(out, &s->session, s->privates.list[0], err);

    if (!st && !*out && s->publics.count)
        st = object_public(out, &s->session, s->publics.list[0], err);
    if (st || *out)
        return st;
    if (!s->certificates.count)
        return error_set(err, SE_ERR_KEY,
                         "the private key has neither public key nor certificate beside it");
    TRY(object_bytes(&der, &s->session, s->certificates.list[0], CKA_VALUE, err));
    TRY(certificate_parse(&certificate, buf_bytes(&der), err));
    *out = X509_get_pubkey(certificate);
    return *out ? SE_OK
                : crypto_error(err, SE_ERR_KEY, "the certificate's public key can't be read");
}

static se_status no_single(const struct token_shelf_open *s, struct session *session, se_error *err)
{
    AUTO(writer) there = { 0 };

    if (s->privates.count)
        return token_check_single((struct token_shelf_open *)s, err);
    object_list(&there, session, s->shelf.target->ref.alias);
    return error_set(err, SE_ERR_KEY, "there is no such private key; there is %s",
                     writer_string(&there));
}

static se_status find(struct pair *out, struct shelf *shelf, se_error *err)
{
    struct token_shelf_open *s = (struct token_shelf_open *)shelf;
    EVP_PKEY *public = NULL;

    if (s->privates.count != 1)
        return no_single(s, &s->session, err);
    TRY(object_bytes(&s->id, &s->session, s->privates.list[0], CKA_ID, err));
    TRY(find_public(&public, s, err));
    return token_pair(out, s, s->privates.list[0], public, err);
}

se_status shelf_create(struct token_shelf_open *s, struct template *t, const char *what,
                       se_error *err)
{
    CK_OBJECT_HANDLE handle;
    CK_RV rv;

    if (t->failed)
        return crypto_error(err, SE_ERR_CRYPTO, "preparing %s for the token", what);
    if (s->made_count == MADE_MOST)
        return error_set(err, SE_ERR_USAGE, "more than %d objects at once", MADE_MOST);
    rv = s->session.calls->C_CreateObject(s->session.handle, t->list, t->count, &handle);
    if (rv != CKR_OK)
        return session_error(err, &s->session, rv, "the token does not take %s", what);
    s->made[s->made_count++] = handle;
    return SE_OK;
}

/* From the first object that is gone there is no way back: then what is new stays. */
static se_status destroy(struct token_shelf_open *s, const struct objects *objects, se_error *err)
{
    for (size_t i = 0; i < objects->count; i++) {
        CK_RV rv = s->session.calls->C_DestroyObject(s->session.handle, objects->list[i]);

        if (rv != CKR_OK)
            return session_error(err, &s->session, rv, "the token does not remove what was there");
        s->committed = true;
    }
    return SE_OK;
}

/* A token that does not change rights leaves the key with one too many, which `key list` shows. */
static void end_signing(struct token_shelf_open *s)
{
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE attribute = { CKA_SIGN, &no, sizeof no };

    if (s->no_sign)
        (void)s->session.calls->C_SetAttributeValue(s->session.handle, s->no_sign, &attribute, 1);
}

static se_status commit(struct shelf *shelf, enum replace replace, se_error *err)
{
    struct token_shelf_open *s = (struct token_shelf_open *)shelf;
    se_status st;

    end_signing(s);
    st = replace == REPLACE_NOTHING ? SE_OK : destroy(s, &s->certificates, err);
    if (!st && replace == REPLACE_ALL && !(st = destroy(s, &s->publics, err)))
        st = destroy(s, &s->privates, err);
    if (!st)
        s->committed = true;
    return st;
}

const struct shelf_type token_shelf = {
    open_token, holds,      find,        token_generate, token_put_key, token_put_certificates,
    commit,     token_list, close_token,
};
