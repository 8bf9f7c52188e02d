/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/maker.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/crypto.h"
#include "tests/unit/unit.h"

EVP_PKEY *make_key(const char *type)
{
    EVP_PKEY *key;

    if (strncmp(type, "RSA-", 4) == 0)
        key = EVP_PKEY_Q_keygen(crypto_context(), NULL, "RSA", (size_t)atoi(type + 4));
    else
        key = EVP_PKEY_Q_keygen(crypto_context(), NULL, "EC", type);
    assert_non_null(key);
    return key;
}

static void add(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    if (!value)
        return;
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    assert_true(X509_add_ext(certificate, extension, -1));
    X509_EXTENSION_free(extension);
}

X509 *make_certificate(EVP_PKEY *key, const struct certificate_wish *wish)
{
    static long serial = 1000;
    X509 *certificate = X509_new_ex(crypto_context(), NULL);
    bool dated = wish->from_days || wish->to_days;
    X509_NAME *name;

    assert_non_null(certificate);
    name = X509_get_subject_name(certificate);
    assert_true(X509_NAME_add_entry_by_txt(
        name, "CN", MBSTRING_UTF8, (const unsigned char *)(wish->subject ? wish->subject : "test"),
        -1, -1, 0));
    assert_true(X509_set_version(certificate, X509_VERSION_3));
    assert_true(X509_set_issuer_name(certificate,
                                     wish->issuer ? X509_get_subject_name(wish->issuer) : name));
    assert_true(ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial));
    assert_non_null(X509_time_adj_ex(X509_getm_notBefore(certificate), dated ? wish->from_days : -1,
                                     wish->from_seconds, NULL));
    assert_non_null(
        X509_time_adj_ex(X509_getm_notAfter(certificate), dated ? wish->to_days : 365, 0, NULL));
    assert_true(X509_set_pubkey(certificate, key));
    add(certificate, NID_basic_constraints, wish->ca ? "critical,CA:TRUE" : NULL);
    add(certificate, NID_key_usage, wish->usage);
    add(certificate, NID_subject_alt_name, wish->alt_name);
    add(certificate, NID_ext_key_usage, wish->extended_usage);
    assert_true(X509_sign(certificate, wish->issuer_key ? wish->issuer_key : key, EVP_sha256()));
    return certificate;
}

void make_bundle(const char *path, EVP_PKEY *key, X509 *certificate)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    if (key)
        assert_true(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
    if (certificate)
        assert_true(PEM_write_X509(file, certificate));
    assert_int_equal(fclose(file), 0);
}

void make_signer(const char *path, const char *type, const struct certificate_wish *wish)
{
    EVP_PKEY *key = make_key(type);
    X509 *certificate = make_certificate(key, wish);

    make_bundle(path, key, certificate);
    X509_free(certificate);
    EVP_PKEY_free(key);
}
