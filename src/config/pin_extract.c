/* SPDX-License-Identifier: Apache-2.0 */
#include "config/pin_extract.h"

#include <stdlib.h>
#include <strings.h>

#include "base/array.h"
#include "base/utf8.h"
#include "config/encoding.h"
#include "config/pins.h"
#include "config/scan.h"

/* ---- the text that an attribute's value stands for ---- */

static const struct {
    const char *name;
    unsigned char c;
} entities[] = { { "lt", '<' }, { "gt", '>' }, { "amp", '&' }, { "quot", '"' }, { "apos", '\'' } };

static int digit_value(unsigned char c, unsigned base)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return base == 16 && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "#49" or "#x31" */
static bool read_character(uint32_t *out, const unsigned char *p, size_t size)
{
    unsigned base = size > 1 && p[1] == 'x' ? 16 : 10;
    size_t i = base == 16 ? 2 : 1;
    uint32_t c = 0;

    if (i >= size)
        return false;
    for (; i < size; i++) {
        int d = digit_value(p[i], base);

        if (d < 0 || (c = c * base + (unsigned)d) > 0x10FFFF)
            return false;
    }
    *out = c;
    return encoding_xml_char(c);
}

static bool find_entity(uint32_t *out, const unsigned char *p, size_t size)
{
    if (size && *p == '#')
        return read_character(out, p, size);
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
        if (size == strlen(entities[i].name) && !memcmp(p, entities[i].name, size)) {
            *out = entities[i].c;
            return true;
        }
    return false;
}

/* Decodes the reference behind a '&' and appends it; returns the bytes that it took, 0: it is none.
 */
static size_t decode_reference(se_buf *out, const unsigned char *p, size_t left)
{
    const unsigned char *end = memchr(p, ';', left);
    uint32_t c;

    if (!end || !find_entity(&c, p, (size_t)(end - p)))
        return 0;
    /* no reference is shorter than its character */
    out->size += utf8_put(out->data + out->size, c);
    return (size_t)(end - p) + 1;
}

static se_status decode_value(se_buf *out, se_bytes value, se_error *err)
{
    const unsigned char *p = value.data;
    size_t size = value.size, step;

    TRY(buf_new(out, size, err));
    out->size = 0;

    for (size_t i = 0; i < size; i += step) {
        step = 1;
        if (p[i] == '\n' || p[i] == '\r')
            return error_set(err, SE_ERR_CONFIG,
                             "goes over the end of its line: is its closing quote missing?");
        if (p[i] < ' ' && p[i] != '\t')
            return error_set(err, SE_ERR_CONFIG, "holds a control character");
        if (p[i] != '&')
            out->data[out->size++] = p[i] == '\t' ? ' ' : p[i]; /* XML 1.0, 3.3.3 */
        else if ((step = decode_reference(out, p + i + 1, size - i - 1)))
            step++;
        else
            return error_set(err, SE_ERR_CONFIG,
                             "holds a '&' that must be written &amp;, or an unknown entity");
    }
    return SE_OK;
}

/* ---- taking PINs out ---- */

bool pins_is_attribute(se_bytes name)
{
    const char *text = name.data, *colon = memchr(text, ':', name.size);
    size_t size = colon ? name.size - (size_t)(colon + 1 - text) : name.size;

    if (colon)
        text = colon + 1;
    if (size == strlen("pin.source") && !memcmp(text, "pin.source", size))
        return false;
    return size >= strlen("pin") && !strncasecmp(text, "pin", strlen("pin"));
}

struct extraction {
    struct redacted *out;
    const char *start, *done; /* of the text; up to `done` it has been copied */
};

static bool is_namespace(se_bytes name)
{
    return scan_is(name, "xmlns") || (name.size > 5 && !memcmp(name.data, "xmlns:", 6));
}

static se_status take_pin(struct extraction *x, const struct scan_item *item, se_error *err)
{
    const char *value = item->value.data;
    struct redacted *r = x->out;
    struct redacted_pin pin = {
        .start = (size_t)(value - x->start),
        .size = item->value.size,
        .encrypted = scan_is(item->name, "pin.encrypted"),
    };

    if (!array_grow(&r->pins, &r->pin_room, r->pin_count))
        return error_memory(err);
    writer_put(&r->text, x->done, (size_t)(value - x->done));
    writer_format(&r->text, "%zu", r->pin_count);
    x->done = value + item->value.size;
    r->pins[r->pin_count++] = pin;
    TRY_PREFIX(decode_value(&r->pins[r->pin_count - 1].value, item->value, err), err,
               "the value of '%.*s' ", (int)(item->name.size < 64 ? item->name.size : 64),
               (const char *)item->name.data);
    return SE_OK;
}

