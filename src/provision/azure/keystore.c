/* SPDX-License-Identifier: Apache-2.0 */
/* What both modes do. */
#include "provision/azure/keystore.h"
#include "provision/cert_profile.h"

#include <stdlib.h>

#include "crypto/certificate.h"
#include "keystore/azure/jwk.h"
#include "keystore/azure/key.h"
#include "provision/file_keystore.h"

void vault_keystore_close(struct keystore *keystore)
{
    struct vault_keystore *s = (struct vault_keystore *)keystore;

    output_discard(&s->file);
    vault_session_close(&s->session);
    EVP_PKEY_free(s->key);
    X509_free(s->certificate);
    sk_X509_pop_free(s->chain, X509_free);
    free(s);
}

se_status vault_put_key(struct keystore *keystore, EVP_PKEY *key, const struct key_profile *profile,
                        se_error *err)
{
    struct vault_keystore *s = (struct vault_keystore *)keystore;

    if (!EVP_PKEY_up_ref(key))
        return error_memory(err);
    s->key = key;
    s->profile = *profile;
    s->profile.type = key_type_of(key);
    return SE_OK;
}

se_status vault_put_certificates(struct keystore *keystore, X509 *certificate,
                                 const STACK_OF(X509) * chain, se_error *err)
{
    struct vault_keystore *s = (struct vault_keystore *)keystore;

    if (!X509_up_ref(certificate))
        return error_memory(err);
    s->certificate = certificate;
    return certificates_join(&s->chain, chain, err);
}

void vault_note_version(const struct vault_keystore *s, const char *id)
{
    struct object_id made;

    if (!*s->version ||
        object_id_parse(&made, vault_place(s->session.vault), s->session.collection, id, NULL))
        return;
    target_note(s->keystore.target,
                "version %s is made, before version %s, which stays in the vault", made.version,
                s->version);
}

se_status vault_pair_open(struct key_pair *out, const struct vault_session *session,
                          const struct vault_key_answer *answer, se_error *err)
{
    struct vault_key *key;
    char *id;

    TRY(jwk_public_key(&out->public_key, answer->jwk, err));
    if (!(id = strdup(answer->id)))
        return error_memory(err);
    TRY(vault_key_new(&key, &session->target->ref, vault_ref(session->vault), out->public_key, id,
                      answer->operations, NULL, err));
    return vault_key_wrap(&out->private_key, key, err);
}

/* ---- what keys a vault makes ---- */

se_status vault_key_kind(const char **out, const struct vault_session *session,
                         enum key_family family, enum protection protection, se_error *err)
{
    const bool is_software = protection == PROTECTION_SOFTWARE;

    *out = family == FAMILY_EC ? is_software ? "EC" : "EC-HSM" : is_software ? "RSA" : "RSA-HSM";
    if (is_software && vault_session_is_hsm(session))
        return error_set(err, SE_ERR_USAGE, "a Managed HSM has no keys in software");
    return SE_OK;
}

static bool is_vault_size(unsigned bits)
{
    return bits == 2048 || bits == 3072 || bits == 4096;
}

static const char *curve_name(const char *group)
{
    for (size_t i = 0; group && i < KEY_CURVES; i++)
        if (!strcmp(key_curves[i].group, group))
            return key_curves[i].name;
    return NULL;
}

se_status vault_key_properties(json_t **out, const struct vault_session *session,
                               const struct key_profile *profile, se_error *err)
{
    const struct key_type *type = &profile->type;
    const char *kind, *curve = curve_name(type->group);

    *out = NULL;
    TRY(vault_key_kind(&kind, session, type->family, profile->protection, err));
    if (type->family == FAMILY_EC && !curve)
        return error_set(err, SE_ERR_USAGE, "a vault takes keys on P-256, P-384 and P-521 only");
    if (type->family == FAMILY_RSA && !is_vault_size(type->bits))
        return error_set(err, SE_ERR_USAGE,
                         "a vault has RSA keys of 2048, 3072 and 4096 bits, not of %u", type->bits);
    *out = curve ? json_pack("{ss ss}", "kty", kind, "crv", curve)
                 : json_pack("{ss si}", "kty", kind, "key_size", (int)type->bits);
    return *out ? SE_OK : error_memory(err);
}

void vault_note_speed(const struct vault_session *session, const struct key_profile *profile)
{
    const bool is_hsm = profile->protection != PROTECTION_SOFTWARE;
    const unsigned usual = vault_speed(0, is_hsm), speed = vault_speed(profile->type.bits, is_hsm);

    if (vault_session_is_hsm(session) || profile->type.family != FAMILY_RSA || speed == usual)
        return;
    target_note(session->target,
                "a Key Vault does %u operations a second with keys of this type, for all its "
                "callers together; with rsa:2048 or EC keys it does %u",
                speed, usual);
}
