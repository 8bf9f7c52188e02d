/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TLS server on loopback, in threads of the test: it answers well, badly or not at all, as the
 * path of a request asks for.
 */
#ifndef TESTS_UNIT_TLS_SERVER_H
#define TESTS_UNIT_TLS_SERVER_H

#include <pthread.h>

#include "crypto/key.h"

enum tls_server_kind {
    SERVER_TLS,
    SERVER_OLD_TLS,   /* 1.1 at the most */
    SERVER_PLAIN,     /* HTTP */
    SERVER_CLOSING,   /* closes what it accepts */
    SERVER_SILENT,    /* accepts, and says nothing */
    SERVER_PROXY,     /* takes CONNECT, and is then the server itself */
    SERVER_BAD_PROXY, /* refuses CONNECT with 407 */
};

struct tls_server {
    enum tls_server_kind kind;
    EVP_PKEY *key;
    X509 *certificate;
    int port;
    int listener;
    void *context; /* SSL_CTX */
    pthread_t thread;

    pthread_mutex_t lock;
    unsigned connections, requests; /* so far */
    unsigned open;                  /* now */
    char last[8192];                /* the last request, as far as there is room */
};

/* kind, key and certificate are set; port is then. */
void tls_server_start(struct tls_server *server);
void tls_server_stop(struct tls_server *server);

/* Each with the lock held for a moment. */
unsigned tls_server_connections(struct tls_server *server);
unsigned tls_server_requests(struct tls_server *server);
const char *tls_server_last(struct tls_server *server);

/*
 * Paths: /ok (JSON, after MS milliseconds with /ok?MS), /echo (the request's body), /headers,
 * /continue (100 first), /empty (204), /redirect, /cut (less than announced), /cut-chunk, /cut-end
 * (without an end, and without TLS's), /endless (body), /endless-headers, /announced (2 GB),
 * /drip (a byte each 50 ms), /none (closes instead of an answer), /reset (after the head of the
 * request), /bye (answers, and closes a moment later), /gone (answers, and resets the
 * connection), /nonsense, /wait (says
 * nothing).
 */

#endif
