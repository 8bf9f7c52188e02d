/* What the `history` commands share. */
#ifndef CLI_HISTORY_H
#define CLI_HISTORY_H

#include "cli/cli.h"
#include "cli/stream.h"
#include "signengine-history.h"

struct history_place {
    const char *store, *chain, *descriptor;
};

#define HISTORY_STORE_ROW(type, member)                                                                                                    \
    {                                                                                                                                      \
        's', "store", OPTION_TEXT, offsetof(type, member), "URI", "sqlite:PATH or postgresql://...", NULL                                  \
    }

/* `type` has a member `place`. */
#define HISTORY_ROWS(type)                                                                                                                 \
    HISTORY_STORE_ROW(type, place.store),                                                                                                  \
        { 0, "chain", OPTION_TEXT, offsetof(type, place.chain), "NAME", "which chain of the store", "default" },                           \
    {                                                                                                                                      \
        'd', "descriptor", OPTION_TEXT, offsetof(type, place.descriptor), "NAME", "whose key seals", "ObjectHistorySigner"                 \
    }

/* Which entries; the range borrows from it. */
struct history_selection {
    const char *object;
    int64_t since, until;
    unsigned first, last;
    bool unverified;
};
se_history_range history_range(const struct history_selection *selection);

/* `type` has a member `selection`. */
#define HISTORY_SELECTION_ROWS(type)                                                                                                       \
    { 0, "object", OPTION_TEXT, offsetof(type, selection.object), "ID", "only what is about it", "" },                                     \
        { 0, "since", OPTION_TIME, offsetof(type, selection.since), "TIME", "only what is not older", NULL },                              \
        { 0, "until", OPTION_TIME, offsetof(type, selection.until), "TIME", "only what is older", NULL },                                  \
        { 0, "first", OPTION_NUMBER, offsetof(type, selection.first), "SEQ", "the first entry", NULL },                                    \
        { 0, "last", OPTION_NUMBER, offsetof(type, selection.last), "SEQ", "the last entry", NULL },                                       \
    {                                                                                                                                      \
        0, "unverified", OPTION_FLAG, offsetof(type, selection.unverified), NULL, "of a chain that may not be good", NULL                  \
    }

/* An open chain; history_leave() accepts what is not open. */
struct history_session {
    se_engine *engine;
    se_history *history;
    struct progress progress;
};
void history_leave(struct history_session *session);
AUTO_KIND(history_session, struct history_session, history_leave(p))

enum history_use {
    HISTORY_CHANGE,
    HISTORY_INSPECT, /* for verifying and reading */
    HISTORY_DRY_RUN, /* what would change it does all but that */
};

/* An exit status.  `what`: for the progress, NULL for none. */
int history_enter(struct history_session *out, struct cli *cli, const struct history_place *place, enum history_use use, const char *what);

/* The number of an entry, the only operand; an exit status. */
int history_number(uint64_t *out, const struct cli *cli, int argc, char **argv);

/* The engine and what se_history_create() takes; an exit status. */
int history_prepare(struct history_session *out, se_history_options *options, struct cli *cli, const struct history_place *place);

#endif
