#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/arguments.h"
#include "history/verification.h"

enum { MONTHS_LEAST = 12, MONTHS_MOST = 12000, MILLION = 1000000 };

void verification_free(struct verification *v)
{
    database_close(&v->own);
    survey_free(&v->survey);
    nodes_free(&v->nodes);
}

/* ---- where it begins ---- */

static int64_t months_ago(unsigned months)
{
    time_t now = time(NULL);
    struct tm tm;

    if (!gmtime_r(&now, &tm))
        return 0;
    if (months > MONTHS_MOST) /* as a negative number it would be in the future */
        months = MONTHS_MOST;
    tm.tm_mon -= (int)(months > MONTHS_LEAST ? months : MONTHS_LEAST);
    return (int64_t)timegm(&tm) * MILLION;
}

/* The base is what was dropped.  Within the chain, the seal to begin with proves that the tree up
 * to there is the right one. */
static void choose_start(struct start *out, const struct verification *v)
{
    unsigned months = v->options->months;
    struct seal seal;
    uint64_t from;

    *out = (struct start){ v->chain.base, v->chain.base_seal };
    if (!months || !seal_before(&seal, v->store, &v->chain, v->survey.last, months_ago(months)) ||
        seal.size > v->chain.edge.size)
        return;
    from = seal.size / BLOCK * BLOCK;
    if (from <= v->chain.base.size)
        return;
    if (nodes_edge(&out->edge, &v->nodes, from))
        out->seal = seal.number;
    else
        out->edge = v->chain.base;
}

/* ---- the chain as a whole ---- */

static void add(struct verification *v, se_finding_kind kind, const char *text)
{
    finding_add(&v->findings, (se_finding){ .kind = kind }, "%s", text);
}

/* What no seal covers is not read, however much it is. */
static se_status check_tail(struct verification *v, const struct walk *w, se_error *err)
{
    struct extent tail;
    se_status st =
        v->store->type->extent(&tail, v->store, &v->chain, w->covered + 1, UINT64_MAX, err);

    if (!st && w->tail && tail.there)
        finding_add(
            &v->findings,
            (se_finding){ .kind = SE_FINDING_UNSEALED, .first = tail.first, .last = tail.last },
            "no seal covers %s", tail.last > tail.first ? "them" : "it");
    return st;
}

static void check_end(struct verification *v, const struct walk *w)
{
    const struct chain *chain = &v->chain;

    if (chain->damaged)
        add(v, SE_FINDING_CHANGED, "what the store says about the chain was changed");
    else if (chain->seals != w->last_seal || !hash_same(&chain->last, &w->last_hash))
        finding_add(&v->findings,
                    (se_finding){ .kind = chain->seals > w->last_seal ? SE_FINDING_TRUNCATED
                                                                      : SE_FINDING_CHANGED },
                    "the store says that the last seal is number %ju, and the last that is there "
                    "is number %ju, or another one",
                    (uintmax_t)chain->seals, (uintmax_t)w->last_seal);
    else if (!w->lost && !edge_same(&chain->edge, &w->now))
        add(v, SE_FINDING_CHANGED,
            "the right edge of the tree, as the store has it, is not that of the entries");
}

/* A seal has to say what was dropped, and the nodes that are kept have to be those of it. */
static void check_dropped(struct verification *v)
{
    const struct chain *chain = &v->chain;
    struct edge full;

    if (v->survey.first < chain->base_seal)
        finding_add(&v->findings, (se_finding){ .kind = SE_FINDING_CHANGED },
                    "the store says that the chain begins at seal %ju, and there is a seal %ju",
                    (uintmax_t)chain->base_seal, (uintmax_t)v->survey.first);
    if (chain->base.size != v->survey.events.pruned)
        finding_add(
            &v->findings,
            (se_finding){ .kind = SE_FINDING_REMOVED, .first = 1, .last = chain->base.size },
            "dropped, and no seal says so");
    if (!nodes_edge(&full, &v->nodes, chain->base.size / BLOCK * BLOCK)) {
        add(v, SE_FINDING_CHANGED, "stored hashes of entries that were dropped are missing");
        return;
    }
    for (unsigned i = 0; i < full.count; i++)
        if (i >= chain->base.count || !hash_same(&full.parts[i], &chain->base.parts[i]))
            add(v, SE_FINDING_CHANGED, "a stored hash of entries that were dropped was changed");
}

