/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/mime_writer.h"

/* More at a time is not faster, and costs small messages time. */
enum { GATHER = 16 << 10 };

void mime_writer_open(struct mime_writer *out, const se_sink *to, bool crlf)
{
    *out = (struct mime_writer){
        .to = to,
        .crlf = crlf,
        .base64 = { .eol = crlf ? "\r\n" : "\n" },
    };
    writer_expect(&out->gathered, GATHER + (GATHER >> 1));
}

void mime_writer_close(struct mime_writer *w)
{
    writer_free(&w->gathered);
}

se_status mime_writer_status(const struct mime_writer *w, se_error *err)
{
    if (w->failure.status && err)
        *err = w->failure;
    return w->failure.status;
}

static void pass_gathered(struct mime_writer *w)
{
    if (w->gathered.failed)
        (void)error_memory(&w->failure);
    if (!w->failure.status && sink_write(w->to, buf_bytes(&w->gathered.buf), &w->failure))
        w->gathered.failed = true;
    w->gathered.buf.size = 0;
}

static void pass_if_full(struct mime_writer *w)
{
    if (w->gathered.failed || w->gathered.buf.size >= GATHER)
        pass_gathered(w);
}

se_status mime_writer_flush(struct mime_writer *w, se_error *err)
{
    if (w->cr)
        writer_put(&w->gathered, "\r", 1);
    w->cr = false;
    pass_gathered(w);
    return mime_writer_status(w, err);
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

static void put_as_lf(struct mime_writer *w, se_bytes text)
{
    const char *at = text.data;
    unsigned char *room;

    if (!text.size)
        return;
    if (w->cr && *at != '\n')
        writer_put(&w->gathered, "\r", 1);
    w->cr = at[text.size - 1] == '\r';
    if ((room = writer_room(&w->gathered, text.size - w->cr)))
        writer_filled(&w->gathered,
                      (size_t)(copy_without_cr(room, at, at + text.size - w->cr) - room));
    pass_if_full(w);
}

void mime_writer_put(struct mime_writer *w, se_bytes text)
{
    if (w->crlf)
        mime_writer_put_raw(w, text);
    else
        put_as_lf(w, text);
}

void mime_writer_put_text(struct mime_writer *w, const char *text)
{
    mime_writer_put(w, text_bytes(text));
}

void mime_writer_put_raw(struct mime_writer *w, se_bytes bytes)
{
    writer_put(&w->gathered, bytes.data, bytes.size);
    pass_if_full(w);
}

void mime_writer_put_field(struct mime_writer *w, se_bytes field)
{
    mime_writer_put_raw(w, field);
    if (!field.size || ((const char *)field.data)[field.size - 1] != '\n')
        mime_writer_put_text(w, "\r\n");
}

void mime_writer_put_base64(struct mime_writer *w, se_bytes bytes)
{
    w->base64.out = &w->gathered;
    base64_lines_encode(&w->base64, bytes);
    pass_if_full(w);
}

void mime_writer_end_base64(struct mime_writer *w)
{
    base64_lines_end(&w->base64);
    mime_writer_put_text(w, "\r\n");
}
