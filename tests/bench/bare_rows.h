/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as a history has them, written by the database's own library and nothing else: one INSERT
 * that is prepared in SQLite, one COPY in PostgreSQL. */
#ifndef TESTS_BENCH_BARE_ROWS_H
#define TESTS_BENCH_BARE_ROWS_H

#include "signengine-history.h"

struct bare_rows;

/* `store`: that of the history; SQLite gets a file of its own beside it, PostgreSQL a table. */
struct bare_rows *bare_rows_open(const char *store);

/* Seconds for `count` rows in one transaction, behind those that are there. */
double bare_rows_write(struct bare_rows *rows, const se_record *records, size_t count);
void bare_rows_close(struct bare_rows *rows);

#endif
