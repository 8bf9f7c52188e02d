/*
 * What an entry costs in a big chain, beside what it costs in a small one:
 *
 *   history_growth CONFIG FOLDER SETTING ENTRIES
 *
 * Descriptor `Bench`.  FOLDER gets two databases of SQLite: a chain of ENTRIES, and one of 10,000.  Both get the same in turns, so that
 * what else goes on falls out of the ratio; and so much that both move what was written ahead to its place several times.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/bench/race.h"
#include "tests/bench/records.h"

enum { SMALL = 10000, TURNS = 60, TOGETHER = 2000, ALONE = 20, PATH_ROOM = 300 };

static const se_record *records;
static se_engine *engine;

static se_history *chain_of(char path[PATH_ROOM], const char *folder, const char *name, uint64_t entries)
{
    se_history_options options = SE_HISTORY_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;
    se_history *history;

    options.descriptor = "Bench";
    (void)snprintf(path, PATH_ROOM, "sqlite:%s/%s.db", folder, name);
    must(se_history_create(engine, path, &options, &err), &err);
    must(se_history_open(&history, engine, path, &options, &err), &err);
    grow(history, records, entries);
    return history;
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

static void tell(const char *measure, const char *setting, unsigned entries, double big, double small)
{
    double micros = 1e6 / (entries * TURNS);

    row(measure, setting, 1, big * micros, "at 10,000", small * micros, big / small);
}

int main(int argc, char **argv)
{
    struct cost big = { 0 }, small = { 0 };
    char paths[2][PATH_ROOM];
    se_error err = SE_ERROR_INIT;
    se_history *grown, *fresh;

    if (argc != 5)
        give_up("usage", "history_growth CONFIG FOLDER SETTING ENTRIES");
    records = records_make();
    must(se_open(&engine, argv[1], NULL, &err), &err);
    grown = chain_of(paths[0], argv[2], "big", strtoull(argv[4], NULL, 10));
    fresh = chain_of(paths[1], argv[2], "small", SMALL);
    for (size_t turn = 0; turn < TURNS; turn++) {
        measure(&small, fresh);
        measure(&big, grown);
    }
    tell("microseconds for an entry, 2,000 at once", argv[3], TOGETHER, big.together, small.together);
    tell("the same, of the processor", argv[3], TOGETHER, big.processor, small.processor);
    tell("microseconds for an entry, each alone", argv[3], ALONE, big.alone, small.alone);
    se_history_close(&grown);
    se_history_close(&fresh);
    forget(paths[0]);
    forget(paths[1]);
    se_close(&engine);
    return 0;
}
