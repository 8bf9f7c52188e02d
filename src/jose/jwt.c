/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jwt.h"

#include "base/clock.h"
#include "base/json_write.h"
#include "base/utf8.h"
#include "crypto/crypto.h"
#include "jose/header.h"

enum { TOKEN_ID = 16 };

/* What a double counts without gaps: readers in JavaScript have no other numbers. */
static const double TIME_MOST = 9007199254740992.0;
static const int64_t LIFETIME_MOST = INT64_C(1) << 40;

/* ---- claims that RFC 7519, 4.1 defines ---- */

/* A text; *out is NULL if it is not there. */
static se_status claim_text(const char **out, const json_t *claims, const char *name, se_error *err)
{
    const json_t *value = json_object_get(claims, name);

    if (value && !json_is_string(value))
        return error_set(err, SE_ERR_FORMAT, "the claim '%s' is no text", name);
    *out = json_string_value(value);
    return SE_OK;
}

/* NumericDate (2): seconds, maybe with a fraction. */
static se_status claim_time(bool *has, double *out, const json_t *claims, const char *name,
                            se_error *err)
{
    const json_t *value = json_object_get(claims, name);

    *has = value;
    *out = json_number_value(value);
    if (!value || (json_is_number(value) && *out >= 0 && *out <= TIME_MOST))
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT,
                     "the claim '%s' is no time: seconds since 1970, as a number", name);
}

/* RFC 7519, 4.1.3: a text, or a list of them. */
static se_status claim_audience(const json_t **out, const json_t *claims, se_error *err)
{
    const json_t *item;
    size_t i;

    *out = json_object_get(claims, "aud");
    if (*out && !json_is_string(*out) && !json_is_array(*out))
        return error_set(err, SE_ERR_FORMAT, "the claim 'aud' is neither a text nor a list");
    json_array_foreach(*out, i, item)
        if (!json_is_string(item))
            return error_set(err, SE_ERR_FORMAT, "the claim 'aud' lists what is no text");
    return SE_OK;
}

struct claims {
    json_t *object;
    const char *issuer, *subject, *id;
    const json_t *audience;
    bool has_expiry, has_begin, has_issued;
    double expiry, begin, issued;
};
AUTO_KIND(claims, struct claims, json_decref(p->object))

static se_status claims_read(struct claims *out, se_bytes text, se_error *err)
{
    TRY(jose_object_read(&out->object, text, "the claims", err));
    TRY(claim_text(&out->issuer, out->object, "iss", err));
    TRY(claim_text(&out->subject, out->object, "sub", err));
    TRY(claim_text(&out->id, out->object, "jti", err));
    TRY(claim_audience(&out->audience, out->object, err));
    TRY(claim_time(&out->has_expiry, &out->expiry, out->object, "exp", err));
    TRY(claim_time(&out->has_begin, &out->begin, out->object, "nbf", err));
    return claim_time(&out->has_issued, &out->issued, out->object, "iat", err);
}

/* ---- making ---- */

static se_status make_token_id(struct writer *w, se_error *err)
{
    unsigned char random[TOKEN_ID];

    TRY(crypto_draw_public(random, sizeof random, err));
    json_write_base64url(w, "jti", (se_bytes){ random, sizeof random });
    return SE_OK;
}

static void write_audiences(struct writer *w, const se_jwt_sign_params *p)
{
    if (p->audience_count == 1)
        json_write_text(w, "aud", *p->audiences);
    if (p->audience_count < 2)
        return;
    json_write_begin(w, "aud", '[');
    for (size_t i = 0; i < p->audience_count; i++)
        json_write_text(w, NULL, p->audiences[i]);
    json_write_end(w, ']');
}

static void write_time(struct writer *w, const char *name, int64_t time)
{
    if (time)
        json_write_number(w, name, (uint64_t)time);
}

