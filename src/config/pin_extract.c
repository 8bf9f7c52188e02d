#include "config/pin_extract.h"

#include <strings.h>

#include "config/encoding.h"
#include "config/scan.h"

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

/* Decodes the reference behind a '&' and appends it; returns the bytes that it took, 0: it is none.
 */
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

se_status lift_decode(se_buf *out, se_bytes value, se_error *err)
{
    AUTO(se_buf) decoded = SE_BUF_INIT;

    *out = (se_buf)SE_BUF_INIT;
    TRY(buf_new(&decoded, value.size, err));
    decoded.size = 0;
    TRY(decode(&decoded, value.data, value.size, err));
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
    return name.size >= 5 && !memcmp(name.data, "xmlns", 5) &&
           (name.size == 5 || ((const char *)name.data)[5] == ':');
}

static se_status take_pin(struct lifting *l, const struct scan_item *item, se_error *err)
{
    size_t ordinal = lifted_pins(l->out);
    se_buf pin;
    se_status st;

    if ((st = lift_decode(&pin, item->value, err))) {
        (void)error_prefix(err, "the value of '%.*s' ",
                           (int)(item->name.size < 64 ? item->name.size : 64),
                           (const char *)item->name.data);
        return st;
    }
    writer_put(&l->out->pins, &pin, sizeof pin);
    if (l->out->pins.failed)
        se_buf_free(&pin);
    writer_put(&l->out->text, l->done, (size_t)((const char *)item->value.data - l->done));
    writer_format(&l->out->text, "%zu", ordinal);
    l->done = (const char *)item->value.data + item->value.size;
    return SE_OK;
}

static se_status visit(void *arg, const struct scan_item *item, se_error *err)
{
    struct lifting *l = arg;

    if (!item->element && is_namespace(item->name))
        return SE_OK;
    writer_put(&l->out->lines, &item->line, sizeof item->line);
    return item->element || !lift_is_pin(item->name) ? SE_OK : take_pin(l, item, err);
}

se_status lift_pins(struct lifted *out, se_bytes text, int *line, se_error *err)
{
    AUTO(lifted) lifted = { 0 };
    struct lifting lifting = { &lifted, text.data };

    *out = (struct lifted){ 0 };
    TRY(scan_xml(text, visit, &lifting, line, err));
    writer_put(&lifted.text, lifting.done,
               (size_t)((const char *)text.data + text.size - lifting.done));
    if (lifted.text.failed || lifted.pins.failed || lifted.lines.failed)
        return error_memory(err);
    *out = MOVE(lifted);
    return SE_OK;
}

size_t lifted_pins(const struct lifted *lifted)
{
    return lifted->pins.buf.size / sizeof(se_buf);
}

se_buf *lifted_pin(const struct lifted *lifted, size_t index)
{
    return (se_buf *)(void *)lifted->pins.buf.data + index;
}

size_t lifted_lines(const struct lifted *lifted)
{
    return lifted->lines.buf.size / sizeof(int);
}

int lifted_line(const struct lifted *lifted, size_t index)
{
    return ((const int *)(const void *)lifted->lines.buf.data)[index];
}

void lifted_free(struct lifted *lifted)
{
    for (size_t i = 0; i < lifted_pins(lifted); i++)
        se_buf_free(lifted_pin(lifted, i));
    writer_free(&lifted->text);
    writer_free(&lifted->pins);
    writer_free(&lifted->lines);
}
