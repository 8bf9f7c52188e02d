/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jws_value.h"

#include "base/base64.h"
#include "base/json_write.h"
#include "base/utf8.h"

void jws_value_free(struct jws_value *value)
{
    for (size_t i = 0; i < JWS_SIGNATURES; i++) {
        jose_header_free(&value->signatures[i].header);
        se_buf_free(&value->signatures[i].value);
    }
    json_decref(value->json);
    value->json = NULL;
}

/* ---- signatures ---- */

/* RFC 7518, 3.4: r and s of one width each, whatever the numbers are.  0: any, the key decides. */
static size_t signature_size(const char *algorithm)
{
    static const struct {
        const char *name;
        size_t size;
    } sizes[] = { { "ES256", 64 }, { "ES384", 96 }, { "ES512", 132 } };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (strcmp(sizes[i].name, algorithm) == 0)
            return sizes[i].size;
    return 0;
}

static se_status signature_read(struct jws_signature *out, se_bytes protected, se_bytes signature,
                                const json_t *unprotected, se_error *err)
{
    size_t size;

    out->protected = protected;
    TRY(jose_header_read(&out->header, protected, unprotected, err));
    if (!signature.size)
        return error_set(err, SE_ERR_FORMAT, "it has no signature");
    TRY_PREFIX(base64url_decode(&out->value, signature, err), err, "the signature: ");
    size = signature_size(out->header.algorithm);
    if (size && out->value.size != size)
        return error_set(err, SE_ERR_FORMAT, "the signature has %zu bytes, %s has %zu",
                         out->value.size, out->header.algorithm, size);
    return SE_OK;
}

/* ---- compact ---- */

enum { PARTS = 3, HEADER = 0, PAYLOAD, SIGNATURE };

static se_status split_compact(se_bytes parts[PARTS], se_bytes text, se_error *err)
{
    const char *at = text.size ? text.data : "", *end = at + text.size;
    size_t count = 1;

    for (const char *dot = at; (dot = memchr(dot, '.', (size_t)(end - dot))); dot++)
        count++;
    if (count != PARTS)
        return error_set(err, SE_ERR_FORMAT, "it is no JWS: %zu part%s, %d are right%s", count,
                         count > 1 ? "s" : "", PARTS, count == 5 ? "; is it a JWE?" : "");
    for (size_t i = 0; i < PARTS; i++) {
        const char *dot = i < SIGNATURE ? memchr(at, '.', (size_t)(end - at)) : end;

        parts[i] = (se_bytes){ at, (size_t)(dot - at) };
        at = i < SIGNATURE ? dot + 1 : end;
    }
    return SE_OK;
}

/* RFC 7797, 5.2 */
static bool is_compact_text(se_bytes text)
{
    const unsigned char *p = text.data;

    for (size_t i = 0; i < text.size; i++)
        if (p[i] < ' ' || p[i] > '~' || p[i] == '.')
            return false;
    return true;
}

static se_status compact_read(struct jws_value *out, se_bytes text, se_error *err)
{
    se_bytes parts[PARTS];

    TRY(split_compact(parts, text, err));
    TRY(signature_read(&out->signatures[0], parts[HEADER], parts[SIGNATURE], NULL, err));
    out->count = 1;
    out->payload = parts[PAYLOAD];
    out->has_payload = parts[PAYLOAD].size;
    out->unencoded = out->signatures[0].header.unencoded;
    if (out->unencoded && !is_compact_text(out->payload))
        return error_set(err, SE_ERR_FORMAT,
                         "the payload is not encoded, and has other characters than visible ones "
                         "of ASCII");
    return SE_OK;
}

/* ---- JSON ---- */

static se_bytes string_bytes(const json_t *string)
{
    return (se_bytes){ json_string_value(string), json_string_length(string) };
}

/* Of the object itself, or of one in "signatures". */
static se_status json_signature_read(struct jws_signature *out, const json_t *object, se_error *err)
{
    const json_t *protected = json_object_get(object, "protected"),
                 *signature = json_object_get(object, "signature"),
                 *header = json_object_get(object, "header");

    if (!json_is_string(signature))
        return error_set(err, SE_ERR_FORMAT, "it has no text 'signature'");
    if (!json_is_string(protected))
        return error_set(err, SE_ERR_FORMAT,
                         "it has no text 'protected': no header that is signed");
    if (header && !json_is_object(header))
        return error_set(err, SE_ERR_FORMAT, "'header' is no object");
    return signature_read(out, string_bytes(protected), string_bytes(signature), header, err);
}

