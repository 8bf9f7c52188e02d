/* SPDX-License-Identifier: Apache-2.0 */
/* What the `history` commands share. */
#ifndef CLI_HISTORY_SESSION_H
#define CLI_HISTORY_SESSION_H

#include "cli/service.h"
#include "cli/stream.h"
#include "signengine-history.h"

/* Which chain, and whose key seals. */
struct history_place {
    const char *store, *chain, *descriptor;
};

extern const struct option_row history_place_rows[];

/* Which entries; the range borrows from it. */
struct history_selection {
    const char *object;
    int64_t since, until;
    unsigned first, last;
    bool unverified;
};
se_history_range history_range(const struct history_selection *selection);
extern const struct option_row history_selection_rows[];

/* An open chain, or one of a signengined; history_session_close() accepts what is not open. */
struct history_session {
    struct service service;
    se_history *history; /* NULL: the service has it */
    const char *chain;
    struct progress progress;
};
void history_session_close(struct history_session *session);
AUTO_KIND(history_session, struct history_session, history_session_close(p))

enum history_use {
    HISTORY_CHANGE,
    HISTORY_INSPECT, /* for verifying and reading */
    HISTORY_DRY_RUN, /* what would change it does all but that */
};

/* An exit status.  `what`: for the progress, NULL for none. */
int history_session_open(struct history_session *out, struct cli *cli,
                         const struct history_place *place, enum history_use use, const char *what);

/* They are those of signengine-history.h, or of client/client.h. */
SE_MUST_CHECK se_status history_session_append(se_history_appended *out,
                                               const struct history_session *session,
                                               const se_record *records, size_t count,
                                               const se_history_append_params *params,
                                               se_error *err);
SE_MUST_CHECK se_status history_session_head(se_buf *out, const struct history_session *session,
                                             se_error *err);
SE_MUST_CHECK se_status history_session_read(const struct history_session *session,
                                             const se_history_range *range, se_history_entry_fn fn,
                                             void *arg, se_error *err);
SE_MUST_CHECK se_status history_session_prove(se_buf *out, const struct history_session *session,
                                              uint64_t seq, se_error *err);

/* The number of an entry, the only operand; an exit status. */
int history_entry_number(uint64_t *out, const struct cli *cli, int argc, char **argv);

/* The engine and what se_history_create() takes; an exit status. */
int history_options_prepare(struct history_session *out, se_history_options *options,
                            struct cli *cli, const struct history_place *place);

#endif
