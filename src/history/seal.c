#include "history/seal.h"

#include <ctype.h>
#include <stdio.h>

#include "base/base64.h"

static const char *const events[] = {
    [EVENT_NONE] = "",           [EVENT_OPENS] = "opens",   [EVENT_CLOSES] = "closes",
    [EVENT_RESIGNS] = "resigns", [EVENT_ERASES] = "erases", [EVENT_PRUNES] = "prunes",
};

const char *seal_event_name(enum seal_event event)
{
    return events[event];
}

bool chain_name_good(const char *name)
{
    size_t size = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    return size && size <= CHAIN_NAME_MOST && !name[size];
}

/* ---- writing ---- */

static void put_hex(struct writer *w, const struct chain_id *id)
{
    for (size_t i = 0; i < CHAIN_ID_SIZE; i++)
        writer_format(w, "%02x", id->bytes[i]);
}

static void put_origin(struct writer *w, const struct seal *seal)
{
    writer_format(w, "signengine/history/%s/", seal->chain);
    put_hex(w, &seal->id);
}

se_status seal_text(se_buf *out, const struct seal *seal, se_error *err)
{
    AUTO(writer) w = { 0 };
    char time[TIME_ROOM];

    time_text(time, seal->time);
    put_origin(&w, seal);
    writer_format(&w, "\n%ju\n", (uintmax_t)seal->size);
    writer_base64(&w, hash_bytes(&seal->root));
    writer_format(&w, "\nseal %ju ", (uintmax_t)seal->number);
    writer_base64(&w, hash_bytes(&seal->previous));
    writer_format(&w, "\nsigner %u %s %s\ntime %s\n", seal->version, seal->algorithm,
                  seal->descriptor, time);
    if (seal->event)
        writer_format(&w, "event %s", events[seal->event]);
    if (seal->event == EVENT_ERASES || seal->event == EVENT_PRUNES)
        writer_format(&w, " %ju", (uintmax_t)seal->subject);
    writer_text(&w, seal->event ? "\n" : "");
    return writer_finish(out, &w, err);
}

se_status seal_key(unsigned char out[4], const struct seal *seal, const se_verifier *signer,
                   se_error *err)
{
    AUTO(writer) w = { 0 };
    se_bytes key = se_verifier_key(signer), part;
    struct hash hash;

    put_origin(&w, seal);
    writer_put(&w, "\n\xff", 2);
    writer_format(&w, "signengine %s\n", seal->algorithm);
    writer_put(&w, key.data, key.size);
    part = buf_bytes(&w.buf);
    if (w.failed || !hash_make(&hash, &part, 1))
        return error_memory(err);
    memcpy(out, hash.bytes, 4);
    return SE_OK;
}

se_status seal_note(se_buf *out, const struct seal *seal, const unsigned char key[4],
                    se_bytes signature, se_error *err)
{
    AUTO(writer) w = { 0 };
    AUTO(writer) signed_by = { 0 };
    AUTO(se_buf) text = SE_BUF_INIT;

    TRY(seal_text(&text, seal, err));
    writer_put(&signed_by, key, 4);
    writer_put(&signed_by, signature.data, signature.size);
    writer_put(&w, text.data, text.size);
    writer_text(&w, "\n\xe2\x80\x94 ");
    put_origin(&w, seal);
    writer_text(&w, " ");
    writer_base64(&w, buf_bytes(&signed_by.buf));
    writer_text(&w, "\n");
    w.failed = w.failed || signed_by.failed;
    return writer_finish(out, &w, err);
}

se_status note_check(const struct note *note, const se_verifier *signer, se_error *err)
{
    unsigned char key[4];
    se_signer who;

    se_verifier_signer(&who, signer);
    if (strcmp(who.algorithm, note->seal.algorithm) != 0)
        return error_set(err, SE_ERR_REJECTED, "it says %s, the key of version %u makes %s",
                         note->seal.algorithm, note->seal.version, who.algorithm);
    TRY(seal_key(key, &note->seal, signer, err));
    if (memcmp(key, note->key, sizeof key) != 0)
        return error_set(err, SE_ERR_REJECTED, "another key than that of version %u has signed it",
                         note->seal.version);
    return se_verifier_check(signer, note->text,
                             (se_bytes){ note->signature, note->signature_size }, err);
}

se_status note_hash(struct hash *out, se_bytes bytes, se_error *err)
{
    return hash_make(out, &bytes, 1) ? SE_OK : error_memory(err);
}
