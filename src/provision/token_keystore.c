/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a token, finding what is under the alias, and leaving it changed or as it was. */
#include "provision/token_keystore.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "base/clock.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "keystore/pkcs11/object.h"

static void destroy_made(struct token_keystore *s)
{
    while (s->made_count)
        (void)s->session.calls->C_DestroyObject(s->session.handle, s->made[--s->made_count]);
}

static void token_keystore_close(struct keystore *keystore)
{
    struct token_keystore *s = (struct token_keystore *)keystore;

    if (!s->committed)
        destroy_made(s);
    X509_free(s->renewed);
    se_buf_free(&s->id);
    session_end(&s->session);
    token_close(s->token);
    module_close(s->module);
    free(s);
}

/* ---- whose objects those of one label are: its private key's, or somebody else's ---- */

/* By what an object's owner is known; both may be missing. */
struct owner_mark {
    EVP_PKEY *public_key;
    se_buf id;
};

static void owner_mark_free(struct owner_mark *mark)
{
    EVP_PKEY_free(mark->public_key);
    se_buf_free(&mark->id);
}
AUTO_KIND(owner_mark, struct owner_mark, owner_mark_free(p))

static se_status read_public(EVP_PKEY **out, struct session *session, CK_OBJECT_HANDLE object,
                             bool certificate, se_error *err)
{
    AUTO(se_buf) der = SE_BUF_INIT;
    AUTO(x509) parsed = NULL;

    if (!certificate)
        return token_public_key(out, session, object, err);
    TRY(object_bytes(&der, session, object, CKA_VALUE, err));
    if (!certificate_parse(&parsed, buf_bytes(&der), NULL))
        *out = X509_get_pubkey(parsed);
    ERR_clear_error();
    return SE_OK;
}

static se_status read_owner_mark(struct owner_mark *out, struct session *session,
                                 CK_OBJECT_HANDLE object, bool certificate, se_error *err)
{
    TRY(object_bytes(&out->id, session, object, CKA_ID, err));
    return read_public(&out->public_key, session, object, certificate, err);
}

/* The keys themselves decide, else their CKA_ID; without either, the label must do. */
static bool is_same_owner(const struct owner_mark *one, const struct owner_mark *other)
{
    if (one->public_key && other->public_key)
        return EVP_PKEY_eq(one->public_key, other->public_key) == 1;
    if (!one->id.size || !other->id.size)
        return true;
    return one->id.size == other->id.size &&
           !CRYPTO_memcmp(one->id.data, other->id.data, one->id.size);
}

static se_status keep_own_objects(struct objects *objects, struct token_keystore *s,
                                  const struct owner_mark *key, bool certificates, se_error *err)
{
    size_t kept = 0;

    for (size_t i = 0; i < objects->count; i++) {
        AUTO(owner_mark) mark = { NULL, SE_BUF_INIT };

        TRY(read_owner_mark(&mark, &s->session, objects->list[i], certificates, err));
        if (is_same_owner(key, &mark))
            objects->list[kept++] = objects->list[i];
    }
    objects->count = kept;
    return SE_OK;
}

static se_status drop_others_objects(struct token_keystore *s, se_error *err)
{
    AUTO(owner_mark) key = { NULL, SE_BUF_INIT };

    if (s->privates.count != 1)
        return SE_OK;
    TRY(read_owner_mark(&key, &s->session, s->privates.list[0], false, err));
    TRY(keep_own_objects(&s->publics, s, &key, false, err));
    return keep_own_objects(&s->certificates, s, &key, true, err);
}

static void write_ids(struct writer *out, struct session *session, const struct objects *objects)
{
    for (size_t i = 0; i < objects->count; i++) {
        AUTO(se_buf) id = SE_BUF_INIT;

        if (object_bytes(&id, session, objects->list[i], CKA_ID, NULL))
            continue;
        writer_text(out, i ? ", " : "");
        for (size_t n = 0; n < id.size && n < PUBLIC_ID; n++)
            writer_format(out, "%02x", id.data[n]);
        writer_text(out, id.size ? "" : "none");
    }
}

/* Objects without a private key may belong to several keys, too. */
static se_status check_same_owner(struct token_keystore *s, const struct objects *objects,
                                  bool certificates, se_error *err)
{
    AUTO(owner_mark) first = { NULL, SE_BUF_INIT };

    if (objects->count)
        TRY(read_owner_mark(&first, &s->session, objects->list[0], certificates, err));
    for (size_t i = 1; i < objects->count; i++) {
        AUTO(owner_mark) mark = { NULL, SE_BUF_INIT };

        TRY(read_owner_mark(&mark, &s->session, objects->list[i], certificates, err));
        if (!is_same_owner(&first, &mark))
            return error_set(
                err, SE_ERR_KEY,
                "there are %s of that label for several keys, and no private key that says which",
                certificates ? "certificates" : "public keys");
    }
    return SE_OK;
}

