/*
 * What readers of mail read differently, and so may show otherwise than it was signed: it is
 * refused outside of what is signed, SE_ERR_FORMAT. Mail programs, and libraries that others are
 * made of, take the first or the last of two fields, end lines and headers where others do not, and
 * forgive what the grammars of RFC 2045 and RFC 5322 have no place for, each in its own way.
 */
#ifndef MAIL_READINGS_H
#define MAIL_READINGS_H

#include "mail/media_type.h"
#include "mail/message.h"

/* The header of a message or of a part; `whose`: "the message's". */
SE_MUST_CHECK se_status readings_check_header(const struct header *header, const char *whose,
                                              se_error *err);

/* Of a header that is signed itself, only what says how its content is read: said once. */
SE_MUST_CHECK se_status readings_check_signed(const struct header *header, const char *whose,
                                              se_error *err);

/* SE_ERR_FORMAT: one that nobody has signed makes an attachment of a multipart, of which some
 * readers show nothing. */
SE_MUST_CHECK se_status readings_check_disposition(const struct header *h, const char *whose,
                                                   se_error *err);

/* That there is a MIME-Version field: some programs show a message without it as plain text. */
SE_MUST_CHECK se_status readings_check_version(const struct header *header, se_error *err);

/* Its Content-Type, which was read as `media`; `transfer`: one of these, ending with NULL, is its
 * Content-Transfer-Encoding. */
SE_MUST_CHECK se_status readings_check_content(const struct header *header, const char *whose,
                                               const struct media *media,
                                               const char *const *transfer, se_error *err);

/* Why a line before the first boundary or behind the last one may be more than a remark to some
 * readers; NULL: it is not. */
const char *readings_margin_fault(const struct line *line);

#endif
