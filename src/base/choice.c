/* SPDX-License-Identifier: Apache-2.0 */
#include "base/choice.h"

#include "base/text.h"

void choice_add(struct choice *c, const char *name, const char *text)
{
    const size_t distance = *c->wanted ? text_distance(c->wanted, name) : 0;
    size_t held = c->count <= CHOICE_SHOWN ? c->count : CHOICE_SHOWN + 1, at = held;

    c->count++;
    while (at && c->nearest[at - 1].distance > distance)
        at--;
    if (at > CHOICE_SHOWN)
        return;
    if (held > CHOICE_SHOWN)
        held = CHOICE_SHOWN;
    memmove(&c->nearest[at + 1], &c->nearest[at], (held - at) * sizeof *c->nearest);
    c->nearest[at].distance = distance;
    text_copy(c->nearest[at].text, CHOICE_ROOM, text, strlen(text));
}

void choice_write(struct writer *w, const struct choice *c)
{
    size_t shown = c->count <= CHOICE_SHOWN + 1 ? c->count : CHOICE_SHOWN;

    for (size_t i = 0; i < shown; i++)
        writer_format(w, "%s%s", i ? ", " : "", c->nearest[i].text);
    if (shown < c->count)
        writer_format(w, " and %zu others", c->count - shown);
}
