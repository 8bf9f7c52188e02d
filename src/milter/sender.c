/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/sender.h"

#include <ctype.h>
#include <iconv.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/text.h"
#include "base/utf8.h"
#include "signengine-mail.h"

/* Far more than any field shows; each is compared with all rules. */
enum { SENDERS_LIMIT = 2000, CHARSET_LIMIT = 64 };

/* ---- characters ---- */

struct range {
    uint32_t first, last;
};

static bool is_within(const struct range *ranges, size_t count, uint32_t c)
{
    for (size_t i = 0; i < count; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

/*
 * What the eye sees: characters without a shape are nothing (Unicode's
 * Default_Ignorable_Code_Point, and control characters), blanks of any width are blanks, and
 * letters of full width are those of ASCII, as NFKC has them.
 */
static void put_shown(struct writer *w, const char *text)
{
    static const struct range unseen[] = {
        { 0x00, 0x08 },     { 0x0a, 0x1f },       { 0x7f, 0x7f },       { 0xad, 0xad },
        { 0x34f, 0x34f },   { 0x61c, 0x61c },     { 0x115f, 0x1160 },   { 0x17b4, 0x17b5 },
        { 0x180b, 0x180f }, { 0x200b, 0x200f },   { 0x202a, 0x202e },   { 0x2060, 0x206f },
        { 0x3164, 0x3164 }, { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 },
        { 0xfff0, 0xfff8 }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff }
    };
    static const struct range blanks[] = { { 0x09, 0x09 },     { 0xa0, 0xa0 },
                                           { 0x1680, 0x1680 }, { 0x2000, 0x200a },
                                           { 0x2028, 0x2029 }, { 0x202f, 0x202f },
                                           { 0x205f, 0x205f }, { 0x3000, 0x3000 } };
    size_t size;

    for (; *text; text += size) {
        uint32_t c = (unsigned char)*text; /* a byte that is no UTF-8 stands for itself */
        char ascii;

        size = utf8_next(&c, text);
        size += !size;
        ascii = (char)(c - 0xff01 + '!');
        if (is_within(unseen, sizeof unseen / sizeof *unseen, c))
            continue;
        if (is_within(blanks, sizeof blanks / sizeof *blanks, c))
            writer_text(w, " ");
        else if (c >= 0xff01 && c <= 0xff5e)
            writer_put(w, &ascii, 1);
        else
            writer_put(w, text, size);
    }
}

/* ---- RFC 5322, 3.2 ---- */

/* The text behind a comment that begins here; comments nest.  One that does not end goes to the
 * end. */
static const char *address_skip_comment(const char *p)
{
    size_t depth = 0;

    do {
        depth += *p == '(';
        depth -= *p == ')';
        p += *p == '\\' && p[1] ? 2 : 1;
    } while (depth && *p);
    return p;
}

/* Without quotes and comments, for which `comment` stands: between two letters some readers see
 * nothing there, others a blank. */
static void put_unquoted(struct writer *w, const char *text, const char *comment, bool in_quotes)
{
    bool quoted = false;

    while (*text) {
        if (*text == '(' && (!quoted || in_quotes)) {
            text = address_skip_comment(text);
            writer_text(w, comment);
        } else if (*text == '"') {
            quoted = !quoted;
            text++;
        } else {
            text += *text == '\\' && text[1];
            writer_put(w, text++, 1);
        }
    }
}

/* Without the blanks around '@', and around dots if `dots` (obsolete forms, 4.4). */
static void put_joined(struct writer *w, const char *text, bool dots)
{
    const char *const joints = dots ? "@." : "@";

    for (const char *p = text; *p; p++) {
        const char *next = p + strspn(p, " ");
        bool joined = p > text && strchr(joints, p[-1]);

        if (*p == ' ' && (joined || (*next && strchr(joints, *next))))
            p = next - 1;
        else
            writer_put(w, p, 1);
    }
}

/* ---- one address ---- */

static char *copy_lower_address(const char *text)
{
    char *out = strdup(text);
    size_t size = out ? strlen(out) : 0;

    while (size && out[size - 1] == '.') /* the DNS's root */
        out[--size] = '\0';
    for (char *p = out; p && *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return out;
}

/* The domain as the DNS has it; only that of an address is converted, whatever its local part is.
 */
static char *settle_domain(const char *address)
{
    const char *at = strrchr(address, '@');
    AUTO(se_buf) read = SE_BUF_INIT;
    AUTO(writer) probe = { 0 }, whole = { 0 };

    writer_format(&probe, "x%s", at ? at : "");
    if (!at || text_is_ascii(at) || se_mail_address(&read, writer_string(&probe), NULL))
        return copy_lower_address(address);
    writer_put(&whole, address, (size_t)(at - address));
    writer_text(&whole, (const char *)read.data + 1);
    return whole.failed || probe.failed ? NULL : copy_lower_address(writer_string(&whole));
}

char *sender_settle(const char *text)
{
    AUTO(writer) visible = { 0 }, bare = { 0 }, joined = { 0 };

    put_shown(&visible, text);
    put_unquoted(&bare, writer_string(&visible), "", false);
    put_joined(&joined, writer_string(&bare), true);
    return visible.failed || bare.failed || joined.failed ? NULL
                                                          : settle_domain(writer_string(&joined));
}

/* ---- encoded words (RFC 2047), as the most lenient reader takes them ---- */

struct encoded_word {
    char charset[CHARSET_LIMIT];
    char encoding; /* 'b' or 'q' */
    const char *text, *text_end, *end;
};

/* =?charset*language?encoding?text?= */
static bool split_encoded_word(struct encoded_word *out, const char *at)
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

static void decode_quoted(struct writer *w, const struct encoded_word *word)
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

/* Readers take more than base64_decode() does. */
static void decode_base64(struct writer *w, const struct encoded_word *word)
{
    const se_bytes text = { word->text, (size_t)(word->text_end - word->text) };
    struct base64_reader reader = { 0 };
    unsigned char *room = writer_room(w, text.size / 4 * 3 + 3);
    size_t size;

    if (!room)
        return;
    size = base64_read(room, &reader, text);
    writer_filled(w, size + base64_read_end(room + size, &reader));
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

static void put_encoded_word(struct writer *w, const struct encoded_word *word)
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

static void put_decoded(struct writer *w, const char *text)
{
    struct encoded_word word;

    while (*text) {
        const char *at = strstr(text, "=?"), *next;

        if (!at) {
            writer_text(w, text);
            return;
        }
        writer_put(w, text, (size_t)(at - text));
        if (!split_encoded_word(&word, at)) {
            writer_put(w, at, 2);
            text = at + 2;
            continue;
        }
        put_encoded_word(w, &word);
        next = word.end + strspn(word.end, " \t\r\n"); /* nothing between two of them (6.2) */
        text = strncmp(next, "=?", 2) == 0 ? next : word.end;
    }
}

/* ---- all that a field shows ---- */

struct search {
    sender_fn fn;
    void *arg;
    size_t count;
    bool failed;
};

static const char separators[] = " ()<>[],;:\"\\@";

static void take_address(struct search *s, const char *start, const char *at, const char *domain)
{
    AUTO(writer) address = { 0 };
    char *settled;

    s->count++;
    writer_put(&address, start, (size_t)(at - start));
    writer_text(&address, "@");
    writer_put(&address, domain, strcspn(domain, separators));
    if (address.failed || !(settled = settle_domain(writer_string(&address)))) {
        s->failed = true;
        return;
    }
    s->fn(s->arg, settled);
    free(settled);
}

/* What stands around each '@', or several of them. */
static void search_text(struct search *s, const char *text)
{
    for (const char *at = text, *domain; (at = strchr(at, '@')) && s->count < SENDERS_LIMIT;
         at = domain) {
        const char *start = at;

        domain = at + strspn(at, "@");
        while (start > text && !strchr(separators, start[-1]))
            start--;
        if (start < at && !strchr(separators, *domain))
            take_address(s, start, at, domain);
    }
}

/* One way to read it; `comment` NULL: comments and quotes are text. */
static void search_reading(struct search *s, const char *visible, const char *comment,
                           bool in_quotes)
{
    AUTO(writer) bare = { 0 };

    if (comment)
        put_unquoted(&bare, visible, comment, in_quotes);
    for (int dots = 0; dots < 2; dots++) {
        AUTO(writer) joined = { 0 };

        put_joined(&joined, comment ? writer_string(&bare) : visible, dots);
        s->failed = s->failed || bare.failed || joined.failed;
        search_text(s, writer_string(&joined));
    }
}

/* As it stands, and without comments and quotes, which some readers find where others do not. */
static void search_value(struct search *s, const char *value)
{
    static const char *const comments[] = { NULL, "", " " };
    AUTO(writer) visible = { 0 };

    put_shown(&visible, value);
    s->failed = s->failed || visible.failed;
    for (size_t i = 0; i < sizeof comments / sizeof *comments; i++)
        for (int in_quotes = 0; in_quotes < (comments[i] ? 2 : 1); in_quotes++)
            search_reading(s, writer_string(&visible), comments[i], in_quotes);
}

static bool is_blank_text(const char *text)
{
    return !text[strspn(text, " \t\r\n")];
}

se_status senders_read(const char *value, sender_fn fn, void *arg, se_error *err)
{
    struct search s = { .fn = fn, .arg = arg };
    AUTO(writer) decoded = { 0 };

    if (is_blank_text(value)) /* to the MTA there may be a NUL, where libmilter's text ends */
        return error_set(err, SE_ERR_FORMAT, "it is empty");
    search_value(&s, value);
    put_decoded(&decoded, value);
    if (strcmp(writer_string(&decoded), value) != 0)
        search_value(&s, writer_string(&decoded));
    if (s.failed || decoded.failed)
        return error_memory(err);
    return s.count < SENDERS_LIMIT
               ? SE_OK
               : error_set(err, SE_ERR_FORMAT, "it has more than %d addresses", SENDERS_LIMIT);
}
