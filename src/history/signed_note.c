/* SPDX-License-Identifier: Apache-2.0 */
/* Writing and reading checkpoints: strictly, so that what is read and written again is the same,
 * byte by byte. */
#include "history/signed_note.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/reader.h"
#include "base/text.h"

enum { MILLION = 1000000 };

static const char *const event_names[] = {
    [EVENT_NONE] = "",           [EVENT_OPENS] = "opens",   [EVENT_CLOSES] = "closes",
    [EVENT_RESIGNS] = "resigns", [EVENT_ERASES] = "erases", [EVENT_PRUNES] = "prunes",
};

static bool has_subject(enum checkpoint_event event)
{
    return event == EVENT_ERASES || event == EVENT_PRUNES;
}

bool is_chain_name(const char *name)
{
    size_t size = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    return size && size <= CHAIN_NAME_MOST && !name[size];
}

/* ---- writing ---- */

static void write_origin(struct writer *w, const struct checkpoint *checkpoint)
{
    writer_format(w, "signengine/history/%s/", checkpoint->chain);
    for (size_t i = 0; i < CHAIN_ID_SIZE; i++)
        writer_format(w, "%02x", checkpoint->id.bytes[i]);
}

se_status checkpoint_text(se_buf *out, const struct checkpoint *checkpoint, se_error *err)
{
    AUTO(writer) w = { 0 };
    char time[TIME_TEXT_ROOM];

    (void)time_format(time, TIME_RFC3339, checkpoint->time / MILLION);
    write_origin(&w, checkpoint);
    writer_format(&w, "\n%ju\n", (uintmax_t)checkpoint->size);
    writer_base64(&w, hash_bytes(&checkpoint->root));
    writer_format(&w, "\nseal %ju ", (uintmax_t)checkpoint->number);
    writer_base64(&w, hash_bytes(&checkpoint->previous));
    writer_format(&w, "\nsigner %u %s %s\n", checkpoint->version, checkpoint->algorithm,
                  checkpoint->descriptor);
    writer_format(&w, "time %.*s.%06dZ\n", (int)strcspn(time, "Z"), time,
                  (int)(checkpoint->time % MILLION));
    if (checkpoint->event)
        writer_format(&w, "event %s", event_names[checkpoint->event]);
    if (has_subject(checkpoint->event))
        writer_format(&w, " %ju", (uintmax_t)checkpoint->subject);
    writer_text(&w, checkpoint->event ? "\n" : "");
    return writer_finish(out, &w, err);
}

se_status checkpoint_key_id(unsigned char out[KEY_ID_SIZE], const struct checkpoint *checkpoint,
                            const se_verifier *signer, se_error *err)
{
    AUTO(writer) w = { 0 };
    se_bytes key = se_verifier_key(signer), part;
    struct hash hash;

    write_origin(&w, checkpoint);
    writer_put(&w, "\n\xff", 2);
    writer_format(&w, "signengine %s\n", checkpoint->algorithm);
    writer_put(&w, key.data, key.size);
    part = buf_bytes(&w.buf);
    if (w.failed || !hash_sha256(&hash, &part, 1))
        return error_memory(err);
    memcpy(out, hash.bytes, KEY_ID_SIZE);
    return SE_OK;
}

se_status signed_note_write(se_buf *out, const struct checkpoint *checkpoint,
                            const unsigned char key_id[KEY_ID_SIZE], se_bytes signature,
                            se_error *err)
{
    AUTO(writer) w = { 0 };
    AUTO(writer) signed_by = { 0 };
    AUTO(se_buf) text = SE_BUF_INIT;

    TRY(checkpoint_text(&text, checkpoint, err));
    writer_put(&signed_by, key_id, KEY_ID_SIZE);
    writer_put(&signed_by, signature.data, signature.size);
    writer_put(&w, text.data, text.size);
    writer_text(&w, "\n\xe2\x80\x94 ");
    write_origin(&w, checkpoint);
    writer_text(&w, " ");
    writer_base64(&w, buf_bytes(&signed_by.buf));
    writer_text(&w, "\n");
    w.failed = w.failed || signed_by.failed;
    return writer_finish(out, &w, err);
}

