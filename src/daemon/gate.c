/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate.h"

#include <strings.h>

#include "base/buf.h"
#include "base/text.h"

enum { METHOD_MOST = 16, LENGTH_DIGITS = 18 };

static bool is_letter_or_digit(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool head_is_token(se_bytes text)
{
    const unsigned char *c = text.data;

    for (size_t i = 0; i < text.size; i++)
        if (!is_letter_or_digit(c[i]) && (!c[i] || !strchr("!#$%&'*+-.^_`|~", c[i])))
            return false;
    return text.size > 0;
}

static bool is_named(const struct head_field *field, const char *name)
{
    return field->name.size == strlen(name) &&
           strncasecmp(field->name.data, name, field->name.size) == 0;
}

static bool is_value(se_bytes value, const char *text)
{
    return value.size == strlen(text) && strncasecmp(value.data, text, value.size) == 0;
}

static size_t count_fields(const struct head *head, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < head->field_count; i++)
        count += is_named(&head->fields[i], name);
    return count;
}

se_bytes head_value(const struct head *head, const char *name)
{
    for (size_t i = 0; i < head->field_count; i++)
        if (is_named(&head->fields[i], name))
            return head->fields[i].value;
    return (se_bytes){ NULL, 0 };
}

#define REFUSE(...) error_set(err, SE_ERR_FORMAT, __VA_ARGS__)

/* ---- the first line ---- */

static se_status check_method(const char *method, se_error *err)
{
    const size_t size = strlen(method);

    for (size_t i = 0; i < size; i++)
        if (method[i] < 'A' || method[i] > 'Z')
            return REFUSE("the method is no word in capitals");
    return size && size <= METHOD_MOST ? SE_OK : REFUSE("the method is no word in capitals");
}

/* Only the form that a server gets (RFC 9112, 3.2.1). */
static se_status check_target(const char *target, se_error *err)
{
    if (*target != '/')
        return REFUSE("the target does not begin with '/'");
    return text_is_visible(target, strlen(target))
               ? SE_OK
               : REFUSE("the target has a character that is not visible ASCII");
}

static se_status check_version(const char *version, se_error *err)
{
    return strcmp(version, "HTTP/1.1") == 0 || strcmp(version, "HTTP/1.0") == 0
               ? SE_OK
               : REFUSE("neither HTTP/1.1 nor HTTP/1.0");
}

static bool is_first_version(const struct head *head)
{
    return strcmp(head->version, "HTTP/1.0") == 0;
}

/* ---- fields ---- */

static bool is_plain_value(se_bytes value)
{
    const unsigned char *c = value.data;

    for (size_t i = 0; i < value.size; i++)
        if (c[i] != '\t' && (c[i] < ' ' || c[i] > '~'))
            return false;
    return true;
}

static se_status check_fields(const struct head *head, se_error *err)
{
    for (size_t i = 0; i < head->field_count; i++) {
        if (!head_is_token(head->fields[i].name))
            return REFUSE("the name of field %zu is no token", i + 1);
        if (!is_plain_value(head->fields[i].value))
            return REFUSE(
                "the value of field %zu has a character that is not ASCII, or not visible", i + 1);
    }
    return SE_OK;
}

/* Two of these contradict each other, or one is lost. */
static se_status check_single_fields(const struct head *head, se_error *err)
{
    static const char *const names[] = { "Host",         "Content-Length",      "Transfer-Encoding",
                                         "Expect",       "Content-Type",        "Idempotency-Key",
                                         "X-Request-Id", "Signengine-Signature" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (count_fields(head, names[i]) > 1)
            return REFUSE("%s comes twice", names[i]);
    return SE_OK;
}

static se_status check_host(const struct head *head, se_error *err)
{
    const se_bytes host = head_value(head, "Host");
    const unsigned char *c = host.data;

    if (!c && !is_first_version(head))
        return REFUSE("Host is missing");
    for (size_t i = 0; i < host.size; i++)
        if (!is_letter_or_digit(c[i]) && !strchr("-._~!$&'()*+;=:%[]", c[i]))
            return REFUSE("Host is no name of a host");
    return SE_OK;
}

/* ---- how the body comes ---- */

static se_status read_length(struct head_framing *out, se_bytes text, se_error *err)
{
    const unsigned char *c = text.data;

    if (!text.size || text.size > LENGTH_DIGITS)
        return REFUSE("Content-Length is no number of 1 to %d digits", LENGTH_DIGITS);
    for (size_t i = 0; i < text.size; i++) {
        if (c[i] < '0' || c[i] > '9')
            return REFUSE("Content-Length is no number of 1 to %d digits", LENGTH_DIGITS);
        out->length = out->length * 10 + (c[i] - '0');
    }
    return SE_OK;
}

static se_status read_framing(struct head_framing *out, const struct head *head, se_error *err)
{
    const se_bytes length = head_value(head, "Content-Length"),
                   encoding = head_value(head, "Transfer-Encoding"),
                   expectation = head_value(head, "Expect");

    out->has_length = length.data != NULL;
    out->chunked = encoding.data != NULL;
    if (out->has_length)
        TRY(read_length(out, length, err));
    if (out->chunked && out->has_length)
        return REFUSE("both Content-Length and Transfer-Encoding");
    if (out->chunked && (is_first_version(head) || !is_value(encoding, "chunked")))
        return REFUSE("Transfer-Encoding is not 'chunked', or in HTTP/1.0");
    if (expectation.data)
        out->expectation =
            is_value(expectation, "100-continue") ? EXPECT_CONTINUE : EXPECT_ANYTHING_ELSE;
    return SE_OK;
}

/*
 * What was received, had it been written plainly. NULs that cut something off, folded lines, bare
 * line feeds, blanks before a colon or behind a value, empty lines in front: whatever the library
 * corrected without a word makes the difference.
 */
static size_t plain_size(const struct head *head)
{
    size_t size = strlen(head->method) + strlen(head->target) + strlen(head->version) +
                  strlen("  \r\n") + strlen("\r\n");

    for (size_t i = 0; i < head->field_count; i++)
        size += head->fields[i].name.size + head->fields[i].value.size + strlen(": \r\n");
    return size;
}

se_status gate_check(struct head_framing *out, const struct head *head, se_error *err)
{
    struct head_framing framing = { .chunked = false };

    *out = framing;
    TRY(check_version(head->version, err));
    TRY(check_method(head->method, err));
    TRY(check_target(head->target, err));
    TRY(check_fields(head, err));
    TRY(check_single_fields(head, err));
    TRY(check_host(head, err));
    TRY(read_framing(&framing, head, err));
    if (plain_size(head) != head->size)
        return REFUSE(
            "the head is not written plainly: it has NULs, folded lines, bare line ends or "
            "superfluous blanks");
    *out = framing;
    return SE_OK;
}
