/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/backup/backup_cms.h"

#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/stream.h"
#include "crypto/crypto.h"
#include "crypto/pem.h"
#include "provision/backup/wrapped_file.h"

AUTO_KIND(cms, CMS_ContentInfo *, CMS_ContentInfo_free(*p))
AUTO_KIND(bio_chain, BIO *, BIO_free_all(*p))

/* ---- sealing ---- */

/* RFC 3560, 2.1 and RFC 5753, 7.1.4: OpenSSL's own choice would be PKCS #1 v1.5, and SHA-1. */
static bool set_recipient(EVP_PKEY_CTX *how, enum key_family family)
{
    if (family == FAMILY_EC)
        return EVP_PKEY_CTX_set_ecdh_kdf_md(how, EVP_sha256()) > 0;
    return EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_OAEP_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(how, EVP_sha256()) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(how, EVP_sha256()) > 0;
}

static se_status add_recipient(CMS_ContentInfo *cms, X509 *certificate, se_error *err)
{
    CMS_RecipientInfo *recipient = CMS_add1_recipient_cert(cms, certificate, CMS_KEY_PARAM);
    EVP_PKEY_CTX *how = recipient ? CMS_RecipientInfo_get0_pkey_ctx(recipient) : NULL;

    if (how && set_recipient(how, key_family(X509_get0_pubkey(certificate))))
        return SE_OK;
    return crypto_error(err, SE_ERR_CRYPTO, "adding a recovery certificate");
}

/* Not with CMS_final(), which leaves what it encrypts on the stack. */
static bool encrypt_content(CMS_ContentInfo *cms, se_bytes content)
{
    AUTO(bio_chain) chain = NULL;

    /* else the content is left out, and nothing says so */
    if (!CMS_set_detached(cms, 0))
        return false;
    chain = CMS_dataInit(cms, NULL);
    return chain && content.size <= INT_MAX &&
           BIO_write(chain, content.data, (int)content.size) == (int)content.size &&
           BIO_flush(chain) > 0 && CMS_dataFinal(cms, chain) > 0;
}

static se_status begin_cms(CMS_ContentInfo **out, se_error *err)
{
    *out =
        CMS_AuthEnvelopedData_create_ex(crypto_cipher(CIPHER_AES_GCM, 256), crypto_context(), NULL);
    return *out ? SE_OK : crypto_error(err, SE_ERR_CRYPTO, "beginning a backup");
}

static se_status finish_cms(se_buf *der, CMS_ContentInfo *cms, se_bytes content, se_error *err)
{
    unsigned char *encoded = NULL;
    se_status st;
    int size;

    if (!encrypt_content(cms, content))
        return crypto_error(err, SE_ERR_CRYPTO, "encrypting the backup");
    if ((size = i2d_CMS_ContentInfo(cms, &encoded)) <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "encoding the backup");
    st = buf_copy(der, (se_bytes){ encoded, (size_t)size }, err);
    OPENSSL_free(encoded);
    return st;
}

se_status backup_cms_seal(se_buf *der, se_bytes content, const STACK_OF(X509) * readers,
                          se_error *err)
{
    AUTO(cms) cms = NULL;

    *der = (se_buf)SE_BUF_INIT;
    TRY(begin_cms(&cms, err));
    for (int i = 0; i < sk_X509_num(readers); i++)
        TRY(add_recipient(cms, sk_X509_value(readers, i), err));
    return finish_cms(der, cms, content, err);
}

/* OpenSSL takes both over, if it does not fail, and wipes the key. */
static bool add_secret(CMS_ContentInfo *cms, const struct backup_secret *secret)
{
    unsigned char *key = OPENSSL_memdup(secret->key->data, secret->key->size);
    unsigned char *name = OPENSSL_memdup(secret->name.data, secret->name.size);

    if (key && name &&
        CMS_add0_recipient_key(cms, NID_id_aes256_wrap, key, secret->key->size, name,
                               secret->name.size, NULL, NULL, NULL))
        return true;
    OPENSSL_clear_free(key, secret->key->size);
    OPENSSL_free(name);
    return false;
}

se_status backup_cms_seal_secret(se_buf *der, se_bytes content, const struct backup_secret *secret,
                                 se_error *err)
{
    AUTO(cms) cms = NULL;

    *der = (se_buf)SE_BUF_INIT;
    TRY(begin_cms(&cms, err));
    if (!add_secret(cms, secret))
        return crypto_error(err, SE_ERR_CRYPTO, "adding a secret key");
    return finish_cms(der, cms, content, err);
}

/* ---- reading ---- */

void backup_cms_free(struct CMS_ContentInfo_st *cms)
{
    CMS_ContentInfo_free(cms);
}

se_status backup_cms_read(struct CMS_ContentInfo_st **out, se_bytes der, se_error *err)
{
    AUTO(cms) cms = CMS_ContentInfo_new_ex(crypto_context(), NULL);
    AUTO(bio) bio = BIO_new_mem_buf(der.data, (int)der.size);

    *out = NULL;
    if (!cms || !bio)
        return error_memory(err);
    if (!d2i_CMS_bio(bio, &cms))
        return crypto_error(err, SE_ERR_FORMAT, "the backup is cut or changed: it is no CMS");
    *out = MOVE(cms);
    return SE_OK;
}

