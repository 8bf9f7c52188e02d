/* Words for messages. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The word of `words` that `word` was probably meant to be: equal but for case, or few typing errors away; NULL: none is near.
 * A word may be NULL, which is passed over.
 */
const char *text_nearest(const char *word, const char *const *words, size_t count);

/* A whole decimal number up to `max`, digits only; anything else is false and leaves *out. */
bool text_number(unsigned long *out, const char *text, unsigned long max);

bool text_starts(const char *text, const char *prefix);

#endif