/* RFC 7797, 3: they sign one payload, which is encoded or not. */
static se_status json_general_read(struct jws_value *out, const json_t *list, se_error *err)
{
    static const char *const singles[] = { "signature", "protected", "header" };
    const size_t count = json_array_size(list);

    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++)
        if (json_object_get(out->json, singles[i]))
            return error_set(err, SE_ERR_FORMAT, "it has both '%s' and 'signatures'", singles[i]);
    if (!count || count > JWS_SIGNATURES)
        return error_set(err, SE_ERR_FORMAT, "'signatures' is no list of 1 to %d", JWS_SIGNATURES);
    for (size_t i = 0; i < count; i++) {
        TRY_PREFIX(json_signature_read(&out->signatures[i], json_array_get(list, i), err), err,
                   "signature %zu: ", i + 1);
        if (out->signatures[i].header.unencoded != out->signatures[0].header.unencoded)
            return error_set(err, SE_ERR_FORMAT, "its signatures differ in 'b64'");
    }
    out->count = count;
    return SE_OK;
}

static se_status json_read_signatures(struct jws_value *out, se_error *err)
{
    const json_t *list = json_object_get(out->json, "signatures");

    if (list)
        return json_general_read(out, list, err);
    TRY(json_signature_read(&out->signatures[0], out->json, err));
    out->count = 1;
    return SE_OK;
}

static se_status json_form_read(struct jws_value *out, se_bytes text, se_error *err)
{
    const json_t *payload;

    TRY(jose_object_read(&out->json, text, "the JWS", err));
    TRY(json_read_signatures(out, err));
    payload = json_object_get(out->json, "payload");
    if (payload && !json_is_string(payload))
        return error_set(err, SE_ERR_FORMAT, "'payload' is no text");
    out->has_payload = payload;
    out->payload = payload ? string_bytes(payload) : (se_bytes){ "", 0 };
    out->unencoded = out->signatures[0].header.unencoded;
    return SE_OK;
}

static bool begins_json(se_bytes text)
{
    const char *at = text.data;
    size_t blanks = 0;

    while (blanks < text.size && strchr(" \t\r\n", at[blanks]) && at[blanks])
        blanks++;
    return blanks < text.size && at[blanks] == '{';
}

se_status jws_value_read(struct jws_value *out, se_bytes text, se_error *err)
{
    if (text.size > JWS_LIMIT)
        return error_set(err, SE_ERR_FORMAT, "it has %zu bytes: more than %d", text.size,
                         JWS_LIMIT);
    return begins_json(text) ? json_form_read(out, text, err) : compact_read(out, text, err);
}

se_status jws_value_payload(se_buf *out, const struct jws_value *value, se_error *err)
{
    if (value->unencoded)
        return buf_copy(out, value->payload, err);
    TRY_PREFIX(base64url_decode(out, value->payload, err), err, "the payload: ");
    return SE_OK;
}

/* ---- writing ---- */

static bool is_json_text(se_bytes text)
{
    return utf8_is(text) && (!text.size || !memchr(text.data, '\0', text.size));
}

se_status jws_check_unencoded(se_jws_form form, se_bytes payload, se_error *err)
{
    if (form == SE_JWS_COMPACT && !is_compact_text(payload))
        return error_set(err, SE_ERR_USAGE,
                         "a payload that is not encoded can stand in a compact JWS only if it is "
                         "visible ASCII without '.': detach it");
    if (form != SE_JWS_COMPACT && !is_json_text(payload))
        return error_set(err, SE_ERR_USAGE,
                         "a payload that is not encoded can stand in JSON only if it is UTF-8 "
                         "without NUL: detach it");
    return SE_OK;
}

static void write_signature(struct writer *w, const struct jws_parts *parts)
{
    json_write_bytes(w, "protected", parts->protected);
    json_write_base64url(w, "signature", parts->signature);
}

static void write_json(struct writer *w, se_jws_form form, const struct jws_parts *parts)
{
    json_write_begin(w, NULL, '{');
    if (parts->payload.data)
        json_write_bytes(w, "payload", parts->payload);
    if (form == SE_JWS_GENERAL) {
        json_write_begin(w, "signatures", '[');
        json_write_begin(w, NULL, '{');
        write_signature(w, parts);
        json_write_end(w, '}');
        json_write_end(w, ']');
    } else
        write_signature(w, parts);
    json_write_end(w, '}');
}

static void write_compact(struct writer *w, const struct jws_parts *parts)
{
    writer_put(w, parts->protected.data, parts->protected.size);
    writer_text(w, ".");
    if (parts->payload.data)
        writer_put(w, parts->payload.data, parts->payload.size);
    writer_text(w, ".");
    writer_base64url(w, parts->signature);
}

se_status jws_value_write(se_buf *out, se_jws_form form, const struct jws_parts *parts,
                          se_error *err)
{
    AUTO(writer) w = { 0 };

    if (form == SE_JWS_COMPACT)
        write_compact(&w, parts);
    else
        write_json(&w, form, parts);
    return writer_finish(out, &w, err);
}
