/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A login with Entra (or a managed identity) and its token.
 *
 * Logins are shared in a process: all keys with the same settings have one token.  It is renewed
 * ahead by one thread while the others go on with the old one.  A login service that is away stops
 * nobody while the token lasts.
 */
#ifndef KEYSTORE_AZURE_LOGIN_H
#define KEYSTORE_AZURE_LOGIN_H

#include "config/config.h"
#include "keystore/azure/challenge.h"
#include "keystore/azure/place.h"

struct login;

/* Counted; released with login_close().  Asks nobody yet. */
SE_MUST_CHECK se_status login_open(struct login **out, const struct keyref *ref,
                                   const struct vault_place *place, se_error *err);
void login_close(struct login *login); /* accepts NULL; the last one wipes the token */
AUTO_KIND(login, struct login *, login_close(*p))

/* "Authorization: Bearer …", wiped by the caller; waits for it until `until`
 * (clock_monotonic_ms()). */
SE_MUST_CHECK se_status login_header(se_buf *out, struct login *login, int64_t until,
                                     se_error *err);

/*
 * The vault has refused `header` with `challenge`: the token is forgotten, unless another thread
 * has already got a new one; the next one has the challenge's claims.  SE_ERR_STORE: the challenge
 * is for another vault or tenant.
 */
SE_MUST_CHECK se_status login_refused(struct login *login, const se_buf *header,
                                      const struct challenge *challenge, se_error *err);

/* Secrets that a login service refused within the last hour are presented to it again. */
void login_forget_refused(void);

#endif
