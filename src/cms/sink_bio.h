/* A sink as a BIO, for what OpenSSL writes in pieces. */
#ifndef CMS_SINK_BIO_H
#define CMS_SINK_BIO_H

#include <openssl/bio.h>

#include "base/auto.h"
#include "base/error.h"

AUTO_KIND(bio, BIO *, BIO_free(*p))

/* `sink` outlives the BIO.  NULL: out of memory. */
BIO *sink_bio_new(const se_sink *sink);

#endif
