/* SPDX-License-Identifier: Apache-2.0 */
/* PEM files taken apart: private keys, encrypted or not, certificates, in any order. */
#ifndef KEYSTORE_PEM_H
#define KEYSTORE_PEM_H

#include "keystore/bundle.h"

bool pem_has_key(se_bytes text);

/*
 * `pin` may be empty; NULL: private keys are left where they are.  `name` is the file's.  The
 * caller frees `bundle` also on failure.
 */
SE_MUST_CHECK se_status pem_bundle(struct bundle *bundle, se_bytes text, const se_buf *pin,
                                   const char *name, se_error *err);

#endif