static se_status take_item(void *arg, const struct scan_item *item, se_error *err)
{
    struct extraction *x = arg;
    struct redacted *r = x->out;

    if (!item->element && is_namespace(item->name))
        return SE_OK;
    if (!array_grow(&r->lines, &r->line_room, r->line_count))
        return error_memory(err);
    r->lines[r->line_count++] = item->line;
    return item->element || !pins_is_attribute(item->name) ? SE_OK : take_pin(x, item, err);
}

se_status pins_extract(struct redacted *out, se_bytes text, int *line, se_error *err)
{
    AUTO(redacted) redacted = { .pins = NULL };
    struct extraction x = { .out = &redacted, .start = text.data, .done = text.data };

    *out = (struct redacted){ .pins = NULL };
    TRY(encoding_check(text, line, err));
    TRY(scan_xml(text, take_item, &x, line, err));
    writer_put(&redacted.text, x.done, (size_t)(x.start + text.size - x.done));
    if (redacted.text.failed)
        return error_memory(err);
    *out = MOVE(redacted);
    return SE_OK;
}

void redacted_free(struct redacted *redacted)
{
    for (size_t i = 0; i < redacted->pin_count; i++)
        se_buf_free(&redacted->pins[i].value);
    free(redacted->pins);
    free(redacted->lines);
    writer_free(&redacted->text);
    *redacted = (struct redacted){ .pins = NULL };
}

/* ---- scrambling them where they are ---- */

static bool is_scrambled(const struct redacted_pin *pin)
{
    return pins_is_scrambled((const char *)pin->value.data);
}

/* What is scrambled already must be so with the key that the new values get: a configuration has
 * one. */
static se_status check_scrambled(const struct redacted *text, const char *pin_key, se_error *err)
{
    for (size_t i = 0; i < text->pin_count; i++) {
        AUTO(se_buf) pin = SE_BUF_INIT;

        if (is_scrambled(&text->pins[i]))
            TRY(pins_reveal(&pin, (const char *)text->pins[i].value.data, pin_key, err));
    }
    return SE_OK;
}

static se_status write_scrambled(se_buf *out, size_t *count, se_bytes config,
                                 const struct redacted *before, const char *pin_key, se_error *err)
{
    const char *start = config.data;
    AUTO(writer) w = { 0 };
    size_t done = 0;

    for (size_t i = 0; i < before->pin_count; i++) {
        const struct redacted_pin *pin = &before->pins[i];
        AUTO(se_buf) value = SE_BUF_INIT;

        if (!pin->encrypted || !pin->value.size || is_scrambled(pin))
            continue;
        TRY(pins_scramble(&value, buf_bytes(&pin->value), pin_key, err));
        writer_put(&w, start + done, pin->start - done);
        writer_put(&w, value.data, value.size);
        done = pin->start + pin->size;
        ++*count;
    }
    writer_put(&w, start + done, config.size - done);
    return writer_finish(out, &w, err);
}

static bool is_same_pin(const se_buf *before, const se_buf *after, const char *pin_key)
{
    AUTO(se_buf) pin = SE_BUF_INIT;

    return pins_equal(before, after) ||
           (!pins_reveal(&pin, (const char *)after->data, pin_key, NULL) &&
            pins_equal(before, &pin));
}

/* Nothing but PINs has changed, and they only in form. */
static bool is_equivalent(const struct redacted *before, const struct redacted *after,
                          const char *pin_key)
{
    if (!pins_equal(&before->text.buf, &after->text.buf) || before->pin_count != after->pin_count)
        return false;
    for (size_t i = 0; i < before->pin_count; i++)
        if (!is_same_pin(&before->pins[i].value, &after->pins[i].value, pin_key))
            return false;
    return true;
}

static se_status read_text(struct redacted *out, se_bytes text, se_error *err)
{
    int line;
    se_status st = pins_extract(out, text, &line, err);

    if (st == SE_ERR_CONFIG)
        (void)error_prefix(err, st, "line %d: ", line);
    return st;
}

se_status pins_scramble_text(se_buf *out, size_t *count, se_bytes config, const char *pin_key,
                             se_error *err)
{
    AUTO(redacted) before = { .pins = NULL };
    AUTO(redacted) after = { .pins = NULL };
    AUTO(se_buf) text = SE_BUF_INIT;
    size_t scrambled = 0;

    *out = (se_buf)SE_BUF_INIT;
    *count = 0;
    TRY(read_text(&before, config, err));
    TRY(check_scrambled(&before, pin_key, err));
    TRY(write_scrambled(&text, &scrambled, config, &before, pin_key, err));
    TRY(read_text(&after, buf_bytes(&text), err));
    if (!is_equivalent(&before, &after, pin_key))
        return error_set(err, SE_ERR_CRYPTO,
                         "the PINs could not be scrambled: the result differs from the original");
    *out = buf_move(&text);
    *count = scrambled;
    return SE_OK;
}
