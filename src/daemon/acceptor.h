/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes connections, tells who is at their other end, and holds them until something comes: the
 * HTTP library would not say who connects, hangs for good at its own limit, and has memory for each
 * connection that is idle.
 */
#ifndef DAEMON_ACCEPTOR_H
#define DAEMON_ACCEPTOR_H

#include "daemon/connections.h"
#include "daemon/listener.h"

/* Hands a connection over, from which something can be read. False: it was closed. */
typedef bool (*acceptor_take_fn)(void *arg, enum listener_kind listener, int fd);

struct acceptor;

/* Starts its thread. `listeners` are its own from then on. */
SE_MUST_CHECK se_status acceptor_new(struct acceptor **out, struct listeners *listeners,
                                     struct connections *connections, acceptor_take_fn take,
                                     void *arg, se_error *err);

/* Closes the sockets that listen. Connections that are there stay. */
void acceptor_refuse(struct acceptor *acceptor);

/*
 * Takes a connection that the HTTP library is about to close, and that was answered before all was
 * read (RFC 9112, 9.6): reads on for a moment and drops what comes, or else the answer might never
 * be seen. Any thread.
 */
void acceptor_linger(struct acceptor *acceptor, struct connection *connection);

/* Ends its thread: nothing more is handed over. */
void acceptor_stop(struct acceptor *acceptor);

/* Closes the connections that the HTTP library does not have. */
void acceptor_free(struct acceptor *acceptor);

#endif
