/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "daemon/identity.h"

/* Kernels before 4.13 don't have it; Debian's C library has had the number for long. */
enum { GROUPS_FIRST = 64, GROUPS_MOST = 65536, NOBODY = -1 };

const char *listener_name(enum listener_kind kind)
{
    static const char *const names[] = { [LISTENER_UNIX] = "unix", [LISTENER_TLS] = "tls" };

    return names[kind];
}

/* ---- groups ---- */

/* The kernel says how much room it needs. One place more is for the process' own group. */
static se_status read_groups(struct peer *peer, int fd, gid_t own, se_error *err)
{
    socklen_t size = 0;

    for (size_t room = GROUPS_FIRST; room <= GROUPS_MOST; room = size / sizeof(gid_t)) {
        size = (socklen_t)(room * sizeof(gid_t));
        free(peer->gids);
        if (!(peer->gids = calloc(room + 1, sizeof *peer->gids)))
            return error_memory(err);
        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer->gids, &size) == 0) {
            peer->gid_count = size / sizeof(gid_t);
            peer->gids[peer->gid_count++] = own;
            return SE_OK;
        }
        if (errno != ERANGE)
            break;
    }
    return error_set(err, SE_ERR_ACCESS, "the kernel does not tell the peer's groups: %s",
                     strerror(errno));
}

/* ---- the peer ---- */

static se_status read_credentials(struct peer *peer, int fd, se_error *err)
{
    struct ucred who;
    socklen_t size = sizeof who;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) || (int32_t)who.uid == NOBODY)
        return error_set(err, SE_ERR_ACCESS, "the kernel does not tell who the peer is");
    peer->has_uid = true;
    peer->uid = who.uid;
    peer->pid = who.pid;
    (void)snprintf(peer->id, sizeof peer->id, "uid:%u", peer->uid);
    (void)snprintf(peer->owner, sizeof peer->owner, "uid:%u", peer->uid);
    return read_groups(peer, fd, who.gid, err);
}

/* SO_PEERCRED succeeds here, too, and says nothing. */
static se_status read_address(struct peer *peer, int fd, se_error *err)
{
    struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&from;
    socklen_t size = sizeof from;

    if (getpeername(fd, (struct sockaddr *)&from, &size))
        return error_set(err, SE_ERR_ACCESS, "the peer has gone");
    if (from.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        (void)inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], peer->address, PEER_ADDRESS_ROOM);
        memcpy(peer->owner, peer->address, sizeof peer->owner);
    } else if (from.ss_family == AF_INET6) {
        (void)inet_ntop(AF_INET6, &v6->sin6_addr, peer->address, PEER_ADDRESS_ROOM);
        memset(&v6->sin6_addr.s6_addr[8], 0, 8);
        (void)inet_ntop(AF_INET6, &v6->sin6_addr, peer->owner, PEER_ADDRESS_ROOM);
    } else {
        (void)inet_ntop(AF_INET, &((struct sockaddr_in *)&from)->sin_addr, peer->address,
                        PEER_ADDRESS_ROOM);
        memcpy(peer->owner, peer->address, sizeof peer->owner);
    }
    return SE_OK;
}

se_status peer_read(struct peer *out, enum listener_kind listener, int fd, se_error *err)
{
    se_status st;

    *out = (struct peer){ .listener = listener };
    st = listener == LISTENER_TLS ? read_address(out, fd, err) : read_credentials(out, fd, err);
    if (st)
        peer_release(out);
    return st;
}

void peer_release(struct peer *peer)
{
    free(peer->gids);
    identity_free(peer->identity);
    *peer = (struct peer){ .gids = NULL };
}

const char *peer_find_name(struct peer *peer)
{
    struct passwd entry, *found = NULL;
    char room[4096];

    if (peer->has_uid && !*peer->name &&
        getpwuid_r(peer->uid, &entry, room, sizeof room, &found) == 0 && found)
        (void)snprintf(peer->name, sizeof peer->name, "%.*s", (int)sizeof peer->name - 1,
                       found->pw_name);
    return peer->name;
}

bool peer_is_gone(enum listener_kind listener, int fd)
{
    struct pollfd one = { .fd = fd };

    /* on TCP both look the same */
    return listener == LISTENER_UNIX && poll(&one, 1, 0) == 1 && (one.revents & POLLHUP);
}
