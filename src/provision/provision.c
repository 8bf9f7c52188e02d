/* SPDX-License-Identifier: Apache-2.0 */
/* What `signengine key` does, step by step: open the store, look, ask, change, report. */
#include "provision/provision.h"

#include <openssl/err.h>

#include "base/utf8.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "keystore/keystore.h"
#include "provision/import.h"
#include "provision/listing.h"
#include "provision/target_certificate.h"
#include "provision/x509_build.h"

enum { DAYS_MOST = 36500 };

static se_status prefix_target(const struct target *target, se_status st, se_error *err)
{
    return error_prefix(err, st, "%s: ", target->text);
}

/* Read back from where it is now. */
static se_status report_key(const struct target *target, const struct provision_report *report,
                            se_error *err)
{
    AUTO(keystore) keystore = NULL;

    TRY(target_keystore_open(&keystore, target, ACCESS_LOOK, err));
    return keystore->ops->list(keystore, LIST_OWN, report, err);
}

/* New names must be readable everywhere: CKA_LABEL is UTF-8, friendlyName is UTF-16, and a PEM
 * file's name is its alias. */
static se_status check_name(const struct target *target, se_error *err)
{
    return utf8_is(text_bytes(target->name))
               ? SE_OK
               : error_set(err, SE_ERR_USAGE, "this name is not UTF-8: choose another alias");
}

static bool is_dry(const struct provision_consent *consent)
{
    return consent && consent->dry_run;
}

/* What an option asks for is done, or refused; never passed over. */
static se_status check_feature(const struct keystore *keystore, bool is_asked,
                               enum keystore_feature feature, const char *option, se_error *err)
{
    return !is_asked || keystore->ops->features & feature
               ? SE_OK
               : error_set(err, SE_ERR_USAGE, "%s is not for a key in such a place", option);
}

static se_status ask_consent(struct keystore *keystore, unsigned scope,
                             const struct provision_consent *consent, se_error *err)
{
    const struct descriptor *user = target_descriptor(keystore->target, false);

    if (!consent)
        return SE_OK;
    TRY(keystore->ops->list(keystore, scope, &consent->loss, err));
    if (consent->dry_run)
        return SE_OK;
    if (!user)
        user = target_descriptor(keystore->target, true);
    return consent->ask(consent->arg, user ? user->name : NULL, err);
}

/* A file that the configuration names for the certificate is what is used: that the store has one
 * does not do. */
static bool has_certificate_file(const struct keystore *keystore)
{
    return *keystore->target->ref.certificate && !(keystore->ops->features & KEYSTORE_FILES);
}

static se_status store_certificates(struct keystore *keystore, X509 *certificate,
                                    const STACK_OF(X509) * chain, enum replace replace,
                                    se_error *err)
{
    const bool has_file = has_certificate_file(keystore);
    AUTO(output) file = OUTPUT_INIT;

    if (has_file)
        TRY(target_certificate_open(&file, keystore->target, err));
    TRY(keystore->ops->put_certificates(keystore, certificate, chain, err));
    TRY(keystore->ops->commit(keystore, replace, err));
    return has_file ? target_certificate_write(&file, keystore->target, certificate, chain,
                                               REPLACE_NOTHING, err)
                    : SE_OK;
}

/* A certificate of the key itself is what was left of it, when the store was lost.  `key` NULL: a
 * new one, of which nothing can be there. */
static se_status check_certificate_file(const struct keystore *keystore, const EVP_PKEY *key,
                                        bool force, se_error *err)
{
    const struct target *target = keystore->target;

    if (force || !has_certificate_file(keystore) || !target_certificate_is_there(target) ||
        (key && target_certificate_has_key(target, key)))
        return SE_OK;
    return error_set(err, SE_ERR_IO, "'%s' is there already, for another key: --force replaces it",
                     target->ref.certificate);
}

