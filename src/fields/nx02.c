/* NX02 fields (doc/formats.md): the making and the reading of a value, face to face. */
#include <openssl/crypto.h>

#include "base/base64.h"
#include "crypto/crypto.h"
#include "fields/aes.h"
#include "fields/nx02.h"

#define TEXT "NX02:" /* base64 follows */

enum { TEXT_SIZE = 5, SALT = NX02_SALT, HASH = NX02_HASH };

/* The rest of a value, as places in it. */
struct body {
    enum cipher cipher;
    size_t salt, iv, commitment, text, tag, end;
};

static size_t tag_size(enum cipher cipher)
{
    return cipher == CIPHER_AES_GCM ? GCM_TAG : HASH;
}

static struct body body_at(size_t head, enum cipher cipher, size_t text)
{
    struct body b = { .cipher = cipher, .salt = head };

    b.iv = b.salt + SALT;
    b.commitment = b.iv + aes_iv_size(cipher);
    b.text = b.commitment + (cipher == CIPHER_AES_GCM ? HASH : 0);
    b.tag = b.text + text;
    b.end = b.tag + tag_size(cipher);
    return b;
}

/* ---- keys ---- */

/* A key of one value, for one purpose. */
static bool value_key(unsigned char out[HASH], struct kit *kit, const struct data_key *key,
                      const char *purpose, const unsigned char *salt)
{
    const se_bytes info[] = { text_bytes(purpose), { salt, SALT } };

    return nx02_expand(out, kit, key->derived.data, info, 2);
}

static size_t secret_size(const struct algorithm *algorithm)
{
    (void)algorithm;
    return NX02_SECRET;
}

static se_status prepare_seal(struct data_key *key, const struct seal_job *job, se_error *err)
{
    return nx02_prepare(key, job, NX02_FIELD, err);
}

/* ---- values ---- */

/* What the tag is over: the context, told apart from what follows by its size, and the value up to
 * `end`. */
struct covered {
    unsigned char size[8];
    se_bytes pieces[3];
};

static void cover(struct covered *c, se_bytes context, const unsigned char *value, size_t end)
{
    for (size_t i = 0; i < sizeof c->size; i++)
        c->size[i] = (unsigned char)((uint64_t)context.size >> (56 - 8 * i));
    c->pieces[0] = (se_bytes){ c->size, sizeof c->size };
    c->pieces[1] = context;
    c->pieces[2] = (se_bytes){ value, end };
}

/* The tag of CBC: encrypt-then-MAC. */
static bool authenticate(unsigned char out[HASH], struct kit *kit, const struct data_key *key,
                         se_bytes context, const unsigned char *value, const struct body *b)
{
    unsigned char tag_key[HASH];
    struct covered c;
    bool done;

    cover(&c, context, value, b->tag);
    done = value_key(tag_key, kit, key, "NX02 tag", value + b->salt) &&
           kit_hmac(out, kit, DIGEST_SHA256, (se_bytes){ tag_key, HASH }, c.pieces,
                    sizeof c.pieces / sizeof *c.pieces);
    OPENSSL_cleanse(tag_key, sizeof tag_key);
    return done;
}

/* GCM alone lets one text be decrypted with two keys, to two things. */
static bool commit(unsigned char out[HASH], struct kit *kit, const struct data_key *key,
                   const unsigned char *value, const struct body *b)
{
    return value_key(out, kit, key, "NX02 commitment", value + b->salt);
}

static struct aes aes_of(const struct body *b, unsigned bits, const unsigned char *key,
                         const unsigned char *value, const struct covered *c)
{
    bool gcm = b->cipher == CIPHER_AES_GCM;

    return (struct aes){ b->cipher,
                         bits,
                         key,
                         value + b->iv,
                         gcm ? c->pieces : NULL,
                         gcm ? sizeof c->pieces / sizeof *c->pieces : 0,
                         GCM_TAG };
}

static se_status encrypt(unsigned char *value, const struct body *b, const struct seal_job *job,
                         se_error *err)
{
    unsigned char key[HASH];
    struct covered c;
    struct aes aes;
    se_status st;

    cover(&c, job->context, value, b->text);
    aes = aes_of(b, job->algorithm->bits, key, value, &c);
    if (!value_key(key, job->kit, job->key, "NX02 cipher", value + b->salt))
        return nx02_failed(err);
    st = aes_encrypt(value + b->text, value + b->tag, job->kit, &aes, job->plain, err);
    OPENSSL_cleanse(key, sizeof key);
    if (!st && b->cipher == CIPHER_AES_CBC &&
        !authenticate(value + b->tag, job->kit, job->key, job->context, value, b))
        return nx02_failed(err);
    return st;
}

