#include "history/history.h"

struct reading {
    const se_history_range *range;
    se_history_entry_fn fn;
    void *arg;
    bool enough;
};

static bool wanted(const se_history_range *range, const struct row *row)
{
    se_bytes object = range->object;

    if ((range->from && row->time < range->from) || (range->to && row->time >= range->to))
        return false;
    return !object.size || (row->object.size == object.size && memcmp(row->object.data, object.data, object.size) == 0);
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

se_status se_history_read(se_history *h, const se_history_range *range, se_history_entry_fn fn, void *arg, se_error *error)
{
    AUTO(database) store = NULL;
    const se_history_range all = SE_HISTORY_RANGE_INIT;
    struct reading r = { range ? range : &all, fn, arg, false };
    struct chain chain;
    uint64_t last;
    se_status st;

    if (r.range->size != sizeof all)
        return error_set(error, SE_ERR_USAGE, "se_history_range of %zu bytes, SE_HISTORY_RANGE_INIT makes %zu", r.range->size, sizeof all);
    if ((st = history_reader(&store, &chain, h, error)))
        return st;
    last = r.range->last && r.range->last < chain.edge.size ? r.range->last : chain.edge.size;
    st = store->type->rows(store, &chain, r.range->first, last, take, &r, error);
    return r.enough ? SE_OK : st;
}
