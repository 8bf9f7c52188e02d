/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648, sections 4 and 5). */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

/* One line of text, padded. */
SE_MUST_CHECK se_status base64_encode(se_buf *out, se_bytes in, se_error *err);

/* Into a text that is being written. */
void writer_base64(struct writer *w, se_bytes in);

/* PEM (RFC 7468) of that label, as "CERTIFICATE", in lines of 64 characters. */
void writer_pem(struct writer *w, const char *label, se_bytes der);

/* Into room of base64_size() characters that the caller has. */
size_t base64_size(size_t bytes);
void base64_write(unsigned char *out, se_bytes in);

/* Strict: no white space, padded, no stray bits: one text for each value.  SE_ERR_FORMAT otherwise.
 */
SE_MUST_CHECK se_status base64_decode(se_buf *out, se_bytes in, se_error *err);

/* How many letters of section 4 the text begins with; padding is none. */
size_t base64_span(se_bytes text);

/* Base64 as mail has it (RFC 2045, 6.8): what is no letter is passed over, padding ends a group,
 * the last group may lack it, and bits left over count for nothing. */
struct base64_reader {
    unsigned value, letters; /* of the group that is being read */
};
/* At most text.size / 4 * 3 + 3 bytes go to `out`; returns how many. */
size_t base64_read(unsigned char *out, struct base64_reader *reader, se_bytes text);
/* The bytes of a last group without padding, at most 2. */
size_t base64_read_end(unsigned char *out, struct base64_reader *reader);

/* Strict, with the letters of section 5 and without padding, as JOSE has it (RFC 7515, 2). */
SE_MUST_CHECK se_status base64url_encode(se_buf *out, se_bytes in, se_error *err);
void writer_base64url(struct writer *w, se_bytes in);
SE_MUST_CHECK se_status base64url_decode(se_buf *out, se_bytes in, se_error *err);

#endif
