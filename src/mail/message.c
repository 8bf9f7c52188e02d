/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/message.h"

#include <stdlib.h>
#include <strings.h>

#include "base/array.h"
#include "base/text.h"

void header_free(struct header *header)
{
    writer_free(&header->text);
    free(header->fields);
    *header = (struct header){ .count = 0 };
}

void header_clear(struct header *header)
{
    header->text.buf.size = 0;
    header->count = 0;
    header->complete = header->spilled = false;
}

static bool is_field_blank(unsigned char c)
{
    return c == ' ' || c == '\t';
}

/* The length of the field's name; 0: the line begins no field. */
static size_t field_name_size(se_bytes line, size_t *value)
{
    const unsigned char *text = line.data;
    size_t size = 0;

    while (size < line.size && text[size] > ' ' && text[size] < 0x7f && text[size] != ':')
        size++;
    *value = size;
    while (*value < line.size && is_field_blank(text[*value])) /* RFC 5322, 4.5.8 */
        ++*value;
    if (*value == line.size || text[*value] != ':')
        return 0;
    ++*value;
    return size;
}

/* The line that a mailbox file puts before a message. */
static bool is_from_line(const struct header *h, se_bytes line)
{
    return !h->count && line.size >= 5 && strncmp(line.data, "From ", 5) == 0;
}

static se_status fields_add(struct header *h, const struct field *field, se_error *err)
{
    if (!array_grow(&h->fields, &h->room, h->count))
        return error_memory(err);
    h->fields[h->count++] = *field;
    return SE_OK;
}

/* Names what editors put in front of a text or before each line feed. */
static se_status check_first_line(se_bytes line, se_error *err)
{
    const char *text = line.data, *mark = text_mark(text, line.size),
               *cr = memchr(text, '\r', line.size);
    size_t value, left = cr ? (size_t)(text + line.size - cr - 1) : 0;

    if (mark)
        return error_set(
            err, SE_ERR_FORMAT,
            "not a mail message: it begins with the byte order mark of %s: save it without one, %s",
            mark,
            strcmp(mark, "UTF-8") == 0 ? "the header begins with its first byte"
                                       : "in an encoding that ASCII is a part of");
    if (cr && !left)
        return error_set(err, SE_ERR_FORMAT,
                         "not a mail message: its lines end with CR CR LF, not with CR LF or LF");
    if (cr && (cr[1] == '\r' || field_name_size((se_bytes){ cr + 1, left }, &value)))
        return error_set(err, SE_ERR_FORMAT,
                         "not a mail message: its lines end with CR, not with CR LF or LF");
    return SE_OK;
}

static se_status begin_field(struct header *h, const struct line *line, se_error *err)
{
    struct field field = { .at = h->text.buf.size };

    field.name_size = field_name_size(line->text, &field.value);
    field.value += field.at;
    if (field.name_size || is_from_line(h, line->text))
        return fields_add(h, &field, err);
    h->complete = h->spilled = true;
    return h->strict ? error_set(err, SE_ERR_FORMAT,
                                 "not a mail message: line %zu, in its header, is no field",
                                 header_line(h, field.at))
                     : SE_OK;
}

se_status header_take(struct header *h, const struct line *line, se_error *err)
{
    const char *eol = eol_text(line->eol);
    bool goes_on = !line->begins || (h->count && line->text.size &&
                                     is_field_blank(*(const unsigned char *)line->text.data));

    if (line_is_empty(line)) {
        h->complete = true;
        return SE_OK;
    }
    if (h->text.buf.size + line->text.size > HEADER_LIMIT)
        return error_set(err, SE_ERR_FORMAT, "a header of more than %d MB", HEADER_LIMIT >> 20);
    if (h->strict && !h->before && !h->text.buf.size)
        TRY(check_first_line(line->text, err));
    if (!goes_on)
        TRY(begin_field(h, line, err));
    if (h->spilled)
        return SE_OK;
    writer_put(&h->text, line->text.data, line->text.size);
    writer_put(&h->text, eol, strlen(eol));
    h->fields[h->count - 1].size = h->text.buf.size - h->fields[h->count - 1].at;
    return h->text.failed ? error_memory(err) : SE_OK;
}

se_status header_read(struct header *h, struct line_reader *lines, se_error *err)
{
    struct line line;
    bool more = true;

    for (h->before = lines->line; !h->complete;) {
        TRY(line_reader_next(&line, &more, lines, err));
        if (!more)
            return SE_OK;
        TRY(header_take(h, &line, err));
    }
    return SE_OK;
}

se_status header_copy(struct header *h, const struct header *from, const struct field *field,
                      se_error *err)
{
    struct field copy = *field;

    copy.at = h->text.buf.size;
    copy.value = copy.at + field->value - field->at;
    writer_put(&h->text, from->text.buf.data + field->at, field->size);
    return h->text.failed ? error_memory(err) : fields_add(h, &copy, err);
}

