/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/revocation.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "crypto/certificate.h"
#include "crypto/crl.h"
#include "crypto/crypto.h"
#include "crypto/ocsp.h"

enum { PATH_MOST = 16 };

/* One certificate of the path, and what is said about it. */
struct enquiry {
    const struct revocation_rules *rules;
    const struct revocation_question *question;
    X509 *certificate, *issuer;
    struct revocation_report crl, ocsp;
    const struct revocation_report *told; /* the one that counts; NULL: nobody says anything */
};

/* ---- what is not known ---- */

/* The first one's reason is told. */
static void note_unknown(struct revocation *out, const struct enquiry *e, const char *why)
{
    char subject[100];

    if (out->status == SE_REVOCATION_UNKNOWN)
        return;
    out->status = SE_REVOCATION_UNKNOWN;
    certificate_subject(subject, sizeof subject, e->certificate);
    (void)snprintf(out->note, sizeof out->note, "%s: %s", subject, why);
}

/* ---- who was revoked ---- */

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

/* Who has somebody's key may also have signed before it was noticed; but not have had it stamped
 * then, if the date is believed. */
static bool is_compromised(const struct revocation_report *report, const struct enquiry *e)
{
    const bool compromise = report->reason == CRL_REASON_KEY_COMPROMISE ||
                            report->reason == CRL_REASON_CA_COMPROMISE ||
                            report->reason == CRL_REASON_AA_COMPROMISE;

    return compromise && !(e->question->is_stamped && e->rules->stamps_outlive_compromise);
}

static se_status judge_revoked(struct revocation *out, const struct revocation_report *report,
                               const struct enquiry *e, se_error *err)
{
    char subject[256], since[TIME_TEXT_ROOM];

    certificate_subject(subject, sizeof subject, e->certificate);
    (void)time_format(since, TIME_RFC3339, report->since);
    if (report->since <= e->question->at || is_compromised(report, e))
        return error_set(err, SE_ERR_REJECTED, "%s was revoked at %s (%s), says the %s %s", subject,
                         since, reason_name(report->reason),
                         report->source == SE_REVOCATION_BY_CRL ? "CRL of" : "OCSP responder",
                         report->teller);
    if (!*out->note)
        (void)snprintf(out->note, sizeof out->note,
                       "revoked at %s (%s), after the time that counts", since,
                       reason_name(report->reason));
    return SE_OK;
}

/* ---- one certificate ---- */

/* Whoever says "revoked" counts, then who says "good", then the newer. */
static const struct revocation_report *choose_report(const struct enquiry *e)
{
    if (e->crl.kind != e->ocsp.kind)
        return e->crl.kind > e->ocsp.kind ? &e->crl : &e->ocsp;
    if (e->crl.kind != REPORT_NOTHING)
        return e->crl.update > e->ocsp.update ? &e->crl : &e->ocsp;
    if (*e->ocsp.why)
        return &e->ocsp;
    return *e->crl.why ? &e->crl : NULL;
}

static void hear_sources(struct enquiry *e)
{
    crl_report(&e->crl, e->rules, e->certificate, e->issuer);
    ocsp_report(&e->ocsp, e->rules, e->certificate, e->issuer);
    e->told = choose_report(e);
}

/* `why` nothing came matters where nobody tells. */
static void hear_all(struct enquiry *e, char why[REVOCATION_WHY])
{
    const struct revocation_rules *rules = e->rules;

    *why = '\0';
    if (rules->ask_responder)
        (void)rules->ask_responder(why, rules->sources, e->certificate, e->issuer);
    hear_sources(e);
    if (rules->fetch_crl && !(e->told && e->told->kind) &&
        rules->fetch_crl(why, rules->sources, e->certificate, e->issuer))
        hear_sources(e);
}

static se_status ask_about(struct revocation *out, struct enquiry *e, se_error *err)
{
    char why[REVOCATION_WHY];

    if (certificate_is_bare(e->certificate)) {
        note_unknown(out, e, "there is nothing to look at");
        return SE_OK;
    }
    if (certificate_is_self_issued(e->certificate)) {
        note_unknown(out, e, "it is self-signed, and nobody revokes it");
        return SE_OK;
    }
    if (!e->issuer) {
        note_unknown(out, e, "its issuer's certificate is not there");
        return SE_OK;
    }
    hear_all(e, why);
    if (e->crl.kind == REPORT_REVOKED)
        TRY(judge_revoked(out, &e->crl, e, err));
    if (e->ocsp.kind == REPORT_REVOKED)
        TRY(judge_revoked(out, &e->ocsp, e, err));
    if (e->told && e->told->kind)
        return SE_OK;
    if (e->told)
        note_unknown(out, e, e->told->why);
    else if (*why)
        note_unknown(out, e, why);
    else
        note_unknown(out, e,
                     e->rules->ask_responder
                         ? "there is no CRL of its issuer, and what its OCSP responder says is not "
                           "about it"
                         : "there is no CRL of its issuer");
    return SE_OK;
}

static void tell_report(struct revocation *out, const struct revocation_report *report)
{
    if (!report)
        return;
    out->source = report->source;
    out->update = report->update;
    (void)snprintf(out->teller, sizeof out->teller, "%s", report->teller);
}

/* ---- the path ---- */

static X509 *find_issuer(const STACK_OF(X509) * pool, X509 *certificate)
{
    for (int i = 0; i < sk_X509_num(pool); i++)
        if (certificate_has_issued(sk_X509_value(pool, i), certificate))
            return sk_X509_value(pool, i);
    return NULL;
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
            tell_report(out, e.told);
        certificate = e.issuer;
    }
    return SE_OK;
}

static bool is_looked_at(const struct revocation_rules *rules)
{
    return rules && (rules->wanted || sk_X509_CRL_num(rules->sources->crls) > 0 ||
                     sk_OCSP_BASICRESP_num(rules->sources->answers) > 0);
}

se_status revocation_check(struct revocation *out, const struct revocation_question *question,
                           const struct revocation_rules *rules, se_error *err)
{
    *out = (struct revocation){ .status = SE_REVOCATION_UNCHECKED };
    if (!is_looked_at(rules))
        return SE_OK;
    out->status = SE_REVOCATION_GOOD;
    TRY(check_path(out, question, rules, err));
    ERR_clear_error();
    if (out->status == SE_REVOCATION_UNKNOWN && rules->required)
        return error_set(err, SE_ERR_REJECTED, "whether it was revoked can't be found out: %s",
                         out->note);
    return SE_OK;
}
