/* Who may connect: whoever speaks for an MTA here has mail signed in anybody's name. */
#ifndef MILTER_PEERS_H
#define MILTER_PEERS_H

#include <sys/types.h>

#include "base/error.h"
#include "milter/network.h"

enum { PEERS = 64 };

/* Users of this machine; root and the milter's own user are always among them.  Networks of others.
 */
struct peers {
    uid_t users[PEERS];
    struct network networks[PEERS];
    size_t count, network_count;
    bool anybody;
};

/* Postfix's user, if there is one. */
void peers_default(struct peers *peers);

/* A user's name, a network, or '*': whoever reaches the socket. */
SE_MUST_CHECK se_status peers_add(struct peers *peers, const char *word, se_error *err);

/* Whether the other end of a connection is one of them; who it is goes to `who`. */
bool peers_admit(const struct peers *peers, int fd, char who[128]);

#endif