/* Looks first: an existing key is replaced only with `force`. */
static se_status open_for_new_key(struct keystore **out, struct target *target, bool force,
                                  const struct provision_consent *consent, se_error *err)
{
    bool there;

    TRY(target_keystore_open(out, target, ACCESS_USE, err));
    TRY((*out)->ops->holds(&there, *out, err));
    if (!there)
        return SE_OK;
    if (!force)
        return error_set(err, SE_ERR_IO, "there is one already: --force %s",
                         (*out)->ops->force_does ? (*out)->ops->force_does : "replaces it");
    return ask_consent(*out, LIST_OWN, consent, err);
}

/* ---- generate ---- */

static se_status generate_certified(struct keystore *keystore, const struct key_profile *key,
                                    const struct cert_profile *profile, se_error *err)
{
    AUTO(key_pair) made = { NULL, NULL };
    AUTO(x509) certificate = NULL;

    TRY(keystore->ops->generate(&made, keystore, key, err));
    TRY(x509_build_certificate(&certificate, &made, profile, err));
    return store_certificates(keystore, certificate, NULL, REPLACE_ALL, err);
}

static se_status generate_key(struct target *target, const struct key_profile *key,
                              const struct cert_profile *profile,
                              const struct provision_profile *wanted, se_error *err)
{
    AUTO(keystore) keystore = NULL;

    TRY(open_for_new_key(&keystore, target, wanted->force, wanted->consent, err));
    TRY(check_certificate_file(keystore, NULL, wanted->force, err));
    TRY(check_feature(keystore, key->protection, KEYSTORE_PROTECTION, "--protection", err));
    TRY(check_feature(keystore, key->days, KEYSTORE_EXPIRY, "--expires", err));
    if (!wanted->like) /* the last one was as its store has keys: there is nothing to wish for */
        TRY(check_feature(keystore, key->is_exportable, KEYSTORE_EXPORTABLE, "--exportable", err));
    if (is_dry(wanted->consent))
        return SE_OK;
    if (keystore->ops->generate_certified)
        return keystore->ops->generate_certified(keystore, key, profile, err);
    return generate_certified(keystore, key, profile, err);
}

/* The certificate of a <key>, whichever replica has it. */
static se_status open_configured(struct key **out, const struct target *target, const char *name,
                                 se_error *err)
{
    const struct key_entry *entry;

    *out = NULL;
    if (!target->config)
        return error_set(err, SE_ERR_USAGE, "a key that is like another one is a configured one");
    TRY(config_key(&entry, target->config, name, err));
    for (size_t i = 0; i < entry->count; i++)
        if (!store_open(out, &entry->replicas[i], PART_CERTIFICATE, NULL, err))
            return SE_OK;
    return error_prefix(err, err ? err->status : SE_ERR_KEY, "key '%s': ", name);
}

/* What both profiles say; `usual`: of the key's type. */
static se_status parse_profiles(struct key_profile *key, struct cert_profile *certificate,
                                const struct provision_profile *wanted, const struct target *target,
                                const char *usual, se_error *err)
{
    const bool has_type = wanted->type && *wanted->type;
    AUTO(key) like = NULL;

    *key = (struct key_profile){ .days = wanted->expires, .is_exportable = wanted->is_exportable };
    if (key->days > DAYS_MOST)
        return error_set(err, SE_ERR_USAGE, "a key for %u days: not 1 to %d", key->days, DAYS_MOST);
    TRY(protection_parse(&key->protection, wanted->protection, err));
    if (wanted->like)
        TRY(open_configured(&like, target, wanted->like, err));
    if (like && !has_type)
        key->type = key_type_of(X509_get0_pubkey(like->certificate));
    else
        TRY(key_type_parse(&key->type, has_type ? wanted->type : usual, err));
    TRY(cert_profile_parse(certificate, wanted, target, key->type.family, err));
    if (like)
        TRY(cert_profile_inherit(certificate, like->certificate, wanted, err));
    key->uses = certificate->uses;
    return SE_OK;
}

