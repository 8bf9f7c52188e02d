/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that listens for each port, and one for each connection.  During an outage all
 * connections are reset: each waits for its client and for `wake` at once, which is readable as
 * long as an outage lasts.
 */
#include "tests/azure/emulator.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct listener {
    atomic_int fd;
    int wake;
    atomic_bool down;
    struct connection *connections;
    pthread_mutex_t lock;
};

static struct listener listeners[PORTS];
/* the port that the running thread serves, for server_wait() */
static _Thread_local struct listener *served;

/* ---- one connection ---- */

/* false: the connection is to end */
static bool wait_readable(struct connection *c, int timeout)
{
    struct pollfd fds[2] = { { c->fd, POLLIN, 0 }, { listeners[c->port].wake, POLLIN, 0 } };
    for (;;) {
        int ready = poll(fds, 2, timeout);
        if (ready < 0 && errno == EINTR)
            continue;
        return ready > 0 && !fds[1].revents;
    }
}

bool connection_ready(struct connection *c)
{
    if (c->ssl && SSL_pending(c->ssl))
        return true;
    int idle = settings.idle;
    return wait_readable(c, idle ? idle : -1);
}

ssize_t connection_read(struct connection *c, void *data, size_t size)
{
    return c->ssl ? SSL_read(c->ssl, data, (int)size) : recv(c->fd, data, size, 0);
}

bool connection_write(struct connection *c, const void *data, size_t size)
{
    const char *next = data;
    while (size) {
        ssize_t sent =
            c->ssl ? SSL_write(c->ssl, next, (int)size) : send(c->fd, next, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        next += sent;
        size -= (size_t)sent;
    }
    return true;
}

bool server_wait(double ms)
{
    struct timespec time = { (time_t)(ms / 1000), (long)(ms * 1e6) % 1000000000L };
    struct pollfd wake = { served ? served->wake : -1, POLLIN, 0 };
    return ppoll(&wake, 1, &time, NULL) == 0;
}

static void handle_request(const struct request *request, struct answer *answer)
{
    switch (request->port) {
    case PORT_VAULT:
        vault_handle(request, answer);
        break;
    case PORT_AUTHORITY:
        login_handle(request, answer);
        break;
    case PORT_ATTACKER:
        attacker_handle(request, answer);
        break;
    default:
        identity_handle(request, answer);
    }
}

static void count_running(void)
{
    long running = ++counters.running, most = counters.most_running;
    while (running > most && !atomic_compare_exchange_weak(&counters.most_running, &most, running))
        ;
}

static bool serve_request(struct connection *c)
{
    struct request request;
    struct answer answer = { .status = 500, .operation = "other" };
    enum read_result result = http_read(c, &request);
    if (result == READ_END) {
        request_free(&request);
        return false;
    }
    count_running();
    counters.requests++;
    if (result == READ_BAD)
        answer_text(&answer, 400, "text/plain", "Bad Request");
    else
        handle_request(&request, &answer);
    stats_operation(answer.operation);
    log_request(&request, &answer);
    bool down = served->down;
    bool alive = !down && http_write(c, &answer, strcmp(request.method, "HEAD") == 0) &&
                 result == READ_REQUEST;
    const char *wish = request_header(&request, "Connection");
    if (wish && strcasecmp(wish, "close") == 0)
        alive = false;
    counters.running--;
    answer_free(&answer);
    request_free(&request);
    return alive;
}

static void link_connection(struct connection *c)
{
    struct listener *l = &listeners[c->port];
    pthread_mutex_lock(&l->lock);
    c->next = l->connections;
    if (c->next)
        c->next->previous = c;
    l->connections = c;
    pthread_mutex_unlock(&l->lock);
}

static void unlink_connection(struct connection *c)
{
    struct listener *l = &listeners[c->port];
    pthread_mutex_lock(&l->lock);
    if (c->next)
        c->next->previous = c->previous;
    if (c->previous)
        c->previous->next = c->next;
    else
        l->connections = c->next;
    pthread_mutex_unlock(&l->lock);
}

static void close_connection(struct connection *c)
{
    if (listeners[c->port].down) {
        struct linger reset = { 1, 0 };
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    } else if (c->ssl && SSL_is_init_finished(c->ssl)) {
        SSL_shutdown(c->ssl);
    }
    SSL_free(c->ssl);
    close(c->fd);
    unlink_connection(c);
    free(c);
}

static void *serve_connection(void *argument)
{
    struct connection *c = argument;
    served = &listeners[c->port];
    bool tls = c->port == PORT_VAULT || c->port == PORT_AUTHORITY || c->port == PORT_ATTACKER;
    bool open = wait_readable(c, 30000);
    if (open && tls) {
        c->ssl = tls_accept(c->port, c->fd);
        open = c->ssl != NULL;
    }
    if (open && c->port == PORT_PROXY)
        proxy_serve(c);
    else
        while (open && serve_request(c))
            ;
    close_connection(c);
    return NULL;
}

/* ---- listening ---- */

static int listen_loopback(int *number)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)*number) };
    socklen_t size = sizeof address;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 1024) ||
        getsockname(fd, (struct sockaddr *)&address, &size))
        return -1;
    *number = ntohs(address.sin_port);
    return fd;
}

