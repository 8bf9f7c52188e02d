/* SPDX-License-Identifier: Apache-2.0 */
/* What the formats of values are made of: readers and writers of numbers, HKDF, AEAD, random
 * bytes. */
#include <sys/wait.h>
#include <unistd.h>

#include "base/reader.h"
#include "fields/envelope.h"
#include "tests/unit/unit.h"

static void numbers_come_back(void **state)
{
    AUTO(writer) w = { 0 };
    struct reader r;

    (void)state;
    writer_number(&w, 0x12, 1);
    writer_number(&w, 0x3456, 2);
    writer_number(&w, 0x789ABCDE, 4);
    writer_number(&w, UINT64_MAX - 1, 8);
    assert_memory_equal(w.buf.data, "\x12\x34\x56\x78\x9A\xBC\xDE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE",
                        15);
    r = reader_of(buf_bytes(&w.buf));
    assert_int_equal(reader_number(&r, 1), 0x12);
    assert_int_equal(reader_number(&r, 2), 0x3456);
    assert_int_equal(reader_number(&r, 4), 0x789ABCDE);
    assert_true(reader_number(&r, 8) == UINT64_MAX - 1);
    assert_false(r.failed);
    assert_int_equal(r.left, 0);
}

static void a_reader_that_failed_stays_failed(void **state)
{
    struct reader r = reader_of((se_bytes){ "abc", 3 });

    (void)state;
    assert_int_equal(reader_number(&r, 4), 0);
    assert_true(r.failed);
    assert_null(reader_take(&r, 1).data);
    assert_int_equal(reader_number(&r, 1), 0);
    r = reader_of((se_bytes){ NULL, 0 });
    assert_int_equal(reader_take(&r, 0).size, 0);
    assert_false(r.failed);
    assert_null(reader_take(&r, SIZE_MAX).data);
    assert_true(r.failed);
}

static void hkdf_is_that_of_rfc_5869(void **state)
{
    static const unsigned char secret[22] = { 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b,
                                              0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b,
                                              0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b };
    unsigned char out[42];

    (void)state;
    /* test case 3: neither salt nor info */
    assert_int_equal(
        crypto_hkdf(out, sizeof out, (se_bytes){ secret, sizeof secret }, text_bytes(""), NULL),
        SE_OK);
    assert_memory_equal(out,
                        "\x8d\xa4\xe7\x75\xa5\x63\xc1\x8f\x71\x5f\x80\x2a\x06\x3c\x5a\x31"
                        "\xb8\xa1\x1f\x5c\x5e\xe1\x87\x9e\xc3\x45\x4e\x5f\x3c\x73\x8d\x2d"
                        "\x9d\x20\x13\x95\xfa\xa4\xb6\x1a\x96\xc8",
                        42);
}

/* RFC 7518, appendix B: K, P, IV and A of all three test cases */
static const char plain[] =
    "A cipher system must not be required to be secret, and it must be able "
    "to fall into the hands of the enemy without inconvenience";
static const unsigned char key[64] = {
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
    0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
    0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f,
    0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f,
};
static const unsigned char iv[AES_BLOCK] = { 0x1a, 0xf3, 0x8c, 0x2d, 0xc2, 0xb9, 0x6f, 0xfd,
                                             0xd8, 0x66, 0x94, 0x09, 0x23, 0x41, 0xbc, 0x04 };

static const struct aead_kind kinds[] = {
    { CIPHER_AES_CBC, 128, DIGEST_SHA256, 16 }, { CIPHER_AES_CBC, 192, DIGEST_SHA384, 24 },
    { CIPHER_AES_CBC, 256, DIGEST_SHA512, 32 }, { CIPHER_AES_CBC, 256, DIGEST_NONE, 0 },
    { CIPHER_AES_GCM, 128, DIGEST_NONE, 16 },   { CIPHER_AES_GCM, 192, DIGEST_NONE, 12 },
    { CIPHER_AES_GCM, 256, DIGEST_NONE, 16 },
};
enum { KINDS = sizeof kinds / sizeof *kinds, JOSE = 3 };

/* The HMAC's key is in front of that of AES. */
static struct aead aead_of(const struct aead_kind *kind, bool encrypt)
{
    struct aead aead;

    assert_int_equal(aead_init(&aead, kind, key + kind->bits / 8, (se_bytes){ key, kind->bits / 8 },
                               encrypt, NULL),
                     SE_OK);
    return aead;
}

/* Three times with one key, so that nothing of a message is left for the next. */
static void cbc_with_hmac_is_that_of_rfc_7518(void **state)
{
    static const char *const tags[JOSE] = {
        "\x65\x2c\x3f\xa3\x6b\x0a\x7c\x5b\x32\x19\xfa\xb3\xa3\x0b\xc1\xc4",
        "\x84\x90\xac\x0e\x58\x94\x9b\xfe\x51\x87\x5d\x73\x3f\x93\xac\x20"
        "\x75\x16\x80\x39\xcc\xc7\x33\xd7",
        "\x4d\xd3\xb4\xc0\x88\xa7\xf4\x5c\x21\x68\x39\x64\x5b\x20\x12\xbf"
        "\x2e\x62\x69\xa8\xc5\x6a\x81\x6d\xbc\x1b\x26\x77\x61\x95\x5b\xc5",
    };
    const struct aead_input in = {
        .iv = iv,
        .aad = { text_bytes("The second principle of "), text_bytes("Auguste Kerckhoffs") },
        .text = text_bytes(plain),
    };

    (void)state;
    for (size_t i = 0; i < JOSE; i++) {
        struct aead aead = aead_of(&kinds[i], true);
        unsigned char text[256], tag[AEAD_TAG_MAX];

        for (int turn = 0; turn < 3; turn++) {
            assert_int_equal(aead_encrypt(text, tag, &aead, &in, NULL), SE_OK);
            assert_memory_equal(tag, tags[i], kinds[i].tag_size);
        }
        aead_free(&aead);
    }
}

