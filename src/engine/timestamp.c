/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/timestamp.h"

#include <openssl/err.h>
#include <openssl/http.h>
#include <openssl/ts.h>

#include "base/clock.h"
#include "base/text.h"
#include "crypto/crypto.h"

enum { NONCE = 8, ANSWER_LIMIT = 1 << 20, TIMEOUT_S = 30 };
#define QUERY_TYPE "application/timestamp-query"
#define REPLY_TYPE "application/timestamp-reply"

AUTO_KIND(bio, BIO *, BIO_free(*p))
AUTO_KIND(ts_req, TS_REQ *, TS_REQ_free(*p))
AUTO_KIND(ts_resp, TS_RESP *, TS_RESP_free(*p))
AUTO_KIND(ts_imprint, TS_MSG_IMPRINT *, TS_MSG_IMPRINT_free(*p))
AUTO_KIND(ts_verify, TS_VERIFY_CTX *, TS_VERIFY_CTX_free(*p))
AUTO_KIND(asn1_integer, ASN1_INTEGER *, ASN1_INTEGER_free(*p))
AUTO_KIND(x509_algorithm, X509_ALGOR *, X509_ALGOR_free(*p))

/* ---- the question ---- */

static bool set_imprint(TS_REQ *request, se_bytes bytes)
{
    AUTO(x509_algorithm) algorithm = X509_ALGOR_new();
    AUTO(ts_imprint) imprint = TS_MSG_IMPRINT_new();
    unsigned char hash[EVP_MAX_MD_SIZE];
    size_t size = sizeof hash;

    return algorithm && imprint &&
           EVP_Q_digest(crypto_context(), "SHA2-256", NULL, bytes.data, bytes.size, hash, &size) &&
           X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) &&
           TS_MSG_IMPRINT_set_algo(imprint, algorithm) &&
           TS_MSG_IMPRINT_set_msg(imprint, hash, (int)size) &&
           TS_REQ_set_msg_imprint(request, imprint);
}

/* So that an old answer is no answer to this question. */
static bool set_nonce(TS_REQ *request)
{
    AUTO(asn1_integer) nonce = ASN1_INTEGER_new();
    uint64_t number;

    return nonce && !crypto_draw_public((unsigned char *)&number, NONCE, NULL) &&
           ASN1_INTEGER_set_uint64(nonce, number >> 1) && TS_REQ_set_nonce(request, nonce);
}

static se_status make_request(TS_REQ **out, se_bytes bytes, se_error *err)
{
    AUTO(ts_req) request = TS_REQ_new();

    if (!request || !TS_REQ_set_version(request, 1) || !set_imprint(request, bytes) ||
        !set_nonce(request) || !TS_REQ_set_cert_req(request, 1))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot make a request for a time stamp");
    *out = MOVE(request);
    return SE_OK;
}

/* ---- the way there and back ---- */

struct authority {
    char *host, *port, *path;
    int tls;
};

static void authority_free(struct authority *authority)
{
    OPENSSL_free(authority->host);
    OPENSSL_free(authority->port);
    OPENSSL_free(authority->path);
}
AUTO_KIND(authority, struct authority, authority_free(p))

static se_status read_url(struct authority *out, const char *url, se_error *err)
{
    if (!text_starts(url, OSSL_HTTP_PREFIX) ||
        !OSSL_HTTP_parse_url(url, &out->tls, NULL, &out->host, &out->port, NULL, &out->path, NULL,
                             NULL) ||
        out->tls) {
        ERR_clear_error();
        return error_set(
            err, SE_ERR_USAGE,
            "'%s' is not the URL of a time stamping authority: http://HOST... is expected", url);
    }
    return SE_OK;
}

/* OpenSSL's HTTP client would try again until its time is over, also where nobody listens. */
static se_status connect_to(BIO **out, const struct authority *authority, se_error *err)
{
    AUTO(bio) bio = BIO_new_connect(authority->host);
    const time_t until = clock_seconds() + TIMEOUT_S;
    int connected;

    if (!bio || BIO_set_conn_port(bio, authority->port) <= 0 || BIO_set_nbio(bio, 1) <= 0)
        return error_memory(err);
    while ((connected = BIO_do_connect(bio)) <= 0 && BIO_should_retry(bio) &&
           BIO_wait(bio, until, 0) > 0)
        ;
    if (connected <= 0)
        return crypto_error(err, SE_ERR_UNAVAILABLE, "no connection");
    *out = MOVE(bio);
    return SE_OK;
}

/* Over a connection that is there: so neither is the environment asked for a proxy. */
static se_status http_post_request(BIO **out, const struct authority *authority, TS_REQ *request,
                                   se_error *err)
{
    AUTO(bio) question = BIO_new(BIO_s_mem());
    AUTO(bio) connection = NULL;

    if (!question || !i2d_TS_REQ_bio(question, request))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encode a request for a time stamp");
    TRY(connect_to(&connection, authority, err));
    *out = OSSL_HTTP_transfer(NULL, authority->host, authority->port, authority->path, 0, NULL,
                              NULL, connection, NULL, NULL, NULL, 0, NULL, QUERY_TYPE, question,
                              REPLY_TYPE, 1, ANSWER_LIMIT, TIMEOUT_S, 0);
    return *out ? SE_OK : crypto_error(err, SE_ERR_UNAVAILABLE, "no answer");
}

/* ---- the answer ---- */

static se_status check_response(TS_REQ *request, TS_RESP *response, se_error *err)
{
    AUTO(ts_verify) context = TS_REQ_to_TS_VERIFY_CTX(request, NULL);

    if (!context)
        return error_memory(err);
    /* whom verifiers trust is their affair: here it is known only that it is the answer to this
     * question */
    TS_VERIFY_CTX_set_flags(context, TS_VFY_VERSION | TS_VFY_IMPRINT | TS_VFY_NONCE);
    if (TS_RESP_verify_response(context, response) > 0)
        return SE_OK;
    return crypto_error(err, SE_ERR_REJECTED, "no time stamp for what was asked");
}

static se_status take_token(se_buf *out, TS_RESP *response, se_error *err)
{
    unsigned char *der = NULL;
    int size = i2d_PKCS7(TS_RESP_get_token(response), &der);
    se_status st = size > 0 ? buf_copy(out, (se_bytes){ der, (size_t)size }, err)
                            : crypto_error(err, SE_ERR_CRYPTO, "cannot encode the time stamp");

    OPENSSL_free(der);
    return st;
}

static se_status request_token(se_buf *out, const struct authority *authority, se_bytes bytes,
                               se_error *err)
{
    AUTO(ts_req) request = NULL;
    AUTO(ts_resp) response = NULL;
    AUTO(bio) answer = NULL;

    TRY(make_request(&request, bytes, err));
    TRY(http_post_request(&answer, authority, request, err));
    if (!(response = d2i_TS_RESP_bio(answer, NULL)))
        return crypto_error(err, SE_ERR_REJECTED, "the answer is none");
    TRY(check_response(request, response, err));
    return take_token(out, response, err);
}

se_status timestamp_fetch(se_buf *out, const char *url, se_bytes bytes, se_error *err)
{
    AUTO(authority) authority = { .host = NULL };

    *out = (se_buf)SE_BUF_INIT;
    TRY(read_url(&authority, url, err));
    return error_prefix(err, request_token(out, &authority, bytes, err),
                        "time stamping authority '%s': ", url);
}
