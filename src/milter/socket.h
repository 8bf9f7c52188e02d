/* SPDX-License-Identifier: Apache-2.0 */
/* Where the MTA connects, and who may. */
#ifndef MILTER_SOCKET_H
#define MILTER_SOCKET_H

#include "milter/conf.h"

struct smfiDesc;

/* A sentence about the risk of where `conf` listens; "": there is none. */
void socket_risk(char out[256], const struct conf *conf);

/* Checks that the socket could be made; another milter may have it already. */
SE_MUST_CHECK se_status socket_check(const struct conf *conf, se_error *err);

/*
 * Makes libmilter listen.  SE_ERR_CONFIG: it can't, and the reason is in the system's log and on
 * standard error.  SE_ERR_ACCESS: the socket can't be given to its group.
 */
SE_MUST_CHECK se_status socket_listen(const struct conf *conf, struct smfiDesc *callbacks,
                                      se_error *err);

/* Whether connections were checked; false: libmilter takes them in a way that we do not know. */
bool socket_is_guarded(void);

#endif
