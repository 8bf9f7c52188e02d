/* Asks before something goes for good: what exactly goes, and with --dry-run only that. */
#ifndef CLI_CONSENT_H
#define CLI_CONSENT_H

#include <stdio.h>

#include "cli/place.h"

struct consent_options {
    bool yes, dry_run;
};

/* `type` has a member `consent`; `yes`: what --yes means. */
#define CONSENT_ROWS(type, yes_)                                                                                                           \
    { 0, "yes", OPTION_FLAG, offsetof(type, consent.yes), NULL, (yes_), NULL },                                                            \
    {                                                                                                                                      \
        0, "dry-run", OPTION_FLAG, offsetof(type, consent.dry_run), NULL, "only say what would go", NULL                                   \
    }

/* What is asked on a terminal; without one it is refused. */
struct consent_question {
    const char *loss;     /* lines that tell what goes */
    const char *question; /* "Delete key 'one'?" */
    const char *reason;   /* why it is asked though another option said that it is meant; NULL: there is none */
    const char *done;     /* "deleted" */
    const char *option;   /* what says that it is meant */
};
SE_MUST_CHECK se_status consent_ask(const struct consent_question *q, se_error *err);

/* About a key. */
#define CONSENT_KEY_ROWS(type) CONSENT_ROWS(type, "do not ask, also about a key that a descriptor uses")

struct consent {
    struct cli *cli;
    const struct target *target;
    const char *verb, *done; /* "Delete", "deleted" */
    const char *thing;       /* NULL: the key */
    const char *option;      /* what says that it is meant */
    bool meant;
    bool always; /* asks about a key that no descriptor uses, too */
    FILE *rows;  /* writes what goes to `text` */
    char *text;
    size_t size;
};

/* Fill in all up to `always`; it lasts as long as what it is made of.  Release with consent_free(). */
struct provision_consent consent_open(struct consent *consent, const struct consent_options *options);
void consent_free(struct consent *consent);
AUTO_KIND(consent, struct consent, consent_free(p))

#endif
