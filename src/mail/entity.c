#include "mail/entity.h"

#include <strings.h>

enum { BATCH = 16 << 10 };

void entity_free(struct entity *e)
{
    header_free(&e->header);
    writer_free(&e->out);
    writer_free(&e->leaf.held);
    levels_free(&e->levels);
}

/* ---- headers ---- */

static size_t size_without_end(se_bytes field)
{
    const char *at = field.data;
    size_t size = field.size;

    while (size && (at[size - 1] == '\n' || at[size - 1] == '\r'))
        size--;
    return size;
}

static void put_verbatim(struct writer *out, se_bytes field)
{
    const char *at = field.data;
    size_t size = size_without_end(field);

    for (size_t i = 0; i < size; i++) {
        if (at[i] == '\n' && (!i || at[i - 1] != '\r'))
            writer_put(out, "\r", 1);
        writer_put(out, at + i, 1);
    }
    writer_text(out, "\r\n");
}

static void put_transfer(struct entity *e, bool *told)
{
    if (!*told)
        writer_format(&e->out, "Content-Transfer-Encoding: %s\r\n", e->transfer);
    *told = true;
}

static void put_header(struct entity *e)
{
    const struct header *h = &e->header;
    bool told = !e->transfer;

    if (e->implicit)
        writer_format(&e->out, "Content-Type: text/plain; charset=%s%s\r\n",
                      !e->transfer      ? "us-ascii"
                      : e->leaf.is_utf8 ? "utf-8"
                                        : "unknown-8bit",
                      e->parameter);
    for (size_t i = 0; i < h->count; i++) {
        if (e->transfer && field_is(h, &h->fields[i], "Content-Transfer-Encoding"))
            put_transfer(e, &told);
        else if (e->verbatim)
            put_verbatim(&e->out, field_bytes(h, &h->fields[i]));
        else if (h->fields[i].name_size)
            field_put_safe(&e->out, field_bytes(h, &h->fields[i]));
    }
    put_transfer(e, &told);
    if (!e->open)
        writer_text(&e->out, "\r\n");
    e->implicit = false;
}

/* ---- parts ---- */

static se_status take_line(struct entity *entity, const struct line *line, se_error *err);
static se_status take_line_or_boundary(struct entity *entity, const struct line *line,
                                       se_error *err);

/* What a part says about itself. */
struct nature {
    struct media media;
    char transfer[32];
    bool said; /* it has a Content-Type */
};

static void shorten(char *out, size_t room, const char *value)
{
    size_t n = strcspn(value, " \t;(");

    *out = '\0';
    if (n < room)
        memcpy(out, value, n), out[n] = '\0';
}

