/* What callers append together becomes: entries, and nodes of the tree. */
#ifndef HISTORY_GROUP_H
#define HISTORY_GROUP_H

#include "history/history.h"

struct group {
    struct row *rows;
    unsigned char *salts;
    size_t count, filled; /* rows */
    struct node *nodes;
    size_t node_count;
    struct waiter *waiter; /* whose records are next */
    size_t taken;          /* of them */
    int64_t time;          /* of the last entry */
};
void group_free(struct group *g);
AUTO_KIND(group, struct group, group_free(p))

/* Room for what is waited for; `time`: of the last entry before. */
SE_MUST_CHECK se_status group_make(struct group *out, struct waiter *waiters, int64_t time,
                                   se_error *err);

/* The next rows, up to `most`, which become the chain's next entries. */
SE_MUST_CHECK se_status group_fill(struct group *g, struct chain *chain, size_t most,
                                   se_error *err);

#endif
