/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/azure/http_pool.h"

#include <errno.h>
#include <limits.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/file.h"
#include "base/fork_lock.h"
#include "crypto/certificate.h"

enum {
    CA_FILE_LIMIT = 4 << 20,
    DNS_CACHE_S = 5,  /* an HSM in several regions changes its address that fast */
    LIFETIME_S = 600, /* then a connection goes where the name leads by now */
    KEEPALIVE_IDLE_S = 30,
    KEEPALIVE_PROBE_S = 10,
};

/* A caller in the queue, on its own stack. */
struct connection_waiter {
    struct connection_waiter *next;
    sem_t served; /* posted with the lock held: the waiter may be gone a moment later */
    bool is_served;
    struct connection *connection; /* NULL: leave to make one */
};

struct http_pool {
    const struct curl_calls *curl;
    se_buf ca, proxy; /* the proxy's address may have a password */
    unsigned connections, keep_alive;
    bool is_plain;
    unsigned opened; /* atomic */

    /* under fork_lock_take() */
    unsigned generation;     /* of the process that the rest belongs to */
    struct connection *idle; /* the one used last is first */
    unsigned busy;           /* in use, or being made */
    struct connection_waiter *first, **last;
};

const struct curl_calls *pool_calls(const struct http_pool *pool)
{
    return pool->curl;
}

bool pool_is_plain(const struct http_pool *pool)
{
    return pool->is_plain;
}

bool pool_has_proxy(const struct http_pool *pool)
{
    return pool->proxy.size;
}

void pool_count_opened(struct http_pool *pool, unsigned more)
{
    __atomic_add_fetch(&pool->opened, more, __ATOMIC_RELAXED);
}

unsigned http_pool_opened(const struct http_pool *pool)
{
    return __atomic_load_n(&pool->opened, __ATOMIC_RELAXED);
}

/* ---- SIGPIPE ---- */

static sigset_t pipe_set(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGPIPE);
    return set;
}

void pipe_block_begin(struct pipe_block *block)
{
    const sigset_t set = pipe_set();
    sigset_t pending;

    (void)sigpending(&pending);
    block->was_pending = sigismember(&pending, SIGPIPE) == 1;
    (void)pthread_sigmask(SIG_BLOCK, &set, &block->before);
}

void pipe_block_end(const struct pipe_block *block)
{
    static const struct timespec at_once = { .tv_sec = 0 };
    const sigset_t set = pipe_set();

    /* what came meanwhile is ours, for it comes to the thread that writes */
    if (!block->was_pending)
        while (sigtimedwait(&set, NULL, &at_once) < 0 && errno == EINTR)
            ;
    (void)pthread_sigmask(SIG_SETMASK, &block->before, NULL);
}

/* ---- libcurl's handles ---- */

