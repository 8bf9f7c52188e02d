/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/failure.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/json_write.h"
#include "base/text.h"

struct failure_row {
    unsigned http;
    const char *name, *reason; /* in the body, in the status line */
    const char *text;          /* instead of the error's own, which may name paths and tokens */
};

static const struct failure_row rows[] = {
    [FAILURE_NONE] = { 200, "ok", "OK", NULL },
    [FAILURE_FORMAT] = { 400, "format", "Bad Request", NULL },
    [FAILURE_USAGE] = { 400, "usage", "Bad Request", NULL },
    [FAILURE_FORBIDDEN] = { 403, "forbidden", "Forbidden", "not allowed" },
    [FAILURE_NO_PATH] = { 404, "not found", "Not Found", NULL },
    [FAILURE_NO_DESCRIPTOR] = { 404, "no descriptor", "Not Found", NULL },
    [FAILURE_METHOD] = { 405, "method", "Method Not Allowed", NULL },
    [FAILURE_TIMEOUT] = { 408, "timeout", "Request Timeout", NULL },
    [FAILURE_POLICY] = { 409, "policy", "Conflict", NULL },
    [FAILURE_TOO_LARGE] = { 413, "too large", "Content Too Large", NULL },
    [FAILURE_MEDIA] = { 415, "media type", "Unsupported Media Type", NULL },
    [FAILURE_EXPECTATION] = { 417, "expectation", "Expectation Failed", NULL },
    [FAILURE_REJECTED] = { 422, "rejected", "Unprocessable Content", NULL },
    [FAILURE_TOO_MANY] = { 429, "too many", "Too Many Requests", NULL },
    [FAILURE_CONFIGURATION] = { 500, "configuration", "Internal Server Error",
                                "the service is not set up for this; its log says why" },
    [FAILURE_INTERNAL] = { 500, "internal", "Internal Server Error",
                           "the service has failed; its log says why" },
    [FAILURE_UNAVAILABLE] = { 503, "unavailable", "Service Unavailable",
                              "the key store is out of reach" },
    [FAILURE_BUSY] = { 503, "unavailable", "Service Unavailable", NULL },
    [FAILURE_AUDIT] = { 503, "unavailable", "Service Unavailable",
                        "the audit can't record this now" },
    [FAILURE_NO_SPACE] = { 507, "no space", "Insufficient Storage",
                           "there is no room for so much now" },
};

/* Wrong PINs and missing keys are the service's trouble, never the caller's. */
static enum failure_kind kind_of(se_status status)
{
    switch (status) {
    case SE_OK:
        return FAILURE_NONE;
    case SE_ERR_FORMAT:
        return FAILURE_FORMAT;
    case SE_ERR_USAGE:
        return FAILURE_USAGE;
    case SE_ERR_NO_DESCRIPTOR:
        return FAILURE_NO_DESCRIPTOR;
    case SE_ERR_POLICY:
        return FAILURE_POLICY;
    case SE_ERR_REJECTED:
        return FAILURE_REJECTED;
    case SE_ERR_UNAVAILABLE:
        return FAILURE_UNAVAILABLE;
    case SE_ERR_MEMORY:
    case SE_ERR_CANCELLED:
        return FAILURE_BUSY;
    case SE_ERR_CONFIG:
    case SE_ERR_KEY:
    case SE_ERR_STORE:
    case SE_ERR_ACCESS:
        return FAILURE_CONFIGURATION;
    default:
        return FAILURE_INTERNAL;
    }
}

static void note_kind(struct failure *failure, enum failure_kind kind)
{
    failure->kind = kind;
    if ((rows[kind].http == 503 || kind == FAILURE_NO_SPACE) && !failure->retry_after)
        failure->retry_after = 1;
}

void failure_set(struct failure *failure, enum failure_kind kind, const char *format, ...)
{
    va_list args;

    if (failure->kind)
        return;
    va_start(args, format);
    (void)vsnprintf(failure->error.text, sizeof failure->error.text, format, args);
    va_end(args);
    note_kind(failure, kind);
}

void failure_set_status(struct failure *failure, se_status status, const se_error *err)
{
    if (failure->kind)
        return;
    failure->error = *err;
    note_kind(failure, kind_of(status));
}

unsigned failure_http_status(const struct failure *failure)
{
    return failure->http ? failure->http : rows[failure->kind].http;
}

const char *failure_name(enum failure_kind kind)
{
    return rows[kind].name;
}

const char *failure_text(const struct failure *failure)
{
    const char *text = rows[failure->kind].text;

    return text ? text : *failure->error.text ? failure->error.text : rows[failure->kind].reason;
}

void failure_write(struct writer *w, const struct failure *failure, const char *request_id)
{
    char clean[sizeof failure->error.text];

    (void)snprintf(clean, sizeof clean, "%s", failure_text(failure));
    text_clean(clean);
    json_write_begin(w, NULL, '{');
    json_write_begin(w, "error", '{');
    json_write_text(w, "status", rows[failure->kind].name);
    json_write_text(w, "message", clean);
    json_write_end(w, '}');
    json_write_text(w, "requestId", request_id);
    json_write_end(w, '}');
}

void failure_write_answer(struct writer *w, const struct failure *failure)
{
    AUTO(writer) body = { 0 };

    failure_write(&body, failure, "none");
    writer_format(w,
                  "HTTP/1.1 %u %s\r\nConnection: close\r\nContent-Type: application/json\r\n"
                  "X-Request-Id: none\r\n",
                  rows[failure->kind].http, rows[failure->kind].reason);
    if (failure->retry_after)
        writer_format(w, "Retry-After: %u\r\n", failure->retry_after);
    writer_format(w, "Content-Length: %zu\r\n\r\n%s", body.buf.size, writer_string(&body));
}
