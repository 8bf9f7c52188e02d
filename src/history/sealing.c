/* Seals that this process makes. */
#include "history/history.h"
#include "signengine-history.h"

static se_status describe(struct seal *out, const struct se_history *h, const struct chain *chain,
                          const se_verifier *signer, se_error *err)
{
    se_signer who;

    se_verifier_signer(&who, signer);
    if (h->known.seals && who.version < h->known.seal.version)
        return error_set(err, SE_ERR_CONFIG,
                         "chain '%s': its last seal was made by version %u of '%s', and the "
                         "highest that is configured is %u",
                         h->chain, h->known.seal.version, h->descriptor, who.version);
    out->id = chain->id;
    out->size = chain->edge.size;
    out->number = chain->seals + 1;
    out->previous = chain->last;
    out->version = who.version;
    memcpy(out->chain, chain->name, sizeof out->chain);
    memcpy(out->algorithm, who.algorithm, sizeof out->algorithm);
    memcpy(out->descriptor, h->descriptor, strlen(h->descriptor) + 1);
    return edge_root(&out->root, &chain->edge, err);
}

static se_status sign(se_buf *note, const struct se_history *h, const struct seal *seal,
                      const se_verifier *signer, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    unsigned char key[4];

    params.version = seal->version;
    params.form = SE_FORM_RAW;
    TRY(seal_text(&text, seal, err));
    TRY(seal_key(key, seal, signer, err));
    TRY(se_sign(&signature, h->engine, h->descriptor, buf_bytes(&text), &params, err));
    return seal_note(note, seal, key, buf_bytes(&signature), err);
}

se_status seal_make(struct known *out, se_buf *note, struct se_history *h,
                    const struct chain *chain, const struct sealing *what, se_error *err)
{
    const se_verifier *signer;

    *out = (struct known){
        .seal = { .event = what->event, .subject = what->subject, .time = what->time }
    };
    TRY(history_verifier(&signer, h, 0, err));
    TRY(describe(&out->seal, h, chain, signer, err));
    TRY(sign(note, h, &out->seal, signer, err));
    out->seals = out->seal.number;
    return note_hash(&out->hash, buf_bytes(note), err);
}

se_status seal_put(struct se_history *h, struct chain *chain, const struct known *made,
                   se_bytes note, se_error *err)
{
    const struct sealed stored = { made->seal.number, made->seal.size, note };

    TRY(h->store->type->put_seal(h->store, chain, &stored, err));
    chain->seals = made->seals;
    chain->last = made->hash;
    return h->store->type->put_chain(h->store, chain, err);
}

se_status history_seal(struct known *out, struct se_history *h, struct chain *chain,
                       const struct sealing *what, se_error *err)
{
    AUTO(se_buf) note = SE_BUF_INIT;
    se_status st = seal_make(out, &note, h, chain, what, err);

    return st ? st : seal_put(h, chain, out, buf_bytes(&note), err);
}
