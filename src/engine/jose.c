/* SPDX-License-Identifier: Apache-2.0 */
/* JWS, JWT and JWK sets by the names of descriptors. */
#include <stdio.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "config/versions.h"
#include "crypto/certificate.h"
#include "engine/revocation_policy.h"
#include "engine/signing.h"
#include "jose/jwk.h"
#include "jose/jws.h"
#include "jose/jwt.h"

/* ---- signing ---- */

static se_status check_sign_params(const se_jws_sign_params *params, se_error *err)
{
    if (params->form > SE_JWS_GENERAL)
        return error_set(err, SE_ERR_USAGE, "no form %d of a JWS", (int)params->form);
    return params->headers || !params->header_count
               ? SE_OK
               : error_set(err, SE_ERR_USAGE, "the members of the header are NULL");
}

static se_status open_key(struct signing_key *out, const struct descriptor **found,
                          struct api_call *call, unsigned version)
{
    const struct version_wish wish = { .version = version, .time = clock_seconds() };
    const se_sign_params plain = SE_SIGN_PARAMS_INIT;

    TRY(engine_choose_version(found, call->engine, call->event.descriptor, &wish, &call->error));
    return error_blame_key(
        &call->error,
        signing_key_open(out, call->engine, *found, &plain, key_jws_algorithm, &call->error),
        *found);
}

static se_status sign_payload(se_buf *out, struct api_call *call, se_bytes payload,
                              const se_jws_sign_params *params)
{
    struct content_digest digest = { .algorithm = DIGEST_NONE };
    const struct descriptor *found = NULL;
    AUTO(signing_key) key = { .key = NULL };
    struct jws_sign_job job = { .params = params, .digest = &digest };
    struct key_use use;
    se_status st;

    TRY(check_sign_params(params, &call->error));
    TRY(api_call_tag(call, params->tag));
    st = open_key(&key, &found, call, params->version);
    if (!st) {
        job.algorithm = key.algorithm;
        job.key = key.key;
        st = error_blame_key(&call->error, jws_sign(out, &job, payload, &call->error), found);
    }
    if (!found)
        return st;
    use = key_use_of(found, key.key);
    api_call_use(call, &use);
    api_call_digest(call, &digest);
    return st;
}

se_status se_jws_sign(se_buf *out, se_engine *engine, const char *descriptor, se_bytes payload,
                      const se_jws_sign_params *params, se_error *error)
{
    se_jws_sign_params read;
    struct api_call call;

    if (out)
        *out = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, out, engine, descriptor, given_bytes(payload)));
    TRY(arguments_options(&read, params, se_jws_sign_params, error));
    api_call_begin(&call, engine, "jws sign", descriptor);
    call.event.bytes = payload.size;
    return api_call_end(&call, sign_payload(out, &call, payload, &read), error);
}

se_status se_jwt_sign(se_buf *out, se_engine *engine, const char *descriptor, se_bytes claims,
                      const se_jwt_sign_params *params, se_error *error)
{
    AUTO(se_buf) payload = SE_BUF_INIT;
    se_jws_sign_params jws = SE_JWS_SIGN_PARAMS_INIT;
    se_jwt_sign_params read;

    if (out)
        *out = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, out, engine, descriptor, given_bytes(claims)));
    TRY(arguments_options(&read, params, se_jwt_sign_params, error));
    if (!read.audiences && read.audience_count)
        return error_set(error, SE_ERR_USAGE, "the audiences are NULL");
    TRY(jwt_claims_make(&payload, claims, &read, clock_seconds(), error));
    jws.version = read.version;
    jws.certificates = read.certificates;
    jws.type = read.type ? read.type : "JWT";
    jws.key_id = read.key_id;
    jws.tag = read.tag;
    return se_jws_sign(out, engine, descriptor, buf_bytes(&payload), &jws, error);
}

/* ---- verifying ---- */

/* A JWT has claims to look at besides. */
struct verify_wish {
    se_jws_verify_params jws;
    const se_jwt_verify_params *claims; /* NULL: it need not be a JWT */
    unsigned leeway_used;
    struct revocation_policy policy;
    struct revocation_finding finding; /* about who signed the last one */
};
AUTO_KIND(verify_wish, struct verify_wish, revocation_policy_free(&p->policy))

