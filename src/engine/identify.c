#include <stdio.h>

#include "base/arguments.h"
#include "base/text.h"
#include "crypto/certificate.h"
#include "engine/engine.h"

static void tell(se_identity *out, const struct descriptor *descriptor, const struct key *key,
                 const struct algorithm *algorithm)
{
    const char *alias = descriptor->key->replicas[0].alias;

    *out = (se_identity){ .version = descriptor->version,
                          .not_after = certificate_not_after(key->certificate) };
    alias = *alias ? alias : descriptor->key->name;
    text_copy(out->key, sizeof out->key, descriptor->key->name, strlen(descriptor->key->name));
    text_copy(out->alias, sizeof out->alias, alias, strlen(alias));
    (void)snprintf(out->algorithm, sizeof out->algorithm, "%s", algorithm->name);
    (void)snprintf(out->digest, sizeof out->digest, "%s", digest_name(algorithm->digest));
    key_type_name(out->key_type, X509_get0_pubkey(key->certificate));
}

se_status se_identify(se_identity *out, se_engine *engine, const char *descriptor, unsigned version,
                      se_error *error)
{
    const struct algorithm *algorithm;
    const struct descriptor *found;
    AUTO(key) key = NULL;
    se_status st;

    if (out)
        *out = (se_identity){ .version = 0 };
    TRY(arguments_check(error, out, engine, descriptor));
    TRY(config_descriptor(&found, engine->config, descriptor, version, error));
    if ((st = slot_open(&key, engine, found->key, PART_CERTIFICATE, error)) ||
        (st = signing_algorithm(&algorithm, found, X509_get0_pubkey(key->certificate), error)))
        return blame(error, found);
    tell(out, found, key, algorithm);
    return SE_OK;
}
