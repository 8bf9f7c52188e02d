/* SPDX-License-Identifier: Apache-2.0 */
/* Where connections come in: a socket that was passed by the service manager (sd_listen_fds(3)), or
 * one of our own; and one of a network. */
#ifndef DAEMON_LISTENER_H
#define DAEMON_LISTENER_H

#include <sys/stat.h>

#include "daemon/peer.h"
#include "daemon/settings.h"

enum { LISTENERS_PASSED = 8, LISTENERS };

struct listener {
    int fd;
    enum listener_kind kind;
};

struct listeners {
    struct listener list[LISTENERS];
    size_t count;

    /* a socket of our own; NULL: all were passed */
    char *path;
    struct stat made; /* as it was made: somebody else's in its place is not removed */
    int lock;         /* held while it is ours */
};

/*
 * Takes what was passed, else makes the socket of the settings, and that of a network: a local one
 * has its mode and group before
 * anybody can reach it, and takes the place of one that a killed daemon left. `owner`: the user
 * that the daemon becomes.
 * SE_ERR_CONFIG: another daemon has it, or what was passed can't be used; SE_ERR_ACCESS.
 */
SE_MUST_CHECK se_status listeners_open(struct listeners *out, const struct settings *settings,
                                       uid_t owner, se_error *err);

/* Our own can't be reached any more; one that was passed is the manager's to keep. */
void listeners_close(struct listeners *listeners);

#endif
