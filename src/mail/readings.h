/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mail programs and their libraries read odd messages differently, and so may show something else
 * than was signed: they take the first or the last of two fields, end lines and headers where
 * others do not, and each forgives other violations of RFC 2045 and RFC 5322.  Such oddities are
 * refused outside of what is signed, SE_ERR_FORMAT.
 */
#ifndef MAIL_READINGS_H
#define MAIL_READINGS_H

#include "mail/media_type.h"
#include "mail/message.h"

/* The header of a message or of a part; `whose`: "the message's". */
SE_MUST_CHECK se_status readings_check_header(const struct header *header, const char *whose,
                                              se_error *err);

/* In a header that is signed itself, only the fields that say how its content is read must be
 * there once. */
SE_MUST_CHECK se_status readings_check_signed(const struct header *header, const char *whose,
                                              se_error *err);

/* SE_ERR_FORMAT: an unsigned Content-Disposition makes the multipart an attachment, of which
 * some readers show nothing. */
SE_MUST_CHECK se_status readings_check_disposition(const struct header *h, const char *whose,
                                                   se_error *err);

/* Requires a MIME-Version field: some programs show a message without it as plain text. */
SE_MUST_CHECK se_status readings_check_version(const struct header *header, se_error *err);

/* Checks its Content-Type, which was read as `media`, and that its Content-Transfer-Encoding is
 * one of `transfer`, which ends with NULL. */
SE_MUST_CHECK se_status readings_check_content(const struct header *header, const char *whose,
                                               const struct media *media,
                                               const char *const *transfer, se_error *err);

/* Why some readers may take a line outside of the parts for more than a remark; NULL: none does. */
const char *readings_margin_fault(const struct line *line);

#endif
