/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, in DER or BER: others write both. */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/base64.h"
#include "crypto/algorithm_id.h"
#include "crypto/pem.h"
#include "fields/cms_envelope.h"

static se_bytes bytes_of(const ASN1_STRING *string)
{
    return (se_bytes){ ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string) };
}

/* All of the value, and nothing behind it. */
static struct content_info *content_info_parse(se_bytes value)
{
    const unsigned char *p = value.data;
    AUTO(content_info) info = NULL;

    if (value.size <= LONG_MAX)
        info = (struct content_info *)ASN1_item_d2i(NULL, &p, (long)value.size,
                                                    ASN1_ITEM_rptr(CONTENT_INFO));
    ERR_clear_error();
    if (!info || p != (const unsigned char *)value.data + value.size)
        return NULL;
    return MOVE(info);
}

static bool is_number(const ASN1_INTEGER *integer, int64_t number)
{
    int64_t value;

    return ASN1_INTEGER_get_int64(&value, integer) && value == number;
}

/* RFC 5652, 6.2.1: the version says how the recipient is named. */
static bool is_usable(struct unwrap_how *how, const struct key_trans *k)
{
    return k && is_number(k->version, k->id->type == BY_ISSUER ? 0 : 2) &&
           identifier_oaep(how, k->algorithm);
}

/* The first recipient whose key is wrapped by RSAES-OAEP. */
static struct key_trans *find_recipient(struct unwrap_how *how, const struct content_info *info)
{
    const STACK_OF(ASN1_TYPE) *recipients = info->enveloped->recipients;

    for (int i = 0; i < sk_ASN1_TYPE_num(recipients); i++) {
        const ASN1_TYPE *any = sk_ASN1_TYPE_value(recipients, i);
        AUTO(key_trans) found = any->type == V_ASN1_SEQUENCE
                                    ? ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(KEY_TRANS), any)
                                    : NULL;

        ERR_clear_error();
        if (is_usable(how, found))
            return MOVE(found);
    }
    return NULL;
}

/* ---- how the content is encrypted ---- */

struct content {
    struct aead_kind kind;
    se_bytes text, mac;
    unsigned char iv[AES_BLOCK];
};

static bool set_iv(struct content *c, const ASN1_STRING *iv)
{
    se_bytes bytes = bytes_of(iv);

    if (bytes.size != aead_iv_size(c->kind.cipher))
        return false;
    memcpy(c->iv, bytes.data, bytes.size);
    return true;
}

static bool set_gcm(struct content *c, const ASN1_TYPE *parameters)
{
    AUTO(gcm_parameters) gcm =
        ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(GCM_PARAMETERS), parameters);
    long size = gcm && gcm->tag_size ? ASN1_INTEGER_get(gcm->tag_size) : 12;

    ERR_clear_error();
    if (!gcm || size < 12 || size > GCM_TAG || (size_t)size != c->mac.size)
        return false;
    c->kind.tag_size = (size_t)size;
    return set_iv(c, gcm->nonce);
}

static bool set_algorithm(struct content *c, const X509_ALGOR *algorithm)
{
    const struct aead_kind *known = content_kind_by_nid(OBJ_obj2nid(algorithm->algorithm));

    if (!known || !algorithm->parameter)
        return false;
    c->kind = *known;
    if (known->cipher == CIPHER_AES_GCM)
        return set_gcm(c, algorithm->parameter);
    return algorithm->parameter->type == V_ASN1_OCTET_STRING &&
           set_iv(c, algorithm->parameter->value.octet_string);
}

/* Versions and content types are not authenticated: there is one that each may have (RFC 5652, 6.1;
 * RFC 5083, 2.1). */
static bool is_plain(const struct content_info *info, enum cipher cipher)
{
    const struct enveloped *e = info->enveloped;
    int type = OBJ_obj2nid(info->type);

    if (OBJ_obj2nid(e->content->type) != NID_pkcs7_data)
        return false;
    if (cipher == CIPHER_AES_GCM)
        return type == NID_id_smime_ct_authEnvelopedData && e->mac && !e->attributes &&
               is_number(e->version, 0);
    return type == NID_pkcs7_enveloped && !e->mac && !e->attributes && !e->unauthenticated &&
           (is_number(e->version, 0) || is_number(e->version, 2));
}

