/* What the two editions of NX02 (doc/formats.md), fields and containers, have in common: the head,
 * and where their keys come from. */
#ifndef FIELDS_NX02_H
#define FIELDS_NX02_H

#include "base/reader.h"
#include "fields/envelope.h"

#define NX02_MAGIC "NX02"

enum {
    NX02_FIELD = 1, /* editions */
    NX02_CONTAINER = 2,

    NX02_MAGIC_SIZE = 4,
    NX02_HEAD = 31, /* without the wrapped key */
    NX02_SECRET = 32,
    NX02_SALT = 16,
    NX02_HASH = 32,
};

/* What all values of a data key begin with. */
struct nx02_head {
    unsigned edition, cipher, key_bytes, oaep, mgf1, version;
    se_bytes key_id, wrapped;
};

/* false: it is cut short, or holds what is not known. */
bool nx02_head_get(struct nx02_head *head, struct reader *r);
enum cipher nx02_cipher(const struct nx02_head *head);

/* How many bytes of wrapped key follow a head's first NX02_HEAD. */
size_t nx02_head_wrapped(const unsigned char head[NX02_HEAD]);

/* Of `out` what a head of `size` bytes, which is at the beginning of out->bytes, tells.
 * envelope_refused(): it is none of `edition`. */
SE_MUST_CHECK se_status nx02_envelope(struct envelope *out, size_t *size, struct kit *kit,
                                      unsigned edition, se_error *err);
bool nx02_is_for(const struct envelope *envelope, const struct recipient *recipient);

/* Fills key->head, and key->derived from it and the secret. */
SE_MUST_CHECK se_status nx02_prepare(struct data_key *key, const struct seal_job *job,
                                     unsigned edition, se_error *err);

/* key->derived, when opening.  envelope_refused(): the secret is none of ours. */
SE_MUST_CHECK se_status nx02_prepare_open(struct data_key *key, const struct envelope *envelope,
                                          struct kit *kit, se_error *err);

enum { NX02_INFO_MOST = 5 };
/* The first block of HKDF-Expand (RFC 5869, 2.3) with up to NX02_INFO_MOST pieces of info: no more
 * is needed. */
bool nx02_expand(unsigned char out[NX02_HASH], struct kit *kit, const unsigned char from[NX02_HASH],
                 const se_bytes *info, size_t count);

se_status nx02_failed(se_error *err);

#endif
