/* SPDX-License-Identifier: Apache-2.0 */
/* Writing, in DER: EnvelopedData with CBC, which nothing authenticates, AuthEnvelopedData with GCM.
 */
#include "fields/cms_envelope.h"

#include <openssl/x509v3.h>

#include "base/base64.h"
#include "crypto/algorithm_id.h"
#include "crypto/pem.h"

/* ---- the ASN.1 ---- */

ASN1_SEQUENCE(ISSUER_SERIAL) = {
    ASN1_SIMPLE(struct issuer_serial, issuer, X509_NAME),
    ASN1_SIMPLE(struct issuer_serial, serial, ASN1_INTEGER),
} ASN1_SEQUENCE_END_name(struct issuer_serial, ISSUER_SERIAL)

ASN1_CHOICE(RECIPIENT_ID) = {
    ASN1_SIMPLE(struct recipient_id, d.issuer_serial, ISSUER_SERIAL),
    ASN1_IMP(struct recipient_id, d.key_id, ASN1_OCTET_STRING, 0),
} ASN1_CHOICE_END_name(struct recipient_id, RECIPIENT_ID)

ASN1_SEQUENCE(KEY_TRANS) = {
    ASN1_SIMPLE(struct key_trans, version, ASN1_INTEGER),
    ASN1_SIMPLE(struct key_trans, id, RECIPIENT_ID),
    ASN1_SIMPLE(struct key_trans, algorithm, X509_ALGOR),
    ASN1_SIMPLE(struct key_trans, wrapped, ASN1_OCTET_STRING),
} ASN1_SEQUENCE_END_name(struct key_trans, KEY_TRANS)

ASN1_SEQUENCE(ENCRYPTED_CONTENT) = {
    ASN1_SIMPLE(struct encrypted_content, type, ASN1_OBJECT),
    ASN1_SIMPLE(struct encrypted_content, algorithm, X509_ALGOR),
    ASN1_IMP_OPT(struct encrypted_content, text, ASN1_OCTET_STRING, 0),
} static_ASN1_SEQUENCE_END_name(struct encrypted_content, ENCRYPTED_CONTENT)

ASN1_SEQUENCE(ENVELOPED) = {
    ASN1_SIMPLE(struct enveloped, version, ASN1_INTEGER),
    ASN1_SET_OF(struct enveloped, recipients, ASN1_ANY),
    ASN1_SIMPLE(struct enveloped, content, ENCRYPTED_CONTENT),
    ASN1_IMP_SET_OF_OPT(struct enveloped, attributes, X509_ATTRIBUTE, 1),
    ASN1_OPT(struct enveloped, mac, ASN1_OCTET_STRING),
    ASN1_IMP_SET_OF_OPT(struct enveloped, unauthenticated, X509_ATTRIBUTE, 2),
} static_ASN1_SEQUENCE_END_name(struct enveloped, ENVELOPED)

ASN1_SEQUENCE(CONTENT_INFO) = {
    ASN1_SIMPLE(struct content_info, type, ASN1_OBJECT),
    ASN1_EXP(struct content_info, enveloped, ENVELOPED, 0),
} ASN1_SEQUENCE_END_name(struct content_info, CONTENT_INFO)

ASN1_SEQUENCE(GCM_PARAMETERS) = {
    ASN1_SIMPLE(struct gcm_parameters, nonce, ASN1_OCTET_STRING),
    ASN1_OPT(struct gcm_parameters, tag_size, ASN1_INTEGER),
} ASN1_SEQUENCE_END_name(struct gcm_parameters, GCM_PARAMETERS)

