/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a part without parts, encoded so that it survives transport. */
#ifndef MAIL_PART_BODY_H
#define MAIL_PART_BODY_H

#include "mail/smtp_safe.h"
#include "mail/transfer_encoding.h"

/* How a body is written. */
enum transfer_encoding {
    TRANSFER_DETECT, /* as it is if it is safe, else encoded: decided at its end, or at the first
                        unsafe line */
    TRANSFER_DETECT_BASE64, /* labelled base64: decided at its end, at the first other text, or when
                               it is too long to be other text */
    TRANSFER_SAFE,          /* as it is */
    TRANSFER_KEEP,          /* as it is, safe or not, and so is what it says of itself */
    TRANSFER_BASE64,        /* it is base64 already */
    TRANSFER_QP,            /* it is quoted-printable already */
    TRANSFER_TO_QP,         /* text that becomes quoted-printable */
    TRANSFER_TO_BASE64      /* bytes that become base64 */
};

enum {
    DETECT_LIMIT = 256 << 10,
    DETECT_BASE64_LIMIT = 32 << 10, /* no text goes on that long without a blank or a full stop */
};

struct part_body {
    struct writer *out;
    enum transfer_encoding transfer;
    bool text;   /* quoted-printable suits it better than base64 */
    bool binary; /* line ends are bytes like others */
    bool bare;   /* it may not be encoded (RFC 2045, 6.4) */
    bool fields; /* blanks at line ends mean nothing */
    bool begun;
    enum eol eol;       /* the last line's, which belongs to the boundary if one follows */
    struct writer held; /* while it is detected: lines, with CRLF between them; none has a CR */
    bool is_utf8;

    struct base64_form form; /* of what is held */
    struct base64_lines base64;
    struct qp_lines qp;

    /* Called when the encoding is known, before anything is written: the part's header goes out
     * first. */
    void (*decided)(void *arg, enum transfer_encoding transfer);
    void *arg;
};

void part_body_begin(struct part_body *body, enum transfer_encoding transfer);
SE_MUST_CHECK se_status part_body_take_line(struct part_body *body, const struct line *line,
                                            se_error *err);
/* Whether it takes lines that are safe as they are, many at a time. */
bool part_body_takes_stretch(const struct part_body *body);
SE_MUST_CHECK se_status part_body_take_stretch(struct part_body *body,
                                               const struct stretch *stretch, se_error *err);
/* No boundary follows: the last line end, which part_body_end() does not write, is one of the
 * body's bytes. */
void part_body_keep_eol(struct part_body *body);
void part_body_end(struct part_body *body);

#endif
