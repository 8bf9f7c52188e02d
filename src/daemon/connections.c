/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/connections.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/deadline.h"
#include "base/thread.h"
#include "daemon/failure.h"

/* Strangers get so much of all places: they can't keep others away. */
enum { TICK_MS = 100, REFUSED_MS = 200, REFUSED_MOST = 64, STRANGERS_SHARE = 4 };

/* How many connections a user has, or an address. */
struct owner {
    char name[PEER_ADDRESS_ROOM];
    unsigned count;
};

struct connections {
    struct connection_limits limits;
    pthread_mutex_t lock; /* of all below, and of every connection's phase and deadline */
    pthread_cond_t ended;
    bool ending;
    pthread_t watchdog;
    struct connection *first;
    struct connection **by_fd;
    size_t by_fd_room;
    struct owner *owners;
    size_t owner_count, owner_room;
    unsigned refused; /* those in the list that are not counted */
    struct connection_counts counts;
    struct writer late; /* the answer to a request that does not come */
};

/* ---- phases ---- */

static bool is_busy(enum phase phase)
{
    return phase == PHASE_HEAD || phase == PHASE_BODY || phase == PHASE_JOB ||
           phase == PHASE_ANSWER;
}

static int64_t phase_limit_ms(const struct connection_limits *limits, const struct connection *c,
                              enum phase phase)
{
    switch (phase) {
    case PHASE_WAITING:
        return (int64_t)(c->stranger ? limits->head_s : limits->idle_s) * 1000;
    case PHASE_IDLE:
        return (int64_t)limits->idle_s * 1000;
    case PHASE_LINGERING: /* one that is refused has no place that is counted, and goes soon */
        return c->counted ? (int64_t)limits->body_s * 1000 : REFUSED_MS;
    case PHASE_HANDSHAKE:
    case PHASE_HEAD:
        return (int64_t)limits->head_s * 1000;
    case PHASE_BODY:
    case PHASE_ANSWER:
        return (int64_t)limits->body_s * 1000;
    default:
        return 0;
    }
}

static void set_phase(struct connections *all, struct connection *c, enum phase phase)
{
    const int64_t limit = phase_limit_ms(&all->limits, c, phase);

    all->counts.busy += is_busy(phase) - is_busy(c->phase);
    c->phase = phase;
    c->deadline = limit ? clock_monotonic_ms() + limit : 0;
}

bool connection_enter(struct connections *all, struct connection *c, enum phase phase)
{
    bool entered;

    pthread_mutex_lock(&all->lock);
    if ((entered = c->phase != PHASE_LATE))
        set_phase(all, c, phase);
    pthread_mutex_unlock(&all->lock);
    return entered;
}

static void know_stranger(struct connections *all, struct connection *c)
{
    all->counts.strangers -= c->stranger;
    c->stranger = false;
}

void connection_prove(struct connections *all, struct connection *c)
{
    pthread_mutex_lock(&all->lock);
    know_stranger(all, c);
    if (c->phase != PHASE_LATE)
        set_phase(all, c, PHASE_IDLE);
    pthread_mutex_unlock(&all->lock);
}

bool connection_is(struct connections *all, const struct connection *c, enum phase phase)
{
    bool is;

    pthread_mutex_lock(&all->lock);
    is = c->phase == phase;
    pthread_mutex_unlock(&all->lock);
    return is;
}

/* ---- who has how many ---- */

/* NULL: out of memory. There are no more than connections, and few users ever come. */
static struct owner *find_owner(struct connections *all, const char *name)
{
    struct owner *free_place = NULL;

    for (size_t i = 0; i < all->owner_count; i++) {
        if (all->owners[i].count && strcmp(all->owners[i].name, name) == 0)
            return &all->owners[i];
        if (!all->owners[i].count)
            free_place = &all->owners[i];
    }
    if (!free_place) {
        if (all->owner_count == all->owner_room &&
            !array_grow(&all->owners, &all->owner_room, all->owner_count))
            return NULL;
        free_place = &all->owners[all->owner_count++];
    }
    (void)snprintf(free_place->name, sizeof free_place->name, "%s", name);
    return free_place;
}

