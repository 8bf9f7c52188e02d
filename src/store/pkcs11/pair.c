#include "store/pkcs11/pair.h"

#include "key/certificate.h"
#include "key/crypto.h"
#include "store/pkcs11/held.h"
#include "store/pkcs11/match.h"

static se_status nothing_there(struct session *session, const char *alias, se_error *err)
{
    AUTO(writer) there = { 0 };

    object_list(&there, session);
    return error_set(err, SE_ERR_KEY, "no certificate '%s'; there is %s", alias, writer_string(&there));
}

static se_status load_certificates(struct held_list *out, struct session *session, const char *alias, se_error *err)
{
    se_status st = held_load(out, session, CKA_LABEL, text_bytes(alias), err);
    struct query query = query_class(&class_private);
    struct objects keys;

    if (st || out->count)
        return st;
    query_add(&query, CKA_LABEL, text_bytes(alias));
    if (!object_find(&keys, session, &query, NULL) && keys.count)
        return error_set(err, SE_ERR_KEY, "private key '%s' has no certificate of that label: name one with certificate=", alias);
    return nothing_there(session, alias, err);
}

se_status pair_certificate(X509 **out, struct session *session, const struct keyref *ref, se_error *err)
{
    AUTO(held_list) held = { .count = 0 };
    se_status st = load_certificates(&held, session, ref->alias, err);

    *out = NULL;
    if (st)
        return st;
    *out = held.list[0].certificate;
    held.list[0].certificate = NULL;
    return SE_OK;
}

static se_status find_keys(struct objects *out, unsigned *namesakes, struct session *session, const char *alias, const se_buf *id,
                           se_error *err)
{
    struct query by_label = query_class(&class_private), by_id = by_label;
    se_status st;

    query_add(&by_label, CKA_LABEL, text_bytes(alias));
    st = object_find(out, session, &by_label, err);
    *namesakes = out->count > 1 ? (unsigned)out->count - 1 : 0;
    if (st || out->count || !id->size)
        return st;
    query_add(&by_id, CKA_ID, buf_bytes(id));
    return object_find(out, session, &by_id, err);
}

/* What the token must allow a key, by what it is opened for. */
static const struct {
    CK_ATTRIBUTE_TYPE flag;
    const char *verb, *name;
} permissions[] = {
    [PART_SIGN] = { CKA_SIGN, "sign", "CKA_SIGN" },
    [PART_DECRYPT] = { CKA_DECRYPT, "decrypt", "CKA_DECRYPT" },
};

/* How far the search came: what it says when it ends without a pair. */
struct progress {
    bool key, permitted;
};

/* key->object and the rest, if one of `found` belongs to key->public. */
static se_status choose(bool *out, struct token_key *key, struct session *session, const struct objects *found, struct progress *progress,
                        se_error *err)
{
    se_status st = SE_OK;

    *out = false;
    for (size_t i = 0; !st && !*out && i < found->count; i++) {
        key->object = found->list[i];
        progress->key = true;
        if (!object_flag(session, key->object, permissions[key->part].flag, true))
            continue;
        progress->permitted = true;
        key->always_authenticate = object_flag(session, key->object, CKA_ALWAYS_AUTHENTICATE, false);
        st = key_matches(out, key, session, err);
    }
    return st;
}

static se_status public_of(EVP_PKEY **out, X509 *certificate, const char *alias, se_error *err)
{
    char type[32];

    if (!(*out = X509_get0_pubkey(certificate)))
        return crypto_error(err, SE_ERR_KEY, "the public key in certificate '%s' can't be read", alias);
    if (key_family(*out) != FAMILY_ANY)
        return SE_OK;
    key_type_name(type, *out);
    return error_set(err, SE_ERR_KEY, "certificate '%s' is for a key of type %s, and only RSA and EC keys are served", alias, type);
}

/* Whether the token has the private key of that certificate. */
static se_status try(bool *out, struct token_key *key, struct session *session, const struct held *held, struct progress *progress,
                     se_error *err)
{
    struct objects found;
    se_status st = find_keys(&found, &key->namesakes, session, key->ref->alias, &held->id, err);

    *out = false;
    if (st || (st = public_of(&key->public, held->certificate, key->ref->alias, err)))
        return st;
    return choose(out, key, session, &found, progress, err);
}

static se_status no_pair(const struct token_key *key, struct session *session, const struct progress *progress, se_error *err)
{
    const char *alias = key->ref->alias;
    AUTO(writer) there = { 0 };

    if (progress->permitted)
        return error_set(err, SE_ERR_KEY, "private key '%s' and its certificate do not belong together", alias);
    if (progress->key)
        return error_set(err, SE_ERR_KEY, "private key '%s' may not %s (%s is false)", alias, permissions[key->part].verb,
                         permissions[key->part].name);
    object_list(&there, session);
    return error_set(err, SE_ERR_KEY, "no private key '%s', nor one with the certificate's CKA_ID; there is %s", alias,
                     writer_string(&there));
}

/* The certificate that the configuration gives takes the place of those on the token. */
static se_status candidates(struct held_list *out, X509 *given, struct session *session, const char *alias, se_error *err)
{
    if (!given)
        return load_certificates(out, session, alias, err);
    if (!X509_up_ref(given))
        return error_memory(err);
    out->list[0] = (struct held){ given, SE_BUF_INIT };
    out->count = 1;
    return SE_OK;
}

se_status pair_find(struct token_key *key, X509 **certificate, struct session *session, se_error *err)
{
    AUTO(held_list) held = { .count = 0 };
    struct progress progress = { false, false };
    bool found = false;
    size_t i = 0;
    se_status st = candidates(&held, *certificate, session, key->ref->alias, err);

    for (; !st && !found && i < held.count; i++)
        st = try(&found, key, session, &held.list[i], &progress, err);
    if (!st && !found)
        st = no_pair(key, session, &progress, err);
    if (!st && !EVP_PKEY_up_ref(key->public))
        st = error_memory(err);
    if (st) {
        key->public = NULL;
        return st;
    }
    if (!*certificate) {
        *certificate = held.list[i - 1].certificate;
        held.list[i - 1].certificate = NULL;
    }
    return SE_OK;
}
