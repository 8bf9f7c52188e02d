/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/arguments.h"
#include "base/file.h"
#include "cms/tsp.h"
#include "crypto/cert_path.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "engine/revocation_policy.h"
#include "engine/signing.h"
#include "engine/trust_store.h"

enum { SIGNATURE_LIMIT = 64 << 20 };

static se_status verify_params_read(se_verify_params *out, const se_verify_params *params,
                                    se_error *err)
{
    TRY(arguments_options(out, params, se_verify_params, err));
    return job_params_check(out->purpose, &out->time, err);
}

void signer_from_verdict(se_signer *out, const struct verdict *verdict)
{
    *out = (se_signer){
        .version = verdict->candidate ? verdict->candidate->version : 0,
        .signing_time = verdict->signing_time,
        .not_after = certificate_not_after(verdict->certificate),
        .stamp_time = verdict->stamp.time,
        .stamp_accuracy_us = verdict->stamp.accuracy_us,
    };
    (void)snprintf(out->stamp_authority, sizeof out->stamp_authority, "%s",
                   verdict->stamp.authority);
    (void)snprintf(out->stamp_ignored, sizeof out->stamp_ignored, "%s", verdict->stamp.ignored);
    (void)snprintf(out->algorithm, sizeof out->algorithm, "%s", verdict->algorithm->name);
    certificate_subject(out->subject, sizeof out->subject, verdict->certificate);
    certificate_issuer(out->issuer, sizeof out->issuer, verdict->certificate);
    certificate_serial(out->serial, sizeof out->serial, verdict->certificate);
}

se_status expected_signers_doubt(se_status st, const struct expected_signers *c, se_error *err)
{
    if (st != SE_ERR_REJECTED || !c->missing.status)
        return st;
    if (err)
        *err = c->missing;
    return c->missing.status;
}

/* A signature that is given beside the input makes it a detached one. */
static se_form signature_form(const se_verify_params *params)
{
    if (params->form == SE_FORM_RAW)
        return SE_FORM_RAW;
    if (params->form >= SE_FORM_XML)
        return params->signature.size ? SE_FORM_XML_DETACHED : SE_FORM_XML;
    return params->signature.size || params->later ? SE_FORM_DETACHED : SE_FORM_ATTACHED;
}

/* That certificates stand for themselves does not mean that they may vouch for others. */
static se_status refuse_stranger(se_status st, const struct verdict *verdict,
                                 const struct verify_job *job, se_error *err)
{
    if ((st && st != SE_ERR_REJECTED) || !verdict->certificate)
        return st;
    for (size_t i = 0; i < job->count; i++)
        if (X509_cmp(job->candidates[i].certificate, verdict->certificate) == 0 ||
            trust_is_renewal(&job->candidates[i], verdict->certificate))
            return st;
    return trust_refuse_signer(job, verdict->certificate, ", and no CA was named", err);
}

static se_status verify_form(struct verdict *out, const struct verify_job *job,
                             const se_verify_params *params, se_error *err)
{
    se_error why = SE_ERROR_INIT;
    se_status st = signature_format_find(signature_form(params))->verify(out, job, &why);

    if (!params->trust && params->accept == SE_ACCEPT_CERTIFICATES)
        st = refuse_stranger(st, out, job, err);
    return st ? error_copy(err, st, &why) : SE_OK;
}

static se_status verify_expected(struct verdict *out, const struct expected_signers *c,
                                 struct verify_job *job, const se_verify_params *params,
                                 se_error *err)
{
    se_status st;

    if (!c->count && !params->trust) {
        if (err)
            *err = c->missing;
        return c->missing.status;
    }
    job->candidates = c->list;
    job->count = c->count;
    st = verify_form(out, job, params, err);
    return params->trust ? st : expected_signers_doubt(st, c, err);
}

/* Renewal is what makes a certificate that has expired go on: whoever certified its key anew
 * vouches for what it has signed. */
static se_status check_key_rules(const struct key *key, const X509 *expired,
                                 const struct descriptor *rules, int64_t at)
{
    se_status st;

    if (!certificate_has_key(expired, X509_get0_pubkey(key->certificate)))
        return SE_ERR_REJECTED;
    st = certificate_check(rules, key->certificate, at, SE_ERR_REJECTED, NULL);
    for (int i = 0; st && i < sk_X509_num(key->others); i++)
        st = certificate_check(rules, sk_X509_value(key->others, i), at, SE_ERR_REJECTED, NULL);
    return st;
}

se_status expected_signer_check(const struct verdict *verdict, const struct expected_signers *c,
                                int64_t at, se_error *err)
{
    const struct expected_origin *origin = &c->origins[verdict->candidate - c->list];
    se_status st =
        certificate_check(origin->descriptor, verdict->certificate, at, SE_ERR_REJECTED, err);

    if (st && !check_key_rules(origin->key, verdict->certificate, origin->descriptor, at))
        return SE_OK;
    return st;
}

/* Of a foreign signer only his own key decides. */
static se_status check_foreign_signer(const struct verdict *verdict, const struct descriptor *first,
                                      int64_t at, se_error *err)
{
    struct descriptor rules = *first;

    rules.algorithm.family = FAMILY_ANY;
    return certificate_check(&rules, verdict->certificate, at, SE_ERR_REJECTED, err);
}

