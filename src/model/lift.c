#include "model/lift.h"

#include <stdlib.h>
#include <strings.h>

#include "model/encoding.h"
#include "model/scan.h"

static const struct {
    const char *name;
    unsigned char c;
} entities[] = { { "lt", '<' }, { "gt", '>' }, { "amp", '&' }, { "quot", '"' }, { "apos", '\'' } };

static int digit(unsigned char c, unsigned base)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return base == 16 && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "#49" or "#x31" */
static bool character_reference(uint32_t *out, const unsigned char *p, size_t size)
{
    unsigned base = size > 1 && p[1] == 'x' ? 16 : 10;
    size_t i = base == 16 ? 2 : 1;
    uint32_t c = 0;

    if (i >= size)
        return false;
    for (; i < size; i++) {
        int d = digit(p[i], base);

        if (d < 0 || (c = c * base + (unsigned)d) > 0x10FFFF)
            return false;
    }
    *out = c;
    return encoding_xml_char(c);
}

static bool entity(uint32_t *out, const unsigned char *p, size_t size)
{
    if (size && *p == '#')
        return character_reference(out, p, size);
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
        if (size == strlen(entities[i].name) && !memcmp(p, entities[i].name, size)) {
            *out = entities[i].c;
            return true;
        }
    return false;
}

/* Decodes the reference behind a '&' and appends it; returns the bytes that it took, 0: it is none. */
static size_t decode_reference(se_buf *out, const unsigned char *p, size_t left)
{
    const unsigned char *end = memchr(p, ';', left);
    uint32_t c;

    if (!end || !entity(&c, p, (size_t)(end - p)))
        return 0;
    /* no reference is shorter than its character */
    out->size += encoding_put(out->data + out->size, c);
    return (size_t)(end - p) + 1;
}

static se_status decode(se_buf *out, const unsigned char *p, size_t size, se_error *err)
{
    size_t step;

    for (size_t i = 0; i < size; i += step) {
        step = 1;
        if (p[i] == '\n' || p[i] == '\r')
            return error_set(err, SE_ERR_CONFIG, "goes over the end of its line: is its closing quote missing?");
        if (p[i] < ' ' && p[i] != '\t')
            return error_set(err, SE_ERR_CONFIG, "holds a control character");
        if (p[i] != '&')
            out->data[out->size++] = p[i] == '\t' ? ' ' : p[i]; /* XML 1.0, 3.3.3 */
        else if ((step = decode_reference(out, p + i + 1, size - i - 1)))
            step++;
        else
            return error_set(err, SE_ERR_CONFIG, "holds a '&' that must be written &amp;, or an unknown entity");
    }
    return SE_OK;
}

se_status lift_decode(se_buf *out, se_bytes value, se_error *err)
{
    AUTO(se_buf) decoded = SE_BUF_INIT;
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    if ((st = buf_new(&decoded, value.size, err)))
        return st;
    decoded.size = 0;
    if ((st = decode(&decoded, value.data, value.size, err)))
        return st;
    *out = buf_move(&decoded);
    return SE_OK;
}

bool lift_is_pin(se_bytes name)
{
    const char *text = name.data, *colon = memchr(text, ':', name.size);
    size_t size = colon ? name.size - (size_t)(colon + 1 - text) : name.size;

    if (colon)
        text = colon + 1;
    if (size == strlen("pin.source") && !memcmp(text, "pin.source", size))
        return false;
    return size >= strlen("pin") && !strncasecmp(text, "pin", strlen("pin"));
}

struct lifting {
    struct lifted *out;
    const char *done; /* up to here the text has been copied */
};

static bool is_namespace(se_bytes name)
{
    return name.size >= 5 && !memcmp(name.data, "xmlns", 5) && (name.size == 5 || ((const char *)name.data)[5] == ':');
}

static se_status keep_line(struct lifted *out, int line, se_error *err)
{
    int *grown = out->lines;

    if (out->line_count == out->line_room) {
        out->line_room = out->line_room ? out->line_room * 2 : 64;
        if (!(grown = reallocarray(out->lines, out->line_room, sizeof *grown)))
            return error_memory(err);
        out->lines = grown;
    }
    out->lines[out->line_count++] = line;
    return SE_OK;
}

static se_status new_pin(se_buf **out, struct lifted *lifted, se_error *err)
{
    se_buf *grown = lifted->pins; /* moves the handles, not the bytes */

    if (lifted->pin_count == lifted->pin_room) {
        if (!(grown = reallocarray(grown, lifted->pin_room + 16, sizeof *grown)))
            return error_memory(err);
        lifted->pins = grown;
        lifted->pin_room += 16;
    }
    *out = &lifted->pins[lifted->pin_count++];
    **out = (se_buf)SE_BUF_INIT;
    return SE_OK;
}

static se_status take_pin(struct lifting *l, const struct scan_item *item, se_error *err)
{
    size_t ordinal = l->out->pin_count;
    se_buf *pin = NULL;
    se_status st;

    if ((st = new_pin(&pin, l->out, err)))
        return st;
    if ((st = lift_decode(pin, item->value, err))) {
        (void)error_prefix(err, "the value of '%.*s' ", (int)(item->name.size < 64 ? item->name.size : 64), (const char *)item->name.data);
        return st;
    }
    writer_put(&l->out->text, l->done, (size_t)((const char *)item->value.data - l->done));
    writer_format(&l->out->text, "%zu", ordinal);
    l->done = (const char *)item->value.data + item->value.size;
    return SE_OK;
}

static se_status visit(void *arg, const struct scan_item *item, se_error *err)
{
    struct lifting *l = arg;
    se_status st;

    if (!item->element && is_namespace(item->name))
        return SE_OK;
    if ((st = keep_line(l->out, item->line, err)) || item->element || !lift_is_pin(item->name))
        return st;
    return take_pin(l, item, err);
}

se_status lift_pins(struct lifted *out, se_bytes text, int *line, se_error *err)
{
    AUTO(lifted) lifted = { 0 };
    struct lifting lifting = { &lifted, text.data };
    se_status st;

    *out = (struct lifted){ 0 };
    if ((st = scan_xml(text, visit, &lifting, line, err)))
        return st;
    writer_put(&lifted.text, lifting.done, (size_t)((const char *)text.data + text.size - lifting.done));
    if (lifted.text.failed)
        return error_memory(err);
    *out = lifted;
    lifted = (struct lifted){ 0 };
    return SE_OK;
}

void lifted_free(struct lifted *lifted)
{
    writer_free(&lifted->text);
    for (size_t i = 0; i < lifted->pin_count; i++)
        se_buf_free(&lifted->pins[i]);
    free(lifted->pins);
    free(lifted->lines);
    *lifted = (struct lifted){ 0 };
}
