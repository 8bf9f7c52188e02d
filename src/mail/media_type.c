/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/media_type.h"

#include <ctype.h>
#include <gmime/gmime.h>
#include <pthread.h>
#include <strings.h>

void gmime_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, g_mime_init);
}

/* ---- as GMime reads it ---- */

/* Text that does not fit is left out: a cut boundary would be another one. */
static void copy_fitting(char *out, size_t room, const char *text)
{
    size_t size = text ? strlen(text) : 0;

    memcpy(out, size < room ? text ? text : "" : "", size < room ? size + 1 : 1);
}

static void copy_lower(char *out, size_t room, const char *text)
{
    copy_fitting(out, room, text);
    for (; *out; out++)
        *out = (char)tolower((unsigned char)*out);
}

static const char *find_parameter(GMimeContentType *type, const char *name)
{
    return g_mime_content_type_get_parameter(type, name);
}

/* The extension of the name says the same where the parameter is missing (RFC 8551, 3.2.1). */
static const char *find_smime_type(GMimeContentType *type)
{
    const char *given = find_parameter(type, "smime-type"), *name = find_parameter(type, "name"),
               *dot = name ? strrchr(name, '.') : NULL;

    if (given || !dot)
        return given;
    return strcasecmp(dot, ".p7c") == 0   ? "certs-only"
           : strcasecmp(dot, ".p7z") == 0 ? "compressed-data"
                                          : NULL;
}

void media_read(struct media *out, const char *value)
{
    GMimeContentType *type;
    char *name;

    gmime_start();
    *out = (struct media){ .type = "" };
    type = g_mime_content_type_parse(NULL, *value ? value : "text/plain");
    name = g_mime_content_type_get_mime_type(type);
    copy_lower(out->type, sizeof out->type, name);
    copy_fitting(out->boundary, sizeof out->boundary, find_parameter(type, "boundary"));
    copy_lower(out->protocol, sizeof out->protocol, find_parameter(type, "protocol"));
    copy_lower(out->smime_type, sizeof out->smime_type, find_smime_type(type));
    copy_lower(out->hp, sizeof out->hp, find_parameter(type, "hp"));
    copy_lower(out->forwarded, sizeof out->forwarded, find_parameter(type, "forwarded"));
    copy_lower(out->protected_headers, sizeof out->protected_headers,
               find_parameter(type, "protected-headers"));
    g_free(name);
    g_object_unref(type);
}

bool media_is(const struct media *media, const char *major)
{
    size_t size = strlen(major);

    return strncmp(media->type, major, size) == 0 && media->type[size] == '/';
}

bool media_is_signature(const char *type)
{
    return strcmp(type, "application/pkcs7-signature") == 0 ||
           strcmp(type, "application/x-pkcs7-signature") == 0;
}

bool media_is_cms(const char *type)
{
    return strcmp(type, "application/pkcs7-mime") == 0 ||
           strcmp(type, "application/x-pkcs7-mime") == 0;
}

enum media_seal media_seal(const struct media *media)
{
    static const struct {
        const char *smime_type;
        enum media_seal seal;
    } rows[] = { { "enveloped-data", SEAL_ENCRYPTED },
                 { "authenveloped-data", SEAL_ENCRYPTED },
                 { "certs-only", SEAL_NONE },
                 { "compressed-data", SEAL_NONE } };

    if (strcmp(media->type, "multipart/signed") == 0)
        return SEAL_SIGNED;
    if (strcmp(media->type, "multipart/encrypted") == 0)
        return SEAL_ENCRYPTED;
    if (!media_is_cms(media->type))
        return SEAL_NONE;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(media->smime_type, rows[i].smime_type) == 0)
            return rows[i].seal;
    return SEAL_SIGNED; /* and so are receipts (RFC 2634, 2), and what does not say */
}

/* ---- to the letter ---- */

enum { PARAMETER_LIMIT = 32 };

