/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What answers hold that is secret: tokens, and what a vault decrypted.  jansson copies what it
 * reads, and does not wipe it: so it gets a copy in which secrets are covered.
 */
#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/text.h"
#include "keystore/azure/answer.h"

enum {
    TOKEN_MOST = 32768, /* a header with it has to pass proxies */
    COVER = 'x',
};

/* ---- covering ---- */

/* A body that is read from string to string; not more of JSON than that is understood. */
struct cover_scan {
    unsigned char *at, *end;
    int depth;
    const char *name; /* of the member whose value is taken */
    se_buf *value;
};

/* The text between quotes that begins at `at`; moves behind it. */
static se_bytes take_string(struct cover_scan *s)
{
    unsigned char *start = ++s->at;

    while (s->at < s->end && *s->at != '"')
        s->at += *s->at == '\\' && s->end - s->at > 1 ? 2 : 1;
    return (se_bytes){ start, (size_t)(s->at++ - start) };
}

static void skip_blanks(struct cover_scan *s)
{
    while (s->at < s->end && *s->at && strchr(" \t\r\n", *s->at))
        s->at++;
}

static bool text_is(se_bytes text, const char *name)
{
    return text.size == strlen(name) && strncmp(text.data, name, text.size) == 0;
}

/* access_token, refresh_token, id_token */
static bool is_token_name(se_bytes name)
{
    static const char suffix[] = "_token";
    size_t size = strlen(suffix);

    return name.size >= size &&
           strncmp((const char *)name.data + name.size - size, suffix, size) == 0;
}

static se_status cover_string(struct cover_scan *s, se_error *err)
{
    se_bytes name = take_string(s), value;
    bool is_wanted = s->depth == 1 && text_is(name, s->name);

    skip_blanks(s);
    if (s->at >= s->end || *s->at != ':')
        return SE_OK;
    s->at++;
    skip_blanks(s);
    if ((!is_wanted && !is_token_name(name)) || s->at >= s->end || *s->at != '"')
        return SE_OK;
    value = take_string(s);
    if (is_wanted && !s->value->data)
        TRY(buf_copy(s->value, value, err));
    memset((unsigned char *)value.data, COVER, value.size);
    return SE_OK;
}

/*
 * The answer without its secrets, and the text of its member `name` as it stands there; empty
 * without one.  That it is the member jansson sees is checked: one that was spelled otherwise is
 * not taken for it.
 */
static se_status cover_secrets(json_t **rest, se_buf *value, const struct http_answer *answer,
                               const char *name, se_error *err)
{
    AUTO(se_buf) copy = SE_BUF_INIT;
    struct http_answer covered = *answer;
    struct cover_scan s = { .name = name, .value = value };

    TRY(buf_copy(&copy, buf_bytes(&answer->body.buf), err));
    s.end = copy.data + copy.size;
    for (s.at = copy.data; s.at < s.end;) {
        if (*s.at == '"') {
            TRY(cover_string(&s, err));
            continue;
        }
        s.depth += (*s.at == '{' || *s.at == '[') - (*s.at == '}' || *s.at == ']');
        s.at++;
    }
    covered.body.buf = copy;
    TRY(answer_json(rest, &covered, err));
    if (json_string_length(json_object_get(*rest, name)) != value->size)
        return error_set(err, SE_ERR_STORE, "the '%s' of the server's answer can't be read", name);
    return SE_OK;
}

/* ---- what was decrypted ---- */

se_status answer_secret_value(se_buf *out, const struct http_answer *answer, const char *id,
                              se_error *err)
{
    AUTO(json) rest = NULL;
    AUTO(se_buf) text = SE_BUF_INIT;

    *out = (se_buf)SE_BUF_INIT;
    TRY(cover_secrets(&rest, &text, answer, "value", err));
    TRY(answer_check_id(rest, id, err));
    if (!json_is_string(json_object_get(rest, "value")) ||
        base64url_decode(out, buf_bytes(&text), NULL))
        return error_set(err, SE_ERR_STORE, "the 'value' of the vault's answer is not base64url");
    return SE_OK;
}

/* ---- tokens ---- */

void token_answer_free(struct token_answer *answer)
{
    se_buf_free(&answer->token);
}

