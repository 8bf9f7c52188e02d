/* SPDX-License-Identifier: Apache-2.0 */
/* Signing and verifying.  Content that is too large to be sent again is not sent where its digest
 * will do. */
#include <openssl/pem.h>
#include <stdlib.h>

/* which declares more behind pem.h */
#include <openssl/cms.h>

#include "base/base64.h"
#include "base/json_write.h"
#include "base/text.h"
#include "client/call.h"

static const char *form_name(se_form form)
{
    static const char *const names[] = {
        [SE_FORM_DETACHED] = "detached",
        [SE_FORM_ATTACHED] = "attached",
        [SE_FORM_RAW] = "raw",
        [SE_FORM_XML] = "xml",
        [SE_FORM_XML_ENVELOPING] = "xml-enveloping",
        [SE_FORM_XML_DETACHED] = "xml-detached",
    };

    return names[form];
}

static bool has_content_beside(se_form form)
{
    return form == SE_FORM_DETACHED || form == SE_FORM_RAW || form == SE_FORM_XML_DETACHED;
}

/* ---- digests ---- */

AUTO_KIND(md_ctx, EVP_MD_CTX *, EVP_MD_CTX_free(*p))

static se_status fail_digest(se_error *err)
{
    return error_set(err, SE_ERR_CRYPTO, "OpenSSL can't make a digest");
}

static se_status digest_piece(void *arg, se_bytes piece, se_error *err)
{
    return EVP_DigestUpdate(arg, piece.data, piece.size) ? SE_OK : fail_digest(err);
}

/* Of all that is to be sent. */
static se_status digest_body(se_buf *out, const struct body *body, const EVP_MD *md, se_error *err)
{
    AUTO(md_ctx) ctx = EVP_MD_CTX_new();
    unsigned size = (unsigned)EVP_MD_get_size(md);

    *out = (se_buf)SE_BUF_INIT;
    if (!ctx || !EVP_DigestInit_ex(ctx, md, NULL))
        return fail_digest(err);
    TRY(digest_piece(ctx, buf_bytes(&body->begin), err));
    if (body->rest)
        TRY(stream_drain(body->rest, digest_piece, ctx, err));
    TRY(buf_new(out, size, err));
    return EVP_DigestFinal_ex(ctx, out->data, &size) ? SE_OK : fail_digest(err);
}

/* As "SHA256withRSA" has it. */
static const EVP_MD *digest_of_algorithm(const char *algorithm)
{
    static const struct {
        const char *begin;
        const EVP_MD *(*md)(void);
    } rows[] = { { "SHA256with", EVP_sha256 },
                 { "SHA384with", EVP_sha384 },
                 { "SHA512with", EVP_sha512 } };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (text_starts(algorithm, rows[i].begin))
            return rows[i].md();
    return NULL;
}

/* ---- signing ---- */

static void sign_call(struct call *call, struct client *client, const char *descriptor,
                      const se_sign_params *params)
{
    call_descriptor(call, client, descriptor, "sign", params->version);
    call_text(call, "form", form_name(params->form));
    call_flag(call, "pem", params->pem);
    call_text(call, "xmlId", params->form == SE_FORM_XML ? params->xml_id : NULL);
    call_text(call, "xmlUri", params->form == SE_FORM_XML_DETACHED ? params->xml_uri : NULL);
    call_flag(call, "xmlInclusive", params->xml_inclusive);
    call->accept = TYPE_OCTETS;
}

static se_status sign_body(const se_sink *out, struct client *client, const char *descriptor,
                           const struct body *body, const se_sign_params *params, se_error *err)
{
    AUTO(call) call = { .body = body, .type = TYPE_OCTETS, .out = out };
    AUTO(answer) answer = { .retry_after = -1 };

    sign_call(&call, client, descriptor, params);
    return call_run(&answer, client, &call, err);
}

