#include <stdio.h>
#include <stdlib.h>

#include "base/arguments.h"
#include "cms/tsp.h"
#include "crypto/cert_path.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "engine/engine.h"
#include "engine/roots.h"
#include "engine/trusted.h"

/* The versions of a descriptor that can be looked at, newest first. */
struct candidates {
    struct expected_signer *list;
    STACK_OF(X509) * issuers;              /* theirs, as far as the key stores have them */
    const struct descriptor **descriptors; /* beside `list` */
    size_t count;
    se_error missing; /* why a version could not be looked at, if one could not */
};

static void candidates_free(struct candidates *c)
{
    for (size_t i = 0; i < c->count; i++)
        X509_free(c->list[i].certificate);
    sk_X509_pop_free(c->issuers, X509_free);
    free(c->list);
    free(c->descriptors);
}
AUTO_KIND(candidates, struct candidates, candidates_free(p))

static se_status candidates_room(struct candidates *c, size_t count, se_error *err)
{
    c->list = calloc(count, sizeof *c->list);
    c->descriptors = calloc(count, sizeof *c->descriptors);
    c->issuers = sk_X509_new_null();
    return c->list && c->descriptors && c->issuers ? SE_OK : error_memory(err);
}

static void insert(struct candidates *c, const struct expected_signer *candidate,
                   const struct descriptor *descriptor)
{
    size_t at = c->count++;

    for (; at && c->list[at - 1].version < candidate->version; at--) {
        c->list[at] = c->list[at - 1];
        c->descriptors[at] = c->descriptors[at - 1];
    }
    c->list[at] = *candidate;
    c->descriptors[at] = descriptor;
}

/* A version whose certificate is out of reach does not hinder the others. */
static void add(struct candidates *c, se_engine *engine, const struct descriptor *descriptor)
{
    AUTO(key) key = NULL;
    struct expected_signer candidate = { .version = descriptor->version };
    se_error failure = SE_ERROR_INIT;

    if (slot_open(&key, engine, descriptor->key, PART_CERTIFICATE, &failure) ||
        signing_algorithm(&candidate.algorithm, descriptor, X509_get0_pubkey(key->certificate),
                          &failure)) {
        (void)error_prefix(&failure, "version %u: key '%s': ", descriptor->version,
                           descriptor->key->name);
        if (!c->missing.status)
            c->missing = failure;
        return;
    }
    candidate.certificate = key->certificate;
    X509_up_ref(candidate.certificate);
    insert(c, &candidate, descriptor);
    (void)X509_add_certs(c->issuers, key->chain, X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP);
}

static se_status collect(struct candidates *out, se_engine *engine, const char *name,
                         unsigned version, se_error *err)
{
    const struct config *config = engine->config;
    const struct descriptor *any;

    TRY(config_descriptor(&any, config, name, version, err));
    TRY(candidates_room(out, config->descriptor_count, err));
    for (size_t i = 0; i < config->descriptor_count; i++) {
        const struct descriptor *d = &config->descriptors[i];

        if (strcmp(d->name, name) == 0 && (!version || d->version == version))
            add(out, engine, d);
    }
    return SE_OK;
}

/* The descriptor's certificates stand for themselves, their issuers for whomever they certify,
 * whether self-signed or not. */
static se_status gather(X509_STORE **out, const struct candidates *c, bool issuers, se_error *err)
{
    if (!(*out = X509_STORE_new()))
        return error_memory(err);
    X509_STORE_set_flags(*out, X509_V_FLAG_PARTIAL_CHAIN);
    for (size_t i = 0; i < c->count; i++)
        if (!X509_STORE_add_cert(*out, c->list[i].certificate))
            return crypto_error(err, SE_ERR_CRYPTO, "cannot use the descriptor's certificate");
    return issuers ? roots_add(*out, c->issuers, err) : SE_OK;
}

/* Who vouches for signers, and for time stamping authorities. */
struct vouchers {
    X509_STORE *signers; /* NULL: only the descriptor's certificates are accepted */
    X509_STORE *tsas;
};

static void vouchers_free(struct vouchers *vouchers)
{
    X509_STORE_free(vouchers->signers);
    X509_STORE_free(vouchers->tsas);
}
AUTO_KIND(vouchers, struct vouchers, vouchers_free(p))

/* An anchor of trust need not be self-signed (RFC 5280, 6.1): an issuing CA may be trusted, and not
 * the public root above it. */
