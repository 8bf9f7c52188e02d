/* SPDX-License-Identifier: Apache-2.0 */
/* The outermost signature of a message (RFC 8551, 3.5): verified, or only looked at. */
#include <errno.h>

#include "base/arguments.h"
#include "base/base64.h"
#include "mail/boundary.h"
#include "mail/header_protection.h"
#include "mail/message.h"
#include "mail/readings.h"

enum { BATCH = 32 << 10 };

struct verification {
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
    struct signed_content head; /* of what was signed */
    se_error failure;           /* inside the engine's callbacks */
};

static void mail_verification_free(struct verification *v)
{
    message_close(&v->message);
    writer_free(&v->out);
    signed_content_free(&v->head);
}
AUTO_KIND(verification, struct verification, mail_verification_free(p))

/* ---- sources for the engine ---- */

static ptrdiff_t content_hand_over(struct verification *v, void *data, size_t size,
                                   se_status (*more)(struct verification *))
{
    size_t left;

    if (v->taken == v->out.buf.size)
        v->taken = v->out.buf.size = 0;
    errno = EIO;
    while (!v->over && v->out.buf.size < BATCH)
        if (more(v))
            return -1;
    errno = ENOMEM;
    if (v->out.failed)
        return -1;
    left = v->out.buf.size - v->taken;
    size = left < size ? left : size;
    if (size)
        memcpy(data, v->out.buf.data + v->taken, size);
    v->taken += size;
    return (ptrdiff_t)size;
}

static se_status message_next_line(struct line *line, struct verification *v)
{
    bool more;

    TRY(line_reader_next(line, &more, &v->message.lines, &v->failure));
    return more
               ? SE_OK
               : error_set(&v->failure, SE_ERR_FORMAT, "the message ends before its last boundary");
}

/* What was signed, line ends made CRLF (RFC 8551, 3.1.1). */
static se_status more_content(struct verification *v)
{
    struct line line;
    enum boundary_kind kind;

    TRY(message_next_line(&line, v));
    kind = boundary_kind(v->boundary.text, &line);
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
    return content_hand_over(arg, data, size, more_content);
}

/* Nothing but base64, and nothing but blanks behind its padding: all decoders make the same of it.
 */
static bool take_base64(struct verification *v, se_bytes text)
{
    const unsigned char *in = text.data;
    unsigned char *room = writer_room(&v->out, text.size / 4 * 3 + 3);

    for (size_t i = 0; i < text.size; i++) {
        size_t span = v->padded ? 0 : base64_span((se_bytes){ in + i, text.size - i });

        i += span;
        if (i == text.size)
            break;
        if (!strchr("= \t", in[i] ? in[i] : '_'))
            return false;
        v->padded = v->padded || in[i] == '=';
    }
    if (room)
        writer_filled(&v->out, base64_read(room, &v->base64, text));
    return true;
}

static void end_base64(struct verification *v)
{
    unsigned char rest[2];

    writer_put(&v->out, rest, base64_read_end(rest, &v->base64));
}

static const char *const in_base64[] = { "base64", NULL };

static se_status enter_signature(struct verification *v)
{
    static const char whose[] = "the signature's";
    AUTO(header) h = { .strict = true };
    AUTO(se_buf) type = SE_BUF_INIT;
    struct media media;

    v->later = true;
    v->over = false;
    if (header_read(&h, &v->message.lines, &v->failure))
        return error_prefix(&v->failure, v->failure.status, "the signature's part: ");
    TRY(field_value(&type, &h, header_find(&h, "Content-Type"), &v->failure));
    media_read(&media, (const char *)type.data);
    if (!media_is_signature(media.type))
        return error_set(&v->failure, SE_ERR_FORMAT,
                         "the second part is no S/MIME signature, but %s", media.type);
    TRY(readings_check_header(&h, whose, &v->failure));
    return readings_check_content(&h, whose, &media, in_base64, &v->failure);
}

static se_status more_signature(struct verification *v)
{
    struct line line;
    enum boundary_kind kind;

    if (!v->later)
        TRY(enter_signature(v));
    TRY(message_next_line(&line, v));
    kind = boundary_kind(v->boundary.text, &line);
    if (kind == BOUNDARY_NONE || kind == BOUNDARY_LIKE) {
        return take_base64(v, line.text)
                   ? SE_OK
                   : error_set(&v->failure, SE_ERR_FORMAT,
                               "the signature's part has something in it that is not base64, or "
                               "behind its end");
    }
    end_base64(v);
    v->over = true;
    return kind == BOUNDARY_LAST
               ? SE_OK
               : error_set(&v->failure, SE_ERR_REJECTED,
                           "there are parts behind the signature, which it does not cover");
}

