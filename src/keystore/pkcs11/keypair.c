/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/pkcs11/keypair.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "keystore/pkcs11/decrypt.h"
#include "keystore/pkcs11/object.h"
#include "keystore/pkcs11/sign.h"

AUTO_KIND(bignum, BIGNUM *, BN_free(*p))
AUTO_KIND(octets, ASN1_OCTET_STRING *, ASN1_OCTET_STRING_free(*p))
AUTO_KIND(pkey_ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free(*p))

/* ---- whether a private key is the one of a certificate ---- */

enum { PROBE = 32, POINT_MOST = 256 };

enum evidence { EVIDENCE_SAME, EVIDENCE_OTHER, EVIDENCE_UNKNOWN };

static bool is_equal(const void *a, size_t a_size, const void *b, size_t b_size)
{
    return a_size == b_size && !CRYPTO_memcmp(a, b, a_size);
}

static se_status compare_type(enum evidence *out, const struct p11_key *key,
                              struct session *session, se_error *err)
{
    CK_KEY_TYPE type, wanted = key_family(key->public_key) == FAMILY_RSA ? CKK_RSA : CKK_EC;
    AUTO(se_buf) value = SE_BUF_INIT;

    *out = EVIDENCE_UNKNOWN;
    TRY(object_bytes(&value, session, key->object, CKA_KEY_TYPE, err));
    if (value.size != sizeof type)
        return SE_OK;
    memcpy(&type, value.data, sizeof type);
    *out = type == wanted ? EVIDENCE_UNKNOWN : EVIDENCE_OTHER;
    return SE_OK;
}

static se_status compare_modulus(enum evidence *out, const struct p11_key *key,
                                 struct session *session, se_error *err)
{
    AUTO(se_buf) value = SE_BUF_INIT;
    AUTO(bignum) ours = NULL;
    AUTO(bignum) its = NULL;

    *out = EVIDENCE_UNKNOWN;
    TRY(object_bytes(&value, session, key->object, CKA_MODULUS, err));
    if (!value.size)
        return SE_OK;
    its = BN_bin2bn(value.data, (int)value.size, NULL);
    if (!its || !EVP_PKEY_get_bn_param(key->public_key, OSSL_PKEY_PARAM_RSA_N, &ours))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot compare key and certificate");
    *out = BN_cmp(ours, its) ? EVIDENCE_OTHER : EVIDENCE_SAME;
    return SE_OK;
}

/* CKA_EC_POINT is an OCTET STRING in DER; some tokens give the bare point. */
static bool same_point(const EVP_PKEY *key, const se_buf *value)
{
    const unsigned char *p = value->data;
    AUTO(octets) string = d2i_ASN1_OCTET_STRING(NULL, &p, (long)value->size);
    unsigned char point[POINT_MOST];
    size_t size = 0;

    ERR_clear_error();
    if (!EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &size))
        return false;
    return is_equal(point, size, value->data, value->size) ||
           (string && is_equal(point, size, ASN1_STRING_get0_data(string),
                               (size_t)ASN1_STRING_length(string)));
}

/* Another point proves nothing: the object may be a stray one. */
static se_status compare_point(enum evidence *out, const struct p11_key *key,
                               struct session *session, se_error *err)
{
    struct query query = query_class(&class_public);
    AUTO(se_buf) id = SE_BUF_INIT;
    struct objects found;
    se_status st;

    *out = EVIDENCE_UNKNOWN;
    TRY(object_bytes(&id, session, key->object, CKA_ID, err));
    query_add(&query, id.size ? CKA_ID : CKA_LABEL,
              id.size ? buf_bytes(&id) : text_bytes(key->ref->alias));
    st = object_find(&found, session, &query, err);
    for (size_t i = 0; !st && *out == EVIDENCE_UNKNOWN && i < found.count; i++) {
        AUTO(se_buf) value = SE_BUF_INIT;

        st = object_bytes(&value, session, found.list[i], CKA_EC_POINT, err);
        if (!st && value.size && same_point(key->public_key, &value))
            *out = EVIDENCE_SAME;
    }
    return st;
}