static se_status load(X509_STORE **out, const char *path, se_error *err)
{
    if (!(*out = X509_STORE_new()))
        return error_memory(err);
    X509_STORE_set_flags(*out, X509_V_FLAG_PARTIAL_CHAIN);
    return roots_load(*out, path, err);
}

static se_status choose_roots(X509_STORE **out, const struct candidates *c,
                              const se_verify_params *params, se_error *err)
{
    if (params->trust)
        return load(out, params->trust, err);
    if (params->accept == SE_ACCEPT_VERSIONS)
        return SE_OK;
    if (params->accept == SE_ACCEPT_ISSUERS && c->count && !sk_X509_num(c->issuers))
        return error_set(err, SE_ERR_CONFIG,
                         "descriptor '%s': its key store has no issuer of its certificates, that "
                         "could vouch for others",
                         c->descriptors[0]->name);
    return gather(out, c, params->accept == SE_ACCEPT_ISSUERS, err);
}

/* Issuers may name time stamping authorities for signers whom they do not vouch for: a stamp only
 * says when. */
static se_status choose_vouchers(struct vouchers *out, const struct candidates *c,
                                 const se_verify_params *params, se_error *err)
{
    se_status st = choose_roots(&out->signers, c, params, err);

    if (st || params->trust_tsa)
        return st ? st : load(&out->tsas, params->trust_tsa, err);
    if (!out->signers)
        return SE_OK;
    if (!params->trust)
        return gather(&out->tsas, c, true, err);
    if (X509_STORE_up_ref(out->signers))
        out->tsas = out->signers;
    return SE_OK;
}

void signer_tell(se_signer *out, const struct verdict *verdict)
{
    *out = (se_signer){
        .version = verdict->candidate ? verdict->candidate->version : 0,
        .signing_time = verdict->signing_time,
        .not_after = certificate_not_after(verdict->certificate),
        .stamp_time = verdict->stamp.time,
    };
    (void)snprintf(out->stamp_authority, sizeof out->stamp_authority, "%s",
                   verdict->stamp.authority);
    (void)snprintf(out->stamp_ignored, sizeof out->stamp_ignored, "%s", verdict->stamp.ignored);
    (void)snprintf(out->algorithm, sizeof out->algorithm, "%s", verdict->algorithm->name);
    certificate_subject(out->subject, sizeof out->subject, verdict->certificate);
    certificate_issuer(out->issuer, sizeof out->issuer, verdict->certificate);
    certificate_serial(out->serial, sizeof out->serial, verdict->certificate);
}

/* A refusal can be wrong when a version could not be looked at: then it is "don't know". */
static se_status doubt(se_status st, const struct candidates *c, const se_verify_params *params,
                       se_error *err)
{
    if (st != SE_ERR_REJECTED || !c->missing.status || params->trust)
        return st;
    if (err)
        *err = c->missing;
    return c->missing.status;
}

/* Whether it is detached is told by the signature that is given, or is not. */
static se_form form_of(const se_verify_params *params)
{
    if (params->form == SE_FORM_RAW)
        return SE_FORM_RAW;
    if (params->form >= SE_FORM_XML)
        return params->signature.size ? SE_FORM_XML_DETACHED : SE_FORM_XML;
    return params->signature.size || params->later ? SE_FORM_DETACHED : SE_FORM_ATTACHED;
}

/* That certificates stand for themselves does not mean that they may vouch for others. */
static se_status refuse_strangers(se_status st, const struct verdict *verdict,
                                  const struct candidates *c, se_error *err)
{
    char subject[256], serial[64];

    if ((st && st != SE_ERR_REJECTED) || !verdict->certificate)
        return st;
    for (size_t i = 0; i < c->count; i++)
        if (X509_cmp(c->list[i].certificate, verdict->certificate) == 0)
            return st;
    certificate_subject(subject, sizeof subject, verdict->certificate);
    certificate_serial(serial, sizeof serial, verdict->certificate);
    return error_set(err, SE_ERR_REJECTED,
                     "signed with a certificate that the descriptor does not have, and no CA was "
                     "named: %s (serial %s)",
                     subject, serial);
}

static se_status verify_form(struct verdict *out, const struct candidates *c,
                             const struct verify_job *job, const se_verify_params *params,
                             se_error *err)
{
    se_error why = SE_ERROR_INIT;
    se_status st = signature_format_find(form_of(params))->verify(out, job, &why);

    if (!params->trust && params->accept == SE_ACCEPT_CERTIFICATES)
        st = refuse_strangers(st, out, c, err);
    return st ? error_set_at(err, st, why.file, why.line, "%s", why.text) : SE_OK;
}

