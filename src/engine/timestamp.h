/* SPDX-License-Identifier: Apache-2.0 */
/* Time stamps by an authority (RFC 3161), asked for by HTTP. */
#ifndef ENGINE_TIMESTAMP_H
#define ENGINE_TIMESTAMP_H

#include "crypto/signature.h"

/* SE_ERR_USAGE: not URLs of http, not an OID, or a policy without an authority. */
SE_MUST_CHECK se_status timestamp_check_wish(const struct stamp_wish *wish, se_error *err);

/*
 * A TimeStampToken of what has that `digest`, in DER, by the first of the wish's authorities that
 * gives one that was asked for and that verifiers who trust it will accept; wish->urls is not NULL.
 * The error names each authority with its reason. SE_ERR_UNAVAILABLE: one of them is away;
 * SE_ERR_REJECTED: all of them refuse, or answer something else.
 */
SE_MUST_CHECK se_status timestamp_fetch(se_buf *out, const struct stamp_wish *wish,
                                        const struct content_digest *digest, se_error *err);

/* Asks the wish's only authority for a time stamp of random bytes: what it says.  Errors are those
 * of timestamp_fetch(). */
SE_MUST_CHECK se_status timestamp_probe(struct stamp *out, const struct stamp_wish *wish,
                                        se_error *err);

#endif
