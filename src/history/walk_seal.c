#include <stdio.h>

#include "history/walk.h"

static se_finding about(se_finding_kind kind, uint64_t number)
{
    return (se_finding){ .kind = kind, .seal = number };
}

static void missing(struct walk *w, uint64_t until)
{
    if (until > w->next_seal)
        finding_add(w->findings, about(SE_FINDING_REMOVED, w->next_seal),
                    "missing, with all up to seal %ju", (uintmax_t)until);
    else
        finding_add(w->findings, about(SE_FINDING_REMOVED, w->next_seal), "missing");
    w->last_bad = true;
}

/* Of what a key has not signed, nothing else is said. */
static bool check_chain(struct walk *w, const struct sealed *sealed, const struct seal *seal)
{
    if (strcmp(seal->chain, w->chain->name) != 0 ||
        memcmp(&seal->id, &w->chain->id, sizeof seal->id) != 0)
        finding_add(w->findings, about(SE_FINDING_FOREIGN, sealed->number),
                    "it is a seal of another chain, '%s'", seal->chain);
    else if (strcmp(seal->descriptor, w->h->descriptor) != 0)
        finding_add(w->findings, about(SE_FINDING_KEY, sealed->number),
                    "it was made by the descriptor '%s', not '%s'", seal->descriptor,
                    w->h->descriptor);
    else if (seal->number != sealed->number)
        finding_add(w->findings, about(SE_FINDING_REORDERED, sealed->number),
                    "it is what was seal %ju", (uintmax_t)seal->number);
    else
        return true;
    return false;
}

/* A newer key may vouch for what an older one has signed that is not configured any more. */
static se_status check_signature(bool *good, struct walk *w, const struct note *note, se_error *err)
{
    const se_verifier *signer;
    se_error why = SE_ERROR_INIT;
    uint64_t number = note->seal.number;
    unsigned char key[4];
    se_status st = history_verifier(&signer, w->h, note->seal.version, &why);

    *good = false;
    if (st == SE_ERR_NO_DESCRIPTOR && number < w->events->resigned) {
        *good = true;
        return SE_OK;
    }
    if (st == SE_ERR_NO_DESCRIPTOR) {
        finding_add(w->findings, about(SE_FINDING_KEY, number),
                    "it was made by version %u of '%s', which is not configured",
                    note->seal.version, w->h->descriptor);
        return SE_OK;
    }
    if (st)
        return error_set_at(err, why.status, why.file, why.line, "%s", why.text);
    TRY(seal_key(key, &note->seal, signer, err));
    if (memcmp(key, note->key, sizeof key) != 0)
        finding_add(w->findings, about(SE_FINDING_KEY, number),
                    "it was made with another key than that of version %u of '%s'",
                    note->seal.version, w->h->descriptor);
    else if (note_check(note, signer, &why))
        finding_add(w->findings, about(SE_FINDING_SIGNATURE, number),
                    "its signature is not good: it was changed, or not made by the key");
    else
        *good = true;
    return SE_OK;
}

static void check_opening(struct walk *w, const struct seal *seal)
{
    static const struct hash none;

    if (seal->event != EVENT_OPENS || seal->size || !hash_same(&seal->previous, &none))
        finding_add(w->findings, about(SE_FINDING_CHANGED, seal->number),
                    "it does not open the chain, as the first seal has to");
}

static void check_order(struct walk *w, const struct seal *seal)
{
    const struct seal *last = &w->last_known;

    if (last->number && seal->version < last->version)
        finding_add(w->findings, about(SE_FINDING_VERSION, seal->number),
                    "it was made by version %u, the seal before it by version %u", seal->version,
                    last->version);
    if (!w->last_bad && !hash_same(&seal->previous, &w->last_hash))
        finding_add(w->findings, about(SE_FINDING_CHANGED, seal->number),
                    "it does not follow seal %ju, which is another one than it was",
                    (uintmax_t)seal->number - 1);
    if (last->number && !w->last_bad && (seal->size < last->size || seal->time < last->time))
        finding_add(w->findings, about(SE_FINDING_REORDERED, seal->number),
                    "it covers less than the seal before it, or is older");
    if (last->number && last->event == EVENT_CLOSES)
        finding_add(w->findings, about(SE_FINDING_INSERTED, seal->number),
                    "seal %ju had closed the chain", (uintmax_t)last->number);
    if (last->number && seal->event == EVENT_OPENS)
        finding_add(w->findings, about(SE_FINDING_INSERTED, seal->number),
                    "it opens the chain, which was open");
}

static se_status look(bool *good, struct walk *w, const struct sealed *sealed, struct note *note,
                      se_error *err)
{
    *good = false;
    if (note_parse(note, sealed->note, NULL)) {
        finding_add(w->findings, about(SE_FINDING_CHANGED, sealed->number),
                    "it can't be read any more");
        return SE_OK;
    }
    if (!check_chain(w, sealed, &note->seal))
        return SE_OK;
    if (sealed->size != note->seal.size)
        finding_add(w->findings, about(SE_FINDING_CHANGED, sealed->number),
                    "the store says that it covers %ju entries, it covers %ju",
                    (uintmax_t)sealed->size, (uintmax_t)note->seal.size);
    return check_signature(good, w, note, err);
}

se_status walk_seal(struct walk *w, const struct sealed *sealed, se_error *err)
{
    struct note note;
    struct hash hash;
    bool good;

    if (sealed->number > w->next_seal)
        missing(w, sealed->number - 1);
    TRY(look(&good, w, sealed, &note, err));
    TRY(note_hash(&hash, sealed->note, err));
    if (good) {
        if (sealed->number == 1)
            check_opening(w, &note.seal);
        else
            check_order(w, &note.seal);
        w->seals[w->seal_count++] =
            (struct checkpoint){ sealed->number, note.seal.size, note.seal.root };
        w->last_known = note.seal;
    }
    w->last_bad = !good;
    w->last_hash = hash;
    w->next_seal = sealed->number + 1;
    w->seals_seen++;
    return SE_OK;
}
