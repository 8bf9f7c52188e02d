#include "config/load.h"

#include <limits.h>
#include <stdlib.h>
#include <strings.h>

#include "base/base64.h"
#include "base/text.h"
#include "config/grammar.h"
#include "config/pins.h"
#include "config/scramble.h"

enum { KEYS_MAX = 4096, REPLICAS_MAX = 16 };
enum { PKCS12 = STORE_PKCS12, PEM = STORE_PEM, HSM = STORE_HSM, VAULT = STORE_VAULT };

static const struct {
    const char *name;
    unsigned kind;
} stores[] = {
    { "pkcs12", PKCS12 },         { "pem", PEM }, { "HSM", HSM }, { "AzureKeyVault", VAULT },
    { "AzureManagedHSM", VAULT },
};

/* what only some stores have */
static const struct {
    const char *attribute;
    unsigned kinds;
} extras[] = {
    { "alias", PKCS12 | HSM | VAULT },
    { "id", HSM },
    { "slot", HSM },
    { "slotIndex", HSM },
    { "tokenLabel", HSM },
    { "tokenSerial", HSM },
    { "initArgs", HSM },
    { "maxSessions", HSM | VAULT },
    { "keepAlive", HSM | VAULT },
    { "failback", HSM | VAULT },
    { "deadline", HSM | VAULT },
};

static const char *const pin_names[] = { "pin", "pin.encrypted", "pin.source" };

#define COUNT(array) (sizeof(array) / sizeof *(array))

static unsigned load_kind(struct loading *l, struct keyref *ref, const xmlNode *type)
{
    const char *name = xml_value(type, "name");

    ref->store = "";
    for (size_t i = 0; i < COUNT(stores); i++)
        if (!strcasecmp(stores[i].name, name)) {
            ref->store = stores[i].name;
            return stores[i].kind;
        }
    if (*name)
        structure_bad_value(&l->findings, type, "name");
    return 0;
}

static void refuse_extras(struct loading *l, const struct keyref *ref, const xmlNode *type,
                          unsigned kind)
{
    for (size_t i = 0; kind && i < COUNT(extras); i++)
        if (!(extras[i].kinds & kind) && *xml_value(type, extras[i].attribute))
            findings_error(&l->findings, xml_attribute_line(type, extras[i].attribute),
                           "'%s' is not for %s", extras[i].attribute, ref->store);
}

static void load_location(struct loading *l, struct keyref *ref, const xmlNode *type, unsigned kind)
{
    ref->location_written = load_value(l, type, "locationValue");
    ref->location =
        kind & (PKCS12 | PEM) ? load_path(l, ref->location_written) : ref->location_written;
    if (kind == VAULT && *ref->location && !text_starts(ref->location, "https://"))
        findings_error(&l->findings, xml_attribute_line(type, "locationValue"),
                       "'locationValue' of %s must begin with https://", ref->store);
}

static unsigned load_limit(struct loading *l, const xmlNode *type, const char *attribute,
                           unsigned long max)
{
    unsigned long value = 0;

    if (load_number(&value, l, type, attribute, max) && !value)
        structure_bad_value(&l->findings, type, attribute);
    return (unsigned)value;
}

static void load_habits(struct loading *l, struct keyref *ref, const xmlNode *type)
{
    const char *failback = xml_value(type, "failback");

    ref->max_sessions = load_limit(l, type, "maxSessions", 65535);
    ref->keep_alive = load_limit(l, type, "keepAlive", 86400);
    if (!(ref->no_deadline = !strcmp(xml_value(type, "deadline"), "none")))
        ref->deadline = load_limit(l, type, "deadline", 3600);
    ref->failback = !strcmp(failback, "true");
    if (*failback && !ref->failback && strcmp(failback, "false"))
        structure_bad_value(&l->findings, type, "failback");
}

/* Base64 may be folded: XML has made spaces of the line ends (XML 1.0, 3.3.3). */
static bool decode_certificate(struct loading *l, se_buf *out, const char *text)
{
    AUTO(writer) dense = { 0 };
    se_status st;

    for (; *text; text++)
        if (*text != ' ')
            writer_put(&dense, text, 1);
    st = dense.failed ? SE_ERR_MEMORY : base64_decode(out, buf_bytes(&dense.buf), NULL);
    l->findings.failed |= st == SE_ERR_MEMORY;
    return !st && out->size > 2 && out->data[0] == 0x30; /* SEQUENCE */
}

static void load_certificate(struct loading *l, struct keyref *ref, const xmlNode *type)
{
    ref->certificate = "";
    ref->certificate_written = load_value(l, type, "certificate");
    if (text_starts(ref->certificate_written, "file:") ||
        text_starts(ref->certificate_written, "classpath:"))
        ref->certificate = load_path(l, ref->certificate_written);
    else if (*ref->certificate_written &&
             !decode_certificate(l, &ref->certificate_der, ref->certificate_written))
        structure_bad_value(&l->findings, type, "certificate");
}

