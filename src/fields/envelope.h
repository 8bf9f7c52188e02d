/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encrypted values: what a data key encrypts, and that data key, wrapped by RSA-OAEP for a
 * certificate.  Many values may share one. To add a format: one file with a struct envelope_format,
 * one row in formats.c.
 */
#ifndef FIELDS_ENVELOPE_H
#define FIELDS_ENVELOPE_H

#include "crypto/crypto.h"
#include "crypto/key.h"
#include "crypto/provider_keymgmt.h"
#include "fields/aead.h"

enum {
    DATA_KEY_MAX = 64,
    DATA_KEY_ID = 32,
    VALUE_MAX = 1 << 30, /* bytes of plaintext, and of context */
};

/* Whose certificate wraps data keys. */
struct recipient {
    const struct key *key;
    unsigned version; /* of the descriptor */
};

/* A data key.  Each format makes of the secret what it encrypts with, once for all values. */
struct data_key {
    se_buf secret;  /* what is wrapped */
    se_buf wrapped; /* when encrypting */
    se_buf head;    /* what all its values begin with */
    se_buf text;    /* what all its values begin with as text; JWE: `wrapped` in it */
    unsigned char binding[SHA256_SIZE]; /* NX02: what its keys are bound to */
    struct aead aead;
    se_buf ivs; /* drawn and not used yet */
};
/* The same for another thread, but for the IVs.  Several may copy one at once, if nobody uses it
 * meanwhile. */
SE_MUST_CHECK se_status data_key_copy(struct data_key *out, const struct data_key *key,
                                      se_error *err);
void data_key_free(struct data_key *key);
AUTO_KIND(data_key, struct data_key, data_key_free(p))

/* The IV of the next value: `fixed`, or `size` random bytes if that is empty. */
SE_MUST_CHECK se_status data_key_iv(unsigned char *out, struct data_key *key, size_t size,
                                    se_bytes fixed, se_error *err);

/* One value to be made. */
struct seal_job {
    const struct algorithm *algorithm;
    const struct recipient *recipient;
    struct data_key *key; /* prepare_seal() has seen it */
    bool binary;          /* not text */
    se_bytes plain, context;
};

/* A value taken apart as far as it has to be to find its data key. */
struct envelope {
    const struct envelope_format *format;
    se_buf bytes;          /* in binary form */
    se_buf decoded;        /* what `wrapped` points to, if that is not in `bytes` */
    se_buf details;        /* what the format wants to know when it opens it */
    struct unwrap_how how; /* it was wrapped; DIGEST_NONE: it does not say */
    se_bytes wrapped;      /* the data key */
    se_bytes origin;       /* what the keys come from: `wrapped`, or all that is around it */
    struct aead_kind kind; /* how the value is encrypted */
    unsigned version;      /* of the descriptor, as it says; 0: it does not */
    se_bytes named_key;   /* its id, where it says that in place of a version; empty: it does not */
    bool anybody;         /* it may be for a key that it does not name as we do */
    bool unauthenticated; /* nothing tells that it was changed */
};
void envelope_free(struct envelope *envelope);
AUTO_KIND(envelope, struct envelope, envelope_free(p))

struct open_job {
    const struct envelope *envelope;
    struct data_key *key; /* prepare_open() has seen it */
    se_bytes context;
};

struct envelope_format {
    const char *name;
    bool binds_context;

    /* A value of this format, though one byte of it is wrong or its end is missing. */
    bool (*resembles)(se_bytes value);
    size_t (*secret_size)(const struct algorithm *algorithm);

    /* Makes job->key ready, which has the secret and the wrapped key.  job->plain and job->context
     * are not looked at. */
    se_status (*prepare_seal)(const struct seal_job *job, se_error *err);
    se_status (*seal)(se_buf *out, const struct seal_job *job, se_error *err);

    /* Of *out all but the format, which is set.  envelope_refused(): it can't be read. */
    se_status (*read)(struct envelope *out, se_bytes value, se_error *err);
    bool (*is_for)(const struct envelope *envelope, const struct recipient *recipient);
    /* envelope_refused(): the secret is none of this format. */
    se_status (*prepare_open)(struct data_key *key, const struct envelope *envelope, se_error *err);
    /* envelope_refused(): it does not decrypt; *out is empty then. */
    se_status (*open)(se_buf *out, const struct open_job *job, se_error *err);
};

extern const struct envelope_format nx02_format, cms_envelope_format, jwe_format, blob_format;

/* Of a cipher or of bare RSA-OAEP. */
const struct envelope_format *envelope_format(const struct algorithm *algorithm);

/*
 * `format`: NULL, and the value tells by itself, or the one that it has to have.
 * SE_ERR_FORMAT: it is no encrypted value at all; SE_ERR_REJECTED: it is a damaged one.
 */
SE_MUST_CHECK se_status envelope_read(struct envelope *out, se_bytes value,
                                      const struct envelope_format *format, se_error *err);

/* Whether both have the same data key, a number to look for such others by, and a name for that key
 * to remember it by. */
bool envelope_same_key(const struct envelope *a, const struct envelope *b);
size_t envelope_key_bucket(const struct envelope *envelope);
SE_MUST_CHECK se_status envelope_key_id(unsigned char out[DATA_KEY_ID],
                                        const struct envelope *envelope, se_error *err);

/* SE_ERR_REJECTED, and the one text for every value that does not decrypt, whatever the reason. */
se_status envelope_refused(se_error *err);

/* Whether `value` begins with `mark`, though one byte is wrong or the value ends before the mark
 * does. */
bool envelope_marked(se_bytes value, const char *mark);

#endif
