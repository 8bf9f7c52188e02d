/* SPDX-License-Identifier: Apache-2.0 */
/* se_mail_sign(): S/MIME as RFC 8551 has it, multipart/signed (3.5.3) or application/pkcs7-mime
 * (3.5.2). */
#include <errno.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "mail/boundary.h"
#include "mail/header_protection.h"
#include "mail/message.h"
#include "mail/mime_canon.h"
#include "mail/mime_writer.h"
#include "mail/readings.h"

/* From looking who signs to the signature it is the same. */
AUTO_KIND(held, se_engine *, se_close(p))

struct signing {
    se_engine *engine;
    const char *descriptor;
    const se_mail_sign_params *params;
    int64_t begun; /* which decides about the version */
    struct message message;
    struct mime_canon canon;
    struct mime_writer out;
    char boundary[BOUNDARY_ROOM];
    se_error failure; /* of reading and writing, inside the engine's callbacks */
};

static void mail_signing_free(struct signing *s)
{
    message_close(&s->message);
    mime_canon_free(&s->canon);
    mime_writer_close(&s->out);
}
AUTO_KIND(signing, struct signing, mail_signing_free(p))

/* ---- already signed or encrypted ---- */

static se_status pass_through(struct signing *s, se_error *err)
{
    const struct header *h = &s->message.header;
    bool more;
    struct line line;

    mime_writer_put_raw(&s->out, buf_bytes(&h->text.buf));
    if (h->complete)
        mime_writer_put_text(&s->out, "\r\n");
    for (;;) {
        TRY(mime_writer_status(&s->out, err));
        TRY(line_reader_next(&line, &more, &s->message.lines, err));
        if (!more)
            return SE_OK;
        mime_writer_put_raw(&s->out, line.text);
        mime_writer_put_raw(&s->out, text_bytes(eol_text(line.eol)));
    }
}

/* ---- headers ---- */

/* RFC 8551, 3.5.3.2 */
static const char *micalg_name(const char *algorithm)
{
    return strncmp(algorithm, "SHA512", 6) == 0   ? "sha-512"
           : strncmp(algorithm, "SHA384", 6) == 0 ? "sha-384"
                                                  : "sha-256";
}

static void put_content_type(struct writer *w, const struct signing *s, const char *algorithm)
{
    const char *const opaque[] = {
        "Content-Type: application/pkcs7-mime; smime-type=signed-data;\r\n\tname=\"smime.p7m\"\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        "Content-Disposition: attachment; filename=\"smime.p7m\"\r\n",
        NULL
    };
    const char *const detached[] = {
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n\tmicalg=\"",
        micalg_name(algorithm),
        "\";\r\n\tboundary=\"",
        s->boundary,
        "\"\r\n",
        NULL
    };

    if (!header_find(&s->message.header, "MIME-Version"))
        writer_text(w, "MIME-Version: 1.0\r\n");
    for (const char *const *text = s->params->opaque ? opaque : detached; *text; text++)
        writer_text(w, *text);
}

/* In order and to the byte; the new Content-Type takes the place of the first field that moves
 * inside. */
static se_status put_message_header(struct signing *s, const char *algorithm, se_error *err)
{
    const struct header *h = &s->message.header;
    AUTO(writer) type = { 0 };
    bool typed = false;

    put_content_type(&type, s, algorithm);
    if (type.failed)
        return error_memory(err);
    for (size_t i = 0; i < h->count; i++) {
        if (!field_is_content(h, &h->fields[i])) {
            mime_writer_put_field(&s->out, field_bytes(h, &h->fields[i]));
        } else if (!typed) {
            mime_writer_put_text(&s->out, writer_string(&type));
            typed = true;
        }
    }
    if (!typed)
        mime_writer_put_text(&s->out, writer_string(&type));
    mime_writer_put_text(&s->out, "\r\n");
    return SE_OK;
}

static bool moves_inside(const struct header *h, const struct field *field)
{
    return field_is_content(h, field) &&
           !field_is(h, field, "Content-Length"); /* the length of a body that is no more */
}

static se_status copy_signed_field(struct signing *s, const struct field *field, se_error *err)
{
    const struct header *h = &s->message.header;
    bool protect = s->params->protect;

    if (protect && field_is(h, field, "Content-Type"))
        return header_copy_with(&s->canon.header, h, field, ";\r\n\thp=\"clear\"", err);
    if (moves_inside(h, field) || (protect && field_is_protected(h, field)))
        return header_copy(&s->canon.header, h, field, err);
    return SE_OK;
}

static se_status fill_canon(struct signing *s, se_error *err)
{
    const struct header *h = &s->message.header;

    for (size_t i = 0; i < h->count; i++)
        TRY(copy_signed_field(s, &h->fields[i], err));
    s->canon.media = &s->message.media;
    s->canon.parameter = s->params->protect ? "; hp=\"clear\"" : "";
    return mime_canon_begin(&s->canon, &s->message.lines, err);
}

/* ---- content and signature ---- */

