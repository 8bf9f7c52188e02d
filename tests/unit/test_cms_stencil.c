/* What is copied from an earlier signature is what OpenSSL makes. */
#include <openssl/cms.h>
#include <openssl/err.h>
#include <pthread.h>

#include "format/cms.h"
#include "key/crypto.h"
#include "key/operate.h"
#include "key/remote.h"
#include "tests/unit/maker.h"
#include "tests/unit/unit.h"

enum { TIME = 1600000000 };
static const int64_t year_1950 = -631152000, year_2050 = 2524608000;

/* ---- keys ---- */

struct identity {
    EVP_PKEY *private;
    X509 *certificate, *issuer;
};

static struct identity make_identity(const char *type)
{
    AUTO(evp_pkey) above = make_key("P-256");
    struct identity id = { .private = make_key(type) };

    id.issuer = make_certificate(above, &(struct certificate_wish){ .subject = "above", .ca = true });
    id.certificate =
        make_certificate(id.private, &(struct certificate_wish){ .subject = "signer", .issuer = id.issuer, .issuer_key = above });
    return id;
}

static void forget(struct identity *id)
{
    EVP_PKEY_free(id->private);
    X509_free(id->certificate);
    X509_free(id->issuer);
}

/* Nothing is kept with it yet. */
static struct key *fresh_key(const struct identity *id)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    se_error err = SE_ERROR_INIT;
    struct key *key;

    assert_true(EVP_PKEY_up_ref(id->private) && X509_up_ref(id->certificate) && X509_up_ref(id->issuer) && sk_X509_push(chain, id->issuer));
    assert_status(SE_OK, key_new(&key, id->private, id->certificate, chain, &err), &err);
    return key;
}

static size_t count_kept(const struct key *key)
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

static se_status try_sign(se_buf *out, struct key *key, const struct wish *wish, se_error *err)
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

static se_buf sign(struct key *key, const struct wish *wish)
{
    se_error err = SE_ERROR_INIT;
    se_buf out;

    assert_status(SE_OK, try_sign(&out, key, wish, &err), &err);
    return out;
}

static CMS_ContentInfo *parse(const se_buf *der)
{
    CMS_ContentInfo *cms = CMS_ContentInfo_new_ex(crypto_context(), NULL);
    const unsigned char *p = der->data;

    assert_non_null(d2i_CMS_ContentInfo(&cms, &p, (long)der->size));
    assert_ptr_equal(p, der->data + der->size);
    return cms;
}

static size_t value_size(const se_buf *der)
{
    CMS_ContentInfo *cms = parse(der);
    size_t size = (size_t)ASN1_STRING_length(CMS_SignerInfo_get0_signature(sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0)));

    CMS_ContentInfo_free(cms);
    return size;
}

static void assert_verifies(const se_buf *der, se_bytes content)
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
static void assert_as_from_fresh(const se_buf *der, const struct identity *id, const struct wish *wish)
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

static void check_all(const struct identity *id, const struct algorithm *algorithm, bool mail)
{
    const struct wish wishes[] = {
        { algorithm, { text, sizeof text - 1 }, TIME, mail },
        { algorithm, { text, 3 }, TIME, mail },
        { algorithm, { text, 0 }, TIME + 86399, mail },
        { algorithm, { text, sizeof text - 1 }, year_2050 - 1, mail },
        { algorithm, { text, sizeof text - 1 }, year_2050, mail },
        { algorithm, { text, sizeof text - 1 }, year_1950, mail },
        { algorithm, { text, sizeof text - 1 }, year_1950 - 1, mail },
        { algorithm, { text, 3 }, 0, mail },
    };
    struct key *key = fresh_key(id);

    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
        AUTO(se_buf) der = sign(key, &wishes[i]);

        assert_true(key_keepsakes(key));
        assert_verifies(&der, wishes[i].content);
        assert_as_from_fresh(&der, id, &wishes[i]);
    }
    key_unref(key);
}

static void check_type(const char *type, enum key_family family, enum padding padding)
{
    struct identity id = make_identity(type);

    for (enum digest d = DIGEST_SHA256; d <= DIGEST_SHA512; d++) {
        check_all(&id, algorithm_signature(d, family, padding), false);
        check_all(&id, algorithm_signature(d, family, padding), true);
    }
    forget(&id);
}

static void rsa_is_the_same_to_the_byte(void **state)
{
    (void)state;
    check_type("RSA-2048", FAMILY_RSA, PADDING_PKCS1);
}

static void pss_is_the_same_but_for_the_value(void **state)
{
    (void)state;
    check_type("RSA-2048", FAMILY_RSA, PADDING_PSS);
}

static void ecdsa_is_the_same_but_for_the_value(void **state)
{
    (void)state;
    check_type("P-256", FAMILY_EC, PADDING_NONE);
}

/* ---- what is kept ---- */

