/* SPDX-License-Identifier: Apache-2.0 */
/* `p11-kit server` in front of the fixture's SoftHSM, which a test may kill and start again. */
#ifndef TESTS_TOKEN_SERVER_H
#define TESTS_TOKEN_SERVER_H

#include <sys/types.h>

struct server {
    const char
        *token; /* the one that it serves; its socket has that name too, in the fixture's folder */
    pid_t process;
};

/* Skips the program (77) when there is none. */
void server_needed(void);

/* Returns when it accepts connections. */
void server_start(struct server *server);

/* With all the processes that serve its connections. */
void server_kill(struct server *server);

/* $P11_KIT_SERVER_ADDRESS, which a client module reads when it is loaded. */
void server_address(const struct server *server);

#endif
