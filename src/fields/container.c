#include "fields/container.h"

#include <openssl/crypto.h>

#include "crypto/crypto.h"
#include "fields/aes.h"
#include "fields/nx02.h"

_Static_assert((int)CONTAINER_SECRET == (int)NX02_SECRET,
               "fields and containers have the same secret");

enum { PLACE = 9, SEALED_MOST = CONTAINER_PIECE + AES_BLOCK + NX02_HASH };

/* What the pieces of one container are made with. */
struct pieces {
    struct kit *kit;
    enum cipher cipher;
    unsigned bits;
    uint64_t number; /* of the next piece */
    unsigned char key[NX02_HASH], cipher_key[NX02_HASH], tag_key[NX02_HASH], commitment[NX02_HASH];
};

static void pieces_wipe(struct pieces *p)
{
    OPENSSL_cleanse(p, sizeof *p);
}
AUTO_KIND(pieces, struct pieces, pieces_wipe(p))

static void put_number(unsigned char out[8], uint64_t number)
{
    for (size_t i = 0; i < 8; i++)
        out[i] = (unsigned char)(number >> (56 - 8 * i));
}

static bool derive(unsigned char out[NX02_HASH], const struct pieces *p, const char *purpose)
{
    const se_bytes info = text_bytes(purpose);

    return nx02_expand(out, p->kit, p->key, &info, 1);
}

/* All keys from the data key, which knows the head, the salt and the context. */
static se_status begin(struct pieces *p, const struct data_key *data_key,
                       const unsigned char salt[NX02_SALT], se_bytes context, se_error *err)
{
    unsigned char size[8];
    const se_bytes info[] = {
        text_bytes("NX02 container"), { salt, NX02_SALT }, { size, sizeof size }, context
    };

    put_number(size, context.size);
    if (!nx02_expand(p->key, p->kit, data_key->derived.data, info, sizeof info / sizeof *info) ||
        !derive(p->cipher_key, p, "NX02 cipher") || !derive(p->tag_key, p, "NX02 tag") ||
        !derive(p->commitment, p, "NX02 commitment"))
        return nx02_failed(err);
    return SE_OK;
}

/* ---- one piece ---- */

static size_t tag_size(const struct pieces *p)
{
    return p->cipher == CIPHER_AES_GCM ? GCM_TAG : NX02_HASH;
}

static size_t sealed_size(const struct pieces *p, size_t plain)
{
    return aes_size(p->cipher, plain) + tag_size(p);
}

/* Which piece it is, and whether none follows: what is moved, left out, repeated or cut off has
 * another IV and another tag. */
struct place {
    unsigned char bytes[PLACE];
    unsigned char iv[NX02_HASH];
};

static bool place_of(struct place *out, const struct pieces *p, bool last)
{
    const se_bytes info[] = { text_bytes("NX02 IV"), { out->bytes, PLACE } };

    put_number(out->bytes, p->number);
    out->bytes[PLACE - 1] = last;
    if (p->cipher == CIPHER_AES_CBC)
        return nx02_expand(out->iv, p->kit, p->key, info, 2);
    memset(out->iv, 0, GCM_IV - PLACE);
    memcpy(out->iv + GCM_IV - PLACE, out->bytes, PLACE);
    return true;
}

static struct aes aes_of(const struct pieces *p, const struct place *place)
{
    return (struct aes){ p->cipher, p->bits, p->cipher_key, place->iv, NULL, 0, GCM_TAG };
}

/* Encrypt-then-MAC, of CBC. */
static bool authenticate(unsigned char out[NX02_HASH], const struct pieces *p,
                         const struct place *place, se_bytes text)
{
    const se_bytes covered[] = { { place->bytes, PLACE }, text };

    return kit_hmac(out, p->kit, DIGEST_SHA256, (se_bytes){ p->tag_key, NX02_HASH }, covered, 2);
}

