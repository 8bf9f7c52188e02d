/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pem.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { RAW_ROOM = 48 * 512, TEXT_ROOM = 65 * 512 + 128 };

/* ---- texts ---- */

static const char boundary[] = "-----BEGIN ";
enum { BOUNDARY = sizeof boundary - 1 };

/* A SEQUENCE whose length is not a character of a text: more than 127 bytes, or of indefinite
 * length. */
static bool begins_der(const unsigned char *p, size_t size)
{
    return size > 1 && p[0] == 0x30 &&
           (p[1] == 0x80 || (p[1] > 0x80 && p[1] <= 0x84) || p[1] == size - 2);
}

bool pem_text_is(se_bytes text)
{
    const char *p = text.data, *end = p + text.size, *at = p;

    if (!text.size || begins_der(text.data, text.size))
        return false;
    for (; (at = memmem(at, (size_t)(end - at), boundary, BOUNDARY)); at++)
        if (at == p || at[-1] == '\n' || at[-1] == '\r' || (at - p >= 3 && text_mark(at - 3, 3)))
            return true;
    return false;
}

BIO *pem_text_open(se_bytes text)
{
    static const char marked[] = UTF8_MARK "-----BEGIN ";
    BIO *out = text.size <= INT_MAX ? BIO_new(BIO_s_mem()) : NULL;
    const char *p = text.data, *end = p + text.size, *mark;
    bool done = out;

    while (done && (mark = memmem(p, (size_t)(end - p), marked, strlen(marked)))) {
        done = mark == p || BIO_write(out, p, (int)(mark - p)) > 0;
        p = mark + strlen(UTF8_MARK);
    }
    if (done && (end == p || BIO_write(out, p, (int)(end - p)) > 0))
        return out;
    BIO_free(out);
    return NULL;
}

/* ---- putting it on ---- */

static se_status put_boundary(const struct pem_encoder *armor, const char *which, se_error *err)
{
    char line[80];
    int n = snprintf(line, sizeof line, "-----%s %s-----\n", which, armor->label);

    return sink_write(armor->out, (se_bytes){ line, (size_t)n }, err);
}

se_status pem_encoder_begin(struct pem_encoder *armor, const se_sink *out, const char *label,
                            se_error *err)
{
    *armor = (struct pem_encoder){ out, label, EVP_ENCODE_CTX_new() };
    if (!armor->base64)
        return error_memory(err);
    EVP_EncodeInit(armor->base64);
    return put_boundary(armor, "BEGIN", err);
}

static int pem_encoder_write(void *arg, const void *data, size_t size)
{
    const struct pem_encoder *armor = arg;
    const unsigned char *in = data;
    unsigned char text[TEXT_ROOM];

    while (size) {
        size_t piece = size < RAW_ROOM ? size : RAW_ROOM;
        int n = 0;

        EVP_EncodeUpdate(armor->base64, text, &n, in, (int)piece);
        if (n && armor->out->write(armor->out->arg, text, (size_t)n))
            return -1;
        in += piece;
        size -= piece;
    }
    return 0;
}

se_sink pem_encoder_sink(struct pem_encoder *armor)
{
    return (se_sink){ pem_encoder_write, armor };
}

se_status pem_encoder_end(struct pem_encoder *armor, se_error *err)
{
    unsigned char text[TEXT_ROOM];
    int n = 0;

    EVP_EncodeFinal(armor->base64, text, &n);
    TRY(sink_write(armor->out, (se_bytes){ text, (size_t)n }, err));
    return put_boundary(armor, "END", err);
}

void pem_encoder_free(struct pem_encoder *armor)
{
    EVP_ENCODE_CTX_free(armor->base64);
    armor->base64 = NULL;
}

/* ---- taking it off ---- */

enum { LINE_LIMIT = 1024, TEXT_LIMIT = 16384 };

/* Makes sure that something is there to look at, if there is anything left. */
static se_status decoder_refill(struct pem_decoder *d, size_t want, se_error *err)
{
    size_t got = 1;
    se_status st = SE_OK;

    if (d->at) {
        memmove(d->line.data, d->line.data + d->at, d->end - d->at);
        d->end -= d->at;
        d->at = 0;
    }
    while (!st && got && d->end < want) {
        st = stream_read(&got, d->in, d->line.data + d->end, d->line.size - d->end, err);
        d->end += got;
    }
    return st;
}

/* Whether only text stands there: in DER, and in other data that hold a BEGIN line in their midst,
 * control characters come first. */
static bool is_text(const unsigned char *p, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!p[i] || (p[i] < ' ' && !strchr("\t\n\f\r", p[i])))
            return false;
    return true;
}

/* Where the BEGIN line is: at the start of a line, behind explanations (RFC 7468, 2) or a byte
 * order mark; text.size: there is none. */