/* What is below the first entry nobody would look at. */
static se_status check_base(struct verification *v, se_error *err)
{
    struct extent below;

    TRY(v->store->type->extent(&below, v->store, &v->chain, 0, v->chain.base.size, err));
    if (below.there && below.first && below.last <= v->chain.base.size)
        finding_add(
            &v->findings,
            (se_finding){ .kind = SE_FINDING_INSERTED, .first = below.first, .last = below.last },
            "there, though what is up to entry %ju was dropped", (uintmax_t)v->chain.base.size);
    else if (below.there)
        finding_add(&v->findings, (se_finding){ .kind = SE_FINDING_INSERTED },
                    "there is an entry with the number %jd", (intmax_t)below.first);
    check_dropped(v);
    return SE_OK;
}

static se_status check_head(struct verification *v, se_error *err)
{
    AUTO(se_buf) bytes = SE_BUF_INIT;
    se_bytes head = v->options->head;
    struct note note;

    if (!head.size)
        return SE_OK;
    if (note_parse(&note, head, NULL))
        return error_set(err, SE_ERR_USAGE,
                         "the head that was kept elsewhere is not the seal of a history");
    if (note.seal.number < v->chain.base_seal)
        return error_set(
            err, SE_ERR_USAGE,
            "the head that was kept elsewhere is seal %ju, and the seals before %ju were dropped",
            (uintmax_t)note.seal.number, (uintmax_t)v->chain.base_seal);
    if (strcmp(note.seal.chain, v->chain.name) != 0 ||
        memcmp(&note.seal.id, &v->chain.id, sizeof note.seal.id) != 0)
        add(v, SE_FINDING_ROLLED_BACK,
            "the head that was kept elsewhere is that of another chain: another one was put in its "
            "place");
    else if (note.seal.number > v->survey.last)
        finding_add(&v->findings, (se_finding){ .kind = SE_FINDING_ROLLED_BACK },
                    "the chain ends at seal %ju, and the head that was kept elsewhere is seal %ju: "
                    "an older state was put back",
                    (uintmax_t)v->survey.last, (uintmax_t)note.seal.number);
    else if (history_note(&bytes, v->store, &v->chain, note.seal.number, NULL) ||
             bytes.size != head.size || memcmp(bytes.data, head.data, head.size) != 0)
        finding_add(&v->findings, (se_finding){ .kind = SE_FINDING_ROLLED_BACK },
                    "seal %ju is not the head that was kept elsewhere: an older state was put "
                    "back, and went on",
                    (uintmax_t)note.seal.number);
    return SE_OK;
}

/* ---- */

static unsigned threads_of(const se_history_verify_options *options)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    return options->threads ? options->threads : processors > 1 ? (unsigned)processors : 1;
}

/* With what can be found out about it, if it is still so here. */
static se_status diagnose_row(void *arg, const struct row *row, se_error *err)
{
    struct walk *w = arg;
    struct hash leaf;

    (void)err;
    if (row_leaf(&leaf, row, &w->chain->id, NULL) || !hash_same(&leaf, &row->leaf))
        walk_diagnose(w, row);
    return SE_OK;
}

/* The walk that tells all comes to it later, when whoever has changed the chain may have made that
 * take long. */
static se_status tell_early(struct verification *v, struct walk *w, const struct early *early,
                            se_error *err)
{
    const se_finding *what = &early->what;
    uint64_t count = v->findings.count;

    if (!what->text)
        return SE_OK;
    if (what->kind == SE_FINDING_CHANGED && what->first) {
        TRY(v->store->type->rows(v->store, &v->chain, what->first, what->first, diagnose_row, w,
                                 err));
    } else
        finding_tell(&v->findings, what);
    if (v->findings.count > count) {
        v->findings.early = true;
        v->findings.earlier = *what;
    }
    return SE_OK;
}

