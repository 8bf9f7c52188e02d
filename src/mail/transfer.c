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

void base64_end(struct base64_lines *b)
{
    if (b->held_size)
        put_line(b, b->held, b->held_size);
    b->held_size = 0;
}

/* Letters of the alphabet have LETTER and their value. */
enum { LETTER = 0x40, PADDING = 0x80 };

static const unsigned char letters[256] = {
    ['A'] = 64,  ['B'] = 65,     ['C'] = 66,  ['D'] = 67,  ['E'] = 68,  ['F'] = 69,  ['G'] = 70,
    ['H'] = 71,  ['I'] = 72,     ['J'] = 73,  ['K'] = 74,  ['L'] = 75,  ['M'] = 76,  ['N'] = 77,
    ['O'] = 78,  ['P'] = 79,     ['Q'] = 80,  ['R'] = 81,  ['S'] = 82,  ['T'] = 83,  ['U'] = 84,
    ['V'] = 85,  ['W'] = 86,     ['X'] = 87,  ['Y'] = 88,  ['Z'] = 89,  ['a'] = 90,  ['b'] = 91,
    ['c'] = 92,  ['d'] = 93,     ['e'] = 94,  ['f'] = 95,  ['g'] = 96,  ['h'] = 97,  ['i'] = 98,
    ['j'] = 99,  ['k'] = 100,    ['l'] = 101, ['m'] = 102, ['n'] = 103, ['o'] = 104, ['p'] = 105,
    ['q'] = 106, ['r'] = 107,    ['s'] = 108, ['t'] = 109, ['u'] = 110, ['v'] = 111, ['w'] = 112,
    ['x'] = 113, ['y'] = 114,    ['z'] = 115, ['0'] = 116, ['1'] = 117, ['2'] = 118, ['3'] = 119,
    ['4'] = 120, ['5'] = 121,    ['6'] = 122, ['7'] = 123, ['8'] = 124, ['9'] = 125, ['+'] = 126,
    ['/'] = 127, ['='] = PADDING
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

/* ---- base64 wrapped anew ---- */

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool form_takes(const struct base64_form *f, unsigned char c)
{
    if (is_blank(c))
        return true;
    if (letters[c] & LETTER)
        return !f->blank && !f->padding;
    return letters[c] == PADDING && !f->blank && f->letters >= 2 && f->letters + f->padding < 4;
}

size_t base64_form_take(struct base64_form *f, se_bytes text, bool begins)
{
    const unsigned char *in = text.data;
    size_t bare = 0, i = 0;

    f->blank = f->blank && !begins;
    for (; i < text.size && form_takes(f, in[i]); i++) {
        f->blank = is_blank(in[i]);
        bare = f->blank ? bare : i + 1;
        f->padding += letters[in[i]] == PADDING;
        if (letters[in[i]] & LETTER)
            f->letters = f->letters % 4 + 1;
    }
    return i == text.size ? i : bare;
}

bool base64_form_is_whole(const struct base64_form *f)
{
    return (f->letters + f->padding) % 4 == 0;
}

static void wrap_line(struct base64_wrap *w, const void *line, size_t size)
{
    if (w->begun)
        writer_text(w->out, w->eol);
    w->begun = true;
    writer_put(w->out, line, size);
}

static void wrap_letter(struct base64_wrap *w, unsigned char c)
{
    w->held[w->held_size++] = c;
    if (w->held_size == BASE64_LINE)
        base64_wrap_end(w);
}

size_t base64_wrap_put(struct base64_wrap *w, se_bytes text, bool begins)
{
    const unsigned char *in = text.data;
    size_t size;

    if (!w->held_size && begins && base64_form_is_whole(&w->form) && !w->form.padding &&
        base64_is_full_line(text)) {
        wrap_line(w, text.data, text.size);
        return text.size;
    }
    size = base64_form_take(&w->form, text, begins);
    for (size_t i = 0; i < size; i++)
        if (!is_blank(in[i]))
            wrap_letter(w, in[i]);
    return size;
}

void base64_wrap_end(struct base64_wrap *w)
{
    if (w->held_size)
        wrap_line(w, w->held, w->held_size);
    w->held_size = 0;
}
