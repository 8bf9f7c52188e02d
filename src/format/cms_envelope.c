/* Writing, in DER: EnvelopedData with CBC, which nothing authenticates, AuthEnvelopedData with GCM. */
#include "format/cms_envelope.h"
#include "format/armor.h"

#include <openssl/x509v3.h>

#include "base/base64.h"
#include "format/envelope.h"
#include "key/crypto.h"
#include "key/identifier.h"

enum {
    TAG_INTEGER = 0x02,
    TAG_OCTETS = 0x04,
    TAG_OID = 0x06,
    TAG_SEQUENCE = 0x30,
    TAG_SET = 0x31,
    TAG_CONTENT = 0xA0, /* [0] EXPLICIT of ContentInfo */
    TAG_TEXT = 0x80,    /* [0] IMPLICIT OCTET STRING of EncryptedContentInfo */
    TAG_KEY_ID = 0x80,  /* and of RecipientIdentifier */
};

#define BYTES(text)                                                                                                                        \
    {                                                                                                                                      \
        (text), sizeof(text) - 1                                                                                                           \
    }
static const se_bytes version_0 = BYTES("\x02\x01\x00"), version_2 = BYTES("\x02\x01\x02");
static const se_bytes id_data = BYTES("\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01");
static const se_bytes id_enveloped = BYTES("\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x03");
static const se_bytes id_auth_enveloped = BYTES("\x06\x0B\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x01\x17");
static const se_bytes aes_arc = BYTES("\x60\x86\x48\x01\x65\x03\x04\x01"); /* one more byte follows */

/* NIST's numbers below 2.16.840.1.101.3.4.1: 2, 22, 42 for CBC; 6, 26, 46 for GCM. */
static unsigned char aes_number(const struct algorithm *a)
{
    return (unsigned char)((a->cipher == CIPHER_AES_GCM ? 6 : 2) + 20 * (a->bits / 64 - 2));
}

static size_t length_size(size_t size)
{
    size_t bytes = 1;

    if (size < 0x80)
        return 1;
    for (; size; size >>= 8)
        bytes++;
    return bytes;
}

/* Tag, length and content. */
static size_t full_size(size_t content)
{
    return 1 + length_size(content) + content;
}

static void put_header(struct writer *w, unsigned char tag, size_t size)
{
    size_t bytes = length_size(size) - 1;
    unsigned char first = (unsigned char)(bytes ? 0x80 | bytes : size);

    writer_put(w, &tag, 1);
    writer_put(w, &first, 1);
    for (; bytes; bytes--) {
        unsigned char digit = (unsigned char)(size >> 8 * (bytes - 1));

        writer_put(w, &digit, 1);
    }
}

static void put(struct writer *w, se_bytes bytes)
{
    writer_put(w, bytes.data, bytes.size);
}

static void put_element(struct writer *w, unsigned char tag, se_bytes content)
{
    put_header(w, tag, content.size);
    put(w, content);
}

/* ---- the recipient: the same for all values of a data key ---- */

static bool put_x509(struct writer *w, int (*encode)(const void *, unsigned char **), const void *what)
{
    unsigned char *der = NULL;
    int size = encode(what, &der);

    if (size > 0)
        writer_put(w, der, (size_t)size);
    OPENSSL_free(der);
    return size > 0;
}

static int encode_name(const void *what, unsigned char **der)
{
    return i2d_X509_NAME(what, der);
}

static int encode_integer(const void *what, unsigned char **der)
{
    return i2d_ASN1_INTEGER(what, der);
}

static int encode_algorithm(const void *what, unsigned char **der)
{
    return i2d_X509_ALGOR(what, der);
}

static bool put_issuer_serial(struct writer *w, X509 *certificate)
{
    AUTO(writer) inner = { 0 };
    bool done = put_x509(&inner, encode_name, X509_get_issuer_name(certificate)) &&
                put_x509(&inner, encode_integer, X509_get0_serialNumber(certificate));

    put_element(w, TAG_SEQUENCE, buf_bytes(&inner.buf));
    return done && !inner.failed;
}

/* Its certificate may be issued anew, and keeps the key's identifier then, if it has one. */
static const ASN1_OCTET_STRING *key_id(const struct recipient *recipient)
{
    return X509_get0_subject_key_id(recipient->key->certificate);
}

static bool put_recipient_id(struct writer *w, const struct recipient *recipient)
{
    const ASN1_OCTET_STRING *id = key_id(recipient);

    put(w, id ? version_2 : version_0);
    if (!id)
        return put_issuer_serial(w, recipient->key->certificate);
    put_element(w, TAG_KEY_ID, (se_bytes){ ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id) });
    return true;
}

static bool put_oaep(struct writer *w, const struct algorithm *a)
{
    const struct unwrap_how how = { a->oaep, a->mgf1 };
    X509_ALGOR *algorithm = X509_ALGOR_new();
    bool done = algorithm && identifier_set_oaep(algorithm, &how) && put_x509(w, encode_algorithm, algorithm);

    X509_ALGOR_free(algorithm);
    return done;
}

static se_status prepare_seal(struct data_key *key, const struct seal_job *job, se_error *err)
{
    AUTO(writer) recipient = { 0 };
    AUTO(writer) w = { 0 };
    bool done;

    done = put_recipient_id(&recipient, job->recipient) && put_oaep(&recipient, job->algorithm);
    put_element(&recipient, TAG_OCTETS, buf_bytes(&key->wrapped));
    if (!done || recipient.failed)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encode the recipient");
    put_header(&w, TAG_SET, full_size(recipient.buf.size));
    put_element(&w, TAG_SEQUENCE, buf_bytes(&recipient.buf));
    return writer_finish(&key->head, &w, err);
}