int backup_cms_kind(const struct CMS_ContentInfo_st *cms)
{
    return OBJ_obj2nid(CMS_get0_type(cms));
}

/* ---- for whom it is ---- */

struct recipient_name {
    X509_NAME *issuer; /* NULL: it has a key identifier instead */
    ASN1_INTEGER *serial;
    bool is_wanted; /* it is the one that was asked about */
};

/* Of one recipient.  False: of a kind that `key backup` does not make. */
static bool read_recipient(struct recipient_name *out, CMS_RecipientInfo *recipient,
                           X509 *certificate)
{
    ASN1_OCTET_STRING *id;
    CMS_RecipientEncryptedKey *key;

    *out = (struct recipient_name){ .issuer = NULL };
    switch (CMS_RecipientInfo_type(recipient)) {
    case CMS_RECIPINFO_TRANS:
        out->is_wanted = certificate && !CMS_RecipientInfo_ktri_cert_cmp(recipient, certificate);
        return CMS_RecipientInfo_ktri_get0_signer_id(recipient, &id, &out->issuer, &out->serial);
    case CMS_RECIPINFO_AGREE: /* with one key each, as OpenSSL makes them */
        key = sk_CMS_RecipientEncryptedKey_value(CMS_RecipientInfo_kari_get0_reks(recipient), 0);
        out->is_wanted =
            key && certificate && !CMS_RecipientEncryptedKey_cert_cmp(key, certificate);
        return key &&
               CMS_RecipientEncryptedKey_get0_id(key, &id, NULL, NULL, &out->issuer, &out->serial);
    default:
        return false;
    }
}

bool backup_cms_is_for(struct CMS_ContentInfo_st *cms, X509 *reader)
{
    const STACK_OF(CMS_RecipientInfo) *all = CMS_get0_RecipientInfos(cms);
    struct recipient_name name;

    for (int i = 0; i < sk_CMS_RecipientInfo_num(all); i++)
        if (read_recipient(&name, sk_CMS_RecipientInfo_value(all, i), reader) && name.is_wanted)
            return true;
    return false;
}

void backup_cms_readers(struct writer *w, struct CMS_ContentInfo_st *cms)
{
    const STACK_OF(CMS_RecipientInfo) *all = CMS_get0_RecipientInfos(cms);
    struct recipient_name name;

    for (int i = 0; i < sk_CMS_RecipientInfo_num(all) && i < WRAPPED_MOST; i++)
        if (read_recipient(&name, sk_CMS_RecipientInfo_value(all, i), NULL) && name.issuer)
            write_reader(w, name.issuer, name.serial);
}

se_bytes backup_cms_secret_name(struct CMS_ContentInfo_st *cms)
{
    const STACK_OF(CMS_RecipientInfo) *all = CMS_get0_RecipientInfos(cms);
    CMS_RecipientInfo *first = sk_CMS_RecipientInfo_value(all, 0);
    ASN1_OCTET_STRING *name = NULL;

    if (!first || CMS_RecipientInfo_type(first) != CMS_RECIPINFO_KEK ||
        !CMS_RecipientInfo_kekri_get0_id(first, NULL, &name, NULL, NULL, NULL))
        return (se_bytes){ NULL, 0 };
    return (se_bytes){ ASN1_STRING_get0_data(name), (size_t)ASN1_STRING_length(name) };
}

/* ---- opening ---- */

static se_status read_content(struct writer *w, BIO *chain, se_error *err)
{
    unsigned char *room;
    int got = 1;

    while (got > 0) {
        if (!(room = writer_room(w, STREAM_PIECE)))
            return error_memory(err);
        if ((got = BIO_read(chain, room, STREAM_PIECE)) > 0)
            writer_filled(w, (size_t)got);
    }
    return SE_OK;
}

/*
 * Not with CMS_decrypt(), which says that all is well of some contents that it could not decrypt,
 * and leaves the others on the stack.  A wrong data key is no failure here yet: OpenSSL goes on
 * with a random one (RFC 3218), so that nobody can tell from the time.
 */
static se_status decrypt_content(se_buf *out, CMS_ContentInfo *cms, bool has_key, se_error *err)
{
    AUTO(bio_chain) chain = has_key ? CMS_dataInit(cms, NULL) : NULL;
    AUTO(writer) w = { 0 };

    if (chain)
        TRY(read_content(&w, chain, err));
    if (!chain || BIO_get_cipher_status(chain) <= 0 || !w.buf.size)
        return crypto_error(err, SE_ERR_REJECTED,
                            "the backup was changed: it does not decrypt with the recovery key "
                            "that it is for");
    return writer_finish(out, &w, err);
}

se_status backup_cms_open(se_buf *out, struct CMS_ContentInfo_st *cms, const struct key *reader,
                          se_error *err)
{
    const bool has_key = CMS_decrypt_set1_pkey(cms, reader->private, reader->certificate) > 0;

    *out = (se_buf)SE_BUF_INIT;
    return decrypt_content(out, cms, has_key, err);
}

se_status backup_cms_open_secret(se_buf *out, struct CMS_ContentInfo_st *cms,
                                 const struct backup_secret *secret, se_error *err)
{
    const bool has_key = CMS_decrypt_set1_key(cms, secret->key->data, secret->key->size,
                                              secret->name.data, secret->name.size) > 0;

    *out = (se_buf)SE_BUF_INIT;
    return decrypt_content(out, cms, has_key, err);
}
