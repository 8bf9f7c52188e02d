/* SPDX-License-Identifier: Apache-2.0 */
/* The stores: from a keyref to a key, pinned to the version that the certificate belongs to. */
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "crypto/certificate.h"
#include "keystore/azure/jwk.h"
#include "keystore/azure/key.h"
#include "keystore/azure/objects.h"
#include "keystore/keystore.h"

enum { VERSIONS_MOST = 500 }; /* that are looked through for the certificate's */

struct vault_opening {
    const struct keyref *ref;
    struct vault *vault;
    int64_t until;
    struct certificates certificates;

    /* the key */
    EVP_PKEY *public_key;
    char *id;
    unsigned operations;
};

static void opening_free(struct vault_opening *o)
{
    vault_close(o->vault);
    certificates_free(&o->certificates);
    EVP_PKEY_free(o->public_key);
    free(o->id);
}
AUTO_KIND(vault_opening, struct vault_opening, opening_free(p))

/* ---- asking ---- */

/* `version`: "": the newest. */
static se_status fetch_object(json_t **out, const struct vault_opening *o, const char *collection,
                              const char *version, se_error *err)
{
    const struct vault_caller caller = { o->vault, o->ref, o->until };

    return vault_fetch_object(out, &caller, collection, o->ref->alias, version, err);
}

static se_status list_versions(const struct vault_opening *o, const char *collection,
                               vault_item_fn fn, void *arg, se_error *err)
{
    const struct vault_caller caller = { o->vault, o->ref, o->until };

    return vault_list_versions(&caller, collection, o->ref->alias, fn, arg, err);
}

static se_status keep_text(char **out, const char *text, se_error *err)
{
    free(*out);
    *out = strdup(text);
    return *out ? SE_OK : error_memory(err);
}

/* ---- certificate mode: the certificate says which key ---- */

static se_status refuse_pending(const struct vault_opening *o, se_error *err)
{
    se_status st = error_set(err, SE_ERR_KEY,
                             "certificate '%s' is still pending: no CA has signed it; `signengine "
                             "key certificate` gives the vault what the CA has sent",
                             o->ref->alias);

    return vault_context(o->vault, st, err);
}

/* What the certificate of `answer` says, which is not pending. */
static se_status use_certificate(struct vault_opening *o,
                                 const struct vault_certificate_answer *answer, se_error *err)
{
    struct object_id id;

    if (!answer->attributes.is_enabled)
        return error_set(err, SE_ERR_POLICY, "certificate '%s' is disabled", o->ref->alias);
    TRY(object_id_parse(&id, vault_place(o->vault), "keys", answer->key_id, err));
    if (!*id.version)
        return error_set(err, SE_ERR_STORE, "certificate '%s' names no version of its key",
                         o->ref->alias);
    TRY(certificate_parse(&o->certificates.own, buf_bytes(&answer->certificate), err));
    if (!(o->public_key = X509_get_pubkey(o->certificates.own)))
        return error_set(err, SE_ERR_KEY, "certificate '%s' has no usable key", o->ref->alias);
    o->operations = KEY_OP_SIGN | KEY_OP_DECRYPT; /* the first use will tell */
    return keep_text(&o->id, answer->key_id, err);
}

/* `below`: the version; "": the newest. */
static se_status fetch_certificate(struct vault_certificate_answer *out,
                                   const struct vault_opening *o, const char *below, se_error *err)
{
    AUTO(json) json = NULL;

    TRY(fetch_object(&json, o, "certificates", below, err));
    return vault_context(o->vault, answer_certificate(out, json, err), err);
}

/* While a renewal is pending, or not valid yet, the certificate before it goes on. */
struct renewal_search {
    const struct vault_opening *opening;
    const char *waiting; /* id */
    struct object_id newest;
    int64_t created;
};

static bool is_waiting(const struct vault_attributes *attributes)
{
    return attributes->not_before > time(NULL);
}

