/* SPDX-License-Identifier: Apache-2.0 */
/* What checkpoints say: their events, before the scan, and whether each is good in its place. */
#include <stdlib.h>

#include "base/array.h"
#include "history/verification.h"

/* ---- events ---- */

void event_scan_free(struct event_scan *events)
{
    free(events->erasures);
}

static se_status add_erasure(struct event_scan *events, uint64_t seq, uint64_t checkpoint,
                             se_error *err)
{
    if (!array_grow(&events->erasures, &events->erasure_room, events->erasure_count))
        return error_memory(err);
    events->erasures[events->erasure_count++] = (struct erasure){ seq, checkpoint };
    return SE_OK;
}

static se_status scan_checkpoint_event(void *arg, const struct stored_checkpoint *stored,
                                       se_error *err)
{
    static const char word[] = "\nevent ";
    struct event_scan *events = arg;
    struct signed_note note;

    events->first = events->last ? events->first : stored->number;
    events->last = stored->number;
    if (!stored->note.size ||
        !memmem(stored->note.data, stored->note.size, word, sizeof word - 1) ||
        signed_note_parse(&note, stored->note, NULL))
        return SE_OK;
    if (note.checkpoint.event == EVENT_ERASES)
        return add_erasure(events, note.checkpoint.subject, stored->number, err);
    if (note.checkpoint.event == EVENT_PRUNES)
        events->pruned = note.checkpoint.subject;
    if (note.checkpoint.event == EVENT_RESIGNS)
        events->resigned = stored->number;
    return SE_OK;
}

