/* SPDX-License-Identifier: Apache-2.0 */
/* Who may connect: a peer has mail signed in anybody's name. */
#ifndef MILTER_PEERS_H
#define MILTER_PEERS_H

#include <netinet/in.h>
#include <sys/types.h>

#include "base/error.h"

/* ---- networks, as 192.0.2.0/24 or 2001:db8::/32 ---- */

struct network {
    struct in6_addr address; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;
};

/* False: it is none. */
bool network_read(struct network *out, const char *text);

/* An address of IPv4 as struct network has it. */
struct in6_addr network_map(const struct in_addr *v4);

/* Whether it belongs to one of them. */
bool networks_hold(const struct network *list, size_t count, const struct in6_addr *address);

/* ---- peers ---- */

enum { PEERS = 64 };

/* Users of this machine (root and the milter's own user are always allowed), and networks. */
struct peers {
    uid_t users[PEERS];
    struct network networks[PEERS];
    size_t count, network_count;
    bool anybody;
};

/* Postfix's user, if there is one. */
void peers_default(struct peers *peers);

/* Adds a user's name, a network, or '*': everybody who reaches the socket. */
SE_MUST_CHECK se_status peers_add(struct peers *peers, const char *word, se_error *err);

/* Whether the other end of a connection is a peer; its description goes to `who`. */
bool peers_admit(const struct peers *peers, int fd, char who[128]);

#endif
