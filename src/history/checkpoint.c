/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints of a chain: signing and storing them, and the latest one, with which all work begins.
 */
#include "base/clock.h"
#include "history/history.h"

/* ---- the descriptor's keys ---- */

static const se_verifier *find_verifier(const se_history *h, unsigned version)
{
    for (size_t i = 0; i < h->verifier_count; i++)
        if (h->verifiers[i].version == version)
            return h->verifiers[i].verifier;
    return NULL;
}

static se_status open_verifier(const se_verifier **out, se_history *h, unsigned version,
                               se_error *err)
{
    se_verifier *made;

    if (h->verifier_count == VERSIONS_MOST)
        return error_set(err, SE_ERR_CONFIG, "more than %d versions of '%s'", VERSIONS_MOST,
                         h->descriptor);
    TRY(se_verifier_open(&made, h->engine, h->descriptor, version, err));
    h->verifiers[h->verifier_count].version = version;
    h->verifiers[h->verifier_count++].verifier = made;
    *out = made;
    return SE_OK;
}

se_status checkpoint_verifier(const se_verifier **out, se_history *h, unsigned version,
                              se_error *err)
{
    se_status st = SE_OK;

    pthread_mutex_lock(&h->lock);
    if (!(*out = find_verifier(h, version)))
        st = open_verifier(out, h, version, err);
    pthread_mutex_unlock(&h->lock);
    return st;
}

/* ---- signing and storing ---- */

/* The chain as it is now; event, subject and time are there. */
static se_status describe_chain(struct checkpoint *out, const se_history *h,
                                const struct chain *chain, const se_verifier *signer, se_error *err)
{
    se_signer who;

    se_verifier_signer(&who, signer);
    out->id = chain->id;
    out->size = chain->frontier.size;
    out->number = chain->checkpoints + 1;
    out->previous = chain->last;
    out->version = who.version;
    memcpy(out->chain, chain->name, sizeof out->chain);
    memcpy(out->algorithm, who.algorithm, sizeof out->algorithm);
    memcpy(out->descriptor, h->descriptor, strlen(h->descriptor) + 1);
    return frontier_root(&out->root, &chain->frontier, err);
}

/* Versions never go down along a chain: the one that made the latest checkpoint makes the next,
 * even if our clock says that its time is yet to come, for that of another host is ahead. */
static void choose_version(se_sign_params *out, const se_history *h)
{
    const struct checkpoint *latest = &h->latest.checkpoint;

    *out = (se_sign_params)SE_SIGN_PARAMS_INIT;
    out->form = SE_FORM_RAW;
    out->begun = clock_seconds();
    out->least = latest->number ? latest->version : 0;
}

static se_status open_signer(const se_verifier **out, se_history *h, const se_sign_params *params,
                             se_error *err)
{
    se_signer who;
    se_status st = se_find_signer(&who, h->engine, h->descriptor, params, err);

    return st ? error_prefix(err, st, "chain '%s': ", h->chain)
              : checkpoint_verifier(out, h, who.version, err);
}

se_status checkpoint_sign(struct latest *out, se_buf *note, se_history *h,
                          const struct chain *chain, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(se_buf) signature = SE_BUF_INIT;
    struct checkpoint *checkpoint = &out->checkpoint;
    unsigned char key_id[KEY_ID_SIZE];
    const se_verifier *signer;
    se_sign_params params;

    choose_version(&params, h);
    TRY(open_signer(&signer, h, &params, err));
    TRY(describe_chain(checkpoint, h, chain, signer, err));
    TRY(checkpoint_text(&text, checkpoint, err));
    TRY(checkpoint_key_id(key_id, checkpoint, signer, err));
    TRY(se_sign(&signature, h->engine, h->descriptor, buf_bytes(&text), &params, err));
    TRY(signed_note_write(note, checkpoint, key_id, buf_bytes(&signature), err));
    return signed_note_hash(&out->hash, buf_bytes(note), err);
}

se_status checkpoint_store(se_history *h, struct chain *chain, const struct latest *made,
                           se_bytes note, se_error *err)
{
    const struct stored_checkpoint stored = {
        .number = made->checkpoint.number,
        .size = made->checkpoint.size,
        .note = note,
    };

    TRY(h->store->type->write_checkpoint(h->store, chain, &stored, err));
    chain->checkpoints = made->checkpoint.number;
    chain->last = made->hash;
    return h->store->type->write_chain(h->store, chain, err);
}

se_status checkpoint_append(struct latest *out, se_history *h, struct chain *chain, se_error *err)
{
    AUTO(se_buf) note = SE_BUF_INIT;

    TRY(checkpoint_sign(out, &note, h, chain, err));
    return checkpoint_store(h, chain, out, buf_bytes(&note), err);
}

/* ---- reading ---- */

bool is_checkpoint_of(const struct checkpoint *checkpoint, const struct chain *chain)
{
    return strcmp(checkpoint->chain, chain->name) == 0 &&
           memcmp(&checkpoint->id, &chain->id, sizeof chain->id) == 0;
}

static se_status copy_note(void *arg, const struct stored_checkpoint *stored, se_error *err)
{
    return buf_copy(arg, stored->note, err);
}

se_status checkpoint_read(se_buf *out, struct chain_store *store, const struct chain *chain,
                          uint64_t number, se_error *err)
{
    *out = (se_buf)SE_BUF_INIT;
    TRY(store->type->read_checkpoints(store, &(struct range){ chain, number, number }, copy_note,
                                      out, err));
    return out->data ? SE_OK
                     : error_set(err, SE_ERR_REJECTED, "seal %ju is not there", (uintmax_t)number);
}

