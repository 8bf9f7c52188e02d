/* Lines as fields: each line in, its result out, in their order; what can't be done goes to the
 * rejects. */
#ifndef CLI_LINEJOB_H
#define CLI_LINEJOB_H

#include "cli/field.h"
#include "cli/lines.h"

typedef se_status (*many_fn)(se_field *, size_t, se_engine *, const char *, const se_field_params *,
                             se_error *);

struct line_count {
    uint64_t lines, kept, rejected;
};

struct line_job {
    many_fn many;
    bool values; /* lines are encrypted values, of which blanks and line ends at their end are no
                    part */
    se_engine *engine;
    const char *descriptor;
    se_field_params params;
    const struct context *context;
    const se_sink *out;     /* NULL: nowhere */
    const se_sink *rejects; /* NULL: a bad line stops the job */
    struct line_count count;
};

/* The exit status: rejects that would take the place of the input, or of the output, are refused.
 * `rejects` may be NULL. */
int rejects_check(const struct cli *cli, const char *rejects, const char *output,
                  const char *input);

/* The lines that lines->list has now. */
SE_MUST_CHECK se_status line_job_do(struct line_job *job, const struct lines *lines, se_error *err);

#endif