se_status envelope_encode(se_buf *out, const void *value, const ASN1_ITEM *item, se_error *err)
{
    AUTO(se_buf) der = SE_BUF_INIT;
    int size = ASN1_item_i2d(value, NULL, item);
    unsigned char *p;

    *out = (se_buf)SE_BUF_INIT;
    if (size <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encode CMS");
    TRY(buf_new(&der, (size_t)size, err));
    p = der.data;
    if (ASN1_item_i2d(value, &p, item) != size)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encode CMS");
    *out = MOVE(der);
    return SE_OK;
}

#define CBC(bits)                                                                                  \
    {                                                                                              \
        CIPHER_AES_CBC, (bits), DIGEST_NONE, 0                                                     \
    }
#define GCM(bits)                                                                                  \
    {                                                                                              \
        CIPHER_AES_GCM, (bits), DIGEST_NONE, GCM_TAG                                               \
    }
static const struct content_algorithm {
    int nid;
    struct aead_kind kind;
} algorithms[] = {
    { NID_aes_128_cbc, CBC(128) }, { NID_aes_192_cbc, CBC(192) }, { NID_aes_256_cbc, CBC(256) },
    { NID_aes_128_gcm, GCM(128) }, { NID_aes_192_gcm, GCM(192) }, { NID_aes_256_gcm, GCM(256) },
};
enum { ALGORITHMS = sizeof algorithms / sizeof *algorithms };

const struct aead_kind *content_kind_by_nid(int nid)
{
    for (size_t i = 0; i < ALGORITHMS; i++)
        if (algorithms[i].nid == nid)
            return &algorithms[i].kind;
    return NULL;
}

static const struct content_algorithm *content_algorithm_of(const struct algorithm *algorithm)
{
    for (size_t i = 0; i < ALGORITHMS; i++)
        if (algorithms[i].kind.cipher == algorithm->cipher &&
            algorithms[i].kind.bits == algorithm->bits)
            return &algorithms[i];
    return NULL;
}

static bool set_octets(ASN1_OCTET_STRING **out, se_bytes bytes)
{
    if (!*out && !(*out = ASN1_OCTET_STRING_new()))
        return false;
    return bytes.size <= INT_MAX && ASN1_OCTET_STRING_set(*out, bytes.data, (int)bytes.size);
}

/* ---- the recipient: the same for all values of a data key ---- */

/* Its certificate may be issued anew, and keeps the key's identifier then, if it has one. */
static const ASN1_OCTET_STRING *key_id(const struct recipient *recipient)
{
    return X509_get0_subject_key_id(recipient->key->certificate);
}

static bool set_issuer_serial(struct recipient_id *out, const X509 *certificate)
{
    struct issuer_serial *made =
        (struct issuer_serial *)ASN1_item_new(ASN1_ITEM_rptr(ISSUER_SERIAL));

    out->type = BY_ISSUER;
    out->d.issuer_serial = made;
    return made && X509_NAME_set(&made->issuer, X509_get_issuer_name(certificate)) &&
           ASN1_STRING_copy(made->serial, X509_get0_serialNumber(certificate));
}

static bool set_recipient_id(struct recipient_id *out, const struct recipient *recipient)
{
    const ASN1_OCTET_STRING *id = key_id(recipient);

    if (!id)
        return set_issuer_serial(out, recipient->key->certificate);
    out->type = BY_KEY_ID;
    out->d.key_id = ASN1_OCTET_STRING_dup(id);
    return out->d.key_id != NULL;
}

se_status cms_envelope_prepare_seal(const struct seal_job *job, se_error *err)
{
    const struct unwrap_how how = { job->algorithm->oaep, job->algorithm->mgf1 };
    const struct content_algorithm *content = content_algorithm_of(job->algorithm);
    AUTO(key_trans) trans = (struct key_trans *)ASN1_item_new(ASN1_ITEM_rptr(KEY_TRANS));
    struct data_key *key = job->key;

    if (!trans || !ASN1_INTEGER_set(trans->version, key_id(job->recipient) ? 2 : 0) ||
        !set_recipient_id(trans->id, job->recipient) ||
        !identifier_set_oaep(trans->algorithm, &how) ||
        !set_octets(&trans->wrapped, buf_bytes(&key->wrapped)))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encode the recipient");
    TRY(envelope_encode(&key->head, trans, ASN1_ITEM_rptr(KEY_TRANS), err));
    return aead_init(&key->aead, &content->kind, key->secret.data, (se_bytes){ NULL, 0 }, true,
                     err);
}

size_t cms_envelope_secret_size(const struct algorithm *algorithm)
{
    return algorithm->bits / 8;
}

/* ---- values ---- */

static bool set_gcm(X509_ALGOR *out, int nid, se_bytes iv)
{
    AUTO(gcm_parameters) gcm =
        (struct gcm_parameters *)ASN1_item_new(ASN1_ITEM_rptr(GCM_PARAMETERS));
    ASN1_STRING *packed;

    if (!gcm || !set_octets(&gcm->nonce, iv) || !(gcm->tag_size = ASN1_INTEGER_new()) ||
        !ASN1_INTEGER_set(gcm->tag_size, GCM_TAG))
        return false;
    packed = ASN1_item_pack(gcm, ASN1_ITEM_rptr(GCM_PARAMETERS), NULL);
    if (packed && X509_ALGOR_set0(out, OBJ_nid2obj(nid), V_ASN1_SEQUENCE, packed))
        return true;
    ASN1_STRING_free(packed);
    return false;
}

static bool set_cbc(X509_ALGOR *out, int nid, se_bytes iv)
{
    ASN1_OCTET_STRING *octets = NULL;

    if (set_octets(&octets, iv) &&
        X509_ALGOR_set0(out, OBJ_nid2obj(nid), V_ASN1_OCTET_STRING, octets))
        return true;
    ASN1_OCTET_STRING_free(octets);
    return false;
}

static bool set_algorithm(X509_ALGOR *out, const struct algorithm *a, se_bytes iv)
{
    int nid = content_algorithm_of(a)->nid;

    return a->cipher == CIPHER_AES_GCM ? set_gcm(out, nid, iv) : set_cbc(out, nid, iv);
}

static se_status encrypt_content(struct enveloped *e, const struct seal_job *job, se_error *err)
{
    const struct algorithm *a = job->algorithm;
    unsigned char iv[AES_BLOCK], tag[GCM_TAG];
    const struct aead_input in = { .iv = iv, .text = job->plain };
    size_t iv_size = aead_iv_size(a->cipher);
    AUTO(se_buf) text = SE_BUF_INIT;

    TRY(data_key_iv(iv, job->key, iv_size, (se_bytes){ a->iv, a->iv_size }, err));
    TRY(buf_new(&text, aead_text_size(a->cipher, job->plain.size), err));
    TRY(aead_encrypt(text.data, tag, &job->key->aead, &in, err));
    e->content->type = OBJ_nid2obj(NID_pkcs7_data);
    if (!set_algorithm(e->content->algorithm, a, (se_bytes){ iv, iv_size }) ||
        !set_octets(&e->content->text, buf_bytes(&text)) ||
        (a->cipher == CIPHER_AES_GCM && !set_octets(&e->mac, (se_bytes){ tag, GCM_TAG })))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encode the content");
    return SE_OK;
}

static bool add_recipient(struct enveloped *e, const struct data_key *key)
{
    const unsigned char *p = key->head.data;
    ASN1_TYPE *recipient = d2i_ASN1_TYPE(NULL, &p, (long)key->head.size);

    if (recipient && sk_ASN1_TYPE_push(e->recipients, recipient))
        return true;
    ASN1_TYPE_free(recipient);
    return false;
}

se_status cms_envelope_seal(se_buf *out, const struct seal_job *job, se_error *err)
{
    bool gcm = job->algorithm->cipher == CIPHER_AES_GCM;
    AUTO(content_info) info = (struct content_info *)ASN1_item_new(ASN1_ITEM_rptr(CONTENT_INFO));
    AUTO(se_buf) der = SE_BUF_INIT;

    *out = (se_buf)SE_BUF_INIT;
    if (!info ||
        !ASN1_INTEGER_set(info->enveloped->version, gcm || !key_id(job->recipient) ? 0 : 2) ||
        !add_recipient(info->enveloped, job->key))
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encode the value");
    info->type = OBJ_nid2obj(gcm ? NID_id_smime_ct_authEnvelopedData : NID_pkcs7_enveloped);
    TRY(encrypt_content(info->enveloped, job, err));
    TRY(envelope_encode(&der, info, ASN1_ITEM_rptr(CONTENT_INFO), err));
    if (!job->binary)
        return base64_encode(out, buf_bytes(&der), err);
    *out = MOVE(der);
    return SE_OK;
}
