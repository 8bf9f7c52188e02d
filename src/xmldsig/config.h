/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed configurations (doc/formats.md): an enveloped signature over the whole file as it is, PINs
 * included, which libxml2 never sees. Its Object holds the canonical configuration of when it was
 * signed, and its Reference is named by the hash of that, so that what was changed since then can
 * be told.
 */
#ifndef XMLDSIG_CONFIG_H
#define XMLDSIG_CONFIG_H

#include "crypto/signature.h"

/* The text without signatures on its root; what else it holds stays byte by byte.  SE_ERR_CONFIG,
 * SE_ERR_FORMAT: no XML that we read. */
SE_MUST_CHECK se_status xmldsig_config_strip(se_buf *out, se_bytes text, se_error *err);

/* `text` has no signature; `canonical` is its canonical form.  To job->out; job->in is not used. */
SE_MUST_CHECK se_status xmldsig_config_sign(const struct sign_job *job, se_bytes text,
                                            se_bytes canonical, se_error *err);

/*
 * *canonical: what a good signer has signed, also when `text` is something else by now; empty: not
 * known. SE_ERR_REJECTED, SE_ERR_FORMAT as with other signatures.  job->in is not used.
 */
SE_MUST_CHECK se_status xmldsig_config_verify(struct verdict *out, se_buf *canonical,
                                              const struct verify_job *job, se_bytes text,
                                              se_error *err);

#endif
