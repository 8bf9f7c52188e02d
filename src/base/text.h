/* SPDX-License-Identifier: Apache-2.0 */
/* Words for messages. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "signengine.h"

/*
 * The word of `words` that `word` was probably meant to be: equal but for case, or few typing
 * errors away; NULL: none is near. A word may be NULL, which is passed over.
 */
const char *text_nearest(const char *word, const char *const *words, size_t count);

/* How many letters have to be put in, taken out, replaced or swapped to make one of the other; case
 * does not count. */
size_t text_distance(const char *one, const char *other);

/* A whole decimal number up to `max`, digits only; anything else is false and leaves *out. */
bool text_number(unsigned long *out, const char *text, unsigned long max);

#define UTF8_MARK "\xef\xbb\xbf"

/* "UTF-8" or "UTF-16" if the text begins with the byte order mark that editors put before it, else
 * NULL. */
const char *text_mark(const void *text, size_t size);

bool text_is_ascii(const char *text);

/* ASCII that can be seen: neither blanks nor control characters; also of none at all. */
bool text_is_visible(const char *text, size_t size);

/* Of a text in ASCII what stands before the blanks at its end, which editors and `echo` put there;
 * what holds any other byte is no text, and stays as it is. */
se_bytes text_trim_end(se_bytes value);

bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *ending);

/* Copies as much as there is room for, cut between two characters, and ends it with a NUL. */
void text_copy(char *out, size_t room, const char *text, size_t size);

/*
 * Texts come from files, tokens and other libraries.  Makes one fit for a line of a log and for
 * JSON: control characters, which could forge another line, become blanks, and bytes that are no
 * UTF-8 become question marks.
 */
void text_clean(char *text);

#endif
