/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "cms/cms.h"
#include "config/versions.h"
#include "crypto/certificate.h"
#include "crypto/raw_signature.h"
#include "engine/signing.h"
#include "engine/timestamp.h"
#include "xmldsig/xmldsig.h"

/* ---- formats: the only place that knows all of them ---- */

static const struct signature_format formats[] = {
    [SE_FORM_DETACHED] = { "CMS", cms_sign_detached, cms_verify_detached },
    [SE_FORM_ATTACHED] = { "CMS with content", cms_sign_attached, cms_verify_attached },
    [SE_FORM_RAW] = { "raw", raw_sign, raw_verify },
    [SE_FORM_XML] = { "XML", xmldsig_sign_enveloped, xmldsig_verify },
    [SE_FORM_XML_ENVELOPING] = { "enveloping XML", xmldsig_sign_enveloping, xmldsig_verify },
    [SE_FORM_XML_DETACHED] = { "detached XML", xmldsig_sign_detached, xmldsig_verify_detached },
};

const struct signature_format *signature_format_find(se_form form)
{
    return (size_t)form < sizeof formats / sizeof *formats ? &formats[form] : NULL;
}

/* ---- signing ---- */

static se_status sign_params_read(se_sign_params *out, const se_sign_params *params, se_error *err)
{
    TRY(arguments_options(out, params, se_sign_params, err));
    if (out->begun < 0)
        return error_set(err, SE_ERR_USAGE, "a time before 1970");
    if (!out->begun)
        out->begun = clock_seconds();
    if (!out->time)
        out->time = out->begun;
    return job_params_check(out->purpose, &out->time, err);
}

static struct version_wish version_wish_of(const se_sign_params *params)
{
    return (struct version_wish){ .version = params->version,
                                  .least = params->least,
                                  .time = params->begun,
                                  .any_time = params->at_any_time };
}

/* The certificate's rules look at today, whatever signingTime is asked for. */
se_status signing_key_open(struct signing_key *out, struct engine *engine,
                           const struct descriptor *descriptor, const se_sign_params *params,
                           key_algorithm_fn *choose, se_error *err)
{
    char address[320];

    TRY(key_cache_open(&out->key, engine, descriptor->key, PART_SIGN, err));
    TRY(key_check_rules(out->key, descriptor, err));
    TRY(certificate_purpose(purpose_choose(params->purpose, descriptor), out->key->certificate,
                            true, SE_ERR_POLICY, err));
    TRY(addresses_name(address, out->key->profile.addresses, params->addresses,
                       params->address_count, SE_ERR_POLICY, err));
    return choose(&out->algorithm, descriptor, out->key->private, err);
}

se_status given_digest_check(se_bytes digest, se_form form, se_error *err)
{
    if (!given_bytes(digest))
        return error_set(err, SE_ERR_USAGE, "the bytes of the digest are NULL");
    if (digest.size && form != SE_FORM_DETACHED && form != SE_FORM_RAW &&
        form != SE_FORM_XML_DETACHED)
        return error_set(err, SE_ERR_USAGE,
                         "a digest stands for the content of detached and raw signatures only");
    return SE_OK;
}

static se_status sign_form_check(const se_sign_params *params, se_error *err)
{
    if (!signature_format_find(params->form))
        return error_set(err, SE_ERR_USAGE, "no signature form %d", (int)params->form);
    if (params->tsa && params->form != SE_FORM_DETACHED && params->form != SE_FORM_ATTACHED)
        return error_set(err, SE_ERR_USAGE, "time stamps are for CMS signatures");
    TRY(timestamp_check_wish(&(struct stamp_wish){ params->tsa, params->tsa_policy }, err));
    return given_digest_check(params->digest, params->form, err);
}

static se_status signing_key_sign(const se_sink *out, const struct signing_key *key,
                                  struct stream *in, const se_sign_params *params,
                                  struct api_call *call)
{
    struct content_digest digest = { .algorithm = DIGEST_NONE };
    const struct sign_job job = {
        .algorithm = key->algorithm,
        .key = key->key,
        .time = params->time,
        .pem = params->pem,
        .capabilities = params->purpose == SE_PURPOSE_MAIL,
        .in = in,
        .given = params->digest,
        .digest = &digest,
        .out = out,
        .xml = { params->xml_id, params->xml_uri, params->xml_inclusive },
        .stamper = { timestamp_fetch, { params->tsa, params->tsa_policy } },
    };
    se_status st;

    TRY(sign_form_check(params, &call->error));
    st = signature_format_find(params->form)->sign(&job, &call->error);
    api_call_digest(call, &digest);
    return st;
}

