/* Where the MTA connects, and who may. */
#ifndef MILTER_SOCKET_H
#define MILTER_SOCKET_H

#include "milter/conf.h"

struct smfiDesc;

/* What is risky in where `conf` listens, a sentence; "": nothing. */
void socket_risk(char out[256], const struct conf *conf);

/* That it could be made, by whoever asks; a milter that has it already is none of the question. */
SE_MUST_CHECK se_status socket_check(const struct conf *conf, se_error *err);

/*
 * Makes libmilter listen.  SE_ERR_CONFIG: it can't, and has told the system's log, and so standard
 * error, why.  SE_ERR_ACCESS: the socket can't be given to its group.
 */
SE_MUST_CHECK se_status socket_listen(const struct conf *conf, struct smfiDesc *callbacks,
                                      se_error *err);

/* Whether those who have connected were looked at; false: libmilter takes connections in a way that
 * we do not know. */
bool socket_is_guarded(void);

#endif
