/* SPDX-License-Identifier: Apache-2.0 */
/* Signing and verifying: content or its digest, as octets, in JSON, or many in a list. */
#include <inttypes.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/stream.h"
#include "daemon/op.h"

/* What is signed, or verified: one of the first two. */
struct item {
    struct json_value content, digest;
    struct json_value signature; /* verifying */
};

struct items {
    struct item single;
    struct json_list items; /* struct item */
};

#define ITEM_MEMBERS(type, place)                                                                  \
    { .name = "content", .kind = JSON_BASE64, .offset = offsetof(type, place content) },           \
    {                                                                                              \
        .name = "digest", .kind = JSON_BASE64, .offset = offsetof(type, place digest)              \
    }

static const struct json_member item_members[] = { ITEM_MEMBERS(struct item, ), { .name = NULL } };
static const struct json_shape item_shape = { sizeof(struct item), item_members };
static const struct json_member sign_members[] = {
    ITEM_MEMBERS(struct items, single.),
    { .name = "items",
      .kind = JSON_LIST,
      .offset = offsetof(struct items, items),
      .items = &item_shape },
    { .name = NULL },
};
static const struct json_shape sign_shape = { sizeof(struct items), sign_members };
static const struct json_member verify_members[] = {
    ITEM_MEMBERS(struct item, ),
    { .name = "signature", .kind = JSON_BASE64, .offset = offsetof(struct item, signature) },
    { .name = NULL },
};
static const struct json_shape verify_shape = { sizeof(struct item), verify_members };
AUTO_KIND(sign_items, struct items, json_release(p, &sign_shape))
AUTO_KIND(verify_item, struct item, json_release(p, &verify_shape))

/* ---- parameters ---- */

static se_status read_form(se_form *out, const struct request *request, se_error *err)
{
    static const char *const names[] = {
        [SE_FORM_DETACHED] = "detached",
        [SE_FORM_ATTACHED] = "attached",
        [SE_FORM_RAW] = "raw",
        [SE_FORM_XML] = "xml",
        [SE_FORM_XML_ENVELOPING] = "xml-enveloping",
        [SE_FORM_XML_DETACHED] = "xml-detached",
        NULL,
    };
    unsigned place;

    TRY(target_choice(&place, request->target, "form", names, err));
    *out = (se_form)place;
    return SE_OK;
}

/* One of the two; an empty content is one, too. */
static se_status choose_content(se_bytes *content, se_bytes *digest, const struct item *item,
                                se_error *err)
{
    *content = item->content.bytes;
    *digest = item->digest.bytes;
    if (digest->data && !digest->size) /* which would be no digest for the library */
        return error_set(err, SE_ERR_FORMAT, "'digest' is empty");
    if (!content->data != !digest->data)
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT,
                     content->data ? "either 'content' or 'digest', not both"
                                   : "neither 'content' nor 'digest'");
}

/* ---- what is large ---- */

/* XML is worked on as a whole. */
static se_status check_form_size(struct answer *out, const struct request *request, se_form form,
                                 se_error *err)
{
    const bool is_xml = form == SE_FORM_XML || form == SE_FORM_XML_ENVELOPING;

    if (!is_xml || !request->spool || request->body->size <= request->spool->memory_each)
        return SE_OK;
    failure_set(&out->body.failure, FAILURE_TOO_LARGE,
                "XML of %" PRIu64 " bytes; up to %" PRIu64 " are taken", request->body->size,
                request->spool->memory_each);
    return error_set(err, SE_ERR_USAGE, "%s", out->body.failure.error.text);
}

/* For bytes that become part of a text. */
static se_sink collect_text(struct body *out, const struct request *request)
{
    *out = (struct body){ .spool = request->spool };
    out->most = request->spool ? request->spool->memory_each : 0;
    return body_sink(out);
}

/* ---- signing ---- */

static se_status read_sign_params(se_sign_params *out, const struct request *request, se_error *err)
{
    const struct target *t = request->target;

    *out = (se_sign_params)SE_SIGN_PARAMS_INIT;
    out->begun = clock_seconds(); /* one version for all items, and for what is said of it */
    TRY(request_version(&out->version, request, err));
    TRY(read_form(&out->form, request, err));
    TRY(target_flag(&out->pem, t, "pem", false, err));
    TRY(target_flag(&out->xml_inclusive, t, "xmlInclusive", false, err));
    out->xml_id = target_parameter(t, "xmlId");
    out->xml_uri = target_parameter(t, "xmlUri");
    out->tag = target_parameter(t, "tag");
    return SE_OK;
}

