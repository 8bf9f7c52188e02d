/* Where a message goes: gathered into pieces, with line ends as the message had them. */
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
};

SE_MUST_CHECK se_status mime_writer_open(struct mime_writer *out, const se_sink *to, bool crlf,
                                         se_error *err);
void mime_writer_close(struct mime_writer *writer);
AUTO_KIND(mime_writer, struct mime_writer, mime_writer_close(p))

/* Text with CRLF, which becomes LF where the message has that. */
SE_MUST_CHECK se_status mime_writer_put(struct mime_writer *writer, se_bytes text, se_error *err);
SE_MUST_CHECK se_status mime_writer_text(struct mime_writer *writer, const char *text,
                                         se_error *err);

/* As it is. */
SE_MUST_CHECK se_status mime_writer_raw(struct mime_writer *writer, se_bytes bytes, se_error *err);
/* The same, and a line end if it has none. */
SE_MUST_CHECK se_status mime_writer_field(struct mime_writer *writer, se_bytes field,
                                          se_error *err);

SE_MUST_CHECK se_status mime_writer_base64(struct mime_writer *writer, se_bytes bytes,
                                           se_error *err);
SE_MUST_CHECK se_status mime_writer_base64_end(struct mime_writer *writer, se_error *err);

SE_MUST_CHECK se_status mime_writer_flush(struct mime_writer *writer, se_error *err);

#endif
