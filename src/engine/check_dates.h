/* SPDX-License-Identifier: Apache-2.0 */
/* What has its time: certificates and those of their CAs, client secrets, versions, the clock, time
 * stamping authorities and evidence records. */
#ifndef ENGINE_CHECK_DATES_H
#define ENGINE_CHECK_DATES_H

#include "engine/check_row.h"

/* The caller's, with defaults; `options` may be NULL. */
SE_MUST_CHECK se_status check_options_read(se_check_options *out, const se_check_options *options,
                                           se_error *err);

/* Of the certificate that the row is about, and of those above it as far as they are known. */
void check_certificate_dates(struct check_row *f, const struct key *key,
                             const se_check_options *options);

/* Of the client secrets that the key's logins need, as the configuration says (secretUntil). */
void check_secret_dates(struct check_row *f, const se_check_options *options);

/* Of the version.  SE_ERR_POLICY: it was the last one, and has ended. */
SE_MUST_CHECK se_status check_version_dates(struct check_row *f, const struct config *config,
                                            const se_check_options *options);

#endif
