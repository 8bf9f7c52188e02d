/* SPDX-License-Identifier: Apache-2.0 */
/* Mail, signed as S/MIME and verified. */
#include "signengine-mail.h"

#include "base/stream.h"
#include "daemon/op.h"

static se_status read_sign_params(se_mail_sign_params *out, const struct request *request,
                                  se_error *err)
{
    const struct target *t = request->target;

    *out = (se_mail_sign_params)SE_MAIL_SIGN_PARAMS_INIT;
    TRY(request_version(&out->version, request, err));
    TRY(target_flag(&out->opaque, t, "opaque", false, err));
    TRY(target_flag(&out->protect, t, "protect", false, err));
    TRY(target_flag(&out->again, t, "again", false, err));
    out->sender = target_parameter(t, "sender");
    out->progress = request->progress;
    out->progress_arg = request->progress_arg;
    out->tag = target_parameter(t, "tag");
    return SE_OK;
}

se_status mail_sign_body(struct answer *out, const struct request *request, se_error *err)
{
    const se_sink sink = answer_stream(out, MEDIA_MAIL, request);
    AUTO(body_reader) reader = { NULL };
    const se_source source = body_source(&reader, request->body);
    se_mail_sign_params params;

    TRY(read_sign_params(&params, request, err));
    return se_mail_sign(&sink, NULL, request->engine, request_descriptor(request), &source, &params,
                        err);
}

static se_status read_verify_params(se_mail_verify_params *out, const struct request *request,
                                    se_error *err)
{
    *out = (se_mail_verify_params)SE_MAIL_VERIFY_PARAMS_INIT;
    TRY(request_version(&out->version, request, err));
    out->sender = target_parameter(request->target, "sender");
    out->progress = request->progress;
    out->progress_arg = request->progress_arg;
    out->tag = target_parameter(request->target, "tag");
    out->revocation = request->revocation;
    return SE_OK;
}

static void write_mail(struct writer *w, const se_mail *mail)
{
    json_write_text(w, "address", mail->signer.address);
    json_write_flag(w, "opaque", mail->opaque);
    json_write_flag(w, "nested", mail->nested);
    json_write_flag(w, "protected", mail->protect);
    json_write_text(w, "changed", mail->changed);
}

se_status mail_verify_body(struct answer *out, const struct request *request, se_error *err)
{
    AUTO(writer) w = { 0 };
    AUTO(body_reader) reader = { NULL };
    const se_source source = body_source(&reader, request->body);
    se_mail_verify_params params;
    se_mail mail;

    TRY(read_verify_params(&params, request, err));
    TRY(se_mail_verify(&mail, request->engine, request_descriptor(request), &source, &params, err));
    answer_begin(&w);
    json_write_text(&w, "descriptor", request_descriptor(request));
    json_write_signer(&w, &mail.signer);
    write_mail(&w, &mail);
    return answer_finish(out, &w, request, err);
}