static bool get_content(struct content *c, const struct content_info *info)
{
    const struct enveloped *e = info->enveloped;

    *c = (struct content){ .text = { NULL, 0 } };
    if (!e->content->text)
        return false;
    c->text = bytes_of(e->content->text);
    c->mac = e->mac ? bytes_of(e->mac) : (se_bytes){ NULL, 0 };
    return set_algorithm(c, e->content->algorithm) && is_plain(info, c->kind.cipher);
}

/* The first recipient's whose key is transported, by RSA of whatever kind; NULL: there is none. */
static struct key_trans *find_transported(const struct content_info *info)
{
    const STACK_OF(ASN1_TYPE) *recipients = info->enveloped->recipients;
    struct key_trans *found = NULL;

    for (int i = 0; !found && i < sk_ASN1_TYPE_num(recipients); i++)
        if (sk_ASN1_TYPE_value(recipients, i)->type == V_ASN1_SEQUENCE)
            found = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(KEY_TRANS),
                                              sk_ASN1_TYPE_value(recipients, i));
    ERR_clear_error();
    return found;
}

static const char *transport_fault(const X509_ALGOR *algorithm)
{
    switch (OBJ_obj2nid(algorithm->algorithm)) {
    case NID_rsaEncryption:
        return " (PKCS #1 v1.5)";
    case NID_rsaesOaep:
        return " with parameters that are not accepted";
    default:
        return "";
    }
}

/* Algorithms stand there in clear, so that nothing is given away when they are named. */
static se_status refuse_algorithms(const struct content_info *info, se_error *err)
{
    AUTO(key_trans) recipient = find_transported(info);
    const ASN1_OBJECT *content = info->enveloped->content->algorithm->algorithm;
    struct unwrap_how how;
    char name[80];

    if (!content_kind_by_nid(OBJ_obj2nid(content))) {
        (void)OBJ_obj2txt(name, sizeof name, content, 0);
        return error_set(
            err, SE_ERR_REJECTED,
            "the value is encrypted with the algorithm %s; AES in CBC or GCM is what is decrypted",
            name);
    }
    if (!recipient)
        return error_set(
            err, SE_ERR_REJECTED,
            "the value's key is not encrypted with RSA; RSAES-OAEP is what is decrypted");
    if (!identifier_oaep(&how, recipient->algorithm)) {
        (void)OBJ_obj2txt(name, sizeof name, recipient->algorithm->algorithm, 0);
        return error_set(
            err, SE_ERR_REJECTED,
            "the value's key is encrypted with the algorithm %s%s; RSAES-OAEP is what is decrypted",
            name, transport_fault(recipient->algorithm));
    }
    return envelope_refused(err);
}

/* Nothing but one encoding of it: the DER, unless the value is in BER of indefinite length, as
 * streams have it. */
static bool is_exact(const struct content_info *info, se_bytes value)
{
    AUTO(se_buf) der = SE_BUF_INIT;

    if (((const unsigned char *)value.data)[1] == 0x80)
        return true;
    return !envelope_encode(&der, info, ASN1_ITEM_rptr(CONTENT_INFO), NULL) &&
           der.size == value.size && CRYPTO_memcmp(der.data, value.data, value.size) == 0;
}

/* ---- the functions of the format ---- */

/* Text is the base64 of DER, which begins with M, or PEM; DER begins with 0. */
static se_status to_binary(se_buf *out, se_bytes value, se_error *err)
{
    const unsigned char *p = value.data;
    const se_source memory = source_memory(&value);
    struct stream in_pem = { .source = &memory };
    se_status st;

    if (*p == (V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED))
        return buf_copy(out, value, err);
    st = pem_decoder_finds(value) ? pem_decoder_all(out, &in_pem, value.size, NULL)
                                  : base64_decode(out, value, NULL);
    return st == SE_ERR_MEMORY ? error_memory(err) : st ? envelope_refused(err) : SE_OK;
}

