/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/part_body.h"

#include "base/utf8.h"

enum { HELD_FIRST = 32 << 10 }; /* most texts */

void part_body_begin(struct part_body *body, enum transfer_encoding transfer)
{
    body->begun = false;
    body->eol = EOL_NONE;
    body->held.buf.size = 0;
    body->is_utf8 = false;
    body->transfer = transfer;
    body->form = (struct base64_form){ 0 };
    body->base64 = (struct base64_lines){ .out = body->out, .eol = "\r\n" };
    body->qp = (struct qp_lines){ .out = body->out, .eol = "\r\n" };
    if (transfer != TRANSFER_DETECT && transfer != TRANSFER_DETECT_BASE64)
        body->decided(body->arg, transfer);
}

static void body_put_plain(struct part_body *body, const struct line *line)
{
    if (line->begins && body->begun)
        writer_text(body->out, "\r\n");
    writer_put(body->out, line->text.data, line->text.size);
}

/* Decoders end at the padding, go on behind it, or give up: what is not base64 stays, and so does
 * all that follows. */
static void body_wrap_base64(struct part_body *body, const struct line *line)
{
    size_t taken = base64_lines_wrap(&body->base64, line->text, line->begins);
    const char *rest = (const char *)line->text.data + taken;
    struct line left = {
        { rest, line->text.size - taken }, line->begins && !taken, line->ends, line->eol
    };

    if (taken == line->text.size)
        return;
    base64_lines_end(&body->base64);
    body->transfer = TRANSFER_KEEP;
    body_put_plain(body, &left);
}

static void body_encode_bytes(struct part_body *body, const struct line *line)
{
    if (line->begins && body->begun)
        base64_lines_encode(&body->base64, text_bytes(body->binary ? eol_text(body->eol) : "\r\n"));
    base64_lines_encode(&body->base64, line->text);
}

static void body_put(struct part_body *body, const struct line *line)
{
    switch (body->transfer) {
    case TRANSFER_BASE64:
        body_wrap_base64(body, line);
        break;
    case TRANSFER_QP:
        qp_put_encoded(&body->qp, line->text, line->begins, line->ends);
        break;
    case TRANSFER_TO_QP:
        qp_put(&body->qp, line->text, line->begins, line->ends);
        break;
    case TRANSFER_TO_BASE64:
        body_encode_bytes(body, line);
        break;
    default:
        body_put_plain(body, line);
    }
    body->begun = true;
    if (line->ends)
        body->eol = line->eol;
}

/* A piece of a long line may end within a character. */
static bool is_utf8(const struct line *line)
{
    const char *text = line->text.data;
    size_t at = 0;
    uint32_t point;

    for (size_t left, size; (left = line->text.size - at); at += size)
        if (!(size = utf8_take(&point, (se_bytes){ text + at, left })))
            return !line->ends && left < 4;
    return true;
}

/* Text in other alphabets is shorter, and no less readable, in base64. */
static bool suits_qp(const struct part_body *body, se_bytes line)
{
    size_t high = 0;

    for (size_t i = 0; i < line.size; i++)
        high += ((const unsigned char *)line.data)[i] >= 0x80;
    return body->text && high <= (body->held.buf.size + line.size) / 4;
}

/* Says how the body is written, and writes what was held. */
static void body_decide(struct part_body *body, enum transfer_encoding transfer)
{
    AUTO(writer) held = MOVE(body->held);
    const char *at = writer_string(&held), *end = at + held.buf.size;
    enum eol eol = body->eol;
    bool begun = body->begun;

    body->transfer = transfer;
    body->decided(body->arg, transfer);
    if (transfer == TRANSFER_SAFE || transfer == TRANSFER_KEEP) {
        writer_put(body->out, at, held.buf.size);
        return;
    }
    body->begun = false;
    while (begun && at) {
        const char *found = memchr(at, '\r', (size_t)(end - at)), *to = found ? found : end;
        struct line line = { { at, (size_t)(to - at) }, true, true, EOL_CRLF };

        body_put(body, &line);
        at = found ? found + 2 : NULL;
    }
    body->begun = begun;
    body->eol = eol;
}

