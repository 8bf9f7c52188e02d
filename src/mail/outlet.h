/* Where a message goes: gathered into pieces, with line ends as the message had them. */
#ifndef MAIL_OUTLET_H
#define MAIL_OUTLET_H

#include "base/stream.h"
#include "mail/transfer.h"

struct outlet {
    const se_sink *to;
    bool crlf;
    bool cr; /* held back: a line feed may follow */
    struct writer gathered;
    struct base64_lines base64;
};

SE_MUST_CHECK se_status outlet_open(struct outlet *out, const se_sink *to, bool crlf,
                                    se_error *err);
void outlet_close(struct outlet *outlet);
AUTO_KIND(outlet, struct outlet, outlet_close(p))

/* Text with CRLF, which becomes LF where the message has that. */
SE_MUST_CHECK se_status outlet_put(struct outlet *outlet, se_bytes text, se_error *err);
SE_MUST_CHECK se_status outlet_text(struct outlet *outlet, const char *text, se_error *err);

/* As it is. */
SE_MUST_CHECK se_status outlet_raw(struct outlet *outlet, se_bytes bytes, se_error *err);
/* The same, and a line end if it has none. */
SE_MUST_CHECK se_status outlet_field(struct outlet *outlet, se_bytes field, se_error *err);

SE_MUST_CHECK se_status outlet_base64(struct outlet *outlet, se_bytes bytes, se_error *err);
SE_MUST_CHECK se_status outlet_base64_end(struct outlet *outlet, se_error *err);

SE_MUST_CHECK se_status outlet_flush(struct outlet *outlet, se_error *err);

#endif
