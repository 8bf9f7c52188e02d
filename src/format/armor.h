/* PEM armour (RFC 7468) around a stream: put on while writing, sensed and taken off while reading.
 */
#ifndef FORMAT_ARMOR_H
#define FORMAT_ARMOR_H

#include <openssl/evp.h>

#include "base/stream.h"

/* Writes to `out` what its sink gets, as base64 between the lines of `label`.  Start it with
 * armor_begin(). */
struct armor {
    const se_sink *out;
    const char *label;
    EVP_ENCODE_CTX *base64;
};
SE_MUST_CHECK se_status armor_begin(struct armor *armor, const se_sink *out, const char *label,
                                    se_error *err);
se_sink armor_sink(struct armor *armor);
SE_MUST_CHECK se_status armor_end(struct armor *armor, se_error *err);
void armor_free(struct armor *armor);
AUTO_KIND(armor, struct armor, armor_free(p))

/*
 * Hands on the bytes of `in`, decoded if a PEM boundary comes first or after text, as they are if
 * not.  Start it with dearmor_begin(). What follows the armour is not looked at, as PEM readers do.
 */
struct dearmor {
    struct stream *in;
    EVP_ENCODE_CTX *base64; /* NULL: no armour */
    se_buf line;            /* raw bytes read ahead: in[at..end) */
    size_t at, end;
    se_buf plain; /* decoded, not yet handed on */
    size_t plain_at, plain_end;
    bool finished;
};
SE_MUST_CHECK se_status dearmor_begin(struct dearmor *dearmor, struct stream *in, se_error *err);
/* Like stream_read(); SE_ERR_FORMAT: the armour is broken. */
SE_MUST_CHECK se_status dearmor_read(size_t *got, struct dearmor *dearmor, void *data, size_t size,
                                     se_error *err);
void dearmor_free(struct dearmor *dearmor);

/* Whether there is armour in it, perhaps behind text. */
bool dearmor_finds(se_bytes value);

/* All that is in the armour, if there is any, or in the stream: at most `limit` bytes.
 * SE_ERR_FORMAT: there is more. */
SE_MUST_CHECK se_status dearmor_all(se_buf *out, struct stream *in, size_t limit, se_error *err);
AUTO_KIND(dearmor, struct dearmor, dearmor_free(p))

#endif
