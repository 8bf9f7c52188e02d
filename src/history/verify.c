/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <time.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/parallel.h"
#include "history/verification.h"

enum { MONTHS_LEAST = 12, MONTHS_MOST = 12000, MILLION = 1000000 };

void verification_free(struct verification *v)
{
    chain_store_close(&v->own);
    event_scan_free(&v->events);
    subtrees_free(&v->subtrees);
}

/* ---- where it begins ---- */

static int64_t months_ago(unsigned months)
{
    time_t now = clock_seconds();
    struct tm tm;

    if (!gmtime_r(&now, &tm))
        return 0;
    if (months > MONTHS_MOST) /* as a negative number it would be in the future */
        months = MONTHS_MOST;
    tm.tm_mon -= (int)(months > MONTHS_LEAST ? months : MONTHS_LEAST);
    return (int64_t)timegm(&tm) * MILLION;
}

/* The base is what was dropped.  Within the chain, the checkpoint to begin with proves that the
 * tree up to there is the right one. */
static void choose_start(struct scan_start *out, const struct verification *v)
{
    unsigned months = v->options->months;
    struct checkpoint checkpoint;
    uint64_t from;

    *out = (struct scan_start){ v->chain.base, v->chain.base_checkpoint };
    if (!months ||
        !checkpoint_before(&checkpoint, v->store, &v->chain, v->events.last, months_ago(months)) ||
        checkpoint.size > v->chain.frontier.size)
        return;
    from = checkpoint.size / BLOCK * BLOCK;
    if (from <= v->chain.base.size)
        return;
    if (subtrees_frontier(&out->frontier, &v->subtrees, from))
        out->checkpoint = checkpoint.number;
    else
        out->frontier = v->chain.base;
}

/* ---- the chain as a whole ---- */

static void add_chain_finding(struct verification *v, se_finding_kind kind, const char *text)
{
    finding_add(&v->findings, (se_finding){ .kind = kind }, "%s", text);
}

/* What no checkpoint covers is not read, however much it is. */
static se_status check_tail(struct verification *v, const struct scan *scan, se_error *err)
{
    struct extent tail;

    TRY(v->store->type->read_extent(
        &tail, v->store, &(struct range){ &v->chain, scan->covered + 1, UINT64_MAX }, err));
    if (scan->tail && tail.there)
        finding_add(
            &v->findings,
            (se_finding){ .kind = SE_FINDING_UNSEALED, .first = tail.first, .last = tail.last },
            "no seal covers %s", tail.last > tail.first ? "them" : "it");
    return SE_OK;
}

static void check_chain_end(struct verification *v, const struct scan *scan)
{
    const struct chain *chain = &v->chain;

    if (chain->damaged)
        add_chain_finding(v, SE_FINDING_CHANGED, "what the store says about the chain was changed");
    else if (chain->checkpoints != scan->last_checkpoint ||
             !hash_equal(&chain->last, &scan->last_hash))
        finding_add(&v->findings,
                    (se_finding){ .kind = chain->checkpoints > scan->last_checkpoint
                                              ? SE_FINDING_TRUNCATED
                                              : SE_FINDING_CHANGED },
                    "the store says that the last seal is number %ju, and the last that is there "
                    "is number %ju, or another one",
                    (uintmax_t)chain->checkpoints, (uintmax_t)scan->last_checkpoint);
    else if (!scan->lost && !frontier_equal(&chain->frontier, &scan->now))
        add_chain_finding(
            v, SE_FINDING_CHANGED,
            "the right edge of the tree, as the store has it, is not that of the entries");
}

/* A checkpoint has to say what was dropped, and the subtrees that are kept have to be those of it.
 */
