/* SPDX-License-Identifier: Apache-2.0 */
/* A store in which somebody changes a byte. */
#ifndef TESTS_HISTORY_BYTES_H
#define TESTS_HISTORY_BYTES_H

#include "tests/unit/unit.h"

enum { TABLES = 4, VALUE_MOST = 5000, WHAT_ROOM = 200 };

struct victim {
    const char *scheme; /* how its address begins */

    void *(*open)(const char *address);

    /* Changes a byte of one value; the place is told in `what`.  False: nothing came of it, as with
     * an empty value. */
    bool (*change)(void *self, char what[WHAT_ROOM]);

    /* Nothing of that is left. */
    void (*undo)(void *self);

    void (*close)(void *self);
};
extern const struct victim sqlite_victim, postgres_victim;

extern const char *const victim_tables[TABLES];
unsigned throw_dice(unsigned sides);

#endif