static se_status look_at(struct nature *out, const struct entity *e, se_error *err)
{
    const struct field *type = header_find(&e->header, "Content-Type");
    AUTO(se_buf) value = SE_BUF_INIT;
    AUTO(se_buf) transfer = SE_BUF_INIT;

    TRY(field_value(&value, &e->header, type, err));
    TRY(field_value(&transfer, &e->header, header_find(&e->header, "Content-Transfer-Encoding"),
                    err));
    out->said = type != NULL;
    shorten(out->transfer, sizeof out->transfer, (const char *)transfer.data);
    if (e->media)
        out->media = *e->media;
    else
        media_read(&out->media, out->said   ? (const char *)value.data
                                : e->digest ? "message/rfc822"
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

/* RFC 2045, 6.2: labels that say more than there is make relays convert. */
static bool says_too_much(const char *transfer)
{
    return strcasecmp(transfer, "8bit") == 0 || strcasecmp(transfer, "binary") == 0;
}

static void decided(void *arg, enum transfer transfer)
{
    struct entity *e = arg;

    if (transfer == TRANSFER_KEEP)
        e->transfer = NULL;
    if (transfer == TRANSFER_TO_QP)
        e->transfer = "quoted-printable";
    if (transfer == TRANSFER_TO_BASE64)
        e->transfer = "base64";
    put_header(e);
}

/* Reports for machines, which are headers (RFC 3464, 8098, 5965, 3886, 6533). */
static bool is_fields(const struct media *media)
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

static void begin_leaf(struct entity *e, const struct nature *n)
{
    bool binary = strcasecmp(n->transfer, "binary") == 0;

    e->leaf.text = media_is(&n->media, "text");
    e->leaf.bare = media_is(&n->media, "message");
    e->leaf.binary = binary && !e->leaf.text && !e->leaf.bare;
    if (e->open)
        leaf_begin(&e->leaf, TRANSFER_KEEP);
    else if (strcasecmp(n->transfer, "base64") == 0)
        leaf_begin(&e->leaf, TRANSFER_ASK);
    else if (strcasecmp(n->transfer, "quoted-printable") == 0)
        leaf_begin(&e->leaf, TRANSFER_QP);
    else if (!is_identity(n->transfer))
        leaf_begin(&e->leaf, TRANSFER_PLAIN);
    else
        leaf_begin(&e->leaf, e->leaf.binary ? TRANSFER_TO_BASE64 : TRANSFER_LOOK);
}

static se_status begin_multipart(struct entity *e, const struct media *media, se_error *err)
{
    se_status st = levels_push(&e->levels, media, err);

    e->in_margin = true;
    if (!st)
        leaf_begin(&e->leaf, TRANSFER_PLAIN);
    return st;
}

static bool is_message(const struct nature *n)
{
    return is_identity(n->transfer) && (strcmp(n->media.type, "message/rfc822") == 0 ||
                                        strcmp(n->media.type, "message/global") == 0 ||
                                        strcmp(n->media.type, "message/news") == 0);
}

/* Signatures and ciphertext of others, of which not a byte may change. */
static bool is_sealed(const struct media *media)
{
    return media_is(media, "multipart") && media_seal(media) != SEAL_NONE;
}

static void begin_header(struct entity *e, bool digest)
{
    header_clear(&e->header);
    e->in_header = true;
    e->in_margin = e->leaf.begun = false;
    e->leaf.eol = EOL_NONE;
    e->digest = digest;
}

/* The header is nothing but a line as mailbox files put before a message: it is the text's first
 * one. */
static bool is_text_only(const struct header *h)
{
    return h->count == 1 && !h->fields[0].name_size;
}

/* The part's header is complete. */
static se_status begin_part(struct entity *e, se_error *err)
{
    struct nature n;
    se_status st = SE_OK;

    TRY(look_at(&n, e, err));
    e->media = NULL;
    e->open = e->header.spilled && e->header.count && !is_text_only(&e->header);
    e->in_header = e->in_margin = false;
    e->transfer = says_too_much(n.transfer) ? "7bit" : NULL;
    e->verbatim = is_sealed(&n.media);
    e->leaf.fields = is_fields(&n.media);
    e->implicit = e->implicit && !n.said;
    if (e->verbatim) {
        e->transfer = NULL;
        leaf_begin(&e->leaf, TRANSFER_PLAIN);
    } else if (media_is(&n.media, "multipart"))
        st = begin_multipart(e, &n.media, err);
    else if (is_message(&n)) {
        put_header(e);
        begin_header(e, false);
    } else
        begin_leaf(e, &n);
    return st;
}

static se_status end_header(struct entity *e, se_error *err)
{
    AUTO(writer) first = { 0 };
    bool text_only = is_text_only(&e->header);
    struct line line = { .begins = true, .ends = true, .eol = EOL_LF };
    se_status st;

    if (text_only)
        writer_put(&first, e->header.text.buf.data,
                   size_without_end(field_bytes(&e->header, &e->header.fields[0])));
    if ((st = begin_part(e, err)) || !text_only)
        return st;
    line.text = (se_bytes){ writer_string(&first), first.buf.size };
    return first.failed ? error_memory(err) : take_line(e, &line, err);
}

static se_status take_header_line(struct entity *e, const struct line *line, se_error *err)
{
    se_status st = header_take(&e->header, line, err);
    bool goes_on = e->header.spilled || is_text_only(&e->header);

    if (st || !e->header.complete || (st = end_header(e, err)))
        return st;
    /* of a multipart's header it may be the boundary, which was not known before */
    return goes_on ? take_line_or_boundary(e, line, err) : SE_OK;
}

/* Nobody reads margins, but they are signed: what is not safe is left out.  Without parts, it is
 * the margin that is read. */
static se_status take_margin_line(struct entity *e, const struct line *line, se_error *err)
{
    const struct line trimmed = line_trimmed(line);
    struct level *level = &e->levels.list[e->levels.depth - 1];

    if (!level->lost && (!line->begins || !line->ends || !line_is_safe(line->text)))
        level->lost = e->in->line;
    if (!line->begins || !line->ends || !line_is_safe(trimmed.text))
        return SE_OK;
    return leaf_line(&e->leaf, &trimmed, err);
}

static se_status take_line(struct entity *e, const struct line *line, se_error *err)
{
    if (e->in_header)
        return take_header_line(e, line, err);
    return e->in_margin ? take_margin_line(e, line, err) : leaf_line(&e->leaf, line, err);
}

static se_status end_part(struct entity *e, se_error *err)
{
    se_status st = e->in_header ? end_header(e, err) : SE_OK;

    /* a header that ends in a message's header, which ends here */
    if (!st && e->in_header)
        put_header(e), e->in_header = false;
    else if (!st)
        leaf_end(&e->leaf);
    return st;
}

/* ---- boundaries ---- */

static se_status take_boundary(struct entity *e, struct level *level, bool close,
                               const struct line *line, se_error *err)
{
    se_status st = end_part(e, err);

    if (st || (st = levels_leave(&e->levels, level, err)))
        return st;
    writer_format(&e->out, "%s--%s%s", e->leaf.begun ? "\r\n" : "", level->boundary,
                  close ? "--" : "\r\n");
    level->has_parts = level->has_parts || !close;
    if (!close) {
        begin_header(e, level->digest);
        return SE_OK;
    }
    e->in_header = false;
    e->in_margin = true;
    header_clear(&e->header);
    /* the boundary counts as the first line of what follows */
    e->leaf.transfer = TRANSFER_PLAIN;
    e->leaf.begun = true;
    e->leaf.eol = line->eol;
    return SE_OK;
}

static se_status take_line_or_boundary(struct entity *e, const struct line *line, se_error *err)
{
    bool close = false;
    struct level *level = levels_find(&e->levels, line, &close);

    return level ? take_boundary(e, level, close, line, err) : take_line(e, line, err);
}

/* Lines that nobody has to look at one by one; *size is 0 if the next one is none of them. */
static se_status take_stretch(size_t *size, struct entity *e, se_error *err)
{
    struct stretch stretch;

    *size = 0;
    if (e->in_header || !leaf_is_plain(&e->leaf))
        return SE_OK;
    stretch = stretch_find(intake_ready(e->in));
    if (!(*size = stretch.lines.size))
        return SE_OK;
    intake_skip(e->in, *size, stretch.count);
    return leaf_stretch(&e->leaf, &stretch, err);
}

static se_status step(struct entity *e, se_error *err)
{
    struct line line;
    bool more;
    size_t taken;
    se_status st = take_stretch(&taken, e, err);

    if (st || taken || (st = intake_next(&line, &more, e->in, err)))
        return st;
    if (more)
        return take_line_or_boundary(e, &line, err);
    e->over = true;
    if (!e->in_header && !e->levels.depth)
        leaf_keep_eol(&e->leaf);
    TRY(end_part(e, err));
    TRY(levels_leave(&e->levels, NULL, err));
    /* who wraps base64 anew leaves out an empty line behind it */
    if (e->leaf.begun && e->leaf.eol != EOL_NONE && e->leaf.transfer != TRANSFER_BASE64 &&
        e->leaf.transfer != TRANSFER_TO_BASE64)
        writer_text(&e->out, "\r\n");
    return SE_OK;
}

se_status entity_begin(struct entity *e, struct intake *in, se_error *err)
{
    e->in = in;
    e->leaf.out = &e->out;
    e->leaf.decided = decided;
    e->leaf.arg = e;
    e->implicit = !header_find(&e->header, "Content-Type");
    return begin_part(e, err);
}

se_status entity_read(size_t *got, struct entity *e, void *data, size_t size, se_error *err)
{
    size_t left;

    if (e->taken == e->out.buf.size)
        e->taken = e->out.buf.size = 0;
    while (!e->over && e->out.buf.size < BATCH) {
        se_status st = step(e, err);

        if (st)
            return st;
    }
    if (e->out.failed)
        return error_memory(err);
    left = e->out.buf.size - e->taken;
    *got = left < size ? left : size;
    if (*got)
        memcpy(data, e->out.buf.data + e->taken, *got);
    e->taken += *got;
    return SE_OK;
}
