/* SPDX-License-Identifier: Apache-2.0 */
/* Answers: what failed, in the words of the library, and what JSON says. */
#include <stdio.h>
#include <time.h>

#include "base/base64.h"
#include "base/text.h"
#include "client/call.h"

void answer_free(struct answer *answer)
{
    writer_free(&answer->body);
    *answer = (struct answer){ .retry_after = -1 };
}

/* ---- failures ---- */

/* Words of the service alone; for the others it has those of the library. */
static const struct {
    const char *name;
    se_status status;
} service_words[] = {
    { "forbidden", SE_ERR_ACCESS },
    { "timeout", SE_ERR_UNAVAILABLE },
    { "too large", SE_ERR_USAGE },
    { "too many", SE_ERR_UNAVAILABLE },
    { "configuration", SE_ERR_CONFIG },
    { "internal", SE_ERR_CRYPTO },
    { "ok", SE_OK },
};

/* What has no row is said of what this program never asks for: it is no signengined, or another
 * version. */
se_status status_of_name(const char *name)
{
    for (int status = SE_ERR_MEMORY; status <= SE_ERR_CRYPTO; status++)
        if (strcmp(se_status_name((se_status)status), name) == 0)
            return (se_status)status;
    for (size_t i = 0; i < sizeof service_words / sizeof *service_words; i++)
        if (strcmp(service_words[i].name, name) == 0)
            return service_words[i].status;
    return SE_ERR_STORE;
}

/* One that has no body of ours, as what is wrong with HTTP itself. */
static se_status plain_failure(const struct answer *answer, se_error *err)
{
    const bool later = answer->status == 429 || answer->status >= 500;

    return error_set(err, later ? SE_ERR_UNAVAILABLE : SE_ERR_STORE,
                     "answered with status %u of HTTP, and nothing that signengined says",
                     answer->status);
}

static se_status tell_failure(const struct answer *answer, const json_t *failure, se_error *err)
{
    const json_t *error = json_object_get(failure, "error");
    const char *name = json_member_text(error, "status"),
               *message = json_member_text(error, "message");
    enum { FORBIDDEN = 403 };

    if (!*name || !*message)
        return plain_failure(answer, err);
    if (answer->status == FORBIDDEN)
        return error_set(err, SE_ERR_ACCESS,
                         "the service does not allow it: no row of its <access> does, or there is "
                         "no such name");
    return error_set(err, status_of_name(name), "%s", message);
}

se_status answer_failure(const struct answer *answer, se_error *err)
{
    AUTO(json) failure = json_loadb((const char *)answer->body.buf.data, answer->body.buf.size,
                                    JSON_ALLOW_NUL, NULL);
    se_status st = tell_failure(answer, failure, err);

    return *answer->request_id ? error_suffix(err, st, " (request %s)", answer->request_id) : st;
}

/* ---- JSON ---- */

se_status answer_json(json_t **out, const struct answer *answer, se_error *err)
{
    json_error_t why;

    *out = json_loadb((const char *)answer->body.buf.data, answer->body.buf.size, JSON_ALLOW_NUL,
                      &why);
    if (json_is_object(*out))
        return SE_OK;
    json_decref(*out);
    *out = NULL;
    return error_set(err, SE_ERR_STORE, "the answer is no object of JSON (request %s)",
                     *answer->request_id ? answer->request_id : "without an id");
}

const char *json_member_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

/* RFC 3339 in UTC; fractions of the second are passed over. */
int64_t json_member_time(const json_t *object, const char *name)
{
    struct tm tm = { .tm_mday = 1 };
    const char *end = strptime(json_member_text(object, name), "%Y-%m-%dT%H:%M:%S", &tm);

    return end && (*end == 'Z' || *end == '.') ? (int64_t)timegm(&tm) : 0;
}

se_status json_member_bytes(se_buf *out, const json_t *object, const char *name, se_error *err)
{
    const json_t *text = json_object_get(object, name);

    *out = (se_buf)SE_BUF_INIT;
    if (!json_is_string(text))
        return error_set(err, SE_ERR_STORE, "the answer lacks '%s'", name);
    TRY_PREFIX(base64_decode(out, text_bytes(json_string_value(text)), err), err,
               "the answer's '%s': ", name);
    return SE_OK;
}

static void copy_member(char *out, size_t room, const json_t *object, const char *name)
{
    const char *text = json_member_text(object, name);

    text_copy(out, room, text, strlen(text));
    text_clean(out);
}

void json_member_signer(se_signer *out, const json_t *object)
{
    const json_t *stamp = json_object_get(object, "stamp");

    *out =
        (se_signer){ .version = (unsigned)json_integer_value(json_object_get(object, "version")) };
    copy_member(out->algorithm, sizeof out->algorithm, object, "algorithm");
    copy_member(out->subject, sizeof out->subject, object, "subject");
    copy_member(out->issuer, sizeof out->issuer, object, "issuer");
    copy_member(out->serial, sizeof out->serial, object, "serial");
    copy_member(out->address, sizeof out->address, object, "address");
    out->not_after = json_member_time(object, "notAfter");
    out->signing_time = json_member_time(object, "signingTime");
    out->stamp_time = json_member_time(stamp, "time");
    copy_member(out->stamp_authority, sizeof out->stamp_authority, stamp, "authority");
    copy_member(out->stamp_ignored, sizeof out->stamp_ignored, stamp, "ignored");
}
