/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/backup/wrapped_file.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>

#include "crypto/algorithm_id.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"

/* ---- EnvelopedData, as far as it is needed ---- */

/* 6.2.3, without date and other attributes */
struct secret_id {
    ASN1_OCTET_STRING *name;
};
ASN1_SEQUENCE(SECRET_ID) = {
    ASN1_SIMPLE(struct secret_id, name, ASN1_OCTET_STRING),
} static_ASN1_SEQUENCE_END_name(struct secret_id, SECRET_ID)

struct secret_recipient {
    ASN1_INTEGER *version;
    struct secret_id *id;
    X509_ALGOR *algorithm;
    ASN1_OCTET_STRING *key;
};
ASN1_SEQUENCE(SECRET_RECIPIENT) = {
    ASN1_SIMPLE(struct secret_recipient, version, ASN1_INTEGER),
    ASN1_SIMPLE(struct secret_recipient, id, SECRET_ID),
    ASN1_SIMPLE(struct secret_recipient, algorithm, X509_ALGOR),
    ASN1_SIMPLE(struct secret_recipient, key, ASN1_OCTET_STRING),
} static_ASN1_SEQUENCE_END_name(struct secret_recipient, SECRET_RECIPIENT)

/* 6.2.1 with issuer and serial number is what PKCS #7 has */
enum { TO_CERTIFICATE, TO_SECRET };
struct recipient {
    int type;
    union {
        PKCS7_RECIP_INFO *certificate;
        struct secret_recipient *secret;
    } to;
};
ASN1_CHOICE(RECIPIENT) = {
    ASN1_SIMPLE(struct recipient, to.certificate, PKCS7_RECIP_INFO),
    ASN1_IMP(struct recipient, to.secret, SECRET_RECIPIENT, 2),
} static_ASN1_CHOICE_END_name(struct recipient, RECIPIENT)
DEFINE_SPECIAL_STACK_OF(recipient, struct recipient)

/* As DER, for what OpenSSL reads by itself belongs to its default context. */
struct originator {
    STACK_OF(ASN1_TYPE) * certificates;
};
ASN1_SEQUENCE(ORIGINATOR) = {
    ASN1_IMP_SEQUENCE_OF_OPT(struct originator, certificates, ASN1_ANY, 0),
} static_ASN1_SEQUENCE_END_name(struct originator, ORIGINATOR)

struct enveloped {
    ASN1_INTEGER *version;
    struct originator *originator;
    STACK_OF(recipient) * recipients;
    PKCS7_ENC_CONTENT *content;
};
ASN1_SEQUENCE(ENVELOPED) = {
    ASN1_SIMPLE(struct enveloped, version, ASN1_INTEGER),
    ASN1_IMP_OPT(struct enveloped, originator, ORIGINATOR, 0),
    ASN1_SET_OF(struct enveloped, recipients, RECIPIENT),
    ASN1_SIMPLE(struct enveloped, content, PKCS7_ENC_CONTENT),
} static_ASN1_SEQUENCE_END_name(struct enveloped, ENVELOPED)

struct wrapped_file {
    ASN1_OBJECT *type;
    struct enveloped *enveloped;
};
ASN1_SEQUENCE(WRAPPED_FILE) = {
    ASN1_SIMPLE(struct wrapped_file, type, ASN1_OBJECT),
    ASN1_EXP(struct wrapped_file, enveloped, ENVELOPED, 0),
} static_ASN1_SEQUENCE_END_name(struct wrapped_file, WRAPPED_FILE)

AUTO_KIND(recipient, struct recipient *,
          ASN1_item_free((ASN1_VALUE *)*p, ASN1_ITEM_rptr(RECIPIENT)))

void wrapped_file_free(struct wrapped_file *file)
{
    ASN1_item_free((ASN1_VALUE *)file, ASN1_ITEM_rptr(WRAPPED_FILE));
}

static se_bytes string_bytes(const ASN1_STRING *string)
{
    return (se_bytes){ ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string) };
}

/* ---- written ---- */

