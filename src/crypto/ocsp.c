/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's own check of an answer (OCSP_basic_verify) is not used: it wants the whole way to an
 * anchor at the time of today, also where the signer's was found good at the time of a stamp.  Here
 * the issuer is known, and only he, or whom he has named for that, may answer (RFC 6960, 4.2.2.2).
 */
#include "crypto/ocsp.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "crypto/algorithm_id.h"
#include "crypto/certificate.h"
#include "crypto/crl.h"
#include "crypto/crypto.h"

enum { NONCE = 16 };

AUTO_KIND(ocsp_id, OCSP_CERTID *, OCSP_CERTID_free(*p))
AUTO_KIND(generalized_time, ASN1_GENERALIZEDTIME *, ASN1_GENERALIZEDTIME_free(*p))

/* ---- asking ---- */

/* Responders know the SHA-1 of names and keys (RFC 5019, 2.1.1); nobody's trust is in it. */
se_status ocsp_request_make(OCSP_REQUEST **out, X509 *certificate, X509 *issuer, se_error *err)
{
    AUTO(ocsp_request) request = OCSP_REQUEST_new();
    AUTO(ocsp_id) id = OCSP_cert_to_id(EVP_sha1(), certificate, issuer);
    unsigned char nonce[NONCE];

    *out = NULL;
    TRY(crypto_draw_public(nonce, sizeof nonce, err));
    if (!request || !id || !OCSP_request_add0_id(request, id))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot ask an OCSP responder");
    id = NULL;
    if (!OCSP_request_add1_nonce(request, nonce, sizeof nonce))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot ask an OCSP responder");
    *out = MOVE(request);
    return SE_OK;
}

/* Many prepare their answers, so that they have no nonce; thisUpdate and nextUpdate say then for
 * how long they tell something. */
static bool answers_request(OCSP_REQUEST *request, OCSP_BASICRESP *answer)
{
    enum { DIFFERENT = 0 };

    return !request || OCSP_check_nonce(request, answer) != DIFFERENT;
}

se_status ocsp_response_read(OCSP_BASICRESP **out, OCSP_RESPONSE *response, OCSP_REQUEST *request,
                             se_error *err)
{
    const int status = OCSP_response_status(response);
    AUTO(ocsp_answer) answer = NULL;

    *out = NULL;
    if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return error_set(err, SE_ERR_REJECTED, "it refuses: %s", OCSP_response_status_str(status));
    if (!(answer = OCSP_response_get1_basic(response)))
        return crypto_error(err, SE_ERR_REJECTED, "there is no answer in the response");
    if (!answers_request(request, answer))
        return error_set(err, SE_ERR_REJECTED, "the answer is to another question");
    *out = MOVE(answer);
    return SE_OK;
}

/* ---- whether an answer tells about a certificate ---- */

/* By a digest of the responder's choice. */
static bool is_about(OCSP_SINGLERESP *single, X509 *certificate, X509 *issuer)
{
    const OCSP_CERTID *stated = OCSP_SINGLERESP_get0_id(single);
    AUTO(ocsp_id) id = NULL;
    ASN1_OBJECT *digest;
    const EVP_MD *md;

    if (!OCSP_id_get0_info(NULL, &digest, NULL, NULL, (OCSP_CERTID *)stated) ||
        !(md = EVP_get_digestbyobj(digest)))
        return false;
    id = OCSP_cert_to_id(md, certificate, issuer);
    return id && OCSP_id_cmp(id, stated) == 0;
}

static OCSP_SINGLERESP *find_single(OCSP_BASICRESP *answer, X509 *certificate, X509 *issuer)
{
    for (int i = 0; i < OCSP_resp_count(answer); i++)
        if (is_about(OCSP_resp_get0(answer, i), certificate, issuer))
            return OCSP_resp_get0(answer, i);
    return NULL;
}

static bool is_signed_by(OCSP_BASICRESP *answer, X509 *responder)
{
    return ASN1_item_verify(ASN1_ITEM_rptr(OCSP_RESPDATA), OCSP_resp_get0_tbs_sigalg(answer),
                            OCSP_resp_get0_signature(answer), OCSP_resp_get0_respdata(answer),
                            X509_get0_pubkey(responder)) == 1;
}

static bool is_for_ocsp(X509 *responder)
{
    return X509_get_extension_flags(responder) & EXFLAG_XKUSAGE &&
           X509_get_extended_key_usage(responder) & XKU_OCSP_SIGN;
}

/* NULL: nothing. Nobody is asked in turn whether the responder was revoked: id-pkix-ocsp-nocheck
 * says that it is not to be looked at, and otherwise CRLs that are there are. */
static const char *what_disqualifies_responder(X509 *responder, X509 *issuer,
                                               const struct revocation_rules *rules)
{
    struct revocation_report report;

    if (X509_cmp(responder, issuer) == 0)
        return NULL;
    if (!certificate_has_issued(issuer, responder))
        return "its responder's certificate is not of the same issuer";
    if (!is_for_ocsp(responder))
        return "its responder's certificate is not for OCSP";
    if (certificate_not_before(responder) > rules->now ||
        certificate_not_after(responder) < rules->now)
        return "its responder's certificate is not valid";
    if (X509_get_ext_by_NID(responder, NID_id_pkix_OCSP_noCheck, -1) >= 0)
        return NULL;
    crl_report(&report, rules, responder, issuer);
    return report.kind == REPORT_REVOKED ? "its responder's certificate was revoked" : NULL;
}

