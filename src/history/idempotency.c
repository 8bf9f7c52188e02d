/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Idempotency keys (draft-ietf-httpapi-idempotency-key-header): who did not get the answer asks
 * again, and nothing is appended twice.  A key is stored with its entries, in one transaction, by
 * whoever holds the chain; so all processes and hosts see the same keys.
 *
 * No seal covers the keys.  They only tell where to look: a call is answered by its key if the
 * chain has its records there.  Who forges one can't make an entry look as if it were stored.
 */
#include <stdlib.h>

#include "base/arguments.h"
#include "base/text.h"
#include "base/utf8.h"
#include "history/history.h"

enum { KEY_MOST = 64, CALLER_MOST = 200, REQUEST_PREFIX = 3 };

/* ---- what a caller gives ---- */

static bool is_key(const char *text)
{
    const size_t size = strlen(text);

    return size && size <= KEY_MOST && text_is_visible(text, size);
}

static bool is_caller(const char *text)
{
    uint32_t point;
    size_t size = strlen(text);

    if (!size || size > CALLER_MOST)
        return false;
    for (size_t taken; *text; text += taken) {
        taken = utf8_next(&point, text);
        if (!taken || utf8_is_control(point))
            return false;
    }
    return true;
}

/* The object with its size before it, and the payload up to the end: other records have another
 * digest. */
static bool digest_records(struct hash *out, const se_record *records, size_t count)
{
    unsigned char head[1 + HASH_SIZE + 2] = { REQUEST_PREFIX };
    bool good = true;

    *out = (struct hash){ { 0 } };
    for (size_t i = 0; good && i < count; i++) {
        const se_bytes parts[] = { { head, sizeof head }, records[i].object, records[i].payload };

        memcpy(head + 1, out, HASH_SIZE);
        put_big_endian(head + 1 + HASH_SIZE, records[i].object.size, 2);
        good = hash_sha256(out, parts, 3);
    }
    return good;
}

se_status append_key_read(struct append_key *out, struct queued_call *call,
                          const se_history_append_params *params, se_error *err)
{
    se_history_append_params read = SE_HISTORY_APPEND_PARAMS_INIT;

    TRY(arguments_options(&read, params, se_history_append_params, err));
    if (read.caller && !is_caller(read.caller))
        return error_set(err, SE_ERR_USAGE,
                         "a caller's name has 1 to %d bytes of UTF-8 and no control characters",
                         CALLER_MOST);
    if (!read.idempotency_key)
        return SE_OK;
    if (!is_key(read.idempotency_key))
        return error_set(err, SE_ERR_USAGE,
                         "an idempotency key has 1 to %d visible ASCII characters", KEY_MOST);
    *out = (struct append_key){
        .caller = text_bytes(read.caller ? read.caller : ""),
        .name = text_bytes(read.idempotency_key),
    };
    call->key = out;
    return digest_records(&out->digest, call->records, call->count) ? SE_OK : error_memory(err);
}

/* ---- the calls of a group ---- */

struct queued_call *next_appending(struct queued_call *calls)
{
    while (calls && calls->answered)
        calls = calls->next;
    return calls;
}

static struct queued_call *next_keyed(struct queued_call *calls)
{
    while ((calls = next_appending(calls)) && !calls->key)
        calls = calls->next;
    return calls;
}

/* The keys of those that are to be appended, in their order; *out is released by the caller. */
static se_status collect_keys(struct append_key **out, size_t *count, struct queued_call *calls,
                              se_error *err)
{
    size_t found = 0;

    for (struct queued_call *call = next_keyed(calls); call; call = next_keyed(call->next))
        found++;
    *count = 0;
    *out = calloc(found + 1, sizeof **out);
    if (!*out)
        return error_memory(err);
    for (struct queued_call *call = next_keyed(calls); call; call = next_keyed(call->next)) {
        struct append_key *key = *out + (*count)++;

        *key = *call->key;
        key->first = call->first;
        key->count = call->count;
    }
    return SE_OK;
}

/* ---- answers ---- */

#define KEY_SHOWN(key) (int)(key)->name.size, (const char *)(key)->name.data

static bool same_bytes(se_bytes a, se_bytes b)
{
    return a.size == b.size && (!a.size || memcmp(a.data, b.data, a.size) == 0);
}

static bool same_key(const struct append_key *a, const struct append_key *b)
{
    return same_bytes(a->name, b->name) && same_bytes(a->caller, b->caller);
}

/* What the chain has where the key says. */
struct entries_check {
    const struct queued_call *call;
    size_t good; /* of the records, from the first one on */
};

static se_status check_entry(void *arg, const struct row *row, se_error *err)
{
    struct entries_check *check = arg;
    const se_record *record = &check->call->records[check->good];

    if (row->oversized || entry_erased(row) || !same_bytes(row->object, record->object) ||
        !same_bytes(row->payload, record->payload))
        return error_set(err, SE_ERR_CANCELLED, "another one");
    check->good++;
    return SE_OK;
}

