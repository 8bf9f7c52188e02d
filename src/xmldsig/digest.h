/* Hashing what a Reference covers, while it passes. */
#ifndef XMLDSIG_DIGEST_H
#define XMLDSIG_DIGEST_H

#include "base/stream.h"
#include "crypto/padding.h"

struct xml_digest {
    EVP_MD_CTX *context;
    const se_sink *content; /* gets what is hashed; may be NULL */
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size;
};
SE_MUST_CHECK se_status xml_digest_begin(struct xml_digest *out, enum digest digest,
                                         const se_sink *content, se_error *err);
SE_MUST_CHECK se_status xml_digest_take(void *digest, se_bytes piece,
                                        se_error *err); /* a stream_take_fn */
SE_MUST_CHECK se_status xml_digest_end(struct xml_digest *digest,
                                       se_error *err); /* `hash` is there */
void xml_digest_free(struct xml_digest *digest);
AUTO_KIND(xml_digest, struct xml_digest, xml_digest_free(p))

/* Appends to a struct writer; a stream_take_fn. */
SE_MUST_CHECK se_status xml_collect(void *writer, se_bytes piece, se_error *err);

/* All of `in`, NUL-terminated; SE_ERR_FORMAT: more than a document may have. */
SE_MUST_CHECK se_status xml_read_all(se_buf *out, struct stream *in, se_error *err);

#endif
