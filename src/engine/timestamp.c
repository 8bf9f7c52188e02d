/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/timestamp.h"

#include <openssl/err.h>
#include <openssl/ts.h>

#include "base/clock.h"
#include "cms/tsp.h"
#include "crypto/crypto.h"
#include "engine/http_request.h"

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
AUTO_KIND(asn1_object, ASN1_OBJECT *, ASN1_OBJECT_free(*p))

/* ---- the question ---- */

static bool set_imprint(TS_REQ *request, const struct content_digest *digest)
{
    AUTO(x509_algorithm) algorithm = X509_ALGOR_new();
    AUTO(ts_imprint) imprint = TS_MSG_IMPRINT_new();
    const int id = EVP_MD_get_type(crypto_md(digest->algorithm));

    return algorithm && imprint && X509_ALGOR_set0(algorithm, OBJ_nid2obj(id), V_ASN1_NULL, NULL) &&
           TS_MSG_IMPRINT_set_algo(imprint, algorithm) &&
           TS_MSG_IMPRINT_set_msg(imprint, (unsigned char *)digest->value, (int)digest->size) &&
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

/* OpenSSL would take names and blanks, too.  NULL: any will do. */
static se_status read_policy(ASN1_OBJECT **out, const char *policy, se_error *err)
{
    *out = NULL;
    if (!policy)
        return SE_OK;
    if (!policy[strspn(policy, "0123456789.")] && (*out = OBJ_txt2obj(policy, 1)))
        return SE_OK;
    ERR_clear_error();
    return error_set(err, SE_ERR_USAGE,
                     "'%s' is not the policy of a time stamping authority: an OID, as 1.2.3.4, is "
                     "expected",
                     policy);
}

static se_status make_request(TS_REQ **out, const char *policy, const struct content_digest *digest,
                              se_error *err)
{
    AUTO(ts_req) request = TS_REQ_new();
    AUTO(asn1_object) wished = NULL;

    TRY(read_policy(&wished, policy, err));
    if (!request || !TS_REQ_set_version(request, 1) || !set_imprint(request, digest) ||
        (wished && !TS_REQ_set_policy_id(request, wished)) || !set_nonce(request) ||
        !TS_REQ_set_cert_req(request, 1))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot make a request for a time stamp");
    *out = MOVE(request);
    return SE_OK;
}

/* ---- authorities ---- */

#define BLANKS " \t\r\n"

struct authority {
    se_buf url;
    struct http_place place;
};

static void authority_free(struct authority *authority)
{
    se_buf_free(&authority->url);
    http_place_free(&authority->place);
}
AUTO_KIND(authority, struct authority, authority_free(p))

static const char *authority_url(const struct authority *authority)
{
    return (const char *)authority->url.data;
}

/* *urls is moved to what is behind it. */
static se_status authority_next(struct authority *out, const char **urls, se_error *err)
{
    const char *url = *urls + strspn(*urls, BLANKS);

    *urls = url + strcspn(url, BLANKS);
    TRY(buf_copy(&out->url, (se_bytes){ url, (size_t)(*urls - url) }, err));
    if (http_place_read(&out->place, authority_url(out)))
        return SE_OK;
    return error_set(err, SE_ERR_USAGE,
                     "'%s' is not the URL of a time stamping authority: http://HOST... is expected",
                     authority_url(out));
}

static bool is_url_left(const char *urls)
{
    return urls[strspn(urls, BLANKS)];
}

se_status timestamp_check_wish(const struct stamp_wish *wish, se_error *err)
{
    AUTO(asn1_object) policy = NULL;
    const char *urls = wish->urls;

    if (!urls)
        return wish->policy
                   ? error_set(err, SE_ERR_USAGE, "a policy of time stamps, '%s', and no authority",
                               wish->policy)
                   : SE_OK;
    do {
        AUTO(authority) authority = { .place = { NULL } };

        TRY(authority_next(&authority, &urls, err));
    } while (is_url_left(urls));
    return read_policy(&policy, wish->policy, err);
}

/* ---- the way there and back ---- */

static se_status post_request(BIO **out, const struct authority *authority, TS_REQ *request,
                              se_error *err)
{
    AUTO(bio) question = BIO_new(BIO_s_mem());
    const struct http_request http = {
        .body = question,
        .type = QUERY_TYPE,
        .answer_type = REPLY_TYPE,
        .limit = ANSWER_LIMIT,
        .timeout_s = TIMEOUT_S,
    };

    if (!question || !i2d_TS_REQ_bio(question, request))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encode a request for a time stamp");
    return http_ask(out, &authority->place, &http, err);
}

/* ---- the answer ---- */

/* RFC 3161, 2.4.2; OpenSSL's message would not have the authority's words. */
static se_status check_granted(TS_RESP *response, se_error *err)
{
    enum { GRANTED = 0, GRANTED_WITH_MODS = 1 };
    const TS_STATUS_INFO *info = TS_RESP_get_status_info(response);
    const long status = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(info));
    const STACK_OF(ASN1_UTF8STRING) *texts = TS_STATUS_INFO_get0_text(info);
    const ASN1_UTF8STRING *text = sk_ASN1_UTF8STRING_value(texts, 0);

    if (status == GRANTED || status == GRANTED_WITH_MODS)
        return SE_OK;
    return error_set(err, SE_ERR_REJECTED, "it refuses, with status %ld%s%.*s", status,
                     text ? ": " : "", text ? ASN1_STRING_length(text) : 0,
                     text ? (const char *)ASN1_STRING_get0_data(text) : "");
}

