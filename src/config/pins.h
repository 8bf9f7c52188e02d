/* SPDX-License-Identifier: Apache-2.0 */
/* Scrambled PINs: "{se1}BASE64" under a key from a file (doc/formats.md). */
#ifndef CONFIG_PINS_H
#define CONFIG_PINS_H

#include "base/buf.h"

/* Tells a scrambled value from a plain one. */
bool pins_is_scrambled(const char *value);

/* One PIN to its scrambled value; the key file is made if it is not there.  SE_ERR_ACCESS: the file
 * can't be used, and why. */
SE_MUST_CHECK se_status pins_scramble(se_buf *out, se_bytes pin, const char *pin_key,
                                      se_error *err);

/* The PIN, NUL-terminated.  SE_ERR_ACCESS: the key file is missing, or not the one that scrambled
 * the value. */
SE_MUST_CHECK se_status pins_reveal(se_buf *out, const char *value, const char *pin_key,
                                    se_error *err);

/* Nonce, ciphertext and tag of a scrambled value.  SE_ERR_FORMAT: it is damaged. */
SE_MUST_CHECK se_status pins_decode(se_buf *out, const char *value, se_error *err);

/* In a time that does not depend on where they differ. */
bool pins_equal(const se_buf *a, const se_buf *b);

/* The file that scrambles PINs: 32 random bytes as one line of base64, readable by its owner, and
 * perhaps its group, only. */
enum { PIN_KEY_SIZE = 32 };

/* SE_ERR_ACCESS names the file. */
SE_MUST_CHECK se_status pin_key_read(se_buf *out, const char *path, se_error *err);

/* The same, and makes the file with a new key if it is not there. */
SE_MUST_CHECK se_status pin_key_make(se_buf *out, const char *path, se_error *err);

/* A secret in a small file: SE_ERR_ACCESS also when one of the `forbidden` mode bits is set, or
 * others than root or we own it. */
SE_MUST_CHECK se_status secret_file_read(se_buf *out, const char *path, unsigned forbidden,
                                         se_error *err);

#endif