static bool set_string(ASN1_STRING *to, se_bytes bytes)
{
    return bytes.size <= INT_MAX && ASN1_STRING_set(to, bytes.data, (int)bytes.size);
}

static const int wrappings[] = {
    [WRAPPING_PADDED] = NID_id_aes256_wrap_pad,
    [WRAPPING_PLAIN] = NID_id_aes256_wrap,
    [WRAPPING_CBC] = NID_aes_256_cbc,
};
enum { WRAPPINGS = sizeof wrappings / sizeof *wrappings };

/* CBC has its IV as parameter; the others have none, not even NULL (RFC 3565, 2.3.2). */
static bool set_wrapping(X509_ALGOR *algorithm, const struct wrapped_key *key)
{
    ASN1_OCTET_STRING *iv = NULL;

    if (key->wrapping != WRAPPING_CBC)
        return X509_ALGOR_set0(algorithm, OBJ_nid2obj(wrappings[key->wrapping]), V_ASN1_UNDEF,
                               NULL);
    iv = ASN1_OCTET_STRING_new();
    if (iv && ASN1_OCTET_STRING_set(iv, key->iv, WRAPPED_IV) &&
        X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_aes_256_cbc), V_ASN1_OCTET_STRING, iv))
        return true;
    ASN1_OCTET_STRING_free(iv);
    return false;
}

static bool set_content(PKCS7_ENC_CONTENT *content, const struct wrapped_key *key)
{
    ASN1_OBJECT_free(content->content_type);
    content->content_type = OBJ_nid2obj(NID_pkcs7_data);
    return set_wrapping(content->algorithm, key) && (content->enc_data = ASN1_OCTET_STRING_new()) &&
           set_string(content->enc_data, buf_bytes(&key->blob));
}

static bool add_certificate(STACK_OF(ASN1_TYPE) * to, X509 *certificate)
{
    ASN1_TYPE *one = ASN1_TYPE_new();
    ASN1_STRING *packed = one ? ASN1_item_pack(certificate, ASN1_ITEM_rptr(X509), NULL) : NULL;

    if (packed)
        ASN1_TYPE_set(one, V_ASN1_SEQUENCE, packed);
    if (packed && sk_ASN1_TYPE_push(to, one))
        return true;
    ASN1_TYPE_free(one);
    return false;
}

static bool set_originator(struct enveloped *enveloped, const STACK_OF(X509) * certificates)
{
    STACK_OF(ASN1_TYPE) * list;

    enveloped->originator = (struct originator *)ASN1_item_new(ASN1_ITEM_rptr(ORIGINATOR));
    if (!enveloped->originator || !(list = sk_ASN1_TYPE_new_null()))
        return false;
    enveloped->originator->certificates = list;
    for (int i = 0; i < sk_X509_num(certificates); i++)
        if (!add_certificate(list, sk_X509_value(certificates, i)))
            return false;
    return true;
}

/* Version 2, for there is an originatorInfo (RFC 5652, 6.1). */
static struct wrapped_file *begin_file(const struct wrapped_key *key)
{
    AUTO(wrapped_file) file = (struct wrapped_file *)ASN1_item_new(ASN1_ITEM_rptr(WRAPPED_FILE));

    if (!file)
        return NULL;
    ASN1_OBJECT_free(file->type);
    file->type = OBJ_nid2obj(NID_pkcs7_enveloped);
    return ASN1_INTEGER_set(file->enveloped->version, 2) &&
                   set_originator(file->enveloped, key->certificates) &&
                   set_content(file->enveloped->content, key)
               ? MOVE(file)
               : NULL;
}

static struct recipient *new_recipient(int type)
{
    AUTO(recipient) recipient = (struct recipient *)ASN1_item_new(ASN1_ITEM_rptr(RECIPIENT));

    if (!recipient)
        return NULL;
    if (type == TO_CERTIFICATE)
        recipient->to.certificate = PKCS7_RECIP_INFO_new();
    else
        recipient->to.secret =
            (struct secret_recipient *)ASN1_item_new(ASN1_ITEM_rptr(SECRET_RECIPIENT));
    recipient->type = type;
    return recipient->to.certificate ? MOVE(recipient) : NULL;
}

