/* SPDX-License-Identifier: Apache-2.0 */
/* Assertions: JWTs by which a client proves that it has the key of its certificate (RFC 7523). */
#ifndef KEYSTORE_AZURE_ASSERTION_H
#define KEYSTORE_AZURE_ASSERTION_H

#include "crypto/key.h"
#include "keystore/azure/credential.h"
#include "keystore/keystore.h"

/*
 * How keys of the configuration are opened: store_open().  Key stores know that a vault needs them
 * in turn to log in, and a vault only that there are some.
 */
typedef se_status (*assertion_open_fn)(struct key **out, const struct keyref *ref,
                                       enum key_part part, const struct key_watch *watch,
                                       se_error *err);
void assertion_open_with(assertion_open_fn open);

/* Writes one for the token endpoint `audience`.  SE_ERR_KEY: the key is not RSA. */
SE_MUST_CHECK se_status assertion_write(se_buf *out, const struct key *key, const char *audience,
                                        const char *client, se_error *err);

/* Asks the authority with an assertion, which is text. */
SE_MUST_CHECK se_status assertion_present(struct token_answer *out,
                                          const struct credential_request *request,
                                          const struct credential_client *client,
                                          const se_buf *assertion, se_error *err);

/* Writes one with `key` for this client, and asks with it. */
SE_MUST_CHECK se_status assertion_ask(struct token_answer *out,
                                      const struct credential_request *request,
                                      const struct credential_client *client, const struct key *key,
                                      se_error *err);

#endif
