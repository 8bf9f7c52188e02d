/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vault: its connections, its login, whether it answers and how fast it may be asked.  Shared in
 * a process by all keys of the same address and login.
 */
#ifndef KEYSTORE_AZURE_VAULT_H
#define KEYSTORE_AZURE_VAULT_H

#include "config/config.h"
#include "keystore/azure/answer.h"
#include "keystore/azure/place.h"

struct vault;
struct login;

/* Counted; asks nobody yet.  `ref` may go. */
SE_MUST_CHECK se_status vault_open(struct vault **out, const struct keyref *ref, se_error *err);
struct vault *vault_ref(struct vault *vault);
void vault_close(struct vault *vault); /* accepts NULL */
AUTO_KIND(vault, struct vault *, vault_close(*p))

const struct vault_place *vault_place(const struct vault *vault);
/* Puts the vault in front of the failure's text.  Returns `status`. */
se_status vault_context(const struct vault *vault, se_status status, se_error *err);
struct login *vault_login(const struct vault *vault); /* borrowed */

struct vault_request {
    const char *method;      /* "GET" */
    const char *path;        /* "/keys/k1/sign", or a whole URL of the vault (nextLink, Location) */
    const char *query;       /* further fields, "maxresults=25"; NULL: none */
    const char *api_version; /* ""; NULL: the usual one */
    const char *what;        /* for messages: "sign with 'k1'" */
    se_bytes body;           /* JSON; data NULL: none */
    bool is_repeatable;      /* asked twice, it does no harm */
    bool is_urgent;          /* another replica can do it: waits for no throttled vault */
    int64_t until;           /* clock_monotonic_ms() */
    /* the caller wants these answers as they are: 0 ends the list */
    long accepted[3];
};

/* What happened on the way, for events. */
struct vault_trace {
    char client_request_id[40], request_id[64]; /* of the last try; "" without */
    bool is_throttled;   /* it failed because the vault refuses for too long: it is not away */
    bool is_slowed;      /* it is news that the vault refuses, */
    double rate;         /* and how many operations a second it takes from now; 0: not known */
    int64_t since, seen; /* clock_monotonic_us(): when it began, and when it was as it was found */
};

/*
 * Sends a request with a token and takes 200 to 204, or one of `accepted`, as success.  Lost
 * connections and passing failures are tried again, as is a token that was refused, once.
 * remote_trace() names the request from then on.  `trace` may be NULL.
 */
SE_MUST_CHECK se_status vault_send(struct http_answer *out, struct vault *vault,
                                   const struct vault_request *request, struct vault_trace *trace,
                                   se_error *err);

/* Operations a second with RSA keys of that size that a Key Vault does for all its callers
 * together, as documented in 2026; EC keys are like the smallest. */
unsigned vault_speed(unsigned bits, bool is_hsm);

/* The deadline of `ref`, from now. */
int64_t vault_deadline(const struct keyref *ref);

#endif