static bool add_recipient(struct wrapped_file *file, struct recipient **recipient)
{
    if (!sk_recipient_push(file->enveloped->recipients, *recipient))
        return false;
    *recipient = NULL;
    return true;
}

static bool add_reader(struct wrapped_file *file, X509 *reader, const struct unwrap_how *oaep,
                       const se_buf *sealed)
{
    AUTO(recipient) recipient = new_recipient(TO_CERTIFICATE);
    PKCS7_RECIP_INFO *to = recipient ? recipient->to.certificate : NULL;

    return to && ASN1_INTEGER_set(to->version, 0) &&
           X509_NAME_set(&to->issuer_and_serial->issuer, X509_get_issuer_name(reader)) &&
           ASN1_STRING_copy(to->issuer_and_serial->serial, X509_get0_serialNumber(reader)) &&
           identifier_set_oaep(to->key_enc_algor, oaep) &&
           set_string(to->enc_key, buf_bytes(sealed)) && add_recipient(file, &recipient);
}

static bool add_secret(struct wrapped_file *file, se_bytes name, const se_buf *sealed)
{
    AUTO(recipient) recipient = new_recipient(TO_SECRET);
    struct secret_recipient *to = recipient ? recipient->to.secret : NULL;

    return to && ASN1_INTEGER_set(to->version, 4) && set_string(to->id->name, name) &&
           X509_ALGOR_set0(to->algorithm, OBJ_nid2obj(NID_id_aes256_wrap), V_ASN1_UNDEF, NULL) &&
           set_string(to->key, buf_bytes(sealed)) && add_recipient(file, &recipient);
}

static se_status encode_file(se_buf *out, const struct wrapped_file *file, se_error *err)
{
    unsigned char *der = NULL;
    int size = ASN1_item_i2d((const ASN1_VALUE *)file, &der, ASN1_ITEM_rptr(WRAPPED_FILE));
    se_status st;

    if (size <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "encoding the backup");
    st = buf_copy(out, (se_bytes){ der, (size_t)size }, err);
    OPENSSL_free(der);
    return st;
}

se_status wrapped_key_encode(se_buf *der, const struct wrapped_key *key,
                             const STACK_OF(X509) * readers, se_error *err)
{
    AUTO(wrapped_file) file = begin_file(key);
    bool is_good = file;

    *der = (se_buf)SE_BUF_INIT;
    for (int i = 0; is_good && i < sk_X509_num(readers); i++)
        is_good = add_reader(file, sk_X509_value(readers, i), &key->oaep, &key->sealed[i]);
    return is_good ? encode_file(der, file, err)
                   : crypto_error(err, SE_ERR_CRYPTO, "writing the backup as CMS");
}

se_status wrapped_key_encode_secret(se_buf *der, const struct wrapped_key *key,
                                    const se_buf *secret, se_bytes name, se_error *err)
{
    AUTO(wrapped_file) file = begin_file(key);
    AUTO(se_buf) sealed = SE_BUF_INIT;

    *der = (se_buf)SE_BUF_INIT;
    TRY(file_key_wrap(&sealed, secret, buf_bytes(&key->file_key), err));
    return file && add_secret(file, name, &sealed)
               ? encode_file(der, file, err)
               : crypto_error(err, SE_ERR_CRYPTO, "writing the backup as CMS");
}

/* ---- read ---- */

se_status wrapped_file_read(struct wrapped_file **out, se_bytes der, se_error *err)
{
    AUTO(wrapped_file) file = NULL;
    const unsigned char *p = der.data;

    *out = NULL;
    if (der.size <= INT_MAX)
        file = (struct wrapped_file *)ASN1_item_d2i(NULL, &p, (long)der.size,
                                                    ASN1_ITEM_rptr(WRAPPED_FILE));
    ERR_clear_error();
    if (!file || p != (const unsigned char *)der.data + der.size ||
        OBJ_obj2nid(file->type) != NID_pkcs7_enveloped || !file->enveloped->originator ||
        !file->enveloped->content->enc_data)
        return error_set(err, SE_ERR_FORMAT,
                         "no backup that `key backup` has made: it is EnvelopedData without a "
                         "key's certificate");
    *out = MOVE(file);
    return SE_OK;
}

