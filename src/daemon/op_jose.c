/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Web Signatures and Tokens. A JWS is a text, and travels as octets. */
#include "daemon/op.h"

enum { LEEWAY_MOST = 86400 };
static const uint64_t time_most = UINT64_C(1) << 40; /* seconds */

/* ---- making ---- */

static se_status read_form(se_jws_form *out, const struct request *request, se_error *err)
{
    static const char *const names[] = {
        [SE_JWS_COMPACT] = "compact",
        [SE_JWS_FLATTENED] = "flattened",
        [SE_JWS_GENERAL] = "general",
        NULL,
    };
    unsigned place;

    TRY(target_choice(&place, request->target, "form", names, err));
    *out = (se_jws_form)place;
    return SE_OK;
}

se_status jws_sign_body(struct answer *out, const struct request *request, se_error *err)
{
    const struct target *t = request->target;
    se_jws_sign_params params = SE_JWS_SIGN_PARAMS_INIT;
    AUTO(se_buf) jws = SE_BUF_INIT;

    TRY(request_version(&params.version, request, err));
    TRY(read_form(&params.form, request, err));
    TRY(target_flag(&params.detached, t, "detached", false, err));
    TRY(target_flag(&params.unencoded, t, "unencoded", false, err));
    TRY(target_flag(&params.certificates, t, "x5c", false, err));
    params.type = target_parameter(t, "type");
    params.key_id = target_parameter(t, "keyId");
    params.tag = target_parameter(t, "tag");
    TRY(se_jws_sign(&jws, request->engine, request_descriptor(request), body_bytes(request->body),
                    &params, err));
    answer_bytes(out, MEDIA_OCTETS, &jws);
    return SE_OK;
}

/* The body is the claims, beside those of the query. */
se_status jwt_sign_claims(struct answer *out, const struct request *request, se_error *err)
{
    const struct target *t = request->target;
    const char *audience = target_parameter(t, "audience");
    se_jwt_sign_params params = SE_JWT_SIGN_PARAMS_INIT;
    AUTO(se_buf) token = SE_BUF_INIT;
    uint64_t lifetime, not_before;

    TRY(request_version(&params.version, request, err));
    TRY(target_number(&lifetime, t, "lifetime", time_most, err));
    TRY(target_number(&not_before, t, "notBefore", time_most, err));
    TRY(target_flag(&params.make_id, t, "id", false, err));
    TRY(target_flag(&params.no_expiry, t, "noExpiry", false, err));
    TRY(target_flag(&params.certificates, t, "x5c", false, err));
    params.lifetime = (int64_t)lifetime;
    params.not_before = (int64_t)not_before;
    params.issuer = target_parameter(t, "issuer");
    params.subject = target_parameter(t, "subject");
    params.audiences = &audience;
    params.audience_count = audience != NULL;
    params.type = target_parameter(t, "type");
    params.key_id = target_parameter(t, "keyId");
    params.tag = target_parameter(t, "tag");
    TRY(se_jwt_sign(&token, request->engine, request_descriptor(request), body_bytes(request->body),
                    &params, err));
    answer_bytes(out, MEDIA_OCTETS, &token);
    return SE_OK;
}

/* ---- verifying ---- */

/* A JWS with its payload inside, or beside it. */
struct jws_item {
    struct json_value jws, payload;
};
static const struct json_member jws_members[] = {
    { .name = "jws",
      .kind = JSON_TEXT,
      .offset = offsetof(struct jws_item, jws),
      .required = true },
    { .name = "payload", .kind = JSON_BASE64, .offset = offsetof(struct jws_item, payload) },
    { .name = NULL },
};
static const struct json_shape jws_shape = { sizeof(struct jws_item), jws_members };
AUTO_KIND(jws_item, struct jws_item, json_release(p, &jws_shape))

