/* AES-256-GCM around one PIN. */
#ifndef CONFIG_SCRAMBLE_H
#define CONFIG_SCRAMBLE_H

#include "base/buf.h"

#define SCRAMBLE_PREFIX "{se1}"

/* `key`: PIN_KEY_SIZE bytes. */
SE_MUST_CHECK se_status scramble_seal(se_buf *out, se_bytes pin, se_bytes key, se_error *err);
/* SE_ERR_FORMAT: not of that form; SE_ERR_ACCESS: not sealed with this key. */
SE_MUST_CHECK se_status scramble_open(se_buf *out, const char *value, se_bytes key, se_error *err);

/* nonce, ciphertext and tag; SE_ERR_FORMAT */
SE_MUST_CHECK se_status scramble_decode(se_buf *out, const char *value, se_error *err);

#endif