static se_status sign_source(const se_sink *out, struct engine *engine, struct stream *in,
                             const se_sign_params *params, struct api_call *call)
{
    const struct descriptor *found;
    AUTO(signing_key) key = { .key = NULL };
    struct version_wish wish;
    struct key_use use;
    se_sign_params read;
    se_status st;

    TRY(sign_params_read(&read, params, &call->error));
    TRY(api_call_tag(call, read.tag));
    wish = version_wish_of(&read);
    TRY(engine_choose_version(&found, engine, call->event.descriptor, &wish, &call->error));
    in->progress = read.progress;
    in->progress_arg = read.progress_arg;
    st = signing_key_open(&key, engine, found, &read, key_signing_algorithm, &call->error);
    if (!st)
        st = signing_key_sign(out, &key, in, &read, call);
    use = key_use_of(found, key.key);
    api_call_use(call, &use);
    return error_blame_key(&call->error, st, found);
}

se_status se_sign_stream(const se_sink *out, se_engine *engine, const char *descriptor,
                         const se_source *in, const se_sign_params *params, se_error *error)
{
    struct stream stream = { .source = in };
    struct api_call call;
    se_status st;

    TRY(arguments_check(error, given_sink(out), engine, descriptor, given_source(in)));
    api_call_begin(&call, engine, "sign", descriptor);
    st = sign_source(out, call.engine, &stream, params, &call);
    call.event.bytes = stream.done;
    return api_call_end(&call, st, error);
}

se_status se_sign(se_buf *out, se_engine *engine, const char *descriptor, se_bytes in,
                  const se_sign_params *params, se_error *error)
{
    AUTO(writer) w = { 0 };
    const se_sink sink = sink_writer(&w);
    const se_source source = source_memory(&in);

    if (out)
        *out = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, out, engine, descriptor, given_bytes(in)));
    TRY(se_sign_stream(&sink, engine, descriptor, &source, params, error));
    return writer_finish(out, &w, error);
}

se_status se_sign_file(const char *out, se_engine *engine, const char *descriptor, const char *in,
                       const se_sign_params *params, se_error *error)
{
    AUTO(file) file = -1;
    AUTO(output) output = OUTPUT_INIT;
    se_source source;
    se_sink sink;

    TRY(arguments_check(error, out, engine, descriptor, in));
    TRY(file_open_stream(&file, in, error));
    TRY(output_open(&output, out, 0644, error));
    source = source_fd(file);
    sink = sink_fd(output.fd);
    TRY(se_sign_stream(&sink, engine, descriptor, &source, params, error));
    return output_commit(&output, error);
}

/* ---- who would sign ---- */

static void signer_describe(se_signer *out, const struct descriptor *descriptor,
                            const struct key *key, const struct algorithm *algorithm)
{
    const struct profile *profile = &key->profile;
    const char *name = descriptor->key->name, *alias = descriptor->key->replicas[0].alias;

    alias = *alias ? alias : name;
    out->version = descriptor->version;
    out->not_after = profile->not_after;
    memcpy(out->subject, profile->subject, sizeof out->subject);
    memcpy(out->issuer, profile->issuer, sizeof out->issuer);
    memcpy(out->serial, profile->serial, sizeof out->serial);
    text_copy(out->key, sizeof out->key, name, strlen(name));
    text_copy(out->alias, sizeof out->alias, alias, strlen(alias));
    key_type_name(out->key_type, X509_get0_pubkey(key->certificate));
    (void)snprintf(out->algorithm, sizeof out->algorithm, "%s", algorithm->name);
    (void)snprintf(out->digest, sizeof out->digest, "%s", digest_name(algorithm->digest));
}

static se_status signer_find(se_signer *out, struct engine *engine,
                             const struct descriptor *descriptor, const se_sign_params *params,
                             se_error *err)
{
    const struct algorithm *algorithm;
    AUTO(key) key = NULL;

    TRY(key_cache_open(&key, engine, descriptor->key, PART_CERTIFICATE, err));
    TRY(key_own_algorithm(&algorithm, descriptor, X509_get0_pubkey(key->certificate), err));
    TRY(addresses_name(out->address, key->profile.addresses, params->addresses,
                       params->address_count, SE_ERR_POLICY, err));
    signer_describe(out, descriptor, key, algorithm);
    return SE_OK;
}

se_status se_find_signer(se_signer *out, se_engine *engine, const char *descriptor,
                         const se_sign_params *params, se_error *error)
{
    AUTO(engine) now = NULL;
    const struct descriptor *found;
    struct version_wish wish;
    se_sign_params read;
    se_error spare = SE_ERROR_INIT;

    if (out)
        *out = (se_signer){ .version = 0 };
    TRY(arguments_check(error, out, engine, descriptor));
    error = error ? error : &spare;
    TRY(sign_params_read(&read, params, error));
    now = engine_enter(engine);
    wish = version_wish_of(&read);
    TRY(config_version(&found, now->config, descriptor, &wish, error));
    return error_blame_key(error, signer_find(out, now, found, &read, error), found);
}
