/* SPDX-License-Identifier: Apache-2.0 */
/* A JWS as text: compact, or JSON with one signature or several (RFC 7515, 7), its payload inside
 * or detached (appendix F), in base64url or as it is (RFC 7797). */
#ifndef JOSE_JWS_VALUE_H
#define JOSE_JWS_VALUE_H

#include "jose/header.h"

enum { JWS_LIMIT = 64 << 20, JWS_SIGNATURES = 32 };

struct jws_signature {
    se_bytes protected; /* base64url */
    struct jose_header header;
    se_buf value;
};

/* It borrows the text that it was read from. */
struct jws_value {
    json_t *json;     /* NULL: compact */
    se_bytes payload; /* as it stands there */
    bool has_payload; /* of a compact one: whether it is not empty */
    bool unencoded;
    struct jws_signature signatures[JWS_SIGNATURES];
    size_t count; /* at least one */
};
void jws_value_free(struct jws_value *value);
AUTO_KIND(jws_value, struct jws_value, jws_value_free(p))

/* SE_ERR_FORMAT: it is none.  *out begins empty; the caller releases it, also after a failure. */
SE_MUST_CHECK se_status jws_value_read(struct jws_value *out, se_bytes text, se_error *err);

/* What is inside, decoded. */
SE_MUST_CHECK se_status jws_value_payload(se_buf *out, const struct jws_value *value,
                                          se_error *err);

/* What is written. */
struct jws_parts {
    se_bytes protected; /* base64url */
    se_bytes payload;   /* as it is to stand there; data NULL: detached */
    se_bytes signature;
};
SE_MUST_CHECK se_status jws_value_write(se_buf *out, se_jws_form form,
                                        const struct jws_parts *parts, se_error *err);

/* SE_ERR_USAGE: a payload that can't stand in that form as it is. */
SE_MUST_CHECK se_status jws_check_unencoded(se_jws_form form, se_bytes payload, se_error *err);

#endif