/* ---- reading ---- */

/* Lines, and words within them; one that is missing fails it, and it stays failed. */
struct note_scan {
    se_bytes left;
    bool failed;
};

static se_bytes scan_until(struct note_scan *s, char end)
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

static bool scan_follows(const struct note_scan *s, const char *text)
{
    size_t size = strlen(text);

    return s->left.size >= size && strncmp(s->left.data, text, size) == 0;
}

static void scan_expect(struct note_scan *s, const char *text)
{
    size_t size = strlen(text);

    if (!scan_follows(s, text)) {
        s->failed = true;
        return;
    }
    s->left = (se_bytes){ (const char *)s->left.data + size, s->left.size - size };
}

static void scan_copy(struct note_scan *s, char *out, size_t room, se_bytes word)
{
    if (word.size >= room || (word.size && memchr(word.data, 0, word.size))) {
        s->failed = true;
        word.size = 0;
    }
    if (word.size)
        memcpy(out, word.data, word.size);
    out[word.size] = '\0';
}

static uint64_t scan_number(struct note_scan *s, se_bytes word, uint64_t most)
{
    char text[24];
    unsigned long number = 0;

    scan_copy(s, text, sizeof text, word);
    if (!text_number(&number, text, most))
        s->failed = true;
    return number;
}

static void scan_hash(struct note_scan *s, struct hash *out, se_bytes word)
{
    AUTO(se_buf) bytes = SE_BUF_INIT;

    if (base64_decode(&bytes, word, NULL) || bytes.size != HASH_SIZE)
        s->failed = true;
    else
        memcpy(out, bytes.data, HASH_SIZE);
}

static void scan_chain_id(struct note_scan *s, struct chain_id *out, se_bytes word)
{
    char hex[2 * CHAIN_ID_SIZE + 1];

    scan_copy(s, hex, sizeof hex, word);
    for (size_t i = 0; !s->failed && i < CHAIN_ID_SIZE; i++)
        if (sscanf(hex + 2 * i, "%2hhx", &out->bytes[i]) != 1)
            s->failed = true;
}

static int64_t scan_time(struct note_scan *s, se_bytes word)
{
    char text[TIME_TEXT_ROOM];
    struct tm tm = { .tm_mday = 1 };
    const char *end;
    unsigned micros = 0;
    int64_t seconds;

    scan_copy(s, text, sizeof text, word);
    end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!end || sscanf(end, ".%6uZ", &micros) != 1)
        s->failed = true;
    seconds = (int64_t)timegm(&tm);
    if (seconds < 0)
        s->failed = true;
    return s->failed ? 0 : seconds * MILLION + micros;
}

static void scan_event(struct note_scan *s, struct checkpoint *checkpoint)
{
    char word[16];
    bool numbered = scan_follows(s, "event erases ") || scan_follows(s, "event prunes ");

    if (!scan_follows(s, "event "))
        return;
    scan_expect(s, "event ");
    scan_copy(s, word, sizeof word, scan_until(s, numbered ? ' ' : '\n'));
    for (enum checkpoint_event e = EVENT_OPENS; e <= EVENT_PRUNES; e++)
        if (strcmp(word, event_names[e]) == 0)
            checkpoint->event = e;
    if (!checkpoint->event || numbered != has_subject(checkpoint->event))
        s->failed = true;
    if (numbered)
        checkpoint->subject = scan_number(s, scan_until(s, '\n'), UINT64_MAX);
}

