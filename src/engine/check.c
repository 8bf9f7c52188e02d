/* SPDX-License-Identifier: Apache-2.0 */
/* Whether each descriptor can do its work, and what a person should know of it. */
#include "base/arguments.h"
#include "base/clock.h"
#include "config/files.h"
#include "config/versions.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "crypto/pkey_ops.h"
#include "engine/check_dates.h"
#include "engine/engine.h"
#include "engine/probe.h"

static bool is_for_signing(const struct descriptor *descriptor)
{
    return descriptor->algorithm.kind == ALGORITHM_SIGNATURE ||
           descriptor->algorithm.kind == ALGORITHM_DIGEST ||
           descriptor->algorithm.kind == ALGORITHM_JWS;
}

static enum key_part part_needed(const struct descriptor *descriptor)
{
    const struct use *use = descriptor->use;
    enum algorithm_kind kind = descriptor->algorithm.kind;

    if (use->public_only)
        return PART_CERTIFICATE;
    return kind == ALGORITHM_CIPHER || kind == ALGORITHM_WRAP ? PART_DECRYPT : PART_SIGN;
}

/* Whether the key can do that, as far as it is known without asking its store. */
static se_status check_ability(const struct key *key, const struct descriptor *d, se_error *err)
{
    const struct unwrap_how unwrap = { d->algorithm.oaep, d->algorithm.mgf1 };
    const struct algorithm *algorithm;
    struct sign_how sign;

    if (part_needed(d) == PART_DECRYPT)
        return remote_may_unwrap(key->private, &unwrap, err);
    if (!is_for_signing(d))
        return SE_OK;
    TRY(key_own_algorithm(&algorithm, d, X509_get0_pubkey(key->certificate), err));
    sign = padding_how(algorithm, (size_t)EVP_MD_get_size(crypto_md(algorithm->digest)));
    return remote_may_sign(key->private, &sign, err);
}

static void warn_advice(void *arg, const struct remote_advice *advice)
{
    const se_check_finding finding = {
        .level = SE_CHECK_WARNING,
        .kind = advice->kind,
        .date = advice->date,
    };

    row_add(arg, &finding, "%s", advice->text);
}

static se_status row_probe(struct check_row *f, struct key *key, const se_check_options *options,
                           se_error *err)
{
    const char *mechanism;
    se_status st;

    if (!options->probe)
        return SE_OK;
    if (!(st = key_probe(&mechanism, key, f->descriptor, err)))
        row_add_mechanism(f, mechanism);
    return st;
}

/* Of several replicas, any. */
static void see_leaving(struct check_row *f, const struct key *key)
{
    enum leaving leaving = remote_may_leave(key->private);

    if (leaving == LEAVING_YES)
        f->row.may_leave = "yes";
    else if (leaving == LEAVING_NO && !*f->row.may_leave)
        f->row.may_leave = "no";
}

/* No warning: that keys do not leave is how they are made, and whether its vendor has a way to back
 * up the token is not known here. */
static void note_only_copy(struct check_row *f)
{
    const se_check_finding note = { .level = SE_CHECK_NOTE, .kind = "only-copy" };

    if (part_needed(f->descriptor) == PART_DECRYPT && strcmp(f->row.may_leave, "no") == 0)
        row_add(f, &note,
                "its key may not leave its token and is nowhere else: when that is lost, so is "
                "all that was encrypted for it");
}

static void check_namesakes(struct check_row *f, const struct key *key, const struct keyref *ref)
{
    if (key->namesakes)
        row_warn(
            f, "namesakes",
            "the token has %u more private key%s with the label '%s': commands that change one "
            "refuse",
            key->namesakes, key->namesakes > 1 ? "s" : "", ref->alias);
}

/* What opens, and yet is of no use to the commands that are made for descriptors of this name. */
static void check_commands(struct check_row *f)
{
    const struct descriptor *d = f->descriptor;
    se_error why = SE_ERROR_INIT;

    if (d->use->container && container_check_algorithm(d, &why))
        row_warn(f, "no-command", "`zip encrypt` can't use it: %s", why.text);
}

