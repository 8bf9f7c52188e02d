/* The URIs by which XML signatures name things: what is not here is not accepted, and not made. */
#ifndef XMLDSIG_NAMES_H
#define XMLDSIG_NAMES_H

#include "config/algorithm.h"

#define XMLDSIG_NAMESPACE "http://www.w3.org/2000/09/xmldsig#"
#define XMLDSIG_ENVELOPED XMLDSIG_NAMESPACE "enveloped-signature"
#define XMLDSIG_OBJECT    XMLDSIG_NAMESPACE "Object"
#define XMLDSIG_C14N      "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
#define XMLDSIG_EXCLUSIVE "http://www.w3.org/2001/10/xml-exc-c14n#"

/* SE_ERR_REJECTED, with why: there is no such algorithm, or it is not good enough. */
SE_MUST_CHECK se_status xmldsig_signature_method(const struct algorithm **out, const char *uri,
                                                 se_error *err);
SE_MUST_CHECK se_status xmldsig_digest_method(enum digest *out, const char *uri, se_error *err);

/* NULL: XML signatures have no name for it. */
const char *xmldsig_signature_uri(const struct algorithm *algorithm);
const char *xmldsig_digest_uri(enum digest digest);

#endif
