/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/backup_file.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

/* after pem.h, or it does not declare PEM_read_bio_CMS() */
#include <openssl/cms.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/stream.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "crypto/pem_text.h"

#define LABEL "CMS" /* RFC 7468, 9 */

AUTO_KIND(cms, CMS_ContentInfo *, CMS_ContentInfo_free(*p))
AUTO_KIND(bio_chain, BIO *, BIO_free_all(*p))

/* ---- who may open it ---- */

static se_status check_recovery_key(EVP_PKEY *key, se_error *err)
{
    char type[32];

    if (key_family(key) == FAMILY_RSA && EVP_PKEY_get_bits(key) >= BACKUP_RSA_LEAST)
        return SE_OK;
    if (key_family(key) == FAMILY_EC && key_curve(key))
        return SE_OK;
    key_type_name(type, key);
    return error_set(err, SE_ERR_POLICY,
                     "its key is %s: a recovery key is RSA from %d bits, or EC on P-256, P-384 or "
                     "P-521",
                     type, BACKUP_RSA_LEAST);
}

se_status recovery_certificate_check(X509 *certificate, se_error *err)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    const bool is_rsa = key && key_family(key) == FAMILY_RSA;
    char date[TIME_TEXT_ROOM];

    if (!key)
        return crypto_error(err, SE_ERR_POLICY, "its public key can't be read");
    TRY(check_recovery_key(key, err));
    /* UINT32_MAX without the extension */
    if (!(X509_get_key_usage(certificate) & (is_rsa ? KU_KEY_ENCIPHERMENT : KU_KEY_AGREEMENT)))
        return error_set(err, SE_ERR_POLICY, "its keyUsage does not hold %s",
                         is_rsa ? "keyEncipherment" : "keyAgreement");
    if (certificate_not_after(certificate) < clock_seconds())
        return error_set(err, SE_ERR_POLICY, "it has expired on %s",
                         time_format(date, TIME_DATE, certificate_not_after(certificate)));
    return SE_OK;
}

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

static se_status write_armour(se_buf *out, CMS_ContentInfo *cms, const char *title, se_error *err)
{
    AUTO(writer) w = { 0 };
    unsigned char *der = NULL;
    int size = i2d_CMS_ContentInfo(cms, &der);

    if (size <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "encoding the backup");
    writer_format(&w, "%s\n", title);
    writer_pem(&w, LABEL, (se_bytes){ der, (size_t)size });
    OPENSSL_free(der);
    return writer_finish(out, &w, err);
}

se_status backup_file_seal(se_buf *out, se_bytes content, const char *title,
                           const STACK_OF(X509) * recipients, se_error *err)
{
    AUTO(cms) cms =
        CMS_AuthEnvelopedData_create_ex(crypto_cipher(CIPHER_AES_GCM, 256), crypto_context(), NULL);

    *out = (se_buf)SE_BUF_INIT;
    if (!cms)
        return crypto_error(err, SE_ERR_CRYPTO, "beginning a backup");
    for (int i = 0; i < sk_X509_num(recipients); i++)
        TRY(add_recipient(cms, sk_X509_value(recipients, i), err));
    if (!encrypt_content(cms, content))
        return crypto_error(err, SE_ERR_CRYPTO, "encrypting the backup");
    return write_armour(out, cms, title, err);
}

/* ---- reading ---- */

static bool holds_line(se_bytes text, const char *line)
{
    return text.size && memmem(text.data, text.size, line, strlen(line));
}

bool backup_file_is(se_bytes file)
{
    return pem_text_is(file) ? holds_line(file, "-----BEGIN " LABEL "-----")
                             : file.size && *(const unsigned char *)file.data == 0x30;
}