se_status header_copy_with(struct header *h, const struct header *from, const struct field *field,
                           const char *parameter, se_error *err)
{
    const unsigned char *text = from->text.buf.data;
    struct field shorter = *field;

    while (shorter.size > field->value - field->at &&
           strchr("; \t\r\n", text[field->at + shorter.size - 1]))
        shorter.size--;
    TRY(header_copy(h, from, &shorter, err));
    writer_text(&h->text, parameter);
    writer_text(&h->text, "\r\n");
    h->fields[h->count - 1].size = h->text.buf.size - h->fields[h->count - 1].at;
    return h->text.failed ? error_memory(err) : SE_OK;
}

size_t header_line(const struct header *h, size_t at)
{
    const char *text = writer_string(&h->text), *end = text + at;
    size_t line = h->before + 1;

    while ((text = memchr(text, '\n', (size_t)(end - text)))) {
        line++;
        text++;
    }
    return line;
}

bool header_is_crlf(const struct header *h)
{
    const unsigned char *text = h->text.buf.data,
                        *lf = h->text.buf.size ? memchr(text, '\n', h->text.buf.size) : NULL;

    return lf && lf > text && lf[-1] == '\r';
}

bool field_is(const struct header *h, const struct field *field, const char *name)
{
    return field->name_size == strlen(name) &&
           strncasecmp((const char *)h->text.buf.data + field->at, name, field->name_size) == 0;
}

bool field_is_content(const struct header *h, const struct field *field)
{
    static const char prefix[] = "Content-";

    return field->name_size >= sizeof prefix &&
           strncasecmp((const char *)h->text.buf.data + field->at, prefix, sizeof prefix - 1) == 0;
}

const struct field *header_find(const struct header *h, const char *name)
{
    for (size_t i = 0; i < h->count; i++)
        if (field_is(h, &h->fields[i], name))
            return &h->fields[i];
    return NULL;
}

size_t header_count(const struct header *h, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < h->count; i++)
        count += field_is(h, &h->fields[i], name);
    return count;
}

se_bytes field_bytes(const struct header *h, const struct field *field)
{
    return (se_bytes){ h->text.buf.data + field->at, field->size };
}

static size_t copy_unfolded(unsigned char *out, const unsigned char *in, size_t size)
{
    unsigned char *to = out;

    for (size_t i = 0; i < size; i++)
        if (in[i] != '\r' && in[i] != '\n')
            *to++ = in[i] ? in[i] : '?';
    return (size_t)(to - out);
}

se_status field_value(se_buf *out, const struct header *h, const struct field *field, se_error *err)
{
    AUTO(writer) w = { 0 };
    size_t end = field ? field->at + field->size : 0, at = field ? field->value : 0;
    const unsigned char *text = h->text.buf.data;
    unsigned char *room;

    while (at < end && (is_field_blank(text[at]) || text[at] == '\r' || text[at] == '\n'))
        at++;
    while (end > at &&
           (is_field_blank(text[end - 1]) || text[end - 1] == '\r' || text[end - 1] == '\n'))
        end--;
    if ((room = writer_room(&w, end - at)))
        writer_filled(&w, copy_unfolded(room, text + at, end - at));
    return writer_finish(out, &w, err);
}

/* ---- the message ---- */

void message_close(struct message *message)
{
    line_reader_close(&message->lines);
    header_free(&message->header);
    addresses_free(&message->from);
}

se_status message_open(struct message *out, const struct stream *in, se_error *err)
{
    AUTO(se_buf) type = SE_BUF_INIT;

    out->stream = *in;
    out->header.strict = true;
    TRY(line_reader_open(&out->lines, &out->stream, err));
    TRY(header_read(&out->header, &out->lines, err));
    TRY(field_value(&type, &out->header, header_find(&out->header, "Content-Type"), err));
    if (!out->header.count)
        return error_set(err, SE_ERR_FORMAT, "not a mail message: it has no header");
    media_read(&out->media, (const char *)type.data);
    return SE_OK;
}

/* What is wrong with its value; NULL: nothing. */
static const char *read_from_field(struct message *message, const struct field *field,
                                   const char *value, enum mailbox_forms forms, se_error *err)
{
    char address[MAILBOX_ROOM];
    const char *fault = mailbox_read(address, value, forms);
    AUTO(se_buf) decoded = SE_BUF_INIT;

    if (memchr(message->header.text.buf.data + field->at, 0, field->size))
        return "has a NUL byte";
    if (fault || addresses_read(&message->from, value, err) || words_decode(&decoded, value, err))
        return fault;
    if (mailbox_hides_another(value, (const char *)decoded.data, address))
        return "has an encoded word with an \"@\" in it, which is another address for some readers";
    return message->from.count == 1 ? NULL : "has several mail addresses for some readers";
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
    fault = read_from_field(message, field, (const char *)value.data, forms, &failure);
    if (failure.status && err)
        *err = failure;
    if (failure.status)
        return failure.status;
    return fault ? error_set(err, SE_ERR_FORMAT,
                             "line %zu of the message's header: the From field %s: %.200s",
                             header_line(header, field->at), fault, (const char *)value.data)
                 : SE_OK;
}