static se_status read_wrapping(struct wrapped_key *out, const X509_ALGOR *algorithm, se_error *err)
{
    const ASN1_OBJECT *id;
    const void *value = NULL;
    int type = V_ASN1_UNDEF;

    X509_ALGOR_get0(&id, &type, &value, algorithm);
    for (int i = 0; i < WRAPPINGS; i++) {
        if (OBJ_obj2nid(id) != wrappings[i])
            continue;
        out->wrapping = (enum wrapping)i;
        if (i != WRAPPING_CBC)
            return SE_OK;
        if (type != V_ASN1_OCTET_STRING || ASN1_STRING_length(value) != WRAPPED_IV)
            break;
        memcpy(out->iv, ASN1_STRING_get0_data(value), WRAPPED_IV);
        return SE_OK;
    }
    return error_set(err, SE_ERR_FORMAT,
                     "no backup that `key backup` has made: its content is encrypted by '%s'",
                     OBJ_nid2ln(OBJ_obj2nid(id)));
}

/* The one that has issued none of the others: sets have no order. */
static X509 *find_leaf(const STACK_OF(X509) * pool)
{
    for (int i = 0; i < sk_X509_num(pool); i++) {
        X509 *one = sk_X509_value(pool, i);
        bool is_issuer = false;

        for (int k = 0; !is_issuer && k < sk_X509_num(pool); k++)
            is_issuer = k != i && certificate_has_issued(one, sk_X509_value(pool, k));
        if (!is_issuer)
            return one;
    }
    return NULL;
}

static se_status order_certificates(STACK_OF(X509) * *out, const STACK_OF(X509) * pool,
                                    se_error *err)
{
    AUTO(x509_stack) all = sk_X509_new_null();
    AUTO(x509_stack) chain = NULL;
    X509 *own = find_leaf(pool);

    if (!own || !X509_get0_pubkey(own))
        return error_set(err, SE_ERR_FORMAT, "the backup has no certificate of its key");
    TRY(certificates_chain(&chain, own, pool, err));
    if (!all || !sk_X509_push(all, own))
        return error_memory(err);
    X509_up_ref(own);
    while (sk_X509_num(chain) > 0) {
        if (!sk_X509_push(all, sk_X509_value(chain, 0)))
            return error_memory(err);
        (void)sk_X509_shift(chain);
    }
    *out = MOVE(all);
    return SE_OK;
}

/* Nothing else covers them: one whose issuer is there has to be what that has signed. */
static bool is_unchanged(X509 *certificate, const STACK_OF(X509) * pool)
{
    bool has_issuer = false, has_signed = false;

    for (int i = 0; !has_signed && i < sk_X509_num(pool); i++) {
        X509 *one = sk_X509_value(pool, i);

        if (X509_NAME_cmp(X509_get_subject_name(one), X509_get_issuer_name(certificate)))
            continue;
        has_issuer = true;
        has_signed = certificate_has_issued(one, certificate);
    }
    ERR_clear_error();
    return has_signed || !has_issuer;
}

static se_status read_certificates(STACK_OF(X509) * *out, const struct originator *from,
                                   se_error *err)
{
    AUTO(x509_stack) pool = sk_X509_new_null();

    if (!pool)
        return error_memory(err);
    for (int i = 0; i < sk_ASN1_TYPE_num(from->certificates); i++) {
        const ASN1_TYPE *one = sk_ASN1_TYPE_value(from->certificates, i);
        AUTO(x509) certificate = NULL;

        if (one->type != V_ASN1_SEQUENCE ||
            certificate_parse(&certificate, string_bytes(one->value.sequence), NULL))
            return error_set(err, SE_ERR_FORMAT, "a certificate of the backup can't be read");
        if (!sk_X509_push(pool, certificate))
            return error_memory(err);
        (void)MOVE(certificate);
    }
    for (int i = 0; i < sk_X509_num(pool); i++)
        if (!is_unchanged(sk_X509_value(pool, i), pool))
            return error_set(err, SE_ERR_REJECTED,
                             "the backup was changed: a certificate in it is not as its issuer has "
                             "signed it");
    return order_certificates(out, pool, err);
}

