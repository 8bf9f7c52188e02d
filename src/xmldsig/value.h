/* Signature values as XML signatures have them: RSA as it is, ECDSA as r and s of one length (RFC
 * 9231, 2.3.6). */
#ifndef XMLDSIG_VALUE_H
#define XMLDSIG_VALUE_H

#include "crypto/key.h"

SE_MUST_CHECK se_status xmldsig_value_make(se_buf *out, EVP_PKEY *key,
                                           const struct algorithm *algorithm, se_bytes signed_info,
                                           se_error *err);

/* SE_ERR_REJECTED: it is not the value of `signed_info` under that key. */
SE_MUST_CHECK se_status xmldsig_value_check(se_bytes value, EVP_PKEY *key,
                                            const struct algorithm *algorithm, se_bytes signed_info,
                                            se_error *err);

#endif
