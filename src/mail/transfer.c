#include "mail/transfer.h"

#include "base/base64.h"

/* ---- base64 ---- */

static void begin_line(struct base64_lines *b)
{
    if (b->begun)
        writer_text(b->out, b->eol);
    b->begun = true;
}

static void put_line(struct base64_lines *b, const void *data, size_t size)
{
    unsigned char *room;

    begin_line(b);
    if (!(room = writer_room(b->out, base64_size(size))))
        return;
    base64_write(room, (se_bytes){ data, size });
    writer_filled(b->out, base64_size(size));
}

static size_t hold(struct base64_lines *b, se_bytes data)
{
    size_t room = BASE64_LINE_BYTES - b->held_size, n = room < data.size ? room : data.size;

    memcpy(b->held + b->held_size, data.data, n);
    b->held_size += n;
    if (n == room) {
        put_line(b, b->held, b->held_size);
        b->held_size = 0;
    }
    return n;
}

void base64_put(struct base64_lines *b, se_bytes data)
{
    const unsigned char *at = data.size ? data.data : (const void *)"", *end = at + data.size;

    while (at < end) {
        if (b->held_size || end - at < BASE64_LINE_BYTES)
            at += hold(b, (se_bytes){ at, (size_t)(end - at) });
        else {
            put_line(b, at, BASE64_LINE_BYTES);
            at += BASE64_LINE_BYTES;
        }
    }
}

void base64_put_line(struct base64_lines *b, se_bytes line)
{
    begin_line(b);
    writer_put(b->out, line.data, line.size);
}

bool base64_is_even(const struct base64_lines *b)
{
    return b->held_size == 0;
}

void base64_end(struct base64_lines *b)
{
    if (b->held_size)
        put_line(b, b->held, b->held_size);
    b->held_size = 0;
}

/* Letters of the alphabet have LETTER and their value. */
enum { LETTER = 0x40, PADDING = 0x80 };

static const unsigned char letters[256] = {
    ['A'] = 64,  ['B'] = 65,  ['C'] = 66,  ['D'] = 67,  ['E'] = 68,     ['F'] = 69,  ['G'] = 70,  ['H'] = 71,  ['I'] = 72,  ['J'] = 73,
    ['K'] = 74,  ['L'] = 75,  ['M'] = 76,  ['N'] = 77,  ['O'] = 78,     ['P'] = 79,  ['Q'] = 80,  ['R'] = 81,  ['S'] = 82,  ['T'] = 83,
    ['U'] = 84,  ['V'] = 85,  ['W'] = 86,  ['X'] = 87,  ['Y'] = 88,     ['Z'] = 89,  ['a'] = 90,  ['b'] = 91,  ['c'] = 92,  ['d'] = 93,
    ['e'] = 94,  ['f'] = 95,  ['g'] = 96,  ['h'] = 97,  ['i'] = 98,     ['j'] = 99,  ['k'] = 100, ['l'] = 101, ['m'] = 102, ['n'] = 103,
    ['o'] = 104, ['p'] = 105, ['q'] = 106, ['r'] = 107, ['s'] = 108,    ['t'] = 109, ['u'] = 110, ['v'] = 111, ['w'] = 112, ['x'] = 113,
    ['y'] = 114, ['z'] = 115, ['0'] = 116, ['1'] = 117, ['2'] = 118,    ['3'] = 119, ['4'] = 120, ['5'] = 121, ['6'] = 122, ['7'] = 123,
    ['8'] = 124, ['9'] = 125, ['+'] = 126, ['/'] = 127, ['='] = PADDING
};

size_t base64_read_end(unsigned char *out, struct base64_reader *r)
{
    size_t size = r->letters > 1 ? r->letters - 1 : 0;
    unsigned value = r->value << 6 * (4 - r->letters);

    if (size)
        out[0] = (unsigned char)(value >> 16);
    if (size > 1)
        out[1] = (unsigned char)(value >> 8);
    *r = (struct base64_reader){ 0 };
    return size;
}

static void put_three(unsigned char *out, unsigned value)
{
    out[0] = (unsigned char)(value >> 16);
    out[1] = (unsigned char)(value >> 8);
    out[2] = (unsigned char)value;
}

/* Groups of four letters, up to the first that is none; returns how many. */
static size_t read_groups(unsigned char *out, const unsigned char *in, size_t size)
{
    size_t count = size / 4;

    for (size_t i = 0; i < count; i++, in += 4, out += 3) {
        unsigned v0 = letters[in[0]], v1 = letters[in[1]], v2 = letters[in[2]], v3 = letters[in[3]];

        if (!(v0 & v1 & v2 & v3 & LETTER))
            return i;
        put_three(out, (v0 & 63) << 18 | (v1 & 63) << 12 | (v2 & 63) << 6 | (v3 & 63));
    }
    return count;
}

size_t base64_read(unsigned char *out, struct base64_reader *r, se_bytes text)
{
    const unsigned char *in = text.data;
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        unsigned char v;

        if (!r->letters) {
            size_t groups = read_groups(out + size, in + i, text.size - i);

            size += groups * 3;
            i += groups * 4;
            if (i == text.size)
                break;
        }
        v = letters[in[i]];
        if (v == PADDING)
            size += base64_read_end(out + size, r);
        if (!(v & LETTER))
            continue;
        r->value = r->value << 6 | (v & ~LETTER);
        if (++r->letters == 4) {
            put_three(out + size, r->value);
            size += 3;
            *r = (struct base64_reader){ 0 };
        }
    }
    return size;
}

