/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A checkpoint of the tree (C2SP tlog-checkpoint) with lines of our own, and the signature of the
 * descriptor's key, as a signed note (C2SP signed-note).  Messages and the manual call it a seal;
 * doc/formats.md has it line by line.
 */
#ifndef HISTORY_SIGNED_NOTE_H
#define HISTORY_SIGNED_NOTE_H

#include "history/tree.h"

enum { CHAIN_NAME_MOST = 64, CHECKPOINT_LIMIT = 4096, SIGNATURE_ROOM = 2100, KEY_ID_SIZE = 4 };

enum checkpoint_event {
    EVENT_NONE,    /* entries were added */
    EVENT_OPENS,   /* the first one */
    EVENT_CLOSES,  /* the last one */
    EVENT_RESIGNS, /* a newer key vouches for all before it */
    EVENT_ERASES,  /* the payload of the entry `subject` was erased */
    EVENT_PRUNES,  /* the entries up to `subject` were dropped */
};

struct checkpoint {
    char chain[CHAIN_NAME_MOST + 1];
    struct chain_id id;
    uint64_t size; /* entries that it covers */
    struct hash root;
    uint64_t number;      /* from 1 */
    struct hash previous; /* SHA-256 of the whole note before it; zeroes for the first */
    unsigned version;     /* of the descriptor */
    char algorithm[40];
    char descriptor[256];
    int64_t time; /* microseconds since 1970 */
    enum checkpoint_event event;
    uint64_t subject;
};

/* A parsed note; its text is borrowed. */
struct signed_note {
    struct checkpoint checkpoint;
    se_bytes text; /* what is signed */
    unsigned char key_id[KEY_ID_SIZE];
    unsigned char signature[SIGNATURE_ROOM];
    size_t signature_size;
};

/* "name": letters, digits, dot, dash, underscore, at most 64. */
bool is_chain_name(const char *name);

/* What is to be signed. */
SE_MUST_CHECK se_status checkpoint_text(se_buf *out, const struct checkpoint *checkpoint,
                                        se_error *err);

/* The first bytes of a hash over name, algorithm and public key: which key signs. */
SE_MUST_CHECK se_status checkpoint_key_id(unsigned char out[KEY_ID_SIZE],
                                          const struct checkpoint *checkpoint,
                                          const se_verifier *signer, se_error *err);

/* Text and signature line. */
SE_MUST_CHECK se_status signed_note_write(se_buf *out, const struct checkpoint *checkpoint,
                                          const unsigned char key_id[KEY_ID_SIZE],
                                          se_bytes signature, se_error *err);

/* The reverse; strict: there is one text for each checkpoint.  SE_ERR_FORMAT. */
SE_MUST_CHECK se_status signed_note_parse(struct signed_note *out, se_bytes bytes, se_error *err);

/* That `signer` has made it.  SE_ERR_REJECTED. */
SE_MUST_CHECK se_status signed_note_verify(const struct signed_note *note,
                                           const se_verifier *signer, se_error *err);

/* SHA-256 of the whole note. */
SE_MUST_CHECK se_status signed_note_hash(struct hash *out, se_bytes bytes, se_error *err);

#endif