static bool has_unknown_extension(OCSP_BASICRESP *answer, OCSP_SINGLERESP *single)
{
    const int place = OCSP_BASICRESP_get_ext_by_critical(answer, 1, -1);
    const int nonce = OCSP_BASICRESP_get_ext_by_NID(answer, NID_id_pkix_OCSP_Nonce, -1);

    return OCSP_SINGLERESP_get_ext_by_critical(single, 1, -1) >= 0 ||
           (place >= 0 &&
            (place != nonce || OCSP_BASICRESP_get_ext_by_critical(answer, 1, place) >= 0));
}

/* One answer, and its part about the certificate. */
struct statement {
    OCSP_BASICRESP *answer;
    OCSP_SINGLERESP *single;
    X509 *responder; /* NULL: its certificate is not there */
    int status, reason;
    int64_t since, update;
    int64_t next; /* 0: not said */
};

static bool read_statement(struct statement *out, OCSP_BASICRESP *answer, X509 *certificate,
                           X509 *issuer)
{
    ASN1_GENERALIZEDTIME *since = NULL, *update = NULL, *next = NULL;
    STACK_OF(X509) *own = sk_X509_new_null();

    *out = (struct statement){ .answer = answer };
    if (!(out->single = find_single(answer, certificate, issuer)) || !own ||
        !sk_X509_push(own, issuer)) {
        sk_X509_free(own);
        return false;
    }
    (void)OCSP_resp_get0_signer(answer, &out->responder, own);
    sk_X509_free(own);
    out->status = OCSP_single_get0_status(out->single, &out->reason, &since, &update, &next);
    out->since = since ? asn1_seconds(since) : 0;
    out->update = update ? asn1_seconds(update) : 0;
    out->next = next ? asn1_seconds(next) : 0;
    return true;
}

/* NULL: nothing. */
static const char *what_disqualifies(const struct statement *s, X509 *issuer,
                                     const struct revocation_rules *rules)
{
    const char *fault;

    if (!s->responder)
        return "its responder's certificate is not there";
    if ((fault = what_disqualifies_responder(s->responder, issuer, rules)))
        return fault;
    if (!identifier_is_strong(OCSP_resp_get0_tbs_sigalg(s->answer)))
        return "it is signed with a digest weaker than SHA-256";
    if (!is_signed_by(s->answer, s->responder))
        return "its responder's key has not signed it";
    if (has_unknown_extension(s->answer, s->single))
        return "it has an extension that is critical and not known";
    if (s->update > rules->now + REVOCATION_CLOCKS_DIFFER_S)
        return "it is from the future";
    return NULL;
}

/* ---- what it tells ---- */

/* From when on the responder knows those that have expired (RFC 6960, 4.4.4); 0: it need not. */
static int64_t archive_cutoff(const struct statement *s)
{
    AUTO(generalized_time)
    cutoff = OCSP_SINGLERESP_get1_ext_d2i(s->single, NID_id_pkix_OCSP_archiveCutoff, NULL, NULL);

    return cutoff ? asn1_seconds(cutoff) : 0;
}

/* Without nextUpdate there may be a newer one at any time. */
static int64_t statement_end(const struct statement *s)
{
    return s->next ? s->next : s->update + REVOCATION_CLOCKS_DIFFER_S;
}

static void tell_statement(struct revocation_report *out, const struct revocation_rules *rules,
                           const struct statement *s, const X509 *certificate)
{
    out->source = SE_REVOCATION_BY_OCSP;
    certificate_subject(out->teller, sizeof out->teller, s->responder);
    out->update = s->update;
    if (s->status == V_OCSP_CERTSTATUS_REVOKED) {
        out->kind = REPORT_REVOKED;
        out->since = s->since;
        out->reason = s->reason < 0 ? OCSP_REVOKED_STATUS_UNSPECIFIED : s->reason;
    } else if (s->status == V_OCSP_CERTSTATUS_GOOD)
        report_good(out, rules,
                    &(struct good_statement){ "answer of its OCSP responder", "know",
                                              statement_end(s), archive_cutoff(s) },
                    certificate_not_after(certificate));
    else
        report_nothing(out, "its OCSP responder does not know it");
}

/* Of two of one second, the one that says "revoked". */
static bool is_newer(const struct statement *one, const struct statement *other)
{
    return one->update > other->update ||
           (one->update == other->update && one->status == V_OCSP_CERTSTATUS_REVOKED);
}

void ocsp_report(struct revocation_report *out, const struct revocation_rules *rules,
                 X509 *certificate, X509 *issuer)
{
    struct statement newest = { .answer = NULL }, s;
    const char *useless = NULL, *fault;

    *out = (struct revocation_report){ .kind = REPORT_NOTHING };
    for (int i = 0; i < sk_OCSP_BASICRESP_num(rules->sources->answers); i++) {
        if (!read_statement(&s, sk_OCSP_BASICRESP_value(rules->sources->answers, i), certificate,
                            issuer))
            continue;
        if ((fault = what_disqualifies(&s, issuer, rules)))
            useless = fault;
        else if (!newest.answer || is_newer(&s, &newest))
            newest = s;
    }
    if (newest.answer)
        tell_statement(out, rules, &newest, certificate);
    else if (useless)
        report_nothing(out, "the answer of its OCSP responder does not count: %s", useless);
    ERR_clear_error();
}
