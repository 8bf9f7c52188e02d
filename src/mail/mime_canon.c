/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/mime_canon.h"

#include <strings.h>

enum { BATCH = 16 << 10 };

void mime_canon_free(struct mime_canon *c)
{
    header_free(&c->header);
    writer_free(&c->out);
    writer_free(&c->body.held);
    levels_free(&c->levels);
}

/* ---- headers ---- */

static size_t field_bare_size(se_bytes field)
{
    const char *at = field.data;
    size_t size = field.size;

    while (size && (at[size - 1] == '\n' || at[size - 1] == '\r'))
        size--;
    return size;
}

static void field_put_verbatim(struct writer *out, se_bytes field)
{
    const char *at = field.data;
    size_t size = field_bare_size(field);

    for (size_t i = 0; i < size; i++) {
        if (at[i] == '\n' && (!i || at[i - 1] != '\r'))
            writer_put(out, "\r", 1);
        writer_put(out, at + i, 1);
    }
    writer_text(out, "\r\n");
}

static void canon_put_transfer(struct mime_canon *c, bool *written)
{
    if (!*written)
        writer_format(&c->out, "Content-Transfer-Encoding: %s\r\n", c->transfer);
    *written = true;
}

static void canon_put_header(struct mime_canon *c)
{
    const struct header *h = &c->header;
    bool written = !c->transfer;

    if (c->implicit)
        writer_format(&c->out, "Content-Type: text/plain; charset=%s%s\r\n",
                      !c->transfer      ? "us-ascii"
                      : c->body.is_utf8 ? "utf-8"
                                        : "unknown-8bit",
                      c->parameter);
    for (size_t i = 0; i < h->count; i++) {
        if (c->transfer && field_is(h, &h->fields[i], "Content-Transfer-Encoding"))
            canon_put_transfer(c, &written);
        else if (c->verbatim)
            field_put_verbatim(&c->out, field_bytes(h, &h->fields[i]));
        else if (h->fields[i].name_size)
            field_put_safe(&c->out, field_bytes(h, &h->fields[i]));
    }
    canon_put_transfer(c, &written);
    if (!c->open)
        writer_text(&c->out, "\r\n");
    c->implicit = false;
}

/* ---- parts ---- */

static se_status canon_take_line(struct mime_canon *c, const struct line *line, se_error *err);
static se_status canon_take_line_or_boundary(struct mime_canon *c, const struct line *line,
                                             se_error *err);

/* What a part says about itself. */
struct nature {
    struct media media;
    char transfer[32];
    bool said; /* it has a Content-Type */
};

static void copy_first_word(char *out, size_t room, const char *value)
{
    size_t n = strcspn(value, " \t;(");

    n = n < room ? n : 0;
    memcpy(out, value, n);
    out[n] = '\0';
}

static se_status nature_read(struct nature *out, const struct mime_canon *c, se_error *err)
{
    const struct field *type = header_find(&c->header, "Content-Type");
    AUTO(se_buf) value = SE_BUF_INIT;
    AUTO(se_buf) transfer = SE_BUF_INIT;

    TRY(field_value(&value, &c->header, type, err));
    TRY(field_value(&transfer, &c->header, header_find(&c->header, "Content-Transfer-Encoding"),
                    err));
    out->said = type != NULL;
    copy_first_word(out->transfer, sizeof out->transfer, (const char *)transfer.data);
    if (c->media)
        out->media = *c->media;
    else
        media_read(&out->media, out->said   ? (const char *)value.data
                                : c->digest ? "message/rfc822"
                                            : "");
    return SE_OK;
}

static bool is_identity(const char *transfer)
{
    static const char *const names[] = { "", "7bit", "8bit", "binary" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(transfer, names[i]) == 0)
            return true;
    return false;
}

/* RFC 2045, 6.2: a label that claims more than there is makes relays convert. */
static bool says_too_much(const char *transfer)
{
    return strcasecmp(transfer, "8bit") == 0 || strcasecmp(transfer, "binary") == 0;
}

static void canon_transfer_decided(void *arg, enum transfer_encoding transfer)
{
    struct mime_canon *c = arg;

    if (transfer == TRANSFER_KEEP)
        c->transfer = NULL;
    if (transfer == TRANSFER_TO_QP)
        c->transfer = "quoted-printable";
    if (transfer == TRANSFER_TO_BASE64)
        c->transfer = "base64";
    canon_put_header(c);
}

