/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/azure/answer.h"

#include <strings.h>

#include "base/base64.h"
#include "base/text.h"

/* ---- the body ---- */

static size_t blank_size(se_bytes text)
{
    const char *p = text.data;
    size_t size = 0;

    while (size < text.size && p[size] && strchr(" \t\r\n", p[size]))
        size++;
    return size;
}

static bool body_begins(se_bytes body, const char *word)
{
    return body.size >= strlen(word) && strncasecmp(body.data, word, strlen(word)) == 0;
}

const char *answer_looks_like(const struct http_answer *answer)
{
    se_bytes body = buf_bytes(&answer->body.buf);
    size_t blanks = body.size ? blank_size(body) : 0;

    if (blanks == body.size)
        return "an empty answer";
    body = (se_bytes){ (const char *)body.data + blanks, body.size - blanks };
    if (strncasecmp(answer->content_type, "text/html", strlen("text/html")) == 0 ||
        body_begins(body, "<!doctype") || body_begins(body, "<html"))
        return "an HTML page";
    if (body_begins(body, "<"))
        return "an XML document";
    if (body_begins(body, "{"))
        return "broken JSON";
    if (body_begins(body, "[") || body_begins(body, "\""))
        return "JSON that is no object";
    return "a text that is no JSON";
}

/* jansson's own text shows what it read last: that may be a secret. */
static se_status json_failed(const struct http_answer *answer, const json_error_t *why,
                             se_error *err)
{
    switch (json_error_code(why)) {
    case json_error_out_of_memory:
        return error_memory(err);
    case json_error_duplicate_key:
        return error_set(err, SE_ERR_STORE, "the server's answer (HTTP %ld) says something twice",
                         answer->status);
    default:
        return error_set(err, SE_ERR_STORE, "the server sent %s (HTTP %ld) where JSON is expected",
                         answer_looks_like(answer), answer->status);
    }
}

se_status answer_json(json_t **out, const struct http_answer *answer, se_error *err)
{
    se_bytes body = buf_bytes(&answer->body.buf);
    json_error_t why = { .line = 0 };
    AUTO(json) json = NULL;

    *out = NULL;
    if (body.size)
        json = json_loadb(body.data, body.size, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(json))
        return json_failed(answer, &why, err);
    *out = MOVE(json);
    return SE_OK;
}

/* ---- members that need not be there ---- */

const char *member_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

int64_t member_number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

void member_copy(char *out, size_t room, const json_t *object, const char *name)
{
    const char *text = member_text(object, name);

    text_copy(out, room, text, strlen(text));
    text_clean(out);
}

/* ---- members that make sense or fail; null is like none ---- */

static const json_t *find_member(const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);

    return json_is_null(member) ? NULL : member;
}

static se_status member_wrong(const char *name, const char *expected, se_error *err)
{
    return error_set(err, SE_ERR_STORE, "the '%s' of the vault's answer is not %s", name, expected);
}

/* "" without one. */
static se_status read_text(char *out, size_t room, const json_t *object, const char *name,
                           se_error *err)
{
    const json_t *member = find_member(object, name);

    *out = '\0';
    if (!member)
        return SE_OK;
    if (!json_is_string(member) || json_string_length(member) >= room)
        return error_set(err, SE_ERR_STORE,
                         "the '%s' of the vault's answer is not a text of up to %zu bytes", name,
                         room - 1);
    memcpy(out, json_string_value(member), json_string_length(member) + 1);
    text_clean(out);
    return SE_OK;
}

/* *out stays without one.  hsmPlatform is a number in quotes. */
static se_status read_number(int64_t *out, int64_t most, const json_t *object, const char *name,
                             se_error *err)
{
    const json_t *member = find_member(object, name);
    const char *text = json_string_value(member);
    json_int_t number = json_is_integer(member) ? json_integer_value(member) : -1;
    unsigned long digits;

    if (!member)
        return SE_OK;
    if (text && text_number(&digits, text, (unsigned long)most))
        number = (json_int_t)digits;
    if (number < 0 || number > most)
        return error_set(err, SE_ERR_STORE,
                         "the '%s' of the vault's answer is no whole number from 0 to %lld", name,
                         (long long)most);
    *out = number;
    return SE_OK;
}

static se_status read_bool(bool *out, const json_t *object, const char *name, se_error *err)
{
    const json_t *member = find_member(object, name);

    if (!member)
        return SE_OK;
    if (!json_is_boolean(member))
        return member_wrong(name, "true or false", err);
    *out = json_is_true(member);
    return SE_OK;
}

static se_status read_object(const json_t **out, const json_t *object, const char *name,
                             se_error *err)
{
    *out = find_member(object, name);
    if (*out && !json_is_object(*out))
        return member_wrong(name, "an object", err);
    return SE_OK;
}

/* ---- keys and certificates ---- */

#define YEAR_9999 INT64_C(253402300799)

static se_status read_attributes(struct vault_attributes *out, const json_t *answer, se_error *err)
{
    const json_t *json;
    int64_t days = -1, platform = -1;

    *out = (struct vault_attributes){ .is_enabled = true };
    TRY(read_object(&json, answer, "attributes", err));
    TRY(read_bool(&out->is_enabled, json, "enabled", err));
    TRY(read_bool(&out->is_exportable, json, "exportable", err));
    TRY(read_number(&out->not_before, YEAR_9999, json, "nbf", err));
    TRY(read_number(&out->expires, YEAR_9999, json, "exp", err));
    TRY(read_number(&out->created, YEAR_9999, json, "created", err));
    TRY(read_number(&out->updated, YEAR_9999, json, "updated", err));
    TRY(read_text(out->recovery, sizeof out->recovery, json, "recoveryLevel", err));
    TRY(read_number(&days, 100000, json, "recoverableDays", err));
    TRY(read_number(&platform, 100, json, "hsmPlatform", err));
    out->recover_days = (long)days;
    out->platform = (int)platform;
    return SE_OK;
}

