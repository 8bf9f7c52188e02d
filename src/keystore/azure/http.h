/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTPS requests with libcurl, which is loaded when the first pool is made: no process without a
 * vault has it.
 *
 * A pool keeps connections to one server, and hands the one that was used last to the next request.
 * The child of a fork begins anew, with connections of its own.  Safe for threads.
 */
#ifndef KEYSTORE_AZURE_HTTP_H
#define KEYSTORE_AZURE_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct http_pool;

struct http_settings {
    const char *ca_file;  /* PEM; "": the system's */
    const char *proxy;    /* URL; "": none, whatever the environment says */
    unsigned connections; /* at the most; further requests wait, until their deadline */
    unsigned keep_alive;  /* seconds that an unused connection is kept */
    bool is_plain;        /* http:// is allowed too: a metadata service on this machine */
};

/* Copies the settings.  SE_ERR_STORE: libcurl can't be loaded; SE_ERR_CONFIG: not the CA file. */
SE_MUST_CHECK se_status http_pool_open(struct http_pool **out, const struct http_settings *settings,
                                       se_error *err);
void http_pool_close(struct http_pool *pool); /* when no request uses it; accepts NULL */
AUTO_KIND(http_pool, struct http_pool *, http_pool_close(*p))

/* Closes the idle connections: the server's name may lead elsewhere by now.  Those in use are kept.
 */
void http_pool_drop(struct http_pool *pool);

/* How many connections were opened so far. */
unsigned http_pool_opened(const struct http_pool *pool);

enum {
    HTTP_HEADERS_MOST = 6,
    HTTP_BODY_LIMIT = 1 << 20, /* of an answer */
};

struct http_request {
    const char *method;
    const char *url;
    const char *headers[HTTP_HEADERS_MOST]; /* "Name: value", up to the first NULL */
    se_bytes body;                          /* data NULL: none */
    /* Sent on a new connection.  On one that was kept, a request that gets no answer at all is sent
     * again: the server had closed it, most likely.  A POST that makes something must not be. */
    bool is_once;
    int64_t until; /* clock_monotonic_ms(): the deadline */
};

enum http_status { /* that say something of what was asked for */
                   HTTP_BAD_REQUEST = 400,
                   HTTP_FORBIDDEN = 403,
                   HTTP_NOT_FOUND = 404,
                   HTTP_CONFLICT = 409,
};

struct http_answer {
    long status;
    struct writer body;
    char content_type[128];
    char authenticate[4096]; /* WWW-Authenticate; the first that begins with Bearer or Basic */
    char location[1024];     /* Location, or else Azure-AsyncOperation */
    char request_id[64];     /* x-ms-request-id */
    long retry_after;        /* seconds, at most a day; -1: not said */
    unsigned long latency;   /* x-ms-server-latency, milliseconds; 0: not said */
};
/* A header that has no room, or says no number where one belongs, is left out. */
void http_answer_free(struct http_answer *answer); /* wipes the body */
AUTO_KIND(http_answer, struct http_answer, http_answer_free(p))

/*
 * Sends, and takes any answer of the server for success.  No redirect is followed, and nothing is
 * sent before the server's certificate was checked.  What messages say of the URL is its host.
 *
 * Headers and body are not copied here.  libcurl has copies in its buffers, which are wiped when it
 * releases them, unless the application has initialised libcurl before.  OpenSSL has the last
 * records of a connection, which it releases without wiping: a token may stay in freed memory.
 *
 * SE_ERR_UNAVAILABLE: it can't be reached, or not in time, or breaks off; SE_ERR_STORE: its
 * certificate is not trusted or of another name, the answer is too long or no HTTP, or a proxy
 * refuses.
 */
SE_MUST_CHECK se_status http_send(struct http_answer *out, struct http_pool *pool,
                                  const struct http_request *request, se_error *err);

#endif
