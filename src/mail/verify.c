/* se_mail_verify(): the outermost signature of a message (RFC 8551, 3.5). */
#include <errno.h>
#include <strings.h>

#include "mail/message.h"
#include "mail/transfer.h"

enum {
    BATCH = 32 << 10,
    HEAD_LIMIT = 64 << 10, /* of what was signed, to see what it is */
};

struct verifying {
    se_engine *engine;
    const char *descriptor;
    const se_mail_params *params;
    struct message message;

    struct writer out; /* what the engine has not taken yet */
    size_t taken;
    bool begun, over; /* the part that is being read */
    bool last;        /* the closing boundary has been seen */
    struct base64_reader base64;
    bool later; /* the signature's part has been entered */

    struct writer head; /* the beginning of what was signed */
    se_error failure;   /* inside the engine's callbacks */
};

static void verifying_free(struct verifying *v)
{
    message_close(&v->message);
    writer_free(&v->out);
    writer_free(&v->head);
}
AUTO_KIND(verifying, struct verifying, verifying_free(p))

/* ---- sources for the engine ---- */

static ptrdiff_t hand_over(struct verifying *v, void *data, size_t size, se_status (*more)(struct verifying *))
{
    size_t left;

    if (v->taken == v->out.buf.size)
        v->taken = v->out.buf.size = 0;
    while (!v->over && v->out.buf.size < BATCH)
        if (more(v)) {
            errno = EIO;
            return -1;
        }
    left = v->out.buf.size - v->taken;
    if (v->out.failed) {
        errno = ENOMEM;
        return -1;
    }
    size = left < size ? left : size;
    if (size)
        memcpy(data, v->out.buf.data + v->taken, size);
    v->taken += size;
    return (ptrdiff_t)size;
}

/* 0: no boundary line; 1: one between parts; 2: the last one. */
static int boundary_kind(const struct verifying *v, const struct line *line)
{
    const char *boundary = v->message.media.boundary, *text = line->text.data;
    size_t size = line->text.size, bare = 2 + strlen(boundary);

    if (!line->begins || !line->ends || size < bare || strncmp(text, "--", 2) != 0 || strncmp(text + 2, boundary, bare - 2) != 0)
        return 0;
    while (text[size - 1] == ' ' || text[size - 1] == '\t')
        size--;
    if (size == bare)
        return 1;
    return size == bare + 2 && strncmp(text + bare, "--", 2) == 0 ? 2 : 0;
}

static se_status next_line(struct line *line, struct verifying *v)
{
    bool more;
    se_status st = intake_next(line, &more, &v->message.lines, &v->failure);

    return st || more ? st : error_set(&v->failure, SE_ERR_FORMAT, "the message ends before its last boundary");
}

/* What was signed, line ends made CRLF (RFC 8551, 3.1.1). */
static se_status more_content(struct verifying *v)
{
    struct line line;
    se_status st = next_line(&line, v);
    int kind = st ? 0 : boundary_kind(v, &line);

    if (st)
        return st;
    if (kind == 2)
        return error_set(&v->failure, SE_ERR_FORMAT, "the message has no part with the signature");
    v->over = kind == 1;
    if (v->over)
        return SE_OK;
    if (line.begins && v->begun)
        writer_text(&v->out, "\r\n");
    writer_put(&v->out, line.text.data, line.text.size);
    v->begun = true;
    return SE_OK;
}

static ptrdiff_t read_content(void *arg, void *data, size_t size)
{
    return hand_over(arg, data, size, more_content);
}

static void decode(struct verifying *v, se_bytes text)
{
    unsigned char bytes[3072];
    const char *at = text.data;

    for (size_t left = text.size, n; left; left -= n, at += n) {
        n = left < 4000 ? left : 4000;
        writer_put(&v->out, bytes, base64_read(bytes, &v->base64, (se_bytes){ at, n }));
    }
}

static void decode_end(struct verifying *v)
{
    unsigned char rest[2];

    writer_put(&v->out, rest, base64_read_end(rest, &v->base64));
}

