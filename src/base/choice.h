/* SPDX-License-Identifier: Apache-2.0 */
/* What there is to choose from, for messages: the names that are nearest to the one that was asked
 * for, and how many others there are. */
#ifndef BASE_CHOICE_H
#define BASE_CHOICE_H

#include "base/buf.h"

enum { CHOICE_SHOWN = 5, CHOICE_ROOM = 160 };

struct choice {
    const char *wanted; /* "": the first ones are shown */
    struct choice_item {
        char text[CHOICE_ROOM];
        size_t distance;
    } nearest[CHOICE_SHOWN + 1];
    size_t count; /* of all */
};

/* Messages show `text` for `name`. */
void choice_add(struct choice *choice, const char *name, const char *text);

/* "'a', 'b' and 12 others"; the one that fits as well takes no more room than to say that it is
 * left out. */
void choice_write(struct writer *w, const struct choice *choice);

#endif