bool base64_is_full_line(se_bytes text)
{
    const unsigned char *in = text.data;
    unsigned char common = LETTER;

    if (text.size != BASE64_LINE)
        return false;
    for (size_t i = 0; i < BASE64_LINE; i += 4)
        common &= letters[in[i]] & letters[in[i + 1]] & letters[in[i + 2]] & letters[in[i + 3]];
    return common;
}

/* ---- quoted-printable ---- */

static void start_line(struct qp_lines *q)
{
    if (q->begun)
        writer_text(q->out, q->eol);
    q->begun = true;
    q->column = 0;
}

/* `text` stays together on a line. */
static void token(struct qp_lines *q, const char *text, size_t size)
{
    if (q->column + size > QP_LINE - 1) {
        writer_put(q->out, "=", 1);
        start_line(q);
    }
    writer_put(q->out, text, size);
    q->column += size;
}

static void escaped(struct qp_lines *q, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";

    token(q, (const char[]){ '=', digits[c >> 4], digits[c & 15] }, 3);
}

static void release_blank(struct qp_lines *q)
{
    char blank = (char)q->blank;

    q->blank = 0;
    if (blank)
        token(q, &blank, 1);
}

/* At the start of a line it would mean something to some relays: "From ", and a dot that stands alone. */
static bool is_risky(unsigned char c, se_bytes rest)
{
    return (c == '.' && !rest.size) || (c == 'F' && strncmp(rest.data, "rom ", rest.size < 4 ? rest.size : 4) == 0);
}

static void literal(struct qp_lines *q, unsigned char c, se_bytes rest)
{
    char text = (char)c;

    release_blank(q);
    if (c == ' ' || c == '\t') {
        q->blank = c;
        return;
    }
    if (c == '=' || c < ' ' || c > '~' || ((q->column == 0 || q->column >= QP_LINE - 1) && is_risky(c, rest)))
        escaped(q, c);
    else
        token(q, &text, 1);
}

/* How many characters from here on fit on the line, mean themselves wherever they stand, and do not end in a blank. */
static size_t plain_run(const struct qp_lines *q, se_bytes text)
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

static void put_run(struct qp_lines *q, se_bytes run)
{
    writer_put(q->out, run.data, run.size);
    q->column += run.size;
}

static void end_line(struct qp_lines *q, bool keep_blank)
{
    if (q->blank && keep_blank)
        escaped(q, q->blank);
    q->blank = 0;
}

void qp_put(struct qp_lines *q, se_bytes text, bool begins, bool ends)
{
    const unsigned char *in = text.data;

    if (begins)
        start_line(q);
    for (size_t i = 0, run; i < text.size; i += run) {
        run = plain_run(q, (se_bytes){ in + i, text.size - i });
        put_run(q, (se_bytes){ in + i, run });
        if (!run)
            literal(q, in[i], (se_bytes){ in + i + 1, text.size - i - 1 }), run = 1;
    }
    if (ends)
        end_line(q, true);
}

static int digit(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* An "=" that means nothing is a character like others. */
static void give_up_escape(struct qp_lines *q)
{
    size_t size = q->escape_size;

    q->escape_size = 0;
    for (size_t i = 0; i < size; i++)
        literal(q, q->escape[i], (se_bytes){ "", 0 });
}

static void encoded(struct qp_lines *q, unsigned char c, se_bytes rest)
{
    if (q->escape_size && digit(c) < 0)
        give_up_escape(q);
    if (q->escape_size == 2) {
        q->escape_size = 0;
        release_blank(q);
        escaped(q, (unsigned char)(digit(q->escape[1]) << 4 | digit(c)));
    } else if (q->escape_size || c == '=') {
        q->escape[q->escape_size++] = c;
    } else
        literal(q, c, rest);
}

/* How much of the line counts: blanks at its end were added on the way (RFC 2045, 6.7, rule 3). */
static size_t without_blanks(const unsigned char *text, size_t size)
{
    while (size && (text[size - 1] == ' ' || text[size - 1] == '\t'))
        size--;
    return size;
}

void qp_put_encoded(struct qp_lines *q, se_bytes text, bool begins, bool ends)
{
    const unsigned char *in = text.data;
    size_t size = ends ? without_blanks(in, text.size) : text.size;

    if (begins && !q->soft)
        start_line(q);
    if (begins && q->soft) {
        release_blank(q);
        if (q->column)
            writer_text(q->out, "=");
        if (q->column)
            start_line(q);
    }
    q->soft = false;
    for (size_t i = 0, run; i < size; i += run) {
        run = plain_run(q, (se_bytes){ in + i, size - i });
        put_run(q, (se_bytes){ in + i, run });
        if (!run)
            encoded(q, in[i], (se_bytes){ in + i + 1, size - i - 1 }), run = 1;
    }
    if (!ends)
        return;
    q->soft = q->escape_size == 1;
    if (q->soft)
        q->escape_size = 0;
    else {
        give_up_escape(q);
        end_line(q, false);
    }
}
