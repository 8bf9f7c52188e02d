#include "mail/leaf.h"

enum { HELD_FIRST = 32 << 10 }; /* most texts */

void leaf_begin(struct leaf *leaf, enum transfer transfer)
{
    leaf->begun = false;
    leaf->eol = EOL_NONE;
    leaf->held.buf.size = 0;
    leaf->is_utf8 = false;
    leaf->transfer = transfer;
    leaf->base64 = (struct base64_lines){ .out = leaf->out, .eol = "\r\n" };
    leaf->form = (struct base64_form){ 0 };
    leaf->wrap = (struct base64_wrap){ .out = leaf->out, .eol = "\r\n" };
    leaf->qp = (struct qp_lines){ .out = leaf->out, .eol = "\r\n" };
    if (transfer != TRANSFER_LOOK && transfer != TRANSFER_ASK)
        leaf->decided(leaf->arg, transfer);
}

static void put_plain(struct leaf *leaf, const struct line *line)
{
    if (line->begins && leaf->begun)
        writer_text(leaf->out, "\r\n");
    writer_put(leaf->out, line->text.data, line->text.size);
}

/* Decoders end at the padding, go on behind it, or give up: what is not base64 stays, and all that
 * follows. */
static void put_base64(struct leaf *leaf, const struct line *line)
{
    size_t taken = base64_wrap_put(&leaf->wrap, line->text, line->begins);
    const char *rest = (const char *)line->text.data + taken;
    struct line left = {
        { rest, line->text.size - taken }, line->begins && !taken, line->ends, line->eol
    };

    if (taken == line->text.size)
        return;
    base64_wrap_end(&leaf->wrap);
    leaf->transfer = TRANSFER_KEEP;
    put_plain(leaf, &left);
}

static void put_bytes(struct leaf *leaf, const struct line *line)
{
    if (line->begins && leaf->begun)
        base64_put(&leaf->base64, text_bytes(leaf->binary ? eol_text(leaf->eol) : "\r\n"));
    base64_put(&leaf->base64, line->text);
}

static void put(struct leaf *leaf, const struct line *line)
{
    switch (leaf->transfer) {
    case TRANSFER_BASE64:
        put_base64(leaf, line);
        break;
    case TRANSFER_QP:
        qp_put_encoded(&leaf->qp, line->text, line->begins, line->ends);
        break;
    case TRANSFER_TO_QP:
        qp_put(&leaf->qp, line->text, line->begins, line->ends);
        break;
    case TRANSFER_TO_BASE64:
        put_bytes(leaf, line);
        break;
    default:
        put_plain(leaf, line);
    }
    leaf->begun = true;
    if (line->ends)
        leaf->eol = line->eol;
}

/* Well-formed as far as it was held; the last character may go on. */
static bool is_utf8(se_bytes text)
{
    const unsigned char *in = text.data;
    size_t more = 0;

    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = in[i];

        if (more ? (c & 0xc0) != 0x80 : c >= 0x80 && (c < 0xc2 || c > 0xf4))
            return false;
        more = more ? more - 1 : c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    }
    return true;
}

/* Text in other alphabets is shorter, and no less readable, in base64. */
static bool suits_qp(const struct leaf *leaf, se_bytes next)
{
    const se_bytes both[] = { buf_bytes(&leaf->held.buf), next };
    size_t high = 0;

    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < both[k].size; i++)
            high += ((const unsigned char *)both[k].data)[i] >= 0x80;
    return leaf->text && high <= (both[0].size + both[1].size) / 4;
}

/* Says how the body is written, and writes what was held. */
static void decide(struct leaf *leaf, enum transfer transfer)
{
    AUTO(writer) held = leaf->held;
    const char *at = writer_string(&held), *end = at + held.buf.size;
    enum eol eol = leaf->eol;
    bool begun = leaf->begun;

    leaf->held = (struct writer){ .failed = false };
    leaf->transfer = transfer;
    leaf->decided(leaf->arg, transfer);
    if (transfer == TRANSFER_PLAIN || transfer == TRANSFER_KEEP) {
        writer_put(leaf->out, at, held.buf.size);
        return;
    }
    leaf->begun = false;
    while (begun && at) {
        const char *found = memchr(at, '\r', (size_t)(end - at)), *to = found ? found : end;
        struct line line = { { at, (size_t)(to - at) }, true, true, EOL_CRLF };

        put(leaf, &line);
        at = found ? found + 2 : NULL;
    }
    leaf->begun = begun;
    leaf->eol = eol;
}

