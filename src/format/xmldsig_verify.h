/* What every verification of an XML signature does, whatever it covers. */
#ifndef FORMAT_XMLDSIG_VERIFY_H
#define FORMAT_XMLDSIG_VERIFY_H

#include "format/format.h"
#include "format/xmldsig_digest.h"
#include "format/xmldsig_read.h"

/* Who signed SignedInfo; SE_ERR_REJECTED: nobody that the job accepts. */
SE_MUST_CHECK se_status xmldsig_check_signer(struct verdict *out, const struct verify_job *job,
                                             const struct xml_signature *s, se_error *err);

/* SE_ERR_REJECTED: another content than that of the Reference. */
SE_MUST_CHECK se_status xmldsig_compare(const struct xml_digest *digest,
                                        const struct xml_reference *r, se_error *err);

#endif
