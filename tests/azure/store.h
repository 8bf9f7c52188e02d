/* SPDX-License-Identifier: Apache-2.0 */
/* What the vault holds: objects by name, each with versions.  A certificate's object is its key's
 * too. */
#ifndef TESTS_AZURE_STORE_H
#define TESTS_AZURE_STORE_H

#include "tests/azure/emulator.h"

#include <openssl/x509.h>

enum life { LIFE_LIVE, LIFE_DELETING, LIFE_DELETED, LIFE_RECOVERING, LIFE_PURGING };

struct version {
    char id[33];
    char kty[16], crv[8];
    int bits;
    EVP_PKEY *key; /* NULL: a symmetric key, in octets */
    unsigned char octets[32];
    size_t octet_count;
    json_t *jwk; /* n, e or crv, x, y */
    json_t *ops, *tags;
    bool enabled, exportable;
    int64_t not_before, expires, created, updated; /* seconds; 0: none */
    X509 *certificate;
    bool pending; /* its certificate is not there yet */
};

struct pending {
    bool there, cancelled, done;
    char request[33];
    char *csr; /* base64 */
    char version[33];
    int64_t until; /* ms; self-signed: when it is done */
};

struct object {
    char name[128];
    struct version **versions; /* the oldest first */
    size_t count;
    enum life life;
    int64_t until; /* ms: when the change of its life is done */
    int64_t deleted, purge_date;
    json_t *rotation;
    json_t *policy; /* of a certificate */
    struct pending pending;
};

/* what a handler gets */
struct call {
    const struct request *request;
    struct answer *answer;
    json_t *body;               /* an object, or NULL */
    const char *name, *version; /* the path's, or NULL */
    const char *api;
    const char *operation;
    struct principal who;
};

/* ---- store.c: with the lock held ---- */

void store_lock(void);
void store_unlock(void);
struct object *store_find(const char *name); /* of any life; what is due has happened to it */
struct object *store_add(const char *name);
void store_remove(struct object *object);
size_t store_count(void);
struct object *store_at(size_t i);
struct version *version_add(struct object *object);
struct version *version_find(const struct object *object,
                             const char *id); /* NULL or "": the newest */
void version_free(struct version *version);
void object_begin(struct object *object, enum life life); /* takes settings.delay in a vault */

/* ---- jwk.c ---- */

json_t *jwk_public(EVP_PKEY *key, const char *crv);
const char *jwk_import(struct version *out, const json_t *jwk); /* why not, or NULL */
const char *curve_group(const char *crv);
size_t curve_width(const char *crv);
const char *key_generate(struct version *out, const char *kty, int bits, const char *crv);
void version_describe(struct version *version,
                      const char *kty); /* after .key: kty, crv, bits, jwk */

/* ---- answers.c ---- */

void answer_error(struct call *c, int status, const char *code, const char *inner,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));
char *store_url(const struct call *c, const char *folder, const char *name, const char *version);
json_t *key_attributes(const struct call *c, const struct version *version);
json_t *key_bundle(const struct call *c, const struct object *object,
                   const struct version *version);
json_t *key_item(const struct call *c, const struct object *object, const struct version *version,
                 bool with_version);
void add_deletion(const struct call *c, json_t *bundle, const struct object *object,
                  const char *folder);
void answer_not_found(struct call *c, const char *what);
void answer_list(struct call *c, json_t *items);
bool name_valid(const char *name);
/* the live object of this call and its version, or an error was answered */
struct version *call_version(struct call *c, struct object **object, const char *what);
/* whether a new version may be made under this name */
bool name_free(struct call *c, const char *what);

/* ---- handlers ---- */

void key_create(struct call *c);
void key_import(struct call *c);
void key_get(struct call *c);
void key_update(struct call *c);
void key_list(struct call *c);
void key_versions(struct call *c);
void key_delete(struct call *c);
void key_deleted(struct call *c);
void key_deleted_list(struct call *c);
void key_recover(struct call *c);
void key_purge(struct call *c);
void key_backup(struct call *c);
void key_restore(struct call *c);
void key_rotate(struct call *c);
void key_policy(struct call *c);
void key_set_policy(struct call *c);
const char *key_rotate_now(const char *name);
void key_operate(struct call *c);
void key_verify(struct call *c);
void random_bytes(struct call *c);
/* takes a while: before somebody waits for a signature */
void other_keys_make(void);
/* a good signature, but of another key of that kind; its size */
size_t other_signature(unsigned char *out, size_t room, const char *alg, size_t like,
                       const char *digest);

void certificate_create(struct call *c);
void certificate_import(struct call *c);
void certificate_get(struct call *c);
void certificate_update(struct call *c);
void certificate_list(struct call *c);
void certificate_versions(struct call *c);
void certificate_policy(struct call *c);
void certificate_set_policy(struct call *c);
void certificate_pending(struct call *c);
void certificate_cancel(struct call *c);
void certificate_forget_pending(struct call *c);
void certificate_merge(struct call *c);
void certificate_delete(struct call *c);
void certificate_deleted(struct call *c);
void certificate_deleted_list(struct call *c);
void certificate_recover(struct call *c);
void certificate_backup(struct call *c);
void certificate_restore(struct call *c);
void issuer_get(struct call *c);
void contacts_get(struct call *c);
void certificate_settle(struct object *object); /* issues what is due */

/* ---- cert_build.c ---- */

json_t *policy_complete(const json_t *given, const char *id, const json_t *old);
json_t *policy_of_certificate(X509 *certificate, const struct version *version,
                              const json_t *given);
json_t *policy_key_ops(const json_t *policy);
char *csr_make(EVP_PKEY *key, const json_t *policy); /* base64, or NULL */
X509 *certificate_self_signed(EVP_PKEY *key, const json_t *policy);
int64_t asn1_seconds(const ASN1_TIME *time);

/* ---- backup.c ---- */

json_t *object_save(const struct object *object);
bool object_load(struct object *object, const json_t *saved);
char *blob_seal(const json_t *saved, const char *kind);
json_t *blob_open(const char *blob, const char *kind);

/* ---- hsm.c, roles.c: a Managed HSM's own ---- */

void hsm_backup(struct call *c);
void hsm_restore(struct call *c);
void hsm_restore_key(struct call *c);
void hsm_job(struct call *c);
bool hsm_busy(void); /* a restore is running */
void settings_get(struct call *c);
void settings_set(struct call *c);

void roles_start(void);
void roles_handle(struct call *c, const char *scope, const char *kind, const char *name);
bool roles_allow(const struct call *c, const char *action);
const char *roles_grant(const char *principal, const char *role,
                        const char *scope); /* why not, or NULL */

#endif
