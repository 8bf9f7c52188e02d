/*
 * What an entry costs in a big chain, beside what it costs in a small one:
 *
 *   history_growth CONFIG FOLDER SETTING ENTRIES
 *
 * Descriptor `Bench`.  FOLDER gets two databases of SQLite: a chain of ENTRIES, and one of 10,000, which is made anew in each round, since
 * it would not stay small.  Both get the same in turns, so that what else goes on falls out of the ratio.  Closing counts too: it moves
 * what was written ahead to its place, which would otherwise be left to one of them or the other by chance.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/bench/race.h"
#include "tests/bench/records.h"

enum { SMALL = 10000, ROUNDS = 8, TURNS = 60, TOGETHER = 2000, ALONE = 5, PATH_ROOM = 300 };

static const se_record *records;
static se_engine *engine;

static void name_of(char path[PATH_ROOM], const char *folder, const char *name)
{
    (void)snprintf(path, PATH_ROOM, "sqlite:%s/%s.db", folder, name);
}

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

static void forget(const char *path)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    char file[PATH_ROOM + 4];

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        (void)snprintf(file, sizeof file, "%s%s", path + sizeof "sqlite:" - 1, ends[i]);
        (void)unlink(file);
    }
}

/* Seconds for all turns. */
struct cost {
    double together, processor, alone;
};

static void measure(struct cost *cost, se_history *history)
{
    double processor = seconds_of_processor();

    cost->together += seconds_to_append(history, records, TOGETHER);
    cost->processor += seconds_of_processor() - processor;
    for (size_t i = 0; i < ALONE; i++)
        cost->alone += seconds_to_append(history, records, 1);
}

static void measure_close(struct cost *cost, se_history **history)
{
    double processor = seconds_of_processor(), began = seconds_now();

    se_history_close(history);
    cost->together += seconds_now() - began;
    cost->processor += seconds_of_processor() - processor;
}

static void compare(struct cost *big, const char *big_path, struct cost *small, const char *small_path)
{
    se_history *grown, *fresh;

    make_chain(small_path, SMALL);
    grown = open_chain(big_path);
    fresh = open_chain(small_path);
    for (size_t turn = 0; turn < TURNS; turn++) {
        if (turn % 2)
            measure(big, grown);
        measure(small, fresh);
        if (turn % 2 == 0)
            measure(big, grown);
    }
    measure_close(big, &grown);
    measure_close(small, &fresh);
    forget(small_path);
}

static void tell(const char *measure, const char *setting, unsigned entries, double big, double small)
{
    double micros = 1e6 / (entries * TURNS * ROUNDS);

    row(measure, setting, 1, big * micros, "at 10,000", small * micros, big / small);
}

int main(int argc, char **argv)
{
    struct cost big = { 0 }, small = { 0 };
    char big_path[PATH_ROOM], small_path[PATH_ROOM];
    se_error err = SE_ERROR_INIT;

    if (argc != 5)
        give_up("usage", "history_growth CONFIG FOLDER SETTING ENTRIES");
    records = records_make();
    must(se_open(&engine, argv[1], NULL, &err), &err);
    name_of(big_path, argv[2], "big");
    name_of(small_path, argv[2], "small");
    make_chain(big_path, strtoull(argv[4], NULL, 10));
    for (size_t round = 0; round < ROUNDS; round++)
        compare(&big, big_path, &small, small_path);
    tell("microseconds for an entry, 2,000 at once", argv[3], TOGETHER, big.together, small.together);
    tell("the same, of the processor", argv[3], TOGETHER, big.processor, small.processor);
    tell("microseconds for an entry, each alone", argv[3], ALONE, big.alone, small.alone);
    forget(big_path);
    se_close(&engine);
    return 0;
}
