/* SPDX-License-Identifier: Apache-2.0 */
/* A PEM file as a key store: one key, its certificate, the chain.  It has no names, so that
 * whatever is in it is what the alias means. */
#include "keystore/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>

#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "crypto/pem.h"
#include "provision/file_keystore.h"

AUTO_KIND(p8, PKCS8_PRIV_KEY_INFO *, PKCS8_PRIV_KEY_INFO_free(*p))
AUTO_KIND(sealed, X509_SIG *, X509_SIG_free(*p))

struct pem_keystore {
    struct file_keystore file;
    size_t blocks; /* in the file, known ones and others */
};

static void pem_close(struct keystore *keystore)
{
    file_keystore_release((struct file_keystore *)keystore);
    free(keystore);
}

static size_t count_occurrences(se_bytes text, const char *word)
{
    const char *p = text.data, *end = p + text.size;
    size_t count = 0;

    while ((p = memmem(p, (size_t)(end - p), word, strlen(word)))) {
        p += strlen(word);
        count++;
    }
    return count;
}

/* Looking without a PIN shows only unencrypted keys. */
static bool pem_reads_key(const struct pem_keystore *pem, se_bytes text, enum access access)
{
    return access == ACCESS_USE || pem->file.pin.size || !count_occurrences(text, "ENCRYPTED");
}

static se_status pem_load(struct pem_keystore *pem, enum access access, se_error *err)
{
    const struct keyref *ref = &pem->file.keystore.target->ref;
    AUTO(se_buf) text = SE_BUF_INIT;
    const se_buf *pin;

    TRY(keyref_pin(&pem->file.pin, ref, err));
    TRY(key_file_read(&text, ref->location, err));
    if (!text.size)
        return SE_OK;
    pem->blocks = count_occurrences(buf_bytes(&text), "-----BEGIN ");
    if (!pem->blocks)
        return error_set(err, SE_ERR_STORE, "it is not a PEM file");
    /* openssl writes them before the EC key, which says the same */
    pem->blocks -= count_occurrences(buf_bytes(&text), "-----BEGIN EC PARAMETERS");
    pin = pem_reads_key(pem, buf_bytes(&text), access) ? &pem->file.pin : NULL;
    TRY(pem_bundle(&pem->file.bundle, buf_bytes(&text), pin, ref->location, err));
    return bundle_check_pin(&pem->file.bundle, err);
}

/* Writing keeps one key with its certificates, so a file with several keys is never changed. */
static se_status pem_refuse_several(const struct pem_keystore *pem, se_error *err)
{
    return error_set(err, SE_ERR_STORE,
                     "it holds %zu private keys: a PEM file that is changed may hold one",
                     pem->file.bundle.count);
}

static se_status pem_open(struct keystore **out, const struct target *target, enum access access,
                          se_error *err)
{
    AUTO(keystore) keystore = calloc(1, sizeof(struct pem_keystore));

    if (!keystore)
        return error_memory(err);
    *keystore = (struct keystore){ &pem_keystore_ops, target };
    ((struct file_keystore *)keystore)->alias = "";
    TRY(pem_load((struct pem_keystore *)keystore, access, err));
    *out = MOVE(keystore);
    return SE_OK;
}

static se_status pem_holds(bool *out, const struct keystore *keystore, se_error *err)
{
    const struct pem_keystore *pem = (const struct pem_keystore *)keystore;

    *out = pem->file.bundle.count || sk_X509_num(pem->file.bundle.certificates) > 0;
    return pem->file.bundle.count > 1 ? pem_refuse_several(pem, err) : SE_OK;
}

static se_status pem_put_certificates(struct keystore *keystore, X509 *certificate,
                                      const STACK_OF(X509) * chain, se_error *err)
{
    struct pem_keystore *pem = (struct pem_keystore *)keystore;

    if ((!pem->file.certificates && !(pem->file.certificates = sk_X509_new_null())) ||
        !sk_X509_push(pem->file.certificates, certificate))
        return error_memory(err);
    X509_up_ref(certificate);
    return certificates_join(&pem->file.certificates, chain, err);
}

static bool pem_write_key(BIO *out, EVP_PKEY *key, const se_buf *pin)
{
    AUTO(p8) info = NULL;
    AUTO(sealed) sealed = NULL;

    if (!pin->size)
        return key_write_plain(out, key);
    if (!(info = EVP_PKEY2PKCS8(key)))
        return false;
    sealed = PKCS8_encrypt_ex(-1, EVP_aes_256_cbc(), (const char *)pin->data, (int)pin->size, NULL,
                              0, FILE_ITERATIONS, info, crypto_context(), NULL);
    return sealed && PEM_write_bio_PKCS8(out, sealed);
}

/* OpenSSL wipes what a memory BIO held. */
static se_status pem_write_file(struct pem_keystore *pem, EVP_PKEY *key, se_error *err)
{
    AUTO(bio) out = BIO_new(BIO_s_mem());
    bool ok = out && pem_write_key(out, key, &pem->file.pin);
    char *text;
    long size;

    for (int i = 0; ok && i < sk_X509_num(pem->file.certificates); i++)
        ok = PEM_write_bio_X509(out, sk_X509_value(pem->file.certificates, i));
    if (!ok)
        return crypto_error(err, SE_ERR_CRYPTO, "writing the key in PEM");
    size = BIO_get_mem_data(out, &text);
    return key_file_write(pem->file.keystore.target->ref.location, (se_bytes){ text, (size_t)size },
                          err);
}

/* Rewriting keeps one key and certificates: anything else, such as a second key, would be lost. */
static se_status pem_check_rest(const struct pem_keystore *pem, se_error *err)
{
    int certificates = sk_X509_num(pem->file.bundle.certificates);
    size_t known = pem->file.bundle.count + (certificates > 0 ? (size_t)certificates : 0);

    if (pem->file.bundle.count > 1)
        return pem_refuse_several(pem, err);
    if (pem->blocks == known)
        return SE_OK;
    return error_set(err, SE_ERR_STORE,
                     "it holds more than one key and certificates: %zu PEM blocks, not %zu",
                     pem->blocks, known);
}

static se_status pem_commit(struct keystore *keystore, enum replace replace, se_error *err)
{
    struct pem_keystore *pem = (struct pem_keystore *)keystore;

    TRY(pem_check_rest(pem, err));
    if (pem->file.key)
        return pem_write_file(pem, pem->file.key, err);
    if (replace == REPLACE_ALL)
        return key_file_remove(keystore->target->ref.location, err);
    TRY(certificates_join(&pem->file.certificates, pem->file.bundle.certificates, err));
    return pem_write_file(pem, pem->file.bundle.keys[0]->key, err);
}

static se_status pem_list(struct keystore *keystore, unsigned scope,
                          const struct provision_report *report, se_error *err)
{
    const struct bundle *there = &((struct pem_keystore *)keystore)->file.bundle;

    /* it has no names: the alias means all of it */
    (void)err;
    file_keystore_list(there, scope & LIST_OWN && there->count ? there->keys[0] : NULL,
                       there->count < 2 ? keystore->target->name : NULL, report);
    return SE_OK;
}

const struct keystore_ops pem_keystore_ops = {
    .features = KEYSTORE_READABLE,
    .open = pem_open,
    .holds = pem_holds,
    .find = file_keystore_find,
    .generate = file_keystore_generate,
    .put_key = file_keystore_put_key,
    .put_certificates = pem_put_certificates,
    .commit = pem_commit,
    .list = pem_list,
    .close = pem_close,
};
