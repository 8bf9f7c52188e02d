/* Certification paths (RFC 5280, 6). */
#ifndef FORMAT_TRUST_H
#define FORMAT_TRUST_H

#include "key/key.h"

/* SE_ERR_REJECTED: no path from `certificate` by way of `others` (may be NULL) to a root, valid at `time`. */
SE_MUST_CHECK se_status trust_check(X509 *certificate, STACK_OF(X509) * others, X509_STORE *roots, int64_t time, se_error *err);

/* The same of a time stamping authority (RFC 3161, 2.3). */
SE_MUST_CHECK se_status trust_check_tsa(X509 *certificate, STACK_OF(X509) * others, X509_STORE *roots, int64_t time, se_error *err);

#endif
