#include <stdio.h>

#include "base/arguments.h"
#include "base/text.h"
#include "config/files.h"
#include "crypto/certificate.h"
#include "crypto/signature.h"
#include "engine/engine.h"
#include "engine/timestamp.h"
#include "engine/trusted.h"
#include "xmldsig/config.h"

struct signer {
    struct key *key;
    const struct algorithm *algorithm;
};

/* The certificate's rules look at today, whatever signingTime is asked for. */
static se_status prepare(struct signer *out, se_engine *engine, const struct descriptor *descriptor,
                         const se_sign_params *params, se_error *err)
{
    char address[320];

    TRY(slot_open(&out->key, engine, descriptor->key, PART_SIGN, err));
    TRY(key_allowed(out->key, descriptor, err));
    TRY(certificate_purpose(purpose_of(params->purpose, descriptor), out->key->certificate, true,
                            SE_ERR_POLICY, err));
    TRY(addresses_name(address, out->key->profile.addresses, params->addresses,
                       params->address_count, SE_ERR_POLICY, err));
    return signing_algorithm(&out->algorithm, descriptor, out->key->private, err);
}

static se_status sign(const se_sink *out, const struct signer *signer, struct stream *in,
                      const se_sign_params *params, se_error *err)
{
    const struct signature_format *format = signature_format_find(params->form);
    const struct sign_job job = { signer->algorithm,
                                  signer->key,
                                  params->time,
                                  params->pem,
                                  params->purpose == SE_PURPOSE_MAIL,
                                  in,
                                  out,
                                  { params->xml_id, params->xml_uri, params->xml_inclusive },
                                  { timestamp_fetch, params->tsa } };

    if (!format)
        return error_set(err, SE_ERR_USAGE, "no signature form %d", (int)params->form);
    if (params->tsa && params->form != SE_FORM_DETACHED)
        return error_set(err, SE_ERR_USAGE, "time stamps are for detached CMS signatures");
    return format->sign(&job, err);
}

static se_status sign_stream(const se_sink *out, se_engine *engine, struct stream *in,
                             const se_sign_params *params, struct operation *op)
{
    const struct descriptor *found;
    struct signer signer = { .key = NULL };
    se_sign_params read;
    se_status st;

    TRY(sign_params_read(&read, params, &op->error));
    TRY(config_descriptor(&found, engine->config, op->event.descriptor, read.version, &op->error));
    operation_on(op, found);
    in->progress = read.progress;
    in->progress_arg = read.progress_arg;
    st = prepare(&signer, engine, found, &read, &op->error);
    if (!st)
        st = sign(out, &signer, in, &read, &op->error);
    key_unref(signer.key);
    return st ? blame(&op->error, found) : SE_OK;
}

se_status se_sign_stream(const se_sink *out, se_engine *engine, const char *descriptor,
                         const se_source *in, const se_sign_params *params, se_error *error)
{
    struct stream stream = { .source = in };
    struct operation op;
    se_status st;

    TRY(arguments_check(error, given_sink(out), engine, descriptor, given_source(in)));
    operation_begin(&op, &engine->events, "sign", descriptor);
    st = sign_stream(out, engine, &stream, params, &op);
    op.event.bytes = stream.done;
    return operation_end(&op, st, error);
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

static void signer_fill(se_signer *out, const struct descriptor *descriptor, const struct key *key,
                        const struct algorithm *algorithm)
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

static se_status signer_find(se_signer *out, se_engine *engine, const struct descriptor *descriptor,
                             const se_sign_params *params, se_error *err)
{
    const struct algorithm *algorithm;
    AUTO(key) key = NULL;

    TRY(slot_open(&key, engine, descriptor->key, PART_CERTIFICATE, err));
    TRY(signing_algorithm(&algorithm, descriptor, X509_get0_pubkey(key->certificate), err));
    TRY(addresses_name(out->address, key->profile.addresses, params->addresses,
                       params->address_count, SE_ERR_POLICY, err));
    signer_fill(out, descriptor, key, algorithm);
    return SE_OK;
}

se_status se_find_signer(se_signer *out, se_engine *engine, const char *descriptor,
                         const se_sign_params *params, se_error *error)
{
    const struct descriptor *found;
    se_sign_params read;
    se_error spare = SE_ERROR_INIT;

    if (out)
        *out = (se_signer){ .version = 0 };
    TRY(arguments_check(error, out, engine, descriptor));
    error = error ? error : &spare;
    TRY(sign_params_read(&read, params, error));
    TRY(config_descriptor(&found, engine->config, descriptor, read.version, error));
    return signer_find(out, engine, found, &read, error) ? blame(error, found) : SE_OK;
}

/* What is signed: without other signatures, and what it means, files that it names included. */
static se_status read_config(se_buf *plain, se_buf *canonical, se_bytes text, const char *path,
                             se_error *err)
{
    AUTO(se_buf) copy = SE_BUF_INIT;
    AUTO(config) config = NULL;

    TRY(xmldsig_config_strip(plain, text, err));
    TRY(buf_copy(&copy, buf_bytes(plain), err));
    TRY(config_parse(&config, &copy, config_path(path), NULL, err));
    TRY(config_files_read(config, err));
    return config_canonical(canonical, config, err);
}

struct config_wish {
    se_bytes text;
    const char *path;
    unsigned version; /* of the descriptor */
};

static se_status sign_config(const se_sink *out, se_engine *engine, const struct config_wish *wish,
                             struct operation *op)
{
    AUTO(se_buf) plain = SE_BUF_INIT;
    AUTO(se_buf) canonical = SE_BUF_INIT;
    const struct descriptor *found;
    struct signer signer = { .key = NULL };
    const se_sign_params params = SE_SIGN_PARAMS_INIT;
    struct sign_job job;
    se_status st;

    TRY(config_descriptor(&found, engine->config, op->event.descriptor, wish->version, &op->error));
    TRY(read_config(&plain, &canonical, wish->text, wish->path, &op->error));
    operation_on(op, found);
    st = prepare(&signer, engine, found, &params, &op->error);
    job = (struct sign_job){ .algorithm = signer.algorithm, .key = signer.key, .out = out };
    if (!st)
        st = xmldsig_config_sign(&job, buf_bytes(&plain), buf_bytes(&canonical), &op->error);
    key_unref(signer.key);
    return st ? blame(&op->error, found) : SE_OK;
}

se_status se_config_sign(se_buf *out, se_engine *engine, const char *descriptor, unsigned version,
                         se_bytes config, const char *path, se_error *error)
{
    AUTO(writer) w = { 0 };
    const se_sink sink = sink_writer(&w);
    const struct config_wish wish = { config, path, version };
    struct operation op;
    se_status st;

    if (out)
        *out = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, out, engine, descriptor, given_bytes(config)));
    operation_begin(&op, &engine->events, "sign", descriptor);
    st = sign_config(&sink, engine, &wish, &op);
    op.event.bytes = config.size;
    TRY(operation_end(&op, st, error));
    return writer_finish(out, &w, error);
}
