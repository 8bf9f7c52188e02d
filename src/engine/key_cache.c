/* SPDX-License-Identifier: Apache-2.0 */
/* Keys by their names: opened once, kept, and held to the rules of the descriptors that use them.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fork_lock.h"
#include "config/versions.h"
#include "crypto/certificate.h"
#include "engine/engine.h"
#include "engine/failover.h"

/* How often opening failed, and how the last time. */
struct key_opening {
    unsigned failures;
    se_error failure;
};

/* One <key>: opened when a job first needs it.  The lock is held while a store opens it, so that it
 * is opened once. */
struct cached_key {
    pthread_mutex_t lock;
    pid_t process; /* that the lock belongs to */
    struct key_opening openings[PART_COUNT];
    struct key *keys[PART_COUNT]; /* by what they were opened for */
    struct reporter *reporters;   /* one for each replica */
};

static bool cached_key_init(struct cached_key *cached, const struct key_entry *entry,
                            const struct events *events)
{
    pthread_mutex_init(&cached->lock, NULL);
    cached->process = getpid();
    cached->reporters = calloc(entry->count, sizeof *cached->reporters);
    for (size_t i = 0; cached->reporters && i < entry->count; i++)
        reporter_init(&cached->reporters[i], events, entry, i);
    return cached->reporters;
}

se_status key_cache_new(struct cached_key **out, const struct config *config,
                        const struct events *events, se_error *err)
{
    bool made = (*out = calloc(config->key_count ? config->key_count : 1, sizeof **out));

    for (size_t i = 0; *out && i < config->key_count; i++)
        made = cached_key_init(&(*out)[i], &config->keys[i], events) && made;
    return made ? SE_OK : error_memory(err);
}

void key_cache_free(struct cached_key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t part = 0; part < PART_COUNT; part++)
            key_unref(keys[i].keys[part]);
        free(keys[i].reporters);
        pthread_mutex_destroy(&keys[i].lock);
    }
    free(keys);
}

static se_status open_first_replica(struct key **out, const struct key_entry *entry,
                                    enum key_part part, const struct reporter *reporters,
                                    se_error *err)
{
    se_error first = SE_ERROR_INIT;

    for (size_t i = 0; i < entry->count; i++) {
        se_error failure = SE_ERROR_INIT;
        se_status st = store_open(out, &entry->replicas[i], part, &reporters[i].watch, &failure);

        if (!st) {
            (*out)->replica = reporters[i].replica;
            return SE_OK;
        }
        if (!first.status || !failover_may_mend(st))
            first = failure;
        if (!failover_may_mend(st))
            break;
    }
    return error_copy(err, first.status, &first);
}

/* In a vault, a certificate that waits may be one of another key. */
static int64_t key_turn(const struct key *key)
{
    const int64_t renewed = certificates_turn(key->certificate, key->others);
    const int64_t followed = certificates_turn(key->certificate, key->former);

    return !renewed || (followed && followed < renewed) ? followed : renewed;
}

/* One certificate is as good as another, but a private key is worth all its replicas. */
static se_status open_key_entry(struct key **out, const struct key_entry *entry, enum key_part part,
                                const struct reporter *reporters, se_error *err)
{
    const bool is_one = part <= PART_ENCRYPT || entry->count == 1;

    TRY((is_one ? open_first_replica : failover_open)(out, entry, part, reporters, err));
    (*out)->turn = key_turn(*out);
    return SE_OK;
}

/* A key opened for more serves for its certificate too: any for verifying, one that may decrypt for
 * encrypting. */
static bool part_serves(enum key_part part, enum key_part opened)
{
    return opened == part || part == PART_CERTIFICATE ||
           (part == PART_ENCRYPT && opened == PART_DECRYPT);
}

static struct key **cached_key_place(struct cached_key *cached, enum key_part part)
{
    for (size_t opened = 0; opened < PART_COUNT; opened++)
        if (cached->keys[opened] && part_serves(part, (enum key_part)opened))
            return &cached->keys[opened];
    return &cached->keys[part];
}

