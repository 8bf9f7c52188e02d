/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/azure/http.h"

#include <ctype.h>
#include <limits.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "keystore/azure/http_pool.h"

enum {
    CONNECT_MS = 5000,
    HEADERS_LIMIT = 64 << 10, /* of an answer, all together */
    RETRY_MOST_S = 86400,
    HOST_ROOM = 256,
};

struct transfer {
    const struct http_request *request;
    struct http_answer *answer;
    const struct curl_calls *curl;
    CURL *handle;
    CURLcode rc;         /* of the options so far, then of the request */
    size_t header_bytes; /* so far */
    bool is_head_whole, is_too_long, has_proxy;
    char host[HOST_ROOM];
    char detail[CURL_ERROR_SIZE];
};

/* ---- what comes back ---- */

static long number_of(const char *value, long most)
{
    unsigned long number;

    if (!*value || value[strspn(value, "0123456789")])
        return -1;
    return text_number(&number, value, (unsigned long)most) ? (long)number : most;
}

/* Seconds, or a date (RFC 9110, 10.2.3). */
static long retry_after(const struct transfer *t, const char *value)
{
    long seconds = number_of(value, RETRY_MOST_S);
    int64_t date, left;

    if (seconds >= 0 || (date = t->curl->getdate(value, NULL)) < 0)
        return seconds;
    left = date - clock_seconds();
    return left < 0 ? 0 : left > RETRY_MOST_S ? RETRY_MOST_S : (long)left;
}

/* The first one wins; one that is cut would say something else, and is left out. */
static void keep_value(char *out, size_t room, const char *value)
{
    if (!*out && strlen(value) < room)
        text_copy(out, room, value, strlen(value));
}

static bool is_login_scheme(const char *value)
{
    return strncasecmp(value, "Bearer", 6) == 0 || strncasecmp(value, "Basic", 5) == 0;
}

static void note_header(struct transfer *t, const char *name, const char *value)
{
    struct http_answer *a = t->answer;

    if (strcasecmp(name, "content-type") == 0)
        keep_value(a->content_type, sizeof a->content_type, value);
    else if (strcasecmp(name, "www-authenticate") == 0 && is_login_scheme(value))
        keep_value(a->authenticate, sizeof a->authenticate, value);
    else if (strcasecmp(name, "location") == 0) {
        *a->location = '\0';
        keep_value(a->location, sizeof a->location, value);
    } else if (strcasecmp(name, "azure-asyncoperation") == 0)
        keep_value(a->location, sizeof a->location, value);
    else if (strcasecmp(name, "x-ms-request-id") == 0)
        keep_value(a->request_id, sizeof a->request_id, value);
    else if (strcasecmp(name, "retry-after") == 0)
        a->retry_after = retry_after(t, value);
    else if (strcasecmp(name, "x-ms-server-latency") == 0 && number_of(value, LONG_MAX) > 0)
        a->latency = (unsigned long)number_of(value, LONG_MAX);
}

/* In place: the name, and what is behind its colon without blanks around it. */
static void split_header(struct transfer *t, char *line)
{
    char *value = strchr(line, ':'), *end;

    if (!value)
        return;
    *value++ = '\0';
    value += strspn(value, " \t");
    for (end = value + strlen(value); end > value && isspace((unsigned char)end[-1]); end--)
        ;
    *end = '\0';
    text_clean(value);
    note_header(t, line, value);
}

/* What an answer before the last one said (100 Continue) does not count. */
static void forget_headers(struct http_answer *a)
{
    *a = (struct http_answer){ .body = a->body, .retry_after = -1 };
}

static size_t take_header(char *data, size_t one, size_t size, void *arg)
{
    struct transfer *t = arg;
    char line[sizeof t->answer->authenticate + 64];

    (void)one;
    if ((t->header_bytes += size) > HEADERS_LIMIT) {
        t->is_too_long = true;
        return 0;
    }
    if (size >= sizeof line)
        return size;
    memcpy(line, data, size);
    line[size] = '\0';
    if (strncasecmp(line, "HTTP/", 5) == 0) {
        forget_headers(t->answer);
        t->is_head_whole = false;
    } else if (!line[strspn(line, "\r\n")])
        t->is_head_whole = true;
    else
        split_header(t, line);
    return size;
}

