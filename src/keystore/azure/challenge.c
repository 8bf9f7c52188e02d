/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/azure/challenge.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <strings.h>

#include "base/text.h"

enum { VALUE_ROOM = 2048 };

/* One challenge as it came. */
struct parsed {
    char scheme[16];
    unsigned said; /* which fields: a bit for each */
    char authorization[512], authorization_uri[512], resource[256], scope[512];
    char claims[VALUE_ROOM], error[64], realm[512];
};

#define FIELD(name)                                                                                \
    {                                                                                              \
#name, offsetof(struct parsed, name), sizeof((struct parsed *)0)->name                     \
    }
static const struct field {
    const char *name;
    size_t offset, room;
} fields[] = {
    FIELD(authorization), FIELD(authorization_uri),
    FIELD(resource),      FIELD(scope),
    FIELD(claims),        FIELD(error),
    FIELD(realm),
};
enum { FIELDS = sizeof fields / sizeof *fields };

/* ---- the header's parts (RFC 9110, 5.6 and 11) ---- */

struct scan {
    const char *text, *at;
};

static se_status scan_failed(const struct scan *s, se_error *err)
{
    return error_set(
        err, SE_ERR_STORE,
        "the server's challenge (WWW-Authenticate) can't be read from character %zu on",
        (size_t)(s->at - s->text) + 1);
}

static void skip_blanks(struct scan *s)
{
    s->at += strspn(s->at, " \t");
}

static void skip_separators(struct scan *s)
{
    s->at += strspn(s->at, " \t,");
}

static bool is_at_end_of_word(const struct scan *s)
{
    return !*s->at || strchr(" \t,", *s->at);
}

static se_bytes take_word(struct scan *s, const char *further)
{
    const char *start = s->at;

    while (*s->at && (isalnum((unsigned char)*s->at) || strchr(further, *s->at)))
        s->at++;
    return (se_bytes){ start, (size_t)(s->at - start) };
}

static se_bytes take_token(struct scan *s)
{
    return take_word(s, "!#$%&'*+-.^_`|~");
}

/* What may stand behind a scheme instead of parameters: "Negotiate YII=". */
static void skip_token68(struct scan *s)
{
    struct scan ahead = *s;

    skip_blanks(&ahead);
    if (!take_word(&ahead, "-._~+/").size)
        return;
    ahead.at += strspn(ahead.at, "=");
    skip_blanks(&ahead);
    if (!*ahead.at || *ahead.at == ',')
        *s = ahead;
}

/* Whether a parameter's value comes next. */
static bool skip_equals_sign(struct scan *s)
{
    struct scan ahead = *s;

    skip_blanks(&ahead);
    if (*ahead.at != '=')
        return false;
    ahead.at++;
    skip_blanks(&ahead);
    *s = ahead;
    return true;
}

static bool is_control(char c)
{
    return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

/* False: it is not ended, too long, or has control characters. */
static bool take_quoted(char value[VALUE_ROOM], struct scan *s)
{
    size_t size = 0;

    for (s->at++; *s->at != '"'; s->at++) {
        if (*s->at == '\\')
            s->at++;
        if (is_control(*s->at) || size == VALUE_ROOM - 1)
            return false;
        value[size++] = *s->at;
    }
    s->at++;
    value[size] = '\0';
    return true;
}

/* A token, but Azure Arc's realm is a path, and others leave the quotes of addresses away. */
static bool take_plain(char value[VALUE_ROOM], struct scan *s)
{
    size_t size = 0;

    for (; !is_at_end_of_word(s); s->at++) {
        if (*s->at <= ' ' || *s->at == 0x7f || *s->at == '"' || *s->at == '\\' ||
            size == VALUE_ROOM - 1)
            return false;
        value[size++] = *s->at;
    }
    value[size] = '\0';
    return size > 0;
}

/* ---- challenges ---- */

static bool is_printable(const char *text)
{
    while (*text >= ' ' && *text < 0x7f)
        text++;
    return !*text;
}

static se_status store_param(struct parsed *out, se_bytes name, const char *value, se_error *err)
{
    for (unsigned i = 0; i < FIELDS; i++) {
        const struct field *field = &fields[i];

        if (strlen(field->name) != name.size || strncasecmp(field->name, name.data, name.size))
            continue;
        if (out->said & 1u << i)
            return error_set(err, SE_ERR_STORE, "the server's challenge says '%s' twice",
                             field->name);
        if (strlen(value) >= field->room || !is_printable(value))
            return error_set(err, SE_ERR_STORE,
                             "the server's challenge has a '%s' that is longer than %zu "
                             "characters, or not of ASCII",
                             field->name, field->room - 1);
        out->said |= 1u << i;
        memcpy((char *)out + field->offset, value, strlen(value) + 1);
    }
    return SE_OK;
}

static se_status take_param(struct parsed *out, se_bytes name, struct scan *s, se_error *err)
{
    char value[VALUE_ROOM];

    if (!*out->scheme || !(*s->at == '"' ? take_quoted(value, s) : take_plain(value, s)) ||
        !is_at_end_of_word(s))
        return scan_failed(s, err);
    return store_param(out, name, value, err);
}

static se_status begin_challenge(struct parsed *out, se_bytes scheme, struct scan *s, se_error *err)
{
    if (!is_at_end_of_word(s))
        return scan_failed(s, err);
    *out = (struct parsed){ .said = 0 };
    text_copy(out->scheme, sizeof out->scheme, scheme.data, scheme.size);
    skip_token68(s);
    return SE_OK;
}

/* Of several challenges, the Bearer one counts, wherever it stands; else the first. */
static se_status choose_challenge(struct parsed *best, const struct parsed *now, se_error *err)
{
    bool is_bearer = strcasecmp(now->scheme, "Bearer") == 0;

    if (is_bearer && strcasecmp(best->scheme, "Bearer") == 0)
        return error_set(err, SE_ERR_STORE, "the server has two Bearer challenges at once");
    if (is_bearer || !*best->scheme)
        *best = *now;
    return SE_OK;
}

static se_status split_header(struct parsed *best, const char *header, se_error *err)
{
    struct scan s = { header, header };
    struct parsed now = { .said = 0 };

    for (skip_separators(&s); *s.at; skip_separators(&s)) {
        se_bytes name = take_token(&s);

        if (!name.size)
            return scan_failed(&s, err);
        /* parameters that only blanks separate were seen as well */
        if (skip_equals_sign(&s)) {
            TRY(take_param(&now, name, &s, err));
            continue;
        }
        TRY(choose_challenge(best, &now, err));
        TRY(begin_challenge(&now, name, &s, err));
    }
    return choose_challenge(best, &now, err);
}

/* ---- what it means ---- */

/* The first part of the path: the tenant, or "adfs".  It becomes part of an URL. */
static se_status take_tenant(char out[128], const char *url, se_error *err)
{
    static const char scheme[] = "https://";
    size_t host, size;

    *out = '\0';
    if (!*url)
        return SE_OK;
    if (strncasecmp(url, scheme, strlen(scheme)) != 0 ||
        !(host = strcspn(url + strlen(scheme), "/?#")))
        return error_set(err, SE_ERR_STORE,
                         "the server's challenge names an authority that is no https URL: '%.100s'",
                         url);
    url += strlen(scheme) + host;
    url += *url == '/';
    size = strcspn(url, "/?#");
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)url[i]) && (!i || !strchr("-._", url[i])))
            size = 128;
    if (size >= 128)
        return error_set(err, SE_ERR_STORE,
                         "the server's challenge names a tenant that is none: '%.100s'", url);
    text_copy(out, 128, url, size);
    return SE_OK;
}

