/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked for again with the same idempotency key is appended once. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "history/history.h"
#include "tests/history/any_store.h"

/* ---- one caller ---- */

static void expect_entries(se_history *history, struct keyed_request request, uint64_t first,
                           bool repeated)
{
    struct keyed_answer answer;

    send_request(&answer, history, &request);
    assert_appended(&answer, first, repeated);
}

static void expect_refusal(se_history *history, struct keyed_request request, se_status status,
                           const char *text)
{
    struct keyed_answer answer;

    send_request(&answer, history, &request);
    assert_refused(&answer, status, text);
}

static const struct keyed_request one = { "key-1", NULL, { "a", "b" } },
                                  none = { NULL, NULL, { "a", "b" } };

static void test_a_repeated_key_gives_the_same_numbers(void **state)
{
    struct keyed_answer answer;
    struct any_chain c;

    (void)state;
    any_chain_begin(&c);
    expect_entries(c.history, none, 1, false);
    expect_entries(c.history, one, 3, false);
    expect_entries(c.history, one, 3, true);
    expect_entries(c.history, none, 5, false);
    send_request(&answer, c.history, &one);
    assert_appended(&answer, 3, true);
    assert_int_equal(answer.appended.count, 2);
    any_chain_expect(&c, 6, 4);
    any_chain_end(&c);
}

static void test_another_process_knows_the_key(void **state)
{
    struct any_chain c;
    se_history *another;

    (void)state;
    any_chain_begin(&c);
    expect_entries(c.history, one, 1, false);
    another = any_chain_open(&c, c.name, false);
    expect_entries(another, one, 1, true);
    se_history_close(&another);
    any_chain_expect(&c, 2, 2);
    any_chain_end(&c);
}

static void test_keys_of_others_are_others(void **state)
{
    char name[CHAIN_ROOM + 8];
    struct any_chain c;
    se_history *another;

    (void)state;
    any_chain_begin(&c);
    (void)snprintf(name, sizeof name, "%s-other", c.name);
    another = any_chain_open(&c, name, true);
    expect_entries(c.history, one, 1, false);
    expect_entries(another, one, 1, false);
    expect_entries(c.history, (struct keyed_request){ "key-1", "uid:1", { "a", "b" } }, 3, false);
    expect_entries(c.history, (struct keyed_request){ "key-1", "uid:2", { "other" } }, 5, false);
    expect_entries(c.history, (struct keyed_request){ "KEY-1", NULL, { "a", "b" } }, 6, false);
    expect_entries(c.history, (struct keyed_request){ "1", "uid:", { "a", "b" } }, 8, false);
    expect_entries(c.history, (struct keyed_request){ "key-1", "uid:1", { "a", "b" } }, 3, true);
    expect_entries(c.history, one, 1, true);
    se_history_close(&another);
    any_chain_end(&c);
}

static void test_other_content_is_refused(void **state)
{
    static const char text[] =
        "idempotency key 'key-1' was used for other content, from entry 1 on";
    struct any_chain c;

    (void)state;
    any_chain_begin(&c);
    expect_entries(c.history, one, 1, false);
    expect_refusal(c.history, (struct keyed_request){ "key-1", NULL, { "a", "B" } }, SE_ERR_USAGE,
                   text);
    expect_refusal(c.history, (struct keyed_request){ "key-1", NULL, { "a" } }, SE_ERR_USAGE, text);
    expect_refusal(c.history, (struct keyed_request){ "key-1", NULL, { "a", "b", "c" } },
                   SE_ERR_USAGE, text);
    expect_refusal(c.history, (struct keyed_request){ "key-1", NULL, { "ab", "" } }, SE_ERR_USAGE,
                   text);
    expect_entries(c.history, one, 1, true);
    any_chain_expect(&c, 2, 2);
    any_chain_end(&c);
}

