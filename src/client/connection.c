/* SPDX-License-Identifier: Apache-2.0 */
#include "client/connection.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"

enum {
    HEADERS_LIMIT = 64 << 10, /* of an answer, all together */
    ANSWER_LIMIT = 1 << 30,   /* of what is kept in memory */
    HEADER_ROOM = 256,
};

struct transfer {
    struct client *client;
    const struct call *call;
    struct answer *answer;
    struct curl_options options;
    size_t at;           /* how much of the body at hand was sent */
    bool took_rest;      /* of the body, some of what can't be read again */
    bool gave;           /* some of the answer to call->out */
    size_t header_bytes; /* so far */
    bool is_head_whole;
    long system_error; /* errno of connecting */
    se_error failure;  /* on this side */
    char detail[CURL_ERROR_SIZE];
};

/* ---- what is sent ---- */

static size_t send_body(char *to, size_t one, size_t room, void *arg)
{
    struct transfer *t = arg;
    const struct body *body = t->call->body;
    const size_t left = body->begin.size - t->at;
    size_t size = one * room;

    if (left) {
        size = size < left ? size : left;
        memcpy(to, body->begin.data + t->at, size);
        t->at += size;
        return size;
    }
    t->took_rest = true;
    return stream_read(&size, body->rest, to, size, &t->failure) ? CURL_READFUNC_ABORT : size;
}

/* On a connection that was kept and turned out to be closed, it is sent again. */
static int rewind_body(void *arg, curl_off_t offset, int whence)
{
    struct transfer *t = arg;

    if (offset || whence != SEEK_SET || t->took_rest)
        return CURL_SEEKFUNC_CANTSEEK;
    t->at = 0;
    return CURL_SEEKFUNC_OK;
}

static void set_stream(struct transfer *t)
{
    struct curl_options *o = &t->options;
    const struct body *body = t->call->body;

    curl_set_number(o, CURLOPT_POST, 1);
    curl_set_pointer(o, CURLOPT_READDATA, t);
    curl_set_pointer(o, CURLOPT_SEEKDATA, t);
    if (!o->rc)
        o->rc = o->curl->easy_setopt(o->handle, CURLOPT_READFUNCTION, send_body);
    if (!o->rc)
        o->rc = o->curl->easy_setopt(o->handle, CURLOPT_SEEKFUNCTION, rewind_body);
    if (!o->rc && body->total)
        o->rc =
            o->curl->easy_setopt(o->handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->total);
}

static void set_body(struct transfer *t)
{
    const struct call *call = t->call;
    const se_bytes bytes = call->body ? buf_bytes(&call->body->begin) : call->text;

    if (call->body && call->body->rest) {
        set_stream(t);
        return;
    }
    if (!call->body && !bytes.data) {
        curl_set_number(&t->options, CURLOPT_HTTPGET, 1);
        return;
    }
    curl_set_number(&t->options, CURLOPT_POST, 1);
    curl_set_number(&t->options, CURLOPT_POSTFIELDSIZE, (long)bytes.size);
    curl_set_pointer(&t->options, CURLOPT_POSTFIELDS, bytes.size ? bytes.data : "");
}

static const char *const types[] = {
    [TYPE_OCTETS] = "application/octet-stream",
    [TYPE_JSON] = "application/json",
    [TYPE_MAIL] = "message/rfc822",
    [TYPE_PEM] = "application/pem-certificate-chain",
    [TYPE_TEXT] = "text/plain",
};

enum { HEADERS = 6 };
struct headers {
    struct curl_slist list[HEADERS];
    char texts[HEADERS][HEADER_ROOM];
    size_t count;
};

static void add_header(struct headers *h, const char *name, const char *value)
{
    struct curl_slist *item = &h->list[h->count];

    (void)snprintf(h->texts[h->count], HEADER_ROOM, "%s:%s%s", name, *value ? " " : "", value);
    *item = (struct curl_slist){ .data = h->texts[h->count] };
    if (h->count++)
        item[-1].next = item;
}

/* What is small is sent at once, what is large when the service wants it. */
static void fill_headers(struct headers *h, const struct call *call)
{
    const bool streamed = call->body && call->body->rest;

    add_header(h, "Accept", types[call->accept]);
    if (call->body || call->text.data)
        add_header(h, "Content-Type", types[call->type]);
    if (call->key)
        add_header(h, "Idempotency-Key", call->key);
    add_header(h, "Expect", streamed ? "100-continue" : "");
    if (streamed && !call->body->total)
        add_header(h, "Transfer-Encoding", "chunked");
}

/* ---- what comes back ---- */

static long read_retry_after(const struct transfer *t, const char *value)
{
    unsigned long seconds;
    int64_t date;

    if (text_number(&seconds, value, CLIENT_TIMEOUT_MOST_S))
        return (long)seconds;
    date = t->client->curl->getdate(value, NULL);
    return date < 0 ? -1 : date < clock_seconds() ? 0 : (long)(date - clock_seconds());
}

