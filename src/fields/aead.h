/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Authenticated encryption with associated data (RFC 5116) in memory: AES-GCM, and AES-CBC with
 * HMAC put together as in RFC 7518, 5.2.2.  CMS has CBC without HMAC as well.
 */
#ifndef FIELDS_AEAD_H
#define FIELDS_AEAD_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "config/algorithm.h"

enum { AES_BLOCK = 16, GCM_IV = 12, GCM_TAG = 16, AEAD_TAG_MAX = 64 };

struct aead_kind {
    enum cipher cipher; /* CBC: with PKCS #7 padding */
    unsigned bits;
    enum digest digest; /* CBC: of the HMAC; DIGEST_NONE: nothing authenticates it */
    size_t tag_size;
};
bool aead_kind_equal(const struct aead_kind *a, const struct aead_kind *b);
size_t aead_iv_size(enum cipher cipher);
size_t aead_text_size(enum cipher cipher, size_t plain); /* of the ciphertext, without its tag */

/* A key of one kind, ready for any number of messages in one direction. */
struct aead {
    struct aead_kind kind;
    EVP_CIPHER_CTX *aes;
    EVP_MAC_CTX *hmac; /* NULL: none */
};
/* `aes` has kind->bits. */
SE_MUST_CHECK se_status aead_init(struct aead *out, const struct aead_kind *kind,
                                  const unsigned char *aes, se_bytes hmac, bool encrypt,
                                  se_error *err);
/* The same for another thread.  Several may copy one at once, if nobody uses it meanwhile. */
SE_MUST_CHECK se_status aead_copy(struct aead *out, const struct aead *aead, se_error *err);
void aead_free(struct aead *aead);

/* One message.  Associated is aad[0] with aad[1] behind it, either may be empty. */
struct aead_input {
    const unsigned char *iv;
    se_bytes aad[2], text;
};

/* `out` has room for aead_text_size(), `tag` for the tag. */
SE_MUST_CHECK se_status aead_encrypt(unsigned char *out, unsigned char *tag, struct aead *aead,
                                     const struct aead_input *in, se_error *err);

/* SE_ERR_REJECTED, without a text: it does not decrypt.  *out is empty then. */
SE_MUST_CHECK se_status aead_decrypt(se_buf *out, struct aead *aead, const struct aead_input *in,
                                     const unsigned char *tag, se_error *err);

#endif
