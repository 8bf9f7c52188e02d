/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/signed_config.h"

#include <openssl/x509v3.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "config/canonical.h"
#include "config/diff.h"
#include "config/files.h"
#include "config/versions.h"
#include "crypto/cert_path.h"
#include "crypto/certificate.h"
#include "engine/revocation_policy.h"
#include "engine/signing.h"
#include "engine/trust_store.h"
#include "xmldsig/config.h"

AUTO_KIND(x509_store, X509_STORE *, X509_STORE_free(*p))

enum { SHOWN = 5 };

struct changes {
    struct writer text;
    size_t count;
};

static void changes_add(void *arg, const char *item, const char *property, const char *before,
                        const char *after)
{
    struct changes *c = arg;

    if (c->count++ >= SHOWN)
        return;
    writer_format(&c->text, "%s%.80s: %s ", c->count > 1 ? "; " : "", item, property);
    if (!before)
        writer_format(&c->text, "'%.60s' was added", after);
    else if (!after)
        writer_format(&c->text, "'%.60s' was removed", before);
    else
        writer_format(&c->text, "was '%.60s', is '%.60s'", before, after);
}

static const char *config_name(const char *path)
{
    return path ? path : "configuration";
}

/* What is to be verified. */
struct verification {
    se_bytes text;
    const char *path;
    X509_STORE *roots;
    int64_t time;
    const struct revocation_rules *revocation; /* NULL: it is not looked at */
};

/* Who signed it. */
struct config_signer {
    struct verdict verdict;
    struct revocation revocation;
};
AUTO_KIND(config_signer, struct config_signer, verdict_free(&p->verdict))

/* What the text means today; SE_ERR_CONFIG: nothing. */
static se_status parse_text(struct config **out, const struct verification *v, se_error *err)
{
    AUTO(se_buf) copy = SE_BUF_INIT;
    se_status st = buf_copy(&copy, v->text, err);

    *out = NULL;
    return st ? st : config_parse(out, &copy, config_name(v->path), NULL, err);
}

static se_status canonical_text(se_buf *out, const struct verification *v, se_error *err)
{
    AUTO(config) config = NULL;
    se_status st = parse_text(&config, v, err);

    return st ? st : config_canonical(out, config, err);
}

static se_status refuse_changes(se_bytes signed_then, const struct verification *v,
                                const struct verdict *verdict, se_error *err)
{
    struct changes changes = { .count = 0 };
    AUTO(se_buf) now_canonical = SE_BUF_INIT;
    char subject[200];
    se_status st;

    certificate_subject(subject, sizeof subject, verdict->certificate);
    if (canonical_text(&now_canonical, v, NULL))
        return error_set(err, SE_ERR_REJECTED,
                         "it was changed since '%s' signed it, and is no configuration any more",
                         subject);
    st = canonical_diff(signed_then, buf_bytes(&now_canonical), changes_add, &changes, err);
    if (!st && !changes.count)
        st = error_set(err, SE_ERR_REJECTED,
                       "it was changed since '%s' signed it, in a PIN or in its layout", subject);
    else if (!st)
        st = error_set(err, SE_ERR_REJECTED, "it was changed since '%s' signed it: %s%s", subject,
                       writer_string(&changes.text), changes.count > SHOWN ? "; and more" : "");
    writer_free(&changes.text);
    return st;
}

static se_status check_config_signer(struct config_signer *out, const struct verify_job *job,
                                     se_error *err)
{
    const struct verdict *signer = &out->verdict;
    const bool own = trust_is_own(signer, job->roots);

    if (!(X509_get_key_usage(signer->certificate) &
          (X509v3_KU_DIGITAL_SIGNATURE | X509v3_KU_NON_REPUDIATION)))
        return error_set(err, SE_ERR_REJECTED,
                         "the keyUsage of the signer's certificate does not hold digitalSignature");
    TRY(certificate_purpose(PURPOSE_CONFIG, signer->certificate, own, SE_ERR_REJECTED, err));
    return revocation_look(&out->revocation, signer, NULL, job, err);
}

static se_status verify_config(struct config_signer *out, se_buf *canonical,
                               const struct verification *v, se_error *err)
{
    const struct verify_job job = {
        .roots = v->roots, .purpose = PURPOSE_CONFIG, .time = v->time, .revocation = v->revocation
    };
    se_error why = SE_ERROR_INIT;
    se_status st = xmldsig_config_verify(&out->verdict, canonical, &job, v->text, &why);

    if (!st)
        return check_config_signer(out, &job, err);
    if (st == SE_ERR_REJECTED && canonical->size)
        return refuse_changes(buf_bytes(canonical), v, &out->verdict, err);
    return error_set(err, st, "%s", why.text);
}

/* A text that means nothing to this version names no files that it would use. */
static se_status verify_files(se_bytes canonical, const struct verification *v, se_error *err)
{
    AUTO(config) config = NULL;
    se_status st = parse_text(&config, v, NULL);

    if (st == SE_ERR_MEMORY)
        return error_memory(err);
    return config ? config_files_check(config, canonical, err) : SE_OK;
}

static se_status verify_trusted(struct config_signer *out, se_buf *canonical,
                                struct verification *v, const char *trust, se_error *err)
{
    AUTO(x509_store) roots = NULL;

    TRY(trust_store_load(&roots, trust, err));
    v->roots = roots;
    return verify_config(out, canonical, v, err);
}

