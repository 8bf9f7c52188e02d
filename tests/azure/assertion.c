/* SPDX-License-Identifier: Apache-2.0 */
/* A client assertion, verified for real. */
#include "tests/azure/emulator.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

/* the numbers of Entra's errors */
enum {
    BAD_SIGNATURE = 700027,
    BAD_AUDIENCE = 700023,
    BAD_TIME = 700024,
    BAD_ISSUER = 700021,
    BAD_FORM = 50027,
    NO_FEDERATION = 70021
};

static json_t *decode_part(const char *text, size_t length)
{
    size_t size = 0;
    char *part = strndup(text, length);
    unsigned char *bytes = base64url_decode(&size, part);
    json_t *json = bytes ? json_loadb((const char *)bytes, size, 0, NULL) : NULL;
    free(bytes);
    free(part);
    return json;
}

static const char *text_of(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text ? text : "";
}

static bool verify_signature(EVP_PKEY *key, const char *alg, const char *signed_text, size_t size,
                             const char *signature)
{
    size_t length = 0;
    unsigned char *bytes = base64url_decode(&length, signature);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *padding = NULL;
    bool good = bytes && EVP_DigestVerifyInit(context, &padding, EVP_sha256(), NULL, key) == 1;
    if (good && strcmp(alg, "PS256") == 0)
        good = EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) == 1;
    good = good &&
           EVP_DigestVerify(context, bytes, length, (const unsigned char *)signed_text, size) == 1;
    EVP_MD_CTX_free(context);
    free(bytes);
    return good;
}

static const char *check_claims(int *code, const json_t *claims, const char *client,
                                const char *audience)
{
    int64_t now = clock_seconds();
    *code = BAD_AUDIENCE;
    if (strcmp(text_of(claims, "aud"), audience) != 0)
        return "Client assertion audience claim does not match Realm issuer.";
    *code = BAD_ISSUER;
    if (strcasecmp(text_of(claims, "iss"), client) != 0 ||
        strcasecmp(text_of(claims, "sub"), client) != 0)
        return "Client assertion application identifier doesn't match 'client_id' parameter.";
    *code = BAD_TIME;
    if (json_integer_value(json_object_get(claims, "exp")) <= now ||
        json_integer_value(json_object_get(claims, "nbf")) > now + 300)
        return "Client assertion is not within its valid time range.";
    if (json_integer_value(json_object_get(claims, "exp")) > now + 86400)
        return "Client assertion is valid for longer than a day.";
    *code = BAD_FORM;
    if (!*text_of(claims, "jti") || !jti_unused(text_of(claims, "jti")))
        return "Client assertion has no jti, or one that was used before.";
    return NULL;
}

static const char *check_signature(int *code, const char *client, const json_t *header,
                                   const char *assertion, const char *second_dot)
{
    const char *alg = text_of(header, "alg"), *sha256 = text_of(header, "x5t#S256"),
               *sha1 = text_of(header, "x5t");
    EVP_PKEY *key = *sha256 ? client_key(client, sha256, true)
                    : *sha1 ? client_key(client, sha1, false)
                            : NULL;
    *code = BAD_SIGNATURE;
    if (!key)
        return "Client assertion contains an invalid signature. [Reason - The key was not found.]";
    bool good =
        (strcmp(alg, "PS256") == 0 || strcmp(alg, "RS256") == 0) && EVP_PKEY_is_a(key, "RSA") &&
        verify_signature(key, alg, assertion, (size_t)(second_dot - assertion), second_dot + 1);
    EVP_PKEY_free(key);
    return good ? NULL : "Client assertion failed signature validation.";
}

const char *assertion_check(int *code, const char *client, const char *assertion,
                            const char *audience)
{
    const char *first = strchr(assertion, '.'), *second = first ? strchr(first + 1, '.') : NULL;
    if (client_federated_valid(client, assertion))
        return NULL;
    *code = BAD_FORM;
    if (!second)
        return "JWT token is invalid or malformed.";
    json_t *header = decode_part(assertion, (size_t)(first - assertion));
    json_t *claims = decode_part(first + 1, (size_t)(second - first - 1));
    const char *wrong = "JWT token is invalid or malformed.";
    if (header && claims && !json_object_get(header, "x5t") &&
        !json_object_get(header, "x5t#S256")) {
        *code = NO_FEDERATION;
        wrong = "No matching federated identity record found for presented assertion.";
    } else if (header && claims) {
        wrong = check_signature(code, client, header, assertion, second);
        if (!wrong)
            wrong = check_claims(code, claims, client, audience);
    }
    json_decref(header);
    json_decref(claims);
    return wrong;
}
