#include "mail/outlet.h"

/* More at a time is not faster, and small messages would pay for it. */
enum { GATHER = 16 << 10 };

se_status outlet_open(struct outlet *out, const se_sink *to, bool crlf, se_error *err)
{
    *out = (struct outlet){ .to = to, .crlf = crlf };
    writer_expect(&out->gathered, GATHER + (GATHER >> 1));
    return out->gathered.failed ? error_memory(err) : SE_OK;
}

void outlet_close(struct outlet *outlet)
{
    writer_free(&outlet->gathered);
}

static se_status pass_on(struct outlet *o, se_error *err)
{
    se_status st = o->gathered.failed ? error_memory(err)
                                      : sink_write(o->to, buf_bytes(&o->gathered.buf), err);

    o->gathered.buf.size = 0;
    return st;
}

se_status outlet_flush(struct outlet *o, se_error *err)
{
    if (o->cr)
        writer_put(&o->gathered, "\r", 1);
    o->cr = false;
    return pass_on(o, err);
}

static se_status gather(struct outlet *o, const void *data, size_t size, se_error *err)
{
    writer_put(&o->gathered, data, size);
    return o->gathered.failed || o->gathered.buf.size >= GATHER ? pass_on(o, err) : SE_OK;
}

/* Without the CRs that are followed by LF; the last byte is no CR. */
static unsigned char *without_cr(unsigned char *out, const char *at, const char *end)
{
    const char *cr;

    for (; (cr = memchr(at, '\r', (size_t)(end - at))); at = cr + 1) {
        size_t size = (size_t)(cr - at) + (cr[1] != '\n');

        memcpy(out, at, size);
        out += size;
    }
    memcpy(out, at, (size_t)(end - at));
    return out + (end - at);
}

static se_status put_as_lf(struct outlet *o, se_bytes text, se_error *err)
{
    const char *at = text.data;
    unsigned char *room;

    if (!text.size)
        return SE_OK;
    if (o->cr && *at != '\n')
        writer_put(&o->gathered, "\r", 1);
    o->cr = at[text.size - 1] == '\r';
    if ((room = writer_room(&o->gathered, text.size - o->cr)))
        writer_filled(&o->gathered, (size_t)(without_cr(room, at, at + text.size - o->cr) - room));
    return gather(o, "", 0, err);
}

se_status outlet_put(struct outlet *o, se_bytes text, se_error *err)
{
    return o->crlf ? gather(o, text.data, text.size, err) : put_as_lf(o, text, err);
}

se_status outlet_text(struct outlet *o, const char *text, se_error *err)
{
    return outlet_put(o, text_bytes(text), err);
}

se_status outlet_raw(struct outlet *o, se_bytes bytes, se_error *err)
{
    return gather(o, bytes.data, bytes.size, err);
}

se_status outlet_field(struct outlet *o, se_bytes field, se_error *err)
{
    bool ended = field.size && ((const char *)field.data)[field.size - 1] == '\n';
    se_status st = outlet_raw(o, field, err);

    return st || ended ? st : outlet_text(o, "\r\n", err);
}

se_status outlet_base64(struct outlet *o, se_bytes bytes, se_error *err)
{
    o->base64.out = &o->gathered;
    o->base64.eol = o->crlf ? "\r\n" : "\n";
    base64_put(&o->base64, bytes);
    return gather(o, "", 0, err);
}

se_status outlet_base64_end(struct outlet *o, se_error *err)
{
    base64_end(&o->base64);
    return outlet_text(o, "\r\n", err);
}