static unsigned find_operation(const char *name)
{
    static const struct {
        const char *name;
        enum key_ops operation;
    } rows[] = {
        { "sign", KEY_OP_SIGN },       { "verify", KEY_OP_VERIFY }, { "encrypt", KEY_OP_ENCRYPT },
        { "decrypt", KEY_OP_DECRYPT }, { "wrapKey", KEY_OP_WRAP },  { "unwrapKey", KEY_OP_UNWRAP },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcasecmp(rows[i].name, name) == 0)
            return rows[i].operation;
    return KEY_OP_OTHER; /* "import", "export" */
}

static se_status read_operations(unsigned *out, const json_t *jwk, se_error *err)
{
    const json_t *list = find_member(jwk, "key_ops");

    if (list && !json_is_array(list))
        return member_wrong("key_ops", "a list", err);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));

        if (!name)
            return member_wrong("key_ops", "a list of texts", err);
        *out |= find_operation(name);
    }
    return SE_OK;
}

static se_status read_key(struct vault_key_answer *out, const json_t *json, se_error *err)
{
    TRY(read_object(&out->jwk, json, "key", err));
    TRY(read_text(out->id, sizeof out->id, out->jwk ? out->jwk : json, "kid", err));
    if (!*out->id)
        return error_set(err, SE_ERR_STORE, "the vault's answer is no key: it has no 'kid'");
    TRY(read_text(out->type, sizeof out->type, out->jwk, "kty", err));
    if (out->jwk && !*out->type)
        return error_set(err, SE_ERR_STORE,
                         "the vault's key does not say its kind: it has no 'kty'");
    TRY(read_operations(&out->operations, out->jwk, err));
    TRY(read_bool(&out->is_managed, json, "managed", err));
    return read_attributes(&out->attributes, json, err);
}

se_status answer_key(struct vault_key_answer *out, const json_t *json, se_error *err)
{
    struct vault_key_answer made = { .id = "" };

    *out = made;
    TRY(read_key(&made, json, err));
    *out = made;
    return SE_OK;
}

void vault_certificate_answer_free(struct vault_certificate_answer *answer)
{
    se_buf_free(&answer->certificate);
}

static se_status read_certificate(struct vault_certificate_answer *out, const json_t *json,
                                  se_error *err)
{
    const json_t *cer = find_member(json, "cer");
    se_bytes text = { json_string_value(cer), json_string_length(cer) };

    TRY(read_text(out->id, sizeof out->id, json, "id", err));
    if (!*out->id)
        return error_set(err, SE_ERR_STORE, "the vault's answer is no certificate: it has no 'id'");
    TRY(read_text(out->key_id, sizeof out->key_id, json, "kid", err));
    TRY(read_attributes(&out->attributes, json, err));
    if (!cer)
        return SE_OK;
    if (!text.size || base64_decode(&out->certificate, text, NULL))
        return member_wrong("cer", "base64", err);
    return SE_OK;
}

se_status answer_certificate(struct vault_certificate_answer *out, const json_t *json,
                             se_error *err)
{
    AUTO(vault_certificate_answer) made = { .id = "" };

    *out = (struct vault_certificate_answer){ .id = "" };
    TRY(read_certificate(&made, json, err));
    *out = MOVE(made);
    return SE_OK;
}

/* Services write "Rotate" and "rotate". */
bool answer_rotates(const json_t *policy)
{
    size_t i;
    const json_t *action;

    json_array_foreach(json_object_get(policy, "lifetimeActions"), i, action) {
        if (strcasecmp(member_text(json_object_get(action, "action"), "type"), "rotate") == 0)
            return true;
    }
    return false;
}

se_status answer_page(struct vault_page *out, const json_t *json, se_error *err)
{
    const json_t *items = find_member(json, "value"), *next = find_member(json, "nextLink");

    *out = (struct vault_page){ .items = NULL };
    if (!json_is_array(items))
        return member_wrong("value", "a list", err);
    for (size_t i = 0; i < json_array_size(items); i++)
        if (!json_is_object(json_array_get(items, i)))
            return member_wrong("value", "a list of objects", err);
    if (next && !json_is_string(next))
        return member_wrong("nextLink", "a text", err);
    out->items = items;
    if (json_string_length(next))
        out->next = json_string_value(next);
    return SE_OK;
}

/* Case does not count in names. */
se_status answer_check_id(const json_t *json, const char *id, se_error *err)
{
    char its[512];

    TRY(read_text(its, sizeof its, json, "kid", err));
    if (!*its || strcasecmp(its, id) != 0)
        return error_set(err, SE_ERR_STORE, "the vault answers for another key: %s, not %s",
                         *its ? its : "without an id", id);
    return SE_OK;
}

se_status answer_value(se_buf *out, const json_t *json, const char *id, se_error *err)
{
    const json_t *value = find_member(json, "value");

    *out = (se_buf)SE_BUF_INIT;
    TRY(answer_check_id(json, id, err));
    if (!json_is_string(value) ||
        base64url_decode(out, (se_bytes){ json_string_value(value), json_string_length(value) },
                         NULL))
        return member_wrong("value", "base64url", err);
    return SE_OK;
}
