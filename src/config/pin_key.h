/* The file that scrambles PINs: 32 random bytes as one line of base64, readable by its owner, and
 * perhaps its group, only. */
#ifndef CONFIG_PIN_KEY_H
#define CONFIG_PIN_KEY_H

#include "base/buf.h"

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