static const char *usual_type(const struct target *target)
{
    const struct keystore_ops *ops = keystore_ops_find(target);

    return ops && ops->usual_type ? ops->usual_type : "rsa:3072";
}

se_status provision_generate(struct target *target, const struct provision_profile *wanted,
                             const struct provision_report *report, se_error *err)
{
    AUTO(cert_profile) profile = { .subject = NULL };
    struct key_profile key;
    se_status st;

    if ((st = check_name(target, err)))
        return prefix_target(target, st, err);
    if (!wanted->days || wanted->days > DAYS_MOST)
        return error_set(err, SE_ERR_USAGE, "a certificate for %u days: not 1 to %d", wanted->days,
                         DAYS_MOST);
    TRY(parse_profiles(&key, &profile, wanted, target, usual_type(target), err));
    st = generate_key(target, &key, &profile, wanted, err);
    if (!st && !is_dry(wanted->consent))
        st = report_key(target, report, err);
    return prefix_target(target, st, err);
}

se_status provision_is_self_issued(bool *out, const char *config, const char *key,
                                   const se_options *options, se_error *err)
{
    AUTO(target) target = NULL;
    AUTO(key) opened = NULL;

    TRY(target_configured(&target, config, key, 1, options, err));
    TRY(open_configured(&opened, target, key, err));
    *out = certificate_is_self_issued(opened->certificate);
    return SE_OK;
}

/* ---- request ---- */

static se_status open_key_pair(struct keystore **keystore, struct key_pair *pair,
                               struct target *target, se_error *err)
{
    TRY(target_keystore_open(keystore, target, ACCESS_USE, err));
    return (*keystore)->ops->find(pair, *keystore, err);
}

/* That of the key itself, if it has one: who asks for a new one means one like that. */
static void open_own_certificate(struct key **out, const struct target *target)
{
    *out = NULL;
    if (target->entry && !target->pin.size)
        (void)!open_configured(out, target, target->entry->name, NULL);
}

static se_status parse_certificate(struct cert_profile *out, const struct provision_profile *wanted,
                                   const struct target *target, const EVP_PKEY *key, se_error *err)
{
    AUTO(key) like = NULL;

    TRY(cert_profile_parse(out, wanted, target, key_family(key), err));
    if (wanted->like)
        TRY(open_configured(&like, target, wanted->like, err));
    else
        open_own_certificate(&like, target);
    return like ? cert_profile_inherit(out, like->certificate, wanted, err) : SE_OK;
}

/* Of the key that is there. */
static se_status sign_request(X509_REQ **out, struct keystore *keystore,
                              const struct provision_profile *wanted, se_error *err)
{
    AUTO(key_pair) pair = { NULL, NULL };
    AUTO(cert_profile) profile = { .subject = NULL };
    const bool has_type = wanted->type && *wanted->type;

    TRY(check_feature(keystore, has_type, KEYSTORE_REQUESTS, "--type", err));
    TRY(check_feature(keystore, wanted->force, KEYSTORE_REQUESTS, "--force", err));
    TRY(check_feature(keystore, wanted->protection, KEYSTORE_REQUESTS, "--protection", err));
    TRY(keystore->ops->find(&pair, keystore, err));
    TRY(parse_certificate(&profile, wanted, keystore->target, pair.public_key, err));
    return x509_build_request(out, &pair, &profile, err);
}

static se_status make_request(se_buf *out, struct target *target,
                              const struct provision_profile *wanted, se_error *err)
{
    AUTO(keystore) keystore = NULL;
    AUTO(cert_profile) profile = { .subject = NULL };
    AUTO(x509_req) made = NULL;
    struct key_profile key;

    TRY(target_keystore_open(&keystore, target, ACCESS_USE, err));
    if (!keystore->ops->request) {
        TRY(sign_request(&made, keystore, wanted, err));
        return x509_request_pem(out, made, err);
    }
    TRY(check_name(target, err));
    TRY(parse_profiles(&key, &profile, wanted, target, usual_type(target), err));
    TRY(keystore->ops->request(&made, keystore, &key, &profile, wanted->force, err));
    return x509_request_pem(out, made, err);
}