static bool signature_verifies(EVP_PKEY *key, const struct sign_how *how, se_bytes signature,
                               se_bytes hash)
{
    AUTO(pkey_ctx) ctx = EVP_PKEY_CTX_new_from_pkey(crypto_context(), key, NULL);
    EVP_MD *md = EVP_MD_fetch(crypto_context(), crypto_digest(how->digest), NULL);
    bool good = ctx && md && EVP_PKEY_verify_init(ctx) > 0 &&
                EVP_PKEY_CTX_set_signature_md(ctx, md) > 0 &&
                EVP_PKEY_verify(ctx, signature.data, signature.size, hash.data, hash.size) > 0;

    EVP_MD_free(md);
    ERR_clear_error();
    return good;
}

/* OpenSSL's default padding for RSA is PKCS #1 v1.5. */
static se_status key_signs(bool *out, struct p11_key *key, struct session *session, se_error *err)
{
    static const unsigned char hash[PROBE] = "signengine: is this the key of?";
    const struct sign_how how = {
        DIGEST_SHA256, key_family(key->public_key) == FAMILY_EC ? PADDING_NONE : PADDING_PKCS1, 0
    };
    const se_bytes probe = { hash, sizeof hash };
    AUTO(se_buf) signature = SE_BUF_INIT;

    TRY(p11_key_sign(&signature, key, session, &how, probe, err));
    *out = signature_verifies(key->public_key, &how, buf_bytes(&signature), probe);
    return SE_OK;
}

/* By attributes alone: nothing is signed or decrypted. */
static se_status key_compare(enum evidence *out, const struct p11_key *key, struct session *session,
                             se_error *err)
{
    TRY(compare_type(out, key, session, err));
    if (*out == EVIDENCE_OTHER)
        return SE_OK;
    return (key_family(key->public_key) == FAMILY_RSA ? compare_modulus
                                                      : compare_point)(out, key, session, err);
}

/*
 * key->object against key->public_key: by CKA_MODULUS; by the CKA_EC_POINT of a public key with the
 * same CKA_ID or, without that, the alias; else by a signature that is verified, or something that
 * it decrypts.
 */
static se_status key_matches(bool *out, struct p11_key *key, struct session *session, se_error *err)
{
    bool rsa = key_family(key->public_key) == FAMILY_RSA;
    enum evidence evidence;

    *out = false;
    TRY(key_compare(&evidence, key, session, err));
    *out = evidence == EVIDENCE_SAME;
    if (evidence != EVIDENCE_UNKNOWN)
        return SE_OK;
    return (rsa && key->part == PART_DECRYPT ? p11_key_decrypts : key_signs)(out, key, session,
                                                                             err);
}

/* ---- the certificate and the private key that a keyref means ---- */

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
    TRY(meant_find(out, session, base, ref, MEANT_EXACTLY, err));
    return out->count ? SE_OK : meant_find(out, session, base, ref, MEANT_BY_LOOKS, err);
}

static se_status load_certificates(struct token_certs *out, struct session *session,
                                   const struct keyref *ref, se_error *err)
{
    struct query certificate = token_certs_query(), key = query_class(&class_private);
    struct meant_name name;
    struct objects found;

    TRY(find_meant(&found, session, &certificate, ref, err));
    TRY(token_certs_load(out, session, &found, err));
    if (out->count)
        return SE_OK;
    if (!find_meant(&found, session, &key, ref, NULL) && found.count)
        return error_set(err, SE_ERR_KEY,
                         "private key %s has no certificate of that %s: name one with certificate=",
                         meant_name(&name, ref), ref->id.size ? "CKA_ID" : "label");
    return no_certificate(session, ref, err);
}

static se_status add_others(struct certificates *out, const struct token_certs *certs,
                            se_error *err)
{
    for (size_t i = 0; i < certs->count; i++)
        TRY(certificates_add_other(out, certs->list[i].certificate, err));
    return SE_OK;
}