/* The one too many is counted apart: whoever comes too often must not push others out. */
static se_status take_place(struct connections *all, const struct connection *c, se_error *err)
{
    struct owner *owner = find_owner(all, c->peer.owner);

    if (!owner)
        return error_memory(err);
    if (owner->count >= all->limits.per_user)
        return error_set(err, SE_ERR_UNAVAILABLE, "you have %u connections; no more are possible",
                         owner->count);
    if (all->counts.all >= all->limits.connections)
        return error_set(err, SE_ERR_UNAVAILABLE, "there are %u connections; no more are possible",
                         all->counts.all);
    if (c->stranger && all->counts.strangers > all->limits.connections / STRANGERS_SHARE)
        return error_set(err, SE_ERR_UNAVAILABLE,
                         "%u handshakes are under way; no more are possible",
                         all->counts.strangers);
    owner->count++;
    all->counts.all++;
    all->counts.of[c->peer.listener]++;
    all->counts.strangers += c->stranger;
    return SE_OK;
}

static void give_place(struct connections *all, struct connection *c)
{
    struct owner *owner = find_owner(all, c->peer.owner);

    if (owner && owner->count)
        owner->count--;
    all->counts.all--;
    all->counts.of[c->peer.listener]--;
    know_stranger(all, c);
}

/* ---- the list ---- */

static bool grow_table(struct connections *all, int fd)
{
    while ((size_t)fd >= all->by_fd_room)
        if (!array_grow(&all->by_fd, &all->by_fd_room, all->by_fd_room))
            return false;
    return true;
}

static void link_connection(struct connections *all, struct connection *c)
{
    c->next = all->first;
    if (c->next)
        c->next->before = c;
    all->first = c;
    all->by_fd[c->fd] = c;
}

static void unlink_connection(struct connections *all, struct connection *c)
{
    if (c->next)
        c->next->before = c->before;
    *(c->before ? &c->before->next : &all->first) = c->next;
    all->by_fd[c->fd] = NULL;
}

static void connection_free(struct connection *c)
{
    peer_release(&c->peer);
    free(c->target);
    free(c);
}

static se_status admit_locked(struct connections *all, struct connection *c, se_error *err)
{
    se_status st;

    if (!grow_table(all, c->fd))
        return error_memory(err);
    st = take_place(all, c, err);
    if (st == SE_ERR_UNAVAILABLE) {
        all->counts.refused++;
        if (all->refused == REFUSED_MOST)
            return error_restate(err, SE_ERR_CANCELLED);
        all->refused++;
    } else if (st)
        return st;
    c->counted = !st;
    link_connection(all, c);
    set_phase(all, c, c->counted ? PHASE_WAITING : PHASE_LINGERING);
    return st;
}

se_status connections_admit(struct connection **out, struct connections *all, int fd,
                            struct peer *peer, se_error *err)
{
    struct connection *c = calloc(1, sizeof *c);
    se_status st;

    *out = NULL;
    if (!c)
        return error_set(err, SE_ERR_CANCELLED, "out of memory");
    c->fd = fd;
    c->peer = MOVE(*peer);
    c->stranger = c->peer.listener == LISTENER_TLS;
    pthread_mutex_lock(&all->lock);
    st = admit_locked(all, c, err);
    pthread_mutex_unlock(&all->lock);
    if (!st || st == SE_ERR_UNAVAILABLE) {
        *out = c;
        return st;
    }
    connection_free(c);
    return error_restate(err, SE_ERR_CANCELLED);
}

struct connection *connections_find(struct connections *all, int fd)
{
    struct connection *c;

    pthread_mutex_lock(&all->lock);
    c = fd >= 0 && (size_t)fd < all->by_fd_room ? all->by_fd[fd] : NULL;
    pthread_mutex_unlock(&all->lock);
    return c;
}

struct connection *connections_unhanded(struct connections *all)
{
    struct connection *c;

    pthread_mutex_lock(&all->lock);
    for (c = all->first; c && c->handed; c = c->next)
        ;
    pthread_mutex_unlock(&all->lock);
    return c;
}

