/* Reading seals: strictly, so that what is read and written again is the same, byte by byte. */
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/reader.h"
#include "base/text.h"
#include "history/seal.h"

/* Lines, and words within them; what is not there fails it, and it stays failed. */
struct scan {
    se_bytes left;
    bool failed;
};

static se_bytes until(struct scan *s, char end)
{
    const char *at = s->left.data;
    const char *found = s->left.size ? memchr(at, end, s->left.size) : NULL;
    se_bytes word = { at, found ? (size_t)(found - at) : 0 };

    if (!found) {
        s->failed = true;
        return (se_bytes){ "", 0 };
    }
    s->left = (se_bytes){ found + 1, s->left.size - word.size - 1 };
    return word;
}

static void expect(struct scan *s, const char *text)
{
    size_t size = strlen(text);

    if (s->left.size < size || strncmp(s->left.data, text, size) != 0) {
        s->failed = true;
        return;
    }
    s->left = (se_bytes){ (const char *)s->left.data + size, s->left.size - size };
}

static bool follows(const struct scan *s, const char *text)
{
    size_t size = strlen(text);

    return s->left.size >= size && strncmp(s->left.data, text, size) == 0;
}

static void copy(struct scan *s, char *out, size_t room, se_bytes word)
{
    if (word.size >= room || (word.size && memchr(word.data, 0, word.size))) {
        s->failed = true;
        word.size = 0;
    }
    if (word.size)
        memcpy(out, word.data, word.size);
    out[word.size] = '\0';
}

/* Without leading zeroes. */
static uint64_t number(struct scan *s, se_bytes word, uint64_t most)
{
    char text[24];
    unsigned long n = 0;

    copy(s, text, sizeof text, word);
    if (!text_number(&n, text, most) || (*text == '0' && text[1]))
        s->failed = true;
    return n;
}

static void hash_of(struct scan *s, struct hash *out, se_bytes word)
{
    AUTO(se_buf) bytes = SE_BUF_INIT;

    if (base64_decode(&bytes, word, NULL) || bytes.size != HASH_SIZE)
        s->failed = true;
    else
        memcpy(out, bytes.data, HASH_SIZE);
}

static int digit(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

static void hex_of(struct scan *s, struct chain_id *out, se_bytes word)
{
    const char *hex = word.data;

    if (word.size != sizeof out->bytes * 2) {
        s->failed = true;
        return;
    }
    for (size_t i = 0; i < sizeof out->bytes; i++) {
        int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

        s->failed = s->failed || high < 0 || low < 0;
        out->bytes[i] = (unsigned char)((high & 15) << 4 | (low & 15));
    }
}

static void scan_event(struct scan *s, struct seal *seal)
{
    char word[16];
    bool numbered = follows(s, "event erases ") || follows(s, "event prunes ");

    if (!follows(s, "event "))
        return;
    expect(s, "event ");
    copy(s, word, sizeof word, until(s, numbered ? ' ' : '\n'));
    for (enum seal_event e = EVENT_OPENS; e <= EVENT_PRUNES; e++)
        if (strcmp(word, seal_event_name(e)) == 0)
            seal->event = e;
    if (!seal->event || numbered != (seal->event == EVENT_ERASES || seal->event == EVENT_PRUNES))
        s->failed = true;
    if (numbered)
        seal->subject = number(s, until(s, '\n'), UINT64_MAX);
}

static void scan_text(struct scan *s, struct seal *seal)
{
    char time[TIME_ROOM];

    expect(s, "signengine/history/");
    copy(s, seal->chain, sizeof seal->chain, until(s, '/'));
    hex_of(s, &seal->id, until(s, '\n'));
    seal->size = number(s, until(s, '\n'), INT64_MAX);
    hash_of(s, &seal->root, until(s, '\n'));
    expect(s, "seal ");
    seal->number = number(s, until(s, ' '), INT64_MAX);
    hash_of(s, &seal->previous, until(s, '\n'));
    expect(s, "signer ");
    seal->version = (unsigned)number(s, until(s, ' '), INT32_MAX);
    copy(s, seal->algorithm, sizeof seal->algorithm, until(s, ' '));
    copy(s, seal->descriptor, sizeof seal->descriptor, until(s, '\n'));
    expect(s, "time ");
    copy(s, time, sizeof time, until(s, '\n'));
    s->failed = s->failed || !chain_name_good(seal->chain) || !time_parse(&seal->time, time);
    scan_event(s, seal);
}

static void scan_signature(struct scan *s, struct note *note)
{
    AUTO(se_buf) bytes = SE_BUF_INIT;

    expect(s, "\n\xe2\x80\x94 ");
    (void)until(s, ' ');
    if (base64_decode(&bytes, until(s, '\n'), NULL) || bytes.size <= 4 ||
        bytes.size - 4 > sizeof note->signature || s->left.size) {
        s->failed = true;
        return;
    }
    memcpy(note->key, bytes.data, 4);
    note->signature_size = bytes.size - 4;
    memcpy(note->signature, bytes.data + 4, note->signature_size);
}

/* There is one way to write a seal. */
static bool is_as_written(const struct note *note, se_bytes bytes)
{
    AUTO(se_buf) again = SE_BUF_INIT;

    return !seal_note(&again, &note->seal, note->key,
                      (se_bytes){ note->signature, note->signature_size }, NULL) &&
           again.size == bytes.size && memcmp(again.data, bytes.data, bytes.size) == 0;
}

se_status note_parse(struct note *out, se_bytes bytes, se_error *err)
{
    struct scan s = { bytes, bytes.size > SEAL_LIMIT };

    *out = (struct note){ .seal = { .size = 0 } };
    if (!s.failed)
        scan_text(&s, &out->seal);
    out->text = (se_bytes){ bytes.data, bytes.size - s.left.size };
    if (!s.failed)
        scan_signature(&s, out);
    if (s.failed || !is_as_written(out, bytes))
        return error_set(err, SE_ERR_FORMAT, "not the seal of a history");
    return SE_OK;
}