static se_status find_tenant(char out[128], const struct parsed *p, se_error *err)
{
    char other[128];

    TRY(take_tenant(out, p->authorization, err));
    TRY(take_tenant(other, p->authorization_uri, err));
    if (*out && *other && strcasecmp(out, other) != 0)
        return error_set(err, SE_ERR_STORE, "the server's challenge names two tenants: %s and %s",
                         out, other);
    if (!*out)
        memcpy(out, other, sizeof other);
    return SE_OK;
}

/* A scope that is no resource with "/.default" tells nothing. */
static void strip_scope(char *scope)
{
    static const char suffix[] = "/.default";
    size_t size = strlen(scope);

    if (size < strlen(suffix) || strcmp(scope + size - strlen(suffix), suffix) != 0)
        *scope = '\0';
    else
        scope[size - strlen(suffix)] = '\0';
}

static se_status find_resource(char out[256], struct parsed *p, se_error *err)
{
    strip_scope(p->scope);
    if (*p->resource && *p->scope && strcasecmp(p->resource, p->scope) != 0)
        return error_set(err, SE_ERR_STORE, "the server's challenge names two resources");
    if (!*p->resource && strlen(p->scope) >= sizeof p->resource)
        return error_set(err, SE_ERR_STORE,
                         "the server's challenge names a resource that is too "
                         "long");
    (void)snprintf(out, 256, "%.255s", *p->resource ? p->resource : p->scope);
    if (strchr(out, ' '))
        return error_set(err, SE_ERR_STORE,
                         "the server's challenge names a resource that is none: '%.100s'", out);
    return SE_OK;
}

static se_status fill_bearer(struct challenge *out, struct parsed *p, se_error *err)
{
    struct scan claims = { p->claims, p->claims };

    TRY(find_tenant(out->tenant, p, err));
    TRY(find_resource(out->resource, p, err));
    (void)take_word(&claims, "+/-_=");
    if (*claims.at)
        return error_set(err, SE_ERR_STORE,
                         "the server's challenge has claims that are not "
                         "base64");
    memcpy(out->scheme, "Bearer", sizeof "Bearer");
    memcpy(out->claims, p->claims, sizeof out->claims);
    memcpy(out->error, p->error, sizeof out->error);
    return SE_OK;
}

se_status challenge_parse(struct challenge *out, const char *header, se_error *err)
{
    struct challenge made = { .scheme = "" };
    struct parsed best = { .said = 0 };

    *out = made;
    TRY(split_header(&best, header, err));
    if (!*best.scheme)
        return error_set(err, SE_ERR_STORE,
                         "the server does not say how to log in: it has no challenge "
                         "(WWW-Authenticate)");
    if (strcasecmp(best.scheme, "Bearer") == 0) {
        TRY(fill_bearer(&made, &best, err));
    } else {
        memcpy(made.scheme, best.scheme, sizeof made.scheme);
        memcpy(made.realm, best.realm, sizeof made.realm);
        if (strcasecmp(best.scheme, "Basic") == 0)
            memcpy(made.scheme, "Basic", sizeof "Basic");
    }
    *out = made;
    return SE_OK;
}
