/* What the commands that encrypt and decrypt share. */
#ifndef CLI_FIELD_H
#define CLI_FIELD_H

#include "cli/descriptor.h"

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
int context_gather(se_buf *out, const struct cli *cli, const struct option_list *list);

/* A value that is text without the line end that an editor, or `echo`, puts behind it. */
se_bytes value_trim(se_bytes value);

#endif
