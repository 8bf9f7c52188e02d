/* A PEM file as a shelf: one key, its certificate, the chain.  It has no names, so that whatever is
 * in it is what the alias means. */
#include "keystore/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>

#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "crypto/pem_text.h"
#include "provision/filing.h"

AUTO_KIND(p8, PKCS8_PRIV_KEY_INFO *, PKCS8_PRIV_KEY_INFO_free(*p))
AUTO_KIND(sealed, X509_SIG *, X509_SIG_free(*p))

struct pem {
    struct shelf shelf;
    se_buf pin; /* empty: the private key lies open */
    struct bundle there;
    size_t blocks; /* in the file, known ones and others */

    EVP_PKEY *key; /* new ones */
    STACK_OF(X509) * certificates;
};

static void close_pem(struct shelf *shelf)
{
    struct pem *pem = (struct pem *)shelf;

    se_buf_free(&pem->pin);
    bundle_free(&pem->there);
    EVP_PKEY_free(pem->key);
    sk_X509_pop_free(pem->certificates, X509_free);
    free(pem);
}

static size_t occurrences(se_bytes text, const char *word)
{
    const char *p = text.data, *end = p + text.size;
    size_t count = 0;

    while ((p = memmem(p, (size_t)(end - p), word, strlen(word)))) {
        p += strlen(word);
        count++;
    }
    return count;
}

/* Whoever only looks without a PIN sees what is not encrypted. */
static bool reads_key(const struct pem *pem, se_bytes text, enum access access)
{
    return access == ACCESS_USE || pem->pin.size || !occurrences(text, "ENCRYPTED");
}

static se_status load(struct pem *pem, enum access access, se_error *err)
{
    const struct keyref *ref = &pem->shelf.target->ref;
    AUTO(se_buf) text = SE_BUF_INIT;
    se_status st;

    if ((st = keyref_pin(&pem->pin, ref, err)) || (st = filing_read(&text, ref->location, err)) ||
        !text.size)
        return st;
    pem->blocks = occurrences(buf_bytes(&text), "-----BEGIN ");
    if (!pem->blocks)
        return error_set(err, SE_ERR_STORE, "it is not a PEM file");
    /* openssl writes them before the EC key, which says the same */
    pem->blocks -= occurrences(buf_bytes(&text), "-----BEGIN EC PARAMETERS");
    st =
        pem_bundle(&pem->there, buf_bytes(&text),
                   reads_key(pem, buf_bytes(&text), access) ? &pem->pin : NULL, ref->location, err);
    return st ? st : bundle_check_pin(&pem->there, err);
}

/* It is written as one key with its certificates, so that a file with several is changed by none.
 */
static se_status one_key_only(const struct pem *pem, se_error *err)
{
    return error_set(err, SE_ERR_STORE,
                     "it holds %zu private keys: a PEM file that is changed may hold one",
                     pem->there.count);
}

static se_status open_pem(struct shelf **out, const struct target *target, enum access access,
                          se_error *err)
{
    AUTO(shelf) shelf = calloc(1, sizeof(struct pem));

    if (!shelf)
        return error_memory(err);
    *shelf = (struct shelf){ &pem_shelf, target };
    TRY(load((struct pem *)shelf, access, err));
    *out = MOVE(shelf);
    return SE_OK;
}

static se_status holds(bool *out, const struct shelf *shelf, se_error *err)
{
    const struct pem *pem = (const struct pem *)shelf;

    *out = pem->there.count || sk_X509_num(pem->there.certificates) > 0;
    return pem->there.count > 1 ? one_key_only(pem, err) : SE_OK;
}

static se_status find(struct pair *out, struct shelf *shelf, se_error *err)
{
    const struct pem *pem = (const struct pem *)shelf;
    const struct bundle_key *key;
    se_status st = bundle_choose(&key, &pem->there, "", err);

    return st ? st : filing_find(out, key, err);
}

static se_status generate(struct pair *out, struct shelf *shelf, const struct key_type *type,
                          unsigned uses, se_error *err)
{
    struct pem *pem = (struct pem *)shelf;
    se_status st = filing_generate(&pem->key, type, err);

    (void)uses; /* says the certificate */
    return st ? st : filing_pair(out, pem->key);
}

static se_status put_key(struct shelf *shelf, EVP_PKEY *key, unsigned uses, se_error *err)
{
    (void)uses;
    (void)err;
    EVP_PKEY_up_ref(key);
    ((struct pem *)shelf)->key = key;
    return SE_OK;
}

