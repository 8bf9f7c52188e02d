/* SPDX-License-Identifier: Apache-2.0 */
/* What a CMS signature brings that tells about revocation (RevocationInfoChoices of RFC 5652,
 * 10.2.1; RFC 5940). */
#ifndef CMS_REVOCATION_INFO_H
#define CMS_REVOCATION_INFO_H

#include <openssl/cms.h>

#include "crypto/revocation_report.h"

/* Adds the CRLs and OCSP responses of `cms`, which was read from `ber`. Those of other kinds, and
 * broken ones, are as if they were not there.  SE_ERR_REJECTED: there are more than 100. */
SE_MUST_CHECK se_status revocation_info_add(struct revocation_sources *sources,
                                            CMS_ContentInfo *cms, se_bytes ber, se_error *err);

#endif
