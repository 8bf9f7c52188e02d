/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 (RFC 3629): the shortest form only, no surrogates, up to U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "signengine.h"

/* The bytes of the character that `text` begins with; 0: it begins with none. */
size_t utf8_take(uint32_t *point, se_bytes text);

/* The same of a C string that is not at its end. */
size_t utf8_next(uint32_t *point, const char *text);

/* Whether all of it is. */
bool utf8_is(se_bytes text);

/* The UTF-8 of `c`; returns its 1 to 4 bytes. */
size_t utf8_put(unsigned char out[4], uint32_t c);

bool utf8_is_control(uint32_t point);

#endif
