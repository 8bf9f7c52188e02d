/*
 * A seal: a checkpoint of the tree (C2SP tlog-checkpoint) with lines of our own, and the signature
 * of the descriptor's key, as a signed note (C2SP signed-note).  doc/formats.md has it line by
 * line.
 */
#ifndef HISTORY_SEAL_H
#define HISTORY_SEAL_H

#include "history/entry.h"

enum { CHAIN_NAME_MOST = 64, ORIGIN_ROOM = 160, SEAL_LIMIT = 4096, SIGNATURE_ROOM = 2100 };

enum seal_event {
    EVENT_NONE,    /* entries were added */
    EVENT_OPENS,   /* the first one */
    EVENT_CLOSES,  /* the last one */
    EVENT_RESIGNS, /* a newer key vouches for all before it */
    EVENT_ERASES,  /* the payload of the entry `subject` was erased */
    EVENT_PRUNES,  /* the entries up to `subject` were dropped */
};

struct seal {
    char chain[CHAIN_NAME_MOST + 1];
    struct chain_id id;
    uint64_t size; /* entries that it covers */
    struct hash root;
    uint64_t number;      /* from 1 */
    struct hash previous; /* SHA-256 of the whole seal before it; zeroes for the first */
    unsigned version;     /* of the descriptor */
    char algorithm[40];
    char descriptor[256];
    int64_t time; /* microseconds since 1970 */
    enum seal_event event;
    uint64_t subject;
};

/* A parsed note; the parts are borrowed from it. */
struct note {
    struct seal seal;
    se_bytes text;        /* what is signed */
    unsigned char key[4]; /* which key signed, seal_key() */
    unsigned char signature[SIGNATURE_ROOM];
    size_t signature_size;
};

/* "name": letters, digits, dot, dash, underscore, at most 64. */
bool chain_name_good(const char *name);

/* What is to be signed. */
SE_MUST_CHECK se_status seal_text(se_buf *out, const struct seal *seal, se_error *err);

/* The first four bytes of a hash over what the signature comes from. */
SE_MUST_CHECK se_status seal_key(unsigned char out[4], const struct seal *seal,
                                 const se_verifier *signer, se_error *err);

/* The note: text, signature line. */
SE_MUST_CHECK se_status seal_note(se_buf *out, const struct seal *seal, const unsigned char key[4],
                                  se_bytes signature, se_error *err);

/* The reverse; strict: one text for each seal.  SE_ERR_FORMAT. */
SE_MUST_CHECK se_status note_parse(struct note *out, se_bytes bytes, se_error *err);

/* That `signer` has made it.  SE_ERR_REJECTED. */
SE_MUST_CHECK se_status note_check(const struct note *note, const se_verifier *signer,
                                   se_error *err);

/* SHA-256 of the note. */
SE_MUST_CHECK se_status note_hash(struct hash *out, se_bytes bytes, se_error *err);

/* "opens", "" */
const char *seal_event_name(enum seal_event event);

/* "2026-11-21T12:46:13.123456Z" */
enum { TIME_ROOM = 40 };
void time_text(char out[TIME_ROOM], int64_t micros);
bool time_parse(int64_t *out, const char *text);

#endif