static se_status walk(struct verification *v, struct walk *w, const struct start *start,
                      se_error *err)
{
    struct early early;
    bool good;
    se_status st;

    *w = (struct walk){ .h = v->h,
                        .store = v->store,
                        .chain = &v->chain,
                        .events = &v->survey.events,
                        .findings = &v->findings,
                        .nodes = &v->nodes,
                        .last = UINT64_MAX,
                        .last_seal = v->survey.last };
    if (v->chain.edge.size > start->edge.size)
        w->total = v->chain.edge.size - start->edge.size;
    if ((st = walk_together(&good, &early, w, start, threads_of(v->options), err)) || good)
        return st;
    return (st = tell_early(v, w, &early, err)) ? st : walk_alone(w, start, err);
}

static void report(se_history_report *out, const struct verification *v, const struct walk *w,
                   const struct start *start)
{
    out->first = w->entries ? start->edge.size + 1 : 0;
    out->entries = w->entries;
    out->erased = w->erased;
    out->seals = w->seals_seen;
    out->pruned = v->chain.base.size > 0;
    out->closed = w->last_known.event == EVENT_CLOSES;
}

/* The chain from `start` on, and what is kept beside it. */
static se_status walk_chain(se_history_report *out, struct verification *v,
                            const struct start *start, se_error *err)
{
    struct walk *w = calloc(1, sizeof *w);
    se_status st = w ? walk(v, w, start, err) : error_memory(err);

    if (!st && !(st = nodes_check_above(&v->nodes, v->store, &v->chain, &v->findings, err)) &&
        !(st = check_tail(v, w, err))) {
        check_end(v, w);
        v->last = (struct known){ v->survey.last, w->last_hash, w->last_known };
        report(out, v, w, start);
    }
    free(w);
    return st;
}

static se_status open_own(struct verification *v, se_error *err)
{
    se_status st = v->store ? SE_OK : history_reader(&v->own, &v->chain, v->h, err);

    if (!st && !v->store)
        v->store = v->own;
    return st;
}

se_status verification_run(se_history_report *out, struct verification *v, se_error *err)
{
    struct start start;

    TRY(open_own(v, err));
    TRY(survey_make(&v->survey, v->store, &v->chain, err));
    TRY(check_head(v, err));
    if (!v->survey.last)
        return error_set(err, SE_ERR_REJECTED, "chain '%s' is not sealed at all", v->chain.name);
    if (v->vouched)
        v->survey.events.resigned = UINT64_MAX;
    TRY(nodes_load(&v->nodes, v->store, &v->chain, NODE_STEP, &v->findings, err));
    TRY(check_base(v, err));
    choose_start(&start, v);
    survey_forget(&v->survey, start.seal);
    return walk_chain(out, v, &start, err);
}

se_status verification_require(se_history_report *out, struct verification *v, se_error *err)
{
    const se_history_verify_options options = SE_HISTORY_VERIFY_OPTIONS_INIT;
    se_status st;

    v->options = &options;
    st = verification_run(out, v, err);
    v->options = NULL;
    return v->findings.count ? findings_status(&v->findings, err) : st;
}

static se_status read_options(se_history_verify_options *out,
                              const se_history_verify_options *options, se_error *err)
{
    return arguments_options(out, options, se_history_verify_options, err);
}

se_status se_history_verify(se_history_report *out, se_history *history,
                            const se_history_verify_options *options, se_error *error)
{
    AUTO(verification) v = { .h = history };
    se_history_verify_options read = SE_HISTORY_VERIFY_OPTIONS_INIT;
    se_history_report told = { .first = 0 };
    se_error why = SE_ERROR_INIT;
    se_status st;

    if (out)
        *out = told;
    TRY(arguments_check(error, history));
    TRY(read_options(&read, options, error));
    v.options = &read;
    v.findings = (struct findings){ .fn = read.finding, .arg = read.finding_arg };
    st = verification_run(&told, &v, &why);
    if (st == SE_ERR_REJECTED || st == SE_ERR_FORMAT) {
        add(&v, SE_FINDING_UNSEALED, why.text);
        st = SE_OK;
    }
    if (st)
        return error_set_at(error, why.status, why.file, why.line, "%s", why.text);
    told.findings = v.findings.count;
    if (out)
        *out = told;
    return findings_status(&v.findings, error);
}