/* The use's rules hold for every signer. */
static se_status check_signer_rules(const struct verdict *verdict, const struct expected_signers *c,
                                    const struct descriptor *first, const struct verify_job *job,
                                    se_error *err)
{
    const int64_t at = stamp_moment(&verdict->stamp, job->time);
    se_status st = verdict->candidate ? expected_signer_check(verdict, c, at, err)
                                      : check_foreign_signer(verdict, first, at, err);

    if (st) {
        stamp_blame(err, &verdict->stamp, verdict->certificate, job->time);
        return st;
    }
    return certificate_purpose(job->purpose, verdict->certificate,
                               trust_is_own(verdict, job->roots), SE_ERR_REJECTED, err);
}

void api_call_use_signer(struct api_call *call, const struct verdict *verdict,
                         const struct expected_signers *c)
{
    const struct expected_origin *origin;
    struct key_use use;

    if (!verdict->candidate)
        return;
    origin = &c->origins[verdict->candidate - c->list];
    use = key_use_of(origin->descriptor, origin->key);
    api_call_use(call, &use);
}

static se_status verify_source(se_signer *out, struct engine *engine, struct stream *in,
                               const se_verify_params *params, struct api_call *call)
{
    AUTO(expected_signers) expected = { .count = 0 };
    AUTO(verdict) verdict = { .certificate = NULL };
    AUTO(trust_stores) stores = { .tsas = NULL };
    AUTO(revocation_policy) policy = { .sources = { NULL } };
    struct revocation revocation = { .update = 0 };
    const char *descriptor = call->event.descriptor;
    se_error *err = &call->error;
    const struct descriptor *first;
    struct verify_job job;
    char address[320];
    se_verify_params read;
    se_status st;

    TRY(verify_params_read(&read, params, err));
    TRY(api_call_tag(call, read.tag));
    TRY(given_digest_check(read.digest, signature_form(&read), err));
    TRY(config_descriptor(&first, engine->config, descriptor, read.version, err));
    TRY(expected_signers_collect(&expected, engine, descriptor, read.version, key_signing_algorithm,
                                 err));
    TRY(trust_stores_choose(&stores, &expected, &read, err));
    TRY(revocation_policy_read(&policy, read.revocation, read.time, err));
    in->progress = read.progress;
    in->progress_arg = read.progress_arg;
    job = (struct verify_job){ .in = in,
                               .roots = stores.signers,
                               .renewals = !read.trust,
                               .tsa_roots = stores.tsas,
                               .purpose = purpose_choose(read.purpose, first),
                               .time = read.time,
                               .signature = read.signature,
                               .later = read.later,
                               .given = read.digest,
                               .content = read.content,
                               .xml = { read.xml_id, read.xml_uri, false },
                               .revocation = &policy.rules };
    st = verify_expected(&verdict, &expected, &job, &read, err);
    api_call_use_signer(call, &verdict, &expected);
    api_call_digest(call, &verdict.digest);
    if (st || (st = check_signer_rules(&verdict, &expected, first, &job, err)) ||
        (st = certificate_names(address, verdict.certificate, read.addresses, read.address_count,
                                SE_ERR_REJECTED, err)) ||
        (st = revocation_look(&revocation, &verdict, expected.issuers, &job, err)))
        return error_prefix(err, st, "descriptor '%s': ", descriptor);
    if (out) {
        signer_from_verdict(out, &verdict);
        signer_tell_revocation(out, &revocation);
        (void)snprintf(out->address, sizeof out->address, "%s", address);
    }
    return SE_OK;
}

se_status se_verify_stream(se_signer *out, se_engine *engine, const char *descriptor,
                           const se_source *in, const se_verify_params *params, se_error *error)
{
    struct stream stream = { .source = in };
    struct api_call call;
    se_status st;

    if (out)
        *out = (se_signer){ .version = 0 };
    TRY(arguments_check(error, engine, descriptor, given_source(in)));
    api_call_begin(&call, engine, "verify", descriptor);
    st = verify_source(out, call.engine, &stream, params, &call);
    call.event.bytes = stream.done;
    return api_call_end(&call, st, error);
}

se_status se_verify(se_signer *out, se_engine *engine, const char *descriptor, se_bytes in,
                    const se_verify_params *params, se_error *error)
{
    const se_source source = source_memory(&in);
    se_status st = arguments_check(error, engine, descriptor, given_bytes(in));

    return st ? st : se_verify_stream(out, engine, descriptor, &source, params, error);
}

se_status se_verify_file(se_signer *out, se_engine *engine, const char *descriptor, const char *in,
                         const char *signature, const se_verify_params *params, se_error *error)
{
    AUTO(file) file = -1;
    AUTO(se_buf) read = SE_BUF_INIT;
    se_verify_params job;
    se_source source;
    se_status st = SE_OK;

    if (out)
        *out = (se_signer){ .version = 0 };
    TRY(arguments_check(error, engine, descriptor, in));
    TRY(arguments_options(&job, params, se_verify_params, error));
    if ((signature && (st = file_read(&read, signature, SIGNATURE_LIMIT, error))) ||
        (st = file_open_stream(&file, in, error)))
        return st;
    if (signature && !read.size)
        return error_set(error, SE_ERR_FORMAT, "'%s' is empty: there is no signature in it",
                         signature);
    if (signature)
        job.signature = buf_bytes(&read);
    source = source_fd(file);
    return se_verify_stream(out, engine, descriptor, &source, &job, error);
}