/* SE_ERR_KEY: there are objects of several keys. */
static se_status check_single_key(struct token_keystore *s, se_error *err)
{
    AUTO(writer) ids = { 0 };

    if (s->privates.count == 1)
        return SE_OK;
    if (!s->privates.count) {
        TRY(check_same_owner(s, &s->certificates, true, err));
        return check_same_owner(s, &s->publics, false, err);
    }
    write_ids(&ids, &s->session, &s->privates);
    return error_set(err, SE_ERR_KEY,
                     "there are %zu private keys of that label, which their CKA_ID tells apart: %s",
                     s->privates.count, writer_string(&ids));
}

/* ---- opening ---- */

static se_status find_by_id(struct objects *out, struct session *session,
                            const CK_OBJECT_CLASS *object_class, se_bytes id, se_error *err)
{
    struct query query = query_class(object_class);

    query_add(&query, CKA_ID, id);
    return object_find(out, session, &query, err);
}

/*
 * NSS gives private keys no label: then the certificate has the alias, and its CKA_ID leads to
 * them.  Of a private key that has it, the CKA_ID leads to a public half with another label.
 */
static se_status find_by_companion(struct token_keystore *s, se_error *err)
{
    const struct objects *known = s->certificates.count ? &s->certificates : &s->privates;
    AUTO(se_buf) id = SE_BUF_INIT;

    if (!known->count || (s->privates.count && s->publics.count))
        return SE_OK;
    TRY(object_bytes(&id, &s->session, known->list[0], CKA_ID, err));
    if (id.size && !s->privates.count)
        TRY(find_by_id(&s->privates, &s->session, &class_private, buf_bytes(&id), err));
    if (id.size && !s->publics.count)
        TRY(find_by_id(&s->publics, &s->session, &class_public, buf_bytes(&id), err));
    return SE_OK;
}

static bool objects_hold(const struct objects *objects, CK_OBJECT_HANDLE object)
{
    for (size_t i = 0; i < objects->count; i++)
        if (objects->list[i] == object)
            return true;
    return false;
}

/* Those before a renewal have other labels. */
static se_status find_replaced_certificates(struct token_keystore *s, se_error *err)
{
    AUTO(se_buf) id = SE_BUF_INIT;
    struct objects found = { .count = 0 };

    if (s->privates.count != 1)
        return SE_OK;
    TRY(object_bytes(&id, &s->session, s->privates.list[0], CKA_ID, err));
    if (id.size)
        TRY(find_by_id(&found, &s->session, &class_certificate, buf_bytes(&id), err));
    for (size_t i = 0; i < found.count && s->certificates.count < OBJECTS_MOST; i++)
        if (!objects_hold(&s->certificates, found.list[i]))
            s->certificates.list[s->certificates.count++] = found.list[i];
    return SE_OK;
}

static se_status find_meant(struct objects *out, struct token_keystore *s,
                            const CK_OBJECT_CLASS *object_class, se_error *err)
{
    const struct target *target = s->keystore.target;
    struct query query = query_class(object_class);
    struct keyref ref = target->ref;
    se_status st;

    if (!ref.id.size)
        ref.alias = target->name;
    st = meant_find(out, &s->session, &query, &ref, MEANT_EXACTLY, err);
    return st || out->count ? st : meant_find(out, &s->session, &query, &ref, MEANT_BY_LOOKS, err);
}

static se_status find_existing(struct token_keystore *s, se_error *err)
{
    TRY(find_meant(&s->certificates, s, &class_certificate, err));
    TRY(find_meant(&s->publics, s, &class_public, err));
    TRY(find_meant(&s->privates, s, &class_private, err));
    TRY(find_by_companion(s, err));
    TRY(find_replaced_certificates(s, err));
    return drop_others_objects(s, err);
}

/* Looking at public objects needs no PIN. */
static se_status login_to_token(struct token_keystore *s, enum access access, se_error *err)
{
    const struct keyref *ref = &s->keystore.target->ref;
    AUTO(se_buf) pin = SE_BUF_INIT;

    if (access == ACCESS_LOOK)
        TRY(keyref_pin(&pin, ref, err));
    return access == ACCESS_LOOK && !pin.size ? SE_OK
                                              : token_login(s->token, &s->session, ref, err);
}

static se_status open_token_session(struct token_keystore *s, enum access access, se_error *err)
{
    TRY(session_open(&s->session, s->module, s->token->slot.id,
                     access == ACCESS_USE ? CKF_RW_SESSION : 0, err));
    TRY(login_to_token(s, access, err));
    return find_existing(s, err);
}

static se_status token_keystore_load(struct token_keystore *s, enum access access, se_error *err)
{
    const struct keyref *ref = &s->keystore.target->ref;
    CK_SLOT_ID slot;

    TRY(module_open(&s->module, ref->location, ref->init_args, err));
    TRY(token_select(&slot, s->module, ref, err));
    TRY(token_open(&s->token, s->module, slot, err));
    return token_context(s->token, open_token_session(s, access, err), err);
}