static se_status write_claims(struct writer *w, const se_jwt_sign_params *p,
                              const struct claims *given, int64_t now, se_error *err)
{
    if (p->issuer)
        json_write_text(w, "iss", p->issuer);
    if (p->subject)
        json_write_text(w, "sub", p->subject);
    write_audiences(w, p);
    if (p->lifetime)
        json_write_number(w, "exp", (uint64_t)(now + p->lifetime));
    write_time(w, "nbf", p->not_before);
    if (!given->has_issued)
        write_time(w, "iat", now);
    return p->make_id ? make_token_id(w, err) : SE_OK;
}

static bool is_text(const char *text)
{
    return !text || utf8_is(text_bytes(text));
}

static se_status check_texts(const se_jwt_sign_params *p, se_error *err)
{
    bool good = is_text(p->issuer) && is_text(p->subject);

    for (size_t i = 0; i < p->audience_count; i++)
        good = good && p->audiences[i] && is_text(p->audiences[i]);
    return good ? SE_OK : error_set(err, SE_ERR_USAGE, "a claim is NULL, or not made of UTF-8");
}

static se_status check_given(const se_jwt_sign_params *p, const struct claims *given, se_error *err)
{
    const struct {
        const char *name;
        bool twice;
    } rows[] = {
        { "iss", p->issuer && given->issuer },
        { "sub", p->subject && given->subject },
        { "aud", p->audience_count && given->audience },
        { "exp", p->lifetime && given->has_expiry },
        { "nbf", p->not_before && given->has_begin },
        { "jti", p->make_id && given->id },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].twice)
            return error_set(err, SE_ERR_USAGE,
                             "the claims have '%s' already, and it is given "
                             "besides",
                             rows[i].name);
    if (p->lifetime < 0 || p->lifetime > LIFETIME_MOST || p->not_before < 0)
        return error_set(err, SE_ERR_USAGE, "a time before 1970, or no lifetime of a token");
    if (!p->lifetime && !given->has_expiry && !p->no_expiry)
        return error_set(err, SE_ERR_USAGE,
                         "the token would never expire: give it a lifetime, or "
                         "say that it has none");
    return SE_OK;
}

/* What is given stays to the byte, numbers above all: members are put in front of its last brace.
 */
static se_status claims_join(se_buf *out, se_bytes given, se_bytes more, bool is_empty,
                             se_error *err)
{
    const char *text = given.data;
    size_t end = given.size;
    AUTO(writer) w = { 0 };

    while (end && text[end - 1] != '}')
        end--;
    writer_put(&w, text, end - 1);
    if (!is_empty && more.size > 2)
        writer_text(&w, ",");
    writer_put(&w, (const char *)more.data + 1, more.size - 1);
    return writer_finish(out, &w, err);
}

se_status jwt_claims_make(se_buf *out, se_bytes claims, const se_jwt_sign_params *params,
                          int64_t now, se_error *err)
{
    const se_bytes given = claims.size ? claims : (se_bytes){ "{}", 2 };
    AUTO(claims) read = { .object = NULL };
    AUTO(se_buf) more = SE_BUF_INIT;
    AUTO(writer) w = { 0 };

    *out = (se_buf)SE_BUF_INIT;
    TRY(check_texts(params, err));
    TRY(claims_read(&read, given, err));
    TRY(check_given(params, &read, err));
    json_write_begin(&w, NULL, '{');
    TRY(write_claims(&w, params, &read, now, err));
    json_write_end(&w, '}');
    TRY(writer_finish(&more, &w, err));
    return claims_join(out, given, buf_bytes(&more), !json_object_size(read.object), err);
}

/* ---- checking ---- */

static se_status check_text(const char *name, const char *is, const char *wanted, se_error *err)
{
    if (!wanted || (is && strcmp(is, wanted) == 0))
        return SE_OK;
    if (!is)
        return error_set(err, SE_ERR_REJECTED, "it has no claim '%s', and '%.100s' is asked for",
                         name, wanted);
    return error_set(err, SE_ERR_REJECTED, "its claim '%s' is '%.100s', not '%.100s'", name, is,
                     wanted);
}

