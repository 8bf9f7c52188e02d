/* Which token, and what on it: by attributes, or by a PKCS #11 URI. */
#include <limits.h>
#include <string.h>

#include "config/grammar.h"
#include "config/load.h"
#include "config/token_uri.h"

/* A token finds a key by its label, its CKA_ID or its certificate's public key. */
static void need_name(struct loading *l, const struct keyref *ref, const xmlNode *type,
                      unsigned kind)
{
    if (!(kind & (STORE_HSM | STORE_VAULT)) || *ref->alias || structure_misspelled(type, "alias"))
        return;
    if (kind == STORE_VAULT)
        findings_error(&l->findings, xml_line(type), "%s needs the attribute 'alias'", ref->store);
    else if (!ref->id.size && !*ref->certificate_written)
        findings_error(&l->findings, xml_line(type),
                       "%s needs the attribute 'alias', or 'id', or 'certificate'", ref->store);
}

static int hex_digit(char c)
{
    const char digits[] = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* "0a1b", or "0a:1b" as some tools print it */
static bool parse_id(struct writer *out, const char *text)
{
    for (; *text; text += text[2] == ':' && text[3] ? 3 : 2) {
        int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);
        unsigned char byte;

        if (low < 0)
            return false;
        byte = (unsigned char)(high << 4 | low);
        writer_put(out, &byte, 1);
    }
    return true;
}

static void load_id(struct loading *l, struct keyref *ref, const xmlNode *type)
{
    AUTO(writer) id = { 0 };

    if (!parse_id(&id, xml_value(type, "id")))
        structure_bad_value(&l->findings, type, "id");
    else if (id.buf.size && writer_finish(&ref->id, &id, NULL))
        l->findings.failed = true;
}

/* What a URI says takes the place of the attribute that says the same; both may not. */
static bool takes_place(struct loading *l, const xmlNode *type, const char *attribute, bool said,
                        const char *part)
{
    bool both = said && *xml_value(type, attribute);

    if (both)
        findings_error(&l->findings, xml_attribute_line(type, attribute),
                       "'%s' and the PKCS #11 URI's '%s' say the same: keep one", attribute, part);
    return said && !both;
}

static void apply_uri(struct loading *l, struct keyref *ref, const xmlNode *type,
                      struct token_uri *uri)
{
    ref->location = load_keep(l, uri->module);
    ref->pin_source = load_keep(l, uri->pin_source ? uri->pin_source : "");
    ref->token_manufacturer = load_keep(l, uri->manufacturer ? uri->manufacturer : "");
    ref->token_model = load_keep(l, uri->model ? uri->model : "");
    if (takes_place(l, type, "tokenLabel", uri->token, "token"))
        ref->token_label = load_keep(l, uri->token);
    if (takes_place(l, type, "tokenSerial", uri->serial, "serial"))
        ref->token_serial = load_keep(l, uri->serial);
    if (takes_place(l, type, "alias", uri->object, "object"))
        ref->alias = load_keep(l, uri->object);
    if (takes_place(l, type, "id", uri->id.size, "id"))
        ref->id = buf_move(&uri->id);
    if (takes_place(l, type, "slot", uri->has_slot, "slot-id")) {
        ref->has_slot = true;
        ref->slot = uri->slot;
    }
}

static void load_uri(struct loading *l, struct keyref *ref, const xmlNode *type)
{
    AUTO(token_uri) uri = { .module = NULL };
    se_error err = SE_ERROR_INIT;

    if (!token_uri_is(ref->location_written))
        return;
    if (token_uri_parse(&uri, ref->location_written, &err))
        findings_error(&l->findings, xml_attribute_line(type, "locationValue"),
                       "'locationValue': %s", err.text);
    else
        apply_uri(l, ref, type, &uri);
    l->findings.failed |= err.status == SE_ERR_MEMORY;
}

void load_token(struct loading *l, struct keyref *ref, const xmlNode *type, unsigned kind)
{
    const size_t errors = l->findings.errors;

    ref->has_slot = load_number(&ref->slot, l, type, "slot", ULONG_MAX);
    ref->has_slot_index = load_number(&ref->slot_index, l, type, "slotIndex", ULONG_MAX);
    ref->token_label = load_value(l, type, "tokenLabel");
    ref->token_serial = load_value(l, type, "tokenSerial");
    ref->token_manufacturer = ref->token_model = ref->pin_source = "";
    ref->init_args = load_value(l, type, "initArgs");
    load_id(l, ref, type);
    if (kind == STORE_HSM)
        load_uri(l, ref, type);
    if (l->findings.errors == errors) /* what was refused may have been the name */
        need_name(l, ref, type, kind);
    if (ref->has_slot && ref->has_slot_index)
        findings_error(&l->findings, xml_attribute_line(type, "slotIndex"),
                       "'slot' and 'slotIndex' both say which slot: keep one");
}
