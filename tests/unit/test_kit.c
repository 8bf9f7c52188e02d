/* What the formats of values are made of: readers and writers of numbers, hashes, HMAC, AES, random
 * bytes. */
#include <sys/wait.h>
#include <unistd.h>

#include "base/reader.h"
#include "crypto/crypto.h"
#include "fields/aes.h"
#include "tests/unit/unit.h"

static struct kit *kit;

static int setup(void **state)
{
    (void)state;
    return kit_new(&kit, NULL);
}

static int teardown(void **state)
{
    (void)state;
    kit_free(kit);
    return 0;
}

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

/* RFC 4231, test cases 1 to 4, and every size of key against OpenSSL's */
static void hmac_is_that_of_others(void **state)
{
    static const unsigned char bytes[300] = { 1, 2, 3 };
    unsigned char ours[HASH_MAX], theirs[EVP_MAX_MD_SIZE];

    (void)state;
    for (enum digest d = DIGEST_SHA256; d <= DIGEST_SHA512; d++)
        for (size_t key = 0; key <= 64; key++)
            for (size_t size = 0; size <= 300; size += 60) {
                const se_bytes pieces[] = { { bytes, size / 3 },
                                            { NULL, 0 },
                                            { bytes + size / 3, size - size / 3 } };
                size_t made;

                assert_true(kit_hmac(ours, kit, d, (se_bytes){ bytes, key }, pieces, 3));
                assert_non_null(EVP_Q_mac(crypto_context(), "HMAC", NULL, crypto_digest(d), NULL,
                                          key ? bytes : (const void *)"", key, bytes, size, theirs,
                                          sizeof theirs, &made));
                assert_memory_equal(ours, theirs, made);
            }
    assert_false(kit_hmac(ours, kit, DIGEST_SHA256, (se_bytes){ bytes, 65 }, NULL, 0));
    assert_true(kit_hmac(ours, kit, DIGEST_SHA256, (se_bytes){ "Jefe", 4 },
                         &(se_bytes){ "what do ya want for nothing?", 28 }, 1));
    assert_memory_equal(ours, "\x5b\xdc\xc1\x46\xbf\x60\x75\x4e\x6a\x04\x24\x26\x08\x95\x75\xc7",
                        16);
}

static bool hashes_right(se_bytes piece)
{
    unsigned char expected[32], hash[32];

    return kit_hash(expected, kit, DIGEST_SHA256, &piece, 1) &&
           kit_hash_repeated(hash, kit, piece) && !memcmp(hash, expected, 32);
}

/* Beginnings of the same bytes, up to what is remembered and beyond; each twice, and after others.
 */
static void what_is_repeated_is_hashed_right(void **state)
{
    static unsigned char bytes[REPEATED_MOST + 1];
    static const size_t sizes[] = { 1, 0, 2, REPEATED_MOST, REPEATED_MOST + 1, 300, 1 };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_true(hashes_right((se_bytes){ bytes, sizes[i] }));
        assert_true(hashes_right((se_bytes){ bytes, sizes[i] }));
        bytes[0] ^= 1;
        assert_true(hashes_right((se_bytes){ bytes, sizes[i] }));
        bytes[sizes[i] ? sizes[i] - 1 : 0] ^= 2;
        assert_true(hashes_right((se_bytes){ bytes, sizes[i] }));
    }
}

static void aes_comes_back(void **state)
{
    static const unsigned char key[AES_KEY_MAX] = { 7 }, iv[AES_BLOCK] = { 9 }, plain[100] = { 5 };
    static const se_bytes aad[] = { { "one", 3 }, { NULL, 0 }, { "two", 3 } };

    (void)state;
    for (enum cipher c = CIPHER_AES_CBC; c <= CIPHER_AES_GCM; c++)
        for (unsigned bits = 128; bits <= 256; bits += 64)
            for (size_t size = 0; size <= sizeof plain; size++) {
                const struct aes aes = { c,
                                         bits,
                                         key,
                                         iv,
                                         c == CIPHER_AES_GCM ? aad : NULL,
                                         c == CIPHER_AES_GCM ? 3 : 0,
                                         GCM_TAG };
                unsigned char text[200], tag[GCM_TAG];
                AUTO(se_buf) back = SE_BUF_INIT;

                assert_int_equal(aes_encrypt(text, tag, kit, &aes, (se_bytes){ plain, size }, NULL),
                                 SE_OK);
                assert_int_equal(
                    aes_decrypt(&back, kit, &aes, (se_bytes){ text, aes_size(c, size) }, tag, NULL),
                    SE_OK);
                assert_int_equal(back.size, size);
                if (size)
                    assert_memory_equal(back.data, plain, size);
                kit_rest(kit);
            }
}

/* Of CBC, what is no multiple of a block; of GCM, a wrong tag. */
static void aes_refuses(void **state)
{
    static const unsigned char key[AES_KEY_MAX] = { 7 }, iv[AES_BLOCK] = { 9 };
    const struct aes cbc = { CIPHER_AES_CBC, 256, key, iv, NULL, 0, 0 },
                     gcm = { CIPHER_AES_GCM, 256, key, iv, NULL, 0, GCM_TAG };
    unsigned char text[32] = { 1 }, tag[GCM_TAG];
    se_buf back;

    (void)state;
    assert_int_equal(aes_decrypt(&back, kit, &cbc, (se_bytes){ text, 0 }, NULL, NULL),
                     SE_ERR_REJECTED);
    assert_int_equal(aes_decrypt(&back, kit, &cbc, (se_bytes){ text, 15 }, NULL, NULL),
                     SE_ERR_REJECTED);
    assert_int_equal(aes_decrypt(&back, kit, &cbc, (se_bytes){ text, 32 }, NULL, NULL),
                     SE_ERR_REJECTED);
    assert_null(back.data);
    assert_int_equal(aes_encrypt(text, tag, kit, &gcm, (se_bytes){ key, 32 }, NULL), SE_OK);
    tag[15] ^= 1;
    assert_int_equal(aes_decrypt(&back, kit, &gcm, (se_bytes){ text, 32 }, tag, NULL),
                     SE_ERR_REJECTED);
    assert_null(back.data);
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
        cmocka_unit_test(hmac_is_that_of_others),
        cmocka_unit_test(what_is_repeated_is_hashed_right),
        cmocka_unit_test(aes_comes_back),
        cmocka_unit_test(aes_refuses),
        cmocka_unit_test(random_bytes_are_given_once),
        cmocka_unit_test(the_child_of_a_fork_draws_its_own),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