/* Room for the lines that come, and the line end that they follow. */
static struct writer *hold(struct leaf *leaf)
{
    if (!leaf->begun)
        writer_expect(&leaf->held, HELD_FIRST);
    else
        writer_put(&leaf->held, "\r\n", 2);
    leaf->begun = true;
    return &leaf->held;
}

static void hold_line(struct leaf *leaf, const struct line *line)
{
    writer_put(hold(leaf), line->text.data, line->text.size);
    leaf->eol = line->eol;
}

/* What becomes of a body that a line which is not safe belongs to. */
static enum transfer find_encoding(struct leaf *leaf, se_bytes line)
{
    if (leaf->bare)
        return TRANSFER_KEEP;
    leaf->is_utf8 = is_utf8(buf_bytes(&leaf->held.buf)) && is_utf8(line);
    return suits_qp(leaf, line) ? TRANSFER_TO_QP : TRANSFER_TO_BASE64;
}

static void look(struct leaf *leaf, const struct line *line)
{
    if (line->ends && line_is_safe(line->text) && leaf->held.buf.size <= LOOK_LIMIT) {
        hold_line(leaf, line);
        return;
    }
    decide(leaf, find_encoding(leaf, line->text));
    put(leaf, line);
}

static void ask(struct leaf *leaf, const struct line *line)
{
    bool good = base64_form_take(&leaf->form, line->text, line->begins) == line->text.size;

    if (good && line->ends && leaf->held.buf.size <= ASK_LIMIT &&
        !memchr(line->text.data, '\r', line->text.size)) {
        hold_line(leaf, line);
        return;
    }
    decide(leaf, good ? TRANSFER_BASE64 : TRANSFER_KEEP);
    put(leaf, line);
}

se_status leaf_line(struct leaf *leaf, const struct line *line, se_error *err)
{
    const struct line taken = leaf->fields && line->ends ? line_trimmed(line) : *line;

    /* a field goes on in it, and says nothing more; an empty line would be an end */
    if (leaf->fields && line->text.size && line_is_blank(line))
        return SE_OK;
    if (leaf->transfer == TRANSFER_LOOK)
        look(leaf, &taken);
    else if (leaf->transfer == TRANSFER_ASK)
        ask(leaf, &taken);
    else
        put(leaf, &taken);
    return leaf->held.failed ? error_memory(err) : SE_OK;
}

/* A stretch is no longer than what the intake has, and written no more than twice as long. */
bool leaf_is_plain(const struct leaf *leaf)
{
    return leaf->transfer == TRANSFER_PLAIN || leaf->transfer == TRANSFER_KEEP ||
           (leaf->transfer == TRANSFER_LOOK && leaf->held.buf.size < LOOK_LIMIT - 2 * INTAKE_ROOM);
}

se_status leaf_stretch(struct leaf *leaf, const struct stretch *stretch, se_error *err)
{
    struct writer *out = leaf->out;

    if (leaf->transfer == TRANSFER_LOOK)
        out = hold(leaf);
    else if (leaf->begun)
        writer_text(out, "\r\n");
    stretch_put(out, stretch);
    leaf->begun = true;
    leaf->eol = stretch->eol;
    return leaf->held.failed ? error_memory(err) : SE_OK;
}

void leaf_keep_eol(struct leaf *leaf)
{
    if (leaf->transfer == TRANSFER_TO_BASE64 && leaf->begun && leaf->eol != EOL_NONE)
        base64_put(&leaf->base64, text_bytes(leaf->binary ? eol_text(leaf->eol) : "\r\n"));
}

void leaf_end(struct leaf *leaf)
{
    if (leaf->transfer == TRANSFER_LOOK)
        decide(leaf, TRANSFER_PLAIN);
    if (leaf->transfer == TRANSFER_ASK)
        decide(leaf, base64_form_is_whole(&leaf->form) ? TRANSFER_BASE64 : TRANSFER_KEEP);
    if (leaf->transfer == TRANSFER_QP)
        qp_end_encoded(&leaf->qp);
    base64_wrap_end(&leaf->wrap);
    base64_end(&leaf->base64);
}