static se_status enter_signature(struct verifying *v)
{
    AUTO(header) h = { .strict = false };
    AUTO(se_buf) type = SE_BUF_INIT;
    AUTO(se_buf) transfer = SE_BUF_INIT;
    struct media media;
    se_status st;

    v->later = true;
    v->over = false;
    if ((st = header_read(&h, &v->message.lines, &v->failure)) ||
        (st = field_value(&type, &h, header_find(&h, "Content-Type"), &v->failure)) ||
        (st = field_value(&transfer, &h, header_find(&h, "Content-Transfer-Encoding"), &v->failure)) ||
        (st = media_read(&media, (const char *)type.data, &v->failure)))
        return st;
    if (!media_is_signature(media.type) || strcasecmp((const char *)transfer.data, "base64") != 0)
        return error_set(&v->failure, SE_ERR_FORMAT, "the second part is no S/MIME signature in base64, but %s", media.type);
    return SE_OK;
}

static se_status more_signature(struct verifying *v)
{
    struct line line;
    se_status st = v->later ? SE_OK : enter_signature(v);
    int kind;

    if (st || (st = next_line(&line, v)))
        return st;
    if (!(kind = boundary_kind(v, &line))) {
        decode(v, line.text);
        return SE_OK;
    }
    decode_end(v);
    v->over = true;
    return kind == 2 ? SE_OK : error_set(&v->failure, SE_ERR_REJECTED, "there are parts behind the signature, which it does not cover");
}

static ptrdiff_t read_signature(void *arg, void *data, size_t size)
{
    struct verifying *v = arg;

    v->over = v->over && v->later;
    return hand_over(v, data, size, more_signature);
}