/* Makes room for lines, and puts the line end in front of them. */
static struct writer *body_hold(struct part_body *body)
{
    if (!body->begun)
        writer_expect(&body->held, HELD_FIRST);
    else
        writer_put(&body->held, "\r\n", 2);
    body->begun = true;
    return &body->held;
}

static void body_hold_line(struct part_body *body, const struct line *line)
{
    writer_put(body_hold(body), line->text.data, line->text.size);
    body->eol = line->eol;
}

/* For a body with an unsafe line; the lines held before it are ASCII. */
static enum transfer_encoding choose_encoding(struct part_body *body, const struct line *line)
{
    if (body->bare)
        return TRANSFER_KEEP;
    body->is_utf8 = is_utf8(line);
    return suits_qp(body, line->text) ? TRANSFER_TO_QP : TRANSFER_TO_BASE64;
}

static void detect_safe(struct part_body *body, const struct line *line)
{
    if (line->ends && line_is_safe(line->text) && body->held.buf.size <= DETECT_LIMIT) {
        body_hold_line(body, line);
        return;
    }
    body_decide(body, choose_encoding(body, line));
    body_put(body, line);
}

static void detect_base64(struct part_body *body, const struct line *line)
{
    bool good = base64_form_take(&body->form, line->text, line->begins) == line->text.size;

    if (good && line->ends && body->held.buf.size <= DETECT_BASE64_LIMIT &&
        !memchr(line->text.data, '\r', line->text.size)) {
        body_hold_line(body, line);
        return;
    }
    body_decide(body, good ? TRANSFER_BASE64 : TRANSFER_KEEP);
    body_put(body, line);
}

se_status part_body_take_line(struct part_body *body, const struct line *line, se_error *err)
{
    const struct line taken = body->fields && line->ends ? line_trimmed(line) : *line;

    /* it continues a field and adds nothing; empty, it would end the fields */
    if (body->fields && line->text.size && line_is_blank(line))
        return SE_OK;
    if (body->transfer == TRANSFER_DETECT)
        detect_safe(body, &taken);
    else if (body->transfer == TRANSFER_DETECT_BASE64)
        detect_base64(body, &taken);
    else
        body_put(body, &taken);
    return body->held.failed ? error_memory(err) : SE_OK;
}

/* A stretch is no longer than the line reader's room, and grows to twice its length at most. */
bool part_body_takes_stretch(const struct part_body *body)
{
    return body->transfer == TRANSFER_SAFE || body->transfer == TRANSFER_KEEP ||
           (body->transfer == TRANSFER_DETECT &&
            body->held.buf.size < DETECT_LIMIT - 2 * LINE_READER_ROOM);
}

se_status part_body_take_stretch(struct part_body *body, const struct stretch *stretch,
                                 se_error *err)
{
    struct writer *out = body->out;

    if (body->transfer == TRANSFER_DETECT)
        out = body_hold(body);
    else if (body->begun)
        writer_text(out, "\r\n");
    stretch_put(out, stretch);
    body->begun = true;
    body->eol = stretch->eol;
    return body->held.failed ? error_memory(err) : SE_OK;
}

void part_body_keep_eol(struct part_body *body)
{
    if (body->transfer == TRANSFER_TO_BASE64 && body->begun && body->eol != EOL_NONE)
        base64_lines_encode(&body->base64, text_bytes(body->binary ? eol_text(body->eol) : "\r\n"));
}

void part_body_end(struct part_body *body)
{
    if (body->transfer == TRANSFER_DETECT)
        body_decide(body, TRANSFER_SAFE);
    if (body->transfer == TRANSFER_DETECT_BASE64)
        body_decide(body, base64_form_is_whole(&body->form) ? TRANSFER_BASE64 : TRANSFER_KEEP);
    if (body->transfer == TRANSFER_QP)
        qp_end_encoded(&body->qp);
    base64_lines_end(&body->base64);
}
