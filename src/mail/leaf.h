/* The body of one part that has no parts, turned into what survives transport. */
#ifndef MAIL_LEAF_H
#define MAIL_LEAF_H

#include "mail/quoted_printable.h"
#include "mail/safe.h"
#include "mail/transfer.h"

/* How a body is written. */
enum transfer {
    TRANSFER_LOOK, /* as it is if that is safe, else encoded: known at its end, or when something
                      unsafe comes */
    TRANSFER_ASK, /* it says that it is base64: known at its end, when something else comes, or when
                     nobody writes such a text */
    TRANSFER_PLAIN,    /* as it is */
    TRANSFER_KEEP,     /* as it is, safe or not, and so is what it says of itself */
    TRANSFER_BASE64,   /* it is base64 already */
    TRANSFER_QP,       /* it is quoted-printable already */
    TRANSFER_TO_QP,    /* text that becomes quoted-printable */
    TRANSFER_TO_BASE64 /* bytes that become base64 */
};

enum {
    LOOK_LIMIT = 256 << 10,
    ASK_LIMIT = 32 << 10, /* no text goes on that long without a blank or a full stop */
};

struct leaf {
    struct writer *out;
    enum transfer transfer;
    bool text;   /* quoted-printable suits it better than base64 */
    bool binary; /* line ends are bytes like others */
    bool bare;   /* it may not be encoded (RFC 2045, 6.4) */
    bool fields; /* blanks at line ends mean nothing */
    bool begun;
    enum eol eol; /* the last line's, which belongs to the boundary if one follows */
    struct writer
        held; /* TRANSFER_LOOK, TRANSFER_ASK: lines, with CRLF between them; none has a CR in it */
    bool is_utf8; /* what was held */

    struct base64_lines base64;
    struct base64_form form; /* TRANSFER_ASK: of what is held */
    struct base64_wrap wrap;
    struct qp_lines qp;

    /* called when the transfer is known and before anything is written: the part's header has to be
     * out first */
    void (*decided)(void *arg, enum transfer transfer);
    void *arg;
};

void leaf_begin(struct leaf *leaf, enum transfer transfer);
SE_MUST_CHECK se_status leaf_line(struct leaf *leaf, const struct line *line, se_error *err);
/* Whether it takes lines that are safe as they are, many at a time. */
bool leaf_is_plain(const struct leaf *leaf);
SE_MUST_CHECK se_status leaf_stretch(struct leaf *leaf, const struct stretch *stretch,
                                     se_error *err);
/* No boundary follows: the last line end, which leaf_end() does not write, is one of the body's
 * bytes. */
void leaf_keep_eol(struct leaf *leaf);
void leaf_end(struct leaf *leaf);

#endif
