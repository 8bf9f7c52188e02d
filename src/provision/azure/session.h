/* SPDX-License-Identifier: Apache-2.0 */
/* A target's vault, opened for a command, and requests to it. */
#ifndef PROVISION_AZURE_SESSION_H
#define PROVISION_AZURE_SESSION_H

#include <jansson.h>

#include "keystore/azure/objects.h"
#include "provision/target.h"
#include "provision/vault_admin.h"

struct admin_session {
    const struct target *target;
    struct vault *vault;
    const char *kind;       /* "key", "certificate": what the target's alias names; static */
    const char *collection; /* "keys", "certificates"; static */
    const char *name;       /* borrowed */
};

enum vault_kinds {
    VAULT_KIND_ANY,
    VAULT_KIND_HSM, /* a Managed HSM only */
};

/* SE_ERR_USAGE: the target is in another store, which `what` ("key recover") is not for. */
SE_MUST_CHECK se_status admin_session_open(struct admin_session *out, const struct target *target,
                                           enum vault_kinds kinds, const char *what, se_error *err);
void admin_session_close(struct admin_session *session);
AUTO_KIND(admin_session, struct admin_session, admin_session_close(p))

struct vault_ask {
    const char *method;
    const char *what; /* for messages: "recover key 'k1'" */
    const char *query, *api_version;
    const struct writer *body; /* JSON; NULL: none */
    bool is_repeatable;
    long accepted[3]; /* besides success */
};
SE_MUST_CHECK se_status admin_session_ask(struct http_answer *out,
                                          const struct admin_session *session,
                                          const struct vault_ask *ask, se_error *err,
                                          const char *path, ...)
    __attribute__((format(printf, 5, 6)));

/* The same, and the answer as JSON; *out is NULL for an accepted answer that is no success. */
SE_MUST_CHECK se_status admin_session_json(json_t **out, const struct admin_session *session,
                                           const struct http_answer *answer, se_error *err);

/* *out: the live object, or one below it ("/rotationpolicy", ""); NULL: there is none. */
SE_MUST_CHECK se_status admin_session_find(json_t **out, const struct admin_session *session,
                                           const char *below, se_error *err);
/* *out: the deleted object; NULL: there is none. */
SE_MUST_CHECK se_status admin_session_find_deleted(json_t **out,
                                                   const struct admin_session *session,
                                                   se_error *err);

/* The address in an object; "" without. */
void vault_object_read(struct vault_object *out, const struct admin_session *session,
                       const json_t *json);

/* A member that is a text, or a number; "" and 0 without. */
const char *json_member_text(const json_t *json, const char *name);
int64_t json_member_number(const json_t *json, const char *name);

/* As a JSON string, with its quotes; what is a secret stays in the writer. */
void writer_json_text(struct writer *w, se_bytes text);

/* Waits a little longer each time.  False: until `until` (clock_monotonic_ms()) there is no time.
 */
struct vault_poll {
    int64_t until;
    unsigned pause; /* milliseconds; 0: the first time */
};
bool vault_poll_wait(struct vault_poll *poll);

void vault_news_progress(const struct vault_news *news, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void vault_news_warn(const struct vault_news *news, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