static void note_header(struct transfer *t, char *line)
{
    char *value = strchr(line, ':');

    if (!value)
        return;
    *value++ = '\0';
    value += strspn(value, " \t");
    value[strcspn(value, "\r\n")] = '\0';
    if (strcasecmp(line, "X-Request-Id") == 0 && strlen(value) < REQUEST_ID_ROOM)
        text_copy(t->answer->request_id, REQUEST_ID_ROOM, value, strlen(value));
    else if (strcasecmp(line, "Retry-After") == 0)
        t->answer->retry_after = read_retry_after(t, value);
}

static size_t take_header(char *data, size_t one, size_t size, void *arg)
{
    struct transfer *t = arg;
    char line[HEADER_ROOM];

    (void)one;
    if ((t->header_bytes += size) > HEADERS_LIMIT)
        return 0;
    if (size >= sizeof line)
        return size;
    memcpy(line, data, size);
    line[size] = '\0';
    if (strncasecmp(line, "HTTP/", 5) == 0)
        t->is_head_whole = false;
    else if (!line[strspn(line, "\r\n")])
        t->is_head_whole = true;
    else
        note_header(t, line);
    return size;
}

static unsigned status_of(const struct transfer *t)
{
    long status = 0;

    (void)t->client->curl->easy_getinfo(t->client->handle, CURLINFO_RESPONSE_CODE, &status);
    return (unsigned)status;
}

static size_t take_body(char *data, size_t one, size_t size, void *arg)
{
    struct transfer *t = arg;
    struct writer *body = &t->answer->body;

    (void)one;
    if (t->call->out && answer_is_good(status_of(t))) {
        t->gave = true;
        return sink_write(t->call->out, (se_bytes){ data, size }, &t->failure) ? 0 : size;
    }
    if (size > ANSWER_LIMIT - body->buf.size)
        (void)error_set(&t->failure, SE_ERR_STORE, "the answer is longer than any that is used");
    else
        writer_put(body, data, size);
    return t->failure.status || body->failed ? 0 : size;
}

/* ---- one request ---- */