static se_status read_item(struct jws_item *out, const struct request *request, se_error *err)
{
    if (request->media == MEDIA_JSON)
        return json_read(out, &jws_shape, body_bytes(request->body), err);
    out->jws.bytes = body_bytes(request->body);
    return SE_OK;
}

/* A detached payload is the caller's already. */
static se_status answer_payload(struct answer *out, const struct request *request,
                                const se_signer *signer, const se_buf *payload, se_error *err)
{
    AUTO(writer) w = { 0 };

    answer_begin(&w);
    json_write_text(&w, "descriptor", request_descriptor(request));
    json_write_signer(&w, signer);
    if (payload)
        json_write_base64(&w, "payload", buf_bytes(payload));
    return answer_finish(out, &w, request, err);
}

se_status jws_verify_body(struct answer *out, const struct request *request, se_error *err)
{
    const struct target *t = request->target;
    AUTO(jws_item) item = { .jws = { .owned = SE_BUF_INIT } };
    se_jws_verify_params params = SE_JWS_VERIFY_PARAMS_INIT;
    AUTO(se_buf) payload = SE_BUF_INIT;
    se_signer signer;

    TRY(read_item(&item, request, err));
    TRY(request_version(&params.version, request, err));
    TRY(target_flag(&params.any, t, "any", false, err));
    params.payload = item.payload.bytes;
    params.type = target_parameter(t, "type");
    params.key_id = target_parameter(t, "keyId");
    params.tag = target_parameter(t, "tag");
    params.signer = &signer;
    params.revocation = request->revocation;
    TRY(se_jws_verify(&payload, request->engine, request_descriptor(request), item.jws.bytes,
                      &params, err));
    if (request->accept != MEDIA_OCTETS)
        return answer_payload(out, request, &signer, params.payload.data ? NULL : &payload, err);
    answer_bytes(out, MEDIA_OCTETS, &payload);
    return SE_OK;
}

static se_status read_token_params(se_jwt_verify_params *out, const struct request *request,
                                   se_error *err)
{
    const struct target *t = request->target;
    uint64_t leeway;

    *out = (se_jwt_verify_params)SE_JWT_VERIFY_PARAMS_INIT;
    TRY(request_version(&out->version, request, err));
    TRY(target_number(&leeway, t, "leeway", LEEWAY_MOST, err));
    TRY(target_flag(&out->no_expiry, t, "noExpiry", false, err));
    out->leeway = (unsigned)leeway;
    out->issuer = target_parameter(t, "issuer");
    out->subject = target_parameter(t, "subject");
    out->id = target_parameter(t, "id");
    out->type = target_parameter(t, "type");
    out->key_id = target_parameter(t, "keyId");
    out->tag = target_parameter(t, "tag");
    out->revocation = request->revocation;
    return SE_OK;
}

/* The claims are JSON already. */
static se_status answer_claims(struct answer *out, const struct request *request,
                               const se_signer *signer, const se_buf *claims, unsigned leeway,
                               se_error *err)
{
    AUTO(writer) w = { 0 };

    answer_begin(&w);
    json_write_text(&w, "descriptor", request_descriptor(request));
    json_write_signer(&w, signer);
    json_write_number(&w, "leewayUsed", leeway);
    json_write_literal(&w, "claims", (const char *)claims->data);
    return answer_finish(out, &w, request, err);
}

se_status jwt_verify_body(struct answer *out, const struct request *request, se_error *err)
{
    const char *audience = target_parameter(request->target, "audience");
    AUTO(se_buf) claims = SE_BUF_INIT;
    se_jwt_verify_params params;
    se_signer signer;
    unsigned leeway;

    TRY(read_token_params(&params, request, err));
    params.audiences = &audience;
    params.audience_count = audience != NULL;
    params.signer = &signer;
    params.leeway_used = &leeway;
    TRY(se_jwt_verify(&claims, request->engine, request_descriptor(request),
                      body_bytes(request->body), &params, err));
    return answer_claims(out, request, &signer, &claims, leeway, err);
}
