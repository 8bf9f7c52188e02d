#include "xmldsig/names.h"

#include <string.h>

/* RFC 9231, 2.3 */
#define MORE       "http://www.w3.org/2001/04/xmldsig-more#"
#define PSS        "http://www.w3.org/2007/05/xmldsig-more#"
#define ENCRYPTION "http://www.w3.org/2001/04/xmlenc#"

static const struct {
    enum digest digest;
    enum key_family family;
    enum padding padding;
    const char *uri;
} signatures[] = {
    { DIGEST_SHA256, FAMILY_RSA, PADDING_PKCS1, MORE "rsa-sha256" },
    { DIGEST_SHA384, FAMILY_RSA, PADDING_PKCS1, MORE "rsa-sha384" },
    { DIGEST_SHA512, FAMILY_RSA, PADDING_PKCS1, MORE "rsa-sha512" },
    { DIGEST_SHA256, FAMILY_RSA, PADDING_PSS, PSS "sha256-rsa-MGF1" },
    { DIGEST_SHA384, FAMILY_RSA, PADDING_PSS, PSS "sha384-rsa-MGF1" },
    { DIGEST_SHA512, FAMILY_RSA, PADDING_PSS, PSS "sha512-rsa-MGF1" },
    { DIGEST_SHA256, FAMILY_EC, PADDING_NONE, MORE "ecdsa-sha256" },
    { DIGEST_SHA384, FAMILY_EC, PADDING_NONE, MORE "ecdsa-sha384" },
    { DIGEST_SHA512, FAMILY_EC, PADDING_NONE, MORE "ecdsa-sha512" },
};
enum { SIGNATURES = sizeof signatures / sizeof *signatures };

static const char *const digests[] = {
    [DIGEST_SHA256] = ENCRYPTION "sha256",
    [DIGEST_SHA384] = MORE "sha384",
    [DIGEST_SHA512] = ENCRYPTION "sha512",
};

static se_status refuse(const char *what, const char *uri, se_error *err)
{
    const char *why = "is not accepted";

    if (strstr(uri, "hmac"))
        why = "is not accepted: an HMAC proves nothing about who made it, for whoever can verify "
              "it can make it";
    else if (strstr(uri, "sha1") || strstr(uri, "md5") || strstr(uri, "ripemd"))
        why = "is too weak";
    return error_set(err, SE_ERR_REJECTED, "the %s %.150s %s", what, uri, why);
}

se_status xmldsig_signature_method(const struct algorithm **out, const char *uri, se_error *err)
{
    for (size_t i = 0; i < SIGNATURES; i++)
        if (!strcmp(uri, signatures[i].uri)) {
            *out = algorithm_signature(signatures[i].digest, signatures[i].family,
                                       signatures[i].padding);
            return SE_OK;
        }
    return refuse("SignatureMethod", uri, err);
}

se_status xmldsig_digest_method(enum digest *out, const char *uri, se_error *err)
{
    for (enum digest d = DIGEST_SHA256; d <= DIGEST_SHA512; d++)
        if (!strcmp(uri, digests[d])) {
            *out = d;
            return SE_OK;
        }
    return refuse("DigestMethod", uri, err);
}

const char *xmldsig_signature_uri(const struct algorithm *algorithm)
{
    for (size_t i = 0; i < SIGNATURES; i++)
        if (algorithm->digest == signatures[i].digest &&
            algorithm->family == signatures[i].family &&
            algorithm->padding == signatures[i].padding)
            return signatures[i].uri;
    return NULL;
}

const char *xmldsig_digest_uri(enum digest digest)
{
    return digests[digest];
}
