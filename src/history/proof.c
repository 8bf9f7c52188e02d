/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs that an entry belongs to a chain (doc/formats.md). */

#include <stdio.h>

#include "base/arguments.h"
#include "base/base64.h"
#include "base/reader.h"
#include "history/history.h"
#include "history/subtree.h"

static const char head[] = "signengine/history/proof 1\n";
static const char begin_certificate[] = "-----BEGIN CERTIFICATE-----\n",
                  end_certificate[] = "-----END CERTIFICATE-----\n";
enum { PEM_LINE = 64, PROOF_LIMIT = 64 << 20 };

void se_history_proof_free(se_history_proof *proof)
{
    if (!proof)
        return;
    se_buf_free(&proof->object);
    se_buf_free(&proof->payload);
    *proof = (se_history_proof){ .seq = 0 };
}

/* ---- writing ---- */

struct proof_writing {
    struct writer *w;
    const struct chain *chain;
    bool found;
};

static se_status write_entry(void *arg, const struct row *row, se_error *err)
{
    struct proof_writing *p = arg;
    AUTO(writer) entry = { 0 };

    TRY(entry_encode(&entry, row, &p->chain->id, err));
    p->found = true;
    writer_text(p->w, "entry ");
    writer_base64(p->w, buf_bytes(&entry.buf));
    if (!entry_erased(row)) {
        writer_text(p->w, "\npayload ");
        writer_base64(p->w, row->salt);
        writer_text(p->w, " ");
        writer_base64(p->w, row->payload);
    }
    writer_text(p->w, "\n");
    return SE_OK;
}

static void write_certificate(struct writer *w, se_bytes der)
{
    AUTO(se_buf) text = SE_BUF_INIT;

    if (base64_encode(&text, der, NULL))
        w->failed = true;
    writer_text(w, begin_certificate);
    for (size_t at = 0; at < text.size; at += PEM_LINE) {
        writer_put(w, text.data + at, text.size - at < PEM_LINE ? text.size - at : PEM_LINE);
        writer_text(w, "\n");
    }
    writer_text(w, end_certificate);
}

static se_status write_proof(struct writer *w, se_history *h, struct chain_store *store,
                             const struct chain *chain, uint64_t seq, se_error *err)
{
    struct latest last;
    AUTO(se_buf) note = SE_BUF_INIT;
    struct proof_writing p = { w, chain, false };
    const se_verifier *signer;
    struct inclusion_proof inclusion;

    writer_text(w, head);
    TRY(store->type->read_rows(store, &(struct range){ chain, seq, seq }, write_entry, &p, err));
    if (!p.found || seq > chain->frontier.size)
        return error_set(err, SE_ERR_USAGE, "chain '%s' has no entry %ju", h->chain,
                         (uintmax_t)seq);
    TRY(latest_load(&last, h, store, chain, err));
    TRY(inclusion_proof_make(&inclusion, store, chain, seq - 1, err));
    TRY(checkpoint_read(&note, store, chain, chain->checkpoints, err));
    TRY(checkpoint_verifier(&signer, h, last.checkpoint.version, err));
    for (unsigned i = 0; i < inclusion.count; i++) {
        writer_text(w, "hash ");
        writer_base64(w, hash_bytes(&inclusion.hashes[i]));
        writer_text(w, "\n");
    }
    writer_text(w, "\n");
    writer_put(w, note.data, note.size);
    writer_text(w, "\n");
    write_certificate(w, se_verifier_certificate(signer));
    return w->failed ? error_memory(err) : SE_OK;
}

/* What comes from the store is verified before it is handed out. */
se_status se_history_prove(se_buf *out, se_history *history, uint64_t seq, se_error *error)
{
    AUTO(chain_store) store = NULL;
    AUTO(writer) w = { 0 };
    se_history_proof proof = { .seq = 0 };
    struct chain chain;
    se_status st;

    if (out)
        *out = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, out, history));
    TRY(history_open_reader(&store, &chain, history, error));
    TRY(write_proof(&w, history, store, &chain, seq, error));
    st = se_history_verify_proof(&proof, buf_bytes(&w.buf), (se_bytes){ NULL, 0 }, error);
    se_history_proof_free(&proof);
    if (!st)
        return writer_finish(out, &w, error);
    (void)error_prefix(error, st, "chain '%s': entry %ju: it can't be proved: ", history->chain,
                       (uintmax_t)seq);
    return st;
}