static void each_size_is_kept_once(void **state)
{
    struct identity id = make_identity("P-521");
    struct key *key = fresh_key(&id);
    const struct wish wish = { algorithm_signature(DIGEST_SHA512, FAMILY_EC, PADDING_NONE), { text, 5 }, TIME, false };
    bool seen[256] = { false };
    size_t sizes = 0;

    (void)state;
    for (int i = 0; i < 200; i++) {
        AUTO(se_buf) der = sign(key, &wish);
        size_t size = value_size(&der);

        assert_verifies(&der, wish.content);
        sizes += !seen[size];
        seen[size] = true;
        assert_int_equal(count_kept(key), sizes);
    }
    assert_true(sizes > 1);
    key_unref(key);
    forget(&id);
}

static void kinds_do_not_mix(void **state)
{
    struct identity id = make_identity("RSA-2048");
    struct key *key = fresh_key(&id);

    (void)state;
    for (unsigned i = 0; i < 36; i++) {
        enum digest digest = DIGEST_SHA256 + i % 3;
        const struct wish wish = {
            algorithm_signature(digest, FAMILY_RSA, i / 3 % 2 ? PADDING_PSS : PADDING_PKCS1), { text, i % 7 }, TIME + i, i / 6 % 2
        };
        AUTO(se_buf) der = sign(key, &wish);

        assert_as_from_fresh(&der, &id, &wish);
        assert_int_equal(count_kept(key), i < 12 ? i + 1 : 12);
    }
    key_unref(key);
    forget(&id);
}

/* The certificate's hash is among the attributes too: as the content's, it is there twice. */
static void a_certificate_is_a_content_too(void **state)
{
    struct identity id = make_identity("RSA-2048");
    struct key *key = fresh_key(&id);
    unsigned char *der = NULL;
    int size = i2d_X509(id.certificate, &der);
    const struct algorithm *algorithm = algorithm_signature(DIGEST_SHA256, FAMILY_RSA, PADDING_PKCS1);
    const struct wish itself = { algorithm, { der, (size_t)size }, TIME, true }, other = { algorithm, { text, 4 }, TIME + 1, true };
    AUTO(se_buf) first = sign(key, &itself);
    AUTO(se_buf) second = sign(key, &other);

    (void)state;
    assert_verifies(&first, itself.content);
    assert_verifies(&second, other.content);
    assert_as_from_fresh(&second, &id, &other);
    OPENSSL_free(der);
    key_unref(key);
    forget(&id);
}

/* ---- threads ---- */

static void *sign_often(void *key)
{
    const struct wish wish = { algorithm_signature(DIGEST_SHA256, FAMILY_EC, PADDING_NONE), { text, 9 }, TIME, true };

    for (int i = 0; i < 30; i++) {
        AUTO(se_buf) der = sign(key, &wish);

        assert_verifies(&der, wish.content);
    }
    return NULL;
}

static void threads_share_what_is_kept(void **state)
{
    struct identity id = make_identity("P-256");
    struct key *key = fresh_key(&id);
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_often, key), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    key_unref(key);
    forget(&id);
}

/* ---- failures ---- */

struct token {
    EVP_PKEY *key;
    bool away;
};

static se_status token_sign(se_buf *out, void *arg, const struct sign_how *how, se_bytes hash, se_error *err)
{
    const struct token *token = arg;

    return token->away ? error_set(err, SE_ERR_UNAVAILABLE, "the token is at lunch") : key_sign_hash(out, token->key, how, hash, err);
}

static void token_close(void *arg)
{
    (void)arg;
}

static void failures_read_the_same(void **state)
{
    static const struct remote_ops ops = { .sign = token_sign, .close = token_close };
    struct identity id = make_identity("RSA-2048");
    struct token token = { id.private, true };
    const struct wish wish = { algorithm_signature(DIGEST_SHA256, FAMILY_RSA, PADDING_PKCS1), { text, 9 }, TIME, true };
    se_error first = SE_ERROR_INIT, later = SE_ERROR_INIT;
    AUTO(se_buf) out = SE_BUF_INIT;
    struct key *key;

    (void)state;
    assert_status(SE_OK, remote_key(&id.private, &ops, &token, token.key, &first), &first);
    key = fresh_key(&id);
    assert_status(SE_ERR_UNAVAILABLE, try_sign(&out, key, &wish, &first), &first);
    assert_null(key_keepsakes(key));
    token.away = false;
    out = sign(key, &wish);
    assert_non_null(key_keepsakes(key));
    token.away = true;
    se_buf_free(&out);
    assert_status(SE_ERR_UNAVAILABLE, try_sign(&out, key, &wish, &later), &later);
    assert_string_equal(later.text, first.text);
    assert_int_equal(ERR_peek_error(), 0);
    key_unref(key);
    forget(&id);
    EVP_PKEY_free(token.key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsa_is_the_same_to_the_byte),
        cmocka_unit_test(pss_is_the_same_but_for_the_value),
        cmocka_unit_test(ecdsa_is_the_same_but_for_the_value),
        cmocka_unit_test(each_size_is_kept_once),
        cmocka_unit_test(kinds_do_not_mix),
        cmocka_unit_test(a_certificate_is_a_content_too),
        cmocka_unit_test(threads_share_what_is_kept),
        cmocka_unit_test(failures_read_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
