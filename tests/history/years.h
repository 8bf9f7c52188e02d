/* SPDX-License-Identifier: Apache-2.0 */
/* A chain in h.db, of which the entries may be years old: the clock of the program says what its
 * tests want. */
#ifndef TESTS_HISTORY_YEARS_H
#define TESTS_HISTORY_YEARS_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <time.h>

#include "signengine-history.h"
#include "tests/unit/folder.h"
#include "tests/unit/maker.h"

enum { DAY = 86400, BIG = 10000 };

extern time_t clock_moved; /* seconds */

struct chain_under_test {
    se_engine *engine;
    se_history *history;
    sqlite3 *db;
    uint64_t done, total; /* of the progress */
    unsigned calls, most; /* it is stopped after so many */
    unsigned signatures;  /* that were made on the thread of the test */
    pthread_t thread;
};

/* Made 900 days ago. */
void chain_begin(struct chain_under_test *c);
void chain_end(struct chain_under_test *c);

se_status chain_append(const struct chain_under_test *c, size_t count, se_error *err);
void chain_append_days_ago(const struct chain_under_test *c, int days,
                           size_t count); /* which has to succeed */

/* SQL behind its back. */
void chain_run(const struct chain_under_test *c, const char *sql);

se_status chain_verify(const struct chain_under_test *c, unsigned months, se_history_report *out);

/* It is good, and has so many. */
void chain_expect(const struct chain_under_test *c, uint64_t entries);

#endif