static se_status read_cms(CMS_ContentInfo **out, se_bytes file, se_error *err)
{
    AUTO(cms) cms = CMS_ContentInfo_new_ex(crypto_context(), NULL);
    const bool is_text = pem_text_is(file);
    AUTO(bio) bio = is_text ? pem_text_open(file) : BIO_new_mem_buf(file.data, (int)file.size);

    *out = NULL;
    if (!cms || !bio)
        return error_memory(err);
    if (is_text && !holds_line(file, "-----END " LABEL "-----"))
        return error_set(err, SE_ERR_FORMAT,
                         "the backup is cut: it has no line '-----END " LABEL "-----'");
    if (!(is_text ? PEM_read_bio_CMS(bio, &cms, NULL, NULL) : d2i_CMS_bio(bio, &cms)))
        return crypto_error(err, SE_ERR_FORMAT, "the backup is cut or changed: it is no CMS");
    *out = MOVE(cms);
    return SE_OK;
}

static se_status check_kind(const CMS_ContentInfo *cms, se_error *err)
{
    const int kind = OBJ_obj2nid(CMS_get0_type(cms));

    if (kind == NID_id_smime_ct_authEnvelopedData)
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT,
                     "no backup that `key backup` has made: it is CMS of the kind '%s', not "
                     "AuthEnvelopedData",
                     OBJ_nid2ln(kind));
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

static void write_recipient(struct writer *w, const struct recipient_name *name)
{
    char issuer[256], serial[64];

    if (!name->issuer)
        return;
    name_text(issuer, sizeof issuer, name->issuer);
    serial_text(serial, sizeof serial, name->serial);
    writer_format(w, "%sserial %s of '%s'", w->buf.size ? ", " : "", serial, issuer);
}

/* As the file has them, which knows issuers and no subjects. */
static se_status refuse_recipient(CMS_ContentInfo *cms, bool has_key, se_error *err)
{
    const STACK_OF(CMS_RecipientInfo) *all = CMS_get0_RecipientInfos(cms);
    AUTO(writer) names = { 0 };
    struct recipient_name name;

    for (int i = 0; i < sk_CMS_RecipientInfo_num(all) && i < BACKUP_RECIPIENTS_MOST; i++)
        if (read_recipient(&name, sk_CMS_RecipientInfo_value(all, i), NULL))
            write_recipient(&names, &name);
    if (!has_key)
        return error_set(err, SE_ERR_USAGE,
                         "the backup opens with a recovery key (--recovery), whose certificate is: "
                         "%s",
                         writer_string(&names));
    return error_set(err, SE_ERR_FORMAT, "the backup is for other recovery certificates: %s",
                     writer_string(&names));
}

static bool is_for(CMS_ContentInfo *cms, X509 *certificate)
{
    const STACK_OF(CMS_RecipientInfo) *all = CMS_get0_RecipientInfos(cms);
    struct recipient_name name;

    for (int i = 0; i < sk_CMS_RecipientInfo_num(all); i++)
        if (read_recipient(&name, sk_CMS_RecipientInfo_value(all, i), certificate) &&
            name.is_wanted)
            return true;
    return false;
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
static se_status decrypt_content(se_buf *out, CMS_ContentInfo *cms, const struct key *recovery,
                                 se_error *err)
{
    AUTO(bio_chain) chain = NULL;
    AUTO(writer) w = { 0 };

    if (CMS_decrypt_set1_pkey(cms, recovery->private, recovery->certificate) > 0)
        chain = CMS_dataInit(cms, NULL);
    if (chain)
        TRY(read_content(&w, chain, err));
    if (!chain || BIO_get_cipher_status(chain) <= 0 || !w.buf.size)
        return crypto_error(err, SE_ERR_REJECTED,
                            "the backup was changed: it does not decrypt with the recovery key "
                            "that it is for");
    return writer_finish(out, &w, err);
}

se_status backup_file_open(se_buf *out, se_bytes file, const struct key *recovery, se_error *err)
{
    AUTO(cms) cms = NULL;

    *out = (se_buf)SE_BUF_INIT;
    if (file.size > INT_MAX || !backup_file_is(file))
        return error_set(err, SE_ERR_FORMAT, "no backup that `key backup` has made: it is no CMS");
    TRY(read_cms(&cms, file, err));
    TRY(check_kind(cms, err));
    if (!recovery || !is_for(cms, recovery->certificate))
        return refuse_recipient(cms, recovery, err);
    return decrypt_content(out, cms, recovery, err);
}