static bool is_base64_text(se_bytes text)
{
    const unsigned char *in = text.data;

    for (size_t i = 0; i < text.size; i++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\r", in[i] ? in[i] : '_'))
            return false;
    return true;
}

static se_status more_opaque(struct verifying *v)
{
    struct line line;
    bool more;
    se_status st = intake_next(&line, &more, &v->message.lines, &v->failure);

    if (st)
        return st;
    if (more && !is_base64_text(line.text))
        return error_set(&v->failure, SE_ERR_REJECTED, "there is something in the message that is not part of the signature");
    if (more)
        decode(v, line.text);
    else
        decode_end(v);
    v->over = !more;
    return SE_OK;
}

static ptrdiff_t read_opaque(void *arg, void *data, size_t size)
{
    return hand_over(arg, data, size, more_opaque);
}

static int take_content(void *arg, const void *data, size_t size)
{
    struct verifying *v = arg;
    size_t left = HEAD_LIMIT - v->head.buf.size;
    const se_sink *to = v->params->content;

    writer_put(&v->head, data, size < left ? size : left);
    return to ? to->write(to->arg, data, size) : 0;
}

/* ---- both forms ---- */

static se_params params_of(struct verifying *v, const se_sink *content)
{
    se_params params = SE_PARAMS_INIT;

    params.version = v->params->version;
    params.purpose = SE_PURPOSE_MAIL;
    params.time = v->params->time;
    params.trust = v->params->trust;
    params.trust_tsa = v->params->trust_tsa;
    params.addresses = (const char *const *)v->message.from.list;
    params.address_count = v->message.from.count;
    params.content = content;
    return params;
}

static se_status run(se_signer *out, struct verifying *v, const se_source *in, const se_source *later, se_error *err)
{
    const se_sink content = { take_content, v };
    se_params params = params_of(v, &content);
    se_status st;

    params.later = later;
    st = se_verify_stream(out, v->engine, v->descriptor, in, &params, err);
    if (!st || !v->failure.status)
        return st;
    if (err)
        *err = v->failure;
    return v->failure.status;
}

static se_status skip_preamble(struct verifying *v, se_error *err)
{
    struct line line;
    se_status st;
    int kind;

    do {
        if ((st = next_line(&line, v))) {
            if (err)
                *err = v->failure;
            return st;
        }
        kind = boundary_kind(v, &line);
    } while (!kind);
    return kind == 1 ? SE_OK : error_set(err, SE_ERR_FORMAT, "the message has no parts");
}

static se_status check_epilogue(struct verifying *v, se_error *err)
{
    struct line line;
    bool more = true;
    se_status st = SE_OK;

    while (!st && !(st = intake_next(&line, &more, &v->message.lines, err)) && more)
        if (!line_is_blank(&line))
            st = error_set(err, SE_ERR_REJECTED, "there is text behind the signature, which it does not cover");
    return st;
}

static se_status verify_multipart(se_signer *out, struct verifying *v, se_error *err)
{
    const se_source content = { read_content, v, 0 }, signature = { read_signature, v, 0 };
    se_status st = *v->message.media.boundary ? skip_preamble(v, err) : error_set(err, SE_ERR_FORMAT, "a multipart without a boundary");

    if (st || (st = run(out, v, &content, &signature, err)))
        return st;
    return check_epilogue(v, err);
}

static se_status verify_opaque(se_signer *out, struct verifying *v, se_error *err)
{
    const struct header *h = &v->message.header;
    const se_source content = { read_opaque, v, 0 };
    AUTO(se_buf) transfer = SE_BUF_INIT;
    se_status st = field_value(&transfer, h, header_find(h, "Content-Transfer-Encoding"), err);

    if (st)
        return st;
    if (strcasecmp((const char *)transfer.data, "base64") != 0)
        return error_set(err, SE_ERR_FORMAT, "the signature is not in base64");
    return run(out, v, &content, NULL, err);
}

static se_status verify(se_mail *out, struct verifying *v, se_error *err)
{
    const struct media *media = &v->message.media;

    out->opaque = media_is_cms(media->type);
    if (strcmp(media->type, "multipart/encrypted") == 0 ||
        (out->opaque && *media->smime_type && strcmp(media->smime_type, "signed-data") != 0))
        return error_set(err, SE_ERR_REJECTED, "the message is not signed, but %s", *media->smime_type ? media->smime_type : "encrypted");
    if (out->opaque)
        return verify_opaque(&out->signer, v, err);
    if (strcmp(media->type, "multipart/signed") == 0 && media_is_signature(media->protocol))
        return verify_multipart(&out->signer, v, err);
    return error_set(err, SE_ERR_REJECTED, "the message has no S/MIME signature, it is %s", media->type);
}

/* RFC 9788, 4.4: a From field that was changed on the way. */
static se_status check_protected_from(const se_mail *out, const struct header *header, se_error *err)
{
    AUTO(addresses) from = { .count = 0 };
    AUTO(se_buf) value = SE_BUF_INIT;
    se_status st;

    if (!header_find(header, "From"))
        return SE_OK;
    if ((st = field_value(&value, header, header_find(header, "From"), err)) || (st = addresses_read(&from, (const char *)value.data, err)))
        return st;
    for (size_t i = 0; i < from.count; i++)
        if (strcasecmp(from.list[i], out->signer.address) == 0)
            return SE_OK;
    return error_set(err, SE_ERR_REJECTED, "the message is from %s, the header that was signed says %.200s", out->signer.address,
                     (const char *)value.data);
}

/* What was signed may be signed itself. */
static se_status look_inside(se_mail *out, struct verifying *v, se_error *err)
{
    se_bytes bytes = buf_bytes(&v->head.buf);
    const se_source memory = source_memory(&bytes);
    struct stream stream = { .source = &memory };
    AUTO(intake) lines = { .room = NULL };
    AUTO(header) header = { .strict = false };
    AUTO(se_buf) type = SE_BUF_INIT;
    struct media media;
    se_status st;

    if ((st = intake_open(&lines, &stream, err)) || (st = header_read(&header, &lines, err)) ||
        (st = field_value(&type, &header, header_find(&header, "Content-Type"), err)) ||
        (st = media_read(&media, (const char *)type.data, err)))
        return st;
    out->protect = *media.hp != '\0';
    out->nested = (strcmp(media.type, "multipart/signed") == 0 && media_is_signature(media.protocol)) ||
                  (media_is_cms(media.type) && strcmp(media.smime_type, "enveloped-data") != 0);
    return out->protect && !v->params->sender ? check_protected_from(out, &header, err) : SE_OK;
}

se_status se_mail_verify(se_mail *out, se_engine *engine, const char *descriptor, const se_source *in, const se_mail_params *params,
                         se_error *error)
{
    se_mail_params read;
    se_mail told = { .passed = false };
    AUTO(verifying) v = { .engine = engine, .descriptor = descriptor, .params = &read };
    se_status st;

    if (out)
        *out = told;
    if ((st = mail_params_read(&read, params, error)) || (st = message_open(&v.message, in, &read, error)) ||
        (st = message_from(&v.message, &read, error)) || (st = verify(&told, &v, error)) || (st = look_inside(&told, &v, error)))
        return st;
    if (out)
        *out = told;
    return SE_OK;
}