se_status provision_request(se_buf *out, struct target *target,
                            const struct provision_profile *wanted, se_error *err)
{
    *out = (se_buf)SE_BUF_INIT;
    return prefix_target(target, make_request(out, target, wanted, err), err);
}

/* ---- what was stopped halfway: with the certificates that the store itself has ---- */

static se_status open_stored(struct key **out, const struct keystore *keystore, se_error *err)
{
    struct keyref ref = keystore->target->ref;

    if (!(keystore->ops->features & KEYSTORE_FILES))
        ref.certificate = "";
    return store_open(out, &ref, PART_CERTIFICATE, NULL, err);
}

static se_status write_missing_file(const struct target *target, const struct key *stored,
                                    se_error *err)
{
    AUTO(output) file = OUTPUT_INIT;

    if (!*target->ref.certificate || target_certificate_is_there(target))
        return SE_OK;
    TRY(target_certificate_open(&file, target, err));
    return target_certificate_write(&file, target, stored->certificate, stored->chain, REPLACE_ALL,
                                    err);
}

static se_status certify_key(struct keystore *keystore, const struct provision_profile *wanted,
                             se_error *err)
{
    AUTO(key_pair) pair = { NULL, NULL };
    AUTO(cert_profile) profile = { .subject = NULL };
    AUTO(x509) certificate = NULL;

    TRY(keystore->ops->find(&pair, keystore, err));
    TRY(parse_certificate(&profile, wanted, keystore->target, pair.public_key, err));
    TRY(x509_build_certificate(&certificate, &pair, &profile, err));
    return store_certificates(keystore, certificate, NULL, REPLACE_NOTHING, err);
}

static se_status complete_key(bool *is_whole, struct target *target,
                              const struct provision_profile *wanted, se_error *err)
{
    AUTO(keystore) keystore = NULL;
    AUTO(key) stored = NULL;
    se_error why = SE_ERROR_INIT;
    se_status st;

    TRY(target_keystore_open(&keystore, target, ACCESS_USE, err));
    st = open_stored(&stored, keystore, &why);
    *is_whole = !st || keystore->ops->features & KEYSTORE_DELETED;
    if (!st)
        return write_missing_file(target, stored, err);
    if (*is_whole && keystore->ops->features & KEYSTORE_REQUESTS)
        return error_copy(err, st, &why);
    return *is_whole ? certify_key(keystore, wanted, err) : SE_OK;
}

se_status provision_complete(bool *is_whole, struct target *target,
                             const struct provision_profile *wanted, se_error *err)
{
    *is_whole = false;
    return prefix_target(target, complete_key(is_whole, target, wanted, err), err);
}

/* ---- import ---- */

static se_status put_imported_key(struct target *target, const struct imported_key *in,
                                  const struct provision_import *import, se_error *err)
{
    AUTO(keystore) keystore = NULL;
    struct key_profile profile = {
        .uses = certificate_uses(in->certificate) | target_uses(target),
        .is_exportable = import->is_exportable,
    };

    TRY(check_name(target, err));
    TRY(protection_parse(&profile.protection, import->protection, err));
    if (*import->usage)
        TRY(key_uses_parse(&profile.uses, import->usage, key_family(in->key), err));
    if (key_family(in->key) == FAMILY_EC)
        profile.uses = USE_SIGN;
    TRY(open_for_new_key(&keystore, target, import->force, import->consent, err));
    TRY(check_certificate_file(keystore, in->key, import->force, err));
    TRY(check_feature(keystore, profile.protection, KEYSTORE_PROTECTION, "--protection", err));
    TRY(check_feature(keystore, profile.is_exportable, KEYSTORE_EXPORTABLE, "--exportable", err));
    if (is_dry(import->consent))
        return SE_OK;
    TRY(in->wrapped ? keystore->ops->put_wrapped(keystore, in->wrapped, &profile, err)
                    : keystore->ops->put_key(keystore, in->key, &profile, err));
    return store_certificates(keystore, in->certificate, in->chain, REPLACE_ALL, err);
}

