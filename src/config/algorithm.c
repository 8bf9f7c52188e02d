/* SPDX-License-Identifier: Apache-2.0 */
#include "config/algorithm.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct row {
    const char *spelling; /* a '-' may be left out */
    struct algorithm algorithm;
};

#define SIGNATURE(text, hash, keys, pad)                                                           \
    {                                                                                              \
        text,                                                                                      \
        {                                                                                          \
            .name = text, .kind = ALGORITHM_SIGNATURE, .digest = hash, .family = keys,             \
            .padding = pad                                                                         \
        }                                                                                          \
    }
#define JWS(text, hash, keys, pad)                                                                 \
    {                                                                                              \
        text,                                                                                      \
        {                                                                                          \
            .name = text, .kind = ALGORITHM_JWS, .digest = hash, .family = keys, .padding = pad    \
        }                                                                                          \
    }
#define DIGEST(text, hash)                                                                         \
    {                                                                                              \
        text,                                                                                      \
        {                                                                                          \
            .name = text, .kind = ALGORITHM_DIGEST, .digest = hash                                 \
        }                                                                                          \
    }
#define CIPHER(text, canonical, how)                                                               \
    {                                                                                              \
        text,                                                                                      \
        {                                                                                          \
            .name = canonical, .kind = ALGORITHM_CIPHER, .cipher = how, .family = FAMILY_RSA,      \
            .bits = 256                                                                            \
        }                                                                                          \
    }

static const struct row rows[] = {
    SIGNATURE("SHA256withRSA", DIGEST_SHA256, FAMILY_RSA, PADDING_PKCS1),
    SIGNATURE("SHA384withRSA", DIGEST_SHA384, FAMILY_RSA, PADDING_PKCS1),
    SIGNATURE("SHA512withRSA", DIGEST_SHA512, FAMILY_RSA, PADDING_PKCS1),
    SIGNATURE("SHA256withRSAandMGF1", DIGEST_SHA256, FAMILY_RSA, PADDING_PSS),
    SIGNATURE("SHA384withRSAandMGF1", DIGEST_SHA384, FAMILY_RSA, PADDING_PSS),
    SIGNATURE("SHA512withRSAandMGF1", DIGEST_SHA512, FAMILY_RSA, PADDING_PSS),
    SIGNATURE("SHA256withECDSA", DIGEST_SHA256, FAMILY_EC, PADDING_NONE),
    SIGNATURE("SHA384withECDSA", DIGEST_SHA384, FAMILY_EC, PADDING_NONE),
    SIGNATURE("SHA512withECDSA", DIGEST_SHA512, FAMILY_EC, PADDING_NONE),
    DIGEST("SHA-256", DIGEST_SHA256),
    DIGEST("SHA-384", DIGEST_SHA384),
    DIGEST("SHA-512", DIGEST_SHA512),
    CIPHER("AES/CBC/PKCS7Padding", "AES/CBC/PKCS7Padding", CIPHER_AES_CBC),
    /* the JCA's name for the same: PKCS #5 pads blocks of 8 bytes only, AES has 16 */
    CIPHER("AES/CBC/PKCS5Padding", "AES/CBC/PKCS7Padding", CIPHER_AES_CBC),
    CIPHER("AES/GCM/NoPadding", "AES/GCM/NoPadding", CIPHER_AES_GCM),
    JWS("RS256", DIGEST_SHA256, FAMILY_RSA, PADDING_PKCS1),
    JWS("RS384", DIGEST_SHA384, FAMILY_RSA, PADDING_PKCS1),
    JWS("RS512", DIGEST_SHA512, FAMILY_RSA, PADDING_PKCS1),
    JWS("PS256", DIGEST_SHA256, FAMILY_RSA, PADDING_PSS),
    JWS("PS384", DIGEST_SHA384, FAMILY_RSA, PADDING_PSS),
    JWS("PS512", DIGEST_SHA512, FAMILY_RSA, PADDING_PSS),
    JWS("ES256", DIGEST_SHA256, FAMILY_EC, PADDING_NONE),
    JWS("ES384", DIGEST_SHA384, FAMILY_EC, PADDING_NONE),
    JWS("ES512", DIGEST_SHA512, FAMILY_EC, PADDING_NONE),
    /* how configurations call RS256 that are older than JOSE's names in them */
    JWS("RSA", DIGEST_SHA256, FAMILY_RSA, PADDING_PKCS1),
};

static const struct {
    const char *name;
    enum digest digest;
} oaep_rows[] = {
    { "RSA/ECB/OAEPWithSHA-1AndMGF1Padding", DIGEST_SHA1 },
    { "RSA/ECB/OAEPWithSHA-256AndMGF1Padding", DIGEST_SHA256 },
    { "RSA/ECB/OAEPWithSHA-384AndMGF1Padding", DIGEST_SHA384 },
    { "RSA/ECB/OAEPWithSHA-512AndMGF1Padding", DIGEST_SHA512 },
    { "RSA/None/OAEPWithSHA-1AndMGF1Padding", DIGEST_SHA1 },
    { "RSA/None/OAEPWithSHA-256AndMGF1Padding", DIGEST_SHA256 },
    { "RSA/None/OAEPWithSHA-384AndMGF1Padding", DIGEST_SHA384 },
    { "RSA/None/OAEPWithSHA-512AndMGF1Padding", DIGEST_SHA512 },
};

