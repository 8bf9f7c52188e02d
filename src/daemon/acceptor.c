/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/acceptor.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/thread.h"
#include "daemon/failure.h"

enum { EVENTS = 64, PIECES = 16, ACCEPTED_AT_ONCE = 64, PAUSE_MS = 50 };

struct acceptor {
    struct listeners listeners;
    struct connections *connections;
    acceptor_take_fn take;
    void *arg;
    int epoll, wake;
    bool refusing, ending; /* what it is woken for */
    pthread_t thread;
};

static bool watch_fd(const struct acceptor *a, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

    return epoll_ctl(a->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void forget_fd(const struct acceptor *a, int fd)
{
    (void)epoll_ctl(a->epoll, EPOLL_CTL_DEL, fd, NULL);
}

/* The HTTP library may have the socket open still, by another number: then closing this one would
 * leave it watched, and what is reported would be taken for the next connection's. */
static void close_connection(const struct acceptor *a, struct connection *c)
{
    const int fd = c->fd;

    connection_drop(a->connections, c);
    forget_fd(a, fd);
    close(fd);
}

/* ---- somebody connects ---- */

/* A plain close would take the answer away from a peer who still writes. */
static void linger_connection(const struct acceptor *a, struct connection *c)
{
    (void)shutdown(c->fd, SHUT_WR);
    if (!watch_fd(a, c->fd))
        close_connection(a, c);
}

void acceptor_linger(struct acceptor *acceptor, struct connection *c)
{
    if (connection_linger(acceptor->connections, c))
        linger_connection(acceptor, c);
    else
        connection_drop(acceptor->connections, c);
}

static void answer_refused(const struct acceptor *a, struct connection *c, const se_error *why)
{
    struct failure busy = { .kind = FAILURE_NONE };
    AUTO(writer) answer = { 0 };

    failure_set(&busy, FAILURE_BUSY, "%s", why->text);
    failure_write_answer(&answer, &busy);
    (void)send(c->fd, answer.buf.data, answer.buf.size, MSG_DONTWAIT | MSG_NOSIGNAL);
    linger_connection(a, c);
}

static void admit_connection(const struct acceptor *a, enum listener_kind kind, int fd)
{
    se_error err = SE_ERROR_INIT;
    struct connection *c;
    struct peer peer;
    se_status st;

    if (peer_read(&peer, kind, fd, &err)) {
        close(fd);
        return;
    }
    st = connections_admit(&c, a->connections, fd, &peer, &err);
    if (!c)
        close(fd);
    else if (st && kind == LISTENER_TLS) /* without a handshake there is no answer */
        close_connection(a, c);
    else if (st)
        answer_refused(a, c, &err);
    else if (!watch_fd(a, fd))
        close_connection(a, c);
}

/* Without descriptors or memory the same connection would be reported again at once. */
static void pause_if_exhausted(void)
{
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
        (void)nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
}

static void accept_connections(const struct acceptor *a, const struct listener *listener)
{
    for (unsigned i = 0; i < ACCEPTED_AT_ONCE; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0) {
            pause_if_exhausted();
            return;
        }
        admit_connection(a, listener->kind, fd);
    }
}

/* ---- something comes, or the end ---- */

static void drain_connection(const struct acceptor *a, struct connection *c, uint32_t events)
{
    char dropped[4096];
    ssize_t got = 1;

    for (unsigned i = 0; i < PIECES && got > 0; i++)
        got = recv(c->fd, dropped, sizeof dropped, MSG_DONTWAIT);
    if (got == 0 || (events & (EPOLLHUP | EPOLLERR)) || (got < 0 && errno != EAGAIN))
        close_connection(a, c);
}

static void hand_over(const struct acceptor *a, struct connection *c)
{
    const bool tls = c->peer.listener == LISTENER_TLS;
    char first;

    if (recv(c->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) != 1) {
        close_connection(a, c);
        return;
    }
    forget_fd(a, c->fd);
    c->handed = true;
    if (!connection_enter(a->connections, c, tls ? PHASE_HANDSHAKE : PHASE_HEAD)) {
        close_connection(a, c);
    } else if (!a->take(a->arg, c->peer.listener, c->fd))
        connection_drop(a->connections, c);
}

static void handle_connection(const struct acceptor *a, int fd, uint32_t events)
{
    struct connection *c = connections_find(a->connections, fd);

    if (!c)
        return;
    if (connection_is(a->connections, c, PHASE_LINGERING))
        drain_connection(a, c, events);
    else
        hand_over(a, c);
}

/* ---- the loop ---- */

static void stop_listening(struct acceptor *a)
{
    /* a passed socket is open elsewhere too, and would go on to be reported */
    for (size_t i = 0; i < a->listeners.count; i++)
        forget_fd(a, a->listeners.list[i].fd);
    listeners_close(&a->listeners);
}

static void handle_wake(struct acceptor *a)
{
    uint64_t count;

    (void)!read(a->wake, &count, sizeof count);
    if (__atomic_load_n(&a->refusing, __ATOMIC_ACQUIRE))
        stop_listening(a);
}

static void handle_event(struct acceptor *a, const struct epoll_event *event)
{
    if (event->data.fd == a->wake) {
        handle_wake(a);
        return;
    }
    for (size_t i = 0; i < a->listeners.count; i++)
        if (event->data.fd == a->listeners.list[i].fd) {
            accept_connections(a, &a->listeners.list[i]);
            return;
        }
    handle_connection(a, event->data.fd, event->events);
}

static void *run_acceptor(void *arg)
{
    struct acceptor *a = arg;
    struct epoll_event events[EVENTS];

    while (!__atomic_load_n(&a->ending, __ATOMIC_ACQUIRE)) {
        const int count = epoll_wait(a->epoll, events, EVENTS, -1);

        for (int i = 0; i < count; i++)
            handle_event(a, &events[i]);
    }
    return NULL;
}

/* ---- begin and end ---- */

static void wake_acceptor(struct acceptor *a, bool *flag)
{
    const uint64_t one = 1;

    __atomic_store_n(flag, true, __ATOMIC_RELEASE);
    (void)!write(a->wake, &one, sizeof one);
}

static bool watch_all(const struct acceptor *a)
{
    for (size_t i = 0; i < a->listeners.count; i++)
        if (!watch_fd(a, a->listeners.list[i].fd))
            return false;
    return watch_fd(a, a->wake);
}

static void release_acceptor(struct acceptor *a)
{
    listeners_close(&a->listeners);
    if (a->epoll >= 0)
        close(a->epoll);
    if (a->wake >= 0)
        close(a->wake);
    free(a);
}

se_status acceptor_new(struct acceptor **out, struct listeners *listeners,
                       struct connections *connections, acceptor_take_fn take, void *arg,
                       se_error *err)
{
    struct acceptor *a = calloc(1, sizeof *a);

    *out = NULL;
    if (!a)
        return error_memory(err);
    *a = (struct acceptor){ .connections = connections, .take = take, .arg = arg };
    a->listeners = *listeners;
    *listeners = (struct listeners){ .lock = -1 };
    a->epoll = epoll_create1(EPOLL_CLOEXEC);
    a->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    *out = a; /* from its first connection on it may be asked to linger */
    if (a->epoll < 0 || a->wake < 0 || !watch_all(a) ||
        !thread_start(&a->thread, run_acceptor, a)) {
        *out = NULL;
        release_acceptor(a);
        return error_set(err, SE_ERR_MEMORY, "cannot begin to take connections");
    }
    return SE_OK;
}

void acceptor_refuse(struct acceptor *acceptor)
{
    wake_acceptor(acceptor, &acceptor->refusing);
}

void acceptor_stop(struct acceptor *a)
{
    if (!a)
        return;
    wake_acceptor(a, &a->ending);
    (void)pthread_join(a->thread, NULL);
}

void acceptor_free(struct acceptor *a)
{
    struct connection *c;

    if (!a)
        return;
    while ((c = connections_unhanded(a->connections)))
        close_connection(a, c);
    release_acceptor(a);
}