static se_status sign_item(se_buf *out, const struct request *request, const struct item *item,
                           const se_sign_params *shared, se_error *err)
{
    se_sign_params params = *shared;
    se_bytes content;

    *out = (se_buf)SE_BUF_INIT;
    TRY(choose_content(&content, &params.digest, item, err));
    return se_sign(out, request->engine, request_descriptor(request), content, &params, err);
}

/* What the answers say of who signed: the descriptor's version, and its algorithm. */
static se_status write_descriptor(struct writer *w, const struct request *request,
                                  const se_sign_params *params, se_error *err)
{
    se_signer signer;

    TRY(se_find_signer(&signer, request->engine, request_descriptor(request), params, err));
    json_write_text(w, "descriptor", request_descriptor(request));
    json_write_number(w, "version", signer.version);
    json_write_text(w, "algorithm", signer.algorithm);
    return SE_OK;
}

static se_status answer_signature(struct answer *out, const struct request *request,
                                  se_bytes signature, const se_sign_params *params, se_error *err)
{
    AUTO(writer) w = { 0 };

    answer_begin(&w);
    json_write_base64(&w, "signature", signature);
    TRY(write_descriptor(&w, request, params, err));
    return answer_finish(out, &w, request, err);
}

static se_status sign_single(struct answer *out, const struct request *request,
                             const struct item *item, const se_sign_params *params, se_error *err)
{
    AUTO(se_buf) signature = SE_BUF_INIT;

    TRY(sign_item(&signature, request, item, params, err));
    if (answers_json(request))
        return answer_signature(out, request, buf_bytes(&signature), params, err);
    answer_bytes(out, MEDIA_OCTETS, &signature);
    return SE_OK;
}

static void write_signed_item(struct writer *w, se_status st, se_bytes signature, const char *why)
{
    json_write_begin(w, NULL, '{');
    if (st)
        write_item_failure(w, st, why);
    else {
        json_write_text(w, "status", "ok");
        json_write_base64(w, "signature", signature);
    }
    json_write_end(w, '}');
}

/* A failure that is no item's fault, and that the first one has, is one of the call. */
static se_status sign_items(struct writer *w, struct answer *out, const struct request *request,
                            const struct json_list *items, const se_sign_params *params,
                            se_error *err)
{
    const struct item *item = items->items;

    for (; out->items < items->count; out->items++) {
        AUTO(se_buf) signature = SE_BUF_INIT;
        se_error why = SE_ERROR_INIT;
        se_status st = sign_item(&signature, request, &item[out->items], params, &why);

        if (st && !out->items && !is_fault_of_item(st))
            return error_copy(err, st, &why);
        out->failed += st != SE_OK;
        write_signed_item(w, st, buf_bytes(&signature), why.text);
    }
    return SE_OK;
}

static se_status sign_list(struct answer *out, const struct request *request,
                           const struct items *body, const se_sign_params *params, se_error *err)
{
    AUTO(writer) w = { 0 };

    if (body->single.content.bytes.data || body->single.digest.bytes.data)
        return error_set(err, SE_ERR_FORMAT, "either 'items', or one 'content' or 'digest'");
    TRY(request_admit(request, body->items.count, err));
    answer_begin(&w);
    json_write_begin(&w, "items", '[');
    TRY(sign_items(&w, out, request, &body->items, params, err));
    json_write_end(&w, ']');
    TRY(write_descriptor(&w, request, params, err));
    return answer_finish(out, &w, request, err);
}

static se_status sign_octets(const se_sink *sink, const struct request *request,
                             const se_sign_params *shared, se_error *err)
{
    AUTO(body_reader) reader = { NULL };
    const se_source source = body_source(&reader, request->body);
    se_sign_params params = *shared;

    params.progress = request->progress;
    params.progress_arg = request->progress_arg;
    return se_sign_stream(sink, request->engine, request_descriptor(request), &source, &params,
                          err);
}

static se_status sign_body(struct answer *out, const struct request *request,
                           const se_sign_params *params, se_error *err)
{
    AUTO(body) signature = { NULL };
    se_sink sink;
    se_status st;

    TRY(check_form_size(out, request, params->form, err));
    if (!answers_json(request)) {
        sink = answer_stream(out, MEDIA_OCTETS, request);
        return sign_octets(&sink, request, params, err);
    }
    sink = collect_text(&signature, request);
    st = sign_octets(&sink, request, params, err);
    out->body.failure = signature.failure;
    TRY(st);
    return answer_signature(out, request, body_bytes(&signature), params, err);
}

