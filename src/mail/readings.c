/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/readings.h"

#include <strings.h>

#include "mail/media_type.h"

enum { LINE_LIMIT = 998 }; /* RFC 5322, 2.1.1 */

/* Fields that are there once at the most. */
static const char *const once[] = { "Content-Type", "Content-Transfer-Encoding", "MIME-Version" };

/* Lines are the file's, of a part's header too. */
static const char *name_place(const struct header *h)
{
    return h->before ? ", in" : " of";
}

static se_status refuse_header(const struct header *h, size_t at, const char *whose,
                               const char *why, se_error *err)
{
    return error_set(err, SE_ERR_FORMAT,
                     "line %zu%s %s header: %s, and readers read that differently",
                     header_line(h, at), name_place(h), whose, why);
}

/* ---- bytes ---- */

/* Some readers end a line at a CR, and a text at a NUL. */
static se_status check_header_bytes(const struct header *h, const char *whose, se_error *err)
{
    const unsigned char *text = h->text.buf.data;

    for (size_t i = 0; i < h->text.buf.size; i++) {
        if (!text[i])
            return refuse_header(h, i, whose, "it has a NUL byte", err);
        if (text[i] == '\r' && (i + 1 == h->text.buf.size || text[i + 1] != '\n'))
            return refuse_header(h, i, whose, "it has a CR without LF", err);
    }
    return SE_OK;
}

/* ---- fields ---- */

static bool has_blank_before_colon(const struct field *field)
{
    return field->name_size && field->at + field->name_size + 1 != field->value;
}

/* The offset of a line in it with nothing but blanks, where some readers end the header; 0: there
 * is none. */
static size_t find_blank_line(const struct header *h, const struct field *field)
{
    const unsigned char *text = h->text.buf.data;
    size_t line = field->at;
    bool blank = false;

    for (size_t i = field->at; i < field->at + field->size; i++) {
        if (text[i] != '\n') {
            blank = blank && strchr(" \t\r", text[i]);
            continue;
        }
        if (blank)
            return line;
        line = i + 1;
        blank = true;
    }
    return 0;
}

static bool has_long_line(const struct header *h, const struct field *field)
{
    const char *at = (const char *)h->text.buf.data + field->at, *end = at + field->size, *lf;

    for (; (lf = memchr(at, '\n', (size_t)(end - at))); at = lf + 1)
        if (lf - at > LINE_LIMIT + 1)
            return true;
    return end - at > LINE_LIMIT;
}

static bool field_is_one_of(const struct header *h, const struct field *field,
                            const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (field_is(h, field, names[i]))
            return true;
    return false;
}

static se_status check_field(const struct header *h, const struct field *field, const char *whose,
                             se_error *err)
{
    size_t blank = find_blank_line(h, field);

    if (has_blank_before_colon(field))
        return refuse_header(h, field->at, whose,
                             "there is a blank between a field's name and its colon", err);
    if (blank)
        return refuse_header(h, blank, whose, "it has nothing but blanks in it", err);
    if ((field_is(h, field, "From") ||
         field_is_one_of(h, field, once, sizeof once / sizeof *once)) &&
        has_long_line(h, field))
        return refuse_header(h, field->at, whose,
                             "the field has a line of more than 998 characters", err);
    return SE_OK;
}

static se_status check_once(const struct header *h, const char *whose, se_error *err)
{
    for (size_t i = 0; i < sizeof once / sizeof *once; i++) {
        const struct field *field = header_find(h, once[i]);
        size_t count = header_count(h, once[i]);

        if (count > 1)
            return error_set(err, SE_ERR_FORMAT,
                             "%s header has %zu %s fields, the first in line %zu, and readers take "
                             "one or the other",
                             whose, count, once[i], header_line(h, field->at));
    }
    return SE_OK;
}

se_status readings_check_header(const struct header *h, const char *whose, se_error *err)
{
    TRY(check_header_bytes(h, whose, err));
    for (size_t i = 0; i < h->count; i++)
        TRY(check_field(h, &h->fields[i], whose, err));
    return check_once(h, whose, err);
}

se_status readings_check_signed(const struct header *h, const char *whose, se_error *err)
{
    for (size_t i = 0; i < h->count; i++)
        if (field_is_content(h, &h->fields[i]) && has_blank_before_colon(&h->fields[i]))
            return refuse_header(h, h->fields[i].at, whose,
                                 "there is a blank between a field's name and its colon", err);
    return check_once(h, whose, err);
}

