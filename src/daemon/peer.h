/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other end of a connection: what the kernel says (unix(7)), or a certificate that a
 * handshake has proved; never what he says. */
#ifndef DAEMON_PEER_H
#define DAEMON_PEER_H

#include <signengine.h>
#include <sys/types.h>

/* Where a connection came in: that decides how a peer is identified. SO_PEERCRED succeeds on TCP as
 * well, with a user that there is not. */
enum listener_kind { LISTENER_UNIX, LISTENER_TLS, LISTENER_KINDS };

enum { PEER_NAME_ROOM = 64, PEER_ID_ROOM = 80, PEER_ADDRESS_ROOM = 48 };

struct peer {
    enum listener_kind listener;
    bool has_uid;
    uint32_t uid;
    int32_t pid;    /* for the audit only: it may be another process' by now */
    uint32_t *gids; /* its groups when it connected, not those of /etc/group */
    size_t gid_count;
    char id[PEER_ID_ROOM];     /* "uid:1000", "cert:...": whose limits and idempotency keys; "": not
                                  known so far */
    char name[PEER_NAME_ROOM]; /* of the user; "" until peer_find_name() */

    /* of a network */
    char address[PEER_ADDRESS_ROOM];
    char owner[PEER_ADDRESS_ROOM]; /* whose connections are counted, on any listener: the user, or
                                      the address; of IPv6 the network, for a host has all of it */
    struct identity *identity;     /* NULL: no certificate has been verified so far */
    const void *trusted_by;        /* by what, and when, it was verified last */
    int64_t trusted_at;
};

/*
 * The credentials of connect(2): whoever hands out a connected descriptor hands out his rights. On
 * a network, the address alone. SE_ERR_ACCESS: there are none. The caller releases *out with
 * peer_release().
 */
SE_MUST_CHECK se_status peer_read(struct peer *out, enum listener_kind listener, int fd,
                                  se_error *err);
void peer_release(struct peer *peer);

/* The user's name, for the audit; "" if the system knows none. It may ask a directory service, so
 * it is called where a wait does no harm. */
const char *peer_find_name(struct peer *peer);

const char *listener_name(enum listener_kind kind);

/* Whether the peer has closed its end for good. One that has only stopped sending waits for an
 * answer. */
bool peer_is_gone(enum listener_kind listener, int fd);

#endif