static se_status prepare_wish(struct verify_wish *wish, se_error *err)
{
    if (wish->jws.time < 0)
        return error_set(err, SE_ERR_USAGE, "a time before 1970");
    if (!wish->jws.time)
        wish->jws.time = clock_seconds();
    return revocation_policy_read(&wish->policy, wish->jws.revocation, wish->jws.time, err);
}

/* Last, for others may be asked. */
static se_status check_revocation(struct verify_wish *wish, const struct verdict *verdict,
                                  const struct expected_signers *expected, se_error *err)
{
    const struct verify_job job = { .time = wish->jws.time, .revocation = &wish->policy.rules };

    return revocation_look_once(&wish->finding, verdict, expected->issuers, &job, err);
}

static se_status verify_expected(se_buf *payload, struct verdict *verdict,
                                 const struct expected_signers *expected, se_bytes text,
                                 struct verify_wish *wish, se_error *err)
{
    const struct jws_verify_job job = { .candidates = expected->list,
                                        .count = expected->count,
                                        .params = &wish->jws,
                                        .token = wish->claims };

    if (!expected->count)
        return error_copy(err, expected->missing.status, &expected->missing);
    TRY(expected_signers_doubt(jws_verify(payload, verdict, &job, text, err), expected, err));
    TRY(expected_signer_check(verdict, expected, wish->jws.time, err));
    if (wish->claims)
        TRY(jwt_claims_check(&wish->leeway_used, buf_bytes(payload), wish->claims, wish->jws.time,
                             err));
    return check_revocation(wish, verdict, expected, err);
}

/* `signer` may be NULL. */
static se_status verify_text(se_buf *out, se_signer *signer, struct api_call *call,
                             const struct expected_signers *expected, se_bytes text,
                             struct verify_wish *wish, se_error *err)
{
    AUTO(verdict) verdict = { .certificate = NULL };
    AUTO(se_buf) payload = SE_BUF_INIT;
    se_status st = verify_expected(&payload, &verdict, expected, text, wish, err);

    if (verdict.certificate)
        api_call_use_signer(call, &verdict, expected);
    api_call_digest(call, &verdict.digest);
    TRY_PREFIX(st, err, "descriptor '%s': ", call->event.descriptor);
    if (signer) {
        signer_from_verdict(signer, &verdict);
        signer_tell_revocation(signer, &wish->finding.revocation);
    }
    *out = buf_move(&payload);
    return SE_OK;
}

static se_status verify_single(se_buf *out, struct api_call *call, se_bytes text,
                               struct verify_wish *wish)
{
    AUTO(expected_signers) expected = { .count = 0 };

    TRY(prepare_wish(wish, &call->error));
    TRY(api_call_tag(call, wish->jws.tag));
    TRY(expected_signers_collect(&expected, call->engine, call->event.descriptor, wish->jws.version,
                                 key_jws_algorithm, &call->error));
    return verify_text(out, wish->jws.signer, call, &expected, text, wish, &call->error);
}

static se_status verify_call(se_buf *out, se_engine *engine, const char *descriptor, se_bytes text,
                             struct verify_wish *wish, se_error *error)
{
    struct api_call call;

    if (wish->jws.signer)
        *wish->jws.signer = (se_signer){ .version = 0 };
    api_call_begin(&call, engine, "jws verify", descriptor);
    call.event.bytes = text.size;
    return api_call_end(&call, verify_single(out, &call, text, wish), error);
}

se_status se_jws_verify(se_buf *payload, se_engine *engine, const char *descriptor, se_bytes jws,
                        const se_jws_verify_params *params, se_error *error)
{
    AUTO(verify_wish) wish = { .claims = NULL };

    if (payload)
        *payload = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, payload, engine, descriptor, given_bytes(jws)));
    TRY(arguments_options(&wish.jws, params, se_jws_verify_params, error));
    return verify_call(payload, engine, descriptor, jws, &wish, error);
}