static bool is_inline(const char *value)
{
    const size_t size = strcspn(value, "; \t");

    return size == strlen("inline") && !strncasecmp(value, "inline", size);
}

se_status readings_check_disposition(const struct header *h, const char *whose, se_error *err)
{
    for (size_t i = 0; i < h->count; i++) {
        AUTO(se_buf) value = SE_BUF_INIT;

        if (!field_is(h, &h->fields[i], "Content-Disposition"))
            continue;
        TRY(field_value(&value, h, &h->fields[i], err));
        if (!is_inline((const char *)value.data))
            return refuse_header(h, h->fields[i].at, whose,
                                 "Content-Disposition makes an attachment of all that is signed",
                                 err);
    }
    return SE_OK;
}

se_status readings_check_version(const struct header *h, se_error *err)
{
    const struct field *field = header_find(h, "MIME-Version");
    AUTO(se_buf) value = SE_BUF_INIT;
    const char *text;

    TRY(field_value(&value, h, field, err));
    text = (const char *)value.data;
    /* a comment may name the program (RFC 2045, 4) */
    if (strncmp(text, "1.0", 3) == 0 && strchr(" \t(", text[3]))
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT,
                     "the message's header has no field \"MIME-Version: 1.0\", %s%.100s: readers "
                     "may show it as plain text",
                     field ? "but the version " : "but none of that name", text);
}

/* ---- contents ---- */

static bool same_text(se_bytes bytes, const char *text)
{
    return bytes.size == strlen(text) && strncasecmp(bytes.data, text, bytes.size) == 0;
}

static const char *type_fault(const struct header *h, const struct field *field,
                              const struct media *media)
{
    const char *text = (const char *)h->text.buf.data;
    struct content_type type;
    const char *fault = content_type_read(
        &type, (se_bytes){ text + field->value, field->at + field->size - field->value });

    if (fault)
        return fault;
    /* by two parsers that share no code */
    if (!same_text(type.type, media->type) || type.boundary.size != strlen(media->boundary) ||
        (type.boundary.size &&
         strncmp(type.boundary.data, media->boundary, type.boundary.size) != 0))
        return "it can be read in two ways";
    return NULL;
}

static se_status check_transfer(const struct header *h, const char *whose,
                                const char *const *transfer, se_error *err)
{
    const struct field *field = header_find(h, "Content-Transfer-Encoding");
    AUTO(se_buf) value = SE_BUF_INIT;

    TRY(field_value(&value, h, field, err));
    for (const char *const *one = transfer; *one; one++)
        if (strcasecmp((const char *)value.data, *one) == 0)
            return SE_OK;
    if (!field)
        return error_set(err, SE_ERR_FORMAT,
                         "%s header has no Content-Transfer-Encoding, where it has to be %s", whose,
                         *transfer);
    return error_set(
        err, SE_ERR_FORMAT,
        "line %zu%s %s header: Content-Transfer-Encoding is \"%.100s\", where it has to be %s",
        header_line(h, field->at), name_place(h), whose, (const char *)value.data, *transfer);
}

se_status readings_check_content(const struct header *h, const char *whose,
                                 const struct media *media, const char *const *transfer,
                                 se_error *err)
{
    const struct field *field = header_find(h, "Content-Type");
    const char *fault = field ? type_fault(h, field, media) : NULL;

    if (fault)
        return error_set(err, SE_ERR_FORMAT,
                         "line %zu%s %s header: Content-Type may be read differently: %s",
                         header_line(h, field->at), name_place(h), whose, fault);
    return check_transfer(h, whose, transfer, err);
}

/* ---- margins ---- */

const char *readings_margin_fault(const struct line *line)
{
    const unsigned char *text = line->text.data;
    size_t size = line->text.size, start = 0;

    if (!line->begins || !line->ends || size > LINE_LIMIT)
        return "a line of more than 998 characters";
    for (size_t i = 0; i < size; i++)
        if ((text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
            return "a line with a control character";
    /* byte order marks and the like in front hide nothing */
    while (start < size && (text[start] <= ' ' || text[start] >= 0x80))
        start++;
    if (size - start >= 2 && text[start] == '-' && text[start + 1] == '-')
        return "a line that begins with \"--\"";
    if (size >= 5 && strncmp((const char *)text, "From ", 5) == 0)
        return "a line that begins with \"From \"";
    return NULL;
}