static se_status check_response(TS_REQ *request, TS_RESP *response, se_error *err)
{
    AUTO(ts_verify) context = TS_REQ_to_TS_VERIFY_CTX(request, NULL);
    const int policy = TS_REQ_get_policy_id(request) ? TS_VFY_POLICY : 0;

    if (!context)
        return error_memory(err);
    /* whether it is the answer to this question */
    TS_VERIFY_CTX_set_flags(context, TS_VFY_VERSION | TS_VFY_IMPRINT | TS_VFY_NONCE | policy);
    if (TS_RESP_verify_response(context, response) > 0)
        return SE_OK;
    return crypto_error(err, SE_ERR_REJECTED, "no time stamp for what was asked");
}

/* A stamp that verifiers would refuse or pass over is worse than none: nobody would miss it in
 * time. */
static se_status take_token(se_buf *out, TS_RESP *response, const struct content_digest *digest,
                            se_error *err)
{
    AUTO(se_buf) token = SE_BUF_INIT;
    unsigned char *der = NULL;
    int size = i2d_PKCS7(TS_RESP_get_token(response), &der);
    se_status st = size > 0 ? buf_copy(&token, (se_bytes){ der, (size_t)size }, err)
                            : crypto_error(err, SE_ERR_CRYPTO, "cannot encode the time stamp");

    OPENSSL_free(der);
    TRY(st);
    TRY(stamp_check_answer(buf_bytes(&token), digest, clock_seconds(), err));
    *out = buf_move(&token);
    return SE_OK;
}

static se_status request_token(se_buf *out, const struct authority *authority, const char *policy,
                               const struct content_digest *digest, se_error *err)
{
    AUTO(ts_req) request = NULL;
    AUTO(ts_resp) response = NULL;
    AUTO(bio) answer = NULL;

    TRY(make_request(&request, policy, digest, err));
    TRY(post_request(&answer, authority, request, err));
    if (!(response = d2i_TS_RESP_bio(answer, NULL)))
        return crypto_error(err, SE_ERR_REJECTED, "the answer is none");
    TRY(check_granted(response, err));
    TRY(check_response(request, response, err));
    return take_token(out, response, digest, err);
}

/* ---- one after the other ---- */

struct failures {
    struct writer text;
    se_status status;
};
AUTO_KIND(failures, struct failures, writer_free(&p->text))

/* Where one of them is away, it helps to try again later. */
static void note_failure(struct failures *f, const struct authority *authority, const se_error *why)
{
    writer_format(&f->text, "%stime stamping authority '%s': %s", f->text.buf.size ? "; " : "",
                  authority_url(authority), why->text);
    if (f->status != SE_ERR_UNAVAILABLE)
        f->status = why->status;
}

static se_status tell_failures(const struct failures *f, se_error *err)
{
    return f->text.failed ? error_memory(err)
                          : error_set(err, f->status, "%s", writer_string(&f->text));
}

se_status timestamp_fetch(se_buf *out, const struct stamp_wish *wish,
                          const struct content_digest *digest, se_error *err)
{
    AUTO(failures) failures = { .status = SE_OK };
    const char *urls = wish->urls;

    *out = (se_buf)SE_BUF_INIT;
    do {
        AUTO(authority) authority = { .place = { NULL } };
        se_error why = SE_ERROR_INIT;

        TRY(authority_next(&authority, &urls, err));
        if (!request_token(out, &authority, wish->policy, digest, &why))
            return SE_OK;
        note_failure(&failures, &authority, &why);
    } while (is_url_left(urls));
    return tell_failures(&failures, err);
}

se_status timestamp_probe(struct stamp *out, const struct stamp_wish *wish, se_error *err)
{
    struct content_digest digest = { .algorithm = DIGEST_SHA256, .size = SHA256_SIZE };
    AUTO(se_buf) token = SE_BUF_INIT;

    *out = (struct stamp){ .time = 0 };
    TRY(crypto_draw_public(digest.value, digest.size, err));
    TRY(timestamp_fetch(&token, wish, &digest, err));
    return stamp_read(out, buf_bytes(&token), err);
}