/* ---- reading ---- */

struct parsed_proof {
    se_buf entry, salt, payload;
    bool erased;
    struct inclusion_proof inclusion;
    struct signed_note note;
    se_bytes certificate;
};

static void parsed_free(struct parsed_proof *p)
{
    se_buf_free(&p->entry);
    se_buf_free(&p->salt);
    se_buf_free(&p->payload);
}
AUTO_KIND(parsed_proof, struct parsed_proof, parsed_free(p))

/* Takes `word` and what follows it up to `end`; false: it is not there. */
static bool take_word(se_bytes *out, se_bytes *left, const char *word, char end)
{
    size_t size = strlen(word);
    const char *at = left->data, *stop;

    if (left->size < size || strncmp(at, word, size) != 0)
        return false;
    stop = memchr(at + size, end, left->size - size);
    if (!stop)
        return false;
    *out = (se_bytes){ at + size, (size_t)(stop - at) - size };
    *left = (se_bytes){ stop + 1, left->size - (size_t)(stop + 1 - at) };
    return true;
}

static bool take_base64(se_buf *out, se_bytes *left, const char *word, char end)
{
    se_bytes text;

    return take_word(&text, left, word, end) && !base64_decode(out, text, NULL);
}

static bool take_head(se_bytes *left)
{
    const size_t size = sizeof head - 1;

    if (left->size < size || strncmp(left->data, head, size) != 0)
        return false;
    *left = (se_bytes){ (const char *)left->data + size, left->size - size };
    return true;
}

static bool parse_hash(struct inclusion_proof *inclusion, se_bytes text)
{
    AUTO(se_buf) bytes = SE_BUF_INIT;

    if (inclusion->count == FRONTIER_MOST || base64_decode(&bytes, text, NULL) ||
        bytes.size != HASH_SIZE)
        return false;
    memcpy(&inclusion->hashes[inclusion->count++], bytes.data, HASH_SIZE);
    return true;
}

static bool parse_entry(struct parsed_proof *p, se_bytes *left)
{
    se_bytes word;

    if (!take_head(left) || !take_base64(&p->entry, left, "entry ", '\n'))
        return false;
    p->erased = !take_word(&word, left, "payload ", ' ');
    if (!p->erased && (base64_decode(&p->salt, word, NULL) || p->salt.size != SALT_SIZE ||
                       !take_base64(&p->payload, left, "", '\n')))
        return false;
    while (take_word(&word, left, "hash ", '\n'))
        if (!parse_hash(&p->inclusion, word))
            return false;
    return take_word(&word, left, "", '\n') && !word.size;
}

/* The note ends where the certificate begins, an empty line before it. */
static bool parse_proof(struct parsed_proof *p, se_bytes proof)
{
    se_bytes left = proof, note;
    const char *begin;

    if (proof.size > PROOF_LIMIT || !parse_entry(p, &left) ||
        !(begin = memmem(left.data, left.size, begin_certificate, sizeof begin_certificate - 1)) ||
        begin == left.data || begin[-1] != '\n')
        return false;
    note = (se_bytes){ left.data, (size_t)(begin - 1 - (const char *)left.data) };
    p->certificate = (se_bytes){ begin, left.size - note.size - 1 };
    return !signed_note_parse(&p->note, note, NULL);
}

