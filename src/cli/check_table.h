/* SPDX-License-Identifier: Apache-2.0 */
/* What `check` prints: a table that fits a terminal of 80 columns, and a line for each cause that
 * some of its rows have in common. */
#ifndef CLI_CHECK_TABLE_H
#define CLI_CHECK_TABLE_H

#include "cli/cli.h"

enum check_verdict { CHECK_OK, CHECK_WARNING, CHECK_FAILED, CHECK_VERDICTS };

struct check_table {
    struct check_line *lines;
    size_t count, room;
    struct check_cause *causes;
    size_t cause_count, cause_room;
    size_t counts[CHECK_VERDICTS]; /* of rows */
    bool failed;                   /* out of memory */
};

enum check_verdict row_verdict(const se_check_row *row);
/* "NAME:VERSION", or what it is about instead of a descriptor */
enum { ROW_NAME_ROOM = 320 };
void row_name(char out[ROW_NAME_ROOM], const se_check_row *row);
/* "ok", "warning" or "failed" */
const char *verdict_name(enum check_verdict verdict);

void check_table_add(struct check_table *t, const se_check_row *row);
void check_table_free(struct check_table *t);
AUTO_KIND(check_table, struct check_table, check_table_free(p))

void check_table_print(const struct check_table *t);
/* On stderr, and only what is at least that bad. */
void check_table_print_causes(const struct check_table *t, const struct cli *cli,
                              enum check_verdict least);

#endif