static ptrdiff_t read_signature(void *arg, void *data, size_t size)
{
    struct verification *v = arg;

    v->over = v->over && v->later;
    return content_hand_over(v, data, size, more_signature);
}

static se_status more_opaque(struct verification *v)
{
    struct line line;
    bool more;

    TRY(line_reader_next(&line, &more, &v->message.lines, &v->failure));
    if (more && !take_base64(v, line.text))
        return error_set(&v->failure, SE_ERR_REJECTED,
                         "there is something in the message that is not part of the signature");
    if (!more)
        end_base64(v);
    v->over = !more;
    return SE_OK;
}

static ptrdiff_t read_opaque(void *arg, void *data, size_t size)
{
    return content_hand_over(arg, data, size, more_opaque);
}

static int take_content(void *arg, const void *data, size_t size)
{
    struct verification *v = arg;
    const se_sink *to = v->params->content;

    signed_content_take(&v->head, (se_bytes){ data, size });
    return to ? to->write(to->arg, data, size) : 0;
}

/* ---- both forms ---- */

static se_status failure_hand_over(const struct verification *v, se_error *err)
{
    if (err)
        *err = v->failure;
    return v->failure.status;
}

static se_verify_params mail_verify_params(struct verification *v, const se_sink *content)
{
    se_verify_params params = SE_VERIFY_PARAMS_INIT;

    params.version = v->params->version;
    params.purpose = SE_PURPOSE_MAIL;
    params.time = v->params->time;
    params.trust = v->params->trust;
    params.trust_tsa = v->params->trust_tsa;
    params.revocation = v->params->revocation;
    params.addresses = (const char *const *)v->message.from.list;
    params.address_count = v->message.from.count;
    params.content = content;
    params.tag = v->params->tag;
    return params;
}

