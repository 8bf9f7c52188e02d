/* SPDX-License-Identifier: Apache-2.0 */
/* What a descriptor's use asks of a key and its certificate (the rows are in config/policy.c). */
#include <openssl/x509v3.h>
#include <stdio.h>

#include "crypto/certificate.h"

struct inspection {
    const struct descriptor *descriptor;
    const struct use *use;
    X509 *certificate;
    EVP_PKEY *key;
    enum key_family family;
    int64_t at;
    se_status refusal;
};

static const char *family_text(enum key_family family)
{
    return family == FAMILY_RSA ? "an RSA" : "an EC";
}

/* Without a certificate nothing says whose key it is. */
static se_status check_certified(const struct inspection *in, se_error *err)
{
    const enum algorithm_kind kind = in->descriptor->algorithm.kind;

    if (!certificate_is_bare(in->certificate))
        return SE_OK;
    if (kind == ALGORITHM_CIPHER || kind == ALGORITHM_WRAP)
        return error_set(err, in->refusal, "a public key without a certificate only verifies");
    if (in->use->public_only)
        return SE_OK;
    return error_set(err, in->refusal,
                     "it is a public key without a certificate, which is for descriptors whose "
                     "names begin with att_");
}

static se_status check_family(const struct inspection *in, se_error *err)
{
    enum key_family have = in->family, asked = in->descriptor->algorithm.family;
    bool used = have != FAMILY_ANY && (in->use->family == FAMILY_ANY || in->use->family == have);
    char type[32];

    if (used && (asked == FAMILY_ANY || asked == have))
        return SE_OK;
    key_type_name(type, in->key);
    if (!used)
        return error_set(err, in->refusal, "the key is %s, this use takes %s key", type,
                         in->use->family == FAMILY_ANY ? "an RSA or EC"
                                                       : family_text(in->use->family));
    return error_set(err, in->refusal, "the key is %s, the algorithm %s takes %s key", type,
                     in->descriptor->algorithm.name, family_text(asked));
}

static se_status check_strength(const struct inspection *in, se_error *err)
{
    static const char *const curves[] = { "EC-P-256", "EC-P-384", "EC-P-521" };
    unsigned bits = (unsigned)EVP_PKEY_get_bits(in->key);
    char type[32];

    if (in->family == FAMILY_RSA && bits >= in->use->rsa_min && bits <= in->use->rsa_max)
        return SE_OK;
    key_type_name(type, in->key);
    if (in->family == FAMILY_RSA)
        return error_set(err, in->refusal, "the key is %s, RSA keys of %u to %u bits are accepted",
                         type, in->use->rsa_min, in->use->rsa_max);
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
        if (strcmp(type, curves[i]) == 0)
            return SE_OK;
    return error_set(err, in->refusal,
                     "the key is %s, the curves P-256, P-384 and P-521 are accepted", type);
}

static se_status check_self_signed(const struct inspection *in, se_error *err)
{
    if (in->use->self_signed || !X509_self_signed(in->certificate, 0))
        return SE_OK;
    return error_set(err, in->refusal,
                     "the certificate is self-signed, one issued by a CA is needed");
}

static se_status check_validity(const struct inspection *in, se_error *err)
{
    int64_t from = certificate_not_before(in->certificate),
            to = certificate_not_after(in->certificate);
    char day[16];

    if (!in->use->validity)
        return SE_OK;
    if (in->at > to) {
        date_text(day, to);
        if (in->refusal == SE_ERR_REJECTED)
            return error_set(err, in->refusal, CERTIFICATE_EXPIRED " (%s)", day);
        return error_set(err, in->refusal, "certificate expired %s", day);
    }
    if (in->at < from) {
        date_text(day, from);
        return error_set(err, in->refusal, "certificate not valid before %s", day);
    }
    return SE_OK;
}

static bool usage_is_critical(X509 *certificate)
{
    int at = X509_get_ext_by_NID(certificate, NID_key_usage, -1);

    return at >= 0 && X509_EXTENSION_get_critical(X509_get_ext(certificate, at));
}

static se_status check_usage(const struct inspection *in, se_error *err)
{
    bool stated = X509_get_extension_flags(in->certificate) & EXFLAG_KUSAGE;
    uint32_t bits = stated ? X509_get_key_usage(in->certificate) : 0;
    enum key_usage rule = in->use->usage;

    /* of encryption, only the key counts, whatever the descriptor is called: what it made before
     * must be decrypted anyway */
    if (in->descriptor->algorithm.kind == ALGORITHM_CIPHER ||
        in->descriptor->algorithm.kind == ALGORITHM_WRAP)
        return SE_OK;
    if (rule == USAGE_ANY || (rule == USAGE_SIGN_IF_STATED && !stated))
        return SE_OK;
    if (!stated)
        return error_set(err, in->refusal,
                         "the certificate has no keyUsage, digitalSignature is needed");
    if (rule == USAGE_CRITICAL_SIGNATURE && !usage_is_critical(in->certificate))
        return error_set(err, in->refusal,
                         "the certificate's keyUsage is not critical, as it has to be");
    if (rule == USAGE_CRITICAL_SIGNATURE)
        bits &= (uint32_t)~KU_NON_REPUDIATION;
    if (bits & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION))
        return SE_OK;
    return error_set(err, in->refusal, "the certificate's keyUsage does not hold digitalSignature");
}

