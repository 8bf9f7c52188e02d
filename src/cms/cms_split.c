/* SPDX-License-Identifier: Apache-2.0 */
#include "cms/cms_split.h"

enum {
    TAG_OCTETS = 0x04,
    TAG_OID = 0x06,
    TAG_OCTETS_CONSTRUCTED = 0x24,
    TAG_SEQUENCE = 0x30,
    TAG_CONTEXT_0 = 0xa0,

    HEADER_ROOM = 2 + sizeof(uint64_t),
    DEPTH_LIMIT = 32,
    REST_LIMIT = 16 << 20, /* certificates, CRLs, signers */
};

/* Sticky: once failed, it reads as if at an end. */
struct ber {
    struct pem_decoder *in;
    unsigned char *buffer; /* STREAM_PIECE */
    size_t at, end;
    uint64_t position;
    se_status status;
    se_error *err;
};

struct header {
    unsigned char tag;
    bool indefinite;
    uint64_t length;
    unsigned char bytes[HEADER_ROOM];
    size_t size;
};

/* Where a constructed element ends: at a position, or at its end-of-contents octets (X.690, 8.1.5).
 */
struct scope {
    bool indefinite;
    uint64_t end;
};

static void ber_fail(struct ber *b, const char *text)
{
    if (!b->status)
        b->status = error_set(b->err, SE_ERR_FORMAT, "not a CMS signature: %s at byte %ju", text,
                              (uintmax_t)b->position);
}

/* At least one byte to look at; false at the end of the input. */
static bool ber_fill(struct ber *b)
{
    if (b->at < b->end || b->status)
        return !b->status;
    b->at = b->end = 0;
    b->status = pem_decoder_read(&b->end, b->in, b->buffer, STREAM_PIECE, b->err);
    return !b->status && b->end;
}

static unsigned char byte(struct ber *b)
{
    if (!ber_fill(b)) {
        ber_fail(b, "truncated");
        return 0;
    }
    b->position++;
    return b->buffer[b->at++];
}

static unsigned char peek(struct ber *b)
{
    return ber_fill(b) ? b->buffer[b->at] : 0;
}

static struct header ber_header(struct ber *b)
{
    struct header h = { .tag = byte(b), .size = 2 };
    unsigned char first = byte(b);

    h.bytes[0] = h.tag;
    h.bytes[1] = first;
    if ((h.tag & 0x1f) == 0x1f)
        ber_fail(b, "an unexpected tag");
    h.indefinite = first == 0x80;
    h.length = first & 0x7f;
    if (!(first & 0x80) || h.indefinite)
        return h;
    if (h.length > sizeof h.length)
        ber_fail(b, "an impossible length");
    for (uint64_t left = h.length, value = 0; left && !b->status; left--) {
        h.bytes[h.size++] = byte(b);
        h.length = value = value << 8 | h.bytes[h.size - 1];
    }
    return h;
}

static struct scope ber_scope(struct ber *b, const struct header *h)
{
    if (!h->indefinite && h->length > UINT64_MAX - b->position)
        ber_fail(b, "an impossible length");
    return (struct scope){ h->indefinite, b->position + h->length };
}

static struct scope ber_enter(struct ber *b, unsigned char tag, const char *what)
{
    struct header h = ber_header(b);

    if (h.tag != tag)
        ber_fail(b, what);
    return ber_scope(b, &h);
}

/* Takes the end-of-contents octets along. */
static bool ber_ended(struct ber *b, const struct scope *s)
{
    if (b->status)
        return true;
    if (!s->indefinite) {
        if (b->position > s->end)
            ber_fail(b, "lengths that contradict each other");
        return b->position >= s->end;
    }
    if (peek(b) != 0)
        return b->status != SE_OK;
    if (byte(b) | byte(b))
        ber_fail(b, "broken end-of-contents octets");
    return true;
}

static void ber_leave(struct ber *b, const struct scope *s)
{
    if (!ber_ended(b, s))
        ber_fail(b, "something unexpected");
}

/* `size` bytes to `take`, as they come. */
static void ber_pass(struct ber *b, uint64_t size, stream_take_fn take, void *arg)
{
    while (size && !b->status) {
        size_t n;

        if (!ber_fill(b)) {
            ber_fail(b, "truncated");
            return;
        }
        n = b->end - b->at < size ? b->end - b->at : (size_t)size;
        b->status = take(arg, (se_bytes){ b->buffer + b->at, n }, b->err);
        b->at += n;
        b->position += n;
        size -= n;
    }
}

static se_status piece_keep(void *arg, se_bytes piece, se_error *err)
{
    struct writer *w = arg;

    if (w->buf.size + piece.size > REST_LIMIT)
        return error_set(err, SE_ERR_FORMAT,
                         "a CMS signature of more than %d MB beside its content", REST_LIMIT >> 20);
    writer_put(w, piece.data, piece.size);
    return SE_OK;
}

