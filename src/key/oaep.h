/* RSAES-OAEP (RFC 8017, 7.1), with MGF1 and without a label, for keys that are held and keys that are not. */
#ifndef KEY_OAEP_H
#define KEY_OAEP_H

#include "key/key.h"
#include "key/remote.h"

/* For the key's certificate: the private key is not needed.  SE_ERR_USAGE: `clear` is longer than the key takes. */
SE_MUST_CHECK se_status oaep_wrap(se_buf *out, struct key *key, const struct unwrap_how *how, se_bytes clear, se_error *err);

/* With key->private.  remote_refused(): it does not decrypt, for whatever reason. */
SE_MUST_CHECK se_status oaep_unwrap(se_buf *out, const struct key *key, const struct unwrap_how *how, se_bytes wrapped, se_error *err);

#endif