static void test_keys_and_callers_have_bounds(void **state)
{
    static const char key[] = "an idempotency key has 1 to 64 visible ASCII characters",
                      caller[] = "a caller's name has 1 to 200 bytes";
    char longest[202];
    struct any_chain c;

    (void)state;
    memset(longest, 'x', sizeof longest);
    any_chain_begin(&c);
    longest[65] = '\0';
    expect_refusal(c.history, (struct keyed_request){ longest, NULL, { "a" } }, SE_ERR_USAGE, key);
    longest[64] = '\0';
    expect_entries(c.history, (struct keyed_request){ longest, NULL, { "a" } }, 1, false);
    longest[64] = 'x';
    longest[65] = 'x';
    longest[201] = '\0';
    expect_refusal(c.history, (struct keyed_request){ "k", longest, { "a" } }, SE_ERR_USAGE,
                   caller);
    longest[200] = '\0';
    expect_entries(c.history, (struct keyed_request){ "k", longest, { "a" } }, 2, false);
    expect_entries(c.history, (struct keyed_request){ "~!", "J\xc3\xb6rg B", { "a" } }, 3, false);
    expect_refusal(c.history, (struct keyed_request){ "", NULL, { "a" } }, SE_ERR_USAGE, key);
    expect_refusal(c.history, (struct keyed_request){ "a b", NULL, { "a" } }, SE_ERR_USAGE, key);
    expect_refusal(c.history, (struct keyed_request){ "\x7f", NULL, { "a" } }, SE_ERR_USAGE, key);
    expect_refusal(c.history, (struct keyed_request){ "\xc3\xb6", NULL, { "a" } }, SE_ERR_USAGE,
                   key);
    expect_refusal(c.history, (struct keyed_request){ "k", "", { "a" } }, SE_ERR_USAGE, caller);
    expect_refusal(c.history, (struct keyed_request){ "k", "a\nb", { "a" } }, SE_ERR_USAGE, caller);
    expect_refusal(c.history, (struct keyed_request){ "k", "\xff", { "a" } }, SE_ERR_USAGE, caller);
    any_chain_end(&c);
}

/* The vector of doc/formats.md. */
static void test_the_digest_is_as_documented(void **state)
{
    static const unsigned char wanted[HASH_SIZE] = {
        0x63, 0xc1, 0x83, 0x5c, 0xcd, 0x3e, 0x77, 0xe0, 0xc1, 0x54, 0xd3,
        0xfb, 0xb3, 0x1c, 0x02, 0x20, 0xe6, 0x63, 0x26, 0x63, 0xd1, 0xe3,
        0x87, 0xa7, 0x49, 0x4f, 0x37, 0x79, 0xdc, 0x3c, 0xf3, 0xd8,
    };
    const se_record records[] = { { { "card/4711", 9 }, { "ordered", 7 } },
                                  { { "card/4711", 9 }, { "produced", 8 } } };
    struct queued_call call = { .records = records, .count = 2 };
    se_history_append_params params = SE_HISTORY_APPEND_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;
    struct append_key key;

    (void)state;
    params.idempotency_key = "k";
    assert_status(SE_OK, append_key_read(&key, &call, &params, &err), &err);
    assert_memory_equal(&key.digest, wanted, HASH_SIZE);
}

/* ---- what is done to the chain and to the store ---- */

static void test_what_was_erased_or_dropped_has_no_digest(void **state)
{
    static const char digests[] =
        "SELECT count(*) FROM @idempotency WHERE chain = @this AND length(digest) = 32";
    static const char text[] = "idempotency key 'key-1' appended, from entry 1 on, was erased";
    struct keyed_request two = one, three = one;
    se_error err = SE_ERROR_INIT;
    struct any_chain c;

    (void)state;
    two.key = "key-2";
    three.key = "key-3";
    any_chain_begin(&c);
    expect_entries(c.history, one, 1, false);
    expect_entries(c.history, two, 3, false);
    expect_entries(c.history, three, 5, false);
    assert_status(SE_OK, se_history_erase(c.history, 2, &err), &err);
    assert_int_equal(any_chain_sql(&c, digests), 2);
    expect_refusal(c.history, one, SE_ERR_USAGE, text);
    expect_entries(c.history, two, 3, true);
    while (time(NULL) <= any_chain_sql(&c, "SELECT time / 1000000 FROM @idempotency WHERE"
                                           " chain = @this ORDER BY time DESC"))
        (void)usleep(10000);
    assert_status(SE_OK, se_history_prune(NULL, c.history, (int64_t)time(NULL), &err), &err);
    assert_int_equal(any_chain_sql(&c, digests), 0);
    expect_refusal(c.history, three, SE_ERR_USAGE, "was erased or dropped");
    expect_refusal(c.history, one, SE_ERR_USAGE, text);
    expect_entries(c.history, (struct keyed_request){ "key-4", NULL, { "a" } }, 7, false);
    any_chain_end(&c);
}

