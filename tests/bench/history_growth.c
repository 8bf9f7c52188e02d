/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an entry costs in a big chain, beside what it costs in a small one:
 *
 *   history_growth CONFIG SETTING ENTRIES BIG SMALL...
 *
 * Descriptor `Bench`.  BIG and SMALL are addresses of stores that nothing is in.  BIG gets a chain
 * of ENTRIES; each SMALL gets one of 10,000 for a round, since it would not stay small.  Both get
 * the same in turns, so that what else goes on falls out of the ratio. Closing counts too: it moves
 * what SQLite has written ahead to its place, which would otherwise be left to one of them or the
 * other by chance. For the same reason a round has entries of one kind: what many at once have
 * written ahead would be moved by one that is alone, or not.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/race.h"
#include "tests/bench/records.h"

enum { SMALL = 10000, TURNS = 60, TOGETHER = 2000, TURNS_ALONE = 300 };

static const se_record *records;
static se_engine *engine;

static se_history *open_chain(const char *path)
{
    se_history_options options = SE_HISTORY_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;
    se_history *history;

    options.descriptor = "Bench";
    must(se_history_open(&history, engine, path, &options, &err), &err);
    return history;
}

/* Nothing waits to be moved to its place. */
static void make_chain(const char *path, uint64_t entries)
{
    se_history_options options = SE_HISTORY_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;
    se_history *history;

    options.descriptor = "Bench";
    must(se_history_create(engine, path, &options, &err), &err);
    history = open_chain(path);
    grow(history, records, entries);
    se_history_close(&history);
}

/* Seconds, by the clock and of the processor. */
struct cost {
    double clock, processor;
};

/* What is appended in a turn, how often in a round, and what that has cost. */
struct kind {
    const char *measure;
    size_t entries, turns;
    struct cost big, small;
};

static struct cost so_far(void)
{
    return (struct cost){ seconds_now(), seconds_of_processor() };
}

static void add(struct cost *cost, struct cost began)
{
    struct cost now = so_far();

    cost->clock += now.clock - began.clock;
    cost->processor += now.processor - began.processor;
}

static void measure(struct cost *cost, se_history *history, size_t entries)
{
    struct cost began = so_far();

    (void)seconds_to_append(history, records, entries);
    add(cost, began);
}

static void measure_close(struct cost *cost, se_history **history)
{
    struct cost began = so_far();

    se_history_close(history);
    add(cost, began);
}

static void compare(struct kind *kind, const char *big, const char *small)
{
    se_history *grown, *fresh;

    make_chain(small, SMALL);
    grown = open_chain(big);
    fresh = open_chain(small);
    for (size_t turn = 0; turn < kind->turns; turn++) {
        if (turn % 2)
            measure(&kind->big, grown, kind->entries);
        measure(&kind->small, fresh, kind->entries);
        if (turn % 2 == 0)
            measure(&kind->big, grown, kind->entries);
    }
    measure_close(&kind->big, &grown);
    measure_close(&kind->small, &fresh);
}

static void tell(const char *measure, const char *setting, size_t entries, double big, double small)
{
    double micros = 1e6 / (double)entries;

    row(measure, setting, 1, big * micros, "at 10,000", small * micros, big / small);
}

static void tell_kind(const struct kind *kind, const char *setting, size_t rounds)
{
    size_t entries = kind->entries * kind->turns * rounds;

    tell(kind->measure, setting, entries, kind->big.clock, kind->small.clock);
    tell("the same, of the processor", setting, entries, kind->big.processor,
         kind->small.processor);
}

int main(int argc, char **argv)
{
    struct kind kinds[] = {
        { .measure = "microseconds for an entry, 2,000 at once",
          .entries = TOGETHER,
          .turns = TURNS },
        { .measure = "microseconds for an entry, each alone", .entries = 1, .turns = TURNS_ALONE },
    };
    const size_t count = sizeof kinds / sizeof *kinds;
    char **small = argv + 5;
    size_t rounds;
    se_error err = SE_ERROR_INIT;

    if (argc < 7 || argc % 2 == 0)
        give_up("usage", "history_growth CONFIG SETTING ENTRIES BIG SMALL..., and SMALL an even "
                         "number of times");
    rounds = (size_t)(argc - 5) / count;
    records = records_make();
    must(se_open(&engine, argv[1], NULL, &err), &err);
    make_chain(argv[4], strtoull(argv[3], NULL, 10));
    for (size_t i = 0; i < rounds * count; i++)
        compare(&kinds[i % count], argv[4], small[i]);
    for (size_t i = 0; i < count; i++)
        tell_kind(&kinds[i], argv[2], rounds);
    se_close(&engine);
    return 0;
}
