/* SPDX-License-Identifier: Apache-2.0 */
#include "config/load.h"

#include <stdlib.h>

#include "base/text.h"
#include "config/grammar.h"
#include "config/token_uri.h"

enum { KEYS_MAX = 4096, REPLICAS_MAX = 16 };

/* ---- where the key is ---- */

static void load_location(struct loading *l, struct keyref *ref, unsigned kind)
{
    ref->location = kind & (STORE_PKCS12 | STORE_PEM) ? loading_keep_path(l, ref->location_written)
                                                      : ref->location_written;
    ref->certificate = certificate_is_file(ref->certificate_written)
                           ? loading_keep_path(l, ref->certificate_written)
                           : "";
}

/* ---- which token, and what on it: by attributes, or by a PKCS #11 URI ---- */

/* A token finds a key by its label, its CKA_ID or its certificate's public key. */
static void check_key_name(struct loading *l, const struct keyref *ref, const xmlNode *type,
                           unsigned kind)
{
    if (!(kind & (STORE_HSM | STORE_VAULT)) || *ref->alias ||
        element_misspells(&store_rule, type, "alias"))
        return;
    if (kind == STORE_VAULT)
        findings_error(&l->findings, xml_line(type), "%s needs the attribute 'alias'", ref->store);
    else if (!ref->id.size && !*xml_value(type, "id") && !*ref->certificate_written)
        findings_error(&l->findings, xml_line(type),
                       "%s needs the attribute 'alias', or 'id', or 'certificate'", ref->store);
}

/* What a URI says takes the place of the attribute that says the same; both may not. */
static bool uri_says(struct loading *l, const xmlNode *type, const char *attribute, bool said,
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
    ref->location = loading_keep(l, uri->module);
    ref->pin_source = loading_keep(l, uri->pin_source ? uri->pin_source : "");
    ref->token_manufacturer = loading_keep(l, uri->manufacturer ? uri->manufacturer : "");
    ref->token_model = loading_keep(l, uri->model ? uri->model : "");
    if (uri_says(l, type, "tokenLabel", uri->token, "token"))
        ref->token_label = loading_keep(l, uri->token);
    if (uri_says(l, type, "tokenSerial", uri->serial, "serial"))
        ref->token_serial = loading_keep(l, uri->serial);
    if (uri_says(l, type, "alias", uri->object, "object"))
        ref->alias = loading_keep(l, uri->object);
    if (uri_says(l, type, "id", uri->id.size, "id"))
        ref->id = buf_move(&uri->id);
    if (uri_says(l, type, "slot", uri->has_slot, "slot-id")) {
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

static void load_token(struct loading *l, struct keyref *ref, const xmlNode *type, unsigned kind)
{
    const size_t errors = l->findings.errors;

    ref->token_manufacturer = ref->token_model = ref->pin_source = "";
    if (kind == STORE_HSM)
        load_uri(l, ref, type);
    if (l->findings.errors == errors) /* a URI that was refused may have had the name */
        check_key_name(l, ref, type, kind);
    if (ref->has_slot && ref->has_slot_index)
        findings_error(&l->findings, xml_attribute_line(type, "slotIndex"),
                       "'slot' and 'slotIndex' both say which slot: keep one");
}

/* ---- keys ---- */

static void load_store(struct loading *l, struct keyref *ref, const xmlNode *type)
{
    unsigned kind;

    ref->line = xml_line(type);
    ref->config = l->config;
    ref->store = "";
    element_load(l, &store_rule, type, ref);
    if (store_parse(&kind, ref->store))
        element_refuse_others(&l->findings, &store_rule, type, kind, ref->store);
    load_location(l, ref, kind);
    load_token(l, ref, type, kind);
    load_pin(l, ref, type);
    ref->ca_file = "";
    if (kind == STORE_VAULT)
        load_vault(l, ref, type);
}

static void load_key(struct loading *l, struct key_entry *key, const xmlNode *node)
{
    size_t count = xml_count(node, "type");

    key->line = xml_line(node);
    element_load(l, &key_rule, node, key);
    if (count > REPLICAS_MAX) {
        findings_error(&l->findings, key->line, "key '%.64s' has %zu replicas: more than %d",
                       key->name, count, REPLICAS_MAX);
        return;
    }
    if (!(key->replicas = calloc(count + 1, sizeof *key->replicas))) {
        l->findings.failed = true;
        return;
    }
    for (const xmlNode *type = xml_child(node, "type"); type; type = xml_next(type))
        load_store(l, &key->replicas[key->count++], type);
}

void load_keys(struct loading *l, const xmlNode *keys)
{
    size_t count = xml_count(keys, "key");

    if (count > KEYS_MAX) {
        findings_error(&l->findings, xml_line(keys), "%zu keys: more than %d", count, KEYS_MAX);
        return;
    }
    if (!(l->config->keys = calloc(count + 1, sizeof *l->config->keys))) {
        l->findings.failed = true;
        return;
    }
    for (const xmlNode *node = xml_child(keys, "key"); node; node = xml_next(node))
        load_key(l, &l->config->keys[l->config->key_count++], node);
}