se_status se_jwt_verify(se_buf *claims, se_engine *engine, const char *descriptor, se_bytes token,
                        const se_jwt_verify_params *params, se_error *error)
{
    AUTO(verify_wish) wish = { .jws = SE_JWS_VERIFY_PARAMS_INIT };
    se_jwt_verify_params read;
    se_status st;

    if (claims)
        *claims = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, claims, engine, descriptor, given_bytes(token)));
    TRY(arguments_options(&read, params, se_jwt_verify_params, error));
    if (!read.audiences && read.audience_count)
        return error_set(error, SE_ERR_USAGE, "the audiences are NULL");
    if (read.leeway_used)
        *read.leeway_used = 0;
    wish.claims = &read;
    wish.jws.version = read.version;
    wish.jws.type = read.type;
    wish.jws.key_id = read.key_id;
    wish.jws.time = read.time;
    wish.jws.signer = read.signer;
    wish.jws.tag = read.tag;
    wish.jws.revocation = read.revocation;
    st = verify_call(claims, engine, descriptor, token, &wish, error);
    if (read.leeway_used)
        *read.leeway_used = st ? 0 : wish.leeway_used;
    return st;
}

/* ---- many ---- */

static void forget_results(se_jws *list, size_t count, se_signer *signers, se_status status)
{
    for (size_t i = 0; i < count; i++) {
        list[i].out = (se_buf)SE_BUF_INIT;
        list[i].status = status;
        list[i].version = 0;
        if (signers)
            signers[i] = (se_signer){ .version = 0 };
    }
}

static se_status verify_each(se_jws *list, size_t count, struct api_call *call,
                             const struct expected_signers *expected, struct verify_wish *wish)
{
    se_status first = SE_OK;

    call->event.failed = 0;
    for (size_t i = 0; i < count; i++) {
        se_signer signer = { .version = 0 };
        se_error why = SE_ERROR_INIT;

        wish->jws.payload = list[i].payload;
        list[i].status = verify_text(&list[i].out, &signer, call, expected, list[i].in, wish, &why);
        list[i].version = signer.version;
        if (wish->jws.signer)
            wish->jws.signer[i] = signer;
        call->event.bytes += list[i].in.size;
        call->event.failed += list[i].status != SE_OK;
        if (list[i].status && !first)
            first = error_copy(&call->error, list[i].status, &why);
    }
    return first;
}

static se_status verify_list(se_jws *list, size_t count, struct api_call *call,
                             struct verify_wish *wish)
{
    AUTO(expected_signers) expected = { .count = 0 };
    se_status st = prepare_wish(wish, &call->error);

    if (!st && wish->jws.payload.data)
        st = error_set(&call->error, SE_ERR_USAGE,
                       "payload is for one JWS: each of many has its own");
    if (st || (st = api_call_tag(call, wish->jws.tag)) ||
        (st = expected_signers_collect(&expected, call->engine, call->event.descriptor,
                                       wish->jws.version, key_jws_algorithm, &call->error))) {
        forget_results(list, count, wish->jws.signer, st);
        return st;
    }
    return verify_each(list, count, call, &expected, wish);
}

se_status se_jws_verify_many(se_jws *list, size_t count, se_engine *engine, const char *descriptor,
                             const se_jws_verify_params *params, se_error *error)
{
    AUTO(verify_wish) wish = { .claims = NULL };
    struct api_call call;

    if (list)
        forget_results(list, count, NULL, SE_ERR_USAGE);
    TRY(arguments_check(error, given_array(list, count), engine, descriptor));
    TRY(arguments_options(&wish.jws, params, se_jws_verify_params, error));
    api_call_begin(&call, engine, "jws verify many", descriptor);
    call.event.items = count;
    return api_call_end(&call, verify_list(list, count, &call, &wish), error);
}

/* ---- public keys ---- */

/* What has been written, so that no key comes twice. */
struct key_set {
    struct writer w;
    struct writer seen; /* kid and algorithm of each, in brackets */
    struct engine *engine;
    const se_jwks_params *params;
};