static int compare_erasures(const void *a, const void *b)
{
    const struct erasure *x = a, *y = b;

    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

se_status scan_events(struct event_scan *out, struct chain_store *store, const struct chain *chain,
                      se_error *err)
{
    TRY(store->type->read_checkpoints(store, &(struct range){ chain, 0, UINT64_MAX },
                                      scan_checkpoint_event, out, err));
    if (out->erasure_count)
        qsort(out->erasures, out->erasure_count, sizeof *out->erasures, compare_erasures);
    return SE_OK;
}

void event_scan_forget(struct event_scan *events, uint64_t first)
{
    size_t kept = 0;

    for (size_t i = 0; i < events->erasure_count; i++)
        if (events->erasures[i].checkpoint >= first)
            events->erasures[kept++] = events->erasures[i];
    events->erasure_count = kept;
}

bool is_erasure_signed(const struct event_scan *events, uint64_t seq)
{
    const struct erasure wanted = { .seq = seq };

    return events->erasure_count && bsearch(&wanted, events->erasures, events->erasure_count,
                                            sizeof wanted, compare_erasures);
}

/* ---- one checkpoint ---- */

static se_finding about_checkpoint(se_finding_kind kind, uint64_t number)
{
    return (se_finding){ .kind = kind, .seal = number };
}

static void report_missing_checkpoints(struct scan *scan, uint64_t until)
{
    const se_finding at = about_checkpoint(SE_FINDING_REMOVED, scan->next_checkpoint);

    if (until > scan->next_checkpoint)
        finding_add(scan->findings, at, "missing, with all up to seal %ju", (uintmax_t)until);
    else
        finding_add(scan->findings, at, "missing");
    scan->last_bad = true;
}

/* Of what a key has not signed, nothing else is said. */
static bool check_belongs(struct scan *scan, const struct stored_checkpoint *stored,
                          const struct checkpoint *checkpoint)
{
    const uint64_t number = stored->number;

    if (!is_checkpoint_of(checkpoint, scan->chain))
        finding_add(scan->findings, about_checkpoint(SE_FINDING_FOREIGN, number),
                    "it is a seal of another chain, '%s'", checkpoint->chain);
    else if (strcmp(checkpoint->descriptor, scan->h->descriptor) != 0)
        finding_add(scan->findings, about_checkpoint(SE_FINDING_KEY, number),
                    "it was made by the descriptor '%s', not '%s'", checkpoint->descriptor,
                    scan->h->descriptor);
    else if (checkpoint->number != number)
        finding_add(scan->findings, about_checkpoint(SE_FINDING_REORDERED, number),
                    "it is what was seal %ju", (uintmax_t)checkpoint->number);
    else
        return true;
    return false;
}

/* A newer key may vouch for what an older one has signed that is not configured any more. */
static se_status check_note_signer(bool *good, struct scan *scan, const struct signed_note *note,
                                   se_error *err)
{
    const struct checkpoint *checkpoint = &note->checkpoint;
    const char *descriptor = scan->h->descriptor;
    const se_verifier *signer;
    se_error why = SE_ERROR_INIT;
    unsigned char key_id[KEY_ID_SIZE];
    se_status st = checkpoint_verifier(&signer, scan->h, checkpoint->version, &why);

    *good = st == SE_ERR_NO_DESCRIPTOR && checkpoint->number < scan->events->resigned;
    if (*good)
        return SE_OK;
    if (st == SE_ERR_NO_DESCRIPTOR) {
        finding_add(scan->findings, about_checkpoint(SE_FINDING_KEY, checkpoint->number),
                    "it was made with version %u of '%s', which is not configured here",
                    checkpoint->version, descriptor);
        scan->findings->unknown++;
        return SE_OK;
    }
    if (st)
        return error_hand_on(err, &why);
    TRY(checkpoint_key_id(key_id, checkpoint, signer, err));
    if (memcmp(key_id, note->key_id, sizeof key_id) != 0)
        finding_add(scan->findings, about_checkpoint(SE_FINDING_KEY, checkpoint->number),
                    "it was made with another key than that of version %u of '%s'",
                    checkpoint->version, descriptor);
    else if (signed_note_verify(note, signer, &why))
        finding_add(scan->findings, about_checkpoint(SE_FINDING_SIGNATURE, checkpoint->number),
                    "its signature is not good: it was changed, or not made by the key");
    else
        *good = true;
    return SE_OK;
}

static void check_opening(struct scan *scan, const struct checkpoint *checkpoint)
{
    static const struct hash none;

    if (checkpoint->event != EVENT_OPENS || checkpoint->size ||
        !hash_equal(&checkpoint->previous, &none))
        finding_add(scan->findings, about_checkpoint(SE_FINDING_CHANGED, checkpoint->number),
                    "it does not open the chain, as the first seal has to");
}

static void check_succession(struct scan *scan, const struct checkpoint *checkpoint)
{
    const struct checkpoint *last = &scan->last_known;
    const uint64_t number = checkpoint->number;

    if (last->number && checkpoint->version < last->version)
        finding_add(scan->findings, about_checkpoint(SE_FINDING_VERSION, number),
                    "it was made by version %u, the seal before it by version %u",
                    checkpoint->version, last->version);
    if (!scan->last_bad && !hash_equal(&checkpoint->previous, &scan->last_hash))
        finding_add(scan->findings, about_checkpoint(SE_FINDING_CHANGED, number),
                    "it does not follow seal %ju, which is another one than it was",
                    (uintmax_t)number - 1);
    if (last->number && !scan->last_bad &&
        (checkpoint->size < last->size || checkpoint->time < last->time))
        finding_add(scan->findings, about_checkpoint(SE_FINDING_REORDERED, number),
                    "it covers less than the seal before it, or is older");
    if (last->number && last->event == EVENT_CLOSES)
        finding_add(scan->findings, about_checkpoint(SE_FINDING_INSERTED, number),
                    "seal %ju had closed the chain", (uintmax_t)last->number);
    if (last->number && checkpoint->event == EVENT_OPENS)
        finding_add(scan->findings, about_checkpoint(SE_FINDING_INSERTED, number),
                    "it opens the chain, which was open");
}

static se_status check_note(bool *good, struct scan *scan, const struct stored_checkpoint *stored,
                            struct signed_note *note, se_error *err)
{
    *good = false;
    if (signed_note_parse(note, stored->note, NULL)) {
        finding_add(scan->findings, about_checkpoint(SE_FINDING_CHANGED, stored->number),
                    "it can't be read any more");
        return SE_OK;
    }
    if (!check_belongs(scan, stored, &note->checkpoint))
        return SE_OK;
    if (stored->size != note->checkpoint.size)
        finding_add(scan->findings, about_checkpoint(SE_FINDING_CHANGED, stored->number),
                    "the store says that it covers %ju entries, it covers %ju",
                    (uintmax_t)stored->size, (uintmax_t)note->checkpoint.size);
    return check_note_signer(good, scan, note, err);
}

se_status verify_checkpoint(struct scan *scan, const struct stored_checkpoint *stored,
                            se_error *err)
{
    struct signed_note note;
    bool good;

    if (stored->number > scan->next_checkpoint)
        report_missing_checkpoints(scan, stored->number - 1);
    TRY(check_note(&good, scan, stored, &note, err));
    if (good) {
        if (stored->number == 1)
            check_opening(scan, &note.checkpoint);
        else
            check_succession(scan, &note.checkpoint);
        scan->roots[scan->root_count++] = (struct signed_root){
            .number = stored->number,
            .size = note.checkpoint.size,
            .root = note.checkpoint.root,
        };
        scan->last_known = note.checkpoint;
    }
    TRY(signed_note_hash(&scan->last_hash, stored->note, err));
    scan->last_bad = !good;
    scan->next_checkpoint = stored->number + 1;
    scan->checkpoints++;
    return SE_OK;
}