/* Reports for machines consist of header fields (RFC 3464, 8098, 5965, 3886, 6533). */
static bool is_report(const struct media *media)
{
    static const char *const types[] = { "delivery-status",       "disposition-notification",
                                         "feedback-report",       "tracking-status",
                                         "global-headers",        "global-disposition-notification",
                                         "global-delivery-status" };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (media_is(media, "message") && strcmp(media->type + sizeof "message", types[i]) == 0)
            return true;
    return false;
}

static void canon_begin_body(struct mime_canon *c, const struct nature *n)
{
    bool binary = strcasecmp(n->transfer, "binary") == 0;

    c->body.text = media_is(&n->media, "text");
    c->body.bare = media_is(&n->media, "message");
    c->body.binary = binary && !c->body.text && !c->body.bare;
    if (c->open)
        part_body_begin(&c->body, TRANSFER_KEEP);
    else if (strcasecmp(n->transfer, "base64") == 0)
        part_body_begin(&c->body, TRANSFER_DETECT_BASE64);
    else if (strcasecmp(n->transfer, "quoted-printable") == 0)
        part_body_begin(&c->body, TRANSFER_QP);
    else if (!is_identity(n->transfer))
        part_body_begin(&c->body, TRANSFER_SAFE);
    else
        part_body_begin(&c->body, c->body.binary ? TRANSFER_TO_BASE64 : TRANSFER_DETECT);
}

static se_status canon_begin_multipart(struct mime_canon *c, const struct media *media,
                                       se_error *err)
{
    TRY(levels_push(&c->levels, media, err));
    c->in_margin = true;
    part_body_begin(&c->body, TRANSFER_SAFE);
    return SE_OK;
}

static bool is_message(const struct nature *n)
{
    return is_identity(n->transfer) && (strcmp(n->media.type, "message/rfc822") == 0 ||
                                        strcmp(n->media.type, "message/global") == 0 ||
                                        strcmp(n->media.type, "message/news") == 0);
}

/* Not a byte of other people's signatures and ciphertext may change. */
static bool is_sealed(const struct media *media)
{
    return media_is(media, "multipart") && media_seal(media) != SEAL_NONE;
}

static void canon_begin_header(struct mime_canon *c, bool digest)
{
    header_clear(&c->header);
    c->in_header = true;
    c->in_margin = c->body.begun = false;
    c->body.eol = EOL_NONE;
    c->digest = digest;
}

/* The header is only a line as mailbox files put before a message: it belongs to the text. */
static bool is_text_only(const struct header *h)
{
    return h->count == 1 && !h->fields[0].name_size;
}

/* The part's header is complete. */
static se_status canon_begin_part(struct mime_canon *c, se_error *err)
{
    struct nature n;

    TRY(nature_read(&n, c, err));
    c->media = NULL;
    c->open = c->header.spilled && c->header.count && !is_text_only(&c->header);
    c->in_header = c->in_margin = false;
    c->transfer = says_too_much(n.transfer) ? "7bit" : NULL;
    c->verbatim = is_sealed(&n.media);
    c->body.fields = is_report(&n.media);
    c->implicit = c->implicit && !n.said;
    if (c->verbatim) {
        c->transfer = NULL;
        part_body_begin(&c->body, TRANSFER_SAFE);
    } else if (media_is(&n.media, "multipart")) {
        return canon_begin_multipart(c, &n.media, err);
    } else if (is_message(&n)) {
        canon_put_header(c);
        canon_begin_header(c, false);
    } else {
        canon_begin_body(c, &n);
    }
    return SE_OK;
}

static se_status canon_end_header(struct mime_canon *c, se_error *err)
{
    AUTO(writer) first = { 0 };
    bool text_only = is_text_only(&c->header);
    struct line line = { .begins = true, .ends = true, .eol = EOL_LF };

    if (text_only)
        writer_put(&first, c->header.text.buf.data,
                   field_bare_size(field_bytes(&c->header, &c->header.fields[0])));
    TRY(canon_begin_part(c, err));
    if (!text_only)
        return SE_OK;
    line.text = (se_bytes){ writer_string(&first), first.buf.size };
    return first.failed ? error_memory(err) : canon_take_line(c, &line, err);
}

static se_status canon_take_header_line(struct mime_canon *c, const struct line *line,
                                        se_error *err)
{
    bool goes_on;

    TRY(header_take(&c->header, line, err));
    goes_on = c->header.spilled || is_text_only(&c->header);
    if (!c->header.complete)
        return SE_OK;
    TRY(canon_end_header(c, err));
    /* behind a multipart's header it may be the boundary, which was not known before */
    return goes_on ? canon_take_line_or_boundary(c, line, err) : SE_OK;
}

/* Nobody reads margins, but they are signed: lines that are not safe are left out.  Without
 * parts, readers show the margin. */
