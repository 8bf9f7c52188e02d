/* SPDX-License-Identifier: Apache-2.0 */
#include "fields/container.h"

#include <openssl/crypto.h>

#include "fields/nx02.h"

_Static_assert((int)CONTAINER_SECRET == (int)NX02_SECRET,
               "fields and containers have the same secret");

enum { PLACE = 9, SEALED_MOST = CONTAINER_PIECE + 2 * AES_BLOCK + 32 };

/* The pieces of one container: each is a body of NX02 whose context is its place. */
struct pieces {
    struct data_key *key;
    uint32_t number; /* of the next piece: no more random IVs than this counts, with GCM */
};

/* Which piece it is, and whether none follows: what is moved, left out, repeated or cut off does
 * not decrypt. */
static void place_of(unsigned char out[PLACE], const struct pieces *p, bool last)
{
    for (size_t i = 0; i < 8; i++)
        out[i] = (unsigned char)((uint64_t)p->number >> (56 - 8 * i));
    out[PLACE - 1] = last;
}

static se_status next_piece(struct pieces *p, se_error *err)
{
    if (p->number == UINT32_MAX)
        return error_set(err, SE_ERR_USAGE, "this is too long for a container");
    p->number++;
    return SE_OK;
}

static se_status seal_piece(const se_sink *out, struct pieces *p, se_bytes plain, bool last,
                            se_error *err)
{
    unsigned char place[PLACE], sealed[SEALED_MOST];
    const se_bytes body = { sealed, nx02_body_size(&p->key->aead, plain.size) };

    place_of(place, p, last);
    TRY(nx02_body_seal(sealed, p->key, (se_bytes){ place, PLACE }, plain, (se_bytes){ NULL, 0 },
                       err));
    TRY(next_piece(p, err));
    return sink_write(out, body, err);
}

/* A stream has one form only: pieces are full, but for the last, which is empty only when it is the
 * only one. */
static bool has_right_size(const struct pieces *p, size_t plain, bool last)
{
    return last ? plain <= CONTAINER_PIECE && (plain || !p->number) : plain == CONTAINER_PIECE;
}

static se_status open_piece(const se_sink *out, struct pieces *p, se_bytes sealed, bool last,
                            se_error *err)
{
    AUTO(se_buf) plain = SE_BUF_INIT;
    unsigned char place[PLACE];

    place_of(place, p, last);
    TRY(nx02_body_open(&plain, p->key, (se_bytes){ place, PLACE }, sealed, err));
    if (!has_right_size(p, plain.size, last))
        return envelope_refused(err);
    TRY(next_piece(p, err));
    return sink_write(out, buf_bytes(&plain), err);
}

/* ---- all pieces ---- */

/* As many bytes as there are, up to `size`. */
static se_status read_full(size_t *got, struct stream *in, void *data, size_t size, se_error *err)
{
    size_t n = 0;
    se_status st;

    for (*got = 0; *got < size; *got += n)
        if ((st = stream_read(&n, in, (char *)data + *got, size - *got, err)) || !n)
            return st;
    return SE_OK;
}

typedef se_status (*piece_fn)(const se_sink *out, struct pieces *p, se_bytes piece, bool last,
                              se_error *err);

/* Whether a piece is the last one is known when a byte more was asked for. */
static se_status each_piece(const se_sink *out, struct pieces *p, struct stream *in, size_t size,
                            piece_fn take, se_error *err)
{
    AUTO(se_buf) ahead = SE_BUF_INIT;
    size_t have = 0, got;
    bool last = false;
    se_status st = buf_new(&ahead, size + 1, err);

    while (!st && !last) {
        TRY(read_full(&got, in, ahead.data + have, ahead.size - have, err));
        have += got;
        last = have <= size;
        st = take(out, p, (se_bytes){ ahead.data, last ? have : size }, last, err);
        ahead.data[0] = ahead.data[size];
        have = 1;
    }
    return st;
}

se_status container_seal(const se_sink *out, const struct seal_job *job, struct stream *in,
                         se_error *err)
{
    struct pieces p = { .key = job->key };

    TRY(nx02_prepare_seal(job, NX02_CONTAINER, &job->context, err));
    TRY(sink_write(out, buf_bytes(&job->key->head), err));
    return each_piece(out, &p, in, CONTAINER_PIECE, seal_piece, err);
}

bool container_resembles(se_bytes beginning)
{
    const se_bytes marked = { beginning.data,
                              beginning.size < NX02_MAGIC_SIZE ? beginning.size : NX02_MAGIC_SIZE };

    return envelope_marked(marked, NX02_MAGIC);
}

se_status container_read(struct envelope *out, struct stream *in, se_error *err)
{
    unsigned char first[NX02_HEAD];
    size_t got, wrapped;
    se_status st;

    *out = (struct envelope){ .format = &nx02_format };
    TRY(read_full(&got, in, first, sizeof first, err));
    if (!container_resembles((se_bytes){ first, got }))
        return error_set(err, SE_ERR_FORMAT, got ? "this is no NX02 container" : "an empty file");
    if (got < sizeof first)
        return envelope_refused(err);
    wrapped = nx02_head_wrapped(first);
    TRY(buf_new(&out->bytes, NX02_HEAD + wrapped, err));
    memcpy(out->bytes.data, first, sizeof first);
    if (!(st = read_full(&got, in, out->bytes.data + NX02_HEAD, wrapped, err)))
        st = got < wrapped ? envelope_refused(err) : nx02_envelope(out, NX02_CONTAINER, err);
    if (st)
        envelope_free(out);
    return st;
}

/* What is behind the head: the commitment, of GCM. */
static se_status read_commitment(const struct data_key *key, size_t head, struct stream *in,
                                 se_error *err)
{
    unsigned char commitment[NX02_COMMITMENT];
    size_t size = key->head.size - head, got;

    TRY(read_full(&got, in, commitment, size, err));
    if (got < size || CRYPTO_memcmp(commitment, key->head.data + head, size) != 0)
        return envelope_refused(err);
    return SE_OK;
}

se_status container_open(const se_sink *out, const struct open_job *job, struct stream *in,
                         se_error *err)
{
    struct pieces p = { .key = job->key };

    TRY(nx02_prepare_open(job->key, job->envelope, &job->context, err));
    TRY(read_commitment(job->key, job->envelope->origin.size, in, err));
    return each_piece(out, &p, in, nx02_body_size(&job->key->aead, CONTAINER_PIECE), open_piece,
                      err);
}