static se_status sign_digest(const se_sink *out, struct client *client, const char *descriptor,
                             const se_sign_params *params, se_bytes digest, se_error *err)
{
    AUTO(call) call = { .type = TYPE_JSON, .out = out };
    AUTO(answer) answer = { .retry_after = -1 };
    AUTO(writer) text = { 0 };

    json_write_begin(&text, NULL, '{');
    json_write_base64(&text, "digest", digest);
    json_write_end(&text, '}');
    if (text.failed)
        return error_memory(err);
    call.text = buf_bytes(&text.buf);
    sign_call(&call, client, descriptor, params);
    return call_run(&answer, client, &call, err);
}

/*
 * Which digest the descriptor signs.  An answer about several says by which algorithm, also if all
 * of them failed: the one here is too short to be a digest, so that nothing is signed.
 */
static se_status ask_digest(const EVP_MD **out, struct client *client, const char *descriptor,
                            const se_sign_params *params, se_error *err)
{
    AUTO(call) call = { .type = TYPE_JSON,
                        .accept = TYPE_JSON,
                        .text = text_bytes("{\"items\":[{\"digest\":\"AA==\"}]}") };
    AUTO(json) answer = NULL;
    const char *algorithm;

    call_descriptor(&call, client, descriptor, "sign", params->version);
    TRY(call_run_json(&answer, client, &call, err));
    algorithm = json_member_text(answer, "algorithm");
    *out = digest_of_algorithm(algorithm);
    return *out ? SE_OK
                : error_set(err, SE_ERR_USAGE,
                            "content above 1 MiB is signed by its digest, and the one of '%s' is "
                            "not known here",
                            algorithm);
}

static se_status sign_large(const se_sink *out, struct client *client, const char *descriptor,
                            const struct body *body, const se_sign_params *params, se_error *err)
{
    AUTO(se_buf) digest = SE_BUF_INIT;
    const EVP_MD *md = NULL;

    TRY(ask_digest(&md, client, descriptor, params, err));
    TRY(digest_body(&digest, body, md, err));
    return sign_digest(out, client, descriptor, params, buf_bytes(&digest), err);
}

se_status client_sign(const se_sink *out, struct client *client, const char *descriptor,
                      const se_source *in, const se_sign_params *params, se_error *err)
{
    struct stream stream = { in, params->progress, params->progress_arg, 0 };
    AUTO(body) body = { .rest = NULL };

    if (params->digest.size)
        return sign_digest(out, client, descriptor, params, params->digest, err);
    TRY(body_read(&body, &stream, err));
    if (body.rest && has_content_beside(params->form))
        return sign_large(out, client, descriptor, &body, params, err);
    return sign_body(out, client, descriptor, &body, params, err);
}

/* ---- verifying ---- */

struct verifying {
    struct client *client;
    const char *descriptor;
    const se_verify_params *params;
};

static void verify_call(struct call *call, const struct verifying *v)
{
    const se_verify_params *p = v->params;

    call_descriptor(call, v->client, v->descriptor, "verify", p->version);
    call_text(call, "form", form_name(p->form));
    call_text(call, "xmlId", p->xml_id);
    call_text(call, "xmlUri", p->xml_uri);
    call_flag(call, "content", p->content != NULL);
    call->accept = TYPE_JSON;
}

/* Of a signature with the content inside also the content, if it is wanted. */
static se_status take_verdict(se_signer *out, const struct verifying *v, const struct call *call,
                              se_error *err)
{
    AUTO(json) answer = NULL;
    AUTO(se_buf) content = SE_BUF_INIT;

    TRY(call_run_json(&answer, v->client, call, err));
    json_member_signer(out, answer);
    if (!v->params->content)
        return SE_OK;
    TRY(json_member_bytes(&content, answer, "content", err));
    return sink_write(v->params->content, buf_bytes(&content), err);
}

static se_status verify_attached(se_signer *out, const struct verifying *v, const struct body *body,
                                 se_error *err)
{
    AUTO(call) call = { .body = body, .type = TYPE_OCTETS };

    verify_call(&call, v);
    return take_verdict(out, v, &call, err);
}

