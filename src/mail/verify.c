/* se_mail_verify(): the outermost signature of a message (RFC 8551, 3.5). */
#include <errno.h>

#include "base/arguments.h"
#include "mail/boundary.h"
#include "mail/inside.h"
#include "mail/message.h"
#include "mail/readings.h"
#include "mail/transfer.h"

enum { BATCH = 32 << 10 };

struct verifying {
    se_engine *engine;
    const char *descriptor;
    const se_mail_verify_params *params;
    struct message message;

    struct writer out; /* what the engine has not taken yet */
    size_t taken;
    bool begun, over; /* the part that is being read */
    bool last;        /* the closing boundary has been seen */
    struct base64_reader base64;
    bool padded; /* it has ended */
    bool later;  /* the signature's part has been entered */

    struct boundary boundary;
    struct inside head; /* of what was signed */
    se_error failure;   /* inside the engine's callbacks */
};

static void verifying_free(struct verifying *v)
{
    message_close(&v->message);
    writer_free(&v->out);
    inside_free(&v->head);
}
AUTO_KIND(verifying, struct verifying, verifying_free(p))

/* ---- sources for the engine ---- */

static ptrdiff_t hand_over(struct verifying *v, void *data, size_t size,
                           se_status (*more)(struct verifying *))
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

static se_status next_line(struct line *line, struct verifying *v)
{
    bool more;
    se_status st = intake_next(line, &more, &v->message.lines, &v->failure);

    return st || more
               ? st
               : error_set(&v->failure, SE_ERR_FORMAT, "the message ends before its last boundary");
}

/* What was signed, line ends made CRLF (RFC 8551, 3.1.1). */
static se_status more_content(struct verifying *v)
{
    struct line line;
    se_status st = next_line(&line, v);
    enum boundary_kind kind = st ? BOUNDARY_NONE : boundary_kind(&v->boundary, &line);

    if (st)
        return st;
    if (kind == BOUNDARY_LAST)
        return error_set(&v->failure, SE_ERR_FORMAT, "the message has no part with the signature");
    if (kind == BOUNDARY_LIKE ||
        (kind == BOUNDARY_NONE && boundary_follows_cr(&v->boundary, &line)))
        return error_set(&v->failure, SE_ERR_FORMAT,
                         "a line of the signed part begins with the message's boundary and goes "
                         "on, or follows a CR: a part begins there for "
                         "some readers");
    v->over = kind == BOUNDARY_NEXT;
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

/* Nothing but base64, and nothing but blanks behind its padding: all decoders make the same of it.
 */
static bool is_base64_text(struct verifying *v, se_bytes text)
{
    const unsigned char *in = text.data;

    for (size_t i = 0; i < text.size; i++) {
        bool blank = in[i] == ' ' || in[i] == '\t';

        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t",
                    in[i] ? in[i] : '_') ||
            (v->padded && !blank && in[i] != '='))
            return false;
        v->padded = v->padded || in[i] == '=';
    }
    return true;
}

static void decode_end(struct verifying *v)
{
    unsigned char rest[2];

    writer_put(&v->out, rest, base64_read_end(rest, &v->base64));
}

static const char *const in_base64[] = { "base64", NULL };

static se_status enter_signature(struct verifying *v)
{
    static const char whose[] = "the signature's";
    AUTO(header) h = { .strict = true };
    AUTO(se_buf) type = SE_BUF_INIT;
    struct media media;
    se_status st;

    v->later = true;
    v->over = false;
    if ((st = header_read(&h, &v->message.lines, &v->failure)))
        return error_prefix(&v->failure, "the signature's part: ");
    TRY(field_value(&type, &h, header_find(&h, "Content-Type"), &v->failure));
    media_read(&media, (const char *)type.data);
    if (!media_is_signature(media.type))
        return error_set(&v->failure, SE_ERR_FORMAT,
                         "the second part is no S/MIME signature, but %s", media.type);
    st = readings_check_header(&h, whose, &v->failure);
    return st ? st : readings_check_content(&h, whose, &media, in_base64, &v->failure);
}

