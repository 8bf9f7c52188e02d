/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS #12 files taken apart: into keys and certificates, or into the bags that they are made of.
 */
#ifndef KEYSTORE_PKCS12_H
#define KEYSTORE_PKCS12_H

#include <openssl/pkcs12.h>

#include "keystore/bundle.h"
#include "keystore/password.h"

AUTO_KIND(bags, STACK_OF(PKCS12_SAFEBAG) *, sk_PKCS12_SAFEBAG_pop_free(*p, PKCS12_SAFEBAG_free))

struct pkcs12_file {
    STACK_OF(PKCS12_SAFEBAG) *
        bags; /* of all its safes, those inside of others too (RFC 7292, 4.2.6), in their order */
    struct passwords passwords; /* the one that opens it is the first */
    bool vouched;               /* by its MAC: the PIN is right */
    se_error sealed; /* with a status: a part of it can't be read, and would be lost if it were
                        written again */
};

/* `pin` outlives *out.  SE_ERR_STORE: not a PKCS #12 file; SE_ERR_ACCESS: another PIN is needed. */
SE_MUST_CHECK se_status pkcs12_read(struct pkcs12_file *out, se_bytes file, const se_buf *pin,
                                    se_error *err);
void pkcs12_file_free(struct pkcs12_file *file);
AUTO_KIND(pkcs12_file, struct pkcs12_file, pkcs12_file_free(p))

/* Adds the key or certificate that the bag holds; any other bag adds nothing, nor does a
 * certificate that can't be read. */
SE_MUST_CHECK se_status pkcs12_add_bag(struct bundle *bundle, struct pkcs12_file *file,
                                       PKCS12_SAFEBAG *bag, se_error *err);

/* Everything at once; the caller frees `bundle` also on failure. */
SE_MUST_CHECK se_status pkcs12_bundle(struct bundle *bundle, se_bytes file, const se_buf *pin,
                                      se_error *err);

#endif
