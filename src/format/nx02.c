/* NX02 (doc/formats.md): the making and the reading of a value, face to face. */
#include <openssl/crypto.h>

#include "base/base64.h"
#include "base/reader.h"
#include "format/aes.h"
#include "format/envelope.h"

#define MAGIC "NX02"
#define TEXT  "NX02:" /* base64 follows */

enum { EDITION = 1, MAGIC_SIZE = 4, TEXT_SIZE = 5, SECRET = 32, SHORT_ID = 16, SALT = 16, HASH = 32, HEAD_SIZE = 31 };

/* What all values of a data key begin with. */
struct head {
    unsigned cipher, key_bytes, oaep, mgf1, version;
    se_bytes key_id, wrapped;
};

static const enum cipher ciphers[] = { CIPHER_NONE, CIPHER_AES_CBC, CIPHER_AES_GCM };
static const enum digest digests[] = { DIGEST_NONE, DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };

#define CODE_OF(table, value) code_of((const unsigned *)(table), sizeof(table) / sizeof *(table), (value))
#define VALUE_OF(table, code) ((code) < sizeof(table) / sizeof *(table) ? (table)[code] : (table)[0])

static unsigned code_of(const unsigned *table, size_t count, unsigned value)
{
    for (size_t i = 0; i < count; i++)
        if (table[i] == value)
            return (unsigned)i;
    return 0;
}

static void put_head(struct writer *w, const struct head *h)
{
    writer_expect(w, HEAD_SIZE + h->wrapped.size + 1);
    writer_put(w, MAGIC, MAGIC_SIZE);
    writer_number(w, EDITION, 1);
    writer_number(w, h->cipher, 1);
    writer_number(w, h->key_bytes, 1);
    writer_number(w, h->oaep, 1);
    writer_number(w, h->mgf1, 1);
    writer_number(w, h->version, 4);
    writer_put(w, h->key_id.data, SHORT_ID);
    writer_number(w, h->wrapped.size, 2);
    writer_put(w, h->wrapped.data, h->wrapped.size);
}

static bool get_head(struct head *h, struct reader *r)
{
    se_bytes magic = reader_take(r, MAGIC_SIZE);
    bool known = !r->failed && CRYPTO_memcmp(magic.data, MAGIC, MAGIC_SIZE) == 0 && reader_number(r, 1) == EDITION;

    h->cipher = (unsigned)reader_number(r, 1);
    h->key_bytes = (unsigned)reader_number(r, 1);
    h->oaep = (unsigned)reader_number(r, 1);
    h->mgf1 = (unsigned)reader_number(r, 1);
    h->version = (unsigned)reader_number(r, 4);
    h->key_id = reader_take(r, SHORT_ID);
    h->wrapped = reader_take(r, (size_t)reader_number(r, 2));
    return known && !r->failed && VALUE_OF(ciphers, h->cipher) && VALUE_OF(digests, h->oaep) && VALUE_OF(digests, h->mgf1) &&
           (h->key_bytes == 16 || h->key_bytes == 24 || h->key_bytes == 32);
}

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

static se_status failed(se_error *err)
{
    return error_set(err, SE_ERR_CRYPTO, "SHA-256 failed");
}

/* The first block of HKDF-Expand (RFC 5869, 2.3): no more is needed. */
static bool expand(unsigned char out[HASH], struct kit *kit, const unsigned char from[HASH], const char *purpose, se_bytes bound)
{
    static const unsigned char one = 1;
    const se_bytes info[] = { text_bytes(purpose), bound, { &one, 1 } };

    return kit_hmac(out, kit, DIGEST_SHA256, (se_bytes){ from, HASH }, info, sizeof info / sizeof *info);
}

/* What all keys of all values come from: HKDF of the secret, bound to the head, and so to the algorithms and the wrapped key. */
static se_status derive(struct data_key *key, struct kit *kit, se_bytes head, se_error *err)
{
    static const unsigned char no_salt[HASH];
    const se_bytes secret = buf_bytes(&key->secret);
    unsigned char extracted[HASH];
    se_status st = buf_new(&key->derived, HASH, err);
    bool done = !st && kit_hmac(extracted, kit, DIGEST_SHA256, (se_bytes){ no_salt, HASH }, &secret, 1) &&
                expand(key->derived.data, kit, extracted, "NX02 data key", head);

    OPENSSL_cleanse(extracted, sizeof extracted);
    return st ? st : done ? SE_OK : failed(err);
}