/* What a renewed certificate keeps is the CKA_ID of its key; labels may differ. */
static se_status add_others_by_id(struct certificates *out, struct session *session,
                                  const se_buf *id, se_error *err)
{
    AUTO(token_certs) certs = { .count = 0 };
    struct query query = token_certs_query();
    struct objects found;

    if (!id->size)
        return SE_OK;
    query_add(&query, CKA_ID, buf_bytes(id));
    TRY(object_find(&found, session, &query, err));
    TRY(token_certs_load(&certs, session, &found, err));
    return add_others(out, &certs, err);
}

/* `own` is one of `certs`, which were found by what they mean. */
static se_status gather_certificates(struct certificates *out, const struct token_cert *own,
                                     const struct token_certs *certs, struct session *session,
                                     se_error *err)
{
    AUTO(certificates) all = { .own = own->certificate };

    if (!X509_up_ref(own->certificate)) {
        all.own = NULL;
        return error_memory(err);
    }
    TRY(add_others(&all, certs, err));
    TRY(add_others_by_id(&all, session, &own->id, err));
    *out = all;
    all = (struct certificates){ .own = NULL };
    return SE_OK;
}

se_status keypair_certificate(struct certificates *out, struct session *session,
                              const struct keyref *ref, se_error *err)
{
    AUTO(token_certs) certs = { .count = 0 };

    TRY(load_certificates(&certs, session, ref, err));
    return gather_certificates(out, &certs.list[0], &certs, session, err);
}