/* Callbacks of the engine, to which errno says that there is an error in s->failure. */
static ptrdiff_t read_canon(void *arg, void *data, size_t size)
{
    struct signing *s = arg;
    size_t got = 0;

    errno = EIO;
    if (mime_canon_read(&got, &s->canon, data, size, &s->failure))
        return -1;
    if (!s->params->opaque)
        mime_writer_put(&s->out, (se_bytes){ data, got });
    return mime_writer_status(&s->out, &s->failure) ? -1 : (ptrdiff_t)got;
}

static int write_opaque(void *arg, const void *data, size_t size)
{
    struct signing *s = arg;

    errno = EIO;
    mime_writer_put_base64(&s->out, (se_bytes){ data, size });
    return mime_writer_status(&s->out, &s->failure) ? -1 : 0;
}

static se_sign_params mail_sign_params(const struct signing *s)
{
    se_sign_params params = SE_SIGN_PARAMS_INIT;

    params.version = s->params->version;
    params.at_any_time = s->params->at_any_time;
    params.begun = s->begun;
    params.time = s->params->time;
    params.form = s->params->opaque ? SE_FORM_ATTACHED : SE_FORM_DETACHED;
    params.purpose = SE_PURPOSE_MAIL;
    params.addresses = (const char *const *)s->message.from.list;
    params.address_count = s->message.from.count;
    params.tag = s->params->tag;
    params.tsa = s->params->tsa;
    params.tsa_policy = s->params->tsa_policy;
    return params;
}

static se_status mail_make_signature(const se_sink *out, struct signing *s, se_error *err)
{
    const se_sign_params params = mail_sign_params(s);
    /* what is signed is about as big as the message */
    const se_source source = { read_canon, s, s->message.stream.source->total };
    se_status st = se_sign_stream(out, s->engine, s->descriptor, &source, &params, err);

    if (!st || !s->failure.status)
        return st;
    if (err)
        *err = s->failure;
    return s->failure.status;
}

static se_status put_opaque(struct signing *s, se_error *err)
{
    const se_sink sink = { write_opaque, s };

    TRY(mail_make_signature(&sink, s, err));
    mime_writer_end_base64(&s->out);
    return SE_OK;
}

static void put_boundary_line(struct signing *s, const char *end)
{
    mime_writer_put_text(&s->out, "--");
    mime_writer_put_text(&s->out, s->boundary);
    mime_writer_put_text(&s->out, end);
}

static se_status put_detached(struct signing *s, se_error *err)
{
    AUTO(writer) signature = { 0 };
    const se_sink sink = sink_writer(&signature);

    put_boundary_line(s, "\r\n");
    TRY(mail_make_signature(&sink, s, err));
    if (signature.failed)
        return error_memory(err);
    mime_writer_put_text(&s->out, "\r\n");
    put_boundary_line(s, "\r\n");
    mime_writer_put_text(&s->out,
                         "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n"
                         "Content-Transfer-Encoding: base64\r\n"
                         "Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n");
    mime_writer_put_base64(&s->out, buf_bytes(&signature.buf));
    mime_writer_end_base64(&s->out);
    put_boundary_line(s, "--\r\n");
    return SE_OK;
}

static se_status sign_message(struct signing *s, se_mail *result, se_error *err)
{
    const se_sign_params params = mail_sign_params(s);

    TRY(se_find_signer(&result->signer, s->engine, s->descriptor, &params, err));
    TRY(boundary_choose(s->boundary, err));
    TRY(put_message_header(s, result->signer.algorithm, err));
    TRY(fill_canon(s, err));
    return s->params->opaque ? put_opaque(s, err) : put_detached(s, err);
}

se_status se_mail_sign(const se_sink *out, se_mail *done, se_engine *engine, const char *descriptor,
                       const se_source *in, const se_mail_sign_params *params, se_error *error)
{
    se_mail_sign_params read;
    struct stream stream = { .source = in };
    se_mail result = { .passed = false };
    AUTO(held) held = NULL;
    AUTO(signing) s = { .descriptor = descriptor, .params = &read, .begun = clock_seconds() };

    if (done)
        *done = result;
    TRY(arguments_check(error, given_sink(out), engine, descriptor, given_source(in)));
    TRY(arguments_options(&read, params, se_mail_sign_params, error));
    TRY(se_hold(&held, engine, error));
    s.engine = held;
    stream.progress = read.progress;
    stream.progress_arg = read.progress_arg;
    TRY(message_open(&s.message, &stream, error));
    mime_writer_open(&s.out, out, header_is_crlf(&s.message.header));
    result.passed = !read.again && media_seal(&s.message.media) != SEAL_NONE;
    result.encrypted = result.passed && media_seal(&s.message.media) == SEAL_ENCRYPTED;
    if (result.passed) {
        TRY(pass_through(&s, error));
    } else {
        TRY(readings_check_signed(&s.message.header, "the message's", error));
        TRY(message_from(&s.message, read.sender, MAILBOX_OBSOLETE, error));
        TRY(sign_message(&s, &result, error));
    }
    TRY(mime_writer_flush(&s.out, error));
    if (done)
        *done = result;
    return SE_OK;
}
