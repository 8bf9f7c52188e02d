/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's own check (X509_V_FLAG_CRL_CHECK) is not used: at the time of a stamp it finds a fresh
 * CRL "not yet valid", and of two CRLs of one second it takes the first, whatever their numbers.
 */
#include "crypto/revocation.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "crypto/algorithm_id.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"

enum { PATH_MOST = 16, CLOCKS_DIFFER_S = 300 };

AUTO_KIND(bio, BIO *, BIO_free(*p))
AUTO_KIND(crl, X509_CRL *, X509_CRL_free(*p))
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

/* SHA-256 or better, as everywhere. */
static bool is_digest_strong(const X509_CRL *crl)
{
    const X509_ALGOR *algorithm;
    const EVP_MD *md;
    int digest = NID_undef;

    X509_CRL_get0_signature(crl, NULL, &algorithm);
    if (X509_CRL_get_signature_nid(crl) == NID_rsassaPss)
        return identifier_pss(algorithm) != DIGEST_NONE;
    if (!OBJ_find_sigid_algs(X509_CRL_get_signature_nid(crl), &digest, NULL) || !digest)
        return true; /* as Ed25519 has it, a part of the algorithm */
    md = EVP_get_digestbynid(digest);
    return md && EVP_MD_get_size(md) >= 32;
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
    if (asn1_seconds(X509_CRL_get0_lastUpdate(crl)) > now + CLOCKS_DIFFER_S)
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

/* One certificate of the path, and what is known about it. */
struct enquiry {
    const struct revocation_rules *rules;
    const struct revocation_question *question;
    X509 *certificate, *issuer;
    X509_CRL *crl;       /* the newest that tells; NULL: none does */
    const char *useless; /* why one of that issuer does not; NULL: there is none */
};

static void find_crl(struct enquiry *e)
{
    for (int i = 0; i < sk_X509_CRL_num(e->rules->crls); i++) {
        X509_CRL *crl = sk_X509_CRL_value(e->rules->crls, i);
        const char *fault;

        if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(e->certificate)) != 0)
            continue;
        fault = what_disqualifies(crl, e->issuer, e->certificate, e->rules->now);
        if (fault)
            e->useless = fault;
        else if (!e->crl || is_newer(crl, e->crl))
            e->crl = crl;
    }
    ERR_clear_error();
}

/* ---- what it tells ---- */