/* By itself, whatever the engine has made of it. */
static se_status check_replica(struct check_row *f, size_t index, const struct key *whole,
                               const se_check_options *options, se_error *err)
{
    const struct keyref *ref = &f->descriptor->key->replicas[index];
    AUTO(key) key = NULL;
    se_status st = store_open(&key, ref, part_needed(f->descriptor), NULL, err);

    if (!st &&
        EVP_PKEY_eq(X509_get0_pubkey(key->certificate), X509_get0_pubkey(whole->certificate)) != 1)
        st = error_set(err, SE_ERR_KEY, "it holds another key than the other replicas");
    if (!st) {
        check_namesakes(f, key, ref);
        see_leaving(f, key);
        remote_advise(key->private, warn_advice, f);
        if (!(st = check_ability(key, f->descriptor, err)))
            st = row_probe(f, key, options, err);
    }
    return error_prefix(err, st, "replica %zu (line %d): ", index + 1, ref->line);
}

static se_status check_replicas(struct check_row *f, const struct key *whole,
                                const se_check_options *options)
{
    size_t count = f->descriptor->key->count, failed = 0;

    for (size_t i = 0; i < count; i++) {
        se_error failure = SE_ERROR_INIT;

        if (!check_replica(f, i, whole, options, &failure))
            continue;
        row_warn(f, "replica", "%s", failure.text);
        if (!failed++)
            f->error = failure;
    }
    return failed < count ? SE_OK : f->error.status;
}

static void warn_exposure(void *arg, const char *text)
{
    row_warn((struct check_row *)arg, "exposure", "%s", text);
}

static void check_exposure(struct check_row *f)
{
    const struct key_entry *entry = f->descriptor->key;

    for (size_t i = 0; i < entry->count; i++)
        keyref_exposure(&entry->replicas[i], warn_exposure, f);
}

/* Of the name's purpose: what a mail command or a zip command does with another name is not known
 * here. */
static se_status check_purpose(struct check_row *f, X509 *certificate)
{
    enum purpose purpose = f->descriptor->use->purpose;
    se_error others = SE_ERROR_INIT;
    se_status st = certificate_purpose(purpose, certificate, true, SE_ERR_POLICY, &f->error);

    if (!st && certificate_purpose(purpose, certificate, false, SE_ERR_POLICY, &others))
        row_warn(f, "purpose",
                 "%s: who trusts its CA, and does not have this descriptor, refuses what it signs",
                 others.text);
    return st;
}

/* A certificate may be prepared together with the version that waits. */
static se_status check_validity(struct check_row *f, X509 *certificate)
{
    const struct descriptor *d = f->descriptor;
    const bool waits = f->row.state == SE_VERSION_WAITS;
    const int64_t used = waits ? d->time.from : clock_seconds();

    TRY_PREFIX(certificate_check(d, certificate, used, SE_ERR_POLICY, &f->error), &f->error, "%s",
               waits ? "when its time comes: " : "");
    return SE_OK;
}

static void note_public_only(struct check_row *f)
{
    const se_check_finding finding = { .level = SE_CHECK_NOTE, .kind = "verifies-only" };

    row_add(f, &finding, "it is for what others sign: its private key was not looked for");
}

static void note_bare(struct check_row *f)
{
    const se_check_finding finding = { .level = SE_CHECK_NOTE, .kind = "no-certificate" };

    row_add(f, &finding,
            "its public key has no certificate: nothing says whose it is, until when, or whether "
            "it was revoked");
}