static void test_a_key_alone_proves_nothing(void **state)
{
    static const char text[] = "is not what idempotency key 'key-1' was used for";
    struct any_chain c;

    (void)state;
    any_chain_begin(&c);
    expect_entries(c.history, one, 1, false);
    expect_entries(c.history, (struct keyed_request){ NULL, NULL, { "x", "y" } }, 3, false);
    any_chain_sql(&c, "UPDATE @idempotency SET first = 3 WHERE chain = @this");
    expect_refusal(c.history, one, SE_ERR_REJECTED, text);
    any_chain_sql(&c, "UPDATE @idempotency SET first = 4 WHERE chain = @this");
    expect_refusal(c.history, one, SE_ERR_REJECTED, text);
    any_chain_sql(&c, "UPDATE @idempotency SET first = 0 WHERE chain = @this");
    expect_refusal(c.history, one, SE_ERR_REJECTED, text);
    any_chain_sql(&c, "UPDATE @idempotency SET first = -9223372036854775807 WHERE chain = @this");
    expect_refusal(c.history, one, SE_ERR_REJECTED, text);
    any_chain_sql(&c, "UPDATE @idempotency SET first = 1 WHERE chain = @this");
    expect_entries(c.history, one, 1, true);
    any_chain_end(&c);
}

static void test_old_keys_are_removed_by_later_ones(void **state)
{
    static const char keys[] = "SELECT count(*) FROM @idempotency WHERE chain = @this";
    char name[20];
    struct any_chain c;

    (void)state;
    any_chain_begin(&c);
    for (unsigned i = 1; i <= 20; i++) {
        (void)snprintf(name, sizeof name, "old-%u", i);
        expect_entries(c.history, (struct keyed_request){ name, NULL, { "a" } }, i, false);
    }
    any_chain_sql(&c, "UPDATE @idempotency SET time = time - 6 * 86400000000 WHERE chain = @this");
    expect_entries(c.history, (struct keyed_request){ "k1", NULL, { "a" } }, 21, false);
    assert_int_equal(any_chain_sql(&c, keys), 21);
    any_chain_sql(&c, "UPDATE @idempotency SET time = time - 86400000000 WHERE chain = @this");
    expect_entries(c.history, none, 22, false);
    assert_int_equal(any_chain_sql(&c, keys), 21);
    expect_entries(c.history, (struct keyed_request){ "k2", NULL, { "a" } }, 24, false);
    assert_int_equal(any_chain_sql(&c, keys), 4);
    expect_entries(c.history, (struct keyed_request){ "k3", NULL, { "a" } }, 25, false);
    assert_int_equal(any_chain_sql(&c, keys), 3);
    expect_entries(c.history, (struct keyed_request){ "k1", NULL, { "a" } }, 21, true);
    expect_entries(c.history, (struct keyed_request){ "old-1", NULL, { "b" } }, 26, false);
    any_chain_end(&c);
}

/* It has all tables but that of keys, and gets it when it needs it. */
static void test_a_store_that_is_older_than_keys(void **state)
{
    struct keyed_request two = one;
    struct keyed_answer answer;
    se_error err = SE_ERROR_INIT;
    struct any_chain c;

    (void)state;
    two.key = "key-2";
    any_chain_begin(&c);
    any_chain_sql(&c, "DROP TABLE @idempotency");
    expect_entries(c.history, none, 1, false);
    assert_status(SE_OK, se_history_erase(c.history, 1, &err), &err);
    any_chain_expect(&c, 2, 3);
    any_chain_sql(&c, "UPDATE @chain SET seals = seals + 1 WHERE number = @this");
    expect_refusal(c.history, one, SE_ERR_REJECTED, "is not there");
    any_chain_sql(&c, "UPDATE @chain SET seals = seals - 1 WHERE number = @this");
    expect_entries(c.history, one, 3, false);
    expect_entries(c.history, one, 3, true);
    any_chain_sql(&c, "DROP TABLE @idempotency");
    send_request(&answer, c.history, &two); /* a connection that knew it may fail once */
    expect_entries(c.history, two, 5, !answer.status);
    any_chain_expect(&c, 6, 5);
    any_chain_end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_a_repeated_key_gives_the_same_numbers),
        IN_FOLDER(test_another_process_knows_the_key),
        IN_FOLDER(test_keys_of_others_are_others),
        IN_FOLDER(test_other_content_is_refused),
        IN_FOLDER(test_keys_and_callers_have_bounds),
        IN_FOLDER(test_the_digest_is_as_documented),
        IN_FOLDER(test_what_was_erased_or_dropped_has_no_digest),
        IN_FOLDER(test_a_key_alone_proves_nothing),
        IN_FOLDER(test_old_keys_are_removed_by_later_ones),
        IN_FOLDER(test_a_store_that_is_older_than_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