/* A program that the application starts has no business with it. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)arg;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* libcurl looks for trusted certificates in a folder besides, unless it is told not to. */
static void set_trust(struct curl_options *o, const struct http_pool *pool)
{
    struct curl_blob ca = { pool->ca.data, pool->ca.size, CURL_BLOB_NOCOPY };

    curl_set_number(o, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    curl_set_number(o, CURLOPT_PROXY_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    if (!ca.data)
        return;
    curl_set_pointer(o, CURLOPT_CAINFO_BLOB, &ca);
    curl_set_pointer(o, CURLOPT_CAPATH, NULL);
    curl_set_pointer(o, CURLOPT_PROXY_CAINFO_BLOB, &ca);
    curl_set_pointer(o, CURLOPT_PROXY_CAPATH, NULL);
}

/*
 * All that the requests of a pool have in common.  The empty texts keep libcurl from what the
 * environment says of proxies.
 */
static void set_common(struct curl_options *o, const struct http_pool *pool)
{
    curl_set_number(o, CURLOPT_NOSIGNAL, 1);
    curl_set_pointer(o, CURLOPT_PROTOCOLS_STR, pool->is_plain ? "https,http" : "https");
    curl_set_number(o, CURLOPT_FOLLOWLOCATION, 0);
    curl_set_number(o, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_set_pointer(o, CURLOPT_USERAGENT, "signengine/" PACKAGE_VERSION);
    curl_set_pointer(o, CURLOPT_PROXY, pool->proxy.size ? (const char *)pool->proxy.data : "");
    curl_set_pointer(o, CURLOPT_NOPROXY, "");
    curl_set_number(o, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
    curl_set_number(o, CURLOPT_DNS_CACHE_TIMEOUT, DNS_CACHE_S);
    curl_set_number(o, CURLOPT_MAXCONNECTS, 1);
    curl_set_number(o, CURLOPT_MAXLIFETIME_CONN, LIFETIME_S);
    curl_set_number(o, CURLOPT_MAXAGE_CONN, (long)pool->keep_alive);
    curl_set_number(o, CURLOPT_TCP_KEEPALIVE, 1);
    curl_set_number(o, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    curl_set_number(o, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_PROBE_S);
    curl_set_number(o, CURLOPT_MAXFILESIZE, HTTP_BODY_LIMIT);
    /* a name server that is away holds up its thread, and nobody else */
    curl_set_number(o, CURLOPT_QUICK_EXIT, 1);
    if (!o->rc)
        o->rc = o->curl->easy_setopt(o->handle, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    set_trust(o, pool);
}

static void close_connections(const struct http_pool *pool, struct connection *list)
{
    struct connection *c;
    struct pipe_block block;

    if (!list)
        return;
    pipe_block_begin(&block);
    while ((c = list)) {
        list = c->next;
        pool->curl->easy_cleanup(c->handle);
        free(c);
    }
    pipe_block_end(&block);
}

static se_status make_connection(struct connection **out, const struct http_pool *pool,
                                 se_error *err)
{
    struct curl_options o = { .curl = pool->curl };
    struct connection *c = calloc(1, sizeof *c);

    *out = NULL;
    if (!c || !(c->handle = o.handle = pool->curl->easy_init())) {
        free(c);
        return error_memory(err);
    }
    set_common(&o, pool);
    if (o.rc) {
        close_connections(pool, c);
        return error_set(err, SE_ERR_STORE, "libcurl %s lacks an option: %s",
                         pool->curl->version_info(CURLVERSION_NOW)->version,
                         pool->curl->easy_strerror(o.rc));
    }
    *out = c;
    return SE_OK;
}

/* ---- with the lock held ---- */

/*
 * In the child of a fork, the connections are the parent's, as are their callers.  They are left as
 * they are: closing them would say goodbye in the parent's name.
 */
static void begin_anew(struct http_pool *pool)
{
    if (pool->generation == fork_generation())
        return;
    pool->generation = fork_generation();
    pool->idle = NULL;
    pool->busy = 0;
    pool->first = NULL;
    pool->last = &pool->first;
}

/* False: the caller waits; else with a connection, or with leave to make one (NULL). */
static bool take_free(struct connection **out, struct http_pool *pool)
{
    if ((*out = pool->idle))
        pool->idle = pool->idle->next;
    else if (pool->busy >= pool->connections)
        return false;
    pool->busy++;
    return true;
}

static void join_queue(struct http_pool *pool, struct connection_waiter *w)
{
    *pool->last = w;
    pool->last = &w->next;
}

static void leave_queue(struct http_pool *pool, const struct connection_waiter *w)
{
    struct connection_waiter **place = &pool->first;

    while (*place != w)
        place = &(*place)->next;
    *place = w->next;
    if (pool->last == &w->next)
        pool->last = place;
}

static void serve_first(struct http_pool *pool, struct connection *c)
{
    struct connection_waiter *w = pool->first;

    leave_queue(pool, w);
    w->connection = c;
    w->is_served = true;
    (void)sem_post(&w->served);
}

/* Takes those out that nobody has used for so long; behind the first of them are none but such. */
static struct connection *take_expired(struct http_pool *pool, int64_t now)
{
    struct connection **place = &pool->idle, *expired;

    while (*place && now - (*place)->since <= (int64_t)pool->keep_alive * 1000)
        place = &(*place)->next;
    expired = *place;
    *place = NULL;
    return expired;
}

/* ---- callers ---- */

/* False: not in time. */
static bool wait_for_connection(struct connection **out, struct http_pool *pool,
                                struct connection_waiter *w, const struct timespec *until)
{
    bool is_served;

    while (sem_clockwait(&w->served, CLOCK_MONOTONIC, until) && errno == EINTR)
        ;
    fork_lock_take();
    if (!(is_served = w->is_served))
        leave_queue(pool, w);
    fork_lock_give();
    *out = w->connection;
    return is_served;
}

static bool take_or_wait(struct connection **out, struct http_pool *pool, int64_t left)
{
    const struct timespec until = deadline_in(left < INT_MAX ? (unsigned)left : INT_MAX);
    struct connection_waiter w = { .next = NULL };
    bool taken;

    (void)sem_init(&w.served, 0, 0);
    fork_lock_take();
    begin_anew(pool);
    if (!(taken = take_free(out, pool)))
        join_queue(pool, &w);
    fork_lock_give();
    taken = taken || wait_for_connection(out, pool, &w, &until);
    (void)sem_destroy(&w.served);
    return taken;
}

/* `c` may be NULL: a connection that was not made. */
static void give_back(struct http_pool *pool, struct connection *c)
{
    int64_t now = clock_monotonic_ms();
    struct connection *expired;

    fork_lock_take();
    begin_anew(pool);
    if (pool->first)
        serve_first(pool, c);
    else {
        pool->busy -= pool->busy > 0;
        if (c) {
            c->since = now;
            c->next = pool->idle;
            pool->idle = c;
        }
    }
    expired = take_expired(pool, now);
    fork_lock_give();
    close_connections(pool, expired);
}

void connection_give(struct http_pool *pool, struct connection *connection)
{
    give_back(pool, connection);
}

se_status connection_take(struct connection **out, struct http_pool *pool, int64_t until,
                          se_error *err)
{
    int64_t left = until - clock_monotonic_ms();
    se_status st;

    *out = NULL;
    if (left <= 0)
        return error_set(err, SE_ERR_UNAVAILABLE, "no time is left before the deadline");
    if (!take_or_wait(out, pool, left))
        return error_set(err, SE_ERR_UNAVAILABLE,
                         "all %u connections were in use until the deadline (maxSessions)",
                         pool->connections);
    if (*out)
        return SE_OK;
    if ((st = make_connection(out, pool, err)))
        give_back(pool, NULL);
    return st;
}

/* ---- pools ---- */

static struct connection *take_idle(struct http_pool *pool)
{
    struct connection *idle;

    fork_lock_take();
    begin_anew(pool);
    idle = pool->idle;
    pool->idle = NULL;
    fork_lock_give();
    return idle;
}

void http_pool_drop(struct http_pool *pool)
{
    close_connections(pool, take_idle(pool));
}

void http_pool_close(struct http_pool *pool)
{
    if (!pool)
        return;
    http_pool_drop(pool);
    se_buf_free(&pool->ca);
    se_buf_free(&pool->proxy);
    free(pool);
}

/* Read once: libcurl would read it for each connection, and say no more than that it can't. */
static se_status read_ca(se_buf *out, const char *path, se_error *err)
{
    AUTO(x509_stack) certificates = NULL;
    se_status st = file_read(out, path, CA_FILE_LIMIT, err);

    if (!st)
        st = certificates_read(&certificates, buf_bytes(out), path, err);
    if (!st && !memmem(out->data, out->size, "-----BEGIN", 10))
        st = error_set(err, SE_ERR_CONFIG, "'%s' is a certificate, but not in a PEM file", path);
    if (!st)
        return SE_OK;
    se_buf_free(out);
    if (st != SE_ERR_MEMORY)
        st = error_restate(err, SE_ERR_CONFIG);
    return error_prefix(err, st, "caFile: ");
}

se_status http_pool_open(struct http_pool **out, const struct http_settings *settings,
                         se_error *err)
{
    AUTO(http_pool) pool = calloc(1, sizeof *pool);

    *out = NULL;
    if (!pool)
        return error_memory(err);
    pool->connections = settings->connections ? settings->connections : 1;
    pool->keep_alive = settings->keep_alive;
    pool->is_plain = settings->is_plain;
    pool->last = &pool->first;
    fork_lock_take();
    pool->generation = fork_generation();
    fork_lock_give();
    if (*settings->ca_file)
        TRY(read_ca(&pool->ca, settings->ca_file, err));
    if (*settings->proxy)
        TRY(buf_copy(&pool->proxy, text_bytes(settings->proxy), err));
    TRY(curl_calls_load(&pool->curl, err));
    *out = MOVE(pool);
    return SE_OK;
}
