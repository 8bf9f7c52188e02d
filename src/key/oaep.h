/* RSAES-OAEP encryption (RFC 8017, 7.1.1), with MGF1 and without a label. */
#ifndef KEY_OAEP_H
#define KEY_OAEP_H

#include "key/key.h"
#include "key/kit.h"
#include "key/remote.h"

/* For the key's certificate: the private key is not needed.  SE_ERR_USAGE: `clear` is longer than the key takes. */
SE_MUST_CHECK se_status oaep_wrap(se_buf *out, struct key *key, struct kit *kit, const struct unwrap_how *how, se_bytes clear,
                                  se_error *err);

#endif