/* What the canonical encoding says (entry_encode() writes it). */
static se_status check_proof_entry(se_history_proof *out, struct row *row, struct parsed_proof *p,
                                   se_error *err)
{
    struct reader r = reader_of(buf_bytes(&p->entry));
    struct hash commitment, stated = { { 0 } };
    se_bytes id, object, last;
    uint64_t edition = reader_number(&r, 1);

    id = reader_take(&r, CHAIN_ID_SIZE);
    row->seq = reader_number(&r, 8);
    row->time = (int64_t)reader_number(&r, 8);
    object = reader_take(&r, reader_number(&r, 2));
    last = reader_take(&r, HASH_SIZE);
    if (r.failed || r.left || edition != 1 || !row->seq || object.size > OBJECT_MOST)
        return error_set(err, SE_ERR_FORMAT, "not the proof of a history's entry");
    if (memcmp(id.data, &p->note.checkpoint.id, CHAIN_ID_SIZE) != 0)
        return error_set(err, SE_ERR_REJECTED,
                         "the entry is one of another chain than the seal's, '%s'",
                         p->note.checkpoint.chain);
    memcpy(&stated, last.data, HASH_SIZE);
    row->object = object;
    row->salt = p->erased ? (se_bytes){ "", 0 } : buf_bytes(&p->salt);
    row->payload = p->erased ? last : buf_bytes(&p->payload);
    TRY(entry_commitment(&commitment, row, err));
    if (!hash_equal(&commitment, &stated))
        return error_set(err, SE_ERR_REJECTED, "the payload is not that of the entry");
    out->erased = p->erased;
    return buf_copy(&out->object, object, err);
}

static se_status check_inclusion(const struct parsed_proof *p, const struct row *row, se_error *err)
{
    const struct checkpoint *checkpoint = &p->note.checkpoint;
    struct hash leaf, root;

    TRY(entry_leaf(&leaf, row, &checkpoint->id, err));
    TRY(inclusion_proof_root(&root, &p->inclusion, &leaf, row->seq - 1, checkpoint->size, err));
    return hash_equal(&root, &checkpoint->root)
               ? SE_OK
               : error_set(err, SE_ERR_REJECTED, "the entry is not the one that the seal covers");
}

static se_status check_checkpoint(se_history_proof *out, const struct parsed_proof *p,
                                  se_bytes certificate, se_error *err)
{
    se_verifier *signer;
    struct hash hash;
    se_bytes der;
    se_status st;

    TRY(se_verifier_read(&signer, certificate.size ? certificate : p->certificate,
                         p->note.checkpoint.algorithm, err));
    st = signed_note_verify(&p->note, signer, err);
    se_verifier_signer(&out->signer, signer);
    out->signer.version = p->note.checkpoint.version;
    der = se_verifier_certificate(signer);
    if (!st && !hash_sha256(&hash, &der, 1))
        st = error_memory(err);
    for (size_t i = 0; !st && i < HASH_SIZE; i++)
        (void)snprintf(out->fingerprint + 2 * i, 3, "%02x", hash.bytes[i]);
    se_verifier_close(&signer);
    return st;
}

static se_status verify_parsed(se_history_proof *out, struct parsed_proof *p, se_bytes certificate,
                               se_error *err)
{
    const struct checkpoint *checkpoint = &p->note.checkpoint;
    struct row row = { .seq = 0 };

    TRY(check_proof_entry(out, &row, p, err));
    TRY(check_inclusion(p, &row, err));
    TRY(check_checkpoint(out, p, certificate, err));
    memcpy(out->chain, checkpoint->chain, sizeof checkpoint->chain);
    out->seq = row.seq;
    out->time_us = row.time;
    out->size = checkpoint->size;
    out->sealed_us = checkpoint->time;
    out->payload = MOVE(p->payload);
    return SE_OK;
}

se_status se_history_verify_proof(se_history_proof *out, se_bytes proof, se_bytes certificate,
                                  se_error *error)
{
    AUTO(parsed_proof) p = { .erased = true };
    se_status st;

    if (out)
        *out = (se_history_proof){ .seq = 0 };
    TRY(arguments_check(error, out, given_bytes(proof), given_bytes(certificate)));
    if (!parse_proof(&p, proof))
        return error_set(error, SE_ERR_FORMAT, "not the proof of a history's entry");
    st = verify_parsed(out, &p, certificate, error);
    if (st)
        se_history_proof_free(out);
    return st;
}
