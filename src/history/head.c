/* What a chain begins its work with: its last seal. */
#include "history/history.h"

static se_status check_signature(struct se_history *h, const struct note *note, se_error *err)
{
    const se_verifier *signer;
    se_status st;

    if (strcmp(note->seal.descriptor, h->descriptor) != 0)
        return error_set(err, SE_ERR_CONFIG,
                         "its last seal was made by the descriptor '%s', not '%s'",
                         note->seal.descriptor, h->descriptor);
    if ((st = history_verifier(&signer, h, note->seal.version, err)))
        return error_prefix(err,
                            "its last seal was made by version %u of '%s': ", note->seal.version,
                            h->descriptor);
    if ((st = note_check(note, signer, err)))
        return error_prefix(err, "its last seal, number %ju: ", (uintmax_t)note->seal.number);
    return SE_OK;
}

/* What the store says of the chain has to be what the seal says. */
static se_status check_chain(const struct chain *chain, const struct seal *seal, se_error *err)
{
    struct hash root;

    if (chain->damaged)
        return error_set(err, SE_ERR_REJECTED, "what the store says about the chain is damaged");
    if (strcmp(seal->chain, chain->name) != 0 ||
        memcmp(&seal->id, &chain->id, sizeof seal->id) != 0)
        return error_set(err, SE_ERR_REJECTED, "its last seal is that of another chain, '%s'",
                         seal->chain);
    TRY(edge_root(&root, &chain->edge, err));
    if (seal->number != chain->seals || seal->size != chain->edge.size ||
        !hash_same(&root, &seal->root))
        return error_set(err, SE_ERR_REJECTED,
                         "its last seal does not cover what the store says that there is");
    return SE_OK;
}

se_status head_load(struct known *out, struct se_history *h, struct database *store,
                    const struct chain *chain, se_error *err)
{
    AUTO(se_buf) bytes = SE_BUF_INIT;
    struct note note;

    if (!chain->seals)
        return error_set(err, SE_ERR_REJECTED, "the chain has no seal");
    TRY(history_note(&bytes, store, chain, chain->seals, err));
    TRY(note_hash(&out->hash, buf_bytes(&bytes), err));
    if (!hash_same(&out->hash, &chain->last))
        return error_set(err, SE_ERR_REJECTED, "its last seal is not the one that the store says");
    if (note_parse(&note, buf_bytes(&bytes), NULL))
        return error_set(err, SE_ERR_REJECTED, "its last seal is damaged");
    out->seals = chain->seals;
    out->seal = note.seal;
    TRY(check_signature(h, &note, err));
    return check_chain(chain, &note.seal, err);
}

/* Others may have gone on, but not back: the seal that was known is still there. */
static se_status check_known(const struct known *known, struct database *store,
                             const struct chain *chain, se_error *err)
{
    AUTO(se_buf) bytes = SE_BUF_INIT;
    struct hash hash;

    if (!known->seals || known->seals < chain->base_seal)
        return SE_OK;
    if (chain->seals < known->seals)
        return error_set(
            err, SE_ERR_REJECTED,
            "it ends at seal %ju, but there was a seal %ju: an older state was put back",
            (uintmax_t)chain->seals, (uintmax_t)known->seals);
    TRY(history_note(&bytes, store, chain, known->seals, err));
    TRY(note_hash(&hash, buf_bytes(&bytes), err));
    return hash_same(&hash, &known->hash)
               ? SE_OK
               : error_set(err, SE_ERR_REJECTED,
                           "seal %ju is another one than it was: the history was written anew",
                           (uintmax_t)known->seals);
}

se_status head_check(struct se_history *h, struct database *store, const struct chain *chain,
                     se_error *err)
{
    struct known now = { .seals = 0 };
    se_status st = SE_OK;

    if (chain->seals != h->known.seals || !hash_same(&chain->last, &h->known.hash)) {
        if (!(st = check_known(&h->known, store, chain, err)) &&
            !(st = head_load(&now, h, store, chain, err)))
            h->known = now;
    } else
        st = check_chain(chain, &h->known.seal, err);
    return st ? error_prefix(err, "chain '%s': ", h->chain) : SE_OK;
}