/* `member` is "content" or "digest". */
static se_status verify_beside(se_signer *out, const struct verifying *v, const char *member,
                               se_bytes bytes, se_error *err)
{
    AUTO(call) call = { .type = TYPE_JSON };
    AUTO(writer) text = { 0 };

    json_write_begin(&text, NULL, '{');
    json_write_base64(&text, member, bytes);
    json_write_base64(&text, "signature", v->params->signature);
    json_write_end(&text, '}');
    if (text.failed)
        return error_memory(err);
    call.text = buf_bytes(&text.buf);
    verify_call(&call, v);
    return take_verdict(out, v, &call, err);
}

AUTO_KIND(bio, BIO *, BIO_free(*p))
AUTO_KIND(cms, CMS_ContentInfo *, CMS_ContentInfo_free(*p))

/* The digest algorithm that a CMS signature names; NULL: it is none, or has not one signer. */
static const EVP_MD *digest_of_cms(se_bytes signature)
{
    AUTO(bio) bio = BIO_new_mem_buf(signature.data, (int)signature.size);
    AUTO(cms) cms = NULL;
    STACK_OF(CMS_SignerInfo) * signers;
    X509_ALGOR *digest = NULL;
    const ASN1_OBJECT *object = NULL;

    if (!bio)
        return NULL;
    cms = signature.size && *(const char *)signature.data == '-'
              ? PEM_read_bio_CMS(bio, NULL, NULL, NULL)
              : d2i_CMS_bio(bio, NULL);
    if (!cms || !(signers = CMS_get0_SignerInfos(cms)) || sk_CMS_SignerInfo_num(signers) != 1)
        return NULL;
    CMS_SignerInfo_get0_algs(sk_CMS_SignerInfo_value(signers, 0), NULL, NULL, &digest, NULL);
    X509_ALGOR_get0(&object, NULL, NULL, digest);
    return EVP_get_digestbyobj(object);
}

/*
 * Which digest a bare signature is of, whoever has the descriptor knows, and of XML whoever reads
 * it: the service refuses a digest of another length, and there are three.
 */
enum { DIGESTS = 3 };
struct digests {
    EVP_MD_CTX *of[DIGESTS];
};

static void digests_free(struct digests *d)
{
    for (size_t i = 0; i < DIGESTS; i++)
        EVP_MD_CTX_free(d->of[i]);
}
AUTO_KIND(digests, struct digests, digests_free(p))

static se_status digests_piece(void *arg, se_bytes piece, se_error *err)
{
    const struct digests *d = arg;

    for (size_t i = 0; i < DIGESTS; i++)
        TRY(digest_piece(d->of[i], piece, err));
    return SE_OK;
}

static se_status digests_make(struct digests *d, const struct body *body, se_error *err)
{
    static const EVP_MD *(*const mds[DIGESTS])(void) = { EVP_sha256, EVP_sha384, EVP_sha512 };

    for (size_t i = 0; i < DIGESTS; i++)
        if (!(d->of[i] = EVP_MD_CTX_new()) || !EVP_DigestInit_ex(d->of[i], mds[i](), NULL))
            return fail_digest(err);
    TRY(digests_piece(d, buf_bytes(&body->begin), err));
    return stream_drain(body->rest, digests_piece, d, err);
}

static se_status verify_any_digest(se_signer *out, const struct verifying *v,
                                   const struct body *body, se_error *err)
{
    AUTO(digests) digests = { { NULL } };
    se_status st = SE_ERR_USAGE;

    TRY(digests_make(&digests, body, err));
    for (size_t i = 0; i < DIGESTS && st == SE_ERR_USAGE; i++) {
        unsigned char value[EVP_MAX_MD_SIZE];
        unsigned size;

        if (!EVP_DigestFinal_ex(digests.of[i], value, &size))
            return fail_digest(err);
        if (err)
            *err = (se_error)SE_ERROR_INIT;
        st = verify_beside(out, v, "digest", (se_bytes){ value, size }, err);
    }
    return st;
}

