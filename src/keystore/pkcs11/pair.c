#include "keystore/pkcs11/pair.h"

#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "keystore/pkcs11/held.h"
#include "keystore/pkcs11/match.h"
#include "keystore/pkcs11/meant.h"

static se_status no_certificate(struct session *session, const struct keyref *ref, se_error *err)
{
    AUTO(writer) there = { 0 };
    struct meant_name name;

    object_list(&there, session, ref->alias);
    return error_set(err, SE_ERR_KEY, "no certificate %s; there is %s", meant_name(&name, ref),
                     writer_string(&there));
}

/* Exactly, or else by looks. */
static se_status find_meant(struct objects *out, struct session *session, const struct query *base,
                            const struct keyref *ref, se_error *err)
{
    se_status st = meant_find(out, session, base, ref, MEANT_EXACTLY, err);

    return st || out->count ? st : meant_find(out, session, base, ref, MEANT_BY_LOOKS, err);
}

static se_status load_certificates(struct held_list *out, struct session *session,
                                   const struct keyref *ref, se_error *err)
{
    struct query certificate = held_query(), key = query_class(&class_private);
    struct meant_name name;
    struct objects found;
    se_status st;

    if ((st = find_meant(&found, session, &certificate, ref, err)) ||
        (st = held_load(out, session, &found, err)) || out->count)
        return st;
    if (!find_meant(&found, session, &key, ref, NULL) && found.count)
        return error_set(err, SE_ERR_KEY,
                         "private key %s has no certificate of that %s: name one with certificate=",
                         meant_name(&name, ref), ref->id.size ? "CKA_ID" : "label");
    return no_certificate(session, ref, err);
}

se_status pair_certificate(X509 **out, struct session *session, const struct keyref *ref,
                           se_error *err)
{
    AUTO(held_list) held = { .count = 0 };
    se_status st = load_certificates(&held, session, ref, err);

    *out = NULL;
    if (st)
        return st;
    *out = held.list[0].certificate;
    held.list[0].certificate = NULL;
    return SE_OK;
}

