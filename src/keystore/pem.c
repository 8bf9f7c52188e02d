/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in PEM files: private keys, encrypted or not, their certificates and the chain, in any
 * order. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "base/file.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "crypto/pem.h"
#include "keystore/password.h"
#include "keystore/pem.h"

AUTO_KIND(sealed, X509_SIG *, X509_SIG_free(*p))
AUTO_KIND(p8, PKCS8_PRIV_KEY_INFO *, PKCS8_PRIV_KEY_INFO_free(*p))
AUTO_KIND(cipher, EVP_CIPHER *, EVP_CIPHER_free(*p))
AUTO_KIND(cipher_ctx, EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free(*p))
AUTO_KIND(md, EVP_MD *, EVP_MD_free(*p))

struct block {
    char *label, *header;
    unsigned char *data; /* wiped */
    long size;
    bool opened; /* an encrypted one, by the PIN */
};

static void block_free(struct block *block)
{
    OPENSSL_free(block->label);
    OPENSSL_free(block->header);
    OPENSSL_clear_free(block->data, block->size > 0 ? (size_t)block->size : 0);
    *block = (struct block){ .label = NULL };
}
AUTO_KIND(block, struct block, block_free(p))

static bool is_private_key(const struct block *block)
{
    static const char ending[] = "PRIVATE KEY";
    size_t size = strlen(block->label);

    return size >= strlen(ending) && strcmp(block->label + size - strlen(ending), ending) == 0;
}

static EVP_PKEY *read_pkcs8(struct block *block, const struct passwords *passwords)
{
    const unsigned char *p = block->data;
    AUTO(sealed) sealed = d2i_X509_SIG(NULL, &p, block->size);
    AUTO(p8) info = NULL;

    for (size_t i = 0; sealed && !info && i < passwords->count; i++)
        info = PKCS8_decrypt_ex(sealed, passwords->forms[i].text, passwords->forms[i].length,
                                crypto_context(), NULL);
    if ((block->opened = info))
        ERR_clear_error();
    return info ? EVP_PKCS82PKEY_ex(info, crypto_context(), NULL) : NULL;
}

/*
 * What OpenSSL called encryption before PKCS #8 (RFC 1421, 4.6.1.1), as PEM_do_header() does it.
 * That one takes ciphers from the default context, which has no legacy provider and is the
 * application's.
 */
static bool decrypt_block(struct block *block, const EVP_CIPHER_INFO *how,
                          const struct password *password)
{
    AUTO(cipher) cipher =
        EVP_CIPHER_fetch(crypto_context(), EVP_CIPHER_get0_name(how->cipher), NULL);
    AUTO(md) md5 = EVP_MD_fetch(crypto_context(), "MD5", NULL);
    AUTO(cipher_ctx) ctx = EVP_CIPHER_CTX_new();
    unsigned char key[EVP_MAX_KEY_LENGTH];
    int size = (int)block->size, rest = 0;
    bool done = cipher && md5 && ctx && block->size <= INT_MAX &&
                EVP_BytesToKey(cipher, md5, how->iv, (const unsigned char *)password->text,
                               password->length, 1, key, NULL) &&
                EVP_DecryptInit_ex2(ctx, cipher, key, how->iv, NULL) &&
                EVP_DecryptUpdate(ctx, block->data, &size, block->data, size) &&
                EVP_DecryptFinal_ex(ctx, block->data + size, &rest);

    OPENSSL_cleanse(key, sizeof key);
    if (done)
        block->size = size + rest;
    return done;
}

static EVP_PKEY *read_plain(const struct block *block)
{
    const unsigned char *p = block->data;

    return d2i_AutoPrivateKey_ex(NULL, &p, block->size, crypto_context(), NULL);
}

static EVP_PKEY *read_key(struct block *block, const struct passwords *passwords)
{
    EVP_CIPHER_INFO how;

    if (strcmp(block->label, "ENCRYPTED PRIVATE KEY") == 0)
        return read_pkcs8(block, passwords);
    if (!PEM_get_EVP_CIPHER_INFO(block->header, &how) ||
        (how.cipher && !decrypt_block(block, &how, &passwords->forms[0])))
        return NULL;
    return read_plain(block);
}

static bool is_encrypted(const struct block *block)
{
    return *block->header || strcmp(block->label, "ENCRYPTED PRIVATE KEY") == 0;
}

/* Why OpenSSL has just not read it. */
static se_status not_read(const struct block *block, const se_buf *pin, se_error *err)
{
    if (crypto_lacks())
        return crypto_error(err, SE_ERR_KEY,
                            "the private key is encrypted, or made, in a way that is not known");
    if (!is_encrypted(block) || block->opened)
        return crypto_error(err, SE_ERR_KEY, "the private key can't be read");
    if (pin->size)
        return crypto_error(err, SE_ERR_ACCESS, "the PIN does not open the private key");
    ERR_clear_error();
    return error_set(err, SE_ERR_ACCESS, "the private key is encrypted, and no PIN is configured");
}