se_status wrapped_file_key(struct wrapped_key *out, const struct wrapped_file *file, se_error *err)
{
    const PKCS7_ENC_CONTENT *content = file->enveloped->content;
    AUTO(wrapped_key) key = { .blob = SE_BUF_INIT };

    *out = (struct wrapped_key){ .blob = SE_BUF_INIT };
    TRY(read_wrapping(&key, content->algorithm, err));
    TRY(read_certificates(&key.certificates, file->enveloped->originator, err));
    TRY(buf_copy(&key.blob, string_bytes(content->enc_data), err));
    *out = MOVE(key);
    return SE_OK;
}

static const struct recipient *recipient_at(const struct wrapped_file *file, int i, int type)
{
    const struct recipient *recipient = sk_recipient_value(file->enveloped->recipients, i);

    return recipient && recipient->type == type ? recipient : NULL;
}

static bool is_for(const PKCS7_RECIP_INFO *to, const X509 *reader)
{
    return !X509_NAME_cmp(to->issuer_and_serial->issuer, X509_get_issuer_name(reader)) &&
           !ASN1_INTEGER_cmp(to->issuer_and_serial->serial, X509_get0_serialNumber(reader));
}

se_status wrapped_file_find(struct wrapped_key *out, const struct wrapped_file *file, X509 *reader,
                            se_error *err)
{
    for (int i = 0; i < sk_recipient_num(file->enveloped->recipients); i++) {
        const struct recipient *recipient = recipient_at(file, i, TO_CERTIFICATE);
        const PKCS7_RECIP_INFO *to = recipient ? recipient->to.certificate : NULL;

        if (!to || !is_for(to, reader))
            continue;
        if (!identifier_oaep(&out->oaep, to->key_enc_algor))
            return error_set(err, SE_ERR_FORMAT,
                             "no backup that `key backup` has made: its file key is not under "
                             "RSAES-OAEP");
        TRY(buf_copy(&out->sealed[0], string_bytes(to->enc_key), err));
        out->sealed_count = 1;
        return SE_OK;
    }
    return error_set(err, SE_ERR_FORMAT, "it is for others");
}

se_status wrapped_file_find_secret(struct wrapped_key *out, const struct wrapped_file *file,
                                   const se_buf *secret, se_error *err)
{
    const struct recipient *recipient = recipient_at(file, 0, TO_SECRET);

    if (!recipient)
        return error_set(err, SE_ERR_FORMAT,
                         "no backup that `key backup` has made: it is for no secret key");
    return file_key_unwrap(&out->file_key, secret, string_bytes(recipient->to.secret->key), err);
}

void write_reader(struct writer *w, const X509_NAME *issuer, const ASN1_INTEGER *serial)
{
    char name[256], number[64];

    name_text(name, sizeof name, issuer);
    serial_text(number, sizeof number, serial);
    writer_format(w, "%sserial %s of '%s'", w->buf.size ? ", " : "", number, name);
}

void wrapped_file_readers(struct writer *w, const struct wrapped_file *file)
{
    for (int i = 0; i < sk_recipient_num(file->enveloped->recipients) && i < WRAPPED_MOST; i++) {
        const struct recipient *recipient = recipient_at(file, i, TO_CERTIFICATE);
        const PKCS7_ISSUER_AND_SERIAL *id =
            recipient ? recipient->to.certificate->issuer_and_serial : NULL;

        if (id)
            write_reader(w, id->issuer, id->serial);
    }
}
