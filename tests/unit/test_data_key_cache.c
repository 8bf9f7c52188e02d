/* SPDX-License-Identifier: Apache-2.0 */
/* Unwrapped data keys: remembered for as long as the descriptor says, as many as it says, by this
 * process alone. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/data_key_cache.h"
#include "tests/unit/unit.h"

static struct descriptor descriptor;
static struct config config = { .descriptors = &descriptor, .descriptor_count = 1 };
static struct data_key_cache *caches[1];
static struct engine engine = { .config = &config, .data_key_caches = caches };

static const se_bytes secret = { "0123456789abcdef0123456789abcdef", 32 };

static void limits(unsigned long size, unsigned long age)
{
    data_key_cache_free(caches[0]);
    caches[0] = NULL;
    descriptor = (struct descriptor){
        .algorithm = { .kind = ALGORITHM_CIPHER },
        .limits = { .cache_size = size,
                    .cache_age = age,
                    .has_cache_size = true,
                    .has_cache_age = true },
    };
}

static struct data_key_cache *cache_of_test(void)
{
    return data_key_cache_of(&engine, &descriptor);
}

static void id_of(unsigned char id[DATA_KEY_ID], unsigned number)
{
    memset(id, 0, DATA_KEY_ID);
    memcpy(id, &number, sizeof number);
    memcpy(id + 16, &number, sizeof number);
}

static void keep(unsigned number)
{
    unsigned char id[DATA_KEY_ID];

    id_of(id, number);
    data_key_cache_put(cache_of_test(), id, secret);
}

static bool recalls(unsigned number)
{
    unsigned char id[DATA_KEY_ID];
    se_buf found;
    bool known;

    id_of(id, number);
    known = data_key_cache_get(&found, cache_of_test(), id);
    assert_int_equal(found.size, known ? secret.size : 0);
    if (known)
        assert_memory_equal(found.data, secret.data, secret.size);
    se_buf_free(&found);
    return known;
}

static void what_was_kept_is_there(void **state)
{
    (void)state;
    limits(100, 60);
    assert_false(recalls(1));
    keep(1);
    keep(2);
    assert_true(recalls(1));
    assert_true(recalls(2));
    assert_false(recalls(3));
    keep(1);
    assert_true(recalls(1));
}

static void zeroes_turn_it_off(void **state)
{
    (void)state;
    limits(0, 60);
    assert_null(cache_of_test());
    keep(1);
    assert_false(recalls(1));
    limits(10, 0);
    assert_null(cache_of_test());
    limits(10, 60);
    descriptor.algorithm.kind = ALGORITHM_WRAP;
    assert_null(cache_of_test());
}

static void no_more_than_the_size(void **state)
{
    (void)state;
    for (unsigned size = 1; size <= 9; size++) {
        unsigned known = 0;

        limits(size, 60);
        for (unsigned i = 0; i < 50; i++)
            keep(i);
        for (unsigned i = 0; i < 50; i++)
            known += recalls(i);
        assert_true(known >= 1 && known <= size);
        assert_true(recalls(49));
    }
}

static void the_oldest_makes_room(void **state)
{
    (void)state;
    limits(4, 60);
    for (unsigned i = 0; i < 4; i++)
        keep(i);
    assert_true(recalls(0));
    keep(4);
    assert_true(recalls(0));
    assert_false(recalls(1));
}

static void what_is_too_old_is_gone(void **state)
{
    (void)state;
    limits(10, 1);
    keep(1);
    assert_true(recalls(1));
    usleep(1100000);
    assert_false(recalls(1));
}

static void the_child_of_a_fork_begins_anew(void **state)
{
    int end;
    pid_t child;

    (void)state;
    limits(10, 60);
    keep(1);
    child = fork();
    if (!child) {
        bool inherited = recalls(1);

        keep(2);
        _exit(inherited ? 1 : recalls(2) ? 0 : 2);
    }
    assert_int_equal(waitpid(child, &end, 0), child);
    assert_int_equal(end, 0);
    assert_true(recalls(1));
    limits(0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_kept_is_there),
        cmocka_unit_test(zeroes_turn_it_off),
        cmocka_unit_test(no_more_than_the_size),
        cmocka_unit_test(the_oldest_makes_room),
        cmocka_unit_test(what_is_too_old_is_gone),
        cmocka_unit_test(the_child_of_a_fork_begins_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
