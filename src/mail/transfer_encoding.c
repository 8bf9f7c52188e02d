/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/transfer_encoding.h"

#include "base/base64.h"
#include "mail/line_reader.h"

/* ---- base64 ---- */

static bool is_line_blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

size_t base64_form_take(struct base64_form *f, se_bytes text, bool begins)
{
    const unsigned char *in = text.data;
    size_t bare = 0, i = 0;

    f->blank = f->blank && !begins;
    while (i < text.size) {
        const se_bytes rest = { in + i, text.size - i };
        size_t span = f->blank || f->padding ? 0 : base64_span(rest);

        if (span) {
            f->letters = (f->letters + (unsigned)span - 1) % 4 + 1;
            bare = i += span;
        } else if (is_line_blank(in[i])) {
            f->blank = true;
            i++;
        } else if (in[i] == '=' && !f->blank && f->letters >= 2 && f->letters + f->padding < 4) {
            f->padding++;
            bare = ++i;
        } else {
            return bare;
        }
    }
    return i;
}

bool base64_form_is_whole(const struct base64_form *f)
{
    return (f->letters + f->padding) % 4 == 0;
}

static void base64_put_line(struct base64_lines *b, const void *data, size_t size)
{
    size_t written = b->wraps ? size : base64_size(size);
    unsigned char *room;

    if (b->begun)
        writer_text(b->out, b->eol);
    b->begun = true;
    if (!(room = writer_room(b->out, written)))
        return;
    if (b->wraps)
        memcpy(room, data, size);
    else
        base64_write(room, (se_bytes){ data, size });
    writer_filled(b->out, written);
}

/* `line`: how much makes a line. */
static void base64_fill_lines(struct base64_lines *b, se_bytes data, size_t line)
{
    const unsigned char *at = data.data;

    for (size_t left = data.size, n; left; left -= n, at += n) {
        if (!b->held_size && left >= line) {
            n = line;
            base64_put_line(b, at, n);
            continue;
        }
        n = line - b->held_size < left ? line - b->held_size : left;
        memcpy(b->held + b->held_size, at, n);
        b->held_size += n;
        if (b->held_size == line)
            base64_lines_end(b);
    }
}

void base64_lines_encode(struct base64_lines *b, se_bytes data)
{
    base64_fill_lines(b, data, BASE64_LINE_BYTES);
}

size_t base64_lines_wrap(struct base64_lines *b, se_bytes text, bool begins)
{
    const unsigned char *in = text.data;
    size_t size = base64_form_take(&b->form, text, begins), bare = size;

    while (bare && is_line_blank(in[bare - 1]))
        bare--;
    b->wraps = true;
    base64_fill_lines(b, (se_bytes){ in, bare }, BASE64_LINE);
    return size;
}

void base64_lines_end(struct base64_lines *b)
{
    if (b->held_size)
        base64_put_line(b, b->held, b->held_size);
    b->held_size = 0;
}

/* ---- quoted-printable ---- */

static void qp_start_line(struct qp_lines *q)
{
    if (q->begun)
        writer_text(q->out, q->eol);
    q->begun = true;
    q->column = 0;
}

/* `text` stays together on a line. */
static void qp_put_token(struct qp_lines *q, const char *text, size_t size)
{
    if (q->column + size > QP_LINE - 1) {
        writer_put(q->out, "=", 1);
        qp_start_line(q);
    }
    writer_put(q->out, text, size);
    q->column += size;
}

static void qp_put_escape(struct qp_lines *q, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";

    qp_put_token(q, (const char[]){ '=', digits[c >> 4], digits[c & 15] }, 3);
}

static void qp_release_blank(struct qp_lines *q)
{
    char blank = (char)q->blank;

    q->blank = 0;
    if (blank)
        qp_put_token(q, &blank, 1);
}

/* "From " and a lone dot at the start of a line mean something to some relays. */
static bool is_risky(unsigned char c, se_bytes rest)
{
    return (c == '.' && !rest.size) ||
           (c == 'F' && strncmp(rest.data, "rom ", rest.size < 4 ? rest.size : 4) == 0);
}