static se_status mail_verify_stream(se_signer *out, struct verification *v, const se_source *in,
                                    const se_source *later, se_error *err)
{
    const se_sink content = { take_content, v };
    se_verify_params params = mail_verify_params(v, &content);
    se_status st;

    params.later = later;
    st = se_verify_stream(out, v->engine, v->descriptor, in, &params, err);
    return st && v->failure.status ? failure_hand_over(v, err) : st;
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

static se_status skip_preamble(struct verification *v, se_error *err)
{
    struct line line;
    size_t remarks = 0;
    enum boundary_kind kind;

    for (;;) {
        if (message_next_line(&line, v))
            return failure_hand_over(v, err);
        kind = boundary_kind(v->boundary.text, &line);
        if (kind == BOUNDARY_NEXT)
            return SE_OK;
        if (kind == BOUNDARY_LAST)
            return error_set(err, SE_ERR_FORMAT, "the message has no parts");
        TRY(check_preamble_line(&line, &remarks, err));
    }
}

static se_status check_epilogue(struct verification *v, se_error *err)
{
    struct line line;
    bool more;

    for (;;) {
        TRY(line_reader_next(&line, &more, &v->message.lines, err));
        if (!more)
            return SE_OK;
        if (!line_is_blank(&line) || readings_margin_fault(&line))
            return error_set(err, SE_ERR_REJECTED,
                             "there is text behind the signature, which it does not cover");
    }
}

static se_status verify_multipart(se_signer *out, struct verification *v, se_error *err)
{
    const se_source content = { read_content, v, 0 }, signature = { read_signature, v, 0 };

    v->boundary.text = v->message.media.boundary;
    if (!*v->boundary.text)
        return error_set(err, SE_ERR_FORMAT, "a multipart without a boundary");
    TRY(skip_preamble(v, err));
    v->head.before = v->message.lines.line;
    TRY(mail_verify_stream(out, v, &content, &signature, err));
    return check_epilogue(v, err);
}

static se_status verify_opaque(se_signer *out, struct verification *v, se_error *err)
{
    const se_source content = { read_opaque, v, 0 };

    return mail_verify_stream(out, v, &content, NULL, err);
}

/* Only a message has a From field and a MIME-Version; what was inside a signature need not. */
static se_status check_sender(struct verification *v, se_error *err)
{
    if (!v->params->sender)
        TRY(readings_check_version(&v->message.header, err));
    return message_from(&v->message, v->params->sender, MAILBOX_STRICT, err);
}

/* That nobody reads another message here, or another sender. */
static se_status check_readings(struct verification *v, bool opaque, se_error *err)
{
    static const char *const as_it_is[] = { "7bit", "8bit", "binary", "", NULL };
    static const char whose[] = "the message's";
    const struct header *h = &v->message.header;

    TRY(readings_check_header(h, whose, err));
    TRY(readings_check_content(h, whose, &v->message.media, opaque ? in_base64 : as_it_is, err));
    if (!opaque)
        TRY(readings_check_disposition(h, whose, err));
    return check_sender(v, err);
}

static se_status verify_message(se_mail *out, struct verification *v, se_error *err)
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

/* The header that was signed is compared with that of the message around it, if there is one. */
static se_status check_inside(se_mail *out, struct verification *v, se_error *err)
{
    se_bytes bytes = v->params->outside;
    const se_source memory = source_memory(&bytes);
    struct stream stream = { .source = &memory };
    AUTO(line_reader) lines = { .room = NULL };
    AUTO(header) outside = { .strict = true };
    const struct header *own = header_find(&v->message.header, "From") ? &v->message.header : NULL;

    if (!bytes.size)
        return signed_content_check(out, &v->head, own, err);
    TRY(line_reader_open(&lines, &stream, err));
    TRY(header_read(&outside, &lines, err));
    return signed_content_check(out, &v->head, &outside, err);
}

se_status se_mail_verify(se_mail *out, se_engine *engine, const char *descriptor,
                         const se_source *in, const se_mail_verify_params *params, se_error *error)
{
    se_mail_verify_params read;
    struct stream stream = { .source = in };
    se_mail result = { .passed = false };
    AUTO(verification) v = { .engine = engine, .descriptor = descriptor, .params = &read };

    if (out)
        *out = result;
    TRY(arguments_check(error, engine, descriptor, given_source(in)));
    TRY(arguments_options(&read, params, se_mail_verify_params, error));
    stream.progress = read.progress;
    stream.progress_arg = read.progress_arg;
    TRY(message_open(&v.message, &stream, error));
    TRY(verify_message(&result, &v, error));
    TRY(check_inside(&result, &v, error));
    if (read.header)
        TRY(sink_write(read.header, buf_bytes(&v.message.header.text.buf), error));
    if (out)
        *out = result;
    return SE_OK;
}

/* ---- who, without verifying ---- */

struct version_listener {
    se_version_fn fn;
    void *arg;
};

static se_status pass_content(void *arg, se_bytes piece, se_error *err)
{
    (void)arg;
    (void)piece;
    (void)err;
    return SE_OK;
}

static se_status find_in(struct verification *v, const se_source *signature,
                         const struct version_listener *to, se_error *err)
{
    const se_status st =
        se_find_versions_stream(v->engine, v->descriptor, signature, to->fn, to->arg, err);

    return st && v->failure.status ? failure_hand_over(v, err) : st;
}

static se_status find_in_multipart(struct verification *v, const struct version_listener *to,
                                   se_error *err)
{
    const se_source content = { read_content, v, 0 }, signature = { read_signature, v, 0 };
    struct stream stream = { .source = &content };

    v->boundary.text = v->message.media.boundary;
    TRY(skip_preamble(v, err));
    if (stream_drain(&stream, pass_content, NULL, err))
        return v->failure.status ? failure_hand_over(v, err) : SE_ERR_IO;
    return find_in(v, &signature, to, err);
}

static se_status find_in_message(struct verification *v, const struct version_listener *to,
                                 se_error *err)
{
    const se_source opaque = { read_opaque, v, 0 };
    const struct media *media = &v->message.media;

    if (media_is_cms(media->type))
        return find_in(v, &opaque, to, err);
    return strcmp(media->type, "multipart/signed") == 0 && media_is_signature(media->protocol)
               ? find_in_multipart(v, to, err)
               : SE_OK;
}

se_status se_mail_find_versions(se_engine *engine, const char *descriptor, const se_source *in,
                                se_version_fn fn, void *arg, se_error *error)
{
    static const se_mail_verify_params nothing = SE_MAIL_VERIFY_PARAMS_INIT;
    const struct version_listener to = { fn, arg };
    struct stream stream = { .source = in };
    AUTO(verification) v = { .engine = engine, .descriptor = descriptor, .params = &nothing };
    se_status st;

    TRY(arguments_check(error, engine, descriptor, given_source(in), fn));
    TRY(message_open(&v.message, &stream, error));
    st = find_in_message(&v, &to, error);
    return st == SE_ERR_FORMAT ? error_prefix(error, SE_ERR_REJECTED, "its signature: ") : st;
}
