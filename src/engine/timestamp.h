/* SPDX-License-Identifier: Apache-2.0 */
/* Time stamps by an authority (RFC 3161), asked for by HTTP. */
#ifndef ENGINE_TIMESTAMP_H
#define ENGINE_TIMESTAMP_H

#include "base/buf.h"

/*
 * A TimeStampToken over the SHA-256 of `bytes`, in DER.
 * SE_ERR_USAGE: not a URL of http; SE_ERR_UNAVAILABLE: the authority is away; SE_ERR_REJECTED: it
 * refuses, or answers something else.
 */
SE_MUST_CHECK se_status timestamp_fetch(se_buf *out, const char *url, se_bytes bytes,
                                        se_error *err);

#endif