static void start_connection(enum port port, int fd)
{
    struct connection *c = allocate(sizeof *c);
    struct timeval patience = { 30, 0 };
    int on = 1;
    pthread_attr_t attributes;
    pthread_t thread;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    c->port = port;
    c->fd = fd;
    counters.connections++;
    link_connection(c);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, (size_t)1 << 20);
    if (pthread_create(&thread, &attributes, serve_connection, c))
        close_connection(c);
    pthread_attr_destroy(&attributes);
}

static void *listen_forever(void *argument)
{
    struct listener *l = argument;
    enum port port = (enum port)(l - listeners);
    for (;;) {
        if (l->down) { /* the socket is being replaced */
            poll(NULL, 0, 1);
            continue;
        }
        struct pollfd fds[2] = { { l->fd, POLLIN, 0 }, { l->wake, POLLIN, 0 } };
        if (poll(fds, 2, -1) <= 0 || fds[1].revents)
            continue;
        pthread_mutex_lock(&l->lock);
        int fd = l->down ? -1 : accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
        pthread_mutex_unlock(&l->lock);
        if (fd >= 0)
            start_connection(port, fd);
    }
    return NULL;
}

bool server_start(enum port port)
{
    struct listener *l = &listeners[port];
    pthread_t thread;
    pthread_mutex_init(&l->lock, NULL);
    l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->fd = listen_loopback(&settings.ports[port]);
    if (l->wake < 0 || l->fd < 0 || pthread_create(&thread, NULL, listen_forever, l))
        return false;
    pthread_detach(thread);
    return true;
}

static void wait_for_none(struct listener *l)
{
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&l->lock);
        bool none = !l->connections;
        pthread_mutex_unlock(&l->lock);
        if (none)
            return;
        poll(NULL, 0, 1);
    }
}

/* Clients see what they see when a machine goes: RST on what is open, and refused connections. */
void server_pause(enum port port, int ms)
{
    struct listener *l = &listeners[port];
    eventfd_t drained;
    pthread_mutex_lock(&l->lock);
    l->down = true;
    close(l->fd);
    pthread_mutex_unlock(&l->lock);
    eventfd_write(l->wake, 1);
    wait_for_none(l);
    poll(NULL, 0, ms);
    int fd;
    while ((fd = listen_loopback(&settings.ports[port])) < 0)
        poll(NULL, 0, 1);
    pthread_mutex_lock(&l->lock);
    l->fd = fd;
    pthread_mutex_unlock(&l->lock);
    eventfd_read(l->wake, &drained);
    l->down = false;
}

void server_reset(enum port port)
{
    struct listener *l = &listeners[port];
    eventfd_t drained;
    l->down = true;
    eventfd_write(l->wake, 1);
    wait_for_none(l);
    eventfd_read(l->wake, &drained);
    l->down = false;
}