static se_status note_version(void *arg, const json_t *item, bool *stop, se_error *err)
{
    struct renewal_search *search = arg;
    AUTO(vault_certificate_answer) answer = { .certificate = SE_BUF_INIT };
    struct object_id id;

    (void)stop;
    TRY(answer_certificate(&answer, item, err));
    TRY(object_id_parse(&id, vault_place(search->opening->vault), "certificates", answer.id, err));
    if (!answer.attributes.is_enabled || !strcasecmp(answer.id, search->waiting) ||
        answer.attributes.created < search->created || is_waiting(&answer.attributes))
        return SE_OK;
    search->newest = id;
    search->created = answer.attributes.created;
    return SE_OK;
}

/* *out has no certificate if there is none. */
static se_status fetch_renewed(struct vault_certificate_answer *out, const struct vault_opening *o,
                               const char *waiting, se_error *err)
{
    struct renewal_search search = { .opening = o, .waiting = waiting };

    TRY(list_versions(o, "certificates", note_version, &search, err));
    return *search.newest.version ? fetch_certificate(out, o, search.newest.version, err) : SE_OK;
}

static se_status find_certificate(struct vault_opening *o, se_error *err)
{
    AUTO(vault_certificate_answer) newest = { .certificate = SE_BUF_INIT };
    AUTO(vault_certificate_answer) renewed = { .certificate = SE_BUF_INIT };

    TRY(fetch_certificate(&newest, o, "", err));
    if (newest.certificate.size && !is_waiting(&newest.attributes))
        return vault_context(o->vault, use_certificate(o, &newest, err), err);
    TRY(fetch_renewed(&renewed, o, newest.id, err));
    if (!renewed.certificate.size && !newest.certificate.size)
        return refuse_pending(o, err);
    return vault_context(
        o->vault, use_certificate(o, renewed.certificate.size ? &renewed : &newest, err), err);
}

/* ---- what the versions before have signed stays good ---- */

static se_status add_version(void *arg, const json_t *item, bool *stop, se_error *err)
{
    struct vault_opening *o = arg;
    AUTO(vault_certificate_answer) listed = { .certificate = SE_BUF_INIT };
    AUTO(vault_certificate_answer) answer = { .certificate = SE_BUF_INIT };
    AUTO(x509) certificate = NULL;
    struct object_id id;

    (void)stop;
    TRY(answer_certificate(&listed, item, err));
    if (!listed.attributes.is_enabled)
        return SE_OK;
    TRY(object_id_parse(&id, vault_place(o->vault), "certificates", listed.id, err));
    TRY(fetch_certificate(&answer, o, id.version, err));
    if (!answer.certificate.size)
        return SE_OK; /* pending */
    TRY(certificate_parse(&certificate, buf_bytes(&answer.certificate), err));
    return certificates_add_former(&o->certificates, certificate, err);
}

/* Who may not list them has the one that is in use. */
static se_status add_versions(struct vault_opening *o, se_error *err)
{
    se_error why = SE_ERROR_INIT;
    se_status st = list_versions(o, "certificates", add_version, o, &why);

    if (!st || st == SE_ERR_ACCESS)
        return SE_OK;
    return error_copy(err, st, &why);
}

static se_status find_certificates(struct vault_opening *o, se_error *err)
{
    TRY(find_certificate(o, err));
    return add_versions(o, err);
}

/* ---- key mode: the certificate is ours, and says which version ---- */

static bool is_certificates(const struct vault_opening *o)
{
    return EVP_PKEY_eq(o->public_key, X509_get0_pubkey(o->certificates.own)) == 1;
}

static se_status use_version(struct vault_opening *o, const json_t *json, se_error *err)
{
    struct vault_key_answer answer;
    struct object_id id;

    EVP_PKEY_free(o->public_key);
    o->public_key = NULL;
    TRY(answer_key(&answer, json, err));
    TRY(object_id_parse(&id, vault_place(o->vault), "keys", answer.id, err));
    TRY(jwk_public_key(&o->public_key, answer.jwk, err));
    o->operations = answer.operations;
    return keep_text(&o->id, answer.id, err);
}

/* `below`: the version; "": the newest. */
static se_status fetch_version(struct vault_opening *o, const char *below, se_error *err)
{
    AUTO(json) json = NULL;

    TRY(fetch_object(&json, o, "keys", below, err));
    return vault_context(o->vault, use_version(o, json, err), err);
}

