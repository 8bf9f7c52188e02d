/* SPDX-License-Identifier: Apache-2.0 */
/* `pin`, `pin.encrypted` and `pin.source`: where a PIN or a client secret is. */
#include "base/text.h"
#include "config/load.h"
#include "config/pins.h"

static const char *const pin_names[] = { "pin", "pin.encrypted", "pin.source" };

static void set_pin(struct keyref *ref, se_buf *pin)
{
    se_buf_free(&ref->pin);
    ref->pin = buf_move(pin);
}

/* xml_parse() has made sure that the number is good. */
static se_buf *find_pin(struct loading *l, const xmlNode *type, const char *attribute)
{
    unsigned long ordinal;

    if (!xml_attribute(type, attribute) ||
        !text_number(&ordinal, xml_value(type, attribute), l->redacted.pin_count - 1))
        return NULL;
    return &l->redacted.pins[ordinal].value;
}

static void load_plain_pin(struct loading *l, struct keyref *ref, const xmlNode *type)
{
    se_buf *pin = find_pin(l, type, "pin");

    if (pin && pins_is_scrambled((const char *)pin->data))
        findings_error(&l->findings, xml_attribute_line(type, "pin"),
                       "'pin' holds a scrambled value, which belongs into 'pin.encrypted'");
    else if (pin)
        set_pin(ref, pin);
}

static bool is_scrambled_well(struct loading *l, const char *value)
{
    AUTO(se_buf) sealed = SE_BUF_INIT;
    se_status st = pins_decode(&sealed, value, NULL);

    l->findings.failed |= st == SE_ERR_MEMORY;
    return !st;
}

static void load_scrambled_pin(struct loading *l, struct keyref *ref, const xmlNode *type)
{
    se_buf *pin = find_pin(l, type, "pin.encrypted");
    int line = xml_attribute_line(type, "pin.encrypted");

    ref->pin_scrambled = "";
    if (!pin || !pin->size)
        return;
    if (!pins_is_scrambled((const char *)pin->data)) {
        findings_warning(&l->findings, line, "'pin.encrypted' holds a plain PIN: scramble it");
        set_pin(ref, pin);
    } else if (is_scrambled_well(l, (const char *)pin->data))
        ref->pin_scrambled = loading_keep(l, (const char *)pin->data);
    else
        findings_error(&l->findings, line,
                       "'pin.encrypted' holds a scrambled value that is damaged");
}

static bool is_variable_name(const char *text)
{
    return *text && !strchr("0123456789", *text) &&
           !text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")];
}

/* The message leaves out the value, which may be the PIN itself. */
static void load_pin_source(struct loading *l, struct keyref *ref, const xmlNode *type)
{
    const char *own = xml_value(type, "pin.source"), *source = *own ? own : ref->pin_source,
               *attribute = *own ? "pin.source" : "locationValue";
    bool env = text_starts(source, "env:"), file = text_starts(source, "file:"),
         credential = text_starts(source, "credential:");
    const char *value = source + strcspn(source, ":") + 1;
    AUTO(writer) path = { 0 };

    ref->pin_source = loading_keep(l, source);
    if (!*source || (env && is_variable_name(value)) ||
        (credential && *value && !strchr(value, '/')))
        return;
    if (!file || !*value) {
        findings_error(&l->findings, xml_attribute_line(type, attribute),
                       "'%s' must be env:NAME, file:PATH or credential:NAME",
                       *own ? "pin.source" : "pin-source");
        return;
    }
    writer_format(&path, "file:%s", loading_keep_path(l, source));
    ref->pin_source = loading_keep(l, writer_string(&path));
    l->findings.failed |= path.failed;
}

static bool has_pin(struct loading *l, const xmlNode *type, const char *attribute)
{
    const se_buf *pin = strcmp(attribute, "pin.source") ? find_pin(l, type, attribute) : NULL;

    return pin ? pin->size > 0 : *xml_value(type, attribute) != '\0';
}

void load_pin(struct loading *l, struct keyref *ref, const xmlNode *type)
{
    const char *first = *ref->pin_source ? "pin-source" : NULL;

    for (size_t i = 0; i < sizeof pin_names / sizeof *pin_names; i++) {
        if (!has_pin(l, type, pin_names[i]))
            continue;
        if (first)
            findings_error(&l->findings, xml_attribute_line(type, pin_names[i]),
                           "'%s' and '%s' both give the PIN: keep one", first, pin_names[i]);
        else
            first = pin_names[i];
    }
    ref->pin_key = l->pin_key;
    load_plain_pin(l, ref, type);
    load_scrambled_pin(l, ref, type);
    load_pin_source(l, ref, type);
}
