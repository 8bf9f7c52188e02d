/* SPDX-License-Identifier: Apache-2.0 */
/* A service, what it is asked, and what it answers. */
#include "client/call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <time.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/text.h"
#include "client/connection.h"

/* ---- where it is, and who asks ---- */

enum { TIMEOUT_S = 30, TAG_MOST = 64 };

static se_status copy_text(char **out, const char *text, se_error *err)
{
    *out = text ? strdup(text) : NULL;
    return text && !*out ? error_memory(err) : SE_OK;
}

static se_status read_socket_path(struct client *client, const char *path, se_error *err)
{
    const size_t most = sizeof((struct sockaddr_un *)NULL)->sun_path - 1;

    if (!*path)
        return error_set(err, SE_ERR_USAGE, "the path of the socket is missing");
    if (strlen(path) > most)
        return error_set(err, SE_ERR_USAGE,
                         "the path '%s' has %zu bytes; a socket's has %zu at most", path,
                         strlen(path), most);
    TRY(copy_text(&client->socket, path, err));
    return copy_text(&client->origin, "http://signengine", err);
}

static se_status read_host(struct client *client, const char *url, se_error *err)
{
    const char *host = url + strlen("https://");
    size_t size = strlen(host);

    size -= size && host[size - 1] == '/';
    if (!size || strcspn(host, "/?#@\\ ") < size)
        return error_set(err, SE_ERR_USAGE, "'%s' is not https://HOST or https://HOST:PORT", url);
    client->origin = strndup(url, strlen("https://") + size);
    return client->origin ? SE_OK : error_memory(err);
}

static se_status read_address(struct client *client, const char *address, se_error *err)
{
    TRY(copy_text(&client->address, address, err));
    if (text_starts(address, "https://"))
        return read_host(client, address, err);
    if (text_starts(address, "unix:"))
        return read_socket_path(client, address + strlen("unix:"), err);
    if (strstr(address, "://"))
        return error_set(err, SE_ERR_USAGE,
                         "'%s' is neither the path of a socket nor https://HOST:PORT", address);
    return read_socket_path(client, address, err);
}

static se_status check_settings(const struct client *client, const struct client_settings *settings,
                                se_error *err)
{
    const char *tag = settings->tag;

    if (client->socket && (settings->certificate || settings->key || settings->ca))
        return error_set(err, SE_ERR_USAGE,
                         "on the socket '%s' the system knows who asks: certificate, key and CA "
                         "are for https://",
                         client->socket);
    if (settings->key && !settings->certificate)
        return error_set(err, SE_ERR_USAGE, "a client's key needs its certificate");
    if (tag && !text_is_visible(tag, strlen(tag)))
        return error_set(err, SE_ERR_USAGE, "the tag '%s' has other than visible ASCII", tag);
    if (tag && (!*tag || strlen(tag) > TAG_MOST))
        return error_set(err, SE_ERR_USAGE, "a tag has 1 to %d characters", TAG_MOST);
    return SE_OK;
}

static se_status copy_settings(struct client *client, const struct client_settings *settings,
                               se_error *err)
{
    client->note = settings->note;
    client->note_arg = settings->note_arg;
    client->timeout_s = settings->timeout_s ? settings->timeout_s : TIMEOUT_S;
    if (client->timeout_s > CLIENT_TIMEOUT_MOST_S)
        client->timeout_s = CLIENT_TIMEOUT_MOST_S;
    TRY(copy_text(&client->certificate, settings->certificate, err));
    TRY(copy_text(&client->key, settings->key, err));
    TRY(copy_text(&client->ca, settings->ca, err));
    TRY(copy_text(&client->tag, settings->tag, err));
    return settings->key_pin ? buf_copy(&client->key_pin, text_bytes(settings->key_pin), err)
                             : SE_OK;
}