/* A key of one value, for one purpose. */
static bool value_key(unsigned char out[HASH], struct kit *kit, const struct data_key *key, const char *purpose, const unsigned char *salt)
{
    return expand(out, kit, key->derived.data, purpose, (se_bytes){ salt, SALT });
}

static size_t secret_size(const struct algorithm *algorithm)
{
    (void)algorithm;
    return SECRET;
}

static se_status prepare_seal(struct data_key *key, const struct seal_job *job, se_error *err)
{
    const struct algorithm *a = job->algorithm;
    const struct head head = {
        .cipher = CODE_OF(ciphers, a->cipher),
        .key_bytes = a->bits / 8,
        .oaep = CODE_OF(digests, a->oaep),
        .mgf1 = CODE_OF(digests, a->mgf1),
        .version = job->recipient->version,
        .key_id = { job->recipient->key->id, SHORT_ID },
        .wrapped = buf_bytes(&key->wrapped),
    };
    AUTO(writer) w = { 0 };
    se_status st;

    put_head(&w, &head);
    st = writer_finish(&key->head, &w, err);
    return st ? st : derive(key, job->kit, buf_bytes(&key->head), err);
}

static se_status prepare_open(struct data_key *key, const struct envelope *envelope, struct kit *kit, se_error *err)
{
    const unsigned char *head = envelope->bytes.data, *end = (const unsigned char *)envelope->wrapped.data + envelope->wrapped.size;

    if (key->secret.size != SECRET)
        return envelope_refused(err);
    return derive(key, kit, (se_bytes){ head, (size_t)(end - head) }, err);
}

/* ---- values ---- */

/* What the tag is over: the context, told apart from what follows by its size, and the value up to `end`. */
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
static bool authenticate(unsigned char out[HASH], struct kit *kit, const struct data_key *key, se_bytes context, const unsigned char *value,
                         const struct body *b)
{
    unsigned char tag_key[HASH];
    struct covered c;
    bool done;

    cover(&c, context, value, b->tag);
    done = value_key(tag_key, kit, key, "NX02 tag", value + b->salt) &&
           kit_hmac(out, kit, DIGEST_SHA256, (se_bytes){ tag_key, HASH }, c.pieces, sizeof c.pieces / sizeof *c.pieces);
    OPENSSL_cleanse(tag_key, sizeof tag_key);
    return done;
}

/* GCM alone lets one text be decrypted with two keys, to two things. */
static bool commit(unsigned char out[HASH], struct kit *kit, const struct data_key *key, const unsigned char *value, const struct body *b)
{
    return value_key(out, kit, key, "NX02 commitment", value + b->salt);
}

static struct aes aes_of(const struct body *b, unsigned bits, const unsigned char *key, const unsigned char *value, const struct covered *c)
{
    bool gcm = b->cipher == CIPHER_AES_GCM;

    return (struct aes){ b->cipher, bits, key, value + b->iv, gcm ? c->pieces : NULL, gcm ? sizeof c->pieces / sizeof *c->pieces : 0,
                         GCM_TAG };
}

static se_status encrypt(unsigned char *value, const struct body *b, const struct seal_job *job, se_error *err)
{
    unsigned char key[HASH];
    struct covered c;
    struct aes aes;
    se_status st;

    cover(&c, job->context, value, b->text);
    aes = aes_of(b, job->algorithm->bits, key, value, &c);
    if (!value_key(key, job->kit, job->key, "NX02 cipher", value + b->salt))
        return failed(err);
    st = aes_encrypt(value + b->text, value + b->tag, job->kit, &aes, job->plain, err);
    OPENSSL_cleanse(key, sizeof key);
    if (!st && b->cipher == CIPHER_AES_CBC && !authenticate(value + b->tag, job->kit, job->key, job->context, value, b))
        return failed(err);
    return st;
}

static se_status fill(unsigned char *value, const struct body *b, const struct seal_job *job, se_error *err)
{
    const struct algorithm *a = job->algorithm;
    se_status st;

    memcpy(value, job->key->head.data, job->key->head.size);
    if ((st = kit_random(value + b->salt, job->kit, SALT, err)))
        return st;
    if (a->iv_size)
        memcpy(value + b->iv, a->iv, a->iv_size);
    else if ((st = kit_random(value + b->iv, job->kit, aes_iv_size(b->cipher), err)))
        return st;
    if (b->cipher == CIPHER_AES_GCM && !commit(value + b->commitment, job->kit, job->key, value, b))
        return failed(err);
    return encrypt(value, b, job, err);
}