/* Entries that are not there, or are others, are no failure of the store. */
static se_status count_good_entries(size_t *out, se_history *h, const struct chain *chain,
                                    const struct queued_call *call, const struct append_key *there,
                                    se_error *err)
{
    const struct range range = { chain, there->first, there->first + there->count - 1 };
    struct entries_check check = { .call = call };
    se_error why = SE_ERROR_INIT;

    *out = 0;
    if (!there->first || there->first > chain->frontier.size ||
        there->count > chain->frontier.size - there->first + 1)
        return SE_OK;
    if (h->store->type->read_rows(h->store, &range, check_entry, &check, &why) &&
        why.status != SE_ERR_CANCELLED)
        return error_hand_on(err, &why);
    *out = check.good;
    return SE_OK;
}

static void refuse_content(struct queued_call *call, const struct append_key *there)
{
    if (there->erased)
        (void)error_set(
            &call->error, SE_ERR_USAGE,
            "what idempotency key '%.*s' appended, from entry %ju on, was erased or dropped since: "
            "nothing tells whether this is the same",
            KEY_SHOWN(there), (uintmax_t)there->first);
    else
        (void)error_set(&call->error, SE_ERR_USAGE,
                        "idempotency key '%.*s' was used for other content, from entry %ju on: a "
                        "new request needs a new key",
                        KEY_SHOWN(there), (uintmax_t)there->first);
}

/* A failure of the store is one of the whole group; what is wrong with the key is this caller's. */
static se_status answer_call(struct queued_call *call, se_history *h, const struct chain *chain,
                             const struct append_key *there, se_error *err)
{
    size_t good;

    if (there->erased || there->count != call->count ||
        !hash_equal(&there->digest, &call->key->digest)) {
        refuse_content(call, there);
        call->answered = true;
        return SE_OK;
    }
    TRY(count_good_entries(&good, h, chain, call, there, err));
    if (good != call->count)
        (void)error_set(
            &call->error, SE_ERR_REJECTED,
            "chain '%s': entry %ju is not what idempotency key '%.*s' was used for: the store was "
            "changed",
            h->chain, (uintmax_t)(there->first + good), KEY_SHOWN(there));
    call->first = there->first;
    call->answered = true;
    return SE_OK;
}

/* One that comes a second time in the group is answered by the first one, if that is stored. */
static void answer_twin(struct queued_call *call, const struct queued_call *twin)
{
    call->answered = true;
    call->twin = twin;
    if (twin->count != call->count || !hash_equal(&twin->key->digest, &call->key->digest))
        (void)error_set(&call->error, SE_ERR_USAGE,
                        "idempotency key '%.*s' is used for other content at this moment: a new "
                        "request needs a new key",
                        KEY_SHOWN(call->key));
}

static void answer_twins(struct queued_call *calls)
{
    for (struct queued_call *one = next_keyed(calls); one; one = next_keyed(one->next))
        for (struct queued_call *call = next_keyed(one->next); call; call = next_keyed(call->next))
            if (same_key(call->key, one->key))
                answer_twin(call, one);
}

static se_status answer_stored(se_history *h, const struct chain *chain, struct queued_call *calls,
                               const struct append_key *keys, se_error *err)
{
    for (struct queued_call *call = next_keyed(calls); call; call = next_keyed(call->next), keys++)
        if (keys->count)
            TRY(answer_call(call, h, chain, keys, err));
    return SE_OK;
}

static se_status answer_calls(se_history *h, const struct chain *chain, struct queued_call *calls,
                              se_error *err)
{
    struct append_key *keys;
    size_t count;
    se_status st;

    st = collect_keys(&keys, &count, calls, err);
    if (!st)
        st = h->store->type->read_keys(h->store, chain, keys, count, err);
    if (!st)
        st = answer_stored(h, chain, calls, keys, err);
    if (!st)
        answer_twins(calls);
    free(keys);
    return st;
}

/* ---- a group ---- */

/* False: nobody is left. */
static bool refuse_keyed(struct queued_call *calls, const se_error *why)
{
    for (struct queued_call *call = next_keyed(calls); call; call = next_keyed(call->next)) {
        call->error = *why;
        call->answered = true;
    }
    return next_appending(calls) != NULL;
}

/* Who has no right to the table of keys gets no further with a key; without one that is no matter.
 */
static se_status begin_keyed(struct chain *chain, se_history *h, struct queued_call *calls,
                             se_error *err)
{
    se_error why = SE_ERROR_INIT;
    se_status st = history_begin(chain, h, STORE_APPEND_KEYED, &why);

    if (st == SE_ERR_ACCESS && refuse_keyed(calls, &why))
        return history_begin(chain, h, STORE_APPEND, err);
    if (st)
        return error_hand_on(err, &why);
    st = answer_calls(h, chain, calls, err);
    if (st)
        transaction_abandon(h->store);
    return st;
}

se_status append_keys_begin(struct chain *chain, se_history *h, struct queued_call *calls,
                            se_error *err)
{
    return next_keyed(calls) ? begin_keyed(chain, h, calls, err)
                             : history_begin(chain, h, STORE_APPEND, err);
}

se_status append_keys_store(se_history *h, const struct chain *chain, struct queued_call *calls,
                            se_error *err)
{
    struct append_key *keys;
    size_t count;
    se_status st;

    if (!next_keyed(calls))
        return SE_OK;
    st = collect_keys(&keys, &count, calls, err);
    if (!st)
        st = h->store->type->write_keys(h->store, chain, keys, count, err);
    free(keys);
    return st;
}
