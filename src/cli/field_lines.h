/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands that encrypt and decrypt share: contexts, and lines as fields: each line in,
 * its result out, in their order; what can't be done goes to the rejects. */
#ifndef CLI_FIELD_LINES_H
#define CLI_FIELD_LINES_H

#include "cli/service.h"
#include "cli/stream.h"

/* A context of several parts, as --context NAME=VALUE gives them; the last one, if there is a name
 * for it, differs from line to line. */
struct context {
    se_pair pairs[OPTION_LIST_MOST + 1];
    size_t count;
    const char *column; /* NULL: none */
};

/* An exit status; `column` may be NULL. */
int context_read(struct context *out, const struct cli *cli, const struct option_list *list,
                 const char *column);

/* The bytes of it; `key`: the part that differs. */
SE_MUST_CHECK se_status context_bytes(se_buf *out, const struct context *context, se_bytes key,
                                      se_error *err);

/* An exit status: the bytes of a context that has no column; empty when there is none. */
int context_read_bytes(se_buf *out, const struct cli *cli, const struct option_list *list);

struct line_count {
    uint64_t lines, kept, rejected;
};

struct field_lines {
    service_many_fn *many;
    bool values; /* lines are encrypted values, of which blanks and line ends at their end are no
                    part */
    const struct service *service;
    const char *descriptor;
    se_field_params params;
    const struct context *context;
    const se_sink *out;     /* NULL: nowhere */
    const se_sink *rejects; /* NULL: a bad line stops the job */
    const struct recording *recording;
    struct line_count count;
    bool found; /* the descriptor, when a value's version was not */
};

/* The exit status: rejects that would take the place of the input, or of the output, are refused.
 * `rejects` may be NULL. */
int check_rejects(const struct cli *cli, const char *rejects, const char *output,
                  const char *input);

/* The lines that lines->list has now. */
SE_MUST_CHECK se_status field_lines_run(struct field_lines *job, const struct lines *lines,
                                        se_error *err);

#endif