/* One element as it is; an indefinite one with all that is inside. */
static void element_copy(struct ber *b, struct writer *w, unsigned depth)
{
    struct header h = ber_header(b);
    struct scope s = ber_scope(b, &h);

    if (depth > DEPTH_LIMIT)
        ber_fail(b, "too deep nesting");
    if (!b->status)
        b->status = piece_keep(w, (se_bytes){ h.bytes, h.size }, b->err);
    if (!h.indefinite) {
        ber_pass(b, h.length, piece_keep, w);
        return;
    }
    while (!ber_ended(b, &s))
        element_copy(b, w, depth + 1);
    writer_put(w, "\0", 2);
}

/* OCTET STRING, whole or in pieces (X.690, 8.7.3) */
static void octets_read(struct ber *b, const struct cms_content_taker *taker, unsigned depth)
{
    struct header h = ber_header(b);
    struct scope s = ber_scope(b, &h);

    if (h.tag == TAG_OCTETS && !h.indefinite) {
        ber_pass(b, h.length, taker->take, taker->arg);
        return;
    }
    if (h.tag != TAG_OCTETS_CONSTRUCTED || depth > DEPTH_LIMIT)
        ber_fail(b, "content that is no OCTET STRING");
    while (!ber_ended(b, &s))
        octets_read(b, taker, depth + 1);
}

/* encapContentInfo: its type goes on, its content to the taker. */
static void content_read(struct ber *b, struct writer *w, const struct cms_content_taker *taker)
{
    struct scope info = ber_enter(b, TAG_SEQUENCE, "no content"), explicit;
    AUTO(writer) type = { 0 };

    element_copy(b, &type, 0);
    if (type.buf.size > 0x7f || type.buf.size < 3 || type.buf.data[0] != TAG_OID)
        ber_fail(b, "no content type");
    if (ber_ended(b, &info)) {
        ber_fail(b, "it is detached, there is no content in it,");
        return;
    }
    explicit = ber_enter(b, TAG_CONTEXT_0, "no content");
    octets_read(b, taker, 0);
    ber_leave(b, &explicit);
    ber_leave(b, &info);
    writer_put(w, (unsigned char[]){ TAG_SEQUENCE, (unsigned char)type.buf.size }, 2);
    writer_put(w, type.buf.data, type.buf.size);
}

static void signed_data(struct ber *b, struct writer *w, const struct cms_content_taker *taker)
{
    struct scope data = ber_enter(b, TAG_SEQUENCE, "no SignedData");
    size_t digests;

    writer_put(w, (unsigned char[]){ TAG_SEQUENCE, 0x80 }, 2);
    element_copy(b, w, 0); /* version */
    digests = w->buf.size;
    element_copy(b, w, 0); /* digestAlgorithms */
    if (!b->status)
        b->status = taker->begin(
            taker->arg, (se_bytes){ w->buf.data + digests, w->buf.size - digests }, b->err);
    content_read(b, w, taker);
    while (!ber_ended(b, &data))
        element_copy(b, w, 0);
    writer_put(w, "\0", 2);
}

/* id-signedData, 1.2.840.113549.1.7.2 */
static const unsigned char signed_data_oid[] = { TAG_OID, 9,    0x2a, 0x86, 0x48, 0x86,
                                                 0xf7,    0x0d, 0x01, 0x07, 0x02 };

static void content_info(struct ber *b, struct writer *w, const struct cms_content_taker *taker)
{
    struct scope info = ber_enter(b, TAG_SEQUENCE, "no ContentInfo"), explicit;

    writer_put(w, (unsigned char[]){ TAG_SEQUENCE, 0x80 }, 2);
    element_copy(b, w, 0);
    if (w->buf.size != 2 + sizeof signed_data_oid ||
        memcmp(w->buf.data + 2, signed_data_oid, sizeof signed_data_oid) != 0)
        ber_fail(b, "no SignedData");
    explicit = ber_enter(b, TAG_CONTEXT_0, "no SignedData");
    writer_put(w, (unsigned char[]){ TAG_CONTEXT_0, 0x80 }, 2);
    signed_data(b, w, taker);
    ber_leave(b, &explicit);
    ber_leave(b, &info);
    writer_put(w, "\0\0\0", 4);
    if (ber_fill(b))
        b->status =
            error_set(b->err, SE_ERR_FORMAT,
                      "bytes follow the signature, from byte %ju on: nothing may be behind it",
                      (uintmax_t)b->position);
}

se_status cms_split(se_buf *out, struct pem_decoder *in, const struct cms_content_taker *taker,
                    se_error *err)
{
    AUTO(se_buf) buffer = SE_BUF_INIT;
    AUTO(writer) w = { 0 };
    se_status st = buf_new(&buffer, STREAM_PIECE, err);
    struct ber b = { .in = in, .buffer = buffer.data, .status = st, .err = err };

    *out = (se_buf)SE_BUF_INIT;
    content_info(&b, &w, taker);
    if (b.status)
        return b.status;
    return writer_finish(out, &w, err);
}
