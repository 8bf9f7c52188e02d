/* SPDX-License-Identifier: Apache-2.0 */
/* A message, as signing and verifying start with it: its header to the byte (RFC 5322, 2.2), its
 * sender, its type. */
#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H

#include "mail/address.h"
#include "mail/line_reader.h"
#include "mail/media_type.h"

/* ---- the header of a message, or of a part ---- */

enum { HEADER_LIMIT = 16 << 20 };

/* Places in the header's text. */
struct field {
    size_t at, size;  /* all of it, with its line ends */
    size_t name_size; /* 0: no field, but a line that is there all the same */
    size_t value;     /* where it begins */
};

struct header {
    struct writer text;
    struct field *fields;
    size_t count, room;
    size_t before; /* how many lines of the file are in front of it */
    bool complete; /* the empty line has been seen */
    bool strict;   /* what is no field is an error; else the body begins with it */
    bool spilled;  /* the line that was taken last is the first one of the body */
};
void header_free(struct header *header);
AUTO_KIND(header, struct header, header_free(p))

/* Makes it ready for another one. */
void header_clear(struct header *header);

/* The next line of it, or the empty line behind it.  SE_ERR_FORMAT: too long, or (strict) no
 * header. */
SE_MUST_CHECK se_status header_take(struct header *header, const struct line *line, se_error *err);

/* All of it: up to and with the empty line, or to the end of the input. */
SE_MUST_CHECK se_status header_read(struct header *header, struct line_reader *lines,
                                    se_error *err);

/* Appends a field of another header. */
SE_MUST_CHECK se_status header_copy(struct header *header, const struct header *from,
                                    const struct field *field, se_error *err);

/* The same with a parameter more, as `; hp="clear"`. */
SE_MUST_CHECK se_status header_copy_with(struct header *header, const struct header *from,
                                         const struct field *field, const char *parameter,
                                         se_error *err);

/* Number of the file's line with the byte at `at`, from 1. */
size_t header_line(const struct header *header, size_t at);

/* Whether its lines end with CRLF, by the first one. */
bool header_is_crlf(const struct header *header);

/* The first field of that name, or NULL. */
const struct field *header_find(const struct header *header, const char *name);
size_t header_count(const struct header *header, const char *name);

bool field_is(const struct header *header, const struct field *field, const char *name);
/* Content-Anything */
bool field_is_content(const struct header *header, const struct field *field);
se_bytes field_bytes(const struct header *header, const struct field *field);

/* Its value in one line, without blanks around it, NUL-terminated; empty for a missing field.
 * The caller releases *out. */
SE_MUST_CHECK se_status field_value(se_buf *out, const struct header *header,
                                    const struct field *field, se_error *err);

/* ---- the message ---- */

struct message {
    struct stream stream;
    struct line_reader lines;
    struct header header;
    struct media media;
    struct addresses from;
};
void message_close(struct message *message);
AUTO_KIND(message, struct message, message_close(p))

/* Reads the header; `in` lasts as long as the message does. */
SE_MUST_CHECK se_status message_open(struct message *out, const struct stream *in, se_error *err);

/* Finds whose certificate is needed: the sender's, or that of the From field if `sender` is
 * NULL.  SE_ERR_FORMAT: there is not one field with one address. */
SE_MUST_CHECK se_status message_from(struct message *message, const char *sender,
                                     enum mailbox_forms forms, se_error *err);

#endif