static se_status verify(struct verdict *out, const struct candidates *c, struct verify_job *job,
                        const se_verify_params *params, se_error *err)
{
    if (!c->count && !params->trust) {
        if (err)
            *err = c->missing;
        return c->missing.status;
    }
    job->candidates = c->list;
    job->count = c->count;
    return doubt(verify_form(out, c, job, params, err), c, params, err);
}

/* The use's rules hold for whoever signed. */
static se_status apply_rules(const struct verdict *verdict, const struct candidates *c,
                             const struct descriptor *first, const struct verify_job *job,
                             se_error *err)
{
    struct descriptor rules =
        verdict->candidate ? *c->descriptors[verdict->candidate - c->list] : *first;
    se_status st;

    if (!verdict->candidate)
        rules.algorithm.family = FAMILY_ANY; /* of a foreign signer only his own key decides */
    st = certificate_check(&rules, verdict->certificate, stamp_moment(&verdict->stamp, job->time),
                           SE_ERR_REJECTED, err);
    if (st) {
        stamp_blame(err, &verdict->stamp, verdict->certificate, job->time);
        return st;
    }
    return certificate_purpose(job->purpose, verdict->certificate,
                               trust_is_own(verdict, job->roots), SE_ERR_REJECTED, err);
}

/* Of the version that signed; a signer that only `trust` vouches for has none. */
static void note(struct operation *op, const struct verdict *verdict, const struct candidates *c)
{
    if (verdict->candidate)
        operation_on(op, c->descriptors[verdict->candidate - c->list]);
}

static se_status verify_stream(se_signer *out, se_engine *engine, struct stream *in,
                               const se_verify_params *params, struct operation *op)
{
    AUTO(candidates) candidates = { .count = 0 };
    AUTO(verdict) verdict = { .certificate = NULL };
    AUTO(vouchers) vouchers = { .tsas = NULL };
    const char *descriptor = op->event.descriptor;
    se_error *err = &op->error;
    const struct descriptor *first;
    struct verify_job job;
    char address[320];
    se_verify_params read;
    se_status st;

    TRY(verify_params_read(&read, params, err));
    TRY(config_descriptor(&first, engine->config, descriptor, read.version, err));
    TRY(collect(&candidates, engine, descriptor, read.version, err));
    TRY(choose_vouchers(&vouchers, &candidates, &read, err));
    in->progress = read.progress;
    in->progress_arg = read.progress_arg;
    job = (struct verify_job){ .in = in,
                               .roots = vouchers.signers,
                               .tsa_roots = vouchers.tsas,
                               .purpose = purpose_of(read.purpose, first),
                               .time = read.time,
                               .signature = read.signature,
                               .later = read.later,
                               .content = read.content,
                               .xml = { read.xml_id, read.xml_uri, false } };
    st = verify(&verdict, &candidates, &job, &read, err);
    note(op, &verdict, &candidates);
    if (st || (st = apply_rules(&verdict, &candidates, first, &job, err)) ||
        (st = certificate_names(address, verdict.certificate, read.addresses, read.address_count,
                                SE_ERR_REJECTED, err)))
        return error_prefix(err, "descriptor '%s': ", descriptor);
    if (out) {
        signer_tell(out, &verdict);
        (void)snprintf(out->address, sizeof out->address, "%s", address);
    }
    return SE_OK;
}

se_status se_verify_stream(se_signer *out, se_engine *engine, const char *descriptor,
                           const se_source *in, const se_verify_params *params, se_error *error)
{
    struct stream stream = { .source = in };
    struct operation op;
    se_status st;

    if (out)
        *out = (se_signer){ .version = 0 };
    TRY(arguments_check(error, engine, descriptor, given_source(in)));
    operation_begin(&op, &engine->events, "verify", descriptor);
    st = verify_stream(out, engine, &stream, params, &op);
    op.event.bytes = stream.done;
    return operation_end(&op, st, error);
}

se_status se_verify(se_signer *out, se_engine *engine, const char *descriptor, se_bytes in,
                    const se_verify_params *params, se_error *error)
{
    const se_source source = source_memory(&in);
    se_status st = arguments_check(error, engine, descriptor, given_bytes(in));

    return st ? st : se_verify_stream(out, engine, descriptor, &source, params, error);
}
