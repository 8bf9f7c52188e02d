/* What the `history` commands share. */
#ifndef CLI_HISTORY_H
#define CLI_HISTORY_H

#include "cli/cli.h"
#include "cli/stream.h"
#include "signengine-history.h"

struct history_place {
    const char *store, *chain, *descriptor;
};

#define HISTORY_STORE_ROW(type, member)                                                            \
    {                                                                                              \
        .letter = 's', .name = "store", .kind = OPTION_TEXT, .offset = offsetof(type, member),     \
        .argument = "URI", .help = "sqlite:PATH or postgresql://..."                               \
    }

/* `type` has a member `place`. */
#define HISTORY_ROWS(type)                                                                         \
    HISTORY_STORE_ROW(type, place.store),                                                          \
        { .name = "chain",                                                                         \
          .kind = OPTION_TEXT,                                                                     \
          .offset = offsetof(type, place.chain),                                                   \
          .argument = "NAME",                                                                      \
          .help = "which chain of the store",                                                      \
          .fallback = "default" },                                                                 \
    {                                                                                              \
        .letter = 'd', .name = "descriptor", .kind = OPTION_TEXT,                                  \
        .offset = offsetof(type, place.descriptor), .argument = "NAME", .help = "whose key seals", \
        .fallback = "ObjectHistorySigner"                                                          \
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
#define HISTORY_SELECTION_ROWS(type)                                                               \
    { .name = "object",                                                                            \
      .kind = OPTION_TEXT,                                                                         \
      .offset = offsetof(type, selection.object),                                                  \
      .argument = "ID",                                                                            \
      .help = "only what is about it",                                                             \
      .fallback = "" },                                                                            \
        { .name = "since",                                                                         \
          .kind = OPTION_TIME,                                                                     \
          .offset = offsetof(type, selection.since),                                               \
          .argument = "TIME",                                                                      \
          .help = "only what is not older" },                                                      \
        { .name = "until",                                                                         \
          .kind = OPTION_TIME,                                                                     \
          .offset = offsetof(type, selection.until),                                               \
          .argument = "TIME",                                                                      \
          .help = "only what is older" },                                                          \
        { .name = "first",                                                                         \
          .kind = OPTION_NUMBER,                                                                   \
          .offset = offsetof(type, selection.first),                                               \
          .argument = "SEQ",                                                                       \
          .help = "the first entry" },                                                             \
        { .name = "last",                                                                          \
          .kind = OPTION_NUMBER,                                                                   \
          .offset = offsetof(type, selection.last),                                                \
          .argument = "SEQ",                                                                       \
          .help = "the last entry" },                                                              \
    {                                                                                              \
        .name = "unverified", .kind = OPTION_FLAG, .offset = offsetof(type, selection.unverified), \
        .help = "of a chain that may not be good"                                                  \
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
int history_enter(struct history_session *out, struct cli *cli, const struct history_place *place,
                  enum history_use use, const char *what);

/* The number of an entry, the only operand; an exit status. */
int history_number(uint64_t *out, const struct cli *cli, int argc, char **argv);

/* The engine and what se_history_create() takes; an exit status. */
int history_prepare(struct history_session *out, se_history_options *options, struct cli *cli,
                    const struct history_place *place);

#endif
