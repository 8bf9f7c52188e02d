/* Detached CMS signatures, made and compared. */
#ifndef TESTS_UNIT_CMS_H
#define TESTS_UNIT_CMS_H

#include <openssl/cms.h>

#include "format/cms.h"
#include "key/crypto.h"
#include "tests/unit/maker.h"
#include "tests/unit/unit.h"

enum { TIME = 1600000000 };

/* ---- keys ---- */

struct identity {
    EVP_PKEY *private;
    X509 *certificate, *issuer;
};

static inline struct identity make_identity(const char *type)
{
    AUTO(evp_pkey) above = make_key("P-256");
    struct identity id = { .private = make_key(type) };

    id.issuer = make_certificate(above, &(struct certificate_wish){ .subject = "above", .ca = true });
    id.certificate =
        make_certificate(id.private, &(struct certificate_wish){ .subject = "signer", .issuer = id.issuer, .issuer_key = above });
    return id;
}

static inline void forget(struct identity *id)
{
    EVP_PKEY_free(id->private);
    X509_free(id->certificate);
    X509_free(id->issuer);
}

/* Nothing is kept with it yet. */
static inline struct key *fresh_key(const struct identity *id)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    se_error err = SE_ERROR_INIT;
    struct key *key;

    assert_true(EVP_PKEY_up_ref(id->private) && X509_up_ref(id->certificate) && X509_up_ref(id->issuer) && sk_X509_push(chain, id->issuer));
    assert_status(SE_OK, key_new(&key, id->private, id->certificate, chain, &err), &err);
    return key;
}

static inline size_t count_kept(const struct key *key)
{
    size_t count = 0;

    for (const struct keepsake *k = key_keepsakes(key); k; k = k->next)
        count++;
    return count;
}

/* ---- signatures ---- */

struct wish {
    const struct algorithm *algorithm;
    se_bytes content;
    int64_t time;
    bool mail;
};

static inline se_status try_sign(se_buf *out, struct key *key, const struct wish *wish, se_error *err)
{
    AUTO(writer) w = { 0 };
    se_bytes left = wish->content;
    const se_source source = source_memory(&left);
    const se_sink sink = sink_writer(&w);
    struct stream in = { .source = &source };
    const struct sign_job job = {
        .algorithm = wish->algorithm, .key = key, .time = wish->time, .capabilities = wish->mail, .in = &in, .out = &sink
    };
    se_status st = cms_sign_detached(&job, err);

    return st ? st : writer_finish(out, &w, err);
}

static inline se_buf sign(struct key *key, const struct wish *wish)
{
    se_error err = SE_ERROR_INIT;
    se_buf out;

    assert_status(SE_OK, try_sign(&out, key, wish, &err), &err);
    return out;
}

static inline CMS_ContentInfo *parse(const se_buf *der)
{
    CMS_ContentInfo *cms = CMS_ContentInfo_new_ex(crypto_context(), NULL);
    const unsigned char *p = der->data;

    assert_non_null(d2i_CMS_ContentInfo(&cms, &p, (long)der->size));
    assert_ptr_equal(p, der->data + der->size);
    return cms;
}

static inline size_t value_size(const se_buf *der)
{
    CMS_ContentInfo *cms = parse(der);
    size_t size = (size_t)ASN1_STRING_length(CMS_SignerInfo_get0_signature(sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0)));

    CMS_ContentInfo_free(cms);
    return size;
}

static inline void assert_verifies(const se_buf *der, se_bytes content)
{
    CMS_ContentInfo *cms = parse(der);
    BIO *data = BIO_new_mem_buf(content.size ? content.data : "", (int)content.size);
    unsigned char *again = NULL;

    assert_int_equal(CMS_verify(cms, NULL, NULL, data, NULL, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY), 1);
    assert_int_equal(i2d_CMS_ContentInfo(cms, &again), der->size);
    assert_memory_equal(again, der->data, der->size);
    OPENSSL_free(again);
    BIO_free(data);
    CMS_ContentInfo_free(cms);
}

/* `der` but for its value, which ends it, is what a fresh key makes; all of it, if the algorithm always makes the same value. */
static inline void assert_as_from_fresh(const se_buf *der, const struct identity *id, const struct wish *wish)
{
    size_t size = value_size(der);
    bool random = wish->algorithm->padding != PADDING_PKCS1;
    AUTO(se_buf) other = SE_BUF_INIT;

    do {
        struct key *fresh = fresh_key(id);

        se_buf_free(&other);
        other = sign(fresh, wish);
        key_unref(fresh);
    } while (random && other.size != der->size);
    assert_int_equal(other.size, der->size);
    assert_memory_equal(other.data, der->data, der->size - (random ? size : 0));
}

static const char text[] = "One two three\r\n";

#endif