static void note_unknown(struct revocation *out, const struct enquiry *e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The first reason is told. */
static void note_unknown(struct revocation *out, const struct enquiry *e, const char *format, ...)
{
    char subject[100], why[sizeof out->note - sizeof subject - 2];
    va_list args;

    if (out->status == SE_REVOCATION_UNKNOWN)
        return;
    out->status = SE_REVOCATION_UNKNOWN;
    certificate_subject(subject, sizeof subject, e->certificate);
    va_start(args, format);
    (void)vsnprintf(why, sizeof why, format, args);
    va_end(args);
    (void)snprintf(out->note, sizeof out->note, "%s: %s", subject, why);
}

static const char *reason_name(long reason)
{
    /* RFC 5280, 5.3.1 */
    static const char *const names[] = {
        "unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
        "superseded",    "cessationOfOperation", "certificateHold", NULL,
        "removeFromCRL", "privilegeWithdrawn",   "aACompromise",
    };

    return reason >= 0 && reason < (long)(sizeof names / sizeof *names) && names[reason]
               ? names[reason]
               : "a reason that is not known";
}

struct entry {
    long reason;
    int64_t since; /* its revocationDate, or invalidityDate if that is earlier */
};

static struct entry read_entry(const X509_REVOKED *revoked)
{
    AUTO(crl_reason) reason = X509_REVOKED_get_ext_d2i(revoked, NID_crl_reason, NULL, NULL);
    AUTO(generalized_time)
    invalid = X509_REVOKED_get_ext_d2i(revoked, NID_invalidity_date, NULL, NULL);
    struct entry entry = { .since = asn1_seconds(X509_REVOKED_get0_revocationDate(revoked)) };

    if (reason)
        entry.reason = ASN1_ENUMERATED_get(reason);
    if (invalid && asn1_seconds(invalid) < entry.since)
        entry.since = asn1_seconds(invalid);
    return entry;
}

/* Who has somebody's key may also have signed before it was noticed; but not have had it stamped
 * then, if the date is believed. */
static bool is_compromised(const struct entry *entry, const struct enquiry *e)
{
    const bool compromise = entry->reason == CRL_REASON_KEY_COMPROMISE ||
                            entry->reason == CRL_REASON_CA_COMPROMISE ||
                            entry->reason == CRL_REASON_AA_COMPROMISE;

    return compromise && !(e->question->is_stamped && e->rules->stamps_outlive_compromise);
}

static se_status judge_revoked(struct revocation *out, const X509_REVOKED *revoked,
                               const struct enquiry *e, se_error *err)
{
    const struct entry entry = read_entry(revoked);
    char subject[256], issuer[256], since[TIME_TEXT_ROOM];

    certificate_subject(subject, sizeof subject, e->certificate);
    name_text(issuer, sizeof issuer, X509_CRL_get_issuer(e->crl));
    (void)time_format(since, TIME_RFC3339, entry.since);
    if (entry.since <= e->question->at || is_compromised(&entry, e))
        return error_set(err, SE_ERR_REJECTED, "%s was revoked at %s (%s), says the CRL of %s",
                         subject, since, reason_name(entry.reason), issuer);
    if (!*out->note)
        (void)snprintf(out->note, sizeof out->note,
                       "revoked at %s (%s), after the time that counts", since,
                       reason_name(entry.reason));
    return SE_OK;
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

/* The certificate is not in it. */
static void judge_absent(struct revocation *out, const struct enquiry *e)
{
    const int64_t update = asn1_seconds(X509_CRL_get0_lastUpdate(e->crl));
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(e->crl);
    const int64_t end = next ? asn1_seconds(next) : INT64_MAX;
    const int64_t expiry = certificate_not_after(e->certificate);
    const int64_t kept = expired_kept_since(e->crl);
    char when[TIME_TEXT_ROOM];

    if (end < e->rules->now)
        note_unknown(out, e, "the newest CRL of its issuer was good until %s",
                     time_format(when, TIME_RFC3339, end));
    else if (e->rules->max_age && e->rules->now - update > e->rules->max_age)
        note_unknown(out, e, "the newest CRL of its issuer is of %s, which is too old",
                     time_format(when, TIME_RFC3339, update));
    else if (expiry < update && !(kept && kept <= expiry))
        note_unknown(out, e,
                     "it expired at %s, and the CRL of its issuer, which is newer, need not "
                     "name such certificates any more",
                     time_format(when, TIME_RFC3339, expiry));
}

static se_status judge_crl(struct revocation *out, const struct enquiry *e, se_error *err)
{
    X509_REVOKED *revoked = NULL;

    switch (X509_CRL_get0_by_cert(e->crl, &revoked, e->certificate)) {
    case 1:
        return judge_revoked(out, revoked, e, err);
    case 2: /* an entry that only delta CRLs have */
        note_unknown(out, e, "the CRL of its issuer says removeFromCRL, and is no delta CRL");
        return SE_OK;
    default:
        judge_absent(out, e);
        return SE_OK;
    }
}

/* ---- the path ---- */

static X509 *find_issuer(const STACK_OF(X509) * pool, X509 *certificate)
{
    for (int i = 0; i < sk_X509_num(pool); i++)
        if (certificate_has_issued(sk_X509_value(pool, i), certificate))
            return sk_X509_value(pool, i);
    return NULL;
}

static se_status ask_about(struct revocation *out, struct enquiry *e, se_error *err)
{
    if (certificate_is_self_issued(e->certificate)) {
        note_unknown(out, e, "it is self-signed, and nobody revokes it");
        return SE_OK;
    }
    if (!e->issuer) {
        note_unknown(out, e, "its issuer's certificate is not there");
        return SE_OK;
    }
    find_crl(e);
    if (e->crl)
        return judge_crl(out, e, err);
    if (e->useless)
        note_unknown(out, e, "the CRL of its issuer does not count: %s", e->useless);
    else
        note_unknown(out, e, "there is no CRL of its issuer");
    return SE_OK;
}

static void tell_crl(struct revocation *out, const struct enquiry *e)
{
    if (!e->crl)
        return;
    name_text(out->issuer, sizeof out->issuer, X509_CRL_get_issuer(e->crl));
    out->update = asn1_seconds(X509_CRL_get0_lastUpdate(e->crl));
}

static se_status check_path(struct revocation *out, const struct revocation_question *question,
                            const struct revocation_rules *rules, se_error *err)
{
    AUTO(x509_stack) anchors = question->roots ? X509_STORE_get1_all_certs(question->roots) : NULL;
    X509 *certificate = question->certificate;

    for (int i = 0; certificate && i < PATH_MOST; i++) {
        struct enquiry e = { .rules = rules, .question = question, .certificate = certificate };

        if (i &&
            (certificate_is_self_issued(certificate) || certificates_hold(anchors, certificate)))
            return SE_OK;
        if (!(e.issuer = find_issuer(anchors, certificate)))
            e.issuer = find_issuer(question->others, certificate);
        TRY(ask_about(out, &e, err));
        if (!i)
            tell_crl(out, &e);
        certificate = e.issuer;
    }
    return SE_OK;
}

se_status revocation_check(struct revocation *out, const struct revocation_question *question,
                           const struct revocation_rules *rules, se_error *err)
{
    *out = (struct revocation){ .status = rules ? SE_REVOCATION_GOOD : SE_REVOCATION_UNCHECKED };
    if (!rules)
        return SE_OK;
    TRY(check_path(out, question, rules, err));
    ERR_clear_error();
    if (out->status == SE_REVOCATION_UNKNOWN && rules->required)
        return error_set(err, SE_ERR_REJECTED, "whether it was revoked can't be found out: %s",
                         out->note);
    return SE_OK;
}