static se_status add_key(struct bundle *bundle, struct block *block, const se_buf *pin,
                         se_error *err)
{
    AUTO(passwords) passwords = { .count = 0 };
    se_error why = SE_ERROR_INIT;
    EVP_PKEY *key;

    TRY(passwords_of(&passwords, pin, err));
    if (is_encrypted(block))
        crypto_legacy();
    ERR_clear_error();
    if (!(key = read_key(block, &passwords)) && not_read(block, pin, &why) == SE_ERR_MEMORY)
        return error_memory(err);
    return bundle_add_key(bundle, key, "", (se_bytes){ NULL, 0 }, key ? NULL : &why, err);
}

/* The next block of any kind; block->label is NULL behind the last. */
static se_status next_block(struct block *block, BIO *text, se_error *err)
{
    unsigned long code;

    ERR_clear_error();
    if (PEM_read_bio(text, &block->label, &block->header, &block->data, &block->size))
        return SE_OK;
    *block = (struct block){ .label = NULL };
    code = ERR_peek_last_error();
    if (ERR_GET_LIB(code) != ERR_LIB_PEM || ERR_GET_REASON(code) != PEM_R_NO_START_LINE)
        return crypto_error(err, SE_ERR_KEY, "a part of it can't be read");
    ERR_clear_error();
    return SE_OK;
}

static se_status read_keys(struct bundle *bundle, se_bytes text, const se_buf *pin, se_error *err)
{
    AUTO(bio) bio = pem_text_open(text);
    se_status st = bio ? SE_OK : error_memory(err);

    while (!st) {
        AUTO(block) block = { .label = NULL };

        if ((st = next_block(&block, bio, err)) || !block.label)
            return st;
        if (!is_private_key(&block))
            continue;
        st = add_key(bundle, &block, pin, err);
    }
    return st;
}

/* Who only verifies needs no certificate. */
static se_status read_public_key(struct bundle *bundle, se_bytes text, se_error *err)
{
    AUTO(bio) bio = pem_text_open(text);
    AUTO(evp_pkey) key = NULL;
    AUTO(x509) bare = NULL;

    if (!bio)
        return error_memory(err);
    if (!(key = PEM_read_bio_PUBKEY_ex(bio, NULL, NULL, NULL, crypto_context(), NULL)))
        return crypto_error(err, SE_ERR_KEY, "the public key can't be read");
    TRY(certificate_of_key(&bare, key, err));
    if (!(bundle->certificates = sk_X509_new_null()) || !sk_X509_push(bundle->certificates, bare))
        return error_memory(err);
    bare = NULL;
    return SE_OK;
}

static bool has_public_key_only(se_bytes text)
{
    return !pem_has_key(text) && memmem(text.data, text.size, "-----BEGIN PUBLIC KEY", 21);
}

static se_status read_certificates(struct bundle *bundle, se_bytes text, const char *name,
                                   se_error *err)
{
    if (!memmem(text.data, text.size, "-----BEGIN CERTIFICATE", 22) &&
        !memmem(text.data, text.size, "-----BEGIN TRUSTED", 18) &&
        !memmem(text.data, text.size, "-----BEGIN X509", 15))
        return has_public_key_only(text) ? read_public_key(bundle, text, err) : SE_OK;
    return certificates_read(&bundle->certificates, text, name, err);
}

bool pem_has_key(se_bytes text)
{
    return memmem(text.data, text.size, "PRIVATE KEY-----", 16);
}

se_status pem_bundle(struct bundle *bundle, se_bytes text, const se_buf *pin, const char *name,
                     se_error *err)
{
    if (pin && pem_has_key(text))
        TRY(read_keys(bundle, text, pin, err));
    return read_certificates(bundle, text, name, err);
}

static se_status load_bundle(struct bundle *bundle, const struct keyref *ref, enum key_part part,
                             se_error *err)
{
    AUTO(se_buf) file = SE_BUF_INIT;
    AUTO(se_buf) pin = SE_BUF_INIT;
    se_status st = file_read(&file, ref->location, BUNDLE_FILE_LIMIT, err);

    if (st)
        return st == SE_ERR_ACCESS ? st : error_restate(err, SE_ERR_STORE);
    if (part != PART_CERTIFICATE)
        TRY(keyref_pin(&pin, ref, err));
    return pem_bundle(bundle, buf_bytes(&file), part != PART_CERTIFICATE ? &pin : NULL,
                      ref->location, err);
}

/* A key that is held is never lost. */
static se_status open_pem(struct key **out, const struct keyref *ref, enum key_part part,
                          const struct key_watch *watch, se_error *err)
{
    AUTO(bundle) bundle = { .count = 0 };
    const struct bundle_key *key;
    struct keyref any = *ref;
    se_status st = load_bundle(&bundle, ref, part, err);

    (void)watch;
    *out = NULL;
    any.alias = (char[]){ "" }; /* PEM has no names: an alias says nothing */
    if (!st && bundle_find(&key, &bundle, "") > 1)
        st = error_set(err, SE_ERR_KEY,
                       "%zu private keys, and PEM has no names that say which: leave one",
                       bundle.count);
    if (!st)
        st = bundle_open(out, &bundle, &any, part, err);
    return error_prefix(err, st, "PEM file '%s': ", ref->location);
}

const struct store_type pem_store = { .name = "pem", .open = open_pem };