struct type_reader {
    const char *at, *end;
    const char *fault;
    se_bytes seen[PARAMETER_LIMIT]; /* names of parameters */
    size_t count;
};

static const char *type_fail(struct type_reader *r, const char *fault)
{
    return r->fault = r->fault ? r->fault : fault;
}

static bool next_is(const struct type_reader *r, char c)
{
    return r->at < r->end && *r->at == c;
}

static void type_skip_blanks(struct type_reader *r)
{
    while (r->at < r->end && strchr(" \t\r\n", *r->at ? *r->at : 'x'))
        r->at++;
    if (next_is(r, '('))
        (void)type_fail(r, "it has a comment");
}

static bool is_token_char(unsigned char c)
{
    return c > ' ' && c < 0x7f && !strchr("()<>@,;:\\\"/[]?=", c);
}

static se_bytes type_read_token(struct type_reader *r)
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

/* `plain`: all readers must take the text out of the quotes as it stands. */
static se_bytes type_read_quoted(struct type_reader *r, bool plain)
{
    const char *from = ++r->at;

    while (r->at < r->end && *r->at != '"') {
        unsigned char c = (unsigned char)*r->at++;

        if (c < ' ' || c == 0x7f || (plain && c > 0x7f))
            (void)type_fail(
                r, "a value in quotes has other characters than those of ASCII, or a line end");
        if (c == '\\' && plain)
            (void)type_fail(r, "a value in quotes has a backslash");
        else if (c == '\\' && r->at < r->end)
            r->at++;
    }
    if (!next_is(r, '"'))
        (void)type_fail(r, "a value's quotes do not end");
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

static void type_note_parameter(struct type_reader *r, se_bytes name)
{
    if (!name.size)
        (void)type_fail(r, "something in it is no parameter");
    if (name.size && memchr(name.data, '*', name.size) && !is_file_name(name))
        (void)type_fail(r, "a parameter is in the form of RFC 2231, which not all readers know");
    for (size_t i = 0; i < r->count; i++)
        if (r->seen[i].size == name.size && strncasecmp(r->seen[i].data, name.data, name.size) == 0)
            (void)type_fail(r, "a parameter is there twice");
    if (r->count == PARAMETER_LIMIT)
        (void)type_fail(r, "it has more than 32 parameters");
    else
        r->seen[r->count++] = name;
}

static void type_read_parameter(struct content_type *out, struct type_reader *r)
{
    se_bytes name = type_read_token(r), value;

    type_note_parameter(r, name);
    if (!next_is(r, '=')) {
        (void)type_fail(r, "something in it is no parameter");
        return;
    }
    r->at++;
    value = next_is(r, '"') ? type_read_quoted(r, !is_file_name(name)) : type_read_token(r);
    if (!bytes_are(name, "boundary"))
        return;
    out->boundary = value;
    if (!is_boundary(value))
        (void)type_fail(
            r, "its boundary is not as RFC 2046 has it: 1 to 70 letters, digits and marks, "
               "in quotes where it needs them");
}

const char *content_type_read(struct content_type *out, se_bytes value)
{
    const char *text = value.size ? value.data : "";
    struct type_reader r = { .at = text, .end = text + value.size };
    const char *from;

    *out = (struct content_type){ .boundary.size = 0 };
    type_skip_blanks(&r);
    from = r.at;
    if (!type_read_token(&r).size || !next_is(&r, '/') || (r.at++, !type_read_token(&r).size))
        (void)type_fail(&r, "it has no type and subtype");
    out->type = (se_bytes){ from, (size_t)(r.at - from) };
    for (type_skip_blanks(&r); !r.fault && r.at < r.end; type_skip_blanks(&r)) {
        if (*r.at++ != ';')
            return type_fail(&r, "something in it is no parameter");
        type_skip_blanks(&r);
        if (r.at < r.end && !r.fault)
            type_read_parameter(out, &r);
    }
    return r.fault;
}