static se_status seal_piece(const se_sink *out, struct pieces *p, se_bytes plain, bool last,
                            se_error *err)
{
    unsigned char sealed[SEALED_MOST], *tag = sealed + aes_size(p->cipher, plain.size);
    struct place place;
    struct aes aes;

    if (!place_of(&place, p, last))
        return nx02_failed(err);
    aes = aes_of(p, &place);
    TRY(aes_encrypt(sealed, tag, p->kit, &aes, plain, err));
    if (p->cipher == CIPHER_AES_CBC &&
        !authenticate(tag, p, &place, (se_bytes){ sealed, (size_t)(tag - sealed) }))
        return nx02_failed(err);
    p->number++;
    return sink_write(out, (se_bytes){ sealed, sealed_size(p, plain.size) }, err);
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
    const unsigned char *tag = (const unsigned char *)sealed.data + sealed.size - tag_size(p);
    const se_bytes text = { sealed.data, sealed.size - tag_size(p) };
    AUTO(se_buf) plain = SE_BUF_INIT;
    unsigned char expected[NX02_HASH];
    struct place place;
    struct aes aes;
    se_status st;

    if (sealed.size < tag_size(p))
        return envelope_refused(err);
    if (!place_of(&place, p, last) ||
        (p->cipher == CIPHER_AES_CBC && !authenticate(expected, p, &place, text)))
        return nx02_failed(err);
    if (p->cipher == CIPHER_AES_CBC && CRYPTO_memcmp(expected, tag, NX02_HASH) != 0)
        return envelope_refused(err);
    aes = aes_of(p, &place);
    if ((st = aes_decrypt(&plain, p->kit, &aes, text, tag, err)))
        return st == SE_ERR_REJECTED ? envelope_refused(err) : st;
    if (!has_right_size(p, plain.size, last))
        return envelope_refused(err);
    p->number++;
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

static se_status write_head(const se_sink *out, const struct pieces *p, const struct data_key *key,
                            const unsigned char *salt, se_error *err)
{
    TRY(sink_write(out, buf_bytes(&key->head), err));
    TRY(sink_write(out, (se_bytes){ salt, NX02_SALT }, err));
    return p->cipher == CIPHER_AES_GCM
               ? sink_write(out, (se_bytes){ p->commitment, NX02_HASH }, err)
               : SE_OK;
}

se_status container_seal(const se_sink *out, struct data_key *key, const struct seal_job *job,
                         struct stream *in, se_error *err)
{
    AUTO(pieces) p = {
        .kit = job->kit,
        .cipher = job->algorithm->cipher,
        .bits = job->algorithm->bits,
    };
    unsigned char salt[NX02_SALT];

    TRY(nx02_prepare(key, job, NX02_CONTAINER, err));
    TRY(crypto_draw_public(salt, sizeof salt, err));
    TRY(begin(&p, key, salt, job->context, err));
    TRY(write_head(out, &p, key, salt, err));
    return each_piece(out, &p, in, CONTAINER_PIECE, seal_piece, err);
}

bool container_resembles(se_bytes beginning)
{
    const se_bytes marked = { beginning.data,
                              beginning.size < NX02_MAGIC_SIZE ? beginning.size : NX02_MAGIC_SIZE };

    return envelope_marked(marked, NX02_MAGIC);
}

se_status container_read(struct envelope *out, struct kit *kit, struct stream *in, se_error *err)
{
    unsigned char first[NX02_HEAD];
    size_t got, wrapped, size;
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
        st = got < wrapped ? envelope_refused(err)
                           : nx02_envelope(out, &size, kit, NX02_CONTAINER, err);
    if (st)
        envelope_free(out);
    return st;
}

/* The commitment, of GCM: that alone lets one text be decrypted with two keys, to two things. */
static se_status read_commitment(const struct pieces *p, struct stream *in, se_error *err)
{
    unsigned char commitment[NX02_HASH];
    size_t got;

    TRY(read_full(&got, in, commitment, sizeof commitment, err));
    if (got < sizeof commitment || CRYPTO_memcmp(commitment, p->commitment, sizeof commitment) != 0)
        return envelope_refused(err);
    return SE_OK;
}

static void note_algorithm(struct pieces *p, const struct envelope *envelope)
{
    struct reader r = reader_of(buf_bytes(&envelope->bytes));
    struct nx02_head head;

    (void)nx02_head_get(&head, &r);
    p->cipher = nx02_cipher(&head);
    p->bits = 8 * head.key_bytes;
}

se_status container_open(const se_sink *out, struct data_key *key, const struct open_job *job,
                         struct stream *in, se_error *err)
{
    AUTO(pieces) p = { .kit = job->kit };
    unsigned char salt[NX02_SALT];
    size_t got;
    se_status st = SE_OK;

    note_algorithm(&p, job->envelope);
    TRY(nx02_prepare_open(key, job->envelope, p.kit, err));
    TRY(read_full(&got, in, salt, sizeof salt, err));
    if (got < sizeof salt)
        return envelope_refused(err);
    TRY(begin(&p, key, salt, job->context, err));
    if (p.cipher == CIPHER_AES_GCM && (st = read_commitment(&p, in, err)))
        return st;
    return each_piece(out, &p, in, sealed_size(&p, CONTAINER_PIECE), open_piece, err);
}
