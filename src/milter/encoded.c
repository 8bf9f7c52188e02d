#include "milter/encoded.h"

#include <iconv.h>
#include <string.h>

enum { CHARSET_LIMIT = 64 };

struct word {
    char charset[CHARSET_LIMIT];
    char encoding; /* 'b' or 'q' */
    const char *text, *text_end, *end;
};

/* =?charset*language?encoding?text?= */
static bool find_parts(struct word *out, const char *at)
{
    const char *charset = at + 2, *encoding, *end;
    size_t size;

    if (strncmp(at, "=?", 2) != 0 || !(encoding = strchr(charset, '?')) || !encoding[1] ||
        encoding[2] != '?' || !(end = strstr(encoding + 3, "?=")))
        return false;
    size = strcspn(charset, "?*");
    if (size >= CHARSET_LIMIT || !strchr("bBqQ", encoding[1]))
        return false;
    memcpy(out->charset, charset, size);
    out->charset[size] = '\0';
    out->encoding = (char)(encoding[1] | 0x20);
    out->text = encoding + 3;
    out->text_end = end;
    out->end = end + 2;
    return true;
}

static int digit_value(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *digit = c ? strchr(digits, c) : NULL;

    return digit ? (int)(digit - digits) % 16 : -1;
}

static void decode_quoted(struct writer *w, const struct word *word)
{
    for (const char *p = word->text; p < word->text_end; p++) {
        char c = *p == '_' ? ' ' : *p;

        if (*p == '=' && digit_value(p[1]) >= 0 && digit_value(p[2]) >= 0) {
            c = (char)(digit_value(p[1]) * 16 + digit_value(p[2]));
            p += 2;
        }
        writer_put(w, &c, 1);
    }
}

/* What base64_decode() would refuse, other readers take: stray characters, bits and no padding. */
static void decode_base64(struct writer *w, const struct word *word)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0, count = 0;

    for (const char *p = word->text; p < word->text_end; p++) {
        const char *letter = strchr(letters, *p);
        unsigned char byte;

        if (!letter)
            continue;
        bits = bits << 6 | (unsigned)(letter - letters);
        if ((count += 6) < 8)
            continue;
        count -= 8;
        byte = (unsigned char)(bits >> count);
        writer_put(w, &byte, 1);
    }
}

/* Appends bytes as UTF-8; those that are not of the charset are left out. */
static void put_converted(struct writer *w, const char *charset, struct writer *bytes)
{
    iconv_t converter = iconv_open("UTF-8", charset);
    char *from = (char *)bytes->buf.data, room[256];
    size_t left = bytes->buf.size;

    if (converter == (iconv_t)-1) {
        writer_put(w, from, left);
        return;
    }
    while (left) {
        char *to = room;
        size_t room_left = sizeof room, before = left;

        if (iconv(converter, &from, &left, &to, &room_left) == (size_t)-1 && left == before &&
            to == room) {
            from++;
            left--;
        }
        writer_put(w, room, (size_t)(to - room));
    }
    (void)iconv_close(converter);
}

static void put_word(struct writer *w, const struct word *word)
{
    AUTO(writer) bytes = { 0 };

    if (word->encoding == 'q')
        decode_quoted(&bytes, word);
    else
        decode_base64(&bytes, word);
    w->failed = w->failed || bytes.failed;
    if (bytes.buf.size)
        put_converted(w, word->charset, &bytes);
}

void writer_decoded(struct writer *w, const char *text)
{
    struct word word;

    while (*text) {
        const char *at = strstr(text, "=?"), *next;

        if (!at) {
            writer_text(w, text);
            return;
        }
        writer_put(w, text, (size_t)(at - text));
        if (!find_parts(&word, at)) {
            writer_put(w, at, 2);
            text = at + 2;
            continue;
        }
        put_word(w, &word);
        next = word.end + strspn(word.end, " \t\r\n"); /* nothing between two of them (6.2) */
        text = strncmp(next, "=?", 2) == 0 ? next : word.end;
    }
}
