/* SPDX-License-Identifier: Apache-2.0 */
/* Where a message goes: gathered into pieces, with line ends as the message had them.  A writer
 * that failed stays failed, and takes no more. */
#ifndef MAIL_MIME_WRITER_H
#define MAIL_MIME_WRITER_H

#include "base/stream.h"
#include "mail/transfer_encoding.h"

struct mime_writer {
    const se_sink *to;
    bool crlf;
    bool cr; /* held back: a line feed may follow */
    struct writer gathered;
    struct base64_lines base64;
    se_error failure;
};

void mime_writer_open(struct mime_writer *out, const se_sink *to, bool crlf);
void mime_writer_close(struct mime_writer *w);
AUTO_KIND(mime_writer, struct mime_writer, mime_writer_close(p))

/* Text with CRLF, which becomes LF where the message has that. */
void mime_writer_put(struct mime_writer *w, se_bytes text);
void mime_writer_put_text(struct mime_writer *w, const char *text);

/* As it is. */
void mime_writer_put_raw(struct mime_writer *w, se_bytes bytes);
/* The same, and a line end if it has none. */
void mime_writer_put_field(struct mime_writer *w, se_bytes field);

void mime_writer_put_base64(struct mime_writer *w, se_bytes bytes);
void mime_writer_end_base64(struct mime_writer *w);

/* What has failed so far. */
SE_MUST_CHECK se_status mime_writer_status(const struct mime_writer *w, se_error *err);
SE_MUST_CHECK se_status mime_writer_flush(struct mime_writer *w, se_error *err);

#endif