/* Seconds, which managed identities say as texts; -1: not said. */
static se_status read_seconds(int64_t *out, const json_t *json, const char *name, se_error *err)
{
    const json_t *member = json_object_get(json, name);
    const char *text = json_string_value(member);
    unsigned long digits;

    *out = -1;
    if (!member || json_is_null(member))
        return SE_OK;
    if (json_is_integer(member))
        *out = json_integer_value(member);
    else if (text && text_number(&digits, text, UINT32_MAX))
        *out = (int64_t)digits;
    if (*out < 0 || *out > UINT32_MAX)
        return error_set(err, SE_ERR_STORE,
                         "the '%s' of the login service's answer is no number of seconds", name);
    return SE_OK;
}

/* "9/14/2026 11:05:00 PM +00:00" or "09/14/2026 23:05:00 +00:00", as App Service had it in 2017;
 * -1: it is neither. */
static int64_t read_date(const char *text)
{
    struct tm t = { .tm_isdst = 0 };
    char half[3] = "";
    int end = 0;

    if (sscanf(text, "%2d/%2d/%4d %2d:%2d:%2d +00:00%n", &t.tm_mon, &t.tm_mday, &t.tm_year,
               &t.tm_hour, &t.tm_min, &t.tm_sec, &end) != 6 ||
        !end)
        (void)sscanf(text, "%2d/%2d/%4d %2d:%2d:%2d %2[APM] +00:00%n", &t.tm_mon, &t.tm_mday,
                     &t.tm_year, &t.tm_hour, &t.tm_min, &t.tm_sec, half, &end);
    if (!end || text[end] || t.tm_mon < 1 || t.tm_mon > 12 || t.tm_mday < 1 || t.tm_mday > 31 ||
        t.tm_year < 1970 || t.tm_hour < 0 || t.tm_hour > 23 || t.tm_min < 0 || t.tm_min > 59 ||
        t.tm_sec < 0 || t.tm_sec > 60)
        return -1;
    if (*half)
        t.tm_hour = t.tm_hour % 12 + (*half == 'P' ? 12 : 0);
    t.tm_mon--;
    t.tm_year -= 1900;
    return timegm(&t);
}

/* expires_in, or else expires_on, of which App Service says no more. */
static se_status read_lifetime(int64_t *out, const json_t *json, se_error *err)
{
    const char *text = member_text(json, "expires_on");
    int64_t until = strchr(text, '/') ? read_date(text) : -1;

    TRY(read_seconds(out, json, "expires_in", err));
    if (*out < 0 && until < 0)
        TRY(read_seconds(&until, json, "expires_on", err));
    if (*out < 0 && until < 0)
        return error_set(err, SE_ERR_STORE,
                         "the login service's answer does not say when the token expires");
    if (*out < 0)
        *out = until - clock_seconds();
    if (*out <= 0)
        return error_set(err, SE_ERR_STORE,
                         "the login service gave a token that has expired already (is the clock of "
                         "this machine right?)");
    return SE_OK;
}

/* RFC 6750, 2.1, less what JSON would escape: it goes into a header as it is. */
static bool is_token(se_bytes text)
{
    const unsigned char *p = text.data;

    for (size_t i = 0; i < text.size; i++)
        if (p[i] <= ' ' || p[i] >= 0x7f || p[i] == '"' || p[i] == '\\')
            return false;
    return text.size > 0 && text.size <= TOKEN_MOST;
}

static se_status check_token(const se_buf *token, const json_t *rest, se_error *err)
{
    if (!json_is_string(json_object_get(rest, "access_token")))
        return error_set(err, SE_ERR_STORE, "the login service's answer has no 'access_token'");
    if (!is_token(buf_bytes(token)))
        return error_set(err, SE_ERR_STORE,
                         "the login service's token is empty, longer than %d bytes, or has "
                         "characters that no token has",
                         TOKEN_MOST);
    if (strcasecmp(member_text(rest, "token_type"), "Bearer") != 0)
        return error_set(err, SE_ERR_STORE, "the login service's token is no Bearer token");
    return SE_OK;
}

se_status answer_token(struct token_answer *out, const struct http_answer *answer, se_error *err)
{
    AUTO(json) rest = NULL;
    AUTO(token_answer) made = { .lifetime = 0 };

    *out = (struct token_answer){ .lifetime = 0 };
    TRY(cover_secrets(&rest, &made.token, answer, "access_token", err));
    TRY(check_token(&made.token, rest, err));
    TRY(read_lifetime(&made.lifetime, rest, err));
    TRY(read_seconds(&made.refresh, rest, "refresh_in", err));
    if (made.refresh < 0 || made.refresh >= made.lifetime)
        made.refresh = 0;
    *out = MOVE(made);
    return SE_OK;
}
