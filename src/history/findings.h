/* What verification finds. */
#ifndef HISTORY_FINDINGS_H
#define HISTORY_FINDINGS_H

#include "base/buf.h"
#include "signengine-history.h"

enum { FINDINGS_MOST = 1000 }; /* that are told one by one */

struct findings {
    se_finding_fn fn; /* may be NULL */
    void *arg;
    uint64_t count;
    se_error first;
    bool early;         /* one was told before its turn came, and is not told again then */
    se_finding earlier; /* where that was */
    int64_t since;      /* when the first was found */
    int64_t searched;   /* microseconds that went into what else may be said of them */
};

/* Microseconds of a clock that nobody sets. */
int64_t findings_clock(void);

/* There are so many that no more of them are told, and a second has gone: whoever made them has no
 * more of our time. */
bool findings_suffice(const struct findings *findings);

/* One of which the text is there. */
void finding_tell(struct findings *findings, const se_finding *what);

/* `what`: kind and place; the text is put behind "entry 5: ", "entries 5 to 9: " or "seal 3: ",
 * whichever it names. */
void finding_add(struct findings *findings, se_finding what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* SE_ERR_REJECTED with the first, if there is one. */
SE_MUST_CHECK se_status findings_status(const struct findings *findings, se_error *err);

#endif
