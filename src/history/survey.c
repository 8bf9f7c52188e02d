/* What the seals say, before they are walked along. */
#include <stdlib.h>

#include "history/walk.h"

void survey_free(struct survey *survey)
{
    free(survey->events.erased);
}

static se_status note_erasure(struct events *e, uint64_t seq, uint64_t seal, se_error *err)
{
    size_t room = e->erased_room ? e->erased_room * 2 : 64;
    struct erased *grown;

    if (e->erased_count == e->erased_room) {
        if (!(grown = calloc(room, sizeof *grown)))
            return error_memory(err);
        if (e->erased_count)
            memcpy(grown, e->erased, e->erased_count * sizeof *grown);
        free(e->erased);
        e->erased = grown;
        e->erased_room = room;
    }
    e->erased[e->erased_count++] = (struct erased){ seq, seal };
    return SE_OK;
}

static se_status take_seal(void *arg, const struct sealed *sealed, se_error *err)
{
    static const char word[] = "\nevent ";
    struct survey *s = arg;
    struct note note;

    s->first = s->last ? s->first : sealed->number;
    s->last = sealed->number;
    if (!sealed->note.size ||
        !memmem(sealed->note.data, sealed->note.size, word, sizeof word - 1) ||
        note_parse(&note, sealed->note, NULL))
        return SE_OK;
    if (note.seal.event == EVENT_ERASES)
        return note_erasure(&s->events, note.seal.subject, sealed->number, err);
    if (note.seal.event == EVENT_PRUNES)
        s->events.pruned = note.seal.subject;
    if (note.seal.event == EVENT_RESIGNS)
        s->events.resigned = sealed->number;
    return SE_OK;
}

static int ascending(const void *a, const void *b)
{
    const struct erased *x = a, *y = b;

    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

se_status survey_make(struct survey *out, struct database *store, const struct chain *chain,
                      se_error *err)
{
    se_status st = store->type->seals(store, chain, 0, UINT64_MAX, take_seal, out, err);

    if (out->events.erased_count)
        qsort(out->events.erased, out->events.erased_count, sizeof *out->events.erased, ascending);
    return st;
}

void survey_forget(struct survey *survey, uint64_t first)
{
    struct events *e = &survey->events;
    size_t kept = 0;

    for (size_t i = 0; i < e->erased_count; i++)
        if (e->erased[i].seal >= first)
            e->erased[kept++] = e->erased[i];
    e->erased_count = kept;
}
