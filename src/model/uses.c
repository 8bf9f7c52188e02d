#include "model/uses.h"

#include <stddef.h>
#include <string.h>

enum {
    SIGNATURE = 1 << ALGORITHM_SIGNATURE,
    DIGEST = 1 << ALGORITHM_DIGEST,
    CIPHER = 1 << ALGORITHM_CIPHER,
    WRAP = 1 << ALGORITHM_WRAP,
    JWS = 1 << ALGORITHM_JWS,
    ANY_KIND = SIGNATURE | DIGEST | CIPHER | WRAP | JWS,
};

/* "only the key pair counts": self-signed is fine, validity and key usage are not looked at */
#define KEY_ONLY(text, what, max)                                                                                                          \
    {                                                                                                                                      \
        .name = text, .kinds = what, .family = FAMILY_RSA, .rsa_min = 2048, .rsa_max = max, .self_signed = true                            \
    }

static const struct use uses[] = {
    KEY_ONLY("EncryptedFields", CIPHER, 4096),
    KEY_ONLY("ConfigZipEncrypter", CIPHER, 16384),
    {
        .name = "ConfigZipSigner",
        .kinds = DIGEST,
        .rsa_min = 2048,
        .rsa_max = 16384,
        .validity = true,
        .usage = USAGE_CRITICAL_SIGNATURE,
    },
    {
        .name = "ObjectHistorySigner",
        .kinds = DIGEST,
        .rsa_min = 2048,
        .rsa_max = 16384,
        .self_signed = true,
        .usage = USAGE_CRITICAL_SIGNATURE,
    },
    {
        .name = "SignEmailDescriptor",
        .kinds = SIGNATURE,
        .rsa_min = 2048,
        .rsa_max = 4096,
        .validity = true,
        .mail_address = true,
        .usage = USAGE_SIGN,
    },
    KEY_ONLY("SelfServiceJWTSigner", JWS, 16384),
    KEY_ONLY("ContentProviderJWSSigner", JWS, 16384),
    KEY_ONLY("hermodDeviceEnc", ANY_KIND, 16384),
    KEY_ONLY("att_*", ANY_KIND, 16384),
};

static const struct use own = {
    .kinds = ANY_KIND,
    .rsa_min = 2048,
    .rsa_max = 16384,
    .self_signed = true,
    .validity = true,
    .usage = USAGE_SIGN_IF_STATED,
};

/* A row's name that ends with '*' stands for all names that begin so. */
static bool stands_for(const char *row, const char *name)
{
    size_t size = strlen(row);

    return row[size - 1] == '*' ? !strncmp(row, name, size - 1) : !strcmp(row, name);
}

const struct use *use_find(const char *name)
{
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)
        if (stands_for(uses[i].name, name))
            return &uses[i];
    return &own;
}