struct version_search {
    struct vault_opening *opening;
    unsigned seen;
    bool found;
};

static se_status try_version(void *arg, const json_t *item, bool *stop, se_error *err)
{
    struct version_search *search = arg;
    struct vault_opening *o = search->opening;
    struct object_id id;

    TRY(vault_context(
        o->vault,
        object_id_parse(&id, vault_place(o->vault), "keys", member_text(item, "kid"), err), err));
    TRY(fetch_version(o, id.version, err));
    search->found = is_certificates(o);
    *stop = search->found || ++search->seen == VERSIONS_MOST;
    return SE_OK;
}

/* The one that the certificate belongs to, after a rotation. */
static se_status search_versions(struct vault_opening *o, se_error *err)
{
    struct version_search search = { .opening = o };

    TRY(list_versions(o, "keys", try_version, &search, err));
    if (search.found)
        return SE_OK;
    return vault_context(o->vault,
                         error_set(err, SE_ERR_KEY,
                                   "the certificate belongs to none of the %u versions of key '%s'",
                                   search.seen, o->ref->alias),
                         err);
}

static se_status find_version(struct vault_opening *o, se_error *err)
{
    TRY(fetch_version(o, o->ref->key_version, err));
    if (is_certificates(o))
        return SE_OK;
    if (*o->ref->key_version)
        return vault_context(o->vault,
                             error_set(err, SE_ERR_KEY,
                                       "the certificate does not belong to version %s of key '%s'",
                                       o->ref->key_version, o->ref->alias),
                             err);
    return search_versions(o, err);
}

static se_status check_operations(const struct vault_opening *o, enum key_part part, se_error *err)
{
    const unsigned needed =
        part == PART_SIGN ? KEY_OP_SIGN : KEY_OP_DECRYPT | KEY_OP_UNWRAP; /* one of them */

    if (o->operations & needed)
        return SE_OK;
    return vault_context(o->vault,
                         error_set(err, SE_ERR_KEY, "key '%s' may not %s: its key_ops lack %s",
                                   o->ref->alias, part == PART_SIGN ? "sign" : "decrypt",
                                   part == PART_SIGN ? "'sign'" : "'decrypt' and 'unwrapKey'"),
                         err);
}

/* ---- both ---- */

static se_status find_key(struct vault_opening *o, enum key_part part, se_error *err)
{
    TRY(store_configured_certificate(&o->certificates, o->ref, err));
    if (!o->certificates.own && place_names_certificate(o->ref))
        return find_certificates(o, err);
    if (!o->certificates.own)
        return error_set(err, SE_ERR_CONFIG, "a vault's key needs the attribute 'certificate'%s",
                         place_kind(o->ref) == VAULT_KEY_VAULT ? ", or the mode 'certificate'"
                                                               : "");
    if (part <= PART_ENCRYPT)
        return SE_OK;
    TRY(find_version(o, err));
    return check_operations(o, part, err);
}

static se_status open_private_key(EVP_PKEY **out, struct vault_opening *o,
                                  const struct key_watch *watch, se_error *err)
{
    struct vault_key *key;

    *out = NULL;
    TRY(vault_key_new(&key, o->ref, MOVE(o->vault), o->public_key, MOVE(o->id), o->operations,
                      watch, err));
    return vault_key_wrap(out, key, err);
}

static se_status open_vault_key(struct key **out, const struct keyref *ref, enum key_part part,
                                const struct key_watch *watch, se_error *err)
{
    AUTO(vault_opening) o = { .ref = ref, .until = vault_deadline(ref) };
    EVP_PKEY *private_key = NULL;

    *out = NULL;
    TRY(vault_open(&o.vault, ref, err));
    TRY(find_key(&o, part, err));
    if (part > PART_ENCRYPT)
        TRY(open_private_key(&private_key, &o, watch, err));
    return key_new(out, private_key, &o.certificates, err);
}

const struct store_type key_vault_store = { .name = "AzureKeyVault", .open = open_vault_key };
const struct store_type managed_hsm_store = { .name = "AzureManagedHSM", .open = open_vault_key };