static se_status check_usable(struct check_row *f, struct engine *engine,
                              const se_check_options *options)
{
    AUTO(key) key = NULL;
    const struct algorithm *algorithm;
    const struct descriptor *d = f->descriptor;
    enum key_part part = part_needed(d);

    TRY(key_cache_open(&key, engine, d->key, part, &f->error));
    row_see_certificate(f, key);
    check_certificate_dates(f, key, options);
    check_exposure(f);
    TRY(check_validity(f, key->certificate));
    if (is_for_signing(d)) {
        TRY(key_own_algorithm(&algorithm, d, X509_get0_pubkey(key->certificate), &f->error));
        TRY(check_purpose(f, key->certificate));
    }
    TRY(key_check_sharing(engine, d, key, SE_ERR_POLICY, &f->error));
    if (part == PART_CERTIFICATE) {
        if (certificate_is_bare(key->certificate))
            note_bare(f);
        note_public_only(f);
        return SE_OK;
    }
    check_commands(f);
    if (d->key->count > 1)
        return check_replicas(f, key, options);
    check_namesakes(f, key, d->key->replicas);
    see_leaving(f, key);
    note_only_copy(f);
    TRY(check_ability(key, d, &f->error));
    remote_advise(key->private, warn_advice, f);
    return row_probe(f, key, options, &f->error);
}

/* Whether it signs no more: what is left for this one is to verify. */
static bool is_superseded(const struct check_row *f)
{
    return part_needed(f->descriptor) == PART_SIGN && f->row.state != SE_VERSION_CURRENT &&
           f->row.state != SE_VERSION_WAITS;
}

/* With the certificate alone, of what was signed while it was valid. */
static bool can_verify(struct check_row *f, struct engine *engine)
{
    const struct descriptor *d = f->descriptor;
    const struct algorithm *algorithm;
    AUTO(key) key = NULL;

    if (key_cache_open(&key, engine, d->key, PART_CERTIFICATE, NULL))
        return false;
    row_see_certificate(f, key);
    return !certificate_check(d, key->certificate, f->row.not_after, SE_ERR_POLICY, NULL) &&
           (!is_for_signing(d) ||
            (!key_own_algorithm(&algorithm, d, X509_get0_pubkey(key->certificate), NULL) &&
             !certificate_purpose(d->use->purpose, key->certificate, true, SE_ERR_POLICY, NULL)));
}

/* That the certificate of a version ends some time after the next one has come, is as it was meant
 * to be. */
static void note_verifying(struct check_row *f)
{
    const se_check_finding finding = { .level =
                                           f->row.days_left < 0 ? SE_CHECK_NOTE : SE_CHECK_WARNING,
                                       .kind = "verifies-only" };

    row_add(f, &finding, "this version can only verify: %s", f->error.text);
    f->error = (se_error)SE_ERROR_INIT;
}

static se_status check_key(struct check_row *f, struct engine *engine,
                           const se_check_options *options)
{
    se_status st = check_usable(f, engine, options);

    if (!st || !is_superseded(f) || !can_verify(f, engine))
        return st;
    note_verifying(f);
    return SE_OK;
}

static void check_lateness(struct check_row *f, const struct engine *engine)
{
    if (is_version_late(engine, f->descriptor))
        row_warn(f, "late", "version %u was in use by others before this process knew it",
                 f->descriptor->version);
}

static se_status check_version(struct check_row *f, struct engine *engine,
                               const se_check_options *options)
{
    check_secret_dates(f, options);
    check_lateness(f, engine);
    TRY(check_key(f, engine, options));
    return check_version_dates(f, engine->config, options);
}

se_status se_check(se_engine *engine, se_check_fn fn, void *arg, const se_check_options *options,
                   se_error *error)
{
    AUTO(engine) now = NULL;
    se_check_options read;
    se_status first = SE_OK;

    TRY(arguments_check(error, engine, fn));
    TRY(check_options_read(&read, options, error));
    now = engine_enter(engine);
    for (size_t i = 0; i < now->config->descriptor_count; i++) {
        AUTO(check_row) f = { .descriptor = NULL };

        row_init(&f, now->config, &now->config->descriptors[i]);
        f.row.status = check_version(&f, now, &read);
        row_conclude(&f);
        fn(arg, &f.row);
        if (!f.row.status || first)
            continue;
        first = error_copy(error, f.row.status, &f.error);
        (void)error_blame_key(error, first, f.descriptor);
    }
    return first;
}
