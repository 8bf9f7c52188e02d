/* SPDX-License-Identifier: Apache-2.0 */
/* Names that were chosen so that they meet in the tables that they are looked up with. */
#include <stdlib.h>
#include <time.h>

#include "tests/unit/unit.h"
#include "zip/archive.h"

enum { COUNT = 30000, SLOTS = 65536, NAME = 8, RATIO_MOST = 20 };
static const uint64_t fnv_begin = 14695981039346656037u;

static void spell(char name[NAME + 1], uint64_t number)
{
    for (size_t i = 0; i < NAME; i++, number /= 26)
        name[i] = (char)('a' + number % 26);
    name[NAME] = '\0';
}

static uint64_t hash_from(uint64_t hash, const char *name)
{
    while (*name)
        hash = name_hash_step(hash, (unsigned char)*name++);
    return hash;
}

static void add(struct archive *archive, const char *name)
{
    archive->entries[archive->count++] =
        (struct entry){ .name = (uint32_t)archive->names.buf.size, .name_size = NAME };
    writer_put(&archive->names, name, NAME + 1);
}

static struct archive fresh(void)
{
    struct archive archive = { .fd = -1, .entries = calloc(COUNT, sizeof *archive.entries) };

    assert_non_null(archive.entries);
    return archive;
}

/* They begin side by side if hashes begin with `begin`, and each has to go past those that were
 * there before. */
static struct archive chosen_for(uint64_t begin)
{
    struct archive archive = fresh();
    char name[NAME + 1];

    for (uint64_t number = 0; archive.count < COUNT; number++) {
        spell(name, number);
        if (hash_from(begin, name) % SLOTS < SLOTS / 64)
            add(&archive, name);
    }
    return archive;
}

static struct archive plain(void)
{
    struct archive archive = fresh();
    char name[NAME + 1];

    for (uint64_t number = 0; archive.count < COUNT; number++) {
        spell(name, number);
        add(&archive, name);
    }
    return archive;
}

/* Processor time. */
static clock_t check(struct archive *archive)
{
    se_error err = SE_ERROR_INIT;
    clock_t begin = clock();

    assert_status(SE_OK, archive_index_names(archive, &err), &err);
    assert_status(SE_OK, entry_names_check(archive, &err), &err);
    return clock() - begin;
}

static void assert_no_slower(clock_t chosen, clock_t usual)
{
    if (chosen > RATIO_MOST * usual)
        fail_msg("%ld us, where %ld are usual", (long)chosen, (long)usual);
}

static void a_fixed_start_is_not_used(void **state)
{
    AUTO(archive) usual = plain();
    AUTO(archive) chosen = chosen_for(fnv_begin);
    clock_t time = check(&usual);

    (void)state;
    assert_no_slower(check(&chosen), time);
}

static void what_met_in_one_archive_does_not_in_the_next(void **state)
{
    AUTO(archive) usual = plain();
    clock_t time = check(&usual);
    AUTO(archive) chosen = chosen_for(usual.hash_seed);

    (void)state;
    assert_no_slower(check(&chosen), time);
}

static void all_are_found(void **state)
{
    AUTO(archive) archive = chosen_for(fnv_begin);
    char name[NAME + 1];

    (void)state;
    (void)check(&archive);
    for (size_t i = 0; i < archive.count; i++)
        assert_ptr_equal(archive_find(&archive, entry_name(&archive, &archive.entries[i])),
                         &archive.entries[i]);
    for (uint64_t number = 0; number < COUNT; number++) {
        spell(name, number);
        if (hash_from(fnv_begin, name) % SLOTS >= SLOTS / 64)
            assert_null(archive_find(&archive, name));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fixed_start_is_not_used),
        cmocka_unit_test(what_met_in_one_archive_does_not_in_the_next),
        cmocka_unit_test(all_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
