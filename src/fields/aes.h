/* AES over values in memory. */
#ifndef FIELDS_AES_H
#define FIELDS_AES_H

#include "crypto/kit.h"

enum { AES_BLOCK = 16, GCM_IV = 12, GCM_TAG = 16, AES_KEY_MAX = 32 };

struct aes {
    enum cipher cipher; /* CBC: with PKCS #7 padding */
    unsigned bits;
    const unsigned char *key, *iv; /* CBC: 16 bytes of IV; GCM: 12 */
    const se_bytes *aad;           /* GCM: what is authenticated besides, piece by piece */
    size_t aad_count;
    size_t tag_size; /* GCM */
};

size_t aes_iv_size(enum cipher cipher);
/* What `plain` bytes become. */
size_t aes_size(enum cipher cipher, size_t plain);

/* `out` has room for aes_size(); `tag` (GCM) for tag_size. */
SE_MUST_CHECK se_status aes_encrypt(unsigned char *out, unsigned char *tag, struct kit *kit,
                                    const struct aes *aes, se_bytes in, se_error *err);

/* SE_ERR_REJECTED, without a text: it does not decrypt.  *out is empty then. */
SE_MUST_CHECK se_status aes_decrypt(se_buf *out, struct kit *kit, const struct aes *aes,
                                    se_bytes in, const unsigned char *tag, se_error *err);

#endif
