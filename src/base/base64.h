/* Base64 (RFC 4648, section 4). */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

/* One line of text, padded. */
SE_MUST_CHECK se_status base64_encode(se_buf *out, se_bytes in, se_error *err);

/* Strict: no white space, padded, no stray bits: one text for each value.  SE_ERR_FORMAT otherwise. */
SE_MUST_CHECK se_status base64_decode(se_buf *out, se_bytes in, se_error *err);

#endif
