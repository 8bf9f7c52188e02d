/* SPDX-License-Identifier: Apache-2.0 */
/* Options as const tables: the rows drive parsing, defaults and help. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "base/error.h"

enum option_kind {
    OPTION_FLAG,   /* bool */
    OPTION_TEXT,   /* const char * */
    OPTION_NUMBER, /* unsigned */
    OPTION_LIST,   /* struct option_list: may be given several times */
    OPTION_TIME,   /* int64_t: "2026-01-31T12:00:00Z", "2026-01-31", "@" and seconds since 1970 */
    OPTION_HEX,    /* struct option_bytes: at least one */
    OPTION_GROUP,  /* a struct with rows of its own */
};

enum { OPTION_LIST_MOST = 24 };
struct option_list {
    const char *items[OPTION_LIST_MOST];
    size_t count;
};

enum { OPTION_BYTES_MOST = 64 };
struct option_bytes {
    unsigned char data[OPTION_BYTES_MOST];
    size_t size;
};

/* Where an option means something. */
enum option_place {
    OPTION_EVERYWHERE,
    OPTION_LOCAL,  /* with the configuration only: signengined does not do it */
    OPTION_REMOTE, /* over a socket only */
};

struct option_row {
    char letter; /* '\0': none */
    const char *name;
    enum option_kind kind;
    size_t offset; /* into the command's struct of options */
    const char *argument, *help;
    const char *fallback; /* as if given; NULL: zero */
    enum option_place place;
    const struct option_row *rows; /* of a group, which has no name */
};

/* Rows end with one that has neither name nor rows; NULL: there are none. */
struct option_table {
    const struct option_row *rows;
    void *values;
};

/* Sets what the rows fall back to. */
void options_defaults(const struct option_table *table);

/*
 * Takes the options of either table out of argv[0..*argc) and leaves the operands, in their order.
 * `operands_end_it`: stops at the first operand, and leaves all that follows.  The second may be
 * NULL.
 */
SE_MUST_CHECK se_status options_parse(int *argc, char **argv,
                                      const struct option_table *const tables[2],
                                      bool operands_end_it, se_error *err);

/* The value of an option that is a text; NULL: there is no such option, or it is not given. */
const char *options_text(const struct option_table *table, const char *name);

/* The values of an option that is a text or a list; *count is 0 if there is none. */
const char *const *options_texts(size_t *count, const struct option_table *table, const char *name);

/* The first option of that place with another value than it falls back to; NULL: there is none. */
const struct option_row *options_find_given(const struct option_table *table,
                                            enum option_place place);

/* Where somebody stands who has typed so many arguments. */
struct options_typed {
    const struct option_row *awaited; /* its value comes next; NULL: no value does */
    bool ended;                       /* by `--`: what comes next is an operand */
};

/* As options_parse(), but what is wrong is passed over. */
void options_parse_typed(struct options_typed *out, int *argc, char **argv,
                         const struct option_table *const tables[2], bool operands_end_it);

/* Which option it is, however its value is said, and how much of the argument stands before the
 * value; NULL: none. */
const struct option_row *options_find(size_t *size, const struct option_table *const tables[2],
                                      const char *argument);

/* Calls `fn` with each option that may be given, or once more. */
typedef void (*option_fn)(void *arg, const struct option_row *row);
void options_each_open(const struct option_table *table, option_fn fn, void *arg);

void options_help(const struct option_row *rows);

#endif