/* Who waited while another caller failed to open the key does not try in turn: each might wait as
 * long as all before it. */
static se_status cached_key_fill(struct cached_key *cached, unsigned seen,
                                 const struct key_entry *entry, enum key_part part, se_error *err)
{
    struct key_opening *opening = &cached->openings[part];
    const se_error *failure = &opening->failure;

    if (opening->failures == seen) {
        opening->failure = (se_error)SE_ERROR_INIT;
        if (!open_key_entry(&cached->keys[part], entry, part, cached->reporters, &opening->failure))
            return SE_OK;
        __atomic_add_fetch(&opening->failures, 1, __ATOMIC_RELAXED);
    }
    return error_copy(err, failure->status, failure);
}

/* In the child of a fork, a thread that it does not have may hold the lock for ever. */
static void cached_key_adopt(struct cached_key *cached, pid_t process)
{
    fork_lock_take();
    if (cached->process != process)
        pthread_mutex_init(&cached->lock, NULL);
    __atomic_store_n(&cached->process, process, __ATOMIC_RELEASE);
    fork_lock_give();
}

static void cached_key_lock(struct cached_key *cached)
{
    pid_t process = getpid();

    if (__atomic_load_n(&cached->process, __ATOMIC_ACQUIRE) != process)
        cached_key_adopt(cached, process);
    pthread_mutex_lock(&cached->lock);
}

enum { TURN_RETRY = 10 }; /* seconds, after the store was away */

/* A certificate that has waited for its day takes over; while the store is away, the key stays as
 * it is. */
static void cached_key_turn(struct cached_key *cached, struct key **kept,
                            const struct key_entry *entry)
{
    struct key *old = *kept;
    se_error ignored = SE_ERROR_INIT;

    if (!old || !old->turn || clock_seconds() < old->turn)
        return;
    if (open_key_entry(kept, entry, (enum key_part)(kept - cached->keys), cached->reporters,
                       &ignored)) {
        *kept = old;
        old->turn = clock_seconds() + TURN_RETRY;
        return;
    }
    key_unref(old);
}

se_status key_cache_open(struct key **out, struct engine *engine, const struct key_entry *entry,
                         enum key_part part, se_error *err)
{
    struct cached_key *cached = &engine->key_cache[entry - engine->config->keys];
    unsigned seen = __atomic_load_n(&cached->openings[part].failures, __ATOMIC_RELAXED);
    struct key **kept;
    se_status st = SE_OK;

    *out = NULL;
    cached_key_lock(cached);
    kept = cached_key_place(cached, part);
    cached_key_turn(cached, kept, entry);
    if (!*kept)
        st = cached_key_fill(cached, seen, entry, part, err);
    if (!st)
        *out = key_ref(*kept);
    pthread_mutex_unlock(&cached->lock);
    return st;
}

/* ---- from one loading of the configuration to the next ---- */

static void cached_key_tell_parts(bool opened[PART_COUNT], struct cached_key *cached)
{
    cached_key_lock(cached);
    for (size_t part = 0; part < PART_COUNT; part++)
        opened[part] = cached->keys[part];
    pthread_mutex_unlock(&cached->lock);
}

/* By what is signed or encrypted now. */
static bool is_needed(const struct config *config, const struct key_entry *entry)
{
    const int64_t now = clock_seconds();

    for (size_t i = 0; i < config->descriptor_count; i++) {
        const struct descriptor *d = &config->descriptors[i];

        if (d->key == entry && config_current(config, d->name, now) == d)
            return true;
    }
    return false;
}

/* From the part that serves for most of the others. */
static se_status follow_key(struct engine *engine, const struct key_entry *entry,
                            struct cached_key *before, se_error *err)
{
    bool opened[PART_COUNT];

