/* SPDX-License-Identifier: Apache-2.0 */
#include "config/token_uri.h"

#include <p11-kit/uri.h>
#include <stdlib.h>
#include <strings.h>

AUTO_KIND(p11_kit_uri, P11KitUri *, p11_kit_uri_free(*p))

static const char scheme[] = "pkcs11:";

bool token_uri_is(const char *text)
{
    return !strncasecmp(text, scheme, sizeof scheme - 1);
}

void token_uri_free(struct token_uri *uri)
{
    char *const texts[] = { uri->module, uri->token,  uri->serial,    uri->manufacturer,
                            uri->model,  uri->object, uri->pin_source };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    se_buf_free(&uri->id);
    *uri = (struct token_uri){ .module = NULL };
}

/* A PIN in a URI would be shown wherever the place of a key is. */
static se_status check_parts(P11KitUri *uri, se_error *err)
{
    CK_INFO *module = p11_kit_uri_get_module_info(uri);
    CK_SLOT_INFO *slot = p11_kit_uri_get_slot_info(uri);

    if (p11_kit_uri_get_pin_value(uri))
        return error_set(err, SE_ERR_CONFIG,
                         "the PKCS #11 URI holds a PIN (pin-value), which belongs into pin.source "
                         "or pin.encrypted");
    if (p11_kit_uri_any_unrecognized(uri))
        return error_set(err, SE_ERR_CONFIG, "the PKCS #11 URI has a part that is unknown");
    if (*module->manufacturerID || *module->libraryDescription ||
        module->libraryVersion.major != (CK_BYTE)-1)
        return error_set(err, SE_ERR_CONFIG,
                         "the PKCS #11 URI describes the library (library-...), which is not "
                         "looked at: module-path names it");
    if (*slot->slotDescription || *slot->manufacturerID)
        return error_set(err, SE_ERR_CONFIG,
                         "the PKCS #11 URI describes the slot (slot-...), which is not looked at: "
                         "slot-id numbers it");
    return SE_OK;
}

static se_status copy_text(char **out, const char *text, size_t size, se_error *err)
{
    return (*out = strndup(text, size)) ? SE_OK : error_memory(err);
}

/* A field of CK_TOKEN_INFO: blank-padded; one that the URI does not say begins with a NUL. */
static se_status copy_field(char **out, const unsigned char *field, size_t size, se_error *err)
{
    while (size && (field[size - 1] == ' ' || field[size - 1] == '\0'))
        size--;
    return size && *field ? copy_text(out, (const char *)field, size, err) : SE_OK;
}

static se_status copy_token(struct token_uri *out, P11KitUri *uri, se_error *err)
{
    const CK_TOKEN_INFO *token = p11_kit_uri_get_token_info(uri);
    CK_SLOT_ID slot = p11_kit_uri_get_slot_id(uri);

    out->has_slot = slot != (CK_SLOT_ID)-1;
    out->slot = out->has_slot ? slot : 0;
    TRY(copy_field(&out->token, token->label, sizeof token->label, err));
    TRY(copy_field(&out->serial, token->serialNumber, sizeof token->serialNumber, err));
    TRY(copy_field(&out->manufacturer, token->manufacturerID, sizeof token->manufacturerID, err));
    return copy_field(&out->model, token->model, sizeof token->model, err);
}

static se_status copy_object(struct token_uri *out, P11KitUri *uri, se_error *err)
{
    const CK_ATTRIBUTE *label = p11_kit_uri_get_attribute(uri, CKA_LABEL),
                       *id = p11_kit_uri_get_attribute(uri, CKA_ID);
    size_t size = label ? label->ulValueLen : 0;
    se_status st = SE_OK;

    /* some tokens end their labels with a NUL, and tools write it (%00) */
    while (size && !((const char *)label->pValue)[size - 1])
        size--;
    if (size && memchr(label->pValue, 0, size))
        return error_set(err, SE_ERR_CONFIG,
                         "the PKCS #11 URI has an object with a NUL (%%00) in its label");
    if (size)
        st = copy_text(&out->object, label->pValue, size, err);
    if (!st && id && id->ulValueLen)
        st = buf_copy(&out->id, (se_bytes){ id->pValue, id->ulValueLen }, err);
    return st;
}

static se_status copy_module(struct token_uri *out, P11KitUri *uri, se_error *err)
{
    const char *path = p11_kit_uri_get_module_path(uri), *name = p11_kit_uri_get_module_name(uri);
    const char *module = path ? path : name ? name : "p11-kit-proxy";

    return copy_text(&out->module, module, strlen(module), err);
}

/* RFC 7512, 2.4: a file, by URI or by path. */
static se_status copy_pin_source(struct token_uri *out, P11KitUri *uri, se_error *err)
{
    const char *source = p11_kit_uri_get_pin_source(uri);
    AUTO(writer) text = { 0 };

    if (!source)
        return SE_OK;
    if (*source == '|')
        return error_set(err, SE_ERR_CONFIG,
                         "the PKCS #11 URI has a command as its pin-source, and none is run");
    writer_format(&text, "%s%s", *source == '/' ? "file:" : "", source);
    return text.failed ? error_memory(err)
                       : copy_text(&out->pin_source, writer_string(&text), text.buf.size, err);
}

se_status token_uri_parse(struct token_uri *out, const char *text, se_error *err)
{
    AUTO(p11_kit_uri) uri = p11_kit_uri_new();
    AUTO(token_uri) read = { .module = NULL };
    int code;

    *out = read;
    if (!uri)
        return error_memory(err);
    if ((code = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri)) != P11_KIT_URI_OK)
        return error_set(err, SE_ERR_CONFIG, "this is no PKCS #11 URI (RFC 7512): %s",
                         p11_kit_uri_message(code));
    TRY(check_parts(uri, err));
    TRY(copy_module(&read, uri, err));
    TRY(copy_token(&read, uri, err));
    TRY(copy_object(&read, uri, err));
    TRY(copy_pin_source(&read, uri, err));
    *out = read;
    read = (struct token_uri){ .module = NULL };
    return SE_OK;
}