se_status provision_put_key(struct target *target, const struct imported_key *in,
                            const struct provision_import *what,
                            const struct provision_report *report, se_error *err)
{
    se_status st = put_imported_key(target, in, what, err);

    if (!st && !is_dry(what->consent))
        st = report_key(target, report, err);
    return prefix_target(target, st, err);
}

se_status provision_import(struct target *target, const struct provision_import *what,
                           const struct provision_report *report, se_error *err)
{
    AUTO(imported_key) in = { .key = NULL };

    TRY(imported_key_read(&in, what, err));
    return provision_put_key(target, &in, what, report, err);
}

/* It stands beside those that are there: what they have signed stays good, and one that is not
 * valid yet waits for its day. */
static se_status put_ca_reply(struct target *target, const STACK_OF(X509) * reply, se_error *err)
{
    AUTO(keystore) keystore = NULL;
    AUTO(key_pair) pair = { NULL, NULL };
    AUTO(x509_stack) chain = NULL;
    X509 *own;

    TRY(open_key_pair(&keystore, &pair, target, err));
    TRY(ca_reply_choose(&own, &chain, reply, pair.public_key, err));
    return store_certificates(keystore, own, chain, REPLACE_NOTHING, err);
}

se_status provision_certificate(struct target *target, se_bytes file,
                                const struct provision_report *report, se_error *err)
{
    AUTO(x509_stack) reply = NULL;
    se_status st;

    TRY(ca_reply_read(&reply, file, err));
    st = put_ca_reply(target, reply, err);
    if (!st)
        st = report_key(target, report, err);
    return prefix_target(target, st, err);
}

/* ---- delete, list ---- */

/* All of them go. */
static unsigned versions_of(const struct keystore *keystore)
{
    return keystore->ops->features & KEYSTORE_VERSIONS ? LIST_VERSIONS : 0;
}

static se_status remove_key(struct target *target, const struct provision_consent *consent,
                            se_error *err)
{
    AUTO(keystore) keystore = NULL;
    bool there;

    TRY(target_keystore_open(&keystore, target, ACCESS_USE, err));
    TRY(keystore->ops->holds(&there, keystore, err));
    if (!there)
        return error_set(err, SE_ERR_KEY, "there is no such key");
    TRY(ask_consent(keystore, LIST_OWN | versions_of(keystore), consent, err));
    return is_dry(consent) ? SE_OK : keystore->ops->commit(keystore, REPLACE_ALL, err);
}

se_status provision_delete(struct target *target, const struct provision_consent *consent,
                           se_error *err)
{
    return prefix_target(target, remove_key(target, consent, err), err);
}

static se_status list_target(struct target *target, unsigned scope,
                             const struct provision_report *report, se_error *err)
{
    AUTO(keystore) keystore = NULL;
    bool more = true;

    if (!(scope & LIST_OWN) && strcmp(target->ref.store, "HSM") == 0)
        TRY(listing_slots(&more, target, report, err));
    if (!more)
        return SE_OK;
    TRY(target_keystore_open(&keystore, target, ACCESS_LOOK, err));
    TRY(check_feature(keystore, scope & LIST_VERSIONS, KEYSTORE_VERSIONS, "--versions", err));
    TRY(check_feature(keystore, scope & LIST_DELETED, KEYSTORE_DELETED, "--deleted", err));
    return keystore->ops->list(keystore, scope, report, err);
}

se_status provision_list(struct target *target, unsigned scope,
                         const struct provision_report *report, se_error *err)
{
    return prefix_target(target, list_target(target, scope, report, err), err);
}
