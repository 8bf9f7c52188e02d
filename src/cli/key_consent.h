/* Asks before a key goes for good. */
#ifndef CLI_KEY_CONSENT_H
#define CLI_KEY_CONSENT_H

#include <stdio.h>

#include "cli/consent.h"
#include "cli/place.h"

#define CONSENT_KEY_ROWS(type)                                                                     \
    CONSENT_ROWS(type, "do not ask, also about a key that a descriptor uses")

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

/* Fill in all up to `always`; it lasts as long as what it is made of.  Release with consent_free().
 */
struct provision_consent consent_open(struct consent *consent,
                                      const struct consent_options *options);
void consent_free(struct consent *consent);
AUTO_KIND(consent, struct consent, consent_free(p))

#endif