static void qp_put_character(struct qp_lines *q, unsigned char c, se_bytes rest)
{
    char text = (char)c;

    qp_release_blank(q);
    if (c == ' ' || c == '\t') {
        q->blank = c;
        return;
    }
    if (c == '=' || c < ' ' || c > '~' ||
        ((q->column == 0 || q->column >= QP_LINE - 1) && is_risky(c, rest)))
        qp_put_escape(q, c);
    else
        qp_put_token(q, &text, 1);
}

/* How many characters from here on fit on the line and need no escape; the last one is no blank. */
static size_t qp_plain_run(const struct qp_lines *q, se_bytes text)
{
    const unsigned char *in = text.data;
    size_t most = QP_LINE - 1 - (q->column < QP_LINE - 1 ? q->column : QP_LINE - 1), n = 0;

    if (!q->column || q->blank || q->escape_size)
        return 0;
    most = text.size < most ? text.size : most;
    while (n < most && ((in[n] >= ' ' && in[n] <= '~' && in[n] != '=') || in[n] == '\t'))
        n++;
    while (n && (in[n - 1] == ' ' || in[n - 1] == '\t'))
        n--;
    return n;
}

static void qp_put_run(struct qp_lines *q, se_bytes run)
{
    writer_put(q->out, run.data, run.size);
    q->column += run.size;
}

static void qp_end_line(struct qp_lines *q, bool keep_blank)
{
    if (q->blank && keep_blank)
        qp_put_escape(q, q->blank);
    q->blank = 0;
}

void qp_put(struct qp_lines *q, se_bytes text, bool begins, bool ends)
{
    const unsigned char *in = text.data;

    if (begins)
        qp_start_line(q);
    for (size_t i = 0, run; i < text.size; i += run) {
        run = qp_plain_run(q, (se_bytes){ in + i, text.size - i });
        qp_put_run(q, (se_bytes){ in + i, run });
        if (run)
            continue;
        qp_put_character(q, in[i], (se_bytes){ in + i + 1, text.size - i - 1 });
        run = 1;
    }
    if (ends)
        qp_end_line(q, true);
}

static int hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* An "=" that means nothing is a character like others. */
static void qp_drop_escape(struct qp_lines *q)
{
    size_t size = q->escape_size;

    q->escape_size = 0;
    for (size_t i = 0; i < size; i++)
        qp_put_character(q, q->escape[i], (se_bytes){ "", 0 });
}

static void qp_put_encoded_character(struct qp_lines *q, unsigned char c, se_bytes rest)
{
    if (q->escape_size && hex_value(c) < 0)
        qp_drop_escape(q);
    if (q->escape_size == 2) {
        q->escape_size = 0;
        qp_release_blank(q);
        qp_put_escape(q, (unsigned char)(hex_value(q->escape[1]) << 4 | hex_value(c)));
    } else if (q->escape_size || c == '=') {
        q->escape[q->escape_size++] = c;
    } else {
        qp_put_character(q, c, rest);
    }
}

/* Blanks at the end of a line were added on the way (RFC 2045, 6.7, rule 3). */
void qp_put_encoded(struct qp_lines *q, se_bytes text, bool begins, bool ends)
{
    const unsigned char *in = text.data;
    size_t size = ends ? trimmed_size(text) : text.size;

    if (begins && !q->soft)
        qp_start_line(q);
    if (begins && q->soft) {
        qp_release_blank(q);
        if (q->column) {
            writer_text(q->out, "=");
            qp_start_line(q);
        }
    }
    q->soft = false;
    for (size_t i = 0, run; i < size; i += run) {
        run = qp_plain_run(q, (se_bytes){ in + i, size - i });
        qp_put_run(q, (se_bytes){ in + i, run });
        if (run)
            continue;
        qp_put_encoded_character(q, in[i], (se_bytes){ in + i + 1, size - i - 1 });
        run = 1;
    }
    if (!ends)
        return;
    q->soft = q->escape_size == 1;
    if (q->soft) {
        q->escape_size = 0;
    } else {
        qp_drop_escape(q);
        qp_end_line(q, false);
    }
}

/* Decoders join what follows: one more line end would be one of the text's. */
void qp_end_encoded(struct qp_lines *q)
{
    if (!q->soft)
        return;
    qp_release_blank(q);
    writer_text(q->out, "=");
}
