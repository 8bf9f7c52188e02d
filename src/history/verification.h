/* A verification of a whole chain, and what it knows then of the state that it has seen. */
#ifndef HISTORY_VERIFICATION_H
#define HISTORY_VERIFICATION_H

#include "history/walk.h"
#include "signengine-history.h"

struct verification {
    struct se_history *h;
    const se_history_verify_options *options;
    struct database *store; /* in a transaction; NULL: one of its own is opened */
    struct database *own;   /* that one */
    struct chain chain;     /* goes with `store` */
    struct survey survey;
    struct nodes nodes;
    struct findings findings;
    bool vouched;      /* signatures of versions that are not configured are taken on trust */
    struct known last; /* the last seal */
};
void verification_free(struct verification *v);
AUTO_KIND(verification, struct verification, verification_free(p))

/* `v` has what is to be verified.  SE_ERR_REJECTED and SE_ERR_FORMAT, besides findings: there is
 * nothing that can be verified. */
SE_MUST_CHECK se_status verification_run(se_history_report *out, struct verification *v,
                                         se_error *err);

/* That, with the default options; a finding is SE_ERR_REJECTED here. */
SE_MUST_CHECK se_status verification_require(se_history_report *out, struct verification *v,
                                             se_error *err);

/*
 * Entries of the state that was verified: what is given to `fn` is compared with the hashes that
 * were, however the store may have been changed behind its transaction.
 */
SE_MUST_CHECK se_status verification_rows(const struct verification *v, uint64_t first,
                                          uint64_t last, row_fn fn, void *arg, se_error *err);

#endif
