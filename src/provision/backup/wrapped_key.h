/* SPDX-License-Identifier: Apache-2.0 */
/* A private key as a token gives it out: PKCS #8 under a file key, and that under others. */
#ifndef PROVISION_BACKUP_WRAPPED_KEY_H
#define PROVISION_BACKUP_WRAPPED_KEY_H

#include "config/config.h"
#include "crypto/key.h"
#include "crypto/provider_keymgmt.h"

enum wrapping {
    WRAPPING_PADDED, /* RFC 5649 */
    WRAPPING_PLAIN,  /* RFC 3394, over a padding of the token's own */
    WRAPPING_CBC,    /* AES-CBC with the padding of RFC 5652, 6.3; it notices no change */
};

enum { FILE_KEY = 32, WRAPPED_IV = 16, WRAPPED_MOST = 24 };

struct wrapped_key {
    enum wrapping wrapping;
    unsigned char iv[WRAPPED_IV]; /* WRAPPING_CBC */
    se_buf blob;                  /* the private key under the file key */
    se_buf file_key;              /* in clear; empty: it is not known */

    /* the file key by RSAES-OAEP for each of the wish; of one that was read, for the one reader */
    struct unwrap_how oaep;
    se_buf sealed[WRAPPED_MOST];
    size_t sealed_count;
    const struct keyref *reader; /* borrowed, where the reader's private key is; may be NULL */

    STACK_OF(X509) * certificates; /* the key's own first, then its issuers */
};
void wrapped_key_free(struct wrapped_key *key);
AUTO_KIND(wrapped_key, struct wrapped_key, wrapped_key_free(p))

/* What the certificate says that the key is. */
static inline EVP_PKEY *wrapped_public_key(const struct wrapped_key *key)
{
    return X509_get0_pubkey(sk_X509_value(key->certificates, 0));
}

/* ---- in software ---- */

/* `in` under a key of FILE_KEY bytes, by RFC 3394 (not padded), and back.  SE_ERR_REJECTED: it was
 * changed, or is under another key. */
SE_MUST_CHECK se_status file_key_wrap(se_buf *out, const se_buf *key, se_bytes in, se_error *err);
SE_MUST_CHECK se_status file_key_unwrap(se_buf *out, const se_buf *key, se_bytes blob,
                                        se_error *err);

/* The PKCS #8 in it, without what follows.  The file key is known.  SE_ERR_REJECTED: there is
 * none. */
SE_MUST_CHECK se_status wrapped_key_open(se_buf *out, const struct wrapped_key *key, se_error *err);

#endif
