#include "mail/mime_writer.h"

/* More at a time is not faster, and small messages would pay for it. */
enum { GATHER = 16 << 10 };

se_status mime_writer_open(struct mime_writer *out, const se_sink *to, bool crlf, se_error *err)
{
    *out = (struct mime_writer){ .to = to, .crlf = crlf };
    writer_expect(&out->gathered, GATHER + (GATHER >> 1));
    return out->gathered.failed ? error_memory(err) : SE_OK;
}

void mime_writer_close(struct mime_writer *writer)
{
    writer_free(&writer->gathered);
}

static se_status pass_gathered(struct mime_writer *o, se_error *err)
{
    se_status st = o->gathered.failed ? error_memory(err)
                                      : sink_write(o->to, buf_bytes(&o->gathered.buf), err);

    o->gathered.buf.size = 0;
    return st;
}

se_status mime_writer_flush(struct mime_writer *o, se_error *err)
{
    if (o->cr)
        writer_put(&o->gathered, "\r", 1);
    o->cr = false;
    return pass_gathered(o, err);
}

static se_status gather_bytes(struct mime_writer *o, const void *data, size_t size, se_error *err)
{
    writer_put(&o->gathered, data, size);
    return o->gathered.failed || o->gathered.buf.size >= GATHER ? pass_gathered(o, err) : SE_OK;
}

/* Without the CRs that are followed by LF; the last byte is no CR. */
static unsigned char *copy_without_cr(unsigned char *out, const char *at, const char *end)
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

static se_status put_as_lf(struct mime_writer *o, se_bytes text, se_error *err)
{
    const char *at = text.data;
    unsigned char *room;

    if (!text.size)
        return SE_OK;
    if (o->cr && *at != '\n')
        writer_put(&o->gathered, "\r", 1);
    o->cr = at[text.size - 1] == '\r';
    if ((room = writer_room(&o->gathered, text.size - o->cr)))
        writer_filled(&o->gathered,
                      (size_t)(copy_without_cr(room, at, at + text.size - o->cr) - room));
    return gather_bytes(o, "", 0, err);
}

se_status mime_writer_put(struct mime_writer *o, se_bytes text, se_error *err)
{
    return o->crlf ? gather_bytes(o, text.data, text.size, err) : put_as_lf(o, text, err);
}

se_status mime_writer_text(struct mime_writer *o, const char *text, se_error *err)
{
    return mime_writer_put(o, text_bytes(text), err);
}

se_status mime_writer_raw(struct mime_writer *o, se_bytes bytes, se_error *err)
{
    return gather_bytes(o, bytes.data, bytes.size, err);
}

se_status mime_writer_field(struct mime_writer *o, se_bytes field, se_error *err)
{
    bool ended = field.size && ((const char *)field.data)[field.size - 1] == '\n';

    TRY(mime_writer_raw(o, field, err));
    return ended ? SE_OK : mime_writer_text(o, "\r\n", err);
}

se_status mime_writer_base64(struct mime_writer *o, se_bytes bytes, se_error *err)
{
    o->base64.out = &o->gathered;
    o->base64.eol = o->crlf ? "\r\n" : "\n";
    base64_lines_encode(&o->base64, bytes);
    return gather_bytes(o, "", 0, err);
}

se_status mime_writer_base64_end(struct mime_writer *o, se_error *err)
{
    base64_lines_end(&o->base64);
    return mime_writer_text(o, "\r\n", err);
}
