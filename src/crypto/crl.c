/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's own check (X509_V_FLAG_CRL_CHECK) is not used: at the time of a stamp it finds a fresh
 * CRL "not yet valid", and of two CRLs of one second it takes the first, whatever their numbers.
 */
#include "crypto/crl.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "crypto/algorithm_id.h"
#include "crypto/certificate.h"

AUTO_KIND(bio, BIO *, BIO_free(*p))
AUTO_KIND(distribution_point, ISSUING_DIST_POINT *, ISSUING_DIST_POINT_free(*p))
AUTO_KIND(distribution_points, CRL_DIST_POINTS *, CRL_DIST_POINTS_free(*p))
AUTO_KIND(crl_reason, ASN1_ENUMERATED *, ASN1_ENUMERATED_free(*p))
AUTO_KIND(generalized_time, ASN1_GENERALIZEDTIME *, ASN1_GENERALIZEDTIME_free(*p))

/* ---- reading ---- */

static se_status add_crl(STACK_OF(X509_CRL) * out, X509_CRL **crl, se_error *err)
{
    if (!sk_X509_CRL_push(out, *crl))
        return error_memory(err);
    *crl = NULL;
    return SE_OK;
}

static bool is_pem(se_bytes text)
{
    return memmem(text.data, text.size, "-----BEGIN ", 11) != NULL;
}

static se_status read_der(STACK_OF(X509_CRL) * out, se_bytes der, const char *name, se_error *err)
{
    const unsigned char *p = der.data;
    AUTO(crl) crl = der.size > LONG_MAX ? NULL : d2i_X509_CRL(NULL, &p, (long)der.size);

    if (crl && p == (const unsigned char *)der.data + der.size)
        return add_crl(out, &crl, err);
    ERR_clear_error();
    return error_set(err, SE_ERR_FORMAT, "'%s' is no CRL, neither in PEM nor in DER", name);
}

se_status crls_read(STACK_OF(X509_CRL) * out, se_bytes text, const char *name, se_error *err)
{
    AUTO(bio) bio = text.size > INT_MAX ? NULL : BIO_new_mem_buf(text.data, (int)text.size);

    if (!is_pem(text))
        return read_der(out, text, name, err);
    if (!bio)
        return error_memory(err);
    for (;;) {
        AUTO(crl) crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
        const unsigned long failure = ERR_peek_last_error();

        ERR_clear_error();
        if (crl)
            TRY(add_crl(out, &crl, err));
        else if (ERR_GET_REASON(failure) == PEM_R_NO_START_LINE)
            return SE_OK;
        else
            return error_set(err, SE_ERR_FORMAT, "a CRL in '%s' is broken", name);
    }
}

/* ---- whether a CRL tells about a certificate ---- */

static bool is_digest_strong(const X509_CRL *crl)
{
    const X509_ALGOR *algorithm;

    X509_CRL_get0_signature(crl, NULL, &algorithm);
    return identifier_is_strong(algorithm);
}

static bool has_unknown_extension(const X509_CRL *crl)
{
    for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
        X509_EXTENSION *extension = X509_CRL_get_ext(crl, i);
        const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));

        if (X509_EXTENSION_get_critical(extension) && nid != NID_issuing_distribution_point &&
            nid != NID_authority_key_identifier && nid != NID_crl_number)
            return true;
    }
    return false;
}

static bool shares_name(const DIST_POINT_NAME *one, const DIST_POINT_NAME *other)
{
    if (!one || !other || one->type || other->type) /* names relative to the issuer are not read */
        return false;
    for (int i = 0; i < sk_GENERAL_NAME_num(one->name.fullname); i++)
        for (int k = 0; k < sk_GENERAL_NAME_num(other->name.fullname); k++)
            if (!GENERAL_NAME_cmp(sk_GENERAL_NAME_value(one->name.fullname, i),
                                  sk_GENERAL_NAME_value(other->name.fullname, k)))
                return true;
    return false;
}

static bool is_distributed_at(const X509 *certificate, const DIST_POINT_NAME *place)
{
    AUTO(distribution_points)
    points = X509_get_ext_d2i(certificate, NID_crl_distribution_points, NULL, NULL);
    bool any = false;

    for (int i = 0; !any && i < sk_DIST_POINT_num(points); i++)
        any = shares_name(sk_DIST_POINT_value(points, i)->distpoint, place);
    return any;
}

/* NULL: nothing.  RFC 5280, 5.2.5. */
static const char *what_limits(const X509_CRL *crl, X509 *certificate)
{
    int critical;
    AUTO(distribution_point)
    scope = X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &critical, NULL);

    if (!scope)
        return critical == -1 ? NULL : "what it is about can't be read";
    if (scope->indirectCRL > 0 || scope->onlysomereasons || scope->onlyattr > 0)
        return "it is about other issuers' certificates, some reasons or attributes only, which is "
               "not supported";
    if (scope->onlyuser > 0 && X509_check_ca(certificate))
        return "it is not about CAs";
    if (scope->onlyCA > 0 && !X509_check_ca(certificate))
        return "it is about CAs only";
    if (scope->distpoint && !is_distributed_at(certificate, scope->distpoint))
        return "it is for another distribution point";
    return NULL;
}

