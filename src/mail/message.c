#include "mail/message.h"

void message_close(struct message *message)
{
    intake_close(&message->lines);
    header_free(&message->header);
    addresses_free(&message->from);
}

se_status message_open(struct message *out, const struct stream *in, se_error *err)
{
    AUTO(se_buf) type = SE_BUF_INIT;

    out->stream = *in;
    out->header.strict = true;
    TRY(intake_open(&out->lines, &out->stream, err));
    TRY(header_read(&out->header, &out->lines, err));
    TRY(field_value(&type, &out->header, header_find(&out->header, "Content-Type"), err));
    if (!out->header.count)
        return error_set(err, SE_ERR_FORMAT, "not a mail message: it has no header");
    media_read(&out->media, (const char *)type.data);
    return SE_OK;
}

/* What is wrong with its value; NULL: nothing. */
static const char *read_from(struct addresses *out, const struct header *h,
                             const struct field *field, const char *value, enum mailbox_forms forms,
                             se_error *err)
{
    char address[MAILBOX_ROOM];
    const char *fault = mailbox_read(address, value, forms);
    AUTO(se_buf) decoded = SE_BUF_INIT;

    if (memchr(h->text.buf.data + field->at, 0, field->size))
        return "has a NUL byte";
    if (fault || addresses_read(out, value, err) || words_decode(&decoded, value, err))
        return fault;
    if (mailbox_hides_another(value, (const char *)decoded.data, address))
        return "has an encoded word with an \"@\" in it, which is another address for some readers";
    return out->count == 1 ? NULL : "has several mail addresses for some readers";
}

se_status message_from(struct message *message, const char *sender, enum mailbox_forms forms,
                       se_error *err)
{
    const struct header *header = &message->header;
    const struct field *field = header_find(header, "From");
    size_t count = header_count(header, "From");
    se_error failure = SE_ERROR_INIT;
    AUTO(se_buf) value = SE_BUF_INIT;
    const char *fault;

    if (sender)
        return addresses_read(&message->from, sender, err);
    if (count != 1)
        return error_set(err, SE_ERR_FORMAT, "the message has %zu From fields, not one", count);
    TRY(field_value(&value, header, field, err));
    fault = read_from(&message->from, header, field, (const char *)value.data, forms, &failure);
    if (failure.status && err)
        *err = failure;
    if (failure.status)
        return failure.status;
    return fault ? error_set(err, SE_ERR_FORMAT,
                             "line %zu of the message's header: the From field %s: %.200s",
                             header_line(header, field->at), fault, (const char *)value.data)
                 : SE_OK;
}