static size_t take_body(char *data, size_t one, size_t size, void *arg)
{
    struct transfer *t = arg;
    struct writer *body = &t->answer->body;

    (void)one;
    if (size > HTTP_BODY_LIMIT - body->buf.size) {
        t->is_too_long = true;
        return 0;
    }
    writer_put(body, data, size);
    return body->failed ? 0 : size;
}

void http_answer_free(struct http_answer *answer)
{
    writer_free(&answer->body);
    *answer = (struct http_answer){ .retry_after = -1 };
}

/* ---- what failed ---- */

/* One sentence each, around the host: "no address is found for HOST: ...". */
static const struct failure {
    CURLcode code;
    se_status status;
    const char *before, *behind;
    bool is_detailed; /* what libcurl says of it is added */
} failures[] = {
    { CURLE_COULDNT_RESOLVE_PROXY, SE_ERR_UNAVAILABLE, "no address is found for the proxy to",
      ": is its name right, and does the name server answer?", false },
    { CURLE_COULDNT_RESOLVE_HOST, SE_ERR_UNAVAILABLE, "no address is found for",
      ": is the name right, and does the name server answer?", false },
    { CURLE_PROXY, SE_ERR_UNAVAILABLE, "the proxy does not lead to", "", true },
    { CURLE_PEER_FAILED_VERIFICATION, SE_ERR_STORE, "the certificate of", " is not accepted",
      true },
    { CURLE_SSL_CACERT_BADFILE, SE_ERR_STORE, "the system's trusted certificates, to check",
      " with, can't be read (caFile names others)", true },
    { CURLE_SSL_CONNECT_ERROR, SE_ERR_UNAVAILABLE, "no TLS connection is made with", "", true },
    { CURLE_SEND_ERROR, SE_ERR_UNAVAILABLE, "the connection to", " broke off", true },
    { CURLE_RECV_ERROR, SE_ERR_UNAVAILABLE, "the connection to", " broke off", true },
    { CURLE_GOT_NOTHING, SE_ERR_UNAVAILABLE, "the connection to", " was closed without an answer",
      false },
    { CURLE_PARTIAL_FILE, SE_ERR_UNAVAILABLE, "the answer of", " was cut", false },
    { CURLE_FILESIZE_EXCEEDED, SE_ERR_STORE, "the answer of", " is longer than any that is used",
      false },
    { CURLE_UNSUPPORTED_PROTOCOL, SE_ERR_STORE, "the answer of", " is no HTTP", false },
    { CURLE_WEIRD_SERVER_REPLY, SE_ERR_STORE, "the answer of", " is no HTTP", false },
    { CURLE_URL_MALFORMAT, SE_ERR_STORE, "the address at", " can't be read", false },
};

static se_status fail_with(const struct failure *f, const struct transfer *t, se_error *err)
{
    bool has_detail = f->is_detailed && *t->detail;

    return error_set(err, f->status, "%s %s%s%s%s", f->before, t->host, f->behind,
                     has_detail ? ": " : "", has_detail ? t->detail : "");
}

static long info_number(const struct transfer *t, CURLINFO info)
{
    long value = 0;

    (void)t->curl->easy_getinfo(t->handle, info, &value);
    return value;
}

static se_status fail_to_connect(const struct transfer *t, se_error *err)
{
    long number = info_number(t, CURLINFO_OS_ERRNO);

    return error_set(err, SE_ERR_UNAVAILABLE, "no connection to %s%s%s%s",
                     t->has_proxy ? "the proxy to " : "", t->host, number ? ": " : "",
                     number ? strerrordesc_np((int)number) : "");
}

static se_status fail_in_time(const struct transfer *t, se_error *err)
{
    curl_off_t ready = 0;

    (void)t->curl->easy_getinfo(t->handle, CURLINFO_PRETRANSFER_TIME_T, &ready);
    return error_set(err, SE_ERR_UNAVAILABLE,
                     ready ? "no whole answer of %s came in time"
                           : "no connection to %s came about in time",
                     t->host);
}

/* A certificate whose issuers are not known is the one case where there is something to set. */
static bool lacks_issuer(const struct transfer *t)
{
    switch (info_number(t, CURLINFO_SSL_VERIFYRESULT)) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return true;
    }
    return false;
}

