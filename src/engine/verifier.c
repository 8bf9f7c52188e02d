/* SPDX-License-Identifier: Apache-2.0 */
/* Raw signatures, verified with one public key. */
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "config/versions.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "crypto/signature.h"
#include "engine/engine.h"

struct se_verifier {
    X509 *certificate;
    const struct algorithm *algorithm;
    unsigned version;
    se_buf der, key;
};

void se_verifier_close(se_verifier **verifier)
{
    se_verifier *v = verifier ? *verifier : NULL;

    if (!v)
        return;
    X509_free(v->certificate);
    se_buf_free(&v->der);
    se_buf_free(&v->key);
    free(v);
    *verifier = NULL;
}
AUTO_KIND(verifier, se_verifier *, se_verifier_close(p))

static se_status encode_der(se_buf *out, int size, unsigned char *der, se_error *err)
{
    se_status st = size > 0 ? buf_copy(out, (se_bytes){ der, (size_t)size }, err)
                            : crypto_error(err, SE_ERR_CRYPTO, "cannot encode the certificate");

    OPENSSL_free(der);
    return st;
}

/* Takes a reference of the certificate. */
static se_status verifier_new(se_verifier **out, X509 *certificate,
                              const struct algorithm *algorithm, unsigned version, se_error *err)
{
    AUTO(verifier) v = calloc(1, sizeof *v);
    unsigned char *der = NULL, *key = NULL;
    int size;

    if (!v)
        return error_memory(err);
    X509_up_ref(certificate);
    *v = (se_verifier){ .certificate = certificate, .algorithm = algorithm, .version = version };
    if (!certificate_is_bare(certificate)) {
        size = i2d_X509(certificate, &der);
        TRY(encode_der(&v->der, size, der, err));
    }
    size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key);
    TRY(encode_der(&v->key, size, key, err));
    *out = MOVE(v);
    return SE_OK;
}

static se_status verifier_of_key(se_verifier **out, const struct descriptor *d, struct key *key,
                                 se_error *err)
{
    const struct algorithm *algorithm;
    X509 *certificate = key->certificate;

    TRY(certificate_check(d, certificate, certificate_not_after(certificate), SE_ERR_POLICY, err));
    TRY(key_own_algorithm(&algorithm, d, X509_get0_pubkey(certificate), err));
    return verifier_new(out, certificate, algorithm, d->version, err);
}

/* One that is named is for what it has signed, whenever that was. */
static se_status find_version(const struct descriptor **out, const struct config *config,
                              const char *name, unsigned version, se_error *err)
{
    const struct version_wish current = { .time = clock_seconds() };

    return version ? config_descriptor(out, config, name, version, err)
                   : config_version(out, config, name, &current, err);
}

se_status se_verifier_open(se_verifier **out, se_engine *engine, const char *descriptor,
                           unsigned version, se_error *error)
{
    AUTO(engine) now = NULL;
    AUTO(key) key = NULL;
    const struct descriptor *found;
    se_error spare = SE_ERROR_INIT;
    se_status st;

    if (out)
        *out = NULL;
    TRY(arguments_check(error, out, engine, descriptor));
    error = error ? error : &spare;
    now = engine_enter(engine);
    TRY(find_version(&found, now->config, descriptor, version, error));
    if ((st = key_cache_open(&key, now, found->key, PART_CERTIFICATE, error)) ||
        (st = verifier_of_key(out, found, key, error)))
        return error_blame_key(error, st, found);
    return SE_OK;
}

static const struct algorithm *algorithm_named(const char *name)
{
    struct algorithm parsed;

    if (!algorithm_parse(&parsed, name, NULL) || parsed.kind != ALGORITHM_SIGNATURE ||
        strcmp(parsed.name, name) != 0)
        return NULL;
    return algorithm_signature(parsed.digest, parsed.family, parsed.padding);
}

se_status se_verifier_read(se_verifier **out, se_bytes certificate, const char *algorithm,
                           se_error *error)
{
    AUTO(x509_stack) certificates = NULL;
    const struct algorithm *found;
    X509 *first;

    if (out)
        *out = NULL;
    TRY(arguments_check(error, out, given_bytes(certificate), algorithm));
    if (!(found = algorithm_named(algorithm)))
        return error_set(error, SE_ERR_FORMAT, "'%s' is not an algorithm of signatures", algorithm);
    TRY(certificates_read(&certificates, certificate, "the certificate", error));
    first = sk_X509_value(certificates, 0);
    if (!X509_get0_pubkey(first) || key_family(X509_get0_pubkey(first)) != found->family)
        return error_set(error, SE_ERR_REJECTED, "the certificate's key makes no %s signatures",
                         found->name);
    return verifier_new(out, first, found, 0, error);
}

void se_verifier_signer(se_signer *out, const se_verifier *v)
{
    if (!out)
        return;
    *out = (se_signer){ .version = 0 };
    if (!v)
        return;
    *out = (se_signer){ .version = v->version, .not_after = certificate_not_after(v->certificate) };
    (void)snprintf(out->algorithm, sizeof out->algorithm, "%s", v->algorithm->name);
    certificate_subject(out->subject, sizeof out->subject, v->certificate);
    certificate_issuer(out->issuer, sizeof out->issuer, v->certificate);
    certificate_serial(out->serial, sizeof out->serial, v->certificate);
}

se_bytes se_verifier_certificate(const se_verifier *v)
{
    return v ? buf_bytes(&v->der) : (se_bytes){ NULL, 0 };
}

se_bytes se_verifier_key(const se_verifier *v)
{
    return v ? buf_bytes(&v->key) : (se_bytes){ NULL, 0 };
}

se_status se_verifier_check(const se_verifier *verifier, se_bytes in, se_bytes signature,
                            se_error *error)
{
    AUTO(verdict) verdict = { .certificate = NULL };
    const se_source source = source_memory(&in);
    struct stream stream = { .source = &source };
    struct expected_signer candidate;
    const struct verify_job job = {
        .candidates = &candidate, .count = 1, .signature = signature, .in = &stream
    };

    TRY(arguments_check(error, verifier, given_bytes(in), given_bytes(signature)));
    candidate = (struct expected_signer){ .certificate = verifier->certificate,
                                          .algorithm = verifier->algorithm,
                                          .version = verifier->version };
    return signature_format_find(SE_FORM_RAW)->verify(&verdict, &job, error);
}
