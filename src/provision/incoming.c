#include "provision/incoming.h"

#include <openssl/err.h>

#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "crypto/pem_text.h"
#include "keystore/pem.h"
#include "keystore/pkcs12.h"
#include "provision/answer.h"

void incoming_free(struct incoming *incoming)
{
    EVP_PKEY_free(incoming->key);
    X509_free(incoming->certificate);
    sk_X509_pop_free(incoming->chain, X509_free);
    *incoming = (struct incoming){ .key = NULL };
}

static se_status unpack(struct bundle *out, const struct provision_import *import, se_error *err)
{
    if (!import->file.size)
        return error_set(err, SE_ERR_FORMAT, "the file is empty");
    if (!pem_text_is(import->file) &&
        *(const unsigned char *)import->file.data == 0x30) /* DER begins with a SEQUENCE */
        return pkcs12_bundle(out, import->file, import->password, err);
    if (!pem_has_key(import->file))
        return error_set(err, SE_ERR_FORMAT,
                         "it is neither a PKCS #12 file nor PEM with a private key");
    return pem_bundle(out, import->file, import->password, "the file to import", err);
}

/* What a store calls a bad key or a bad store is bad input here. */
static se_status read_bundle(struct bundle *out, const struct provision_import *import,
                             se_error *err)
{
    se_status st = unpack(out, import, err);

    return st == SE_ERR_STORE || st == SE_ERR_KEY ? error_restate(err, SE_ERR_FORMAT) : st;
}

static se_status add_authorities(struct bundle *bundle, se_bytes file, se_error *err)
{
    AUTO(x509_stack) more = NULL;
    X509 *certificate;
    se_status st =
        file.size ? certificates_read(&more, file, "the file with CA certificates", err) : SE_OK;

    while (!st && (certificate = sk_X509_shift(more)))
        st = bundle_add_certificate(bundle, certificate, err);
    return st;
}

static se_status choose_key(struct incoming *out, const struct bundle *bundle, se_error *err)
{
    const struct bundle_key *chosen;
    EVP_PKEY *key;

    if (bundle_choose(&chosen, bundle, "", NULL) || !chosen)
        return error_set(err, SE_ERR_FORMAT, "there are %zu private keys in the file: it takes one",
                         bundle->count);
    if (!(key = chosen->key))
        return error_set_at(err,
                            chosen->why.status == SE_ERR_ACCESS ? SE_ERR_ACCESS : SE_ERR_FORMAT,
                            chosen->why.file, chosen->why.line, "%s", chosen->why.text);
    if (key_family(key) == FAMILY_ANY)
        return error_set(err, SE_ERR_FORMAT, "the key is of type %s: RSA or EC is needed",
                         EVP_PKEY_get0_type_name(key));
    if (sk_X509_num(bundle->certificates) <= 0 ||
        answer_choose(&out->certificate, &out->chain, bundle->certificates, key, NULL))
        return error_set(err, SE_ERR_FORMAT,
                         "there is no certificate of the private key in the file");
    X509_up_ref(out->certificate);
    EVP_PKEY_up_ref(key);
    out->key = key;
    return SE_OK;
}

se_status incoming_read(struct incoming *out, const struct provision_import *import, se_error *err)
{
    AUTO(bundle) bundle = { .count = 0 };
    se_status st = read_bundle(&bundle, import, err);

    *out = (struct incoming){ .key = NULL };
    if (!st && (st = add_authorities(&bundle, import->authorities, err)))
        return st;
    if (!st)
        st = choose_key(out, &bundle, err);
    if (st == SE_ERR_ACCESS)
        (void)error_prefix(err, import->password->size ? "its password (--password-source): "
                                                       : "--password-source says its password: ");
    if (st)
        (void)error_prefix(err, "'%s': ", import->name);
    return st;
}