se_status sign_content(struct answer *out, const struct request *request, se_error *err)
{
    AUTO(sign_items) body = { .items = { .count = 0 } };
    se_sign_params params;

    TRY(read_sign_params(&params, request, err));
    if (request->media != MEDIA_JSON)
        return sign_body(out, request, &params, err);
    TRY(json_read(&body, &sign_shape, body_bytes(request->body), err));
    return body.items.count ? sign_list(out, request, &body, &params, err)
                            : sign_single(out, request, &body.single, &params, err);
}

/* ---- verifying ---- */

static se_status read_verify_params(se_verify_params *out, const struct request *request,
                                    se_error *err)
{
    *out = (se_verify_params)SE_VERIFY_PARAMS_INIT;
    TRY(request_version(&out->version, request, err));
    TRY(read_form(&out->form, request, err));
    out->xml_id = target_parameter(request->target, "xmlId");
    out->xml_uri = target_parameter(request->target, "xmlUri");
    out->progress = request->progress;
    out->progress_arg = request->progress_arg;
    out->tag = target_parameter(request->target, "tag");
    out->revocation = request->revocation;
    return SE_OK;
}

static se_status read_verify_body(struct item *out, const struct request *request, se_error *err)
{
    const char *signature = request->signature;

    if (request->media == MEDIA_JSON && signature)
        return error_set(err, SE_ERR_USAGE, "in JSON, the signature is a member of the body");
    if (request->media == MEDIA_JSON)
        return json_read(out, &verify_shape, body_bytes(request->body), err);
    if (!signature)
        return SE_OK;
    TRY_PREFIX(base64_decode(&out->signature.owned, text_bytes(signature), err), err,
               "Signengine-Signature: ");
    out->signature.bytes = buf_bytes(&out->signature.owned);
    return SE_OK;
}

/* Octets are wanted: what the signature covers, which only an attached one and XML have. */
static bool answers_content(const struct request *request)
{
    return request->accept == MEDIA_OCTETS;
}

static se_status verify_source(se_signer *out, const se_sink *content,
                               const struct request *request, const struct item *item,
                               const se_source *in, se_error *err)
{
    se_verify_params params;

    TRY(read_verify_params(&params, request, err));
    params.signature = item->signature.bytes;
    params.digest = item->digest.bytes;
    params.content = content;
    return se_verify_stream(out, request->engine, request_descriptor(request), in, &params, err);
}

static se_status verify_octets(se_signer *out, const se_sink *content,
                               const struct request *request, const struct item *item,
                               se_error *err)
{
    AUTO(body_reader) reader = { NULL };
    const se_source source = body_source(&reader, request->body);

    return verify_source(out, content, request, item, &source, err);
}

static se_status verify_item(se_signer *out, const se_sink *content, const struct request *request,
                             const struct item *item, se_error *err)
{
    se_bytes in, digest;
    se_source source;

    if (request->media != MEDIA_JSON)
        return verify_octets(out, content, request, item, err);
    TRY(choose_content(&in, &digest, item, err));
    source = source_memory(&in);
    return verify_source(out, content, request, item, &source, err);
}

/* The content of an answer in JSON; NULL: nobody wants it. */
static se_status answer_signer(struct answer *out, const struct request *request,
                               const se_signer *signer, const struct body *content, se_error *err)
{
    AUTO(writer) w = { 0 };

    answer_begin(&w);
    json_write_text(&w, "descriptor", request_descriptor(request));
    json_write_signer(&w, signer);
    if (content)
        json_write_base64(&w, "content", body_bytes(content));
    return answer_finish(out, &w, request, err);
}

static se_status verify_for_text(struct answer *out, const struct request *request,
                                 const struct item *item, se_error *err)
{
    AUTO(body) content = { NULL };
    const se_sink sink = collect_text(&content, request);
    se_signer signer;
    se_status st;
    bool shown;

    TRY(target_flag(&shown, request->target, "content", false, err));
    st = verify_item(&signer, shown ? &sink : NULL, request, item, err);
    out->body.failure = content.failure;
    TRY(st);
    return answer_signer(out, request, &signer, shown ? &content : NULL, err);
}

se_status verify_content(struct answer *out, const struct request *request, se_error *err)
{
    AUTO(verify_item) item = { .content = { .owned = SE_BUF_INIT } };
    se_sink content;
    se_signer signer;
    se_form form;

    TRY(read_form(&form, request, err));
    TRY(read_verify_body(&item, request, err));
    if (!item.signature.bytes.data)
        TRY(check_form_size(out, request, form, err));
    if (!answers_content(request))
        return verify_for_text(out, request, &item, err);
    content = answer_stream(out, MEDIA_OCTETS, request);
    return verify_item(&signer, &content, request, &item, err);
}