static se_status canon_take_margin_line(struct mime_canon *c, const struct line *line,
                                        se_error *err)
{
    const struct line trimmed = line_trimmed(line);
    struct level *level = &c->levels.list[c->levels.depth - 1];

    if (!level->lost && (!line->begins || !line->ends || !line_is_safe(line->text)))
        level->lost = c->in->line;
    if (!line->begins || !line->ends || !line_is_safe(trimmed.text))
        return SE_OK;
    return part_body_take_line(&c->body, &trimmed, err);
}

static se_status canon_take_line(struct mime_canon *c, const struct line *line, se_error *err)
{
    if (c->in_header)
        return canon_take_header_line(c, line, err);
    return c->in_margin ? canon_take_margin_line(c, line, err)
                        : part_body_take_line(&c->body, line, err);
}

static se_status canon_end_part(struct mime_canon *c, se_error *err)
{
    if (c->in_header)
        TRY(canon_end_header(c, err));
    if (c->in_header) /* of a message in the part, and it ends here as well */
        canon_put_header(c);
    else
        part_body_end(&c->body);
    c->in_header = false;
    return SE_OK;
}

/* ---- boundaries ---- */

static se_status canon_take_boundary(struct mime_canon *c, struct level *level, bool close,
                                     const struct line *line, se_error *err)
{
    TRY(canon_end_part(c, err));
    TRY(levels_leave(&c->levels, level, err));
    writer_format(&c->out, "%s--%s%s", c->body.begun ? "\r\n" : "", level->boundary,
                  close ? "--" : "\r\n");
    level->has_parts = level->has_parts || !close;
    if (!close) {
        canon_begin_header(c, level->digest);
        return SE_OK;
    }
    c->in_header = false;
    c->in_margin = true;
    header_clear(&c->header);
    /* the boundary counts as the first line of what follows */
    c->body.transfer = TRANSFER_SAFE;
    c->body.begun = true;
    c->body.eol = line->eol;
    return SE_OK;
}

static se_status canon_take_line_or_boundary(struct mime_canon *c, const struct line *line,
                                             se_error *err)
{
    bool close = false;
    struct level *level = levels_find(&c->levels, line, &close);

    return level ? canon_take_boundary(c, level, close, line, err) : canon_take_line(c, line, err);
}

/* Takes many safe lines at once; *size is 0 if the next line is not safe. */
static se_status canon_take_stretch(size_t *size, struct mime_canon *c, se_error *err)
{
    struct stretch stretch;

    *size = 0;
    if (c->in_header || !part_body_takes_stretch(&c->body))
        return SE_OK;
    stretch = stretch_find(line_reader_ready(c->in));
    if (!(*size = stretch.lines.size))
        return SE_OK;
    line_reader_skip(c->in, *size, stretch.count);
    return part_body_take_stretch(&c->body, &stretch, err);
}

static se_status canon_step(struct mime_canon *c, se_error *err)
{
    struct line line;
    bool more;
    size_t taken;

    TRY(canon_take_stretch(&taken, c, err));
    if (taken)
        return SE_OK;
    TRY(line_reader_next(&line, &more, c->in, err));
    if (more)
        return canon_take_line_or_boundary(c, &line, err);
    c->over = true;
    if (!c->in_header && !c->levels.depth)
        part_body_keep_eol(&c->body);
    TRY(canon_end_part(c, err));
    TRY(levels_leave(&c->levels, NULL, err));
    /* programs that wrap base64 anew leave out an empty line behind it */
    if (c->body.begun && c->body.eol != EOL_NONE && c->body.transfer != TRANSFER_BASE64 &&
        c->body.transfer != TRANSFER_TO_BASE64)
        writer_text(&c->out, "\r\n");
    return SE_OK;
}

se_status mime_canon_begin(struct mime_canon *c, struct line_reader *in, se_error *err)
{
    c->in = in;
    c->body.out = &c->out;
    c->body.decided = canon_transfer_decided;
    c->body.arg = c;
    c->implicit = !header_find(&c->header, "Content-Type");
    return canon_begin_part(c, err);
}

se_status mime_canon_read(size_t *got, struct mime_canon *c, void *data, size_t size, se_error *err)
{
    size_t left;

    if (c->taken == c->out.buf.size)
        c->taken = c->out.buf.size = 0;
    while (!c->over && c->out.buf.size < BATCH)
        TRY(canon_step(c, err));
    if (c->out.failed)
        return error_memory(err);
    left = c->out.buf.size - c->taken;
    *got = left < size ? left : size;
    if (*got)
        memcpy(data, c->out.buf.data + c->taken, *got);
    c->taken += *got;
    return SE_OK;
}
