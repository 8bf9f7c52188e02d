/* SPDX-License-Identifier: Apache-2.0 */
/* PEM (RFC 7468). */
#ifndef CRYPTO_PEM_H
#define CRYPTO_PEM_H

#include <openssl/bio.h>
#include <openssl/evp.h>

#include "base/stream.h"

/* ---- texts as people have them: explanations between the blocks, and byte order marks that
 * editors put before a BEGIN line ---- */

AUTO_KIND(bio, BIO *, BIO_free(*p))

/* Whether there is a BEGIN line in it.  DER that holds one in its values is none. */
bool pem_text_is(se_bytes text);

/* To read with OpenSSL, which takes a BEGIN line only at the very start of a line; wiped when
 * freed.  NULL: out of memory. */
BIO *pem_text_open(se_bytes text);

/* ---- armour around a stream: put on while writing, sensed and taken off while reading ---- */

/* Writes to `out` what its sink gets, as base64 between the lines of `label`.  Start it with
 * pem_encoder_begin(). */
struct pem_encoder {
    const se_sink *out;
    const char *label;
    EVP_ENCODE_CTX *base64;
};
SE_MUST_CHECK se_status pem_encoder_begin(struct pem_encoder *armor, const se_sink *out,
                                          const char *label, se_error *err);
se_sink pem_encoder_sink(struct pem_encoder *armor);
SE_MUST_CHECK se_status pem_encoder_end(struct pem_encoder *armor, se_error *err);
void pem_encoder_free(struct pem_encoder *armor);
AUTO_KIND(pem_encoder, struct pem_encoder, pem_encoder_free(p))

/*
 * Hands on the bytes of `in`, decoded if a PEM boundary comes first or after text, as they are if
 * not.  Start it with pem_decoder_begin(). What follows the armour is not looked at, as PEM readers
 * do.
 */
struct pem_decoder {
    struct stream *in;
    EVP_ENCODE_CTX *base64; /* NULL: no armour */
    se_buf line;            /* raw bytes read ahead: in[at..end) */
    size_t at, end;
    se_buf plain; /* decoded, not yet handed on */
    size_t plain_at, plain_end;
    bool finished;
};
SE_MUST_CHECK se_status pem_decoder_begin(struct pem_decoder *decoder, struct stream *in,
                                          se_error *err);
/* Like stream_read(); SE_ERR_FORMAT: the armour is broken. */
SE_MUST_CHECK se_status pem_decoder_read(size_t *got, struct pem_decoder *decoder, void *data,
                                         size_t size, se_error *err);
void pem_decoder_free(struct pem_decoder *decoder);

/* Whether there is armour in it, perhaps behind text. */
bool pem_decoder_finds(se_bytes value);

/* All that is in the armour, if there is any, or in the stream: at most `limit` bytes.
 * SE_ERR_FORMAT: there is more. */
SE_MUST_CHECK se_status pem_decoder_all(se_buf *out, struct stream *in, size_t limit,
                                        se_error *err);
AUTO_KIND(pem_decoder, struct pem_decoder, pem_decoder_free(p))

#endif
