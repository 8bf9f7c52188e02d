/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tls_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"
#include "crypto/crypto.h"
#include "tests/unit/unit.h"

struct peer {
    struct tls_server *server;
    int fd;
    SSL *tls; /* NULL: plain */
};

static int peer_read(struct peer *p, void *data, int size)
{
    return p->tls ? SSL_read(p->tls, data, size) : (int)recv(p->fd, data, (size_t)size, 0);
}

static bool peer_write(struct peer *p, const char *data, size_t size)
{
    if (p->tls)
        return SSL_write(p->tls, data, (int)size) > 0;
    return send(p->fd, data, size, MSG_NOSIGNAL) > 0;
}

static bool peer_say(struct peer *p, const char *text)
{
    return peer_write(p, text, strlen(text));
}

static void pause_ms(long ms)
{
    const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    nanosleep(&t, NULL);
}

/* ---- requests ---- */

/* The head into `text`; false: the peer has closed. */
static bool read_head(struct peer *p, char *text, size_t room)
{
    size_t size = 0;

    while (size + 1 < room) {
        if (peer_read(p, text + size, 1) != 1)
            return false;
        text[++size] = '\0';
        if (size >= 4 && strcmp(text + size - 4, "\r\n\r\n") == 0)
            return true;
    }
    return false;
}

static size_t body_size(const char *head)
{
    const char *field = strcasestr(head, "\r\nContent-Length: ");

    return field ? strtoul(field + 18, NULL, 10) : 0;
}

static void note_request(struct tls_server *s, const char *head)
{
    pthread_mutex_lock(&s->lock);
    s->requests++;
    (void)snprintf(s->last, sizeof s->last, "%s", head);
    pthread_mutex_unlock(&s->lock);
}

/* ---- answers; false: the connection ends ---- */

static bool answer_echo(struct peer *p, size_t size)
{
    char *body = calloc(1, size + 1), head[100];
    size_t got = 0;
    bool ok;

    while (got < size) {
        int n = peer_read(p, body + got, (int)(size - got));

        if (n <= 0)
            break;
        got += (size_t)n;
    }
    (void)snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", got);
    ok = peer_say(p, head) && (!got || peer_write(p, body, got));
    free(body);
    return ok;
}

static bool answer_endless(struct peer *p, const char *begin, const char *more, long pause)
{
    bool ok = peer_say(p, begin);

    while (ok) {
        ok = peer_say(p, more);
        if (pause)
            pause_ms(pause);
    }
    return false;
}

/* Without TLS's own end: the connection breaks off. */
static bool break_off(struct peer *p)
{
    const struct linger hard = { .l_onoff = 1, .l_linger = 0 };

    if (p->tls)
        SSL_set_quiet_shutdown(p->tls, 1);
    (void)setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    return false;
}

/* Says goodbye, ends its direction, and resets the other: who writes then gets EPIPE. */
static bool leave_rudely(struct peer *p)
{
    pause_ms(10);
    (void)SSL_shutdown(p->tls);
    (void)shutdown(p->fd, SHUT_WR);
    pause_ms(10);
    return break_off(p);
}

static bool answer_ok(struct peer *p, const char *path)
{
    if (path[3] == '?')
        pause_ms(atol(path + 4));
    return peer_say(p, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                       "Content-Length: 11\r\n\r\n{\"a\":\"b\"}\r\n");
}

