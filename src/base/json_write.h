/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON (RFC 8259), written straight into a writer, without line breaks. Commas are put where they
 * are needed. A member has a name, which needs no escapes; an element of a list has none (NULL).
 */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

#include "base/buf.h"

/* `bracket` is '{' or '[', and then '}' or ']'. */
void json_write_begin(struct writer *w, const char *name, char bracket);
void json_write_end(struct writer *w, char bracket);

/* What is no UTF-8 in a text becomes U+FFFD. */
void json_write_text(struct writer *w, const char *name, const char *text);
void json_write_bytes(struct writer *w, const char *name, se_bytes text);
/* A member whose name is somebody else's, and gets escapes too. */
void json_write_pair(struct writer *w, se_bytes name, se_bytes text);
/* Of at most `most` bytes between the quotes: what is longer is cut between two characters, and
 * ends with an ellipsis. */
void json_write_cut(struct writer *w, const char *name, const char *text, size_t most);
void json_write_base64(struct writer *w, const char *name, se_bytes bytes);
void json_write_base64url(struct writer *w, const char *name, se_bytes bytes);

/* As text where it is UTF-8, else in base64 under the other name. */
void json_write_either(struct writer *w, const char *name, const char *name_of_base64,
                       se_bytes bytes);

void json_write_number(struct writer *w, const char *name, uint64_t number);
/* A number, or null, as it is written. */
void json_write_literal(struct writer *w, const char *name, const char *literal);
void json_write_flag(struct writer *w, const char *name, bool flag);

/* In RFC 3339; the second with fractions, as many digits as it needs. 0: nothing is written. */
void json_write_time(struct writer *w, const char *name, int64_t seconds);
void json_write_time_us(struct writer *w, const char *name, int64_t microseconds);

#endif