static bool load_checkpoint(struct checkpoint *out, struct chain_store *store,
                            const struct chain *chain, uint64_t number)
{
    AUTO(se_buf) bytes = SE_BUF_INIT;
    struct signed_note note;

    if (checkpoint_read(&bytes, store, chain, number, NULL) ||
        signed_note_parse(&note, buf_bytes(&bytes), NULL))
        return false;
    *out = note.checkpoint;
    return true;
}

/* By halves: they never get older. */
bool checkpoint_before(struct checkpoint *out, struct chain_store *store, const struct chain *chain,
                       uint64_t last, int64_t time)
{
    uint64_t low = chain->base_checkpoint, high = last + 1;
    struct checkpoint middle;

    *out = (struct checkpoint){ .number = 0 };
    while (low < high) {
        uint64_t number = low + (high - low) / 2;

        if (!load_checkpoint(&middle, store, chain, number))
            return false;
        if (middle.time < time) {
            *out = middle;
            low = number + 1;
        } else
            high = number;
    }
    return out->number > 0;
}

/* ---- the latest one ---- */

static se_status check_latest_signature(se_history *h, const struct signed_note *note,
                                        se_error *err)
{
    const struct checkpoint *checkpoint = &note->checkpoint;
    const se_verifier *signer;
    se_status st;

    if (strcmp(checkpoint->descriptor, h->descriptor) != 0)
        return error_set(err, SE_ERR_CONFIG,
                         "its last seal was made by the descriptor '%s', not '%s'",
                         checkpoint->descriptor, h->descriptor);
    st = checkpoint_verifier(&signer, h, checkpoint->version, err);
    if (st)
        return error_prefix(
            err, st, "its last seal was made with version %u of '%s'%s: ", checkpoint->version,
            h->descriptor, st == SE_ERR_NO_DESCRIPTOR ? ", which is not configured here" : "");
    st = signed_note_verify(note, signer, err);
    return error_prefix(err, st, "its last seal, number %ju: ", (uintmax_t)checkpoint->number);
}

/* What the store says of the chain has to be what the checkpoint says. */
static se_status check_covers_chain(const struct chain *chain, const struct checkpoint *checkpoint,
                                    se_error *err)
{
    struct hash root;

    if (chain->damaged)
        return error_set(err, SE_ERR_REJECTED, "what the store says about the chain is damaged");
    if (!is_checkpoint_of(checkpoint, chain))
        return error_set(err, SE_ERR_REJECTED, "its last seal is that of another chain, '%s'",
                         checkpoint->chain);
    TRY(frontier_root(&root, &chain->frontier, err));
    if (checkpoint->number != chain->checkpoints || checkpoint->size != chain->frontier.size ||
        !hash_equal(&root, &checkpoint->root))
        return error_set(err, SE_ERR_REJECTED,
                         "its last seal does not cover what the store says that there is");
    return SE_OK;
}

se_status latest_load(struct latest *out, se_history *h, struct chain_store *store,
                      const struct chain *chain, se_error *err)
{
    AUTO(se_buf) bytes = SE_BUF_INIT;
    struct signed_note note;

    if (!chain->checkpoints)
        return error_set(err, SE_ERR_REJECTED, "the chain has no seal");
    TRY(checkpoint_read(&bytes, store, chain, chain->checkpoints, err));
    TRY(signed_note_hash(&out->hash, buf_bytes(&bytes), err));
    if (!hash_equal(&out->hash, &chain->last))
        return error_set(err, SE_ERR_REJECTED, "its last seal is not the one that the store says");
    if (signed_note_parse(&note, buf_bytes(&bytes), NULL))
        return error_set(err, SE_ERR_REJECTED, "its last seal is damaged");
    out->checkpoint = note.checkpoint;
    TRY(check_latest_signature(h, &note, err));
    return check_covers_chain(chain, &note.checkpoint, err);
}

/* Others may have gone on, but not back: the checkpoint that was known is still there. */
static se_status check_not_rolled_back(const struct latest *known, struct chain_store *store,
                                       const struct chain *chain, se_error *err)
{
    const uint64_t number = known->checkpoint.number;
    AUTO(se_buf) bytes = SE_BUF_INIT;
    struct hash hash;

    if (!number || number < chain->base_checkpoint)
        return SE_OK;
    if (chain->checkpoints < number)
        return error_set(
            err, SE_ERR_REJECTED,
            "it ends at seal %ju, but there was a seal %ju: an older state was put back",
            (uintmax_t)chain->checkpoints, (uintmax_t)number);
    TRY(checkpoint_read(&bytes, store, chain, number, err));
    TRY(signed_note_hash(&hash, buf_bytes(&bytes), err));
    if (!hash_equal(&hash, &known->hash))
        return error_set(err, SE_ERR_REJECTED,
                         "seal %ju is another one than it was: the history was written anew",
                         (uintmax_t)number);
    return SE_OK;
}

static se_status follow_chain(se_history *h, struct chain_store *store, const struct chain *chain,
                              se_error *err)
{
    struct latest now;

    if (chain->checkpoints == h->latest.checkpoint.number &&
        hash_equal(&chain->last, &h->latest.hash))
        return check_covers_chain(chain, &h->latest.checkpoint, err);
    TRY(check_not_rolled_back(&h->latest, store, chain, err));
    TRY(latest_load(&now, h, store, chain, err));
    h->latest = now;
    return SE_OK;
}

se_status latest_check(se_history *h, struct chain_store *store, const struct chain *chain,
                       se_error *err)
{
    se_status st = follow_chain(h, store, chain, err);

    return error_prefix(err, st, "chain '%s': ", h->chain);
}
