/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/op.h"

/* ---- requests ---- */

const char *request_descriptor(const struct request *request)
{
    return target_variable(request->target, "descriptor");
}

se_status request_version(unsigned *out, const struct request *request, se_error *err)
{
    uint64_t asked;

    *out = 0;
    TRY(target_number(&asked, request->target, "version", UINT32_MAX, err));
    *out = (unsigned)asked;
    return SE_OK;
}

se_status request_go_on(const struct request *request, uint64_t done, se_error *err)
{
    return !request->progress || request->progress(request->progress_arg, done, 0)
               ? SE_OK
               : error_set(err, SE_ERR_CANCELLED, "nobody waits for it any more");
}

se_status context_encode(se_buf *out, const struct json_pairs *pairs, se_error *err)
{
    se_pair list[JSON_PAIRS_MOST];

    *out = (se_buf)SE_BUF_INIT;
    for (size_t i = 0; i < pairs->count; i++)
        list[i] = (se_pair){ pairs->list[i].name.bytes, pairs->list[i].value.bytes };
    return pairs->count ? se_context(out, list, pairs->count, err) : SE_OK;
}

struct wrapped_context {
    struct json_pairs context;
};
static const struct json_member context_members[] = {
    { .name = "context", .kind = JSON_PAIRS, .offset = offsetof(struct wrapped_context, context) },
    { .name = NULL },
};
static const struct json_shape context_shape = { sizeof(struct wrapped_context), context_members };
AUTO_KIND(wrapped_context, struct wrapped_context, json_release(p, &context_shape))

se_status request_context(se_buf *out, const struct request *request, se_error *err)
{
    const char *text = target_parameter(request->target, "context");
    AUTO(wrapped_context) wrapped = { .context = { NULL } };
    AUTO(writer) w = { 0 };

    *out = (se_buf)SE_BUF_INIT;
    if (!text)
        return SE_OK;
    writer_format(&w, "{\"context\":%s}", text);
    if (w.failed)
        return error_memory(err);
    TRY_PREFIX(json_read(&wrapped, &context_shape, buf_bytes(&w.buf), err), err,
               "the parameter 'context': ");
    return context_encode(out, &wrapped.context, err);
}

/* ---- answers ---- */

bool answers_json(const struct request *request)
{
    const bool json = request->media == MEDIA_JSON;

    if (!request->accept || request->accept & (json ? MEDIA_JSON : MEDIA_OCTETS))
        return json;
    return request->accept & (MEDIA_JSON | MEDIA_OCTETS) ? !json : json;
}

void answer_begin(struct writer *w)
{
    json_write_begin(w, NULL, '{');
}

se_status answer_finish(struct answer *out, struct writer *w, const struct request *request,
                        se_error *err)
{
    AUTO(se_buf) bytes = SE_BUF_INIT;

    json_write_text(w, "requestId", request->id);
    json_write_end(w, '}');
    writer_put(w, "\n", 1);
    TRY(writer_finish(&bytes, w, err));
    answer_bytes(out, MEDIA_JSON, &bytes);
    return SE_OK;
}

void answer_bytes(struct answer *out, enum media media, se_buf *bytes)
{
    out->media = media;
    body_take(&out->body, bytes);
}

se_sink answer_stream(struct answer *out, enum media media, const struct request *request)
{
    out->media = media;
    out->body = (struct body){ .spool = request->spool, .kind = BODY_SEALED };
    return body_sink(&out->body);
}

static void write_stamp(struct writer *w, const se_signer *signer)
{
    if (!signer->stamp_time && !*signer->stamp_ignored)
        return;
    json_write_begin(w, "stamp", '{');
    if (signer->stamp_time) {
        json_write_time(w, "time", signer->stamp_time);
        if (signer->stamp_accuracy_us)
            json_write_number(w, "accuracyMicroseconds", (uint64_t)signer->stamp_accuracy_us);
        json_write_text(w, "authority", signer->stamp_authority);
    } else
        json_write_text(w, "ignored", signer->stamp_ignored);
    json_write_end(w, '}');
}

static void write_revocation(struct writer *w, const se_signer *signer)
{
    static const char *const states[] = {
        [SE_REVOCATION_UNCHECKED] = "unchecked",
        [SE_REVOCATION_GOOD] = "good",
        [SE_REVOCATION_UNKNOWN] = "unknown",
    };
    const bool by_crl = signer->revocation_source == SE_REVOCATION_BY_CRL;

    json_write_begin(w, "revocation", '{');
    json_write_text(w, "status", states[signer->revocation]);
    if (signer->revocation_source) {
        json_write_text(w, "by", by_crl ? "crl" : "ocsp");
        json_write_text(w, by_crl ? "issuer" : "responder", signer->revocation_teller);
        json_write_time(w, "thisUpdate", signer->revocation_update);
    }
    if (*signer->revocation_note)
        json_write_text(w, "note", signer->revocation_note);
    json_write_end(w, '}');
}

void json_write_signer(struct writer *w, const se_signer *signer)
{
    if (signer->version)
        json_write_number(w, "version", signer->version);
    json_write_text(w, "algorithm", signer->algorithm);
    json_write_text(w, "subject", signer->subject);
    json_write_text(w, "issuer", signer->issuer);
    json_write_text(w, "serial", signer->serial);
    json_write_time(w, "notAfter", signer->not_after);
    json_write_time(w, "signingTime", signer->signing_time);
    write_stamp(w, signer);
    write_revocation(w, signer);
}

/* ---- many of a kind in one call ---- */

bool is_fault_of_item(se_status status)
{
    return status == SE_ERR_FORMAT || status == SE_ERR_REJECTED || status == SE_ERR_USAGE ||
           status == SE_ERR_POLICY;
}

void write_item_failure(struct writer *w, se_status status, const char *text)
{
    const bool later = status == SE_ERR_UNAVAILABLE || status == SE_ERR_MEMORY;

    /* a version that others have, and this host has not */
    if (is_fault_of_item(status) || status == SE_ERR_NO_DESCRIPTOR) {
        json_write_text(w, "status", se_status_name(status));
        json_write_text(w, "message", text);
        return;
    }
    json_write_text(w, "status", later ? "unavailable" : "internal");
    json_write_text(w, "message",
                    later ? "the key store is out of reach: try again later"
                          : "the service can't use this key: its log says why");
}
