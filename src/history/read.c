#include "base/arguments.h"
#include "history/verification.h"

struct reading {
    const se_history_range *range;
    se_history_entry_fn fn;
    void *arg;
    bool enough;
};

static bool wanted(const se_history_range *range, const struct row *row)
{
    int64_t seconds = row->time / 1000000;
    se_bytes object = range->object;

    if ((range->from && seconds < range->from) || (range->to && seconds >= range->to))
        return false;
    return !object.size || (row->object.size == object.size &&
                            memcmp(row->object.data, object.data, object.size) == 0);
}

/* SE_ERR_CANCELLED ends the reading, and is not told. */
static se_status take(void *arg, const struct row *row, se_error *err)
{
    struct reading *r = arg;
    const bool erased = row_erased(row);
    const se_history_entry entry = {
        row->seq,
        row->time,
        row->object,
        erased ? (se_bytes){ "", 0 } : row->payload,
        row->salt,
        erased,
        erased ? row->payload : (se_bytes){ "", 0 },
    };

    (void)err;
    if (!wanted(r->range, row))
        return SE_OK;
    r->enough = !r->fn(r->arg, &entry);
    return r->enough ? SE_ERR_CANCELLED : SE_OK;
}

static uint64_t last_of(const se_history_range *range, const struct chain *chain)
{
    return range->last && range->last < chain->edge.size ? range->last : chain->edge.size;
}

static se_status read_plain(struct reading *r, se_history *h, se_error *err)
{
    AUTO(database) store = NULL;
    struct chain chain;
    se_status st = history_reader(&store, &chain, h, err);

    return st ? st
              : store->type->rows(store, &chain, r->range->first, last_of(r->range, &chain), take,
                                  r, err);
}

/* The last seal, of the state that was verified. */
static se_status read_seal(se_buf *out, const struct verification *v, se_error *err)
{
    struct hash hash;

    TRY(history_note(out, v->store, &v->chain, v->last.seals, err));
    TRY(note_hash(&hash, buf_bytes(out), err));
    return hash_same(&hash, &v->last.hash)
               ? SE_OK
               : error_set(err, SE_ERR_REJECTED, "the last seal was changed meanwhile");
}

static se_status read_verified(se_history_report *report, se_buf *seal, struct reading *r,
                               se_history *h, se_error *err)
{
    AUTO(verification) v = { .h = h };
    se_status st = verification_require(report, &v, err);

    if (st || (seal && (st = read_seal(seal, &v, err))))
        return st;
    return verification_rows(&v, r->range->first, last_of(r->range, &v.chain), take, r, err);
}

static se_status read_range(se_history_report *report, se_buf *seal, struct reading *r,
                            se_history *h, se_error *err)
{
    se_history_range range;
    se_status st;

    TRY(arguments_options(&range, r->range, se_history_range, err));
    r->range = &range;
    st = r->range->unverified ? read_plain(r, h, err) : read_verified(report, seal, r, h, err);
    return r->enough ? SE_OK : st;
}

se_status se_history_read(se_history *history, const se_history_range *range,
                          se_history_entry_fn fn, void *arg, se_error *error)
{
    struct reading r = { range, fn, arg, false };
    se_history_report report;
    se_status st = arguments_check(error, history, fn);

    return st ? st : read_range(&report, NULL, &r, history, error);
}

se_status se_history_export(se_history_report *report, se_buf *seal, se_history *history,
                            const se_history_range *range, se_history_entry_fn fn, void *arg,
                            se_error *error)
{
    struct reading r = { range, fn, arg, false };
    se_status st;

    if (report)
        *report = (se_history_report){ .first = 0 };
    if (seal)
        *seal = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, report, seal, history, fn));
    if (range && range->unverified)
        return error_set(error, SE_ERR_USAGE, "what is exported is verified");
    if ((st = read_range(report, seal, &r, history, error)))
        se_buf_free(seal);
    return st;
}