static void scan_text(struct note_scan *s, struct checkpoint *out)
{
    scan_expect(s, "signengine/history/");
    scan_copy(s, out->chain, sizeof out->chain, scan_until(s, '/'));
    scan_chain_id(s, &out->id, scan_until(s, '\n'));
    out->size = scan_number(s, scan_until(s, '\n'), INT64_MAX);
    scan_hash(s, &out->root, scan_until(s, '\n'));
    scan_expect(s, "seal ");
    out->number = scan_number(s, scan_until(s, ' '), INT64_MAX);
    scan_hash(s, &out->previous, scan_until(s, '\n'));
    scan_expect(s, "signer ");
    out->version = (unsigned)scan_number(s, scan_until(s, ' '), INT32_MAX);
    scan_copy(s, out->algorithm, sizeof out->algorithm, scan_until(s, ' '));
    scan_copy(s, out->descriptor, sizeof out->descriptor, scan_until(s, '\n'));
    scan_expect(s, "time ");
    out->time = scan_time(s, scan_until(s, '\n'));
    if (!is_chain_name(out->chain))
        s->failed = true;
    scan_event(s, out);
}

static void scan_signature(struct note_scan *s, struct signed_note *note)
{
    AUTO(se_buf) bytes = SE_BUF_INIT;

    scan_expect(s, "\n\xe2\x80\x94 ");
    (void)scan_until(s, ' ');
    if (base64_decode(&bytes, scan_until(s, '\n'), NULL) || bytes.size <= KEY_ID_SIZE ||
        bytes.size - KEY_ID_SIZE > sizeof note->signature || s->left.size) {
        s->failed = true;
        return;
    }
    memcpy(note->key_id, bytes.data, KEY_ID_SIZE);
    note->signature_size = bytes.size - KEY_ID_SIZE;
    memcpy(note->signature, bytes.data + KEY_ID_SIZE, note->signature_size);
}

/* There is one way to write a checkpoint: without leading zeroes, other letters, blanks ... */
static bool is_as_written(const struct signed_note *note, se_bytes bytes)
{
    AUTO(se_buf) again = SE_BUF_INIT;
    const se_bytes signature = { note->signature, note->signature_size };

    return !signed_note_write(&again, &note->checkpoint, note->key_id, signature, NULL) &&
           again.size == bytes.size && memcmp(again.data, bytes.data, bytes.size) == 0;
}

se_status signed_note_parse(struct signed_note *out, se_bytes bytes, se_error *err)
{
    struct note_scan s = { bytes, bytes.size > CHECKPOINT_LIMIT };

    *out = (struct signed_note){ .signature_size = 0 };
    if (!s.failed)
        scan_text(&s, &out->checkpoint);
    out->text = (se_bytes){ bytes.data, bytes.size - s.left.size };
    if (!s.failed)
        scan_signature(&s, out);
    if (s.failed || !is_as_written(out, bytes))
        return error_set(err, SE_ERR_FORMAT, "not the seal of a history");
    return SE_OK;
}

/* ---- checking ---- */

se_status signed_note_verify(const struct signed_note *note, const se_verifier *signer,
                             se_error *err)
{
    const struct checkpoint *checkpoint = &note->checkpoint;
    unsigned char key_id[KEY_ID_SIZE];
    se_signer who;

    se_verifier_signer(&who, signer);
    if (strcmp(who.algorithm, checkpoint->algorithm) != 0)
        return error_set(err, SE_ERR_REJECTED, "it says %s, the key of version %u makes %s",
                         checkpoint->algorithm, checkpoint->version, who.algorithm);
    TRY(checkpoint_key_id(key_id, checkpoint, signer, err));
    if (memcmp(key_id, note->key_id, sizeof key_id) != 0)
        return error_set(err, SE_ERR_REJECTED, "another key than that of version %u has signed it",
                         checkpoint->version);
    return se_verifier_check(signer, note->text,
                             (se_bytes){ note->signature, note->signature_size }, err);
}

se_status signed_note_hash(struct hash *out, se_bytes bytes, se_error *err)
{
    return hash_sha256(out, &bytes, 1) ? SE_OK : error_memory(err);
}