static size_t secret_size(const struct algorithm *algorithm)
{
    return algorithm->bits / 8;
}

/* ---- values ---- */

struct sealed {
    unsigned char iv[AES_BLOCK], tag[GCM_TAG];
    se_buf text;
};

static se_status encrypt(struct sealed *s, const struct seal_job *job, se_error *err)
{
    const struct algorithm *a = job->algorithm;
    const struct aes aes = { .cipher = a->cipher, .bits = a->bits, .key = job->key->secret.data, .iv = s->iv, .tag_size = GCM_TAG };
    se_status st;

    memcpy(s->iv, a->iv, a->iv_size);
    if ((!a->iv_size && (st = crypto_draw_public(s->iv, aes_iv_size(a->cipher), err))) ||
        (st = buf_new(&s->text, aes_size(a->cipher, job->plain.size), err)))
        return st;
    return aes_encrypt(s->text.data, s->tag, job->kit, &aes, job->plain, err);
}

static void put_algorithm(struct writer *w, const struct algorithm *a, const unsigned char *iv)
{
    static const unsigned char tag_size[] = { TAG_INTEGER, 1, GCM_TAG };
    const unsigned char number = aes_number(a);
    size_t iv_size = full_size(aes_iv_size(a->cipher)), parameters = iv_size;

    if (a->cipher == CIPHER_AES_GCM)
        parameters = full_size(iv_size + sizeof tag_size);
    put_header(w, TAG_SEQUENCE, full_size(aes_arc.size + 1) + parameters);
    put_header(w, TAG_OID, aes_arc.size + 1);
    put(w, aes_arc);
    writer_put(w, &number, 1);
    if (a->cipher == CIPHER_AES_GCM)
        put_header(w, TAG_SEQUENCE, iv_size + sizeof tag_size);
    put_element(w, TAG_OCTETS, (se_bytes){ iv, aes_iv_size(a->cipher) });
    if (a->cipher == CIPHER_AES_GCM)
        writer_put(w, tag_size, sizeof tag_size);
}

/* From the inside out: what all the lengths are, then all of it once. */
static void put_value(struct writer *w, const struct seal_job *job, const struct sealed *s)
{
    bool gcm = job->algorithm->cipher == CIPHER_AES_GCM;
    const se_bytes type = gcm ? id_auth_enveloped : id_enveloped;
    AUTO(writer) algorithm = { 0 };
    size_t content, enveloped;

    put_algorithm(&algorithm, job->algorithm, s->iv);
    w->failed |= algorithm.failed;
    content = id_data.size + algorithm.buf.size + full_size(s->text.size);
    enveloped = version_0.size + job->key->head.size + full_size(content) + (gcm ? full_size(GCM_TAG) : 0);
    put_header(w, TAG_SEQUENCE, type.size + full_size(full_size(enveloped)));
    put(w, type);
    put_header(w, TAG_CONTENT, full_size(enveloped));
    put_header(w, TAG_SEQUENCE, enveloped);
    put(w, gcm || !key_id(job->recipient) ? version_0 : version_2);
    put(w, buf_bytes(&job->key->head));
    put_header(w, TAG_SEQUENCE, content);
    put(w, id_data);
    put(w, buf_bytes(&algorithm.buf));
    put_element(w, TAG_TEXT, buf_bytes(&s->text));
    if (gcm)
        put_element(w, TAG_OCTETS, (se_bytes){ s->tag, GCM_TAG });
}

static se_status seal(se_buf *out, const struct seal_job *job, se_error *err)
{
    struct sealed s = { .text = SE_BUF_INIT };
    AUTO(writer) w = { 0 };
    AUTO(se_buf) der = SE_BUF_INIT;
    se_status st = encrypt(&s, job, err);

    *out = (se_buf)SE_BUF_INIT;
    if (!st)
        put_value(&w, job, &s);
    se_buf_free(&s.text);
    if (st || (st = writer_finish(&der, &w, err)))
        return st;
    if (!job->binary)
        return base64_encode(out, buf_bytes(&der), err);
    *out = buf_move(&der);
    return SE_OK;
}

/* DER and BER begin with a SEQUENCE that is long, and the object identifier of a content type; one of the three may be damaged. */
static bool resembles_der(se_bytes value)
{
    const unsigned char *p = value.data;
    bool sequence = p[0] == TAG_SEQUENCE, is_long = value.size < 2 || (p[1] >= 0x80 && p[1] <= 0x84);

    if (value.size < 8)
        return sequence && is_long;
    return sequence + is_long + (memchr(p + 2, TAG_OID, 6) != NULL) >= 2;
}

static bool resembles(se_bytes value)
{
    static const char *const texts[] = { "MII", "MIM", "MIQ", "MIA" };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (envelope_marked(value, texts[i]))
            return true;
    return value.size && (resembles_der(value) || dearmor_finds(value));
}

const struct envelope_format cms_envelope_format = {
    .name = "CMS",
    .resembles = resembles,
    .secret_size = secret_size,
    .prepare_seal = prepare_seal,
    .seal = seal,
    .read = cms_envelope_read,
    .is_for = cms_envelope_is_for,
    .prepare_open = cms_envelope_prepare,
    .open = cms_envelope_open,
};
