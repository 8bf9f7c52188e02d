#include "mail/content_type.h"

#include <strings.h>

enum { PARAMETER_LIMIT = 32 };

struct type_reader {
    const char *at, *end;
    const char *fault;
    se_bytes seen[PARAMETER_LIMIT]; /* names of parameters */
    size_t count;
};

static const char *fail(struct type_reader *r, const char *fault)
{
    return r->fault = r->fault ? r->fault : fault;
}

static bool is_at(const struct type_reader *r, char c)
{
    return r->at < r->end && *r->at == c;
}

static void skip_blanks(struct type_reader *r)
{
    while (r->at < r->end && strchr(" \t\r\n", *r->at ? *r->at : 'x'))
        r->at++;
    if (is_at(r, '('))
        (void)fail(r, "it has a comment");
}

static bool is_token_char(unsigned char c)
{
    return c > ' ' && c < 0x7f && !strchr("()<>@,;:\\\"/[]?=", c);
}

static se_bytes read_token(struct type_reader *r)
{
    const char *from = r->at;

    while (r->at < r->end && is_token_char((unsigned char)*r->at))
        r->at++;
    return (se_bytes){ from, (size_t)(r->at - from) };
}

static bool bytes_are(se_bytes bytes, const char *text)
{
    return bytes.size == strlen(text) && strncasecmp(bytes.data, text, bytes.size) == 0;
}

/* File names: nothing that is verified depends on them. */
static bool is_file_name(se_bytes name)
{
    return bytes_are(name, "name") || (name.size >= 5 && strncasecmp(name.data, "name*", 5) == 0);
}

/* `plain`: what all readers take out of the quotes as it stands there. */
static se_bytes read_quoted(struct type_reader *r, bool plain)
{
    const char *from = ++r->at;

    while (r->at < r->end && *r->at != '"') {
        unsigned char c = (unsigned char)*r->at++;

        if (c < ' ' || c == 0x7f || (plain && c > 0x7f))
            (void)fail(r,
                       "a value in quotes has other characters than those of ASCII, or a line end");
        if (c == '\\' && plain)
            (void)fail(r, "a value in quotes has a backslash");
        else if (c == '\\' && r->at < r->end)
            r->at++;
    }
    if (!is_at(r, '"'))
        (void)fail(r, "a value's quotes do not end");
    return (se_bytes){ from, (size_t)(r->at++ - from) };
}

/* RFC 2046, 5.1.1; and no encoded word, which some decode. */
static bool is_boundary(se_bytes boundary)
{
    const char *text = boundary.data;

    if (!boundary.size || boundary.size > CONTENT_TYPE_BOUNDARY || text[0] == ' ' ||
        text[boundary.size - 1] == ' ')
        return false;
    for (size_t i = 0; i < boundary.size; i++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'()+_,-./:=? ",
                    text[i] ? text[i] : '*') ||
            (text[i] == '=' && i + 1 < boundary.size && text[i + 1] == '?'))
            return false;
    return true;
}

static void note_name(struct type_reader *r, se_bytes name)
{
    if (!name.size)
        (void)fail(r, "something in it is no parameter");
    if (name.size && memchr(name.data, '*', name.size) && !is_file_name(name))
        (void)fail(r, "a parameter is in the form of RFC 2231, which not all readers know");
    for (size_t i = 0; i < r->count; i++)
        if (r->seen[i].size == name.size && strncasecmp(r->seen[i].data, name.data, name.size) == 0)
            (void)fail(r, "a parameter is there twice");
    if (r->count == PARAMETER_LIMIT)
        (void)fail(r, "it has more than 32 parameters");
    else
        r->seen[r->count++] = name;
}

static void read_parameter(struct content_type *out, struct type_reader *r)
{
    se_bytes name = read_token(r), value;

    note_name(r, name);
    if (!is_at(r, '=')) {
        (void)fail(r, "something in it is no parameter");
        return;
    }
    r->at++;
    value = is_at(r, '"') ? read_quoted(r, !is_file_name(name)) : read_token(r);
    if (!bytes_are(name, "boundary"))
        return;
    out->boundary = value;
    if (!is_boundary(value))
        (void)fail(r, "its boundary is not as RFC 2046 has it: 1 to 70 letters, digits and marks, "
                      "in quotes where it needs them");
}

const char *content_type_read(struct content_type *out, se_bytes value)
{
    const char *text = value.size ? value.data : "";
    struct type_reader r = { .at = text, .end = text + value.size };
    const char *from;

    *out = (struct content_type){ .boundary.size = 0 };
    skip_blanks(&r);
    from = r.at;
    if (!read_token(&r).size || !is_at(&r, '/') || (r.at++, !read_token(&r).size))
        (void)fail(&r, "it has no type and subtype");
    out->type = (se_bytes){ from, (size_t)(r.at - from) };
    for (skip_blanks(&r); !r.fault && r.at < r.end; skip_blanks(&r)) {
        if (*r.at++ != ';')
            return fail(&r, "something in it is no parameter");
        skip_blanks(&r);
        if (r.at < r.end && !r.fault)
            read_parameter(out, &r);
    }
    return r.fault;
}