static void key_set_free(struct key_set *set)
{
    writer_free(&set->w);
    writer_free(&set->seen);
}
AUTO_KIND(key_set, struct key_set, key_set_free(p))

static bool is_in_set(struct key_set *set, const char *thumbprint, const char *algorithm)
{
    char mark[JWK_THUMBPRINT + 16];

    (void)snprintf(mark, sizeof mark, "[%s %s]", thumbprint, algorithm);
    if (strstr(writer_string(&set->seen), mark))
        return true;
    writer_text(&set->seen, mark);
    return false;
}

static se_status add_key(struct key_set *set, const struct descriptor *d, const struct key *key,
                         se_error *err)
{
    EVP_PKEY *public_key = X509_get0_pubkey(key->certificate);
    const struct algorithm *algorithm;
    char id[JWK_THUMBPRINT];

    TRY(key_jws_algorithm(&algorithm, d, public_key, err));
    TRY(certificate_check(d, key->certificate, certificate_not_after(key->certificate),
                          SE_ERR_POLICY, err));
    TRY(jwk_thumbprint(id, public_key, err));
    return is_in_set(set, id, algorithm->name)
               ? SE_OK
               : jwk_write(&set->w, algorithm, key->certificate, key->chain, err);
}

static se_status add_version(struct key_set *set, const struct descriptor *d, se_error *err)
{
    AUTO(key) key = NULL;
    se_status st = key_cache_open(&key, set->engine, d->key, PART_CERTIFICATE, err);

    if (!st)
        st = add_key(set, d, key, err);
    return error_blame_key(err, st, d);
}

static bool is_asked_for(const struct key_set *set, const struct descriptor *d)
{
    const struct config *config = set->engine->config;

    if (set->params->version && d->version != set->params->version)
        return false;
    return !set->params->current || config_current(config, d->name, clock_seconds()) == d;
}

/* Others publish the keys of those who only verify with them. */
static bool is_own_jws(const struct descriptor *d)
{
    return d->algorithm.kind == ALGORITHM_JWS && !d->use->public_only;
}

/* Of that name; NULL: of all whose algorithm is one of JOSE. */
static se_status add_descriptor(struct key_set *set, const char *name, se_error *err)
{
    const struct config *config = set->engine->config;
    const struct descriptor *any;

    if (name)
        TRY(config_descriptor(&any, config, name, set->params->version, err));
    for (size_t i = 0; i < config->descriptor_count; i++) {
        const struct descriptor *d = &config->descriptors[i];
        const bool named = name ? strcmp(d->name, name) == 0 : is_own_jws(d);

        if (named && is_asked_for(set, d))
            TRY(add_version(set, d, err));
    }
    return SE_OK;
}

static se_status write_set(se_buf *out, struct key_set *set, const char *const *descriptors,
                           size_t count, se_error *err)
{
    json_write_begin(&set->w, NULL, '{');
    json_write_begin(&set->w, "keys", '[');
    if (!count)
        TRY(add_descriptor(set, NULL, err));
    for (size_t i = 0; i < count; i++)
        TRY(add_descriptor(set, descriptors[i], err));
    json_write_end(&set->w, ']');
    json_write_end(&set->w, '}');
    set->w.failed |= set->seen.failed;
    return writer_finish(out, &set->w, err);
}

static se_status check_names(const char *const *descriptors, size_t count, se_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!descriptors[i])
            return error_set(err, SE_ERR_USAGE, "the name of a descriptor is NULL");
    return SE_OK;
}

se_status se_jwks(se_buf *out, se_engine *engine, const char *const *descriptors, size_t count,
                  const se_jwks_params *params, se_error *error)
{
    AUTO(engine) now = NULL;
    AUTO(key_set) set = { .engine = NULL };
    se_error spare = SE_ERROR_INIT;
    se_jwks_params read;

    if (out)
        *out = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, out, engine, given_array(descriptors, count)));
    TRY(arguments_options(&read, params, se_jwks_params, error));
    error = error ? error : &spare;
    TRY(check_names(descriptors, count, error));
    now = engine_enter(engine);
    set.engine = now;
    set.params = &read;
    return write_set(out, &set, descriptors, count, error);
}
