/* SPDX-License-Identifier: Apache-2.0 */
/* What both modes do. */
#include "provision/azure/vault_keystore.h"

#include <stdlib.h>

#include "crypto/certificate.h"
#include "provision/azure/vault_key_types.h"
#include "provision/file_keystore.h"

void vault_keystore_close(struct keystore *keystore)
{
    struct vault_keystore *s = (struct vault_keystore *)keystore;

    output_discard(&s->file);
    vault_session_close(&s->session);
    EVP_PKEY_free(s->key);
    X509_free(s->certificate);
    sk_X509_pop_free(s->chain, X509_free);
    free(s->made);
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

void vault_note_version(const struct vault_keystore *s, const char *id, const char *collection)
{
    struct object_id made;

    if (!*s->version || object_id_parse(&made, vault_place(s->session.vault), collection, id, NULL))
        return;
    target_note(s->keystore.target,
                "version %s is made, before version %s, which stays in the vault", made.version,
                s->version);
}