/* NULL: nothing. */
static const char *what_disqualifies(X509_CRL *crl, X509 *issuer, X509 *certificate, int64_t now)
{
    if (!(X509_get_key_usage(issuer) & X509v3_KU_CRL_SIGN))
        return "the issuer's keyUsage does not hold cRLSign";
    if (!is_digest_strong(crl))
        return "it is signed with a digest weaker than SHA-256";
    if (X509_CRL_verify(crl, X509_get0_pubkey(issuer)) != 1)
        return "the issuer's key has not signed it";
    if (X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0)
        return "it is a delta CRL, which is not supported";
    if (has_unknown_extension(crl))
        return "it has an extension that is critical and not known";
    if (asn1_seconds(X509_CRL_get0_lastUpdate(crl)) > now + REVOCATION_CLOCKS_DIFFER_S)
        return "it is from the future";
    return what_limits(crl, certificate);
}

/* By number, where both have one (RFC 5280, 5.2.3); two may be of one second. */
static bool is_newer(X509_CRL *one, X509_CRL *other)
{
    ASN1_INTEGER *first = X509_CRL_get_ext_d2i(one, NID_crl_number, NULL, NULL);
    ASN1_INTEGER *second = X509_CRL_get_ext_d2i(other, NID_crl_number, NULL, NULL);
    int order = first && second ? ASN1_INTEGER_cmp(first, second) : 0;

    ASN1_INTEGER_free(first);
    ASN1_INTEGER_free(second);
    if (order)
        return order > 0;
    return asn1_seconds(X509_CRL_get0_lastUpdate(one)) >
           asn1_seconds(X509_CRL_get0_lastUpdate(other));
}

/* NULL: none tells; `useless` then has the reason why one of that issuer does not. */
static X509_CRL *find_newest(const char **useless, const struct revocation_rules *rules,
                             X509 *certificate, X509 *issuer)
{
    X509_CRL *newest = NULL;

    *useless = NULL;
    for (int i = 0; i < sk_X509_CRL_num(rules->sources->crls); i++) {
        X509_CRL *crl = sk_X509_CRL_value(rules->sources->crls, i);
        const char *fault;

        if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(certificate)) != 0)
            continue;
        fault = what_disqualifies(crl, issuer, certificate, rules->now);
        if (fault)
            *useless = fault;
        else if (!newest || is_newer(crl, newest))
            newest = crl;
    }
    ERR_clear_error();
    return newest;
}

/* ---- what it tells ---- */

static void read_entry(struct revocation_report *out, const X509_REVOKED *revoked)
{
    AUTO(crl_reason) reason = X509_REVOKED_get_ext_d2i(revoked, NID_crl_reason, NULL, NULL);
    AUTO(generalized_time)
    invalid = X509_REVOKED_get_ext_d2i(revoked, NID_invalidity_date, NULL, NULL);

    out->kind = REPORT_REVOKED;
    out->since = asn1_seconds(X509_REVOKED_get0_revocationDate(revoked));
    if (reason)
        out->reason = ASN1_ENUMERATED_get(reason);
    if (invalid && asn1_seconds(invalid) < out->since)
        out->since = asn1_seconds(invalid);
}

/* From when on the CRL keeps those that have expired (X.509, 9.5.2.12); 0: it need not. */
static int64_t expired_kept_since(const X509_CRL *crl)
{
    ASN1_OBJECT *expired_certs_on_crl = OBJ_txt2obj("2.5.29.60", 1);
    const int place = X509_CRL_get_ext_by_OBJ(crl, expired_certs_on_crl, -1);
    X509_EXTENSION *extension = place < 0 ? NULL : X509_CRL_get_ext(crl, place);
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
    const unsigned char *p = value ? ASN1_STRING_get0_data(value) : NULL;
    AUTO(generalized_time)
    since = value ? d2i_ASN1_GENERALIZEDTIME(NULL, &p, ASN1_STRING_length(value)) : NULL;

    ASN1_OBJECT_free(expired_certs_on_crl);
    return since ? asn1_seconds(since) : 0;
}

static int64_t crl_end(const X509_CRL *crl)
{
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);

    return next ? asn1_seconds(next) : INT64_MAX;
}

static void read_crl(struct revocation_report *out, const struct revocation_rules *rules,
                     X509_CRL *crl, X509 *certificate)
{
    X509_REVOKED *revoked = NULL;

    out->source = SE_REVOCATION_BY_CRL;
    name_text(out->teller, sizeof out->teller, X509_CRL_get_issuer(crl));
    out->update = asn1_seconds(X509_CRL_get0_lastUpdate(crl));
    switch (X509_CRL_get0_by_cert(crl, &revoked, certificate)) {
    case 1:
        read_entry(out, revoked);
        return;
    case 2: /* an entry that only delta CRLs have */
        report_nothing(out, "the CRL of its issuer says removeFromCRL, and is no delta CRL");
        return;
    default:
        report_good(out, rules,
                    &(struct good_statement){ "CRL of its issuer", "name", crl_end(crl),
                                              expired_kept_since(crl) },
                    certificate_not_after(certificate));
        return;
    }
}

void crl_report(struct revocation_report *out, const struct revocation_rules *rules,
                X509 *certificate, X509 *issuer)
{
    const char *useless;
    X509_CRL *newest = find_newest(&useless, rules, certificate, issuer);

    *out = (struct revocation_report){ .kind = REPORT_NOTHING };
    if (newest)
        read_crl(out, rules, newest, certificate);
    else if (useless)
        report_nothing(out, "the CRL of its issuer does not count: %s", useless);
}
