/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Azure's vaults can do with a key that no other store can: take it back after it was deleted,
 * purge it, back it up, make a new version of it, say who may use it; and with a Managed HSM as a
 * whole.
 *
 * SE_ERR_USAGE: the target is in another kind of store, or what is asked for can't be; SE_ERR_IO:
 * something is there already; SE_ERR_POLICY: the vault's protection forbids it; the others as
 * signengine.h has them.
 */
#ifndef PROVISION_VAULT_ADMIN_H
#define PROVISION_VAULT_ADMIN_H

#include "provision/provision.h"

/* What goes for good; texts are "" and times 0 where there are none. */
struct vault_loss {
    const char *kind;       /* "key", "certificate", "role assignment", "Managed HSM" */
    const char *id;         /* its address */
    const char *detail;     /* what else there is to say */
    int64_t deleted, purge; /* seconds since 1970: since when it is deleted, when it goes by itself
                             */
};

/* The question before it goes: `loss` gets a row for each part, then `ask` says whether it may. */
struct vault_consent {
    void (*loss)(void *arg, const struct vault_loss *loss);
    se_status (*ask)(void *arg, const char *question, se_error *err);
    void *arg;
    bool dry_run; /* ends without a change, and without asking */
};

/* An object of a vault. */
struct vault_object {
    const char *kind; /* "key", "certificate"; static */
    char id[512];     /* "https://vault/keys/NAME/VERSION" */
};

/* ---- deleted keys and certificates ---- */

/* Takes a deleted key, or certificate with its key, back; returns when it can be used. */
SE_MUST_CHECK se_status vault_recover(struct vault_object *out, const struct target *target,
                                      se_error *err);

/* Removes a deleted one for good.  SE_ERR_POLICY: purge protection forbids it; it says until when.
 */
SE_MUST_CHECK se_status vault_purge(struct vault_object *out, const struct target *target,
                                    const struct vault_consent *consent, se_error *err);

/* ---- a backup of one, with all its versions (doc/formats.md) ---- */

SE_MUST_CHECK se_status vault_backup(se_buf *out, struct vault_object *object,
                                     const struct target *target, se_error *err);

/* Whether the file begins as one of vault_backup(). */
bool vault_backup_is(se_bytes file);

/* `file`: what vault_backup() has made; `name` is what messages call it. */
SE_MUST_CHECK se_status vault_restore(struct vault_object *out, const struct target *target,
                                      se_bytes file, const char *name, se_error *err);

/* ---- a new version ---- */

struct vault_rotation {
    const struct provision_profile *wanted; /* of the certificate; its type is the old version's */
    bool is_request;         /* makes a request for a CA, not a self-signed certificate */
    const char *version;     /* one that is there already gets its certificate; "": a new one */
    const char *certificate; /* the file that the certificate will be in; "": not known */
};
struct vault_rotated {
    struct vault_object object;
    se_buf made;          /* PEM: the certificate, or the request; empty: the vault has it */
    se_buf configuration; /* the elements for the new version, as XML */
};
SE_MUST_CHECK se_status vault_rotate(struct vault_rotated *out, const struct target *target,
                                     const struct vault_rotation *how, se_error *err);
void vault_rotated_free(struct vault_rotated *rotated);
AUTO_KIND(vault_rotated, struct vault_rotated, vault_rotated_free(p))

/* ---- who may use a key of a Managed HSM ---- */

struct vault_role_row {
    const char *role, *role_id; /* "Managed HSM Crypto User", "21dbd100-…" */
    const char *principal, *scope;
    const char *assignment; /* its name: a GUID */
};
typedef void (*vault_role_fn)(void *arg, const struct vault_role_row *row);

/* `role`: a name or an id; "": any.  `principal`: an object id; "": any.  `scope`: "/", "/keys" or
 * "/keys/NAME"; "": the target's key. */
struct vault_role_choice {
    const char *role, *principal, *scope;
};

/* What holds at that scope, wherever it was given. */
SE_MUST_CHECK se_status vault_roles_list(const struct target *target,
                                         const struct vault_role_choice *which, vault_role_fn fn,
                                         void *arg, se_error *err);
/* *is_new: it was not there before. */
SE_MUST_CHECK se_status vault_roles_grant(bool *is_new, const struct target *target,
                                          const struct vault_role_choice *which, bool dry_run,
                                          vault_role_fn fn, void *arg, se_error *err);
/* Only what was given at this very scope; `fn` gets what is gone. */
SE_MUST_CHECK se_status vault_roles_revoke(const struct target *target,
                                           const struct vault_role_choice *which,
                                           const struct vault_consent *consent, vault_role_fn fn,
                                           void *arg, se_error *err);

/* ---- a Managed HSM as a whole, to and from Blob storage ---- */

struct vault_storage {
    const char *container; /* "https://account.blob.core.windows.net/container" */
    const se_buf *token;   /* SAS; empty: the Managed HSM's own identity opens the container */
};

struct vault_job {
    char id[64], status[32]; /* "InProgress", "Succeeded" */
    char detail[512];
    char folder[1024]; /* of a backup: the URL where it is */
    int64_t started, ended;
};

/* `is_waited_for`: returns when the job has ended.  SE_ERR_STORE: it has failed. */
SE_MUST_CHECK se_status vault_store_backup(struct vault_job *out, const struct target *target,
                                           const struct vault_storage *storage, bool is_waited_for,
                                           se_error *err);
SE_MUST_CHECK se_status vault_store_restore(struct vault_job *out, const struct target *target,
                                            const struct vault_storage *storage, const char *folder,
                                            bool is_waited_for, const struct vault_consent *consent,
                                            se_error *err);
SE_MUST_CHECK se_status vault_store_status(struct vault_job *out, const struct target *target,
                                           const char *job, bool is_restore, se_error *err);

#endif
