/* Asks before something goes for good: what exactly goes, and with --dry-run only that. */
#ifndef CLI_CONSENT_H
#define CLI_CONSENT_H

#include "cli/options.h"

struct consent_options {
    bool yes, dry_run;
};

/* `type` has a member `consent`; `yes`: what --yes means. */
#define CONSENT_ROWS(type, yes_)                                                                   \
    { .name = "yes", .kind = OPTION_FLAG, .offset = offsetof(type, consent.yes), .help = (yes_) }, \
    {                                                                                              \
        .name = "dry-run", .kind = OPTION_FLAG, .offset = offsetof(type, consent.dry_run),         \
        .help = "only say what would go"                                                           \
    }

/* What is asked on a terminal; without one it is refused. */
struct consent_question {
    const char *loss;     /* lines that tell what goes */
    const char *question; /* "Delete key 'one'?" */
    const char *reason; /* why it is asked though another option said that it is meant; NULL: there
                           is none */
    const char *done;   /* "deleted" */
    const char *option; /* what says that it is meant */
};
SE_MUST_CHECK se_status consent_ask(const struct consent_question *q, se_error *err);

#endif
