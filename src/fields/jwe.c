/* JWE in its compact serialization (RFC 7516, 3.1), with a context that its header has the hash of
 * (doc/formats.md). */
#include <openssl/crypto.h>

#include "base/base64.h"
#include "crypto/crypto.h"
#include "fields/aes.h"
#include "fields/envelope.h"
#include "fields/jwe_header.h"

enum { PARTS = 5, HEADER = 0, WRAPPED, IV, TEXT, TAG };

/* Between the dots. */
static bool split(se_bytes parts[PARTS], se_bytes value)
{
    const char *at = value.size ? value.data : "", *end = at + value.size;

    for (size_t i = 0; i < PARTS; i++) {
        const char *dot = at ? memchr(at, '.', (size_t)(end - at)) : NULL;

        if ((dot == NULL) != (i == PARTS - 1))
            return false;
        parts[i] = (se_bytes){ at, (size_t)((dot ? dot : end) - at) };
        at = dot ? dot + 1 : NULL;
    }
    return true;
}

static bool resembles(se_bytes value)
{
    se_bytes parts[PARTS];

    return envelope_marked(value, "eyJ") ||
           (value.size && split(parts, value) && parts[HEADER].size);
}

static size_t secret_size(const struct algorithm *algorithm)
{
    return jwe_secret_size(jwe_enc_find(algorithm->cipher, algorithm->bits));
}

/* ---- the parts ---- */

static size_t tag_size(const struct jwe_enc *enc)
{
    return enc->cipher == CIPHER_AES_CBC ? enc->bits / 8 : GCM_TAG;
}

/* RFC 7518, 5.2.2: the MAC key is the first half, AES has the second.  GCM has all of it. */
static struct aes aes_of(const struct jwe_enc *enc, const struct data_key *key,
                         const unsigned char *iv, const se_bytes *aad)
{
    bool cbc = enc->cipher == CIPHER_AES_CBC;

    return (struct aes){
        .cipher = enc->cipher,
        .bits = enc->bits,
        .key = key->secret.data + (cbc ? enc->bits / 8 : 0),
        .iv = iv,
        .aad = cbc ? NULL : aad,
        .aad_count = cbc ? 0 : 1,
        .tag_size = GCM_TAG,
    };
}

/* What the tag of CBC is over, in this order. */
struct covered {
    se_bytes aad, iv, text;
};

static bool authenticate(unsigned char out[HASH_MAX], struct kit *kit, const struct jwe_enc *enc,
                         const struct data_key *key, const struct covered *c)
{
    unsigned char bits[8];
    const se_bytes pieces[] = { c->aad, c->iv, c->text, { bits, sizeof bits } };

    for (size_t i = 0; i < sizeof bits; i++)
        bits[i] = (unsigned char)((uint64_t)c->aad.size * 8 >> (56 - 8 * i));
    return kit_hmac(out, kit, enc->digest, (se_bytes){ key->secret.data, enc->bits / 8 }, pieces,
                    sizeof pieces / sizeof *pieces);
}

static bool context_hash(unsigned char out[HEADER_HASH], struct kit *kit, se_bytes context)
{
    return kit_hash(out, kit, DIGEST_SHA256, &context, 1);
}

static se_status failed(se_error *err)
{
    return error_set(err, SE_ERR_CRYPTO, "hashing failed");
}

/* ---- making ---- */

static se_status prepare_seal(struct data_key *key, const struct seal_job *job, se_error *err)
{
    const struct algorithm *a = job->algorithm;
    struct jwe_header header = { .how = { a->oaep, a->mgf1 },
                                 .enc = jwe_enc_find(a->cipher, a->bits) };
    AUTO(writer) w = { 0 };

    memcpy(header.key, job->recipient->key->id, HEADER_HASH);
    TRY(jwe_header_begin(&w, &header, err));
    TRY(writer_finish(&key->head, &w, err));
    return base64url_encode(&key->derived, buf_bytes(&key->wrapped), err);
}

static se_status put(struct writer *w, const char *before, se_bytes part, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    se_status st = base64url_encode(&text, part, err);

    writer_text(w, before);
    writer_put(w, text.data, text.size);
    return st;
}

static se_status put_header(struct writer *w, const struct seal_job *job, se_error *err)
{
    AUTO(writer) json = { 0 };
    unsigned char hash[HEADER_HASH];
    se_status st;

    writer_put(&json, job->key->head.data, job->key->head.size);
    if (job->context.size && !context_hash(hash, job->kit, job->context))
        return failed(err);
    if (job->context.size && (st = jwe_header_context(&json, hash, err)))
        return st;
    writer_text(&json, "}");
    return json.failed ? error_memory(err) : put(w, "", buf_bytes(&json.buf), err);
}

struct sealed {
    unsigned char iv[AES_BLOCK], tag[HASH_MAX];
    se_buf text;
};

static se_status encrypt(struct sealed *s, const struct seal_job *job, se_bytes aad, se_error *err)
{
    const struct algorithm *a = job->algorithm;
    const struct jwe_enc *enc = jwe_enc_find(a->cipher, a->bits);
    const struct aes aes = aes_of(enc, job->key, s->iv, &aad);
    se_status st;

    memcpy(s->iv, a->iv, a->iv_size);
    if ((!a->iv_size && (st = crypto_draw_public(s->iv, aes_iv_size(a->cipher), err))) ||
        (st = buf_new(&s->text, aes_size(a->cipher, job->plain.size), err)) ||
        (st = aes_encrypt(s->text.data, s->tag, job->kit, &aes, job->plain, err)))
        return st;
    if (a->cipher == CIPHER_AES_CBC &&
        !authenticate(s->tag, job->kit, enc, job->key,
                      &(struct covered){ aad, { s->iv, AES_BLOCK }, buf_bytes(&s->text) }))
        return failed(err);
    return SE_OK;
}

