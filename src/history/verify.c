#include <stdlib.h>

#include "history/walk.h"

static void events_free(struct events *events)
{
    free(events->erased);
}
AUTO_KIND(events, struct events, events_free(p))

/* ---- what the seals say, before they are walked along ---- */

struct survey {
    struct events *events;
    uint64_t last;
};

static se_status note_erasure(struct events *e, uint64_t seq, se_error *err)
{
    size_t room = e->erased_room ? e->erased_room * 2 : 64;
    uint64_t *grown;

    if (e->erased_count == e->erased_room) {
        if (!(grown = calloc(room, sizeof *grown)))
            return error_memory(err);
        if (e->erased_count)
            memcpy(grown, e->erased, e->erased_count * sizeof *grown);
        free(e->erased);
        e->erased = grown;
        e->erased_room = room;
    }
    e->erased[e->erased_count++] = seq;
    return SE_OK;
}

static se_status survey_seal(void *arg, const struct sealed *sealed, se_error *err)
{
    static const char word[] = "\nevent ";
    struct survey *s = arg;
    struct note note;

    s->last = sealed->number;
    if (!memmem(sealed->note.data, sealed->note.size, word, sizeof word - 1) || note_parse(&note, sealed->note, NULL))
        return SE_OK;
    if (note.seal.event == EVENT_ERASES)
        return note_erasure(s->events, note.seal.subject, err);
    if (note.seal.event == EVENT_PRUNES)
        s->events->pruned = note.seal.subject;
    if (note.seal.event == EVENT_RESIGNS)
        s->events->resigned = sealed->number;
    return SE_OK;
}

static int ascending(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* ---- the chain as a whole ---- */

static void check_end(const struct walk *w, const struct chain *chain, struct findings *findings)
{
    if (w->tail_first)
        finding_add(findings, (se_finding){ .kind = SE_FINDING_UNSEALED, .first = w->tail_first, .last = w->tail_last },
                    "no seal covers it: it was added behind the engine's back");
    if (chain->damaged)
        finding_add(findings, (se_finding){ .kind = SE_FINDING_CHANGED }, "what the store says about the chain was changed");
    else if (chain->seals != w->last_known.number || !hash_same(&chain->last, &w->last_hash))
        finding_add(findings, (se_finding){ .kind = chain->seals > w->last_seal ? SE_FINDING_TRUNCATED : SE_FINDING_CHANGED },
                    "the store says that the last seal is number %ju, and it is number %ju or another one", (uintmax_t)chain->seals,
                    (uintmax_t)w->last_seal);
    else if (!w->lost && (chain->edge.size != w->now.size || memcmp(chain->edge.parts, w->now.parts, edge_bytes(&w->now).size) != 0))
        finding_add(findings, (se_finding){ .kind = SE_FINDING_CHANGED },
                    "the right edge of the tree, as the store has it, is not that of the entries");
}

static void report(se_history_report *out, const struct walk *w, const struct chain *chain, uint64_t first)
{
    out->first = w->entries ? first : 0;
    out->entries = w->entries;
    out->erased = w->erased;
    out->seals = w->seals_seen;
    out->pruned = chain->base.size > 0;
    out->closed = w->last_known.event == EVENT_CLOSES;
}

/* The base is what was dropped; a seal has to say so. */
static void begin(struct walk *w, const struct chain *chain, const struct survey *survey)
{
    w->now = w->stored = w->block = chain->base;
    w->next = chain->base.size + 1;
    w->covered = chain->base.size;
    w->last = UINT64_MAX;
    w->next_seal = chain->base_seal;
    w->last_seal = survey->last;
    w->total = chain->edge.size - chain->base.size;
    if (chain->base.size != survey->events->pruned)
        finding_add(w->findings, (se_finding){ .kind = SE_FINDING_REMOVED, .first = 1, .last = chain->base.size },
                    "dropped, and no seal says so");
}

static se_status walk_all(se_history_report *out, struct se_history *h, struct database *store, const struct chain *chain,
                          struct findings *findings, se_error *err)
{
    AUTO(events) events = { .erased = NULL };
    AUTO(nodes) nodes = { .list = NULL };
    struct survey survey = { &events, 0 };
    struct walk *w;
    se_status st;

    if ((st = store->type->seals(store, chain, 0, UINT64_MAX, survey_seal, &survey, err)) ||
        (st = nodes_load(&nodes, store, chain, NODE_STEP, findings, err)))
        return st;
    if (!survey.last) {
        finding_add(findings, (se_finding){ .kind = SE_FINDING_UNSEALED }, "chain '%s' is not sealed at all", chain->name);
        return SE_OK;
    }
    if (events.erased_count)
        qsort(events.erased, events.erased_count, sizeof *events.erased, ascending);
    if (!(w = calloc(1, sizeof *w)))
        return error_memory(err);
    *w = (struct walk){ .h = h, .store = store, .chain = chain, .events = &events, .findings = findings, .nodes = &nodes };
    begin(w, chain, &survey);
    if (!(st = walk_run(w, err)) && !(st = nodes_check_above(&nodes, store, chain, findings, err))) {
        check_end(w, chain, findings);
        report(out, w, chain, chain->base.size + 1);
    }
    free(w);
    return st;
}

static se_status read_options(se_history_verify_options *out, const se_history_verify_options *options, se_error *err)
{
    const se_history_verify_options defaults = SE_HISTORY_VERIFY_OPTIONS_INIT;

    *out = options ? *options : defaults;
    if (out->size != sizeof *out)
        return error_set(err, SE_ERR_USAGE, "se_history_verify_options of %zu bytes, SE_HISTORY_VERIFY_OPTIONS_INIT makes %zu", out->size,
                         sizeof *out);
    return SE_OK;
}

se_status se_history_verify(se_history_report *out, se_history *h, const se_history_verify_options *options, se_error *error)
{
    AUTO(database) store = NULL;
    struct findings findings = { .fn = NULL };
    se_history_verify_options read;
    se_history_report told = { .first = 0 };
    se_error why = SE_ERROR_INIT;
    struct chain chain;
    se_status st;

    if (out)
        *out = told;
    if ((st = read_options(&read, options, error)))
        return st;
    findings = (struct findings){ .fn = read.finding, .arg = read.finding_arg };
    if (!(st = history_reader(&store, &chain, h, &why)))
        st = walk_all(&told, h, store, &chain, &findings, &why);
    if (st == SE_ERR_REJECTED || st == SE_ERR_FORMAT) {
        finding_add(&findings, (se_finding){ .kind = SE_FINDING_UNSEALED }, "%s", why.text);
        st = SE_OK;
    }
    if (st)
        return error_set_at(error, why.status, why.file, why.line, "%s", why.text);
    told.findings = findings.count;
    if (out)
        *out = told;
    return findings_status(&findings, error);
}
