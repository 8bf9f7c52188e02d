/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/trust_store.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/file.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"

/* ---- the descriptor's own certificates ---- */

void expected_signers_free(struct expected_signers *c)
{
    for (size_t i = 0; i < c->count; i++)
        key_unref(c->origins[i].key);
    sk_X509_pop_free(c->issuers, X509_free);
    free(c->list);
    free(c->origins);
}

/* Newest version first; of one, the certificate that it signs with now. */
static se_status expected_insert(struct expected_signers *c, const struct expected_signer *signer,
                                 const struct expected_origin *origin, se_error *err)
{
    size_t room = c->room, at;

    if (!array_grow(&c->origins, &room, c->count) || !array_grow(&c->list, &c->room, c->count))
        return error_memory(err);
    for (at = c->count++; at && c->list[at - 1].version < signer->version; at--) {
        c->list[at] = c->list[at - 1];
        c->origins[at] = c->origins[at - 1];
    }
    c->list[at] = *signer;
    c->origins[at] = (struct expected_origin){ origin->descriptor, key_ref(origin->key) };
    return SE_OK;
}

/* An algorithm that goes with the key now may not go with one that was there before. */
static se_status expected_insert_former(struct expected_signers *c,
                                        const struct expected_signer *now,
                                        const struct expected_origin *origin,
                                        key_algorithm_fn *choose, se_error *err)
{
    struct expected_signer signer = *now;

    for (int i = 0; i < sk_X509_num(origin->key->former); i++) {
        signer.certificate = sk_X509_value(origin->key->former, i);
        if (!choose(&signer.algorithm, origin->descriptor, X509_get0_pubkey(signer.certificate),
                    NULL))
            TRY(expected_insert(c, &signer, origin, err));
    }
    return SE_OK;
}

static se_status expected_insert_all(struct expected_signers *c, struct expected_signer *signer,
                                     const struct expected_origin *origin, se_error *err)
{
    const struct key *key = origin->key;

    signer->certificate = key->certificate;
    signer->issuers = key->chain;
    TRY(expected_insert(c, signer, origin, err));
    for (int i = 0; i < sk_X509_num(key->others); i++) {
        signer->certificate = sk_X509_value(key->others, i);
        TRY(expected_insert(c, signer, origin, err));
    }
    if (!X509_add_certs(c->issuers, key->chain, X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP))
        return error_memory(err);
    return SE_OK;
}

/* A version whose certificate is out of reach does not hinder the others. */
static se_status expected_add(struct expected_signers *c, struct engine *engine,
                              const struct descriptor *descriptor, key_algorithm_fn *choose,
                              se_error *err)
{
    AUTO(key) key = NULL;
    struct expected_signer signer = { .version = descriptor->version };
    struct expected_origin origin;
    se_error failure = SE_ERROR_INIT;

    if (key_cache_open(&key, engine, descriptor->key, PART_CERTIFICATE, &failure) ||
        choose(&signer.algorithm, descriptor, X509_get0_pubkey(key->certificate), &failure)) {
        (void)error_prefix(&failure, failure.status, "version %u: key '%s': ", descriptor->version,
                           descriptor->key->name);
        if (!c->missing.status)
            c->missing = failure;
        return SE_OK;
    }
    origin = (struct expected_origin){ descriptor, key };
    TRY(expected_insert_all(c, &signer, &origin, err));
    return expected_insert_former(c, &signer, &origin, choose, err);
}

se_status expected_signers_collect(struct expected_signers *out, struct engine *engine,
                                   const char *name, unsigned version, key_algorithm_fn *choose,
                                   se_error *err)
{
    const struct config *config = engine->config;
    const struct descriptor *any;

    TRY(config_descriptor(&any, config, name, version, err));
    if (!(out->issuers = sk_X509_new_null()))
        return error_memory(err);
    for (size_t i = 0; i < config->descriptor_count; i++) {
        const struct descriptor *d = &config->descriptors[i];

        if (strcmp(d->name, name) == 0 && (!version || d->version == version))
            TRY(expected_add(out, engine, d, choose, err));
    }
    return SE_OK;
}

/* ---- CAs ---- */

enum { TRUST_LIMIT = 16 << 20 };

static se_status trust_store_add(X509_STORE *roots, STACK_OF(X509) * certificates, se_error *err)
{
    for (int i = 0; i < sk_X509_num(certificates); i++)
        if (!X509_STORE_add_cert(roots, sk_X509_value(certificates, i)))
            return crypto_error(err, SE_ERR_CRYPTO,
                                "cannot use a certificate that is to be trusted");
    return SE_OK;
}

static se_status trust_store_new(X509_STORE **out, se_error *err)
{
    if (!(*out = X509_STORE_new()))
        return error_memory(err);
    X509_STORE_set_flags(*out, X509_V_FLAG_PARTIAL_CHAIN);
    return SE_OK;
}

se_status trust_store_load(X509_STORE **out, const char *path, se_error *err)
{
    AUTO(x509_stack) certificates = NULL;
    AUTO(se_buf) text = SE_BUF_INIT;
    se_status st = trust_store_new(out, err);

    if (st)
        return st;
    if ((st = file_read(&text, path, TRUST_LIMIT, err)) ||
        (st = certificates_read(&certificates, buf_bytes(&text), path, err)))
        return error_prefix(err, st, "trust: ");
    return trust_store_add(*out, certificates, err);
}

/* The descriptor's certificates stand for themselves, and their issuers, self-signed or not, for
 * all that they certify. */
static se_status trust_store_gather(X509_STORE **out, const struct expected_signers *c,
                                    bool issuers, se_error *err)
{
    TRY(trust_store_new(out, err));
    for (size_t i = 0; i < c->count; i++)
        if (!X509_STORE_add_cert(*out, c->list[i].certificate))
            return crypto_error(err, SE_ERR_CRYPTO, "cannot use the descriptor's certificate");
    return issuers ? trust_store_add(*out, c->issuers, err) : SE_OK;
}

void trust_stores_free(struct trust_stores *stores)
{
    X509_STORE_free(stores->signers);
    X509_STORE_free(stores->tsas);
}
static se_status choose_signer_store(X509_STORE **out, const struct expected_signers *c,
                                     const se_verify_params *params, se_error *err)
{
    if (params->trust)
        return trust_store_load(out, params->trust, err);
    if (params->accept == SE_ACCEPT_VERSIONS)
        return SE_OK;
    if (params->accept == SE_ACCEPT_ISSUERS && c->count && !sk_X509_num(c->issuers))
        return error_set(err, SE_ERR_CONFIG,
                         "descriptor '%s': its key store has no issuer of its certificates, that "
                         "could vouch for others",
                         c->origins[0].descriptor->name);
    return trust_store_gather(out, c, params->accept == SE_ACCEPT_ISSUERS, err);
}

/* Issuers may name time stamping authorities for signers whom they do not vouch for: a stamp only
 * says when. */
se_status trust_stores_choose(struct trust_stores *out, const struct expected_signers *c,
                              const se_verify_params *params, se_error *err)
{
    se_status st = choose_signer_store(&out->signers, c, params, err);

    if (st || params->trust_tsa)
        return st ? st : trust_store_load(&out->tsas, params->trust_tsa, err);
    if (!out->signers)
        return SE_OK;
    if (!params->trust)
        return trust_store_gather(&out->tsas, c, true, err);
    if (X509_STORE_up_ref(out->signers))
        out->tsas = out->signers;
    return SE_OK;
}