static void set_common(struct transfer *t)
{
    struct curl_options *o = &t->options;
    const struct client *c = t->client;

    curl_set_pointer(o, CURLOPT_PROTOCOLS_STR, c->socket ? "http" : "https");
    curl_set_number(o, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_set_pointer(o, CURLOPT_USERAGENT, "signengine/" PACKAGE_VERSION);
    /* the empty texts keep libcurl from what the environment says of proxies */
    curl_set_pointer(o, CURLOPT_PROXY, "");
    curl_set_pointer(o, CURLOPT_NOPROXY, "");
    curl_set_number(o, CURLOPT_CONNECTTIMEOUT, (long)c->timeout_s);
    /* no byte in either direction for so long */
    curl_set_number(o, CURLOPT_LOW_SPEED_LIMIT, 1);
    curl_set_number(o, CURLOPT_LOW_SPEED_TIME, (long)c->timeout_s);
    curl_set_pointer(o, CURLOPT_ERRORBUFFER, t->detail);
    curl_set_pointer(o, CURLOPT_HEADERDATA, t);
    curl_set_pointer(o, CURLOPT_WRITEDATA, t);
    if (!o->rc)
        o->rc = o->curl->easy_setopt(o->handle, CURLOPT_HEADERFUNCTION, take_header);
    if (!o->rc)
        o->rc = o->curl->easy_setopt(o->handle, CURLOPT_WRITEFUNCTION, take_body);
}

static void set_peer(struct transfer *t)
{
    struct curl_options *o = &t->options;
    const struct client *c = t->client;

    if (c->socket) {
        curl_set_pointer(o, CURLOPT_UNIX_SOCKET_PATH, c->socket);
        return;
    }
    curl_set_number(o, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    if (c->ca) {
        curl_set_pointer(o, CURLOPT_CAINFO, c->ca);
        curl_set_pointer(o, CURLOPT_CAPATH, NULL);
    }
    if (c->certificate) {
        curl_set_pointer(o, CURLOPT_SSLCERT, c->certificate);
        curl_set_pointer(o, CURLOPT_SSLKEY, c->key ? c->key : c->certificate);
    }
    /* without any, OpenSSL would ask on the terminal */
    curl_set_pointer(o, CURLOPT_KEYPASSWD, c->key_pin.data ? (const char *)c->key_pin.data : "");
}

static se_status perform_call(struct transfer *t, se_error *err)
{
    struct headers headers = { .count = 0 };
    AUTO(writer) url = { 0 };

    writer_format(&url, "%s%s", t->client->origin, writer_string(&t->call->target));
    if (url.failed)
        return error_memory(err);
    t->client->curl->easy_reset(t->client->handle);
    fill_headers(&headers, t->call);
    set_common(t);
    set_peer(t);
    set_body(t);
    curl_set_pointer(&t->options, CURLOPT_URL, writer_string(&url));
    curl_set_pointer(&t->options, CURLOPT_HTTPHEADER, headers.list);
    if (t->options.rc)
        return error_set(err, SE_ERR_STORE, "libcurl lacks an option: %s",
                         t->client->curl->easy_strerror(t->options.rc));
    t->options.rc = t->client->curl->easy_perform(t->client->handle);
    t->answer->status = status_of(t);
    (void)t->client->curl->easy_getinfo(t->client->handle, CURLINFO_OS_ERRNO, &t->system_error);
    if (!t->options.rc && !t->is_head_whole)
        t->options.rc = CURLE_PARTIAL_FILE;
    t->client->curl->easy_reset(t->client->handle);
    return SE_OK;
}

/* ---- what failed ---- */

static se_status fail_to_connect(const struct transfer *t, se_error *err)
{
    const char *address = t->client->address;

    switch (t->system_error) {
    case EACCES:
    case EPERM:
        return error_set(err, SE_ERR_ACCESS,
                         "no permission to connect to '%s': the service's settings `mode` and "
                         "`group` say who may",
                         address);
    case ENOENT:
        return error_set(err, SE_ERR_UNAVAILABLE,
                         "there is no socket '%s': is signengined running, and is that where it "
                         "listens?",
                         address);
    case ECONNREFUSED:
        return error_set(err, SE_ERR_UNAVAILABLE,
                         "nobody listens on '%s': signengined is not running", address);
    default:
        return error_set(err, SE_ERR_UNAVAILABLE, "no connection to '%s': %s", address,
                         t->system_error ? strerror((int)t->system_error) : t->detail);
    }
}

static se_status fail_tls(const struct transfer *t, se_error *err)
{
    const char *address = t->client->address;

    switch (t->options.rc) {
    case CURLE_PEER_FAILED_VERIFICATION:
        return error_set(err, SE_ERR_STORE, "the certificate of '%s' is not accepted: %s%s",
                         address, t->detail,
                         t->client->ca ? "" : "; --ca names the certificates that are trusted");
    case CURLE_SSL_CERTPROBLEM:
        return error_set(err, SE_ERR_CONFIG, "the client's certificate or key can't be used: %s",
                         t->detail);
    case CURLE_SSL_CACERT_BADFILE:
        return error_set(err, SE_ERR_CONFIG, "the file of --ca can't be used: %s", t->detail);
    default:
        /* what a server says that does not like the client's certificate, whenever it does */
        if (!strstr(t->detail, "alert"))
            return SE_OK;
        return error_set(err, SE_ERR_ACCESS, "'%s' does not accept %s: %s", address,
                         t->client->certificate ? "the client's certificate"
                                                : "who has no --client-certificate",
                         t->detail);
    }
}

static se_status fail_transfer(const struct transfer *t, enum retry *retry, se_error *err)
{
    const CURLcode rc = t->options.rc;

    if (t->failure.status)
        return error_copy(err, t->failure.status, &t->failure);
    if (rc == CURLE_OUT_OF_MEMORY || t->answer->body.failed)
        return error_memory(err);
    TRY(fail_tls(t, err));
    if (rc == CURLE_COULDNT_CONNECT) {
        *retry = RETRY_ABSENT;
        return fail_to_connect(t, err);
    }
    if (rc == CURLE_OPERATION_TIMEDOUT)
        return error_set(err, SE_ERR_UNAVAILABLE, "nothing came from '%s' for %u s (--timeout)",
                         t->client->address, t->client->timeout_s);
    *retry = RETRY_BROKEN;
    return error_set(err, SE_ERR_UNAVAILABLE, "no whole answer from '%s': %s", t->client->address,
                     *t->detail ? t->detail : t->client->curl->easy_strerror(rc));
}

static bool puts_off(unsigned status)
{
    return status == 429 || status == 503;
}

se_status connection_ask(struct answer *out, enum retry *retry, struct client *client,
                         const struct call *call, se_error *err)
{
    struct transfer t = { .client = client, .call = call, .answer = out };
    se_status st = SE_OK;

    *retry = RETRY_NEVER;
    *out = (struct answer){ .retry_after = -1 };
    t.options = (struct curl_options){ .curl = client->curl, .handle = client->handle };
    TRY(perform_call(&t, err));
    if (t.options.rc)
        st = fail_transfer(&t, retry, err);
    else if (puts_off(out->status))
        *retry = RETRY_LATER;
    if (t.took_rest || t.gave)
        *retry = RETRY_NEVER;
    return st;
}
