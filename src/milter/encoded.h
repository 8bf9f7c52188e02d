/* Encoded words (RFC 2047), as the most lenient reader takes them. */
#ifndef MILTER_ENCODED_H
#define MILTER_ENCODED_H

#include "base/buf.h"

/* `text` as UTF-8 with its encoded words decoded, wherever they stand.  What is in no charset that
 * we know stays as it is. */
void writer_decoded(struct writer *w, const char *text);

#endif
