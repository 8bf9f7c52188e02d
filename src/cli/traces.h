/* SPDX-License-Identifier: Apache-2.0 */
/* What a version of a descriptor has made, looked for in files, folders, stores of histories and
 * messages. */
#ifndef CLI_TRACES_H
#define CLI_TRACES_H

#include "cli/cli.h"

struct trace_count {
    uint64_t seen, found; /* found: made by the version, and by no other */
    uint64_t unknown;     /* it may be, and does not tell */
};

/* Rows about what is found go to standard output. */
struct trace_search {
    struct cli *cli;
    se_engine *engine;
    const char *descriptor;
    unsigned version;
    struct trace_count count;
};

/* Each file of a folder, and of the folders in it. */
SE_MUST_CHECK se_status traces_in_path(struct trace_search *search, const char *path,
                                       se_error *err);

/* Each line is an encrypted value, before which a key and a TAB may stand. */
SE_MUST_CHECK se_status traces_in_lines(struct trace_search *search, const char *path,
                                        se_error *err);

/* Messages: a file, or each file of a folder. */
SE_MUST_CHECK se_status traces_in_mail(struct trace_search *search, const char *path,
                                       se_error *err);

/* Seals of a chain; NULL: of all chains of the store. */
SE_MUST_CHECK se_status traces_in_store(struct trace_search *search, const char *store,
                                        const char *chain, se_error *err);

#endif
