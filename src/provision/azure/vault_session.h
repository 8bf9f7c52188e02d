/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that change what is in a vault, under one name. */
#ifndef PROVISION_AZURE_VAULT_SESSION_H
#define PROVISION_AZURE_VAULT_SESSION_H

#include "keystore/azure/objects.h"
#include "provision/target.h"

struct vault_session {
    const struct target *target;
    struct vault *vault;
    const char *name; /* of the key or certificate: what a vault takes as one */
};

/* Asks nobody yet.  SE_ERR_USAGE: the name is none that a vault takes. */
SE_MUST_CHECK se_status vault_session_open(struct vault_session *out, const struct target *target,
                                           se_error *err);
void vault_session_close(struct vault_session *session);

static inline bool vault_session_is_hsm(const struct vault_session *session)
{
    return vault_place(session->vault)->kind == VAULT_MANAGED_HSM;
}

struct vault_call {
    const char *method;
    const char *collection; /* "keys", "deletedkeys" */
    const char *below;      /* behind the name: "/create"; NULL: nothing */
    const char *action;     /* for messages: "make key", which the name is put behind */
    se_bytes body;          /* JSON; data NULL: none */
    bool is_repeatable;
    long accepted[3]; /* as in struct vault_request */
};

struct vault_reply {
    struct http_answer answer;
    json_t *json; /* NULL: there is none, or it is no success */
};
void vault_reply_free(struct vault_reply *reply);
AUTO_KIND(vault_reply, struct vault_reply, vault_reply_free(p))

SE_MUST_CHECK se_status vault_call(struct vault_reply *out, const struct vault_session *session,
                                   const struct vault_call *call, se_error *err);

/* The failure that an accepted answer is after all. */
se_status vault_reply_failure(const struct vault_reply *reply, const struct vault_session *session,
                              const struct vault_call *call, se_error *err);

/* GET /COLLECTION/NAME, or below it; `action`: "read key".  *out->json is NULL: there is none. */
SE_MUST_CHECK se_status vault_look(struct vault_reply *out, const struct vault_session *session,
                                   const char *collection, const char *below, const char *action,
                                   se_error *err);

/* The same after an answer was lost: for as long as the vault may be away.  A failure before it is
 * forgotten. */
SE_MUST_CHECK se_status vault_look_again(struct vault_reply *out,
                                         const struct vault_session *session,
                                         const char *collection, const char *below,
                                         const char *action, se_error *err);

/*
 * The way out of an answer 409 to a call that makes something: a name that is deleted is free when
 * it is recovered or purged.  `deleted`: "deletedkeys".  Always a failure.
 */
se_status vault_refuse_conflict(const struct vault_reply *reply,
                                const struct vault_session *session, const struct vault_call *call,
                                const char *deleted, se_error *err);

/* Waits longer from turn to turn; false: `until` (clock_monotonic_ms()) has come. */
bool vault_wait(unsigned *turn, int64_t until);

/* Deletes, and waits until it is done: then the name can be recovered, or purged.  `collection`:
 * "keys". */
SE_MUST_CHECK se_status vault_delete(const struct vault_session *session, const char *collection,
                                     se_error *err);

/* When the deleted object is purged, seconds since 1970; 0: it is not said. */
int64_t vault_purge_date(const json_t *json);

/* A tag of ours on what we make, by which it is known again. */
enum { VAULT_TAG = 33 };
#define VAULT_TAG_NAME "signengine-request"
SE_MUST_CHECK se_status vault_tag_make(char out[VAULT_TAG], se_error *err);
bool vault_tag_is(const json_t *json, const char tag[VAULT_TAG]);

/* Releases `json`, which may be NULL, and fails then. */
SE_MUST_CHECK se_status vault_body(struct writer *out, json_t *json, se_error *err);

#endif
