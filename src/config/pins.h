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

/*
 * Rewrites the plain values of `pin.encrypted` in a configuration's text and nothing else; *count
 * says how many. SE_ERR_CONFIG: the text is no XML that a configuration may be.
 */
SE_MUST_CHECK se_status pins_scramble_text(se_buf *out, size_t *count, se_bytes config,
                                           const char *pin_key, se_error *err);

#endif