static const char *const digests[] = {
    [DIGEST_NONE] = "",          [DIGEST_SHA1] = "SHA-1",     [DIGEST_SHA256] = "SHA-256",
    [DIGEST_SHA384] = "SHA-384", [DIGEST_SHA512] = "SHA-512",
};

static const char *const results[] = {
    [RESULT_NX02] = "NX02", [RESULT_CMS] = "CMS", [RESULT_JWE] = "JWE"
};

static const struct {
    const char *prefix, *reason;
} weak[] = {
    { "SHA1", "SHA-1 is too weak for signatures" },
    { "SHA-1", "SHA-1 is too weak for signatures" },
    { "MD5", "MD5 is too weak for signatures" },
    { "MD2", "MD2 is too weak for signatures" },
    { "AES/ECB/", "ECB shows which parts of a text are equal" },
    { "DES", "DES is too weak" },
    { "RSA/ECB/PKCS1",
      "PKCS #1 v1.5 padding lets others decrypt by asking (Bleichenbacher's attack); use OAEP" },
    { "RSA/None/PKCS1",
      "PKCS #1 v1.5 padding lets others decrypt by asking (Bleichenbacher's attack); use OAEP" },
};

/* As the JCA compares names: case does not count, nor whether the dash of "SHA-256" is there. */
static bool spells_same(const char *spelling, const char *text)
{
    for (; *spelling; spelling++)
        if (tolower((unsigned char)*spelling) == tolower((unsigned char)*text))
            text++;
        else if (*spelling != '-')
            return false;
    return !*text;
}

bool algorithm_parse(struct algorithm *out, const char *text, const char **nearest)
{
    const char *names[COUNT(rows)];

    *out = (struct algorithm){ .name = "" };
    for (size_t i = 0; i < COUNT(rows); i++) {
        names[i] = rows[i].spelling;
        if (spells_same(rows[i].spelling, text)) {
            *out = rows[i].algorithm;
            return true;
        }
    }
    if (nearest)
        *nearest = text_nearest(text, names, COUNT(names));
    return false;
}

bool algorithm_parse_oaep(struct algorithm *out, const char *text, const char **nearest)
{
    const char *names[COUNT(oaep_rows)];

    for (size_t i = 0; i < COUNT(oaep_rows); i++) {
        names[i] = oaep_rows[i].name;
        if (spells_same(oaep_rows[i].name, text)) {
            out->oaep = out->mgf1 = oaep_rows[i].digest;
            return true;
        }
    }
    if (nearest)
        *nearest = text_nearest(text, names, COUNT(names));
    return false;
}

const char *algorithm_weakness(const char *text)
{
    for (size_t i = 0; i < COUNT(weak); i++) {
        size_t size = strlen(weak[i].prefix);

        if (!strncasecmp(text, weak[i].prefix, size) && !isdigit((unsigned char)text[size]))
            return weak[i].reason;
    }
    return NULL;
}

bool digest_parse(enum digest *out, const char *text)
{
    for (size_t i = DIGEST_SHA1; i < COUNT(digests); i++)
        if (spells_same(digests[i], text)) {
            *out = (enum digest)i;
            return true;
        }
    return false;
}

bool result_parse(enum result *out, const char *text)
{
    for (size_t i = 0; i < COUNT(results); i++)
        if (!strcasecmp(results[i], text)) {
            *out = (enum result)i;
            return true;
        }
    return false;
}

const char *digest_name(enum digest digest)
{
    return (size_t)digest < COUNT(digests) ? digests[digest] : "";
}

const char *result_name(enum result result)
{
    return (size_t)result < COUNT(results) ? results[result] : "";
}

const char *oaep_name(enum digest digest)
{
    for (size_t i = 0; i < COUNT(oaep_rows); i++)
        if (oaep_rows[i].digest == digest)
            return oaep_rows[i].name;
    return "";
}

static const struct algorithm *find_signature(enum algorithm_kind kind, enum digest digest,
                                              enum key_family family, enum padding padding)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct algorithm *a = &rows[i].algorithm;

        if (a->kind == kind && a->digest == digest && a->family == family && a->padding == padding)
            return a;
    }
    return NULL;
}

const struct algorithm *algorithm_signature(enum digest digest, enum key_family family,
                                            enum padding padding)
{
    return find_signature(ALGORITHM_SIGNATURE, digest, family, padding);
}

const struct algorithm *algorithm_jws(enum digest digest, enum key_family family,
                                      enum padding padding)
{
    return find_signature(ALGORITHM_JWS, digest, family, padding);
}
