/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP library (libmicrohttpd): the only file that sees it is http.c. */
#ifndef DAEMON_HTTP_H
#define DAEMON_HTTP_H

#include "daemon/service.h"

struct http;

/* Starts its threads. It never listens: connections come by http_take(). */
SE_MUST_CHECK se_status http_new(struct http **out, struct service *service, se_error *err);

/* Takes a connection that is in service->connections; `arg` is the struct http. False: it was
 * closed. */
bool http_take(void *arg, enum listener_kind listener, int fd);

/* Closes all connections. No job is left by then. */
void http_free(struct http *http);

#endif
