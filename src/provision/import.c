/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/import.h"

#include <openssl/err.h>
#include <openssl/pem.h>

/* after pem.h, or it does not declare PEM_read_bio_CMS() */
#include <openssl/cms.h>

#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "crypto/pem.h"
#include "keystore/pem.h"
#include "keystore/pkcs12.h"

/* ---- what a CA sends back ---- */

AUTO_KIND(cms, CMS_ContentInfo *, CMS_ContentInfo_free(*p))

static CMS_ContentInfo *read_cms(se_bytes file)
{
    AUTO(bio) der = BIO_new_mem_buf(file.data, (int)file.size);
    AUTO(bio) text = pem_text_open(file);
    CMS_ContentInfo *cms = der ? d2i_CMS_bio(der, NULL) : NULL;

    return cms || !text ? cms : PEM_read_bio_CMS(text, NULL, NULL, NULL);
}

/* What OpenSSL takes out of a CMS belongs to the default context: read it again in ours. */
static se_status reread_certificate(STACK_OF(X509) * out, X509 *certificate, se_error *err)
{
    AUTO(x509) ours = NULL;
    unsigned char *der = NULL;
    int size = i2d_X509(certificate, &der);
    se_status st;

    if (size <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "encoding a certificate");
    st = certificate_parse(&ours, (se_bytes){ der, (size_t)size }, err);
    OPENSSL_free(der);
    if (!st && !sk_X509_push(out, ours))
        st = error_memory(err);
    if (!st)
        (void)MOVE(ours);
    return st;
}

static se_status read_cms_certificates(STACK_OF(X509) * *out, CMS_ContentInfo *cms, se_error *err)
{
    AUTO(x509_stack) raw = CMS_get1_certs(cms);
    AUTO(x509_stack) certificates = sk_X509_new_null();
    se_status st = certificates ? SE_OK : error_memory(err);

    for (int i = 0; !st && i < sk_X509_num(raw); i++)
        st = reread_certificate(certificates, sk_X509_value(raw, i), err);
    if (st)
        return st;
    if (!sk_X509_num(certificates))
        return error_set(err, SE_ERR_FORMAT, "the answer is a PKCS #7 without certificates");
    *out = MOVE(certificates);
    return SE_OK;
}

se_status ca_reply_read(STACK_OF(X509) * *out, se_bytes file, se_error *err)
{
    AUTO(cms) cms = file.size <= INT_MAX ? read_cms(file) : NULL;

    *out = NULL;
    ERR_clear_error();
    if (cms)
        return read_cms_certificates(out, cms, err);
    if (certificates_read(out, file, "the answer", NULL))
        return error_set(err, SE_ERR_FORMAT,
                         "the answer is neither certificates (PEM, DER) nor a PKCS #7 with some");
    return SE_OK;
}

se_status ca_reply_choose(X509 **own, STACK_OF(X509) * *chain, const STACK_OF(X509) * reply,
                          EVP_PKEY *public_key, se_error *err)
{
    char subject[256];

    *chain = NULL;
    if ((*own = certificates_choose(reply, public_key)))
        return certificates_chain(chain, *own, reply, err);
    certificate_subject(subject, sizeof subject, sk_X509_value(reply, 0));
    return error_set(err, SE_ERR_FORMAT,
                     "none of the answer's %d certificates is for this key; the first is for '%s'",
                     sk_X509_num(reply), subject);
}

/* ---- a key with its certificates ---- */

void imported_key_free(struct imported_key *imported)
{
    EVP_PKEY_free(imported->key);
    X509_free(imported->certificate);
    sk_X509_pop_free(imported->chain, X509_free);
    *imported = (struct imported_key){ .key = NULL };
}

static se_status read_key_file(struct bundle *out, const struct provision_import *import,
                               se_error *err)
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
static se_status read_import_bundle(struct bundle *out, const struct provision_import *import,
                                    se_error *err)
{
    se_status st = read_key_file(out, import, err);

    return st == SE_ERR_STORE || st == SE_ERR_KEY ? error_restate(err, SE_ERR_FORMAT) : st;
}

static se_status add_authorities(struct bundle *bundle, se_bytes file, se_error *err)
{
    AUTO(x509_stack) more = NULL;
    X509 *certificate;

    if (!file.size)
        return SE_OK;
    TRY(certificates_read(&more, file, "the file with CA certificates", err));
    while ((certificate = sk_X509_shift(more)))
        TRY(bundle_add_certificate(bundle, certificate, err));
    return SE_OK;
}

static se_status choose_imported_key(struct imported_key *out, const struct bundle *bundle,
                                     se_error *err)
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
        ca_reply_choose(&out->certificate, &out->chain, bundle->certificates, key, NULL))
        return error_set(err, SE_ERR_FORMAT,
                         "there is no certificate of the private key in the file");
    X509_up_ref(out->certificate);
    EVP_PKEY_up_ref(key);
    out->key = key;
    return SE_OK;
}

se_status imported_key_read(struct imported_key *out, const struct provision_import *import,
                            se_error *err)
{
    AUTO(bundle) bundle = { .count = 0 };
    se_status st = read_import_bundle(&bundle, import, err);

    *out = (struct imported_key){ .key = NULL };
    if (!st)
        TRY(add_authorities(&bundle, import->authorities, err));
    if (!st)
        st = choose_imported_key(out, &bundle, err);
    if (st == SE_ERR_ACCESS)
        (void)error_prefix(err, st,
                           import->password->size ? "its password (--password-source): "
                                                  : "--password-source says its password: ");
    return error_prefix(err, st, "'%s': ", import->name);
}
