/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JOSE header of a JWS (RFC 7515, 4), and JSON as all of JOSE is read here: an object in UTF-8
 * with each member once, not deep, and nothing behind it.
 */
#ifndef JOSE_HEADER_H
#define JOSE_HEADER_H

#include <jansson.h>

#include "crypto/signature.h"

enum { JOSE_HEADER_LIMIT = 16384, JOSE_DEPTH = 8 };

AUTO_KIND(jose_json, json_t *, json_decref(*p))

/* SE_ERR_FORMAT: it is no such object; `what` is what messages call it.  The caller releases *out.
 */
SE_MUST_CHECK se_status jose_object_read(json_t **out, se_bytes text, const char *what,
                                         se_error *err);

struct jose_header {
    json_t *protected;         /* counted */
    const json_t *unprotected; /* of the JSON forms; NULL: there is none */
    const char *algorithm;     /* as it stands there */
    bool unencoded;            /* RFC 7797: b64 is false */
};
void jose_header_free(struct jose_header *header);
AUTO_KIND(jose_header, struct jose_header, jose_header_free(p))

/*
 * Reads the protected header from its base64url, and looks at the unprotected one, which may be
 * NULL and outlives *out.  SE_ERR_FORMAT: it is not what RFC 7515, 4 and RFC 7797 prescribe, or its
 * algorithm is not protected.  The caller releases *out, which begins empty, also after a failure.
 */
SE_MUST_CHECK se_status jose_header_read(struct jose_header *out, se_bytes encoded,
                                         const json_t *unprotected, se_error *err);

/* SE_ERR_REJECTED: it has what has to be understood and isn't, or what says where a key is to be
 * fetched. */
SE_MUST_CHECK se_status jose_header_understand(const struct jose_header *header, se_error *err);

/* Whether all that it says of a key is true of that one; `key_id`: what its kid has to be, NULL:
 * the thumbprint of the key.  A header that says nothing is anybody's. */
bool jose_header_is_of(const struct jose_header *header, X509 *certificate, const char *key_id);

/* SE_ERR_REJECTED: it does not say by which key it was made: by thumbprint (RFC 7638), certificate
 * or key. A kid of another kind can be anybody's. */
SE_MUST_CHECK se_status jose_header_require_key(const struct jose_header *header, se_error *err);

/* Whether it says that it was made with the key of that one. */
bool jose_header_names(const struct jose_header *header, X509 *certificate);

/* Why it is of none. */
se_status jose_header_refuse_key(const struct jose_header *header, se_error *err);

/* SE_ERR_REJECTED: its typ is not that media type (RFC 7515, 4.1.9).  `required`: it has to be
 * there. */
SE_MUST_CHECK se_status jose_header_check_type(const struct jose_header *header, const char *type,
                                               bool required, se_error *err);

/* ---- writing ---- */

/* SE_ERR_USAGE: a member is one that signing decides about, or comes twice, or is no UTF-8. */
SE_MUST_CHECK se_status jose_header_write(struct writer *w, const struct algorithm *algorithm,
                                          const struct key *key, const se_jws_sign_params *params,
                                          se_error *err);

#endif
