/*
 * Encrypted values: what a data key encrypts, and that data key, wrapped by RSA-OAEP for a
 * certificate.  Many values may share one. To add a format: one file with a struct envelope_format,
 * one row in envelopes.c.
 */
#ifndef FIELDS_ENVELOPE_H
#define FIELDS_ENVELOPE_H

#include "crypto/key.h"
#include "crypto/kit.h"
#include "crypto/provider_keymgmt.h"

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

struct data_key {
    se_buf secret;  /* what is wrapped */
    se_buf wrapped; /* when encrypting */
    se_buf head;    /* when encrypting: what all its values begin with */
    se_buf derived; /* what the format makes of it, once for all values */
};
void data_key_free(struct data_key *key);
AUTO_KIND(data_key, struct data_key, data_key_free(p))

/* One value to be made. */
struct seal_job {
    const struct algorithm *algorithm;
    const struct recipient *recipient;
    const struct data_key *key; /* prepare_seal() has seen it */
    struct kit *kit;
    bool binary; /* not text */
    se_bytes plain, context;
};

/* A value taken apart as far as it has to be to find its data key. */
struct envelope {
    const struct envelope_format *format;
    se_buf bytes;                  /* in binary form */
    se_buf decoded;                /* what `wrapped` points to, if that is not in `bytes` */
    se_buf details;                /* what the format wants to know when it opens it */
    struct unwrap_how how;         /* it was wrapped; DIGEST_NONE: it does not say */
    se_bytes wrapped;              /* the data key */
    unsigned char id[DATA_KEY_ID]; /* values with the same have the same data key */
    unsigned version;              /* of the descriptor, as it says; 0: it does not */
    bool anybody;                  /* it may be for a key that it does not name as we do */
    bool unauthenticated;          /* nothing tells that it was changed */
};
void envelope_free(struct envelope *envelope);
AUTO_KIND(envelope, struct envelope, envelope_free(p))

struct open_job {
    const struct envelope *envelope;
    const struct data_key *key; /* prepare_open() has seen it */
    struct kit *kit;
    se_bytes context;
};

struct envelope_format {
    const char *name;
    bool binds_context;
    bool own_keys; /* each value has keys of its own, so that a fixed IV does no harm */

    /* A value of this format, though one byte of it is wrong or its end is missing. */
    bool (*resembles)(se_bytes value);
    size_t (*secret_size)(const struct algorithm *algorithm);

    /* Fills key->head and key->derived from the secret and the wrapped key.  job->plain and
     * job->context are not looked at. */
    se_status (*prepare_seal)(struct data_key *key, const struct seal_job *job, se_error *err);
    se_status (*seal)(se_buf *out, const struct seal_job *job, se_error *err);

    /* Of *out all but the format, which is set.  envelope_refused(): it can't be read. */
    se_status (*read)(struct envelope *out, struct kit *kit, se_bytes value, se_error *err);
    bool (*is_for)(const struct envelope *envelope, const struct recipient *recipient);
    /* envelope_refused(): the secret is none of this format. */
    se_status (*prepare_open)(struct data_key *key, const struct envelope *envelope,
                              struct kit *kit, se_error *err);
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
SE_MUST_CHECK se_status envelope_read(struct envelope *out, struct kit *kit, se_bytes value,
                                      const struct envelope_format *format, se_error *err);

/* SE_ERR_REJECTED, and the one text for every value that does not decrypt, whatever the reason. */
se_status envelope_refused(se_error *err);

/* Whether `value` begins with `mark`, though one byte is wrong or the value ends before the mark
 * does. */
bool envelope_marked(se_bytes value, const char *mark);

#endif
