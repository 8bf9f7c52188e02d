/* SPDX-License-Identifier: Apache-2.0 */
/* PEM texts as people have them (RFC 7468): explanations between the blocks, and byte order marks
 * that editors put before a BEGIN line. */
#ifndef CRYPTO_PEM_TEXT_H
#define CRYPTO_PEM_TEXT_H

#include <openssl/bio.h>

#include "base/auto.h"
#include "base/error.h"

AUTO_KIND(bio, BIO *, BIO_free(*p))

/* Whether there is a BEGIN line in it.  DER that holds one in its values is none. */
bool pem_text_is(se_bytes text);

/* To read with OpenSSL, which takes a BEGIN line only at the very start of a line; wiped when
 * freed.  NULL: out of memory. */
BIO *pem_text_open(se_bytes text);

#endif
