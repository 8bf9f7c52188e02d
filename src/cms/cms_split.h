/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An attached CMS SignedData (RFC 5652, 5.1) taken apart while it passes, in constant memory:
 * OpenSSL would hold all of it.
 */
#ifndef CMS_CMS_SPLIT_H
#define CMS_CMS_SPLIT_H

#include "crypto/pem.h"

struct cms_content_taker {
    /* Once, before the first content byte: the DER or BER of SignedData.digestAlgorithms. */
    se_status (*begin)(void *arg, se_bytes digest_algorithms, se_error *err);
    stream_take_fn take; /* the content, piece by piece */
    void *arg;
};

/* *out becomes the same SignedData without its content, in BER.  SE_ERR_FORMAT: it is none, or has
 * no content. */
SE_MUST_CHECK se_status cms_split(se_buf *out, struct pem_decoder *in,
                                  const struct cms_content_taker *taker, se_error *err);

#endif
