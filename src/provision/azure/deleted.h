/* SPDX-License-Identifier: Apache-2.0 */
/* Names that deleted keys and certificates keep, until they are recovered or purged. */
#ifndef PROVISION_AZURE_DELETED_H
#define PROVISION_AZURE_DELETED_H

#include "provision/azure/session.h"

/* Deletes, and waits until it is done: then the name can be recovered, or purged. */
SE_MUST_CHECK se_status vault_delete(const struct vault_session *session, se_error *err);

/* The way out of an answer 409 to a call that makes something.  Always a failure. */
se_status vault_refuse_conflict(const struct vault_reply *reply,
                                const struct vault_session *session, const struct vault_call *call,
                                se_error *err);

#endif