static size_t find_boundary(se_bytes text)
{
    const unsigned char *p = text.data, *end = p + text.size, *at = p;

    for (; (at = memmem(at, (size_t)(end - at), boundary, BOUNDARY)); at++)
        if (at == p || at[-1] == '\n' || at[-1] == '\r' ||
            (at - p >= 3 && text_mark((const char *)at - 3, 3)))
            return is_text(p, (size_t)(at - p)) ? (size_t)(at - p) : text.size;
    return text.size;
}

bool pem_decoder_finds(se_bytes value)
{
    const se_bytes start = { value.data, value.size < TEXT_LIMIT ? value.size : TEXT_LIMIT };

    return find_boundary(start) < start.size;
}

/* The rest of the line, its end included, is passed over. */
static se_status skip_line(struct pem_decoder *d, se_error *err)
{
    const unsigned char *end;

    TRY(decoder_refill(d, LINE_LIMIT, err));
    end = memchr(d->line.data, '\n', d->end);
    if (!end)
        return error_set(err, SE_ERR_FORMAT, "broken PEM: the first line does not end");
    d->at = (size_t)(end - d->line.data) + 1;
    return SE_OK;
}

se_status pem_decoder_begin(struct pem_decoder *d, struct stream *in, se_error *err)
{
    size_t begin;
    se_status st = SE_OK;

    *d = (struct pem_decoder){ .in = in };
    TRY(buf_new(&d->line, STREAM_PIECE, err));
    TRY(decoder_refill(d, BOUNDARY, err));
    /* what can't be the start of a text is not waited for: a stream may be long in coming */
    if (is_text(d->line.data, d->end) && (st = decoder_refill(d, TEXT_LIMIT, err)))
        return st;
    if ((begin = find_boundary((se_bytes){ d->line.data, d->end })) == d->end)
        return SE_OK;
    d->at = begin;
    if (!(d->base64 = EVP_ENCODE_CTX_new()))
        return error_memory(err);
    EVP_DecodeInit(d->base64);
    TRY(buf_new(&d->plain, STREAM_PIECE, err));
    return skip_line(d, err);
}

/* A '-' is not base64: EVP_DecodeUpdate() takes it as the end, which it is. */
static se_status decoder_decode(struct pem_decoder *d, se_error *err)
{
    se_status st = decoder_refill(d, 1, err);
    int n = 0, more;

    d->plain_at = d->plain_end = 0;
    if (st || d->finished)
        return st;
    if (!d->end)
        return error_set(err, SE_ERR_FORMAT, "broken PEM: it has no end");
    more = EVP_DecodeUpdate(d->base64, d->plain.data, &n, d->line.data, (int)d->end);
    if (more < 0)
        return error_set(err, SE_ERR_FORMAT, "broken PEM: not base64");
    d->finished = more == 0;
    d->at = d->end;
    d->plain_end = (size_t)n;
    return SE_OK;
}

static size_t move_out(void *data, size_t size, const se_buf *from, size_t *at, size_t end)
{
    size_t n = end - *at < size ? end - *at : size;

    memcpy(data, from->data + *at, n);
    *at += n;
    return n;
}

se_status pem_decoder_read(size_t *got, struct pem_decoder *d, void *data, size_t size,
                           se_error *err)
{
    se_status st = SE_OK;

    *got = 0;
    if (!d->base64 && d->at == d->end)
        return stream_read(got, d->in, data, size, err);
    if (!d->base64) {
        *got = move_out(data, size, &d->line, &d->at, d->end);
        return SE_OK;
    }
    while (!st && d->plain_at == d->plain_end && !d->finished)
        st = decoder_decode(d, err);
    if (!st && d->plain_at < d->plain_end)
        *got = move_out(data, size, &d->plain, &d->plain_at, d->plain_end);
    return st;
}

void pem_decoder_free(struct pem_decoder *d)
{
    EVP_ENCODE_CTX_free(d->base64);
    se_buf_free(&d->line);
    se_buf_free(&d->plain);
    *d = (struct pem_decoder){ .in = NULL };
}

se_status pem_decoder_all(se_buf *out, struct stream *in, size_t limit, se_error *err)
{
    AUTO(pem_decoder) decoder = { .in = NULL };
    AUTO(writer) w = { 0 };
    unsigned char piece[4096];
    size_t got = 1;
    se_status st = pem_decoder_begin(&decoder, in, err);

    while (!st && got && !(st = pem_decoder_read(&got, &decoder, piece, sizeof piece, err))) {
        writer_put(&w, piece, got);
        if (w.buf.size > limit)
            return error_set(err, SE_ERR_FORMAT, "more than %zu MB", limit >> 20);
    }
    return st ? st : writer_finish(out, &w, err);
}