static se_status fail_by_proxy(const struct transfer *t, long status, se_error *err)
{
    return error_set(err, status >= 500 ? SE_ERR_UNAVAILABLE : SE_ERR_STORE,
                     "the proxy refuses to connect to %s, with status %ld%s", t->host, status,
                     status == 407 ? ": it wants a login" : "");
}

static se_status fail_transfer(const struct transfer *t, se_error *err)
{
    static const struct failure too_long = { .status = SE_ERR_STORE,
                                             .before = "the answer of",
                                             .behind = " is longer than any that is used" };
    long proxy = info_number(t, CURLINFO_HTTP_CONNECTCODE);
    se_status st;

    if (t->rc == CURLE_OUT_OF_MEMORY || t->answer->body.failed)
        return error_memory(err);
    if (t->is_too_long)
        return fail_with(&too_long, t, err);
    if (proxy >= 300)
        return fail_by_proxy(t, proxy, err);
    if (t->rc == CURLE_COULDNT_CONNECT)
        return fail_to_connect(t, err);
    if (t->rc == CURLE_OPERATION_TIMEDOUT)
        return fail_in_time(t, err);
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
        if (failures[i].code == t->rc) {
            st = fail_with(&failures[i], t, err);
            if (t->rc == CURLE_PEER_FAILED_VERIFICATION && lacks_issuer(t))
                st = error_suffix(err, st, "; caFile names the certificates that are trusted");
            return st;
        }
    return error_set(err, SE_ERR_UNAVAILABLE, "the request to %s failed: %s", t->host,
                     t->curl->easy_strerror(t->rc));
}

/* ---- what is sent ---- */

static void set_number(struct transfer *t, CURLoption option, long value)
{
    if (!t->rc)
        t->rc = t->curl->easy_setopt(t->handle, option, value);
}

static void set_pointer(struct transfer *t, CURLoption option, const void *value)
{
    if (!t->rc)
        t->rc = t->curl->easy_setopt(t->handle, option, value);
}

/* A method that usually has a body says that there is none, or servers wait for it or refuse. */
static bool has_body(const struct http_request *request)
{
    return request->body.data || strcmp(request->method, "POST") == 0 ||
           strcmp(request->method, "PUT") == 0 || strcmp(request->method, "PATCH") == 0;
}

static void set_method(struct transfer *t)
{
    const struct http_request *r = t->request;

    if (has_body(r)) {
        set_number(t, CURLOPT_POST, 1);
        set_number(t, CURLOPT_POSTFIELDSIZE, (long)r->body.size);
        set_pointer(t, CURLOPT_POSTFIELDS, r->body.data ? r->body.data : "");
    } else
        set_number(t, CURLOPT_HTTPGET, 1);
    set_pointer(t, CURLOPT_CUSTOMREQUEST, r->method);
}

/* curl_slist_append() would copy the headers, which hold tokens. */
struct header_list {
    struct curl_slist items[HTTP_HEADERS_MOST + 3];
    size_t count;
};

static void add_header(struct header_list *list, const char *header)
{
    struct curl_slist *item = &list->items[list->count];

    *item = (struct curl_slist){ .data = (char *)header };
    if (list->count++)
        item[-1].next = item;
}

/* Without a colon's value, a header that libcurl would add is left out. */
static void fill_headers(struct header_list *list, const struct http_request *request)
{
    bool has_type = false;

    for (size_t i = 0; i < HTTP_HEADERS_MOST && request->headers[i]; i++) {
        has_type = has_type || strncasecmp(request->headers[i], "Content-Type:", 13) == 0;
        add_header(list, request->headers[i]);
    }
    add_header(list, "Expect:");
    if (!has_type)
        add_header(list, "Content-Type:");
}

