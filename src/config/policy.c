/* SPDX-License-Identifier: Apache-2.0 */
#include "config/policy.h"

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
#define KEY_ONLY(text, what, max, ...)                                                             \
    {                                                                                              \
        .name = text, .kinds = what, .family = FAMILY_RSA, .rsa_min = 2048, .rsa_max = max,        \
        .self_signed = true, __VA_ARGS__                                                           \
    }

static const struct use uses[] = {
    KEY_ONLY("EncryptedFields", CIPHER, 4096),
    KEY_ONLY("ConfigZipEncrypter", CIPHER, 16384, .container = true),
    {
        .name = "ConfigZipSigner",
        .kinds = DIGEST,
        .rsa_min = 2048,
        .rsa_max = 16384,
        .validity = true,
        .usage = USAGE_CRITICAL_SIGNATURE,
        .purpose = PURPOSE_ZIP,
    },
    {
        .name = "ObjectHistorySigner",
        .kinds = DIGEST,
        .rsa_min = 2048,
        .rsa_max = 16384,
        .self_signed = true,
        .usage = USAGE_CRITICAL_SIGNATURE,
        .purpose = PURPOSE_DOCUMENT,
    },
    {
        .name = "SignEmailDescriptor",
        .kinds = SIGNATURE,
        .rsa_min = 2048,
        .rsa_max = 4096,
        .validity = true,
        .mail_address = true,
        .usage = USAGE_SIGN,
        .purpose = PURPOSE_MAIL,
    },
    KEY_ONLY("SelfServiceJWTSigner", JWS, 16384),
    KEY_ONLY("ContentProviderJWSSigner", JWS, 16384),
    KEY_ONLY("hermodDeviceEnc", ANY_KIND, 16384),
    KEY_ONLY("att_*", ANY_KIND, 16384, .public_only = true),
};

static const struct use own = {
    .kinds = ANY_KIND,
    .rsa_min = 2048,
    .rsa_max = 16384,
    .self_signed = true,
    .validity = true,
    .usage = USAGE_SIGN_IF_STATED,
    .purpose = PURPOSE_DOCUMENT,
};

#define EMAIL_PROTECTION                                                                           \
    {                                                                                              \
        "emailProtection", "1.3.6.1.5.5.7.3.4"                                                     \
    }
#define CODE_SIGNING                                                                               \
    {                                                                                              \
        "codeSigning", "1.3.6.1.5.5.7.3.3"                                                         \
    }

/*
 * RFC 5280, 4.2.1.12: a certificate that has the extension may be used for nothing else, so that
 * the key of a web server signs no mail (RFC 8550, 4.4.4) and that of an accountant no
 * configuration.  Documents have had no purpose of their own before RFC 9336: what CAs and others
 * took instead is accepted too.
 */
static const struct purpose_rule purposes[] = {
    [PURPOSE_DOCUMENT] = { "documents",
                           { EMAIL_PROTECTION,
                             CODE_SIGNING,
                             { "documentSigning", "1.3.6.1.5.5.7.3.36" },
                             { "Microsoft's", "1.3.6.1.4.1.311.10.3.12" },
                             { "Adobe's", "1.2.840.113583.1.1.5" } },
                           .own_exempt = true },
    [PURPOSE_MAIL] = { "mail", { EMAIL_PROTECTION } },
    [PURPOSE_ZIP] = { "zips", { CODE_SIGNING }, .own_exempt = true },
    [PURPOSE_CONFIG] = { "configurations", { CODE_SIGNING }, .own_exempt = true },
    [PURPOSE_TIME_STAMP] = { "time stamps",
                             { { "timeStamping", "1.3.6.1.5.5.7.3.8" } },
                             .dedicated = true }, /* RFC 3161, 2.3 */
};

const struct purpose_rule *purpose_rule(enum purpose purpose)
{
    return &purposes[purpose];
}

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