static void check_dropped(struct verification *v)
{
    const struct chain *chain = &v->chain;
    struct frontier full;

    if (v->events.first < chain->base_checkpoint)
        finding_add(&v->findings, (se_finding){ .kind = SE_FINDING_CHANGED },
                    "the store says that the chain begins at seal %ju, and there is a seal %ju",
                    (uintmax_t)chain->base_checkpoint, (uintmax_t)v->events.first);
    if (chain->base.size != v->events.pruned)
        finding_add(
            &v->findings,
            (se_finding){ .kind = SE_FINDING_REMOVED, .first = 1, .last = chain->base.size },
            "dropped, and no seal says so");
    if (!subtrees_frontier(&full, &v->subtrees, chain->base.size / BLOCK * BLOCK)) {
        add_chain_finding(v, SE_FINDING_CHANGED,
                          "stored hashes of entries that were dropped are missing");
        return;
    }
    for (unsigned i = 0; i < full.count; i++)
        if (i >= chain->base.count || !hash_equal(&full.parts[i], &chain->base.parts[i]))
            add_chain_finding(v, SE_FINDING_CHANGED,
                              "a stored hash of entries that were dropped was changed");
}

/* What is below the first entry nobody would look at. */
static se_status check_base(struct verification *v, se_error *err)
{
    struct extent below;

    TRY(v->store->type->read_extent(&below, v->store,
                                    &(struct range){ &v->chain, 0, v->chain.base.size }, err));
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

static se_status check_kept_head(struct verification *v, se_error *err)
{
    AUTO(se_buf) bytes = SE_BUF_INIT;
    se_bytes head = v->options->head;
    struct signed_note note;
    uintmax_t number;

    if (!head.size)
        return SE_OK;
    if (signed_note_parse(&note, head, NULL))
        return error_set(err, SE_ERR_USAGE,
                         "the head that was kept elsewhere is not the seal of a history");
    number = note.checkpoint.number;
    if (number < v->chain.base_checkpoint)
        return error_set(
            err, SE_ERR_USAGE,
            "the head that was kept elsewhere is seal %ju, and the seals before %ju were dropped",
            number, (uintmax_t)v->chain.base_checkpoint);
    if (!is_checkpoint_of(&note.checkpoint, &v->chain))
        add_chain_finding(
            v, SE_FINDING_ROLLED_BACK,
            "the head that was kept elsewhere is that of another chain: another one was put in its "
            "place");
    else if (number > v->events.last)
        finding_add(&v->findings, (se_finding){ .kind = SE_FINDING_ROLLED_BACK },
                    "the chain ends at seal %ju, and the head that was kept elsewhere is seal %ju: "
                    "an older state was put back",
                    (uintmax_t)v->events.last, number);
    else if (checkpoint_read(&bytes, v->store, &v->chain, number, NULL) ||
             bytes.size != head.size || memcmp(bytes.data, head.data, head.size) != 0)
        finding_add(&v->findings, (se_finding){ .kind = SE_FINDING_ROLLED_BACK },
                    "seal %ju is not the head that was kept elsewhere: an older state was put "
                    "back, and went on",
                    number);
    return SE_OK;
}

/* ---- the scan ---- */

/* With what can be found out about it, if it is still so here. */
static se_status add_changed_row(void *arg, const struct row *row, se_error *err)
{
    struct verification *v = arg;
    struct hash leaf;

    (void)err;
    if (entry_leaf(&leaf, row, &v->chain.id, NULL) || !hash_equal(&leaf, &row->leaf))
        finding_add_changed(&v->findings, row, v->store, &v->chain);
    return SE_OK;
}

/* The scan that reports everything comes to it later, and a chain may have been changed so that
 * this takes long. */
static se_status report_early(struct verification *v, const se_finding *what, se_error *err)
{
    uint64_t count = v->findings.count;

    if (!what->text)
        return SE_OK;
    if (what->kind == SE_FINDING_CHANGED && what->first)
        TRY(v->store->type->read_rows(v->store,
                                      &(struct range){ &v->chain, what->first, what->first },
                                      add_changed_row, v, err));
    else
        finding_report(&v->findings, what);
    if (v->findings.count > count) {
        v->findings.early = true;
        v->findings.earlier = *what;
    }
    return SE_OK;
}

static se_status scan_chain(struct verification *v, struct scan *scan,
                            const struct scan_start *start, se_error *err)
{
    struct early_finding early;
    bool good;

    *scan = (struct scan){
        .h = v->h,
        .store = v->store,
        .chain = &v->chain,
        .events = &v->events,
        .findings = &v->findings,
        .subtrees = &v->subtrees,
        .last = UINT64_MAX,
        .last_checkpoint = v->events.last,
    };
    if (v->chain.frontier.size > start->frontier.size)
        scan->total = v->chain.frontier.size - start->frontier.size;
    TRY(verify_parallel(&good, &early, scan, start, parallel_threads(v->options->threads), err));
    if (good)
        return SE_OK;
    TRY(report_early(v, &early.what, err));
    return verify_scan(scan, start, err);
}

static void fill_report(se_history_report *out, const struct verification *v,
                        const struct scan *scan, const struct scan_start *start)
{
    out->first = scan->entries ? start->frontier.size + 1 : 0;
    out->entries = scan->entries;
    out->erased = scan->erased;
    out->seals = scan->checkpoints;
    out->pruned = v->chain.base.size > 0;
    out->closed = scan->last_known.event == EVENT_CLOSES;
}

/* The chain from `start` on, and what is kept beside it. */
static se_status verify_chain(se_history_report *out, struct verification *v, struct scan *scan,
                              const struct scan_start *start, se_error *err)
{
    TRY(scan_chain(v, scan, start, err));
    TRY(subtrees_check_above(&v->subtrees, v->store, &v->chain, &v->findings, err));
    TRY(check_tail(v, scan, err));
    check_chain_end(v, scan);
    v->latest = (struct latest){ .checkpoint = scan->last_known, .hash = scan->last_hash };
    fill_report(out, v, scan, start);
    return SE_OK;
}

/* SE_ERR_REJECTED and SE_ERR_FORMAT, besides findings: there is nothing that can be verified. */
static se_status run_verification(se_history_report *out, struct verification *v, se_error *err)
{
    struct scan_start start;
    struct scan *scan;
    se_status st;

    if (!v->store) {
        TRY(history_open_reader(&v->own, &v->chain, v->h, err));
        v->store = v->own;
    }
    TRY(scan_events(&v->events, v->store, &v->chain, err));
    TRY(check_kept_head(v, err));
    if (!v->events.last)
        return error_set(err, SE_ERR_REJECTED, "chain '%s' is not sealed at all", v->chain.name);
    if (v->vouched)
        v->events.resigned = UINT64_MAX;
    TRY(subtrees_load(&v->subtrees, v->store, &v->chain, SUBTREE_STEP, &v->findings, err));
    TRY(check_base(v, err));
    choose_start(&start, v);
    event_scan_forget(&v->events, start.checkpoint);
    if (!(scan = calloc(1, sizeof *scan)))
        return error_memory(err);
    st = verify_chain(out, v, scan, &start, err);
    free(scan);
    return st;
}

se_status verification_require(se_history_report *out, struct verification *v, se_error *err)
{
    const se_history_verify_options options = SE_HISTORY_VERIFY_OPTIONS_INIT;
    se_status st;

    v->options = &options;
    st = run_verification(out, v, err);
    v->options = NULL;
    return v->findings.count ? findings_status(&v->findings, err) : st;
}

se_status se_history_verify(se_history_report *out, se_history *history,
                            const se_history_verify_options *options, se_error *error)
{
    AUTO(verification) v = { .h = history };
    se_history_verify_options read = SE_HISTORY_VERIFY_OPTIONS_INIT;
    se_history_report report = { .first = 0 };
    se_error why = SE_ERROR_INIT;

    if (out)
        *out = report;
    TRY(arguments_check(error, history));
    TRY(arguments_options(&read, options, se_history_verify_options, error));
    v.options = &read;
    v.findings = (struct findings){ .fn = read.finding, .arg = read.finding_arg };
    why.status = run_verification(&report, &v, &why);
    if (why.status == SE_ERR_REJECTED || why.status == SE_ERR_FORMAT)
        add_chain_finding(&v, SE_FINDING_UNSEALED, why.text);
    else if (why.status)
        return error_hand_on(error, &why);
    report.findings = v.findings.count;
    if (out)
        *out = report;
    return findings_status(&v.findings, error);
}