static se_status read_cms(struct envelope *out, se_bytes value, se_error *err)
{
    AUTO(content_info) info = NULL;
    AUTO(key_trans) recipient = NULL;
    struct content content;

    TRY(to_binary(&out->bytes, value, err));
    if (!(info = content_info_parse(buf_bytes(&out->bytes))) ||
        !is_exact(info, buf_bytes(&out->bytes)))
        return envelope_refused(err);
    if (!get_content(&content, info) || !(recipient = find_recipient(&out->how, info)))
        return refuse_algorithms(info, err);
    TRY(buf_copy(&out->decoded, bytes_of(recipient->wrapped), err));
    TRY(envelope_encode(&out->details, recipient->id, ASN1_ITEM_rptr(RECIPIENT_ID), err));
    out->wrapped = out->origin = buf_bytes(&out->decoded);
    out->kind = content.kind;
    out->unauthenticated = content.kind.cipher == CIPHER_AES_CBC;
    return SE_OK;
}

static bool same_id(const struct envelope *envelope, const struct recipient_id *id)
{
    AUTO(se_buf) der = SE_BUF_INIT;

    return !envelope_encode(&der, id, ASN1_ITEM_rptr(RECIPIENT_ID), NULL) &&
           der.size == envelope->details.size &&
           CRYPTO_memcmp(der.data, envelope->details.data, der.size) == 0;
}

static bool names_certificate(const struct envelope *envelope, const X509 *certificate)
{
    struct issuer_serial by_issuer = { X509_get_issuer_name(certificate),
                                       (ASN1_INTEGER *)X509_get0_serialNumber(certificate) };
    const ASN1_OCTET_STRING *key_id = X509_get0_subject_key_id((X509 *)certificate);
    const struct recipient_id one = { BY_ISSUER, { .issuer_serial = &by_issuer } };
    const struct recipient_id other = { BY_KEY_ID, { .key_id = (ASN1_OCTET_STRING *)key_id } };

    return same_id(envelope, &one) || (key_id && same_id(envelope, &other));
}

/* By any certificate of the key: it may have been renewed since. */
static bool is_for_recipient(const struct envelope *envelope, const struct recipient *recipient)
{
    const struct key *key = recipient->key;

    if (names_certificate(envelope, key->certificate))
        return true;
    for (int i = 0; i < sk_X509_num(key->others); i++)
        if (names_certificate(envelope, sk_X509_value(key->others, i)))
            return true;
    return false;
}

static se_status prepare_open(struct data_key *key, const struct envelope *envelope, se_error *err)
{
    if (key->secret.size != envelope->kind.bits / 8)
        return envelope_refused(err);
    return aead_init(&key->aead, &envelope->kind, key->secret.data, (se_bytes){ NULL, 0 }, false,
                     err);
}

static se_status open_cms(se_buf *out, const struct open_job *job, se_error *err)
{
    AUTO(content_info) info = content_info_parse(buf_bytes(&job->envelope->bytes));
    struct aead_input in;
    struct content content;
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    if (job->context.size || !info || !get_content(&content, info))
        return envelope_refused(err);
    in = (struct aead_input){ .iv = content.iv, .text = content.text };
    st = aead_decrypt(out, &job->key->aead, &in, content.mac.data, err);
    return st == SE_ERR_REJECTED ? envelope_refused(err) : st;
}

/* ---- the format ---- */

/* DER and BER begin with a SEQUENCE that is long, and the object identifier of a content type; one
 * of the three may be damaged. */
static bool resembles_der(se_bytes value)
{
    const unsigned char *p = value.data;
    bool sequence = p[0] == (V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED),
         is_long = value.size < 2 || (p[1] >= 0x80 && p[1] <= 0x84);

    if (value.size < 8)
        return sequence && is_long;
    return sequence + is_long + (memchr(p + 2, V_ASN1_OBJECT, 6) != NULL) >= 2;
}

static bool cms_resembles(se_bytes value)
{
    static const char *const texts[] = { "MII", "MIM", "MIQ", "MIA" };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (envelope_marked(value, texts[i]))
            return true;
    return value.size && (resembles_der(value) || pem_decoder_finds(value));
}

const struct envelope_format cms_envelope_format = {
    .name = "CMS",
    .resembles = cms_resembles,
    .secret_size = cms_envelope_secret_size,
    .prepare_seal = cms_envelope_prepare_seal,
    .seal = cms_envelope_seal,
    .read = read_cms,
    .is_for = is_for_recipient,
    .prepare_open = prepare_open,
    .open = open_cms,
};
