#include "mail/message.h"

se_status mail_params_read(se_mail_params *out, const se_mail_params *params, se_error *err)
{
    const se_mail_params defaults = SE_MAIL_PARAMS_INIT;

    *out = params ? *params : defaults;
    if (out->size != sizeof *out)
        return error_set(err, SE_ERR_USAGE, "se_mail_params of %zu bytes, SE_MAIL_PARAMS_INIT makes %zu", out->size, sizeof *out);
    return SE_OK;
}

void message_close(struct message *message)
{
    intake_close(&message->lines);
    header_free(&message->header);
    addresses_free(&message->from);
}

se_status message_open(struct message *out, const se_source *in, const se_mail_params *params, se_error *err)
{
    AUTO(se_buf) type = SE_BUF_INIT;
    se_status st;

    out->stream = (struct stream){ .source = in, .progress = params->progress, .progress_arg = params->progress_arg };
    out->header.strict = true;
    if ((st = intake_open(&out->lines, &out->stream, err)) || (st = header_read(&out->header, &out->lines, err)) ||
        (st = field_value(&type, &out->header, header_find(&out->header, "Content-Type"), err)))
        return st;
    if (!out->header.count)
        return error_set(err, SE_ERR_FORMAT, "not a mail message: it has no header");
    return media_read(&out->media, (const char *)type.data, err);
}

se_status message_from(struct message *message, const se_mail_params *params, se_error *err)
{
    const struct header *header = &message->header;
    size_t count = header_count(header, "From");
    AUTO(se_buf) value = SE_BUF_INIT;
    se_status st;

    if (params->sender)
        return addresses_read(&message->from, params->sender, err);
    if (count != 1)
        return error_set(err, SE_ERR_FORMAT, "the message has %zu From fields, not one", count);
    if ((st = field_value(&value, header, header_find(header, "From"), err)) ||
        (st = addresses_read(&message->from, (const char *)value.data, err)))
        return st;
    if (!message->from.count)
        return error_set(err, SE_ERR_FORMAT, "the From field has no mail address: %.200s", (const char *)value.data);
    return SE_OK;
}