se_status client_open(struct client **out, const struct client_settings *settings, se_error *err)
{
    AUTO(client) client = calloc(1, sizeof *client);

    *out = NULL;
    if (!client)
        return error_memory(err);
    TRY(read_address(client, settings->address, err));
    TRY(check_settings(client, settings, err));
    TRY(copy_settings(client, settings, err));
    TRY(curl_calls_load(&client->curl, err));
    if (!(client->handle = client->curl->easy_init()))
        return error_memory(err);
    /* answers may hold secrets */
    json_set_alloc_funcs(malloc, buf_wipe_free);
    *out = MOVE(client);
    return SE_OK;
}

void client_close(struct client **client)
{
    struct client *c = *client;

    if (!c)
        return;
    if (c->handle)
        c->curl->easy_cleanup(c->handle);
    free(c->address);
    free(c->socket);
    free(c->origin);
    free(c->certificate);
    free(c->key);
    free(c->ca);
    free(c->tag);
    se_buf_free(&c->key_pin);
    free(c);
    *client = NULL;
}

/* ---- what is sent ---- */

se_status body_read(struct body *out, struct stream *in, se_error *err)
{
    AUTO(se_buf) room = SE_BUF_INIT;
    size_t size = 0, got = 1;

    *out = (struct body){ .rest = NULL };
    TRY(buf_new(&room, BODY_AT_HAND + 1, err));
    while (got && size < room.size) {
        TRY(stream_read(&got, in, room.data + size, room.size - size, err));
        size += got;
    }
    if (size == room.size) {
        out->rest = in;
        out->total = in->source->total;
    }
    return buf_copy(&out->begin, (se_bytes){ room.data, size }, err);
}

void body_free(struct body *body)
{
    se_buf_free(&body->begin);
}

void call_free(struct call *call)
{
    writer_free(&call->target);
}

/* ---- its path and query ---- */

void call_path(struct call *call, const char *format, ...)
{
    char text[200];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    writer_text(&call->target, text);
}

void call_part(struct call *call, const char *part)
{
    writer_text(&call->target, "/");
    writer_percent(&call->target, part);
}

void call_text(struct call *call, const char *name, const char *value)
{
    if (!value)
        return;
    writer_format(&call->target, "%c%s=", call->has_query ? '&' : '?', name);
    writer_percent(&call->target, value);
    call->has_query = true;
}

void call_number(struct call *call, const char *name, uint64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%ju", (uintmax_t)value);
    call_text(call, name, value ? text : NULL);
}

void call_flag(struct call *call, const char *name, bool value)
{
    call_text(call, name, value ? "true" : NULL);
}

void call_descriptor(struct call *call, const struct client *client, const char *descriptor,
                     const char *what, unsigned version)
{
    call_path(call, "/v1/descriptors");
    call_part(call, descriptor);
    call_path(call, "/%s", what);
    call_number(call, "version", version);
    call_text(call, "tag", client->tag);
}

/* ---- asking, and asking again ---- */

enum { BROKEN_PAUSE_MS = 500, BROKEN_MOST = 3 };

/* What was asked so far. */
struct attempts {
    unsigned count, broken;
    int64_t until_ms;
};

static void sleep_for(int64_t ms)
{
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    while (nanosleep(&left, &left) && errno == EINTR)
        ;
}

/* How long to wait before it is asked again, in milliseconds; below 0: it is not. A service that
 * was never there is not waited for; one that is started again is. */
static int64_t pause_before_next(struct attempts *a, enum retry retry, const struct answer *answer)
{
    a->broken += retry == RETRY_BROKEN;
    switch (retry) {
    case RETRY_LATER:
        return answer->retry_after > 0 ? answer->retry_after * 1000 : 1000;
    case RETRY_BROKEN:
        return a->broken < BROKEN_MOST ? BROKEN_PAUSE_MS : -1;
    case RETRY_ABSENT:
        return a->count > 1 ? BROKEN_PAUSE_MS : -1;
    case RETRY_NEVER:
        break;
    }
    return -1;
}