static se_status check_mail_address(const struct inspection *in, se_error *err)
{
    STACK_OF(OPENSSL_STRING) *addresses =
        in->use->mail_address ? X509_get1_email(in->certificate) : NULL;
    bool missing = in->use->mail_address && sk_OPENSSL_STRING_num(addresses) <= 0;

    X509_email_free(addresses);
    return missing ? error_set(err, in->refusal, "the certificate names no mail address") : SE_OK;
}

se_status certificate_check(const struct descriptor *descriptor, X509 *certificate, int64_t at,
                            se_status refusal, se_error *err)
{
    static se_status (*const checks[])(const struct inspection *, se_error *) = {
        check_certified, check_family, check_strength,     check_self_signed,
        check_validity,  check_usage,  check_mail_address,
    };
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    const struct inspection in = {
        descriptor, descriptor->use, certificate, key, key ? key_family(key) : FAMILY_ANY,
        at,         refusal
    };
    se_status st =
        key ? SE_OK : error_set(err, refusal, "the certificate's public key can't be read");

    for (size_t i = 0; !st && i < sizeof checks / sizeof *checks; i++)
        st = checks[i](&in, err);
    return st;
}

/* ---- extendedKeyUsage ---- */

AUTO_KIND(extended_usage, EXTENDED_KEY_USAGE *, EXTENDED_KEY_USAGE_free(*p))

enum { OID_TEXT = 80 };
#define ANY_EXTENDED_KEY_USAGE "2.5.29.37.0"

/* `any`: whether anyExtendedKeyUsage will do */
static bool is_accepted(const ASN1_OBJECT *usage, const struct purpose_rule *rule, bool any)
{
    char oid[OID_TEXT];

    (void)OBJ_obj2txt(oid, sizeof oid, usage, 1);
    for (size_t i = 0; i < ACCEPTED_MOST && rule->accepted[i].oid; i++)
        if (strcmp(oid, rule->accepted[i].oid) == 0)
            return true;
    return any && strcmp(oid, ANY_EXTENDED_KEY_USAGE) == 0;
}

static bool holds_accepted(const EXTENDED_KEY_USAGE *usages, const struct purpose_rule *rule,
                           bool any)
{
    for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++)
        if (is_accepted(sk_ASN1_OBJECT_value(usages, i), rule, any))
            return true;
    return false;
}

static void usages_text(struct writer *w, const EXTENDED_KEY_USAGE *usages)
{
    for (int i = 0; i < sk_ASN1_OBJECT_num(usages) && w->buf.size < 160; i++) {
        const ASN1_OBJECT *usage = sk_ASN1_OBJECT_value(usages, i);
        int nid = OBJ_obj2nid(usage);
        char oid[OID_TEXT];

        (void)OBJ_obj2txt(oid, sizeof oid, usage, 1);
        writer_format(w, "%s%s", i ? ", " : "", nid == NID_undef ? oid : OBJ_nid2sn(nid));
    }
}

static se_status refuse_purpose(const EXTENDED_KEY_USAGE *usages, const struct purpose_rule *rule,
                                se_status refusal, se_error *err)
{
    AUTO(writer) held = { 0 };

    usages_text(&held, usages);
    return error_set(
        err, refusal,
        "the certificate is not for signing %s: its extendedKeyUsage is %s, and not %s",
        rule->things, held.failed || !held.buf.size ? "missing" : writer_string(&held),
        rule->accepted[0].name);
}

/* RFC 3161, 2.3 */
static bool is_dedicated(X509 *certificate, const EXTENDED_KEY_USAGE *usages, bool critical)
{
    const uint32_t signatures = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION;
    uint32_t bits = X509_get_key_usage(certificate); /* all, if it has none */

    return critical && sk_ASN1_OBJECT_num(usages) == 1 &&
           (bits == UINT32_MAX || (bits && !(bits & ~signatures)));
}

se_status certificate_purpose(enum purpose purpose, X509 *certificate, bool own, se_status refusal,
                              se_error *err)
{
    const struct purpose_rule *rule = purpose_rule(purpose);
    AUTO(extended_usage) usages = NULL;
    int critical = -1;

    if (purpose == PURPOSE_ANY || (own && rule->own_exempt))
        return SE_OK;
    usages = X509_get_ext_d2i(certificate, NID_ext_key_usage, &critical, NULL);
    if (!usages && critical == -1 && !rule->dedicated)
        return SE_OK;
    if (!holds_accepted(usages, rule, !rule->dedicated))
        return refuse_purpose(usages, rule, refusal, err);
    if (rule->dedicated && !is_dedicated(certificate, usages, critical > 0))
        return error_set(err, refusal,
                         "the certificate is not for %s: it has to be for nothing else, in a "
                         "critical extendedKeyUsage",
                         rule->things);
    return SE_OK;
}

se_status certificate_purpose_path(enum purpose purpose, const STACK_OF(X509) * path, se_error *err)
{
    const struct purpose_rule *rule = purpose_rule(purpose);
    char subject[256];

    if (purpose == PURPOSE_ANY)
        return SE_OK;
    for (int i = 1; i < sk_X509_num(path); i++) {
        X509 *issuer = sk_X509_value(path, i);
        int critical = -1;
        AUTO(extended_usage) usages = X509_get_ext_d2i(issuer, NID_ext_key_usage, &critical, NULL);

        if ((!usages && critical == -1) || holds_accepted(usages, rule, true))
            continue;
        certificate_subject(subject, sizeof subject, issuer);
        return error_set(
            err, SE_ERR_REJECTED,
            "the signer is not trusted: the extendedKeyUsage of its CA '%s' does not hold %s",
            subject, rule->accepted[0].name);
    }
    return SE_OK;
}
