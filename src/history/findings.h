/* SPDX-License-Identifier: Apache-2.0 */
/* What verification finds. */
#ifndef HISTORY_FINDINGS_H
#define HISTORY_FINDINGS_H

#include "history/store.h"
#include "signengine-history.h"

enum { FINDINGS_MOST = 1000 }; /* that are reported one by one */

struct findings {
    se_finding_fn fn; /* may be NULL */
    void *arg;
    uint64_t count;
    uint64_t unknown; /* of them, those about a version that is not configured */
    se_error first;
    bool early;         /* one was reported before its turn came, and is skipped then */
    se_finding earlier; /* where that was */
    int64_t since;      /* when the first was found */
    int64_t searched;   /* microseconds that went into what else may be said of them */
};

/* So many were found that no more are reported, and a second has gone: whoever made them gets no
 * more of our time. */
bool findings_suffice(const struct findings *findings);

/* One whose text is there. */
void finding_report(struct findings *findings, const se_finding *what);

/* `what`: kind and place; the text follows "entry 5: ", "entries 5 to 9: " or "seal 3: ", whichever
 * it names. */
void finding_add(struct findings *findings, se_finding what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* An entry that is not what was stored.  `store` (may be NULL) is searched for where it comes from.
 */
void finding_add_changed(struct findings *findings, const struct row *row,
                         struct chain_store *store, const struct chain *chain);

/* SE_ERR_REJECTED with the first, if there is one; SE_ERR_NO_DESCRIPTOR: all are about versions
 * that are not configured. */
SE_MUST_CHECK se_status findings_status(const struct findings *findings, se_error *err);

#endif