    cached_key_tell_parts(opened, before);
    for (size_t part = PART_COUNT; part--;) {
        AUTO(key) key = NULL;
        se_error failure = SE_ERROR_INIT;
        se_status st;

        if (!opened[part])
            continue;
        st = key_cache_open(&key, engine, entry, (enum key_part)part, &failure);
        if (!st || st == SE_ERR_UNAVAILABLE || !is_needed(engine->config, entry))
            continue;
        (void)error_copy(err, st, &failure);
        return error_prefix(err, st,
                            "key '%s' is in use, and can't be opened any more: ", entry->name);
    }
    return SE_OK;
}

se_status key_cache_follow(struct engine *engine, struct engine *old, se_error *err)
{
    for (size_t i = 0; i < engine->config->key_count; i++) {
        const struct key_entry *entry = &engine->config->keys[i], *before;

        if (!config_key(&before, old->config, entry->name, NULL))
            TRY(follow_key(engine, entry, &old->key_cache[before - old->config->keys], err));
    }
    return SE_OK;
}

/* ---- what every job begins with ---- */

se_status job_params_check(se_purpose purpose, int64_t *time, se_error *err)
{
    if (purpose < SE_PURPOSE_DESCRIPTOR || purpose > SE_PURPOSE_ZIP)
        return error_set(err, SE_ERR_USAGE, "no purpose %d", (int)purpose);
    if (*time < 0)
        return error_set(err, SE_ERR_USAGE, "a time before 1970");
    if (!*time)
        *time = clock_seconds();
    return SE_OK;
}

enum purpose purpose_choose(se_purpose stated, const struct descriptor *descriptor)
{
    static const enum purpose purposes[] = {
        [SE_PURPOSE_MAIL] = PURPOSE_MAIL, [SE_PURPOSE_ZIP] = PURPOSE_ZIP
    };

    return stated == SE_PURPOSE_DESCRIPTOR ? descriptor->use->purpose : purposes[stated];
}

/* The rules take longer than a field.  What changes about them is the time, so that once in a
 * second is enough. */
se_status key_check_rules(struct key *key, const struct descriptor *descriptor, se_error *err)
{
    int64_t second = clock_seconds();

    if (__atomic_load_n(&key->checked_at, __ATOMIC_ACQUIRE) == second &&
        __atomic_load_n(&key->checked_for, __ATOMIC_ACQUIRE) == descriptor)
        return SE_OK;
    TRY(certificate_check(descriptor, key->certificate, second, SE_ERR_POLICY, err));
    __atomic_store_n(&key->checked_for, descriptor, __ATOMIC_RELEASE);
    __atomic_store_n(&key->checked_at, second, __ATOMIC_RELEASE);
    return SE_OK;
}

se_status key_signing_algorithm(const struct algorithm **out, const struct descriptor *descriptor,
                                const EVP_PKEY *key, se_error *err)
{
    const struct algorithm *stated = &descriptor->algorithm;
    enum key_family family = key_family(key);

    *out = NULL;
    if (stated->kind == ALGORITHM_SIGNATURE)
        *out = algorithm_signature(stated->digest, stated->family, stated->padding);
    else if (stated->kind == ALGORITHM_DIGEST)
        *out = algorithm_signature(stated->digest, family,
                                   family == FAMILY_RSA ? PADDING_PKCS1 : PADDING_NONE);
    else
        return error_set(err, SE_ERR_POLICY, "its algorithm %s is %s", stated->name,
                         stated->kind == ALGORITHM_JWS ? "for JWS only" : "not for signatures");
    return *out ? SE_OK
                : error_set(err, SE_ERR_POLICY, "its algorithm %s can't be used with that key",
                            stated->name);
}

static bool has_jws_curve(const EVP_PKEY *key, enum digest digest)
{
    static const char *const curves[] = {
        [DIGEST_SHA256] = "P-256", [DIGEST_SHA384] = "P-384", [DIGEST_SHA512] = "P-521"
    };
    const struct key_curve *curve = key_curve(key);

    return curve && strcmp(curve->name, curves[digest]) == 0;
}

