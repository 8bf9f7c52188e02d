/* What `check` shows: a table that fits a terminal of 80 columns, and a line for each cause that
 * some of its rows have in common. */
#ifndef CLI_CHECK_TABLE_H
#define CLI_CHECK_TABLE_H

#include "cli/cli.h"

enum { CHECK_CELLS = 4 };
enum check_verdict { CHECK_OK, CHECK_WARNING, CHECK_FAILED };

struct check_line {
    enum check_verdict verdict;
    char *cells[CHECK_CELLS];
    char *detail;
};

/* Why rows are not ok. */
struct check_cause {
    enum check_verdict verdict;
    char *text;
    size_t *rows;
    size_t count;
};

struct check_table {
    struct check_line *lines;
    size_t count;
    struct check_cause *causes;
    size_t cause_count;
    size_t counts[CHECK_FAILED + 1]; /* of rows, by their verdict */
    bool failed;                     /* out of memory */
};

enum check_verdict check_verdict(const se_check_row *row);
void check_table_add(struct check_table *table, const se_check_row *row);

/* On standard output, which is a table when all rows are known: then the columns fit. */
void check_table_print(const struct check_table *table);

/* On stderr, and only what is at least that bad. */
void check_table_tell(const struct check_table *table, const struct cli *cli,
                      enum check_verdict least);

void check_table_free(struct check_table *table);
AUTO_KIND(check_table, struct check_table, check_table_free(p))

#endif