static se_status more_signature(struct verifying *v)
{
    struct line line;
    se_status st = v->later ? SE_OK : enter_signature(v);
    enum boundary_kind kind;

    if (st || (st = next_line(&line, v)))
        return st;
    kind = boundary_kind(&v->boundary, &line);
    if (kind == BOUNDARY_NONE || kind == BOUNDARY_LIKE) {
        if (!is_base64_text(v, line.text))
            return error_set(
                &v->failure, SE_ERR_FORMAT,
                "the signature's part has something in it that is not base64, or behind its end");
        decode(v, line.text);
        return SE_OK;
    }
    decode_end(v);
    v->over = true;
    return kind == BOUNDARY_LAST
               ? SE_OK
               : error_set(&v->failure, SE_ERR_REJECTED,
                           "there are parts behind the signature, which it does not cover");
}

static ptrdiff_t read_signature(void *arg, void *data, size_t size)
{
    struct verifying *v = arg;

    v->over = v->over && v->later;
    return hand_over(v, data, size, more_signature);
}

static se_status more_opaque(struct verifying *v)
{
    struct line line;
    bool more;

    TRY(intake_next(&line, &more, &v->message.lines, &v->failure));
    if (more && !is_base64_text(v, line.text))
        return error_set(&v->failure, SE_ERR_REJECTED,
                         "there is something in the message that is not part of the signature");
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
    const se_sink *to = v->params->content;

    inside_take(&v->head, (se_bytes){ data, size });
    return to ? to->write(to->arg, data, size) : 0;
}

/* ---- both forms ---- */