static se_status seal(se_buf *out, const struct seal_job *job, se_error *err)
{
    const struct algorithm *a = job->algorithm;
    struct sealed s = { .text = SE_BUF_INIT };
    AUTO(writer) w = { 0 };
    se_status st = put_header(&w, job, err);

    *out = (se_buf)SE_BUF_INIT;
    if (!st)
        st = encrypt(&s, job, buf_bytes(&w.buf), err);
    writer_text(&w, ".");
    writer_put(&w, job->key->derived.data, job->key->derived.size);
    if (!st && !(st = put(&w, ".", (se_bytes){ s.iv, aes_iv_size(a->cipher) }, err)) &&
        !(st = put(&w, ".", buf_bytes(&s.text), err)))
        st = put(&w, ".", (se_bytes){ s.tag, tag_size(jwe_enc_find(a->cipher, a->bits)) }, err);
    se_buf_free(&s.text);
    return st ? st : writer_finish(out, &w, err);
}

/* ---- reading ---- */

static se_status read_value(struct envelope *out, struct kit *kit, se_bytes value, se_error *err)
{
    AUTO(se_buf) json = SE_BUF_INIT;
    struct jwe_header header;
    unsigned char hashes[2];
    se_bytes parts[PARTS], pieces[2];

    if (!split(parts, value) || base64url_decode(&json, parts[HEADER], NULL) ||
        !jwe_header_read(&header, buf_bytes(&json)) ||
        base64url_decode(&out->decoded, parts[WRAPPED], NULL))
        return envelope_refused(err);
    TRY(buf_copy(&out->bytes, value, err));
    TRY(buf_copy(&out->details, (se_bytes){ &header, sizeof header }, err));
    out->how = header.how;
    out->wrapped = buf_bytes(&out->decoded);
    out->anybody = true;
    hashes[0] = (unsigned char)header.how.digest;
    hashes[1] = (unsigned char)header.how.mgf1;
    pieces[0] = (se_bytes){ hashes, sizeof hashes };
    pieces[1] = out->wrapped;
    return kit_hash(out->id, kit, DIGEST_SHA256, pieces, 2) ? SE_OK : failed(err);
}

static const struct jwe_header *header_of(const struct envelope *envelope)
{
    return (const struct jwe_header *)(const void *)envelope->details.data;
}

static bool is_for(const struct envelope *envelope, const struct recipient *recipient)
{
    const struct jwe_header *header = header_of(envelope);

    return header->has_key && CRYPTO_memcmp(header->key, recipient->key->id, HEADER_HASH) == 0;
}

static se_status prepare_open(struct data_key *key, const struct envelope *envelope,
                              struct kit *kit, se_error *err)
{
    (void)kit;
    return key->secret.size == jwe_secret_size(header_of(envelope)->enc) ? SE_OK
                                                                         : envelope_refused(err);
}

static bool in_context(const struct open_job *job)
{
    const struct jwe_header *header = header_of(job->envelope);
    unsigned char hash[HEADER_HASH];

    if (!header->has_context || !job->context.size)
        return !header->has_context && !job->context.size;
    return context_hash(hash, job->kit, job->context) &&
           CRYPTO_memcmp(hash, header->context, HEADER_HASH) == 0;
}

static bool genuine(const struct open_job *job, const struct covered *c, se_bytes tag)
{
    const struct jwe_enc *enc = header_of(job->envelope)->enc;
    unsigned char expected[HASH_MAX];

    if (c->iv.size != aes_iv_size(enc->cipher) || tag.size != tag_size(enc))
        return false;
    return enc->cipher == CIPHER_AES_GCM || (authenticate(expected, job->kit, enc, job->key, c) &&
                                             CRYPTO_memcmp(expected, tag.data, tag.size) == 0);
}

static se_status open_value(se_buf *out, const struct open_job *job, se_error *err)
{
    AUTO(se_buf) iv = SE_BUF_INIT;
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(se_buf) tag = SE_BUF_INIT;
    se_bytes parts[PARTS];
    struct covered c;
    struct aes aes;
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    if (!in_context(job) || !split(parts, buf_bytes(&job->envelope->bytes)) ||
        base64url_decode(&iv, parts[IV], NULL) || base64url_decode(&text, parts[TEXT], NULL) ||
        base64url_decode(&tag, parts[TAG], NULL))
        return envelope_refused(err);
    c = (struct covered){ parts[HEADER], buf_bytes(&iv), buf_bytes(&text) };
    if (!genuine(job, &c, buf_bytes(&tag)))
        return envelope_refused(err);
    aes = aes_of(header_of(job->envelope)->enc, job->key, iv.data, &parts[HEADER]);
    st = aes_decrypt(out, job->kit, &aes, c.text, tag.data, err);
    return st == SE_ERR_REJECTED ? envelope_refused(err) : st;
}

const struct envelope_format jwe_format = {
    .name = "JWE",
    .binds_context = true,
    .resembles = resembles,
    .secret_size = secret_size,
    .prepare_seal = prepare_seal,
    .seal = seal,
    .read = read_value,
    .is_for = is_for,
    .prepare_open = prepare_open,
    .open = open_value,
};
