/* PEM files taken apart: private keys, encrypted or not, certificates, in any order. */
#ifndef STORE_PEM_H
#define STORE_PEM_H

#include "store/bundle.h"

bool pem_has_key(se_bytes text);

/*
 * `pin` may be empty; NULL: private keys are left where they are.  `name` is the file's.  The
 * caller frees `bundle` also on failure.
 */
SE_MUST_CHECK se_status pem_bundle(struct bundle *bundle, se_bytes text, const se_buf *pin,
                                   const char *name, se_error *err);

#endif
