/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/access_identity.h"

#include <stdio.h>

#include "base/arguments.h"
#include "config/cert_names.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"

/* ---- who may ---- */

/* Encoded once, so that no later comparison changes it: those come from many threads. */
static se_status read_name(X509_NAME **out, const char *text, se_error *err)
{
    if (!*text)
        return SE_OK;
    TRY(distinguished_name_parse(out, text, err));
    return i2d_X509_NAME(*out, NULL) > 0
               ? SE_OK
               : crypto_error(err, SE_ERR_CRYPTO, "cannot encode the name '%s'", text);
}

se_status access_match_read(struct access_match *out, const struct access_caller *caller,
                            se_error *err)
{
    *out = (struct access_match){ .kind = caller->kind };
    (void)snprintf(out->sha256, sizeof out->sha256, "%s", caller->sha256);
    TRY(read_name(&out->subject, caller->subject, err));
    TRY(read_name(&out->issuer, caller->issuer, err));
    return *caller->san ? alternative_name_parse(&out->san, caller->san, err) : SE_OK;
}

void access_match_free(struct access_match *match)
{
    X509_NAME_free(match->subject);
    X509_NAME_free(match->issuer);
    GENERAL_NAME_free(match->san);
}

/* ---- who calls ---- */

void access_identity_free(struct access_identity *identity)
{
    X509_free(identity->leaf);
    GENERAL_NAMES_free(identity->names);
}

static se_status read_leaf(X509 **out, se_bytes text, const char *name, se_error *err)
{
    AUTO(x509_stack) certificates = NULL;

    TRY(certificates_read(&certificates, text, name, err));
    *out = sk_X509_shift(certificates);
    return SE_OK;
}

/* The chain was verified before: here, that it is the one of this certificate. */
static se_status check_issuer(const struct access_identity *identity, se_error *err)
{
    AUTO(access_identity) issuer = { .leaf = NULL };

    if (!identity->caller.issuer.size)
        return SE_OK;
    TRY(read_leaf(&issuer.leaf, identity->caller.issuer, "the issuer", err));
    if (X509_NAME_cmp(X509_get_subject_name(issuer.leaf), X509_get_issuer_name(identity->leaf)))
        return error_set(err, SE_ERR_USAGE, "the issuer did not issue the certificate");
    return SE_OK;
}

static se_status read_certificate(struct access_identity *identity, se_error *err)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (!identity->caller.certificate.size)
        return SE_OK;
    TRY(read_leaf(&identity->leaf, identity->caller.certificate, "the certificate", err));
    TRY(check_issuer(identity, err));
    /* what can't be read names nobody */
    identity->names = X509_get_ext_d2i(identity->leaf, NID_subject_alt_name, NULL, NULL);
    if (!X509_digest(identity->leaf, crypto_md(DIGEST_SHA256), hash, &size))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot hash the certificate");
    for (unsigned i = 0; i < size; i++)
        (void)snprintf(identity->sha256 + 2 * i, 3, "%02x", hash[i]);
    return SE_OK;
}

se_status access_identity_read(struct access_identity *out, const se_caller *caller, se_error *err)
{
    TRY(arguments_options(&out->caller, caller, se_caller, err));
    if (out->caller.gid_count && !out->caller.gids)
        return error_set(err, SE_ERR_USAGE, "gids is NULL, and there are %zu",
                         out->caller.gid_count);
    return read_certificate(out, err);
}

static bool has_group(const se_caller *caller, uint32_t gid)
{
    for (size_t i = 0; i < caller->gid_count; i++)
        if (caller->gids[i] == gid)
            return true;
    return false;
}

/* Names of hosts have no case; all else is exact, with no wildcards (RFC 6125 leaves those to the
 * client, and here the client is who wants in). */
static bool is_same_name(GENERAL_NAME *wanted, GENERAL_NAME *name)
{
    const ASN1_STRING *a, *b;

    if (wanted->type != name->type)
        return false;
    if (wanted->type != GEN_DNS)
        return !GENERAL_NAME_cmp(wanted, name);
    a = wanted->d.dNSName;
    b = name->d.dNSName;
    return ASN1_STRING_length(a) == ASN1_STRING_length(b) &&
           !OPENSSL_strncasecmp((const char *)ASN1_STRING_get0_data(a),
                                (const char *)ASN1_STRING_get0_data(b),
                                (size_t)ASN1_STRING_length(a));
}

static bool has_name(const GENERAL_NAMES *names, GENERAL_NAME *wanted)
{
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++)
        if (is_same_name(wanted, sk_GENERAL_NAME_value(names, i)))
            return true;
    return false;
}

static bool is_certificate(const struct access_match *match, const struct access_identity *identity)
{
    const X509 *leaf = identity->leaf;

    return leaf &&
           (!match->subject || !X509_NAME_cmp(match->subject, X509_get_subject_name(leaf))) &&
           (!match->issuer || !X509_NAME_cmp(match->issuer, X509_get_issuer_name(leaf))) &&
           (!match->san || has_name(identity->names, match->san)) &&
           (!*match->sha256 || !strcmp(match->sha256, identity->sha256));
}

bool access_match_is(const struct access_match *match, const struct access_identity *identity)
{
    switch (match->kind) {
    case ACCESS_USER:
        return identity->caller.has_uid && identity->caller.uid == match->id;
    case ACCESS_GROUP:
        return has_group(&identity->caller, match->id);
    default:
        return is_certificate(match, identity);
    }
}
