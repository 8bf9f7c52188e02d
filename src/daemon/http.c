/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http.h"

#include <microhttpd.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "daemon/acceptor.h"
#include "daemon/exchange.h"
#include "daemon/log.h"
#include "daemon/tls.h"

/* Of each connection that has asked something, for as long as it is kept: a head has to fit. */
enum { CONNECTION_MEMORY = 16 << 10, TLS_OPTIONS = 2 };

/* Bytes that have to come, or to go, in the time for a body or an answer. */
enum { STRIDE = 16 << 20 };

/* Anybody on the network could fill the log: so many lines about strangers at once, then fewer. */
enum { LINES_AT_ONCE = 100, LINE_MS = 1000 };

struct http {
    struct service *service;
    struct MHD_Daemon *plain, *tls; /* tls: NULL unless it is configured */
    int64_t told; /* when all lines about strangers are paid for, LINE_MS each; atomic */
};

/* ---- connections ---- */

static struct connection *connection_of(struct MHD_Connection *wire)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(wire, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

static void tell_stranger(struct http *http, const struct peer *peer, const se_error *why)
{
    const int64_t now = clock_monotonic_ms();
    int64_t told = __atomic_load_n(&http->told, __ATOMIC_RELAXED);

    count_one(&http->service->counters.strangers);
    told = told > now ? told : now;
    if (told - now > LINES_AT_ONCE * LINE_MS)
        return;
    __atomic_store_n(&http->told, told + LINE_MS, __ATOMIC_RELAXED);
    log_line("a caller from %s was turned away: %s", peer->address, why->text);
}

static void note_handshake(void *arg, int fd, const se_error *why)
{
    struct http *http = arg;
    struct connection *c = connections_find(http->service->connections, fd);

    if (why)
        tell_stranger(http, &c->peer, why);
    else
        connection_prove(http->service->connections, c);
}

/* Without certificate and CAs no handshake succeeds. */
static void begin_handshake(struct http *http, struct connection *c, struct MHD_Connection *wire)
{
    struct generation *g = generation_enter(http->service->generations);

    if (g->tls && (c->handshake = calloc(1, sizeof *c->handshake))) {
        *c->handshake = (struct handshake){
            .tls = tls_keep(g->tls),
            .peer = &c->peer,
            .fd = c->fd,
            .note = note_handshake,
            .arg = http,
        };
        tls_begin(c->handshake,
                  MHD_get_connection_info(wire, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session);
    }
    generation_leave(http->service->generations, g);
}

static void begin_connection(struct http *http, struct connection *c, struct MHD_Connection *wire)
{
    if (c && c->peer.listener == LISTENER_TLS)
        begin_handshake(http, c, wire);
}

static void end_connection(struct http *http, struct connection *c)
{
    tls_end(c->handshake);
    c->handshake = NULL;
    if (c->unread)
        acceptor_linger(http->service->acceptor, c);
    else
        connection_drop(http->service->connections, c);
}

/* A stranger's bytes are not even looked at. */
static bool is_known(struct http *http, struct connection *c)
{
    struct generation *g = generation_enter(http->service->generations);
    se_error err = SE_ERROR_INIT;
    const bool known = !tls_recheck(&c->peer, g->tls, &err);

    generation_leave(http->service->generations, g);
    if (!known)
        tell_stranger(http, &c->peer, &err);
    return known;
}

static void note_connection(void *arg, struct MHD_Connection *wire, void **context,
                            enum MHD_ConnectionNotificationCode code)
{
    struct http *http = arg;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(wire, MHD_CONNECTION_INFO_CONNECTION_FD);

        *context = connections_find(http->service->connections, info->connect_fd);
        begin_connection(http, *context, wire);
    } else if (*context) {
        end_connection(http, *context);
        *context = NULL;
    }
}

/* The only place where the target is as it came; it goes with the next one. */
static void *note_target(void *arg, const char *target, struct MHD_Connection *wire)
{
    struct connections *connections = ((struct http *)arg)->service->connections;
    struct connection *c = connection_of(wire);

    if (c) {
        free(c->target);
        c->target = strdup(target);
        (void)connection_enter(connections, c, PHASE_HEAD);
    }
    return NULL;
}

/* We decode it ourselves: the library would, before we see it, and in place. */
static size_t leave_escaped(void *arg, struct MHD_Connection *wire, char *text)
{
    (void)arg;
    (void)wire;
    return strlen(text);
}

/* ---- the head ---- */

struct head_list {
    struct head_field fields[HEAD_FIELDS];
    size_t count;
    bool overflow;
};

static enum MHD_Result add_field(void *arg, enum MHD_ValueKind kind, const char *name,
                                 size_t name_size, const char *value, size_t value_size)
{
    struct head_list *list = arg;

    (void)kind;
    if ((list->overflow = list->count == HEAD_FIELDS))
        return MHD_NO;
    list->fields[list->count++] = (struct head_field){
        .name = { name, name_size },
        .value = { value ? value : "", value ? value_size : 0 },
    };
    return MHD_YES;
}

static void begin_exchange(struct exchange *e, struct MHD_Connection *wire, const char *method,
                           const char *version)
{
    struct head_list list = { .count = 0 };
    struct head head = { .method = method, .version = version, .fields = list.fields };

    (void)MHD_get_connection_values_n(wire, MHD_HEADER_KIND, add_field, &list);
    head.target = e->connection->target;
    head.field_count = list.count;
    head.size = MHD_get_connection_info(wire, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
    if (!head.target || list.overflow) {
        e->untrusted = true;
        failure_set(&e->failure, FAILURE_FORMAT, "the head has more than %d fields", HEAD_FIELDS);
        e->failure.http = MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
        return;
    }
    exchange_begin(e, &head);
}

/* ---- the answer ---- */

/* An answer's body while the library sends it. */
struct sending {
    struct connections *connections;
    struct connection *connection;
    struct body body;
    struct body_reader reader;
    void *buffer; /* the library's, for pieces of what is in the spool; NULL: it had none so far */
};

static void end_sending(void *arg)
{
    struct sending *s = arg;

    if (s->buffer)
        OPENSSL_cleanse(s->buffer, SEALED_PIECE);
    body_reader_end(&s->reader);
    body_free(&s->body);
    free(s);
}

/* Whoever takes so much in the time for an answer may have as long for the next. */
static ptrdiff_t read_answer(void *arg, uint64_t at, char *buffer, size_t size)
{
    struct sending *s = arg;
    ptrdiff_t n;

    s->buffer = buffer;
    s->reader.at = at;
    n = body_read(&s->reader, buffer, size);
    if (at % STRIDE < SEALED_PIECE)
        (void)connection_enter(s->connections, s->connection, PHASE_ANSWER);
    return n > 0 ? n : MHD_CONTENT_READER_END_WITH_ERROR;
}

static struct MHD_Response *start_sending(struct sending *s)
{
    const se_bytes bytes = body_bytes(&s->body);

    if (body_is_in_memory(&s->body))
        return MHD_create_response_from_buffer_with_free_callback_cls(
            bytes.size, (void *)bytes.data, end_sending, s);
    s->reader.body = &s->body;
    return MHD_create_response_from_callback(s->body.size, SEALED_PIECE, read_answer, s,
                                             end_sending);
}

/* The bytes are wiped once they are sent. NULL: out of memory. */
static struct MHD_Response *make_response(struct exchange *e, struct body *body)
{
    struct sending *s = calloc(1, sizeof *s);
    struct MHD_Response *response;

    if (!s)
        return NULL;
    s->connections = e->service->connections;
    s->connection = e->connection;
    s->body = MOVE(*body);
    if (!(response = start_sending(s)))
        end_sending(s);
    return response;
}

static void add_headers(struct MHD_Response *response, const struct exchange *e)
{
    const unsigned retry = e->failure.kind ? e->failure.retry_after : e->answer.retry_after;
    char number[16];

    (void)MHD_add_response_header(response, "Content-Type", media_name(e->answer.media));
    (void)MHD_add_response_header(response, "X-Request-Id", e->id);
    (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    if (retry) {
        (void)snprintf(number, sizeof number, "%u", retry);
        (void)MHD_add_response_header(response, "Retry-After", number);
    }
    if (e->failure.kind == FAILURE_METHOD)
        (void)MHD_add_response_header(response, "Allow", e->failure.allow);
    if (e->untrusted || service_is_draining(e->service))
        (void)MHD_add_response_header(response, "Connection", "close");
}

static enum MHD_Result send_answer(struct exchange *e, struct MHD_Connection *wire)
{
    AUTO(body) body = { NULL };
    const unsigned status = exchange_finish(&body, e);
    struct MHD_Response *response = make_response(e, &body);
    enum MHD_Result queued = MHD_NO;

    if (!response)
        return MHD_NO;
    add_headers(response, e);
    if (connection_enter(e->service->connections, e->connection, PHASE_ANSWER))
        queued = MHD_queue_response(wire, status, response);
    MHD_destroy_response(response);
    if (status < HTTP_STATUSES)
        count_one(&e->service->counters.answers[status]);
    return queued;
}

/* ---- the job ---- */

static void run_job(struct job *job)
{
    struct exchange *e = (struct exchange *)job;

    exchange_work(e);
    e->done = true;
    MHD_resume_connection(e->wire);
}

static enum MHD_Result start_job(struct exchange *e, struct MHD_Connection *wire)
{
    struct service *service = e->service;

    if (!connection_enter(service->connections, e->connection, PHASE_JOB))
        return MHD_NO;
    if (!jobs_reserve(service->jobs)) {
        failure_set(&e->failure, FAILURE_BUSY, "the service has too much to do");
        e->failure.retry_after = jobs_count(service->jobs).wait_s;
        return send_answer(e, wire);
    }
    MHD_suspend_connection(wire);
    jobs_push(service->jobs, &e->job);
    return MHD_YES;
}

/* ---- the library's callbacks ---- */

static enum MHD_Result handle_head(struct http *http, struct MHD_Connection *wire,
                                   const char *method, const char *version, void **context)
{
    struct service *service = http->service;
    struct connection *c = connection_of(wire);
    struct exchange *e;

    if (!c || !is_known(http, c) || !connection_enter(service->connections, c, PHASE_BODY) ||
        !(e = exchange_new(service, c, wire)))
        return MHD_NO;
    *context = e;
    e->job.run = run_job;
    begin_exchange(e, wire, method, version);
    c->unread = exchange_answers_early(e);
    return c->unread ? send_answer(e, wire) : MHD_YES;
}

/* Whoever sends so much in the time for a body may have as long for the next. */
static bool take_piece(struct exchange *e, se_bytes piece)
{
    const uint64_t strides = e->received / STRIDE;

    return exchange_take(e, piece) &&
           (strides == e->received / STRIDE ||
            connection_enter(e->service->connections, e->connection, PHASE_BODY));
}

/* Called with the head, then with each piece of the body, then without any; after a job once more.
 */
static enum MHD_Result handle_request(void *arg, struct MHD_Connection *wire, const char *url,
                                      const char *method, const char *version, const char *piece,
                                      size_t *size, void **context)
{
    struct exchange *e = *context;

    (void)url;
    if (!e)
        return handle_head(arg, wire, method, version, context);
    if (*size) {
        const se_bytes bytes = { piece, *size };

        *size = 0;
        return take_piece(e, bytes) ? MHD_YES : MHD_NO;
    }
    return e->done || !exchange_has_job(e) ? send_answer(e, wire) : start_job(e, wire);
}

static void end_request(void *arg, struct MHD_Connection *wire, void **context,
                        enum MHD_RequestTerminationCode why)
{
    struct connections *connections = ((struct http *)arg)->service->connections;
    struct connection *c = connection_of(wire);

    (void)why;
    exchange_free(*context);
    *context = NULL;
    if (c)
        (void)connection_enter(connections, c, PHASE_IDLE);
}

/* ---- begin and end ---- */

static void report_panic(void *arg, const char *file, unsigned line, const char *reason)
{
    (void)arg;
    log_line("libmicrohttpd gives up: %s (%s:%u)", reason ? reason : "", file, line);
    abort();
}

/*
 * Its own limits stand so high that they are never reached: at the one of connections, 0.9.75 never
 * gives a mutex back. Each of its threads has a share of that limit, and may get all connections.
 */
static struct MHD_Daemon *start_library(struct http *http, bool tls)
{
    const struct settings *settings = http->service->settings;
    const unsigned threads = settings->io_threads;
    const struct MHD_OptionItem more[] = {
        { MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)TLS_PRIORITIES },
        { MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)tls_offer_nothing },
        { threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)threads, NULL },
        { MHD_OPTION_END, 0, NULL },
    };

    return MHD_start_daemon(
        (tls ? MHD_USE_TLS : 0) | MHD_USE_EPOLL_INTERNALLY | MHD_USE_SUSPEND_RESUME |
            MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC,
        0, NULL, NULL, handle_request, http, MHD_OPTION_NOTIFY_COMPLETED, end_request, http,
        MHD_OPTION_NOTIFY_CONNECTION, note_connection, http, MHD_OPTION_URI_LOG_CALLBACK,
        note_target, http, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, http,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_CONNECTION_LIMIT,
        (settings->connections + 64) * threads * 2, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY,
        tls ? more : more + TLS_OPTIONS, MHD_OPTION_END);
}

se_status http_new(struct http **out, struct service *service, se_error *err)
{
    struct http *http = calloc(1, sizeof *http);

    *out = NULL;
    if (!http)
        return error_memory(err);
    http->service = service;
    MHD_set_panic_func(report_panic, NULL);
    if (!(http->plain = start_library(http, false)) ||
        (service->settings->tls && !(http->tls = start_library(http, true)))) {
        http_free(http);
        return error_set(err, SE_ERR_MEMORY, "libmicrohttpd does not start");
    }
    *out = http;
    return SE_OK;
}

/* The address says no more than that it is a local socket; the peer is known by then. */
bool http_take(void *arg, enum listener_kind listener, int fd)
{
    struct http *http = arg;
    const struct sockaddr_un address = { .sun_family = AF_UNIX };

    return MHD_add_connection(listener == LISTENER_TLS ? http->tls : http->plain, fd,
                              (const struct sockaddr *)&address, sizeof(sa_family_t)) == MHD_YES;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    if (http->plain)
        MHD_stop_daemon(http->plain);
    if (http->tls)
        MHD_stop_daemon(http->tls);
    free(http);
}