static se_status put_certificates(struct shelf *shelf, X509 *certificate,
                                  const STACK_OF(X509) * chain, se_error *err)
{
    struct pem *pem = (struct pem *)shelf;

    if ((!pem->certificates && !(pem->certificates = sk_X509_new_null())) ||
        !sk_X509_push(pem->certificates, certificate))
        return error_memory(err);
    X509_up_ref(certificate);
    return certificates_join(&pem->certificates, chain, err);
}

static bool write_key(BIO *out, EVP_PKEY *key, const se_buf *pin)
{
    AUTO(p8) info = EVP_PKEY2PKCS8(key);
    AUTO(sealed) sealed = NULL;

    if (!info || !pin->size)
        return info && PEM_write_bio_PKCS8_PRIV_KEY_INFO(out, info);
    sealed = PKCS8_encrypt_ex(-1, EVP_aes_256_cbc(), (const char *)pin->data, (int)pin->size, NULL,
                              0, FILE_ITERATIONS, info, crypto_context(), NULL);
    return sealed && PEM_write_bio_PKCS8(out, sealed);
}

/* OpenSSL wipes what a memory BIO held. */
static se_status write_file(struct pem *pem, EVP_PKEY *key, se_error *err)
{
    AUTO(bio) out = BIO_new(BIO_s_mem());
    bool ok = out && write_key(out, key, &pem->pin);
    char *text;
    long size;

    for (int i = 0; ok && i < sk_X509_num(pem->certificates); i++)
        ok = PEM_write_bio_X509(out, sk_X509_value(pem->certificates, i));
    if (!ok)
        return crypto_error(err, SE_ERR_CRYPTO, "writing the key in PEM");
    size = BIO_get_mem_data(out, &text);
    return filing_write(pem->shelf.target->ref.location, (se_bytes){ text, (size_t)size }, err);
}

/* The issuers that are there stay: a CA often answers without them. */
static se_status keep_issuers(struct pem *pem, EVP_PKEY *key, se_error *err)
{
    AUTO(x509_stack) issuers = NULL;
    se_status st = SE_OK;

    for (int i = sk_X509_num(pem->there.certificates) - 1; i >= 0; i--)
        if (EVP_PKEY_eq(X509_get0_pubkey(sk_X509_value(pem->there.certificates, i)), key) == 1)
            X509_free(sk_X509_delete(pem->there.certificates, i));
    if (sk_X509_num(pem->certificates) > 0)
        st = certificates_chain(&issuers, sk_X509_value(pem->certificates, 0),
                                pem->there.certificates, err);
    return st ? st : certificates_join(&pem->certificates, issuers, err);
}

/* Rewriting keeps one key and certificates: what else a file has, a second key among it, would be
 * lost. */
static se_status check_rest(const struct pem *pem, se_error *err)
{
    int certificates = sk_X509_num(pem->there.certificates);
    size_t known = pem->there.count + (certificates > 0 ? (size_t)certificates : 0);

    if (pem->there.count > 1)
        return one_key_only(pem, err);
    if (pem->blocks == known)
        return SE_OK;
    return error_set(err, SE_ERR_STORE,
                     "it holds more than one key and certificates: %zu PEM blocks, not %zu",
                     pem->blocks, known);
}

static se_status commit(struct shelf *shelf, enum replace replace, se_error *err)
{
    struct pem *pem = (struct pem *)shelf;

    TRY(check_rest(pem, err));
    if (pem->key)
        return write_file(pem, pem->key, err);
    if (replace == REPLACE_ALL)
        return filing_remove(shelf->target->ref.location, err);
    TRY(replace == REPLACE_NOTHING
            ? certificates_join(&pem->certificates, pem->there.certificates, err)
            : keep_issuers(pem, pem->there.keys[0]->key, err));
    return write_file(pem, pem->there.keys[0]->key, err);
}

static se_status list(struct shelf *shelf, bool mine, const struct provision_report *report,
                      se_error *err)
{
    const struct bundle *there = &((struct pem *)shelf)->there;

    /* it has no names: what is in it is what the alias means */
    return filing_list(there, mine && there->count ? there->keys[0] : NULL,
                       there->count < 2 ? shelf->target->name : NULL, report, err);
}

const struct shelf_type pem_shelf = {
    open_pem, holds, find, generate, put_key, put_certificates, commit, list, close_pem,
};
