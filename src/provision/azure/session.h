/* SPDX-License-Identifier: Apache-2.0 */
/* What a target names in its vault, and requests about it. */
#ifndef PROVISION_AZURE_SESSION_H
#define PROVISION_AZURE_SESSION_H

#include "keystore/azure/objects.h"
#include "provision/target.h"
#include "provision/vault_admin.h"

struct vault_session {
    const struct target *target;
    struct vault *vault;
    bool is_certificate;    /* with its key; else it is a key alone */
    const char *kind;       /* "key", "certificate"; static */
    const char *collection; /* "keys", "certificates"; static */
    const char *name;       /* that a vault takes as one; borrowed */
};

enum vault_stores {
    VAULT_STORES_ALL,
    VAULT_STORES_HSM, /* a Managed HSM only */
};

/* Asks nobody yet.  `command`: "key recover".  SE_ERR_USAGE: the target is in another store than
 * the command is for, or no vault takes its name. */
SE_MUST_CHECK se_status vault_session_open(struct vault_session *out, const struct target *target,
                                           enum vault_stores stores, const char *command,
                                           se_error *err);
void vault_session_close(struct vault_session *session);
AUTO_KIND(vault_session, struct vault_session, vault_session_close(p))

static inline bool vault_session_is_hsm(const struct vault_session *session)
{
    return vault_place(session->vault)->kind == VAULT_MANAGED_HSM;
}

/* For what is not about the object. */
struct vault_caller vault_session_caller(const struct vault_session *session);

/* ---- requests ---- */

struct vault_call {
    const char *method;
    const char *verb;  /* for messages: "back up", which kind and name are put behind */
    const char *below; /* the object: "pending/merge"; NULL: the object itself */
    bool is_deleted;   /* the deleted object, not the one that is there */
    /* not NULL: this instead of the object's path; `verb` is all that messages say then */
    const char *path;
    const char *api_version;   /* NULL: the usual one */
    const struct writer *body; /* JSON; NULL: none */
    bool is_repeatable;
    long accepted[3]; /* as in struct vault_request */
};

struct vault_reply {
    struct http_answer answer;
    json_t *json; /* of a success; NULL: it is none, or what was deleted is not told of */
};
void vault_reply_free(struct vault_reply *reply);
AUTO_KIND(vault_reply, struct vault_reply, vault_reply_free(p))

SE_MUST_CHECK se_status vault_session_call(struct vault_reply *out,
                                           const struct vault_session *session,
                                           const struct vault_call *call, se_error *err);

/* The same where nothing but a success is of interest. */
SE_MUST_CHECK se_status vault_session_fetch(json_t **out, const struct vault_session *session,
                                            const struct vault_call *call, se_error *err);

/* The failure that an accepted answer is after all. */
se_status vault_session_failure(const struct vault_reply *reply,
                                const struct vault_session *session, const struct vault_call *call,
                                se_error *err);

/* *out: what is there, or `below` it; NULL: nothing is. */
SE_MUST_CHECK se_status vault_session_find(json_t **out, const struct vault_session *session,
                                           const char *below, se_error *err);
SE_MUST_CHECK se_status vault_session_find_deleted(json_t **out,
                                                   const struct vault_session *session,
                                                   se_error *err);

/* The same as find() after an answer was lost: for as long as the vault may be away. */
SE_MUST_CHECK se_status vault_session_find_again(json_t **out, const struct vault_session *session,
                                                 const char *below);

/* ---- what is in answers, and in bodies ---- */

/* The address in an object; "" without. */
void vault_object_read(struct vault_object *out, const struct vault_session *session,
                       const json_t *json);

/* Releases `json`, which may be NULL, and fails then. */
SE_MUST_CHECK se_status vault_body_write(struct writer *out, json_t *json, se_error *err);

/* ---- waiting ---- */

/* Waits longer each time.  False: `until` (clock_monotonic_ms()) has come. */
struct vault_poll {
    int64_t until;
    unsigned pause; /* milliseconds; 0: the first time */
};
bool vault_poll_wait(struct vault_poll *poll);

#endif
