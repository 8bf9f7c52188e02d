/* SPDX-License-Identifier: Apache-2.0 */
/* Shares of a secret: any few are enough, fewer are not, and gfsplit(1) and gfcombine(1) make and
 * take the same. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "crypto/crypto.h"
#include "provision/backup/key_shares.h"
#include "tests/unit/folder.h"

enum { SECRET = 32 };

static se_buf draw(void)
{
    se_buf secret = SE_BUF_INIT;

    assert_int_equal(buf_new(&secret, SECRET, NULL), SE_OK);
    assert_int_equal(crypto_draw_secret(secret.data, SECRET, NULL), SE_OK);
    return secret;
}

/* Those that `chosen` has as bits. */
static bool is_combined(const struct key_shares *all, unsigned chosen, const se_buf *secret)
{
    struct key_shares some = { .count = 0 };
    AUTO(se_buf) combined = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    for (size_t i = 0; i < all->count; i++)
        if (chosen & 1U << i) {
            some.list[some.count] = all->list[i];
            some.numbers[some.count++] = all->numbers[i];
        }
    assert_status(SE_OK, key_shares_combine(&combined, &some, &err), &err);
    assert_int_equal(combined.size, SECRET);
    return !memcmp(combined.data, secret->data, SECRET);
}

static void enough_are_enough(void **state)
{
    (void)state;
    for (unsigned count = 2; count <= 5; count++)
        for (unsigned threshold = 2; threshold <= count; threshold++) {
            AUTO(se_buf) secret = draw();
            AUTO(key_shares) shares = { .count = 0 };
            se_error err = SE_ERROR_INIT;

            assert_status(SE_OK, key_shares_split(&shares, &secret, count, threshold, &err), &err);
            assert_int_equal(shares.count, count);
            for (unsigned chosen = 1; chosen < 1U << count; chosen++)
                assert_int_equal(is_combined(&shares, chosen, &secret),
                                 (unsigned)__builtin_popcount(chosen) >= threshold);
        }
}

static void what_makes_no_sense_is_refused(void **state)
{
    static const unsigned refused[][2] = { { 3, 0 }, { 3, 1 }, { 3, 4 }, { 25, 2 }, { 1, 1 } };
    AUTO(se_buf) secret = draw();

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        AUTO(key_shares) shares = { .count = 1 };
        se_error err = SE_ERROR_INIT;

        shares.list[0] = (se_buf)SE_BUF_INIT;
        assert_status(SE_ERR_USAGE,
                      key_shares_split(&shares, &secret, refused[i][0], refused[i][1], &err), &err);
        assert_int_equal(shares.count, 0);
    }
}

static void write_file(const char *path, const se_buf *content)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(content->data, 1, content->size, file), content->size);
    fclose(file);
}

/* Its name ends with the number of the share. */
static void gfcombine_takes_ours(void **state)
{
    AUTO(se_buf) secret = draw();
    AUTO(se_buf) combined = SE_BUF_INIT;
    AUTO(key_shares) shares = { .count = 0 };
    char path[32];

    (void)state;
    assert_int_equal(key_shares_split(&shares, &secret, 5, 3, NULL), SE_OK);
    for (size_t i = 0; i < shares.count; i++) {
        (void)snprintf(path, sizeof path, "share.%03u", shares.numbers[i]);
        write_file(path, &shares.list[i]);
    }
    assert_int_equal(system("gfcombine -o combined share.002 share.005 share.001"), 0);
    assert_int_equal(file_read(&combined, "combined", SECRET, NULL), SE_OK);
    assert_int_equal(combined.size, SECRET);
    assert_memory_equal(combined.data, secret.data, SECRET);
}

static void read_share(struct key_shares *into, const char *name)
{
    assert_int_equal(file_read(&into->list[into->count], name, SECRET, NULL), SE_OK);
    into->numbers[into->count++] = (unsigned char)atoi(strrchr(name, '.') + 1);
}

static void we_take_what_gfsplit_made(void **state)
{
    AUTO(se_buf) secret = draw();
    AUTO(key_shares) shares = { .count = 0 };
    struct dirent *entry;
    DIR *here;

    (void)state;
    write_file("secret", &secret);
    assert_int_equal(system("gfsplit -n 3 -m 3 secret theirs"), 0);
    here = opendir(".");
    assert_non_null(here);
    while ((entry = readdir(here)))
        if (!strncmp(entry->d_name, "theirs.", 7))
            read_share(&shares, entry->d_name);
    closedir(here);
    assert_int_equal(shares.count, 3);
    assert_true(is_combined(&shares, 7, &secret));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enough_are_enough),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        IN_FOLDER(gfcombine_takes_ours),
        IN_FOLDER(we_take_what_gfsplit_made),
    };

    if (system("command -v gfsplit gfcombine >/dev/null")) {
        puts("SKIPPED: gfsplit or gfcombine is not installed");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