static se_status verify_large(se_signer *out, const struct verifying *v, const struct body *body,
                              se_error *err)
{
    AUTO(se_buf) digest = SE_BUF_INIT;
    const EVP_MD *md;

    if (v->params->form != SE_FORM_DETACHED)
        return verify_any_digest(out, v, body, err);
    if (!(md = digest_of_cms(v->params->signature)))
        return error_set(err, SE_ERR_FORMAT, "the signature is no CMS of one signer");
    TRY(digest_body(&digest, body, md, err));
    return verify_beside(out, v, "digest", buf_bytes(&digest), err);
}

/* What begins neither as DER nor as text is sent nowhere to hear that it is no signature. */
static bool may_be_signature(const struct body *body)
{
    enum { SEQUENCE = 0x30 };

    return !body->rest || *body->begin.data == SEQUENCE || *body->begin.data == '-' ||
           *body->begin.data == '<' || *body->begin.data == 0xef;
}

static se_status verify_read(se_signer *out, const struct verifying *v, const struct body *body,
                             se_error *err)
{
    const se_verify_params *p = v->params;

    if (!p->signature.size && !may_be_signature(body))
        return error_set(err, SE_ERR_FORMAT, "the input does not begin as a signature does");
    if (!p->signature.size)
        return verify_attached(out, v, body, err);
    return body->rest ? verify_large(out, v, body, err)
                      : verify_beside(out, v, "content", buf_bytes(&body->begin), err);
}

se_status client_verify(se_signer *out, struct client *client, const char *descriptor,
                        const se_source *in, const se_verify_params *params, se_error *err)
{
    const struct verifying v = { client, descriptor, params };
    struct stream stream = { in, params->progress, params->progress_arg, 0 };
    AUTO(body) body = { .rest = NULL };

    if (params->digest.size)
        return verify_beside(out, &v, "digest", params->digest, err);
    TRY(body_read(&body, &stream, err));
    return verify_read(out, &v, &body, err);
}

/* ---- JOSE ---- */

static se_status refuse_unserved(bool unserved, const char *what, se_error *err)
{
    return unserved
               ? error_set(err, SE_ERR_USAGE,
                           "%s: not served over a socket; run it where the configuration is", what)
               : SE_OK;
}

/* What the header says, or has to. */
static void call_header(struct call *call, const char *type, const char *key_id)
{
    call_text(call, "type", type);
    call_text(call, "keyId", key_id);
}

static se_status take_octets(se_buf *out, struct client *client, const struct call *call,
                             se_error *err)
{
    AUTO(answer) answer = { .retry_after = -1 };

    *out = (se_buf)SE_BUF_INIT;
    TRY(call_run(&answer, client, call, err));
    return writer_finish(out, &answer.body, err);
}

se_status client_jws_sign(se_buf *out, struct client *client, const char *descriptor,
                          se_bytes payload, const se_jws_sign_params *params, se_error *err)
{
    static const char *const forms[] = { NULL, "flattened", "general" }; /* of se_jws_form */
    AUTO(call) call = { .text = { payload.size ? payload.data : "", payload.size },
                        .type = TYPE_OCTETS,
                        .accept = TYPE_OCTETS };

    TRY(refuse_unserved(params->header_count, "further members of the header", err));
    call_descriptor(&call, client, descriptor, "jws/sign", params->version);
    call_text(&call, "form", forms[params->form]);
    call_flag(&call, "detached", params->detached);
    call_flag(&call, "unencoded", params->unencoded);
    call_flag(&call, "x5c", params->certificates);
    call_header(&call, params->type, params->key_id);
    return take_octets(out, client, &call, err);
}

