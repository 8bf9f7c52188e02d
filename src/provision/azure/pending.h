/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate that a vault is making: its key is there, and waits for a signature. */
#ifndef PROVISION_AZURE_PENDING_H
#define PROVISION_AZURE_PENDING_H

#include "provision/azure/policy.h"

struct pending_certificate {
    char id[512];
    char status[32];   /* "inProgress", "completed", "cancelled" */
    char reason[256];  /* what the vault says to that */
    char issuer[64];   /* "Self", "Unknown" */
    X509_REQ *request; /* NULL: nothing is pending */
};
void pending_certificate_free(struct pending_certificate *pending);
AUTO_KIND(pending_certificate, struct pending_certificate, pending_certificate_free(p))

/* What a vault says of one. */
SE_MUST_CHECK se_status pending_certificate_read(struct pending_certificate *out,
                                                 const json_t *json, se_error *err);

SE_MUST_CHECK se_status vault_pending_look(struct pending_certificate *out,
                                           const struct vault_session *session, se_error *err);

/* Whether it has still no signature. */
bool vault_pending_waits(const struct pending_certificate *pending);

/* `issuer`: "Self": the vault signs it; "Unknown": somebody else will. */
SE_MUST_CHECK se_status vault_pending_create(struct pending_certificate *out,
                                             const struct vault_session *session,
                                             const struct key_profile *key,
                                             const struct cert_profile *certificate,
                                             const char *issuer, se_error *err);

/* Until the vault has signed it, or had it signed; `until`: clock_monotonic_ms(). */
SE_MUST_CHECK se_status vault_pending_wait(const struct vault_session *session, int64_t until,
                                           se_error *err);

/* Gives it up, with its key. */
SE_MUST_CHECK se_status vault_pending_forget(const struct vault_session *session, se_error *err);

#endif
