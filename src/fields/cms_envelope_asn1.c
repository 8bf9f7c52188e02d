#include "fields/cms_envelope_asn1.h"

#include "crypto/crypto.h"

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
    *out = buf_move(&der);
    return SE_OK;
}

static const struct content_algorithm algorithms[] = {
    { NID_aes_128_cbc, CIPHER_AES_CBC, 128 }, { NID_aes_192_cbc, CIPHER_AES_CBC, 192 },
    { NID_aes_256_cbc, CIPHER_AES_CBC, 256 }, { NID_aes_128_gcm, CIPHER_AES_GCM, 128 },
    { NID_aes_192_gcm, CIPHER_AES_GCM, 192 }, { NID_aes_256_gcm, CIPHER_AES_GCM, 256 },
};

const struct content_algorithm *content_algorithm_by_nid(int nid)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (algorithms[i].nid == nid)
            return &algorithms[i];
    return NULL;
}

const struct content_algorithm *content_algorithm_of(const struct algorithm *algorithm)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (algorithms[i].cipher == algorithm->cipher && algorithms[i].bits == algorithm->bits)
            return &algorithms[i];
    return NULL;
}