static bool is_wanted(const json_t *audience, const se_jwt_verify_params *p)
{
    for (size_t i = 0; i < p->audience_count; i++)
        if (strcmp(json_string_value(audience), p->audiences[i]) == 0)
            return true;
    return false;
}

/* Who is not among those that it is for refuses it (RFC 7519, 4.1.3), whether or not he says who he
 * is. */
static se_status check_audience(const json_t *audience, const se_jwt_verify_params *p,
                                se_error *err)
{
    const json_t *item, *first = json_is_array(audience) ? json_array_get(audience, 0) : audience;
    size_t i;

    if (!audience && !p->audience_count)
        return SE_OK;
    if (!audience)
        return error_set(err, SE_ERR_REJECTED,
                         "it has no claim 'aud', and an audience is asked "
                         "for");
    json_array_foreach(audience, i, item)
        if (is_wanted(item, p))
            return SE_OK;
    if (json_is_string(audience) && is_wanted(audience, p))
        return SE_OK;
    return error_set(err, SE_ERR_REJECTED, "it is for another audience (aud): '%.100s'",
                     first ? json_string_value(first) : "");
}

static void time_text(char out[TIME_TEXT_ROOM], double time)
{
    if (!*time_format(out, TIME_RFC3339, (int64_t)time))
        memcpy(out, "far away", sizeof "far away");
}

/* `beyond`: by how many seconds the time is on the wrong side of a claim. */
static bool allow_leeway(unsigned *used, const se_jwt_verify_params *p, double beyond)
{
    if (beyond > 0 && beyond <= p->leeway && beyond > *used)
        *used = (unsigned)beyond + (beyond > (unsigned)beyond);
    return beyond <= p->leeway;
}

/* RFC 7519, 4.1.4: from the second on that the claim names. */
static se_status check_expiry(unsigned *used, const struct claims *claims,
                              const se_jwt_verify_params *p, int64_t now, se_error *err)
{
    char text[TIME_TEXT_ROOM];

    if (!claims->has_expiry)
        return p->no_expiry ? SE_OK
                            : error_set(err, SE_ERR_REJECTED, "it never expires: it has no 'exp'");
    if (allow_leeway(used, p, (double)now + 1 - claims->expiry))
        return SE_OK;
    time_text(text, claims->expiry);
    return error_set(err, SE_ERR_REJECTED, "it expired %s (exp); the leeway is %u s", text,
                     p->leeway);
}

static se_status check_begin(unsigned *used, bool has, double time, const char *what,
                             const se_jwt_verify_params *p, int64_t now, se_error *err)
{
    char text[TIME_TEXT_ROOM];

    if (!has || allow_leeway(used, p, time - (double)now))
        return SE_OK;
    time_text(text, time);
    return error_set(err, SE_ERR_REJECTED, "it %s %s, and that is to come; the leeway is %u s",
                     what, text, p->leeway);
}

se_status jwt_claims_check(unsigned *leeway, se_bytes claims, const se_jwt_verify_params *params,
                           int64_t now, se_error *err)
{
    AUTO(claims) read = { .object = NULL };

    *leeway = 0;
    TRY(claims_read(&read, claims, err));
    TRY(check_text("iss", read.issuer, params->issuer, err));
    TRY(check_text("sub", read.subject, params->subject, err));
    TRY(check_text("jti", read.id, params->id, err));
    TRY(check_audience(read.audience, params, err));
    TRY(check_expiry(leeway, &read, params, now, err));
    TRY(check_begin(leeway, read.has_begin, read.begin, "may be used from (nbf)", params, now,
                    err));
    return check_begin(leeway, read.has_issued, read.issued, "was issued (iat)", params, now, err);
}