static bool linger_locked(struct connections *all, struct connection *c)
{
    int fd;

    if (c->phase == PHASE_LATE || (fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0)) < 0)
        return false;
    if (!grow_table(all, fd)) {
        close(fd);
        return false;
    }
    unlink_connection(all, c);
    c->fd = fd;
    c->before = NULL;
    c->handed = false;
    link_connection(all, c);
    set_phase(all, c, PHASE_LINGERING);
    return true;
}

bool connection_linger(struct connections *all, struct connection *c)
{
    bool lingers;

    pthread_mutex_lock(&all->lock);
    lingers = linger_locked(all, c);
    pthread_mutex_unlock(&all->lock);
    return lingers;
}

void connection_drop(struct connections *all, struct connection *c)
{
    pthread_mutex_lock(&all->lock);
    all->counts.busy -= is_busy(c->phase);
    unlink_connection(all, c);
    if (c->counted)
        give_place(all, c);
    else
        all->refused--;
    pthread_mutex_unlock(&all->lock);
    connection_free(c);
}

struct connection_counts connections_count(struct connections *all)
{
    struct connection_counts counts;

    pthread_mutex_lock(&all->lock);
    counts = all->counts;
    pthread_mutex_unlock(&all->lock);
    return counts;
}

/* ---- the watchdog ---- */

/*
 * Who still sends is told that it is too late, and then reads the end; the answer is small, and a
 * socket without room for it has a client that doesn't read. Others are ended without a word:
 * nobody waits for one, or TLS has no place for it.
 */
static void end_connection(struct connections *all, struct connection *c)
{
    const bool sending = c->phase == PHASE_HEAD || c->phase == PHASE_BODY;
    const bool told = sending && c->peer.listener == LISTENER_UNIX;

    if (told)
        (void)send(c->fd, all->late.buf.data, all->late.buf.size, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)shutdown(c->fd, told ? SHUT_RD : SHUT_RDWR);
    all->counts.late += sending;
    set_phase(all, c, PHASE_LATE);
}

static void end_late_ones(struct connections *all)
{
    const int64_t now = clock_monotonic_ms();

    all->counts.watched = now;
    for (struct connection *c = all->first; c; c = c->next)
        if (c->deadline && c->deadline <= now)
            end_connection(all, c);
}

/* The lock is held while sockets are shut down, and whoever closes one drops it from the list
 * before: no number is another's by then. */
static void *run_watchdog(void *arg)
{
    struct connections *all = arg;

    pthread_mutex_lock(&all->lock);
    while (!all->ending) {
        const struct timespec tick = deadline_in(TICK_MS);

        end_late_ones(all);
        (void)pthread_cond_clockwait(&all->ended, &all->lock, CLOCK_MONOTONIC, &tick);
    }
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

/* ---- begin and end ---- */

se_status connections_new(struct connections **out, const struct connection_limits *limits,
                          se_error *err)
{
    struct connections *all = calloc(1, sizeof *all);
    struct failure late = { .kind = FAILURE_NONE };

    *out = NULL;
    if (!all)
        return error_memory(err);
    all->limits = *limits;
    all->counts.watched = clock_monotonic_ms();
    failure_set(&late, FAILURE_TIMEOUT, "the request was not complete in time");
    failure_write_answer(&all->late, &late);
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->ended, NULL);
    if (all->late.failed || !thread_start(&all->watchdog, run_watchdog, all)) {
        writer_free(&all->late);
        free(all);
        return error_memory(err);
    }
    *out = all;
    return SE_OK;
}

void connections_free(struct connections *all)
{
    if (!all)
        return;
    pthread_mutex_lock(&all->lock);
    all->ending = true;
    pthread_cond_signal(&all->ended);
    pthread_mutex_unlock(&all->lock);
    (void)pthread_join(all->watchdog, NULL);
    pthread_cond_destroy(&all->ended);
    pthread_mutex_destroy(&all->lock);
    writer_free(&all->late);
    free(all->by_fd);
    free(all->owners);
    free(all);
}