static se_status to_text(se_buf *out, const se_buf *value, se_error *err)
{
    se_status st = buf_new(out, TEXT_SIZE + base64_size(value->size), err);

    if (st)
        return st;
    memcpy(out->data, TEXT, TEXT_SIZE);
    base64_write(out->data + TEXT_SIZE, buf_bytes(value));
    return SE_OK;
}

static se_status seal(se_buf *out, const struct seal_job *job, se_error *err)
{
    const struct algorithm *a = job->algorithm;
    const struct body b = body_at(job->key->head.size, a->cipher, aes_size(a->cipher, job->plain.size));
    AUTO(se_buf) value = SE_BUF_INIT;
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    if ((st = buf_new(&value, b.end, err)) || (st = fill(value.data, &b, job, err)))
        return st;
    if (!job->binary)
        return to_text(out, &value, err);
    *out = buf_move(&value);
    return SE_OK;
}

static bool resembles(se_bytes value)
{
    return envelope_marked(value, MAGIC);
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
    struct reader r;
    struct head head;
    se_bytes covered;
    se_status st = is_text(value) ? to_binary(&out->bytes, value, err) : buf_copy(&out->bytes, value, err);

    if (st)
        return st;
    r = reader_of(buf_bytes(&out->bytes));
    if (!get_head(&head, &r) || r.left < SALT)
        return envelope_refused(err);
    out->how = (struct unwrap_how){ VALUE_OF(digests, head.oaep), VALUE_OF(digests, head.mgf1) };
    out->wrapped = head.wrapped;
    covered = (se_bytes){ out->bytes.data, out->bytes.size - r.left };
    return kit_hash(out->id, kit, DIGEST_SHA256, &covered, 1) ? SE_OK : failed(err);
}

static bool is_for(const struct envelope *envelope, const struct recipient *recipient)
{
    struct reader r = reader_of(buf_bytes(&envelope->bytes));
    struct head head;

    return get_head(&head, &r) && CRYPTO_memcmp(head.key_id.data, recipient->key->id, SHORT_ID) == 0;
}

/* Before anything is decrypted.  GCM checks its tag by itself, and hands nothing out if it is wrong. */
static bool genuine(const struct open_job *job, const struct body *b)
{
    const unsigned char *value = job->envelope->bytes.data;
    unsigned char expected[HASH];
    bool same;

    if (b->cipher == CIPHER_AES_GCM)
        same = commit(expected, job->kit, job->key, value, b) && CRYPTO_memcmp(expected, value + b->commitment, HASH) == 0;
    else
        same = authenticate(expected, job->kit, job->key, job->context, value, b) && CRYPTO_memcmp(expected, value + b->tag, HASH) == 0;
    OPENSSL_cleanse(expected, sizeof expected);
    return same;
}

static se_status decrypt(se_buf *out, const struct open_job *job, const struct body *b, unsigned bits, se_error *err)
{
    const unsigned char *value = job->envelope->bytes.data;
    unsigned char key[HASH];
    struct covered c;
    struct aes aes;
    se_status st;

    cover(&c, job->context, value, b->text);
    aes = aes_of(b, bits, key, value, &c);
    if (!value_key(key, job->kit, job->key, "NX02 cipher", value + b->salt))
        return failed(err);
    st = aes_decrypt(out, job->kit, &aes, (se_bytes){ value + b->text, b->tag - b->text }, value + b->tag, err);
    OPENSSL_cleanse(key, sizeof key);
    return st == SE_ERR_REJECTED ? envelope_refused(err) : st;
}

static se_status open_value(se_buf *out, const struct open_job *job, se_error *err)
{
    struct reader r = reader_of(buf_bytes(&job->envelope->bytes));
    struct head head;
    struct body b;

    *out = (se_buf)SE_BUF_INIT;
    if (!get_head(&head, &r))
        return envelope_refused(err);
    b = body_at(job->envelope->bytes.size - r.left, VALUE_OF(ciphers, head.cipher), 0);
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
    .is_for = is_for,
    .prepare_open = prepare_open,
    .open = open_value,
};
