/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/revocation_fetch.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "base/buf.h"
#include "crypto/crypto.h"
#include "crypto/ocsp.h"
#include "engine/http_request.h"

enum { TIMEOUT_S = 5, ANSWER_LIMIT = 1 << 20, CRL_LIMIT = 64 << 20 };

AUTO_KIND(bio, BIO *, BIO_free(*p))
AUTO_KIND(urls, STACK_OF(OPENSSL_STRING) *, X509_email_free(*p))
AUTO_KIND(distribution_points, CRL_DIST_POINTS *, CRL_DIST_POINTS_free(*p))

static se_status find_place(struct http_place *out, const char *url, se_error *err)
{
    return http_place_read(out, url)
               ? SE_OK
               : error_set(err, SE_ERR_REJECTED, "it is not asked: its URL is none of http");
}

static void note_failure(char why[REVOCATION_WHY], const char *what, const char *url,
                         const se_error *err)
{
    (void)snprintf(why, REVOCATION_WHY, "%s '%.64s': %.62s", what, url, err->text);
}

/* ---- OCSP responders ---- */

static se_status ask_responder(OCSP_BASICRESP **out, const char *url, X509 *certificate,
                               X509 *issuer, se_error *err)
{
    AUTO(ocsp_request) request = NULL;
    AUTO(ocsp_response) response = NULL;
    AUTO(http_place) place = { NULL };
    AUTO(bio) question = BIO_new(BIO_s_mem());
    AUTO(bio) answer = NULL;
    const struct http_request http = {
        .body = question,
        .type = "application/ocsp-request",
        .answer_type = "application/ocsp-response",
        .limit = ANSWER_LIMIT,
        .timeout_s = TIMEOUT_S,
    };

    TRY(find_place(&place, url, err));
    TRY(ocsp_request_make(&request, certificate, issuer, err));
    if (!question || !i2d_OCSP_REQUEST_bio(question, request))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encode the question");
    TRY(http_ask(&answer, &place, &http, err));
    if (!(response = d2i_OCSP_RESPONSE_bio(answer, NULL)))
        return crypto_error(err, SE_ERR_REJECTED, "the answer is none");
    return ocsp_response_read(out, response, request, err);
}

bool ocsp_answer_fetch(char why[REVOCATION_WHY], struct revocation_sources *sources,
                       X509 *certificate, X509 *issuer)
{
    AUTO(urls) urls = X509_get1_ocsp(certificate);

    if (sk_OPENSSL_STRING_num(urls) <= 0)
        (void)snprintf(why, REVOCATION_WHY, "it names no OCSP responder");
    for (int i = 0; i < sk_OPENSSL_STRING_num(urls); i++) {
        const char *url = sk_OPENSSL_STRING_value(urls, i);
        AUTO(ocsp_answer) answer = NULL;
        se_error err = SE_ERROR_INIT;

        if (ask_responder(&answer, url, certificate, issuer, &err))
            note_failure(why, "its OCSP responder", url, &err);
        else if (sk_OCSP_BASICRESP_push(sources->answers, answer)) {
            answer = NULL;
            return true;
        }
    }
    return false;
}

/* ---- CRLs ---- */

static se_status get_crl(X509_CRL **out, const char *url, se_error *err)
{
    AUTO(http_place) place = { NULL };
    AUTO(bio) answer = NULL;
    const struct http_request http = { .limit = CRL_LIMIT, .timeout_s = TIMEOUT_S };

    TRY(find_place(&place, url, err));
    TRY(http_ask(&answer, &place, &http, err));
    if (!(*out = d2i_X509_CRL_bio(answer, NULL)))
        return crypto_error(err, SE_ERR_REJECTED, "the answer is no CRL");
    return SE_OK;
}

static bool fetch_from(char why[REVOCATION_WHY], struct revocation_sources *sources,
                       const char *url)
{
    AUTO(crl) crl = NULL;
    se_error err = SE_ERROR_INIT;

    if (get_crl(&crl, url, &err)) {
        note_failure(why, "the place of its CRL", url, &err);
        return false;
    }
    if (!sk_X509_CRL_push(sources->crls, crl))
        return false;
    crl = NULL;
    return true;
}

/* Its names are places of one and the same CRL (RFC 5280, 4.2.1.13). */
static bool fetch_point(char why[REVOCATION_WHY], struct revocation_sources *sources,
                        const DIST_POINT *point)
{
    const DIST_POINT_NAME *name = point->distpoint;

    if (!name || name->type) /* names relative to the issuer are not read */
        return false;
    for (int i = 0; i < sk_GENERAL_NAME_num(name->name.fullname); i++) {
        const GENERAL_NAME *place = sk_GENERAL_NAME_value(name->name.fullname, i);

        if (place->type == GEN_URI &&
            fetch_from(why, sources,
                       (const char *)ASN1_STRING_get0_data(place->d.uniformResourceIdentifier)))
            return true;
    }
    return false;
}

bool crl_fetch(char why[REVOCATION_WHY], struct revocation_sources *sources, X509 *certificate,
               X509 *issuer)
{
    AUTO(distribution_points)
    points = X509_get_ext_d2i(certificate, NID_crl_distribution_points, NULL, NULL);
    bool any = false;

    (void)issuer;
    if (!points && !*why)
        (void)snprintf(why, REVOCATION_WHY, "it names no place of a CRL");
    for (int i = 0; i < sk_DIST_POINT_num(points); i++)
        any |= fetch_point(why, sources, sk_DIST_POINT_value(points, i));
    return any;
}
