/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All connections: how many there are, of whom, and until when each has to do what it does now. A
 * watchdog ends those that are late; it only ever shuts a socket down, and whoever reads it closes
 * it.
 */
#ifndef DAEMON_CONNECTIONS_H
#define DAEMON_CONNECTIONS_H

#include "daemon/peer.h"

/* What a connection does. */
enum phase {
    PHASE_WAITING,   /* nothing has come so far */
    PHASE_LINGERING, /* it has its answer, and is read for a moment so that the answer arrives */
    PHASE_HANDSHAKE, /* of TLS */
    PHASE_HEAD,      /* a head comes */
    PHASE_BODY,
    PHASE_JOB, /* its request is worked on, for as long as that takes */
    PHASE_ANSWER,
    PHASE_IDLE, /* kept for another request */
    PHASE_LATE, /* the watchdog has shut it down */
};

struct connection {
    struct connection *next, *before; /* of the list */
    int fd;
    bool counted;  /* not one too many */
    bool stranger; /* no handshake has told who it is */
    bool handed;   /* the HTTP library has it, and closes it */
    bool unread;   /* it is answered before all was read: a close would take the answer away */
    enum phase phase;
    int64_t deadline; /* of the phase, clock_monotonic_ms(); 0: none */
    struct peer peer;
    struct handshake *handshake; /* of TLS; the HTTP library's */
    char *target;                /* of the request, as it came; the request's own */
};

struct connection_limits {
    unsigned connections, per_user;
    unsigned head_s, body_s, idle_s;
};

struct connections;

/* Starts the watchdog, too. */
SE_MUST_CHECK se_status connections_new(struct connections **out,
                                        const struct connection_limits *limits, se_error *err);
/* All connections have been closed before. */
void connections_free(struct connections *connections);

/*
 * Takes a connection in, and its peer's groups over. SE_ERR_UNAVAILABLE: there are too many; it
 * still is in the list, as PHASE_LINGERING. SE_ERR_CANCELLED: not even that is possible, and it is
 * to be closed.
 */
SE_MUST_CHECK se_status connections_admit(struct connection **out, struct connections *connections,
                                          int fd, struct peer *peer, se_error *err);

/* NULL: none of ours has that descriptor. */
struct connection *connections_find(struct connections *connections, int fd);

/* False: the watchdog has ended it, and nothing more is to be done with it. */
bool connection_enter(struct connections *connections, struct connection *connection,
                      enum phase phase);

/* A handshake has told who it is: from now on it may be idle. */
void connection_prove(struct connections *connections, struct connection *connection);

bool connection_is(struct connections *connections, const struct connection *connection,
                   enum phase phase);

/* Keeps one that the HTTP library is about to close, with a descriptor of its own, as
 * PHASE_LINGERING. False: that is not possible, and it is still to be dropped. */
bool connection_linger(struct connections *connections, struct connection *connection);

/* Any that the HTTP library does not have; NULL: there is none. */
struct connection *connections_unhanded(struct connections *connections);

/* Before its descriptor is closed: the number may soon be another's. */
void connection_drop(struct connections *connections, struct connection *connection);

struct connection_counts {
    unsigned all, busy; /* busy: with a request under way */
    unsigned of[LISTENER_KINDS];
    unsigned strangers;
    unsigned refused, late;
    int64_t watched; /* when the watchdog looked last, clock_monotonic_ms() */
};
struct connection_counts connections_count(struct connections *connections);

#endif