/* By what they mean, or what leads to them from the certificate: its CKA_ID. */
static se_status find_keys(struct objects *out, unsigned *namesakes, struct session *session,
                           const struct keyref *ref, const se_buf *id, se_error *err)
{
    struct query query = query_class(&class_private), by_id = query;

    *namesakes = 0;
    TRY(meant_find(out, session, &query, ref, MEANT_EXACTLY, err));
    if (out->count > 1 && !ref->id.size)
        *namesakes = (unsigned)out->count - 1;
    if (out->count || ref->id.size)
        return SE_OK;
    if (id->size) {
        query_add(&by_id, CKA_ID, buf_bytes(id));
        TRY(object_find(out, session, &by_id, err));
        if (out->count)
            return SE_OK;
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
struct search_progress {
    bool key, permitted;
};

/* key->object and the rest, if one of `found` belongs to key->public_key. */
static se_status choose_key(bool *out, struct p11_key *key, struct session *session,
                            const struct objects *found, struct search_progress *progress,
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
        key->always_authenticate =
            object_flag(session, key->object, CKA_ALWAYS_AUTHENTICATE, false);
        st = key_matches(out, key, session, err);
        key->may_leave = !st && *out && object_may_leave(session, key->object);
    }
    return st;
}

static se_status public_key_of(EVP_PKEY **out, X509 *certificate, const struct keyref *ref,
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
 * Where neither name nor CKA_ID leads to a key: by its public half, among all of the token.  A key
 * that shows its public half is taken by that; one that does not, only if it is the only one, for
 * it has to sign or decrypt to prove itself.
 */
static se_status find_by_public(struct objects *out, struct p11_key *key, struct session *session,
                                se_error *err)
{
    const CK_KEY_TYPE type = key_family(key->public_key) == FAMILY_RSA ? CKK_RSA : CKK_EC;
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
        if (evidence == EVIDENCE_SAME)
            out->list[out->count++] = key->object;
        silent = evidence == EVIDENCE_UNKNOWN ? key->object : silent;
        silent_count += evidence == EVIDENCE_UNKNOWN;
    }
    if (!st && !out->count && silent_count == 1)
        out->list[out->count++] = silent;
    return st;
}

/* key->public_key becomes the certificate's, *found what may be its private keys. */
static se_status find_halves(struct objects *found, struct p11_key *key, struct session *session,
                             const struct token_cert *cert, se_error *err)
{
    found->count = 0;
    TRY(public_key_of(&key->public_key, cert->certificate, key->ref, err));
    TRY(find_keys(found, &key->namesakes, session, key->ref, &cert->id, err));
    if (found->count || key->ref->id.size)
        return SE_OK;
    return find_by_public(found, key, session, err);
}

/* Whether the token has the private key of that certificate. */
static se_status try_certificate(bool *out, struct p11_key *key, struct session *session,
                                 const struct token_cert *cert, struct search_progress *progress,
                                 se_error *err)
{
    struct objects found;

    *out = false;
    TRY(find_halves(&found, key, session, cert, err));
    return choose_key(out, key, session, &found, progress, err);
}

static se_status not_a_pair(const struct p11_key *key, se_error *err)
{
    struct meant_name name;

    return error_set(err, SE_ERR_KEY, "private key %s and its certificate do not belong together",
                     meant_name(&name, key->ref));
}

static se_status not_permitted(const struct p11_key *key, se_error *err)
{
    struct meant_name name;

    return error_set(err, SE_ERR_KEY, "private key %s may not %s (%s is false)",
                     meant_name(&name, key->ref), permissions[key->part].verb,
                     permissions[key->part].name);
}

static se_status no_keypair(const struct p11_key *key, struct session *session,
                            const struct search_progress *progress, bool given, se_error *err)
{
    AUTO(writer) there = { 0 };
    struct meant_name name;

    if (progress->permitted)
        return not_a_pair(key, err);
    if (progress->key)
        return not_permitted(key, err);
    object_list(&there, session, key->ref->alias);
    return error_set(
        err, SE_ERR_KEY, "no private key %s, nor one with the certificate's %s; there is %s",
        meant_name(&name, key->ref), given ? "public key" : "CKA_ID", writer_string(&there));
}

/* By what the private keys say of themselves: the first of its own that may decrypt will do. */
static se_status judge_recipient(struct p11_key *key, struct session *session,
                                 const struct token_cert *cert, se_error *err)
{
    bool forbidden = false;
    struct objects found;

    TRY(find_halves(&found, key, session, cert, err));
    for (size_t i = 0; i < found.count; i++) {
        enum evidence evidence;

        key->object = found.list[i];
        TRY(key_compare(&evidence, key, session, err));
        if (evidence == EVIDENCE_OTHER)
            continue;
        if (object_flag(session, key->object, permissions[key->part].flag, true))
            return SE_OK;
        forbidden = true;
    }
    if (forbidden)
        return not_permitted(key, err);
    return found.count ? not_a_pair(key, err) : SE_OK;
}

se_status keypair_recipient(struct certificates *out, struct session *session,
                            const struct keyref *ref, se_error *err)
{
    struct p11_key key = { .ref = ref, .part = PART_DECRYPT };
    AUTO(token_certs) certs = { .count = 0 };

    TRY(load_certificates(&certs, session, ref, err));
    TRY_PREFIX(judge_recipient(&key, session, &certs.list[0], err), err,
               "what is encrypted for it could not be decrypted: ");
    return gather_certificates(out, &certs.list[0], &certs, session, err);
}

/* The certificate that the configuration gives takes the place of those on the token. */
static se_status certificates_of(struct token_certs *out, X509 *given, struct session *session,
                                 const struct keyref *ref, se_error *err)
{
    if (!given)
        return load_certificates(out, session, ref, err);
    if (!X509_up_ref(given))
        return error_memory(err);
    out->list[0] = (struct token_cert){ given, SE_BUF_INIT };
    out->count = 1;
    return SE_OK;
}

se_status keypair_find(struct p11_key *key, struct certificates *certificates,
                       struct session *session, se_error *err)
{
    AUTO(token_certs) certs = { .count = 0 };
    struct search_progress progress = { false, false };
    bool found = false;
    size_t i = 0;
    se_status st = certificates_of(&certs, certificates->own, session, key->ref, err);

    for (; !st && !found && i < certs.count; i++)
        st = try_certificate(&found, key, session, &certs.list[i], &progress, err);
    if (!st && !found)
        st = no_keypair(key, session, &progress, certificates->own, err);
    if (!st && !certificates->own)
        st = gather_certificates(certificates, &certs.list[i - 1], &certs, session, err);
    if (!st && !EVP_PKEY_up_ref(key->public_key))
        st = error_memory(err);
    if (st)
        key->public_key = NULL;
    return st;
}