static se_verify_params params_of(struct verifying *v, const se_sink *content)
{
    se_verify_params params = SE_VERIFY_PARAMS_INIT;

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

static se_status run(se_signer *out, struct verifying *v, const se_source *in,
                     const se_source *later, se_error *err)
{
    const se_sink content = { take_content, v };
    se_verify_params params = params_of(v, &content);
    se_status st;

    params.later = later;
    st = se_verify_stream(out, v->engine, v->descriptor, in, &params, err);
    if (!st || !v->failure.status)
        return st;
    if (err)
        *err = v->failure;
    return v->failure.status;
}

/* `remarks`: how many lines with text there were before it. */
static se_status check_preamble_line(const struct line *line, size_t *remarks, se_error *err)
{
    const char *fault = readings_margin_fault(line);

    if (!fault && !line_is_blank(line) && ++*remarks > 1)
        fault = "a second line of text";
    return fault ? error_set(err, SE_ERR_FORMAT,
                             "in front of the signed part there is %s, which it does not cover and "
                             "some readers show",
                             fault)
                 : SE_OK;
}

static se_status skip_preamble(struct verifying *v, se_error *err)
{
    struct line line;
    size_t remarks = 0;
    enum boundary_kind kind;
    se_status st = SE_OK;

    for (;;) {
        if ((st = next_line(&line, v))) {
            if (err)
                *err = v->failure;
            return st;
        }
        kind = boundary_kind(&v->boundary, &line);
        if (kind == BOUNDARY_NEXT)
            return SE_OK;
        if (kind == BOUNDARY_LAST)
            return error_set(err, SE_ERR_FORMAT, "the message has no parts");
        TRY(check_preamble_line(&line, &remarks, err));
    }
}

static se_status check_epilogue(struct verifying *v, se_error *err)
{
    struct line line;
    bool more = true;
    se_status st = SE_OK;

    while (!st && !(st = intake_next(&line, &more, &v->message.lines, err)) && more)
        if (!line_is_blank(&line) || readings_margin_fault(&line))
            st = error_set(err, SE_ERR_REJECTED,
                           "there is text behind the signature, which it does not cover");
    return st;
}

static se_status verify_multipart(se_signer *out, struct verifying *v, se_error *err)
{
    const se_source content = { read_content, v, 0 }, signature = { read_signature, v, 0 };
    se_status st;

    v->boundary.text = v->message.media.boundary;
    if (!*v->boundary.text)
        return error_set(err, SE_ERR_FORMAT, "a multipart without a boundary");
    TRY(skip_preamble(v, err));
    v->head.before = v->message.lines.line;
    st = run(out, v, &content, &signature, err);
    return st ? st : check_epilogue(v, err);
}

static se_status verify_opaque(se_signer *out, struct verifying *v, se_error *err)
{
    const se_source content = { read_opaque, v, 0 };

    return run(out, v, &content, NULL, err);
}

/* Of a message, not of what was inside a signature: that has no From field to speak of, and no
 * MIME-Version. */
static se_status check_sender(struct verifying *v, se_error *err)
{
    se_status st = v->params->sender ? SE_OK : readings_check_version(&v->message.header, err);

    return st ? st : message_from(&v->message, v->params->sender, MAILBOX_STRICT, err);
}

/* That nobody reads another message here, or another sender. */
static se_status check_readings(struct verifying *v, bool opaque, se_error *err)
{
    static const char *const as_it_is[] = { "7bit", "8bit", "binary", "", NULL };
    static const char whose[] = "the message's";
    const struct header *h = &v->message.header;
    se_status st;

    if ((st = readings_check_header(h, whose, err)) ||
        (st = readings_check_content(h, whose, &v->message.media, opaque ? in_base64 : as_it_is,
                                     err)) ||
        (!opaque && (st = readings_check_disposition(h, whose, err))))
        return st;
    return check_sender(v, err);
}

static se_status verify(se_mail *out, struct verifying *v, se_error *err)
{
    const struct media *media = &v->message.media;

    out->opaque = media_is_cms(media->type);
    if (strcmp(media->type, "multipart/encrypted") == 0 ||
        (out->opaque && *media->smime_type && strcmp(media->smime_type, "signed-data") != 0))
        return error_set(err, SE_ERR_REJECTED, "the message is not signed, but %s",
                         *media->smime_type ? media->smime_type : "encrypted");
    if (!out->opaque &&
        (strcmp(media->type, "multipart/signed") != 0 || !media_is_signature(media->protocol)))
        return error_set(err, SE_ERR_REJECTED, "the message has no S/MIME signature, it is %s",
                         media->type);
    TRY(check_readings(v, out->opaque, err));
    return out->opaque ? verify_opaque(&out->signer, v, err)
                       : verify_multipart(&out->signer, v, err);
}

/* With what the header that was signed is compared: nothing, where there is no message around it.
 */
static se_status look_inside(se_mail *out, struct verifying *v, se_error *err)
{
    se_bytes bytes = v->params->outside;
    const se_source memory = source_memory(&bytes);
    struct stream stream = { .source = &memory };
    AUTO(intake) lines = { .room = NULL };
    AUTO(header) outside = { .strict = true };
    const struct header *own = header_find(&v->message.header, "From") ? &v->message.header : NULL;

    if (!bytes.size)
        return inside_check(out, &v->head, own, err);
    TRY(intake_open(&lines, &stream, err));
    TRY(header_read(&outside, &lines, err));
    return inside_check(out, &v->head, &outside, err);
}

se_status se_mail_verify(se_mail *out, se_engine *engine, const char *descriptor,
                         const se_source *in, const se_mail_verify_params *params, se_error *error)
{
    se_mail_verify_params read;
    struct stream stream = { .source = in };
    se_mail told = { .passed = false };
    AUTO(verifying) v = { .engine = engine, .descriptor = descriptor, .params = &read };
    se_status st = SE_OK;

    if (out)
        *out = told;
    TRY(arguments_check(error, engine, descriptor, given_source(in)));
    TRY(arguments_options(&read, params, se_mail_verify_params, error));
    stream.progress = read.progress;
    stream.progress_arg = read.progress_arg;
    TRY(message_open(&v.message, &stream, error));
    TRY(verify(&told, &v, error));
    TRY(look_inside(&told, &v, error));
    if (read.header && (st = sink_write(read.header, buf_bytes(&v.message.header.text.buf), error)))
        return st;
    if (out)
        *out = told;
    return SE_OK;
}
