/* SPDX-License-Identifier: Apache-2.0 */
/* A pool's connections, for http.c alone. */
#ifndef KEYSTORE_AZURE_HTTP_POOL_H
#define KEYSTORE_AZURE_HTTP_POOL_H

#include <signal.h>
#include <stdbool.h>

#include "keystore/azure/http.h"
#include "libcurl/curl_calls.h"

struct connection {
    CURL *handle;  /* with at most one connection, and the options that all requests share */
    int64_t since; /* idle; clock_monotonic_ms() */
    struct connection *next;
};

/*
 * The connection that was used last, or a new one; waits until one is free.  The caller gives it
 * back with connection_give().  SE_ERR_UNAVAILABLE: none was in time.
 */
SE_MUST_CHECK se_status connection_take(struct connection **out, struct http_pool *pool,
                                        int64_t until, se_error *err);
void connection_give(struct http_pool *pool, struct connection *connection);

const struct curl_calls *pool_calls(const struct http_pool *pool);
bool pool_is_plain(const struct http_pool *pool);
bool pool_has_proxy(const struct http_pool *pool);
void pool_count_opened(struct http_pool *pool, unsigned more);

/*
 * Between the two, writing to a connection that the server has closed raises no SIGPIPE.  Some
 * libcurls write by means of OpenSSL, which does not prevent it, and left alone libcurl would
 * change the application's handling of the signal.
 */
struct pipe_block {
    sigset_t before;
    bool was_pending;
};
void pipe_block_begin(struct pipe_block *block);
void pipe_block_end(const struct pipe_block *block);

#endif