static const struct {
    const char *path, *text;
    bool goes_on;
} fixed[] = {
    { "/empty", "HTTP/1.1 204 No Content\r\n\r\n", true },
    { "/continue",
      "HTTP/1.1 100 Continue\r\nLocation: x\r\nRetry-After: 1\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      true },
    { "/redirect",
      "HTTP/1.1 302 Found\r\nLocation: https://localhost:1/elsewhere\r\nContent-Length: 0\r\n\r\n",
      true },
    { "/headers",
      "HTTP/1.1 429 Too Many\r\nContent-type:  text/html; charset=x \r\n"
      "WWW-Authenticate: PoP realm=\"1\"\r\nwww-authenticate: bearer authorization=\"a\"\r\n"
      "WWW-Authenticate: Basic realm=\"b\"\r\nAzure-AsyncOperation: https://one\r\n"
      "Location: https://two\r\nLocation: https://three\r\nx-ms-request-id: id\t-1\r\n"
      "X-Ms-Server-Latency: 37\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n",
      true },
    { "/async",
      "HTTP/1.1 202 Ok\r\nAzure-AsyncOperation: https://one\r\nRetry-After: nonsense\r\n"
      "x-ms-server-latency: -5\r\nContent-Length: 0\r\n\r\n",
      true },
    { "/late",
      "HTTP/1.1 202 Ok\r\nRetry-After: Fri, 31 Dec 2055 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n",
      true },
    { "/past",
      "HTTP/1.1 202 Ok\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n",
      true },
    { "/trailer",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-ms-request-id\r\n\r\n"
      "2\r\nok\r\n0\r\nx-ms-request-id: behind\r\n\r\n",
      true },
    { "/announced", "HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\nabc", true },
    { "/cut", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":", false },
    { "/cut-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", false },
    { "/cut-head", "HTTP/1.1 200 OK\r\nContent-Le", false },
    { "/nonsense", "220 mail.example ESMTP\r\n250 OK\r\n", false },
    { "/none", "", false },
};

static bool answer_fixed(struct peer *p, size_t i)
{
    if (*fixed[i].text && !peer_say(p, fixed[i].text))
        return false;
    if (p->tls && !fixed[i].goes_on)
        (void)SSL_shutdown(p->tls);
    return fixed[i].goes_on;
}

static bool answer_request(struct peer *p, char *path, size_t size)
{
    if (strncmp(path, "/ok", 3) != 0)
        path[strcspn(path, "?")] = '\0';
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (strcmp(path, fixed[i].path) == 0)
            return answer_fixed(p, i);
    if (strcmp(path, "/echo") == 0)
        return answer_echo(p, size);
    if (strcmp(path, "/reset") == 0)
        return break_off(p);
    if (strcmp(path, "/cut-end") == 0)
        return peer_say(p, "HTTP/1.1 200 OK\r\n\r\n{\"a\":") && break_off(p);
    if (strcmp(path, "/bye") == 0)
        return answer_ok(p, "/ok") && (pause_ms(1), false);
    if (strcmp(path, "/gone") == 0)
        return answer_ok(p, "/ok") && leave_rudely(p);
    if (strcmp(path, "/endless") == 0)
        return answer_endless(p, "HTTP/1.1 200 OK\r\n\r\n", "0123456789012345678901234567890", 0);
    if (strcmp(path, "/endless-headers") == 0)
        return answer_endless(p, "HTTP/1.1 200 OK\r\n", "X-Y: 0123456789012345678901234567\r\n", 0);
    if (strcmp(path, "/drip") == 0)
        return answer_endless(p, "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n", "x", 50);
    if (strcmp(path, "/wait") == 0)
        return peer_read(p, (char[1]){ 0 }, 1) == 1;
    return answer_ok(p, path);
}

static void serve_requests(struct peer *p)
{
    char head[sizeof p->server->last], path[512] = "";

    while (read_head(p, head, sizeof head)) {
        note_request(p->server, head);
        /* a kept connection that dies with its second request */
        if (strncmp(head, "GET /die", 8) == 0 && strcmp(path, "/ok") == 0)
            return;
        if (sscanf(head, "%*s %511s", path) != 1 || !answer_request(p, path, body_size(head)))
            return;
    }
}

/* ---- connections ---- */

static bool pass_proxy(struct peer *p)
{
    char head[sizeof p->server->last];

    if (!read_head(p, head, sizeof head))
        return false;
    note_request(p->server, head);
    if (p->server->kind == SERVER_PROXY)
        return peer_say(p, "HTTP/1.1 200 Go on\r\nRetry-After: 99\r\n\r\n");
    (void)peer_say(p, "HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n");
    return false;
}

static void serve_peer(struct peer *p)
{
    enum tls_server_kind kind = p->server->kind;
    char one;

    if (kind == SERVER_CLOSING)
        return;
    if (kind == SERVER_SILENT) {
        (void)recv(p->fd, &one, 1, MSG_PEEK);
        while (recv(p->fd, &one, 1, 0) == 1)
            ;
        return;
    }
    if ((kind == SERVER_PROXY || kind == SERVER_BAD_PROXY) && !pass_proxy(p))
        return;
    if (kind != SERVER_PLAIN) {
        SSL *tls = SSL_new(p->server->context);

        assert_non_null(tls);
        (void)SSL_set_fd(tls, p->fd);
        if (SSL_accept(tls) != 1) {
            SSL_free(tls);
            return;
        }
        p->tls = tls;
    }
    serve_requests(p);
}

static void *peer_main(void *arg)
{
    struct peer *p = arg;
    struct tls_server *s = p->server;

    serve_peer(p);
    SSL_free(p->tls);
    close(p->fd);
    free(p);
    ERR_clear_error();
    pthread_mutex_lock(&s->lock);
    s->open--;
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static void *listener_main(void *arg)
{
    struct tls_server *s = arg;
    int fd;

    while ((fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0 || errno == ECONNABORTED) {
        struct peer *p = calloc(1, sizeof *p);
        pthread_t thread;

        *p = (struct peer){ .server = s, .fd = fd };
        pthread_mutex_lock(&s->lock);
        s->connections++;
        s->open++;
        pthread_mutex_unlock(&s->lock);
        if (!thread_start(&thread, peer_main, p))
            abort();
        pthread_detach(thread);
    }
    return NULL;
}

static SSL_CTX *make_context(const struct tls_server *s)
{
    SSL_CTX *context = SSL_CTX_new_ex(crypto_context(), NULL, TLS_server_method());

    assert_non_null(context);
    assert_int_equal(SSL_CTX_use_certificate(context, s->certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, s->key), 1);
    if (s->kind == SERVER_OLD_TLS) {
        SSL_CTX_set_security_level(context, 0);
        assert_true(SSL_CTX_set_min_proto_version(context, TLS1_VERSION));
        assert_true(SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION));
    }
    return context;
}

void tls_server_start(struct tls_server *s)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;

    pthread_mutex_init(&s->lock, NULL);
    if (s->certificate)
        s->context = make_context(s);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s->listener >= 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(s->listener, 128), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&address, &size), 0);
    s->port = ntohs(address.sin_port);
    assert_true(thread_start(&s->thread, listener_main, s));
}

/* Its clients have closed their connections, or do so now. */
void tls_server_stop(struct tls_server *s)
{
    unsigned open = 1;

    (void)shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
    for (int i = 0; i < 500 && open; i++) {
        pthread_mutex_lock(&s->lock);
        open = s->open;
        pthread_mutex_unlock(&s->lock);
        if (open)
            pause_ms(10);
    }
    assert_int_equal(open, 0);
    SSL_CTX_free(s->context);
    pthread_mutex_destroy(&s->lock);
}

unsigned tls_server_connections(struct tls_server *s)
{
    unsigned count;

    pthread_mutex_lock(&s->lock);
    count = s->connections;
    pthread_mutex_unlock(&s->lock);
    return count;
}

unsigned tls_server_requests(struct tls_server *s)
{
    unsigned count;

    pthread_mutex_lock(&s->lock);
    count = s->requests;
    pthread_mutex_unlock(&s->lock);
    return count;
}

const char *tls_server_last(struct tls_server *s)
{
    static char text[sizeof s->last];

    pthread_mutex_lock(&s->lock);
    memcpy(text, s->last, sizeof text);
    pthread_mutex_unlock(&s->lock);
    return text;
}