static se_status verify_now(struct signed_config *checked, se_bytes text, se_error *err)
{
    AUTO(config_signer) signer = { .verdict = { .certificate = NULL } };
    AUTO(revocation_policy) policy = { .sources = { NULL } };
    struct verification v = { .text = text, .path = checked->path, .time = clock_seconds() };

    TRY(revocation_policy_read(&policy, checked->revocation, v.time, err));
    v.revocation = &policy.rules;
    return verify_trusted(&signer, &checked->canonical, &v, checked->trust, err);
}

se_status signed_config_check(void *arg, se_bytes text, se_error *err)
{
    se_status st = verify_now(arg, text, err);

    return st == SE_ERR_REJECTED || st == SE_ERR_FORMAT ? error_restate(err, SE_ERR_CONFIG) : st;
}

se_status signed_config_check_files(struct config *config, const struct signed_config *checked,
                                    se_error *err)
{
    se_status st = config_files_check(config, buf_bytes(&checked->canonical), err);

    if (!st)
        return SE_OK;
    (void)error_prefix(err, st, "'%s': ", checked->path);
    return st == SE_ERR_MEMORY || st == SE_ERR_ACCESS ? st : error_restate(err, SE_ERR_CONFIG);
}

static se_status config_verify(struct config_signer *out, struct verification *v, const char *trust,
                               const se_config_verify_params *params, se_error *err)
{
    AUTO(se_buf) canonical = SE_BUF_INIT;
    AUTO(revocation_policy) policy = { .sources = { NULL } };
    se_config_verify_params read;

    TRY(arguments_options(&read, params, se_config_verify_params, err));
    if (read.time < 0)
        return error_set(err, SE_ERR_USAGE, "%jd is no time", (intmax_t)read.time);
    v->time = read.time ? read.time : clock_seconds();
    TRY(revocation_policy_read(&policy, read.revocation, v->time, err));
    v->revocation = &policy.rules;
    TRY(verify_trusted(out, &canonical, v, trust, err));
    return verify_files(buf_bytes(&canonical), v, err);
}

se_status se_config_verify(se_signer *out, se_bytes config, const char *path, const char *trust,
                           const se_config_verify_params *params, se_error *error)
{
    AUTO(config_signer) signer = { .verdict = { .certificate = NULL } };
    struct verification v = { .text = config, .path = path };
    se_error spare = SE_ERROR_INIT;

    if (out)
        *out = (se_signer){ .version = 0 };
    TRY(arguments_check(error, given_bytes(config), trust));
    TRY(config_verify(&signer, &v, trust, params, error ? error : &spare));
    if (out) {
        signer_from_verdict(out, &signer.verdict);
        signer_tell_revocation(out, &signer.revocation);
    }
    return SE_OK;
}

/* ---- signing ---- */

/* What is signed: without other signatures, and what it means, files that it names included. */
static se_status config_read_signed(se_buf *plain, se_buf *canonical, se_bytes text,
                                    const char *path, se_error *err)
{
    AUTO(se_buf) copy = SE_BUF_INIT;
    AUTO(config) config = NULL;

    TRY(xmldsig_config_strip(plain, text, err));
    TRY(buf_copy(&copy, buf_bytes(plain), err));
    TRY(config_parse(&config, &copy, config_name(path), NULL, err));
    TRY(config_files_read(config, err));
    return config_canonical(canonical, config, err);
}

struct config_sign_job {
    se_bytes text;
    const char *path;
    unsigned version; /* of the descriptor */
};

static se_status config_sign(const se_sink *out, struct engine *engine,
                             const struct config_sign_job *job, struct api_call *call)
{
    AUTO(se_buf) plain = SE_BUF_INIT;
    AUTO(se_buf) canonical = SE_BUF_INIT;
    const struct version_wish wish = { .version = job->version, .time = clock_seconds() };
    const struct descriptor *found;
    AUTO(signing_key) key = { .key = NULL };
    const se_sign_params params = SE_SIGN_PARAMS_INIT;
    struct content_digest digest = { .algorithm = DIGEST_NONE };
    struct key_use use;
    struct sign_job sign;
    se_status st;

    TRY(engine_choose_version(&found, engine, call->event.descriptor, &wish, &call->error));
    TRY(config_read_signed(&plain, &canonical, job->text, job->path, &call->error));
    st = signing_key_open(&key, engine, found, &params, key_signing_algorithm, &call->error);
    sign = (struct sign_job){
        .algorithm = key.algorithm, .key = key.key, .digest = &digest, .out = out
    };
    if (!st)
        st = xmldsig_config_sign(&sign, buf_bytes(&plain), buf_bytes(&canonical), &call->error);
    use = key_use_of(found, key.key);
    api_call_use(call, &use);
    api_call_digest(call, &digest);
    return error_blame_key(&call->error, st, found);
}

se_status se_config_sign(se_buf *out, se_engine *engine, const char *descriptor, unsigned version,
                         se_bytes config, const char *path, se_error *error)
{
    AUTO(writer) w = { 0 };
    const se_sink sink = sink_writer(&w);
    const struct config_sign_job job = { .text = config, .path = path, .version = version };
    struct api_call call;
    se_status st;

    if (out)
        *out = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, out, engine, descriptor, given_bytes(config)));
    api_call_begin(&call, engine, "sign", descriptor);
    st = config_sign(&sink, call.engine, &job, &call);
    call.event.bytes = config.size;
    TRY(api_call_end(&call, st, error));
    return writer_finish(out, &w, error);
}