static se_status token_keystore_open(struct keystore **out, const struct target *target,
                                     enum access access, se_error *err)
{
    AUTO(keystore) keystore = calloc(1, sizeof(struct token_keystore));

    if (!keystore)
        return error_memory(err);
    *keystore = (struct keystore){ &token_keystore_ops, target };
    TRY(token_keystore_load((struct token_keystore *)keystore, access, err));
    *out = MOVE(keystore);
    return SE_OK;
}

static se_status token_keystore_holds(bool *out, const struct keystore *keystore, se_error *err)
{
    struct token_keystore *s = (struct token_keystore *)keystore;

    *out = s->privates.count || s->publics.count || s->certificates.count;
    return check_single_key(s, err);
}

/* RSA private keys contain their public half; EC keys need the public key or the certificate. */
static se_status find_public(EVP_PKEY **out, struct token_keystore *s, se_error *err)
{
    AUTO(se_buf) der = SE_BUF_INIT;
    AUTO(x509) certificate = NULL;
    se_status st = token_public_key(out, &s->session, s->privates.list[0], err);

    if (!st && !*out && s->publics.count)
        st = token_public_key(out, &s->session, s->publics.list[0], err);
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

static se_status refuse_find(const struct token_keystore *s, struct session *session, se_error *err)
{
    AUTO(writer) there = { 0 };

    if (s->privates.count)
        return check_single_key((struct token_keystore *)s, err);
    object_list(&there, session, s->keystore.target->ref.alias);
    return error_set(err, SE_ERR_KEY, "there is no such private key; there is %s",
                     writer_string(&there));
}

static se_status token_keystore_find(struct key_pair *out, struct keystore *keystore, se_error *err)
{
    struct token_keystore *s = (struct token_keystore *)keystore;

    if (s->privates.count != 1)
        return refuse_find(s, &s->session, err);
    TRY(object_bytes(&s->id, &s->session, s->privates.list[0], CKA_ID, err));
    TRY(find_public(&out->public_key, s, err));
    return token_key_pair(out, s, s->privates.list[0], err);
}

/* Once an object is gone there is no way back: then the new ones stay. */
static se_status destroy_objects(struct token_keystore *s, const struct objects *objects,
                                 se_error *err)
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
static void end_signing(struct token_keystore *s)
{
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE attribute = { CKA_SIGN, &no, sizeof no };

    if (s->no_sign)
        (void)s->session.calls->C_SetAttributeValue(s->session.handle, s->no_sign, &attribute, 1);
}

/* "signer until 2026-11-30" */
static void put_label(struct writer *out, const struct token_keystore *s, const X509 *certificate)
{
    char date[16];

    date_text(date, certificate_not_after(certificate));
    writer_format(out, "%s until %s", s->keystore.target->name, date);
}

/*
 * Other programs take a key's certificate by its label, and expect one: it is the one to use now.
 * Those that it replaces get another label, where the token allows that; the engine finds them by
 * CKA_ID.
 */
static void set_aside_replaced(struct token_keystore *s)
{
    for (size_t i = 0; s->renewed && i < s->certificates.count; i++) {
        AUTO(se_buf) der = SE_BUF_INIT;
        AUTO(x509) old = NULL;
        AUTO(writer) label = { 0 };
        CK_ATTRIBUTE attribute = { .type = CKA_LABEL };

        if (object_bytes(&der, &s->session, s->certificates.list[i], CKA_VALUE, NULL) ||
            certificate_parse(&old, buf_bytes(&der), NULL) || !X509_cmp(old, s->renewed) ||
            !certificate_precedes(s->renewed, old, clock_seconds()))
            continue;
        put_label(&label, s, old);
        if (label.failed)
            continue;
        attribute.pValue = label.buf.data;
        attribute.ulValueLen = label.buf.size;
        (void)s->session.calls->C_SetAttributeValue(s->session.handle, s->certificates.list[i],
                                                    &attribute, 1);
    }
    ERR_clear_error();
}

static se_status token_keystore_commit(struct keystore *keystore, enum replace replace,
                                       se_error *err)
{
    struct token_keystore *s = (struct token_keystore *)keystore;

    end_signing(s);
    if (replace == REPLACE_ALL) {
        if (s->is_renewed_there)
            TRY(token_put_renewed(s, err));
        TRY(destroy_objects(s, &s->certificates, err));
        TRY(destroy_objects(s, &s->publics, err));
        TRY(destroy_objects(s, &s->privates, err));
    } else {
        set_aside_replaced(s);
    }
    s->committed = true;
    return SE_OK;
}

const struct keystore_ops token_keystore_ops = {
    .features = KEYSTORE_EXPORTABLE,
    .open = token_keystore_open,
    .holds = token_keystore_holds,
    .find = token_keystore_find,
    .generate = token_generate,
    .put_key = token_put_key,
    .put_certificates = token_put_certificates,
    .wrap_key = token_wrap_key,
    .try_wrapped = token_try_wrapped,
    .put_wrapped = token_put_wrapped,
    .commit = token_keystore_commit,
    .list = token_list,
    .close = token_keystore_close,
};