static void every_kind_comes_back(void **state)
{
    static const se_bytes aads[][2] = { { { NULL, 0 }, { NULL, 0 } },
                                        { { "one", 3 }, { NULL, 0 } },
                                        { { "one", 3 }, { "two", 3 } } };

    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct aead to = aead_of(&kinds[k], true), from = aead_of(&kinds[k], false);

        for (size_t size = 0; size <= 100; size++) {
            struct aead_input in = { .iv = iv,
                                     .aad = { aads[size % 3][0], aads[size % 3][1] },
                                     .text = { plain, size } };
            unsigned char text[200], tag[AEAD_TAG_MAX];
            AUTO(se_buf) back = SE_BUF_INIT;

            assert_int_equal(aead_encrypt(text, tag, &to, &in, NULL), SE_OK);
            in.text = (se_bytes){ text, aead_text_size(kinds[k].cipher, size) };
            assert_int_equal(aead_decrypt(&back, &from, &in, tag, NULL), SE_OK);
            assert_int_equal(back.size, size);
            if (size)
                assert_memory_equal(back.data, plain, size);
        }
        aead_free(&to);
        aead_free(&from);
    }
}

/* A changed tag, associated text or ciphertext; of CBC, what is no multiple of a block. */
static void what_was_changed_is_refused(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct aead to = aead_of(&kinds[k], true), from = aead_of(&kinds[k], false);
        struct aead_input in = { .iv = iv, .aad = { { "one", 3 } }, .text = { plain, 32 } };
        unsigned char text[48], tag[AEAD_TAG_MAX];
        size_t size = aead_text_size(kinds[k].cipher, 32);
        se_buf back;

        assert_int_equal(aead_encrypt(text, tag, &to, &in, NULL), SE_OK);
        in.text = (se_bytes){ text, size };
        for (size_t i = 0; i < kinds[k].tag_size; i++) {
            tag[i] ^= 1;
            assert_int_equal(aead_decrypt(&back, &from, &in, tag, NULL), SE_ERR_REJECTED);
            assert_null(back.data);
            tag[i] ^= 1;
        }
        for (size_t i = 0; kinds[k].tag_size && i < size; i++) {
            text[i] ^= 1;
            assert_int_equal(aead_decrypt(&back, &from, &in, tag, NULL), SE_ERR_REJECTED);
            text[i] ^= 1;
        }
        for (size_t cut = 0; kinds[k].cipher == CIPHER_AES_CBC && cut < 16; cut++) {
            in.text.size = cut;
            assert_int_equal(aead_decrypt(&back, &from, &in, tag, NULL), SE_ERR_REJECTED);
        }
        in.text.size = size;
        in.aad[0] = text_bytes("two");
        if (kinds[k].tag_size)
            assert_int_equal(aead_decrypt(&back, &from, &in, tag, NULL), SE_ERR_REJECTED);
        assert_null(back.data);
        aead_free(&to);
        aead_free(&from);
    }
}

/* More than are drawn at once, of both sizes. */
static void no_iv_is_given_twice(void **state)
{
    enum { MANY = 500 };
    static unsigned char given[MANY][AES_BLOCK];
    AUTO(data_key) data_key = { .secret = SE_BUF_INIT };

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        size_t size = i % 3 ? AES_BLOCK : GCM_IV;

        assert_int_equal(data_key_iv(given[i], &data_key, size, (se_bytes){ NULL, 0 }, NULL),
                         SE_OK);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(given[k], given[i], GCM_IV);
    }
    assert_int_equal(data_key_iv(given[0], &data_key, GCM_IV, (se_bytes){ iv, GCM_IV }, NULL),
                     SE_OK);
    assert_memory_equal(given[0], iv, GCM_IV);
}

static void random_bytes_are_given_once(void **state)
{
    unsigned char a[16], b[16];

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(crypto_draw_secret(a, sizeof a, NULL), SE_OK);
        assert_int_equal(crypto_draw_public(b, sizeof b, NULL), SE_OK);
        assert_memory_not_equal(a, b, sizeof a);
    }
}

static void the_child_of_a_fork_draws_its_own(void **state)
{
    unsigned char ours[32], theirs[32];
    int link[2], end;
    pid_t child;

    (void)state;
    assert_int_equal(crypto_draw_secret(ours, sizeof ours, NULL), SE_OK);
    assert_int_equal(pipe(link), 0);
    if (!(child = fork()))
        _exit(crypto_draw_secret(theirs, sizeof theirs, NULL) ||
              write(link[1], theirs, sizeof theirs) != sizeof theirs);
    assert_int_equal(crypto_draw_secret(ours, sizeof ours, NULL), SE_OK);
    assert_int_equal(read(link[0], theirs, sizeof theirs), sizeof theirs);
    assert_int_equal(waitpid(child, &end, 0), child);
    assert_int_equal(end, 0);
    assert_memory_not_equal(ours, theirs, sizeof ours);
    close(link[0]);
    close(link[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_back),
        cmocka_unit_test(a_reader_that_failed_stays_failed),
        cmocka_unit_test(hkdf_is_that_of_rfc_5869),
        cmocka_unit_test(cbc_with_hmac_is_that_of_rfc_7518),
        cmocka_unit_test(every_kind_comes_back),
        cmocka_unit_test(what_was_changed_is_refused),
        cmocka_unit_test(no_iv_is_given_twice),
        cmocka_unit_test(random_bytes_are_given_once),
        cmocka_unit_test(the_child_of_a_fork_draws_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