static void set_request(struct transfer *t, const struct header_list *headers, long left)
{
    set_pointer(t, CURLOPT_URL, t->request->url);
    set_method(t);
    set_pointer(t, CURLOPT_HTTPHEADER, headers->items);
    set_number(t, CURLOPT_TIMEOUT_MS, left);
    set_number(t, CURLOPT_CONNECTTIMEOUT_MS, left < CONNECT_MS ? left : CONNECT_MS);
    set_number(t, CURLOPT_FRESH_CONNECT, t->request->is_once);
    set_pointer(t, CURLOPT_ERRORBUFFER, t->detail);
    set_pointer(t, CURLOPT_HEADERDATA, t);
    set_pointer(t, CURLOPT_WRITEDATA, t);
    if (!t->rc)
        t->rc = t->curl->easy_setopt(t->handle, CURLOPT_HEADERFUNCTION, take_header);
    if (!t->rc)
        t->rc = t->curl->easy_setopt(t->handle, CURLOPT_WRITEFUNCTION, take_body);
}

/* The handle goes back to the pool, and must not point to what is gone by then. */
static void unset_request(struct transfer *t)
{
    static const CURLoption borrowed[] = { CURLOPT_POSTFIELDS, CURLOPT_HTTPHEADER,
                                           CURLOPT_ERRORBUFFER, CURLOPT_HEADERDATA,
                                           CURLOPT_WRITEDATA };

    for (size_t i = 0; i < sizeof borrowed / sizeof *borrowed; i++)
        (void)t->curl->easy_setopt(t->handle, borrowed[i], NULL);
}

static void perform_request(struct transfer *t, long left)
{
    struct header_list headers = { .count = 0 };
    struct pipe_block block;

    fill_headers(&headers, t->request);
    set_request(t, &headers, left);
    pipe_block_begin(&block);
    if (!t->rc)
        t->rc = t->curl->easy_perform(t->handle);
    pipe_block_end(&block);
    unset_request(t);
}

static se_status transfer_run(struct transfer *t, struct http_pool *pool, se_error *err)
{
    int64_t left = t->request->until - clock_monotonic_ms();
    se_status st = SE_OK;

    if (left <= 0)
        return error_set(err, SE_ERR_UNAVAILABLE, "no time is left before the deadline");
    perform_request(t, left < INT_MAX ? (long)left : INT_MAX);
    pool_count_opened(pool, (unsigned)info_number(t, CURLINFO_NUM_CONNECTS));
    /* libcurl takes the end of a connection for the end of a head, too */
    if (!t->rc && !t->is_head_whole)
        t->rc = CURLE_PARTIAL_FILE;
    if (t->rc)
        st = fail_transfer(t, err);
    t->answer->status = info_number(t, CURLINFO_RESPONSE_CODE);
    return st;
}

static se_status send_in_turn(struct http_answer *out, struct http_pool *pool,
                              const struct http_request *request, const char *host, se_error *err)
{
    struct transfer t = { .request = request,
                          .answer = out,
                          .curl = pool_calls(pool),
                          .has_proxy = pool_has_proxy(pool) };
    struct connection *connection;
    se_status st;

    text_copy(t.host, sizeof t.host, host, strlen(host));
    TRY_PREFIX(connection_take(&connection, pool, request->until, err), err, "%s: ", host);
    t.handle = connection->handle;
    st = transfer_run(&t, pool, err);
    connection_give(pool, connection);
    return st;
}

/* Host and port of a URL, for messages; false: it is none that the pool takes. */
static bool find_host(char out[HOST_ROOM], const struct http_pool *pool, const char *url)
{
    const char *start = strstr(url, "://"), *at;
    size_t size;

    text_copy(out, HOST_ROOM, "", 0);
    if (!text_starts(url, "https://") && !(pool_is_plain(pool) && text_starts(url, "http://")))
        return false;
    start += 3;
    size = strcspn(start, "/?#\\");
    if ((at = memrchr(start, '@', size))) {
        size -= (size_t)(at + 1 - start);
        start = at + 1;
    }
    text_copy(out, HOST_ROOM, start, size);
    return size;
}

se_status http_send(struct http_answer *out, struct http_pool *pool,
                    const struct http_request *request, se_error *err)
{
    char host[HOST_ROOM];
    se_status st;
    int cancel;

    *out = (struct http_answer){ .retry_after = -1 };
    if (!find_host(host, pool, request->url))
        return error_set(err, SE_ERR_STORE, "an address that is asked must begin with https://");
    /* a thread that ended here would take its connection with it */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    st = send_in_turn(out, pool, request, host, err);
    pthread_setcancelstate(cancel, NULL);
    if (st)
        http_answer_free(out);
    return st;
}