static se_status fill(unsigned char *value, const struct body *b, const struct seal_job *job,
                      se_error *err)
{
    const struct algorithm *a = job->algorithm;
    se_status st = SE_OK;

    memcpy(value, job->key->head.data, job->key->head.size);
    TRY(crypto_draw_public(value + b->salt, SALT, err));
    if (a->iv_size)
        memcpy(value + b->iv, a->iv, a->iv_size);
    else if ((st = crypto_draw_public(value + b->iv, aes_iv_size(b->cipher), err)))
        return st;
    if (b->cipher == CIPHER_AES_GCM && !commit(value + b->commitment, job->kit, job->key, value, b))
        return nx02_failed(err);
    return encrypt(value, b, job, err);
}

static se_status to_text(se_buf *out, const se_buf *value, se_error *err)
{
    TRY(buf_new(out, TEXT_SIZE + base64_size(value->size), err));
    memcpy(out->data, TEXT, TEXT_SIZE);
    base64_write(out->data + TEXT_SIZE, buf_bytes(value));
    return SE_OK;
}

static se_status seal(se_buf *out, const struct seal_job *job, se_error *err)
{
    const struct algorithm *a = job->algorithm;
    const struct body b =
        body_at(job->key->head.size, a->cipher, aes_size(a->cipher, job->plain.size));
    AUTO(se_buf) value = SE_BUF_INIT;

    *out = (se_buf)SE_BUF_INIT;
    TRY(buf_new(&value, b.end, err));
    TRY(fill(value.data, &b, job, err));
    if (!job->binary)
        return to_text(out, &value, err);
    *out = buf_move(&value);
    return SE_OK;
}

static bool resembles(se_bytes value)
{
    return envelope_marked(value, NX02_MAGIC);
}

static bool is_text(se_bytes value)
{
    return value.size >= TEXT_SIZE && CRYPTO_memcmp(value.data, TEXT, TEXT_SIZE) == 0;
}

static se_status to_binary(se_buf *out, se_bytes value, se_error *err)
{
    const se_bytes digits = { (const char *)value.data + TEXT_SIZE, value.size - TEXT_SIZE };

    return base64_decode(out, digits, NULL) ? envelope_refused(err) : SE_OK;
}

static se_status read_value(struct envelope *out, struct kit *kit, se_bytes value, se_error *err)
{
    se_status st =
        is_text(value) ? to_binary(&out->bytes, value, err) : buf_copy(&out->bytes, value, err);
    size_t head;

    if (st || (st = nx02_envelope(out, &head, kit, NX02_FIELD, err)))
        return st;
    return out->bytes.size - head < SALT ? envelope_refused(err) : SE_OK;
}

/* Before anything is decrypted.  GCM checks its tag by itself, and hands nothing out if it is
 * wrong. */
static bool genuine(const struct open_job *job, const struct body *b)
{
    const unsigned char *value = job->envelope->bytes.data;
    unsigned char expected[HASH];
    bool same;

    if (b->cipher == CIPHER_AES_GCM)
        same = commit(expected, job->kit, job->key, value, b) &&
               CRYPTO_memcmp(expected, value + b->commitment, HASH) == 0;
    else
        same = authenticate(expected, job->kit, job->key, job->context, value, b) &&
               CRYPTO_memcmp(expected, value + b->tag, HASH) == 0;
    OPENSSL_cleanse(expected, sizeof expected);
    return same;
}

static se_status decrypt(se_buf *out, const struct open_job *job, const struct body *b,
                         unsigned bits, se_error *err)
{
    const unsigned char *value = job->envelope->bytes.data;
    unsigned char key[HASH];
    struct covered c;
    struct aes aes;
    se_status st;

    cover(&c, job->context, value, b->text);
    aes = aes_of(b, bits, key, value, &c);
    if (!value_key(key, job->kit, job->key, "NX02 cipher", value + b->salt))
        return nx02_failed(err);
    st = aes_decrypt(out, job->kit, &aes, (se_bytes){ value + b->text, b->tag - b->text },
                     value + b->tag, err);
    OPENSSL_cleanse(key, sizeof key);
    return st == SE_ERR_REJECTED ? envelope_refused(err) : st;
}

static se_status open_value(se_buf *out, const struct open_job *job, se_error *err)
{
    struct reader r = reader_of(buf_bytes(&job->envelope->bytes));
    struct nx02_head head;
    struct body b;

    *out = (se_buf)SE_BUF_INIT;
    if (!nx02_head_get(&head, &r))
        return envelope_refused(err);
    b = body_at(job->envelope->bytes.size - r.left, nx02_cipher(&head), 0);
    if (b.end > job->envelope->bytes.size)
        return envelope_refused(err);
    b = body_at(b.salt, b.cipher, job->envelope->bytes.size - b.end);
    if (!genuine(job, &b))
        return envelope_refused(err);
    return decrypt(out, job, &b, 8 * head.key_bytes, err);
}

const struct envelope_format nx02_format = {
    .name = "NX02",
    .binds_context = true,
    .own_keys = true,
    .resembles = resembles,
    .secret_size = secret_size,
    .prepare_seal = prepare_seal,
    .seal = seal,
    .read = read_value,
    .is_for = nx02_is_for,
    .prepare_open = nx02_prepare_open,
    .open = open_value,
};
