/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate and its key from a PFX or from PEM. */
#include "tests/azure/store.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>

static void parse_pfx(const char *value, const char *password, EVP_PKEY **key, X509 **certificate)
{
    size_t size = 0;
    unsigned char *der = base64_decode(&size, value);
    const unsigned char *p = der;
    PKCS12 *pfx = size ? d2i_PKCS12(NULL, &p, (long)size) : NULL;
    if (pfx && PKCS12_parse(pfx, password, key, certificate, NULL) != 1)
        *key = NULL;
    PKCS12_free(pfx);
    free(der);
}

static void parse_pem(const char *value, EVP_PKEY **key, X509 **certificate)
{
    BIO *memory = BIO_new_mem_buf(value, -1);
    *key = PEM_read_bio_PrivateKey(memory, NULL, NULL, NULL);
    BIO_free(memory);
    memory = BIO_new_mem_buf(value, -1);
    *certificate = PEM_read_bio_X509(memory, NULL, NULL, NULL);
    BIO_free(memory);
}

static void store_imported(struct call *c, EVP_PKEY *key, X509 *certificate)
{
    store_lock();
    struct object *object = store_find(c->name);
    if (name_free(c, "Certificate")) {
        if (!object)
            object = store_add(c->name);
        struct version *version = version_add(object);
        json_t *enabled = json_object_get(json_object_get(c->body, "attributes"), "enabled");
        json_t *tags = json_object_get(c->body, "tags");
        EVP_PKEY_up_ref(key);
        version->key = key;
        version_describe(version, EVP_PKEY_is_a(key, "RSA") ? "RSA" : "EC");
        X509_up_ref(certificate);
        version->certificate = certificate;
        version->not_before = asn1_seconds(X509_get0_notBefore(certificate));
        version->expires = asn1_seconds(X509_get0_notAfter(certificate));
        version->enabled = !enabled || json_is_true(enabled);
        version->exportable = !json_is_false(json_object_get(
            json_object_get(json_object_get(c->body, "policy"), "key_props"), "exportable"));
        version->tags = json_object_size(tags) ? json_deep_copy(tags) : NULL;
        json_decref(object->policy);
        object->policy =
            policy_of_certificate(certificate, version, json_object_get(c->body, "policy"));
        version->ops = policy_key_ops(object->policy);
        c->version = NULL;
    }
    store_unlock();
    if (c->answer->status == 0)
        certificate_get(c);
}

void certificate_import(struct call *c)
{
    const char *value = json_string_value(json_object_get(c->body, "value"));
    const char *password = json_string_value(json_object_get(c->body, "pwd"));
    EVP_PKEY *key = NULL;
    X509 *certificate = NULL;
    if (value && strstr(value, "-----BEGIN"))
        parse_pem(value, &key, &certificate);
    else if (value)
        parse_pfx(value, password ? password : "", &key, &certificate);
    if (!key || !certificate || X509_check_private_key(certificate, key) != 1)
        answer_error(c, 400, "BadParameter", NULL,
                     "The specified PKCS#12 X.509 certificate content can not be read. Please "
                     "check if certificate is in valid PKCS#12 format.");
    else
        store_imported(c, key, certificate);
    EVP_PKEY_free(key);
    X509_free(certificate);
}
