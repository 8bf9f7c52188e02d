/* SPDX-License-Identifier: Apache-2.0 */
/* What has its time: certificates and those of their CAs, client secrets, versions, the clock. */
#ifndef ENGINE_CHECK_DATES_H
#define ENGINE_CHECK_DATES_H

#include "engine/check_row.h"

/* Of the certificate that the row is about, and of those above it as far as they are known. */
void check_certificate_dates(struct check_row *f, const struct key *key,
                             const se_check_options *options);

/* Of the client secrets that the key's logins need, as the configuration says (secretUntil). */
void check_secret_dates(struct check_row *f, const se_check_options *options);

/* Of the version.  SE_ERR_POLICY: it was the last one, and has ended. */
SE_MUST_CHECK se_status check_version_dates(struct check_row *f, const struct config *config,
                                            const se_check_options *options);

#endif
