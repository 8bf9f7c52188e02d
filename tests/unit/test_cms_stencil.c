/* What is copied from an earlier signature is what OpenSSL makes. */
#include <openssl/err.h>
#include <pthread.h>

#include "key/operate.h"
#include "key/remote.h"
#include "tests/unit/cms.h"

static const int64_t year_1950 = -631152000, year_2050 = 2524608000;

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
        cmocka_unit_test(threads_share_what_is_kept),
        cmocka_unit_test(failures_read_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