static void note_pause(const struct client *client, int64_t ms, const se_error *why)
{
    char text[sizeof why->text + 64];

    if (!client->note)
        return;
    (void)snprintf(text, sizeof text, "%s; asking again in %.1f s", why->text, (double)ms / 1000);
    client->note(client->note_arg, text);
}

static se_status give_up(const struct client *client, int64_t pause, se_error *why, se_error *err)
{
    if (pause >= 1000)
        (void)error_suffix(why, why->status,
                           "; it may be asked again in %jd s, which --timeout, %u s, does not wait "
                           "for",
                           (intmax_t)(pause / 1000), client->timeout_s);
    return error_copy(err, why->status, why);
}

static se_status ask_once(struct answer *out, enum retry *retry, struct client *client,
                          const struct call *call, se_error *err)
{
    TRY(connection_ask(out, retry, client, call, err));
    return answer_is_good(out->status) ? SE_OK : answer_read_failure(out, err);
}

se_status call_run(struct answer *out, struct client *client, const struct call *call,
                   se_error *err)
{
    struct attempts attempts = { .until_ms =
                                     clock_monotonic_ms() + (int64_t)client->timeout_s * 1000 };

    if (call->target.failed)
        return error_memory(err);
    for (;;) {
        se_error why = SE_ERROR_INIT;
        enum retry retry;
        int64_t pause;

        attempts.count++;
        if (!ask_once(out, &retry, client, call, &why))
            return SE_OK;
        pause = pause_before_next(&attempts, retry, out);
        answer_free(out);
        if (pause < 0 || clock_monotonic_ms() + pause > attempts.until_ms)
            return give_up(client, pause, &why, err);
        note_pause(client, pause, &why);
        sleep_for(pause);
    }
}

void answer_free(struct answer *answer)
{
    writer_free(&answer->body);
    *answer = (struct answer){ .retry_after = -1 };
}

/* ---- answers: what failed, in the words of the library ---- */

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

se_status answer_read_failure(const struct answer *answer, se_error *err)
{
    AUTO(json) failure = json_loadb((const char *)answer->body.buf.data, answer->body.buf.size,
                                    JSON_ALLOW_NUL, NULL);
    se_status st = tell_failure(answer, failure, err);

    return *answer->request_id ? error_suffix(err, st, " (request %s)", answer->request_id) : st;
}

/* ---- and what JSON says ---- */

se_status answer_read_json(json_t **out, const struct answer *answer, se_error *err)
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

static void read_revocation(se_signer *out, const json_t *revocation)
{
    const char *status = json_member_text(revocation, "status"),
               *by = json_member_text(revocation, "by");

    if (strcmp(status, "good") == 0)
        out->revocation = SE_REVOCATION_GOOD;
    else if (strcmp(status, "unknown") == 0)
        out->revocation = SE_REVOCATION_UNKNOWN;
    if (strcmp(by, "crl") == 0)
        out->revocation_source = SE_REVOCATION_BY_CRL;
    else if (strcmp(by, "ocsp") == 0)
        out->revocation_source = SE_REVOCATION_BY_OCSP;
    copy_member(out->revocation_teller, sizeof out->revocation_teller, revocation,
                strcmp(by, "ocsp") == 0 ? "responder" : "issuer");
    out->revocation_update = json_member_time(revocation, "thisUpdate");
    copy_member(out->revocation_note, sizeof out->revocation_note, revocation, "note");
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
    out->stamp_accuracy_us = json_integer_value(json_object_get(stamp, "accuracyMicroseconds"));
    copy_member(out->stamp_authority, sizeof out->stamp_authority, stamp, "authority");
    copy_member(out->stamp_ignored, sizeof out->stamp_ignored, stamp, "ignored");
    read_revocation(out, json_object_get(object, "revocation"));
}

se_status call_run_json(json_t **out, struct client *client, const struct call *call, se_error *err)
{
    AUTO(answer) answer = { .retry_after = -1 };

    *out = NULL;
    TRY(call_run(&answer, client, call, err));
    return answer_read_json(out, &answer, err);
}