se_status client_jwt_sign(se_buf *out, struct client *client, const char *descriptor,
                          se_bytes claims, const se_jwt_sign_params *params, se_error *err)
{
    AUTO(call) call = { .text = claims.size ? claims : (se_bytes){ "{}", 2 },
                        .type = TYPE_JSON,
                        .accept = TYPE_OCTETS };

    TRY(refuse_unserved(params->audience_count > 1, "several audiences", err));
    call_descriptor(&call, client, descriptor, "jwt/sign", params->version);
    call_text(&call, "issuer", params->issuer);
    call_text(&call, "subject", params->subject);
    call_text(&call, "audience", params->audience_count ? params->audiences[0] : NULL);
    call_number(&call, "notBefore", (uint64_t)params->not_before);
    call_number(&call, "lifetime", (uint64_t)params->lifetime);
    call_flag(&call, "id", params->make_id);
    call_flag(&call, "noExpiry", params->no_expiry);
    call_flag(&call, "x5c", params->certificates);
    call_header(&call, params->type, params->key_id);
    return take_octets(out, client, &call, err);
}

/* A detached payload goes beside the JWS, and is the caller's already. */
static se_status write_detached(struct writer *w, se_bytes jws, se_bytes payload, se_error *err)
{
    json_write_begin(w, NULL, '{');
    json_write_bytes(w, "jws", jws);
    json_write_base64(w, "payload", payload);
    json_write_end(w, '}');
    return w->failed ? error_memory(err) : SE_OK;
}

se_status client_jws_verify(se_buf *payload, struct client *client, const char *descriptor,
                            se_bytes jws, const se_jws_verify_params *params, se_error *err)
{
    const bool is_detached = params->payload.data != NULL;
    AUTO(call) call = { .text = jws, .type = TYPE_OCTETS, .accept = TYPE_JSON };
    AUTO(writer) body = { 0 };
    AUTO(json) answer = NULL;

    *payload = (se_buf)SE_BUF_INIT;
    TRY(refuse_unserved(params->time, "a time", err));
    if (is_detached) {
        TRY(write_detached(&body, jws, params->payload, err));
        call.text = buf_bytes(&body.buf);
        call.type = TYPE_JSON;
    }
    call_descriptor(&call, client, descriptor, "jws/verify", params->version);
    call_header(&call, params->type, params->key_id);
    call_flag(&call, "any", params->any);
    TRY(call_run_json(&answer, client, &call, err));
    if (params->signer)
        json_member_signer(params->signer, answer);
    return is_detached ? buf_copy(payload, params->payload, err)
                       : json_member_bytes(payload, answer, "payload", err);
}

/* As they were signed, which an answer in JSON does not have to keep: of the token that was found
 * good (RFC 7519, 7.2). */
static se_status take_claims(se_buf *out, se_bytes token, se_error *err)
{
    const char *begin = memchr(token.data, '.', token.size),
               *end = memrchr(token.data, '.', token.size);

    if (!begin || begin == end)
        return error_set(err, SE_ERR_STORE, "what was found good is no token");
    return base64url_decode(out, (se_bytes){ begin + 1, (size_t)(end - begin) - 1 }, err);
}

se_status client_jwt_verify(se_buf *claims, struct client *client, const char *descriptor,
                            se_bytes token, const se_jwt_verify_params *params, se_error *err)
{
    AUTO(call) call = { .text = token, .type = TYPE_OCTETS, .accept = TYPE_JSON };
    AUTO(json) answer = NULL;

    *claims = (se_buf)SE_BUF_INIT;
    TRY(refuse_unserved(params->time, "a time", err));
    TRY(refuse_unserved(params->audience_count > 1, "several audiences", err));
    call_descriptor(&call, client, descriptor, "jwt/verify", params->version);
    call_text(&call, "issuer", params->issuer);
    call_text(&call, "subject", params->subject);
    call_text(&call, "id", params->id);
    call_text(&call, "audience", params->audience_count ? params->audiences[0] : NULL);
    call_number(&call, "leeway", params->leeway);
    call_flag(&call, "noExpiry", params->no_expiry);
    call_header(&call, params->type, params->key_id);
    TRY(call_run_json(&answer, client, &call, err));
    if (params->signer)
        json_member_signer(params->signer, answer);
    if (params->leeway_used)
        *params->leeway_used = (unsigned)json_integer_value(json_object_get(answer, "leewayUsed"));
    return take_claims(claims, token, err);
}