/* By what they mean, or what leads to them from the certificate: its CKA_ID. */
static se_status find_keys(struct objects *out, unsigned *namesakes, struct session *session,
                           const struct keyref *ref, const se_buf *id, se_error *err)
{
    struct query query = query_class(&class_private), by_id = query;
    se_status st = meant_find(out, session, &query, ref, MEANT_EXACTLY, err);

    *namesakes = out->count > 1 && !ref->id.size ? (unsigned)out->count - 1 : 0;
    if (st || out->count || ref->id.size)
        return st;
    if (id->size) {
        query_add(&by_id, CKA_ID, buf_bytes(id));
        if ((st = object_find(out, session, &by_id, err)) || out->count)
            return st;
    }
    return meant_find(out, session, &query, ref, MEANT_BY_LOOKS, err);
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
static se_status choose(bool *out, struct token_key *key, struct session *session,
                        const struct objects *found, struct progress *progress, se_error *err)
{
    se_status st = SE_OK;

    *out = false;
    for (size_t i = 0; !st && !*out && i < found->count; i++) {
        key->object = found->list[i];
        progress->key = true;
        if (!object_flag(session, key->object, permissions[key->part].flag, true))
            continue;
        progress->permitted = true;
        key->always_authenticate =
            object_flag(session, key->object, CKA_ALWAYS_AUTHENTICATE, false);
        st = key_matches(out, key, session, err);
    }
    return st;
}

static se_status public_of(EVP_PKEY **out, X509 *certificate, const struct keyref *ref,
                           se_error *err)
{
    struct meant_name name;
    char type[32];

    if (!(*out = X509_get0_pubkey(certificate)))
        return crypto_error(err, SE_ERR_KEY, "the public key in certificate %s can't be read",
                            meant_name(&name, ref));
    if (key_family(*out) != FAMILY_ANY)
        return SE_OK;
    key_type_name(type, *out);
    return error_set(err, SE_ERR_KEY,
                     "certificate %s is for a key of type %s, and only RSA and EC keys are served",
                     meant_name(&name, ref), type);
}

/*
 * Where neither name nor CKA_ID leads to a key: by its public half, among all of the token.  One
 * that tells what it is the key of is taken by that; one that does not tell only if it is the only
 * one, for it has to sign or decrypt to show it.
 */
static se_status find_by_public(struct objects *out, struct token_key *key, struct session *session,
                                se_error *err)
{
    const CK_KEY_TYPE type = key_family(key->public) == FAMILY_RSA ? CKK_RSA : CKK_EC;
    struct query query = query_class(&class_private);
    AUTO(se_buf) all = SE_BUF_INIT;
    CK_OBJECT_HANDLE silent = 0;
    size_t silent_count = 0;
    se_status st;

    out->count = 0;
    query_add(&query, CKA_KEY_TYPE, (se_bytes){ &type, sizeof type });
    st = object_find_all(&all, session, &query, err);
    for (size_t i = 0; !st && i < objects_count(&all) && out->count < OBJECTS_MOST; i++) {
        enum evidence evidence;

        key->object = objects_at(&all, i);
        st = key_compare(&evidence, key, session, err);
        if (evidence == SAME)
            out->list[out->count++] = key->object;
        silent = evidence == UNKNOWN ? key->object : silent;
        silent_count += evidence == UNKNOWN;
    }
    if (!st && !out->count && silent_count == 1)
        out->list[out->count++] = silent;
    return st;
}

/* key->public becomes the certificate's, *found what may be its private keys. */
static se_status find_halves(struct objects *found, struct token_key *key, struct session *session,
                             const struct held *held, se_error *err)
{
    se_status st;

    found->count = 0;
    if ((st = public_of(&key->public, held->certificate, key->ref, err)) ||
        (st = find_keys(found, &key->namesakes, session, key->ref, &held->id, err)) ||
        found->count || key->ref->id.size)
        return st;
    return find_by_public(found, key, session, err);
}

/* Whether the token has the private key of that certificate. */
static se_status try(bool *out, struct token_key *key, struct session *session,
                     const struct held *held, struct progress *progress, se_error *err)
{
    struct objects found;
    se_status st = find_halves(&found, key, session, held, err);

    *out = false;
    return st ? st : choose(out, key, session, &found, progress, err);
}

static se_status strangers(const struct token_key *key, se_error *err)
{
    struct meant_name name;

    return error_set(err, SE_ERR_KEY, "private key %s and its certificate do not belong together",
                     meant_name(&name, key->ref));
}

static se_status not_permitted(const struct token_key *key, se_error *err)
{
    struct meant_name name;

    return error_set(err, SE_ERR_KEY, "private key %s may not %s (%s is false)",
                     meant_name(&name, key->ref), permissions[key->part].verb,
                     permissions[key->part].name);
}

static se_status no_pair(const struct token_key *key, struct session *session,
                         const struct progress *progress, bool given, se_error *err)
{
    AUTO(writer) there = { 0 };
    struct meant_name name;

    if (progress->permitted)
        return strangers(key, err);
    if (progress->key)
        return not_permitted(key, err);
    object_list(&there, session, key->ref->alias);
    return error_set(
        err, SE_ERR_KEY, "no private key %s, nor one with the certificate's %s; there is %s",
        meant_name(&name, key->ref), given ? "public key" : "CKA_ID", writer_string(&there));
}

/* By what the private keys say of themselves: the first of its own that may decrypt will do. */
static se_status judge_recipient(struct token_key *key, struct session *session,
                                 const struct held *held, se_error *err)
{
    bool forbidden = false;
    struct objects found;
    se_status st = find_halves(&found, key, session, held, err);

    for (size_t i = 0; !st && i < found.count; i++) {
        enum evidence evidence;

        key->object = found.list[i];
        if ((st = key_compare(&evidence, key, session, err)) || evidence == OTHER)
            continue;
        if (object_flag(session, key->object, permissions[key->part].flag, true))
            return SE_OK;
        forbidden = true;
    }
    if (st)
        return st;
    if (forbidden)
        return not_permitted(key, err);
    return found.count ? strangers(key, err) : SE_OK;
}

se_status pair_recipient(X509 **out, struct session *session, const struct keyref *ref,
                         se_error *err)
{
    struct token_key key = { .ref = ref, .part = PART_DECRYPT };
    AUTO(held_list) held = { .count = 0 };
    se_status st = load_certificates(&held, session, ref, err);

    *out = NULL;
    if (st)
        return st;
    if ((st = judge_recipient(&key, session, &held.list[0], err)))
        return error_prefix(err, "what is encrypted for it could not be decrypted: ");
    *out = held.list[0].certificate;
    held.list[0].certificate = NULL;
    return SE_OK;
}

/* The certificate that the configuration gives takes the place of those on the token. */
static se_status candidates(struct held_list *out, X509 *given, struct session *session,
                            const struct keyref *ref, se_error *err)
{
    if (!given)
        return load_certificates(out, session, ref, err);
    if (!X509_up_ref(given))
        return error_memory(err);
    out->list[0] = (struct held){ given, SE_BUF_INIT };
    out->count = 1;
    return SE_OK;
}

se_status pair_find(struct token_key *key, X509 **certificate, struct session *session,
                    se_error *err)
{
    AUTO(held_list) held = { .count = 0 };
    struct progress progress = { false, false };
    bool found = false;
    size_t i = 0;
    se_status st = candidates(&held, *certificate, session, key->ref, err);

    for (; !st && !found && i < held.count; i++)
        st = try(&found, key, session, &held.list[i], &progress, err);
    if (!st && !found)
        st = no_pair(key, session, &progress, *certificate, err);
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
