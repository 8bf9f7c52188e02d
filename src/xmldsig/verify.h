/* SPDX-License-Identifier: Apache-2.0 */
/* What every verification of an XML signature does, whatever it covers. */
#ifndef XMLDSIG_VERIFY_H
#define XMLDSIG_VERIFY_H

#include "crypto/signature.h"
#include "xmldsig/c14n.h"
#include "xmldsig/read.h"

/* Who signed SignedInfo; SE_ERR_REJECTED: nobody that the job accepts. */
SE_MUST_CHECK se_status xmldsig_check_signer(struct verdict *out, const struct verify_job *job,
                                             const struct xml_signature *s, se_error *err);

/* SE_ERR_REJECTED: another content than that of the Reference. */
SE_MUST_CHECK se_status xmldsig_compare(const struct content_digest *digest,
                                        const struct xml_reference *r, se_error *err);

#endif