se_status key_jws_algorithm(const struct algorithm **out, const struct descriptor *descriptor,
                            const EVP_PKEY *key, se_error *err)
{
    const struct algorithm *own = &descriptor->algorithm;
    char type[32];

    *out = NULL;
    if (own->kind != ALGORITHM_JWS)
        TRY(key_signing_algorithm(&own, descriptor, key, err));
    key_type_name(type, key);
    if (key_family(key) != own->family)
        return error_set(err, SE_ERR_POLICY, "its algorithm %s can't be used with its key, %s",
                         own->name, type);
    if (own->family == FAMILY_EC && !has_jws_curve(key, own->digest))
        return error_set(err, SE_ERR_POLICY,
                         "JOSE has no %s with its key, %s: the digest has to be that of the curve "
                         "(ES256: P-256, ES384: P-384, ES512: P-521)",
                         own->name, type);
    *out = algorithm_jws(own->digest, own->family, own->padding);
    return SE_OK;
}

se_status key_own_algorithm(const struct algorithm **out, const struct descriptor *descriptor,
                            const EVP_PKEY *key, se_error *err)
{
    return descriptor->algorithm.kind == ALGORITHM_JWS
               ? key_jws_algorithm(out, descriptor, key, err)
               : key_signing_algorithm(out, descriptor, key, err);
}

/* ---- which keys may not be shared ---- */

/*
 * A wrapped key says nothing about what it is for, so that whoever may ask for values to be
 * decrypted can put that of one value into another one.  Two kinds of values answer such questions:
 * CBC that nothing authenticates tells whether a guess of a block of GCM's plaintext is right, and
 * bare RSA-OAEP gives the key itself out.  NX02 derives its keys from all that the value says of
 * itself, and the tags of JWE can't be made without the key: none of them answers, but in a bare
 * blob's company theirs is the key that is given out.
 */
static bool is_plain_cbc(const struct algorithm *a)
{
    return a->kind == ALGORITHM_CIPHER && a->cipher == CIPHER_AES_CBC && a->result == RESULT_CMS;
}

/* NULL: `mine` may be used beside `other`. */
static const char *what_is_mixed(const struct algorithm *mine, const struct algorithm *other)
{
    if (mine->kind == ALGORITHM_WRAP && other->kind == ALGORITHM_CIPHER)
        return "bare RSA-OAEP would give out the data keys";
    if (is_plain_cbc(mine) && other->kind == ALGORITHM_CIPHER &&
        (other->cipher == CIPHER_AES_GCM || other->result == RESULT_JWE))
        return "CMS with CBC would answer questions about the values";
    return NULL;
}

/* By the public key: one key may have several names. */
static se_status is_same_key(bool *same, struct engine *engine, const struct key_entry *entry,
                             const struct key *key, se_error *err)
{
    AUTO(key) other = NULL;
    se_status st = key_cache_open(&other, engine, entry, PART_CERTIFICATE, err);

    if (st)
        return error_prefix(err, st,
                            "it can't be told whether key '%s' is the same: ", entry->name);
    *same =
        EVP_PKEY_eq(X509_get0_pubkey(other->certificate), X509_get0_pubkey(key->certificate)) == 1;
    return SE_OK;
}

se_status key_check_sharing(struct engine *engine, const struct descriptor *descriptor,
                            const struct key *key, se_status refusal, se_error *err)
{
    for (size_t i = 0; i < engine->config->descriptor_count; i++) {
        const struct descriptor *other = &engine->config->descriptors[i];
        const char *mixed = what_is_mixed(&descriptor->algorithm, &other->algorithm);
        bool same = other->key == descriptor->key;
        se_status st;

        if (!mixed)
            continue;
        if (!same && (st = is_same_key(&same, engine, other->key, key, err)))
            return st;
        if (same)
            return error_set(err, refusal,
                             "%s of descriptor '%s' version %u, which has the same key: each needs "
                             "a key of its own",
                             mixed, other->name, other->version);
    }
    return SE_OK;
}

se_status error_blame_key(se_error *err, se_status status, const struct descriptor *descriptor)
{
    return error_prefix(err, status, "descriptor '%s': key '%s': ", descriptor->name,
                        descriptor->key->name);
}