static void set_pin(struct keyref *ref, se_buf *pin)
{
    se_buf_free(&ref->pin);
    ref->pin = buf_move(pin);
}

/* xml_parse() has made sure that the number is good. */
static se_buf *pin_of(struct loading *l, const xmlNode *type, const char *attribute)
{
    unsigned long ordinal;

    if (!xml_attribute(type, attribute) ||
        !text_number(&ordinal, xml_value(type, attribute), lifted_pins(l->lifted) - 1))
        return NULL;
    return lifted_pin(l->lifted, ordinal);
}

static void load_plain(struct loading *l, struct keyref *ref, const xmlNode *type)
{
    se_buf *pin = pin_of(l, type, "pin");

    if (pin && pins_is_scrambled((const char *)pin->data))
        findings_error(&l->findings, xml_attribute_line(type, "pin"),
                       "'pin' holds a scrambled value, which belongs into 'pin.encrypted'");
    else if (pin)
        set_pin(ref, pin);
}

static bool well_formed(struct loading *l, const char *value)
{
    AUTO(se_buf) sealed = SE_BUF_INIT;
    se_status st = scramble_decode(&sealed, value, NULL);

    l->findings.failed |= st == SE_ERR_MEMORY;
    return !st;
}

static void load_scrambled(struct loading *l, struct keyref *ref, const xmlNode *type)
{
    se_buf *pin = pin_of(l, type, "pin.encrypted");
    int line = xml_attribute_line(type, "pin.encrypted");

    ref->pin_scrambled = "";
    if (!pin || !pin->size)
        return;
    if (!pins_is_scrambled((const char *)pin->data)) {
        findings_warning(&l->findings, line, "'pin.encrypted' holds a plain PIN: scramble it");
        set_pin(ref, pin);
    } else if (well_formed(l, (const char *)pin->data))
        ref->pin_scrambled = load_keep(l, (const char *)pin->data);
    else
        findings_error(&l->findings, line,
                       "'pin.encrypted' holds a scrambled value that is damaged");
}

static bool is_name(const char *text)
{
    return *text && !strchr("0123456789", *text) &&
           !text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")];
}

/* The value is not shown: somebody may have written the PIN itself there. */
static void load_source(struct loading *l, struct keyref *ref, const xmlNode *type)
{
    const char *own = xml_value(type, "pin.source"), *source = *own ? own : ref->pin_source,
               *attribute = *own ? "pin.source" : "locationValue";
    bool env = text_starts(source, "env:"), file = text_starts(source, "file:"),
         credential = text_starts(source, "credential:");
    const char *value = source + strcspn(source, ":") + 1;
    AUTO(writer) path = { 0 };

    ref->pin_source = load_keep(l, source);
    if (!*source || (env && is_name(value)) || (credential && *value && !strchr(value, '/')))
        return;
    if (!file || !*value) {
        findings_error(&l->findings, xml_attribute_line(type, attribute),
                       "'%s' must be env:NAME, file:PATH or credential:NAME",
                       *own ? "pin.source" : "pin-source");
        return;
    }
    writer_format(&path, "file:%s", load_path(l, source));
    ref->pin_source = load_keep(l, writer_string(&path));
    l->findings.failed |= path.failed;
}

static bool has_pin(struct loading *l, const xmlNode *type, const char *attribute)
{
    se_buf *lifted = strcmp(attribute, "pin.source") ? pin_of(l, type, attribute) : NULL;

    return lifted ? lifted->size > 0 : *xml_value(type, attribute) != '\0';
}

static void load_pin(struct loading *l, struct keyref *ref, const xmlNode *type)
{
    const char *first = *ref->pin_source ? "pin-source" : NULL;

    for (size_t i = 0; i < COUNT(pin_names); i++) {
        if (!has_pin(l, type, pin_names[i]))
            continue;
        if (first)
            findings_error(&l->findings, xml_attribute_line(type, pin_names[i]),
                           "'%s' and '%s' both give the PIN: keep one", first, pin_names[i]);
        else
            first = pin_names[i];
    }
    ref->pin_key = l->pin_key;
    load_plain(l, ref, type);
    load_scrambled(l, ref, type);
    load_source(l, ref, type);
}

static void load_store(struct loading *l, struct keyref *ref, const xmlNode *type)
{
    unsigned kind;

    ref->line = xml_line(type);
    ref->config = l->config;
    kind = load_kind(l, ref, type);
    refuse_extras(l, ref, type, kind);
    ref->alias = load_value(l, type, "alias");
    load_location(l, ref, type, kind);
    load_habits(l, ref, type);
    load_certificate(l, ref, type);
    load_token(l, ref, type, kind);
    load_pin(l, ref, type);
}

static void load_key(struct loading *l, struct key_entry *key, const xmlNode *node)
{
    size_t count = xml_count(node, "type");

    key->line = xml_line(node);
    key->name = load_value(l, node, "name");
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
