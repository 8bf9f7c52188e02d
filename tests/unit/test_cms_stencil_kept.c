/* Which signatures are kept to be copied from, and how many. */
#include "format/cms_stencil.h"
#include "key/remote.h"
#include "tests/unit/cms.h"

enum { KEPT_MOST = 24 };

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

/* As when two threads make the first one. */
static void what_is_kept_is_not_kept_again(void **state)
{
    struct identity id = make_identity("P-256");
    struct key *key = fresh_key(&id);
    const struct wish wish = { algorithm_signature(DIGEST_SHA256, FAMILY_EC, PADDING_NONE), { text, 5 }, TIME, false };
    const struct sign_job job = { .algorithm = wish.algorithm, .key = key, .time = wish.time };
    AUTO(se_buf) der = sign(key, &wish);
    CMS_ContentInfo *cms = parse(&der);

    (void)state;
    stencil_keep(&job, cms, buf_bytes(&der));
    assert_int_equal(count_kept(key), 1);
    CMS_ContentInfo_free(cms);
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

/* A CA's certificate may hold anything, even the attributes of a signature that is made again with it. */
static X509 *with_comment(X509 *certificate, const se_buf *comment)
{
    AUTO(evp_pkey) key = make_key("P-256");
    ASN1_OCTET_STRING *string = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension;
    X509 *other = X509_dup(certificate);

    assert_true(other && string && ASN1_OCTET_STRING_set(string, comment->data, (int)comment->size));
    extension = X509_EXTENSION_create_by_NID(NULL, NID_netscape_comment, 0, string);
    assert_true(extension && X509_add_ext(other, extension, -1) && X509_sign(other, key, EVP_sha256()));
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(string);
    return other;
}

static void attributes_that_are_elsewhere_too_are_not_filled(void **state)
{
    struct identity id = make_identity("RSA-2048"), again = id;
    const struct algorithm *algorithm = algorithm_signature(DIGEST_SHA256, FAMILY_RSA, PADDING_PKCS1);
    const struct wish wish = { algorithm, { text, 5 }, TIME, false }, other = { algorithm, { text, 6 }, TIME + 1, false };
    struct key *first_key = fresh_key(&id), *key;
    AUTO(se_buf) first = sign(first_key, &wish);
    AUTO(se_buf) second = SE_BUF_INIT;
    AUTO(se_buf) third = SE_BUF_INIT;

    (void)state;
    again.issuer = with_comment(id.issuer, &first);
    key = fresh_key(&again);
    second = sign(key, &wish);
    assert_non_null(memmem(second.data, second.size, first.data, first.size));
    third = sign(key, &other);
    assert_verifies(&second, wish.content);
    assert_verifies(&third, other.content);
    assert_as_from_fresh(&third, &again, &other);
    X509_free(again.issuer);
    key_unref(first_key);
    key_unref(key);
    forget(&id);
}

static se_status sign_oddly(se_buf *out, void *arg, const struct sign_how *how, se_bytes hash, se_error *err)
{
    static const char value[128];

    (void)how;
    (void)hash;
    return buf_copy(out, (se_bytes){ value, *(size_t *)arg }, err);
}

static void leave_open(void *arg)
{
    (void)arg;
}

static void only_so_many_sizes_are_kept(void **state)
{
    static const struct remote_ops ops = { .sign = sign_oddly, .close = leave_open };
    const struct wish wish = { algorithm_signature(DIGEST_SHA256, FAMILY_EC, PADDING_NONE), { text, 5 }, TIME, false };
    struct identity id = make_identity("P-256");
    AUTO(evp_pkey) local = id.private;
    se_error err = SE_ERROR_INIT;
    size_t size = 20;
    struct key *key;

    (void)state;
    assert_status(SE_OK, remote_key(&id.private, &ops, &size, local, &err), &err);
    key = fresh_key(&id);
    for (; size < 60; size++) {
        AUTO(se_buf) der = sign(key, &wish);

        assert_int_equal(value_size(&der), size);
        assert_int_equal(count_kept(key), size < 20 + KEPT_MOST ? size - 19 : KEPT_MOST);
    }
    key_unref(key);
    forget(&id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_size_is_kept_once),
        cmocka_unit_test(what_is_kept_is_not_kept_again),
        cmocka_unit_test(kinds_do_not_mix),
        cmocka_unit_test(a_certificate_is_a_content_too),
        cmocka_unit_test(attributes_that_are_elsewhere_too_are_not_filled),
        cmocka_unit_test(only_so_many_sizes_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
