#include "fields/nx02.h"

#include <openssl/crypto.h>

static const enum cipher ciphers[] = { CIPHER_NONE, CIPHER_AES_CBC, CIPHER_AES_GCM };
static const enum digest digests[] = { DIGEST_NONE, DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384,
                                       DIGEST_SHA512 };
enum { SHORT_ID = 16 };

#define CODE_OF(table, value)                                                                      \
    code_of((const unsigned *)(table), sizeof(table) / sizeof *(table), (value))
#define VALUE_OF(table, code)                                                                      \
    ((code) < sizeof(table) / sizeof *(table) ? (table)[code] : (table)[0])

static unsigned code_of(const unsigned *table, size_t count, unsigned value)
{
    for (size_t i = 0; i < count; i++)
        if (table[i] == value)
            return (unsigned)i;
    return 0;
}

static void put(struct writer *w, const struct nx02_head *h)
{
    writer_expect(w, NX02_HEAD + h->wrapped.size + 1);
    writer_put(w, NX02_MAGIC, NX02_MAGIC_SIZE);
    writer_number(w, h->edition, 1);
    writer_number(w, h->cipher, 1);
    writer_number(w, h->key_bytes, 1);
    writer_number(w, h->oaep, 1);
    writer_number(w, h->mgf1, 1);
    writer_number(w, h->version, 4);
    writer_put(w, h->key_id.data, SHORT_ID);
    writer_number(w, h->wrapped.size, 2);
    writer_put(w, h->wrapped.data, h->wrapped.size);
}

bool nx02_head_get(struct nx02_head *h, struct reader *r)
{
    se_bytes magic = reader_take(r, NX02_MAGIC_SIZE);
    bool known = !r->failed && CRYPTO_memcmp(magic.data, NX02_MAGIC, NX02_MAGIC_SIZE) == 0;

    h->edition = (unsigned)reader_number(r, 1);
    h->cipher = (unsigned)reader_number(r, 1);
    h->key_bytes = (unsigned)reader_number(r, 1);
    h->oaep = (unsigned)reader_number(r, 1);
    h->mgf1 = (unsigned)reader_number(r, 1);
    h->version = (unsigned)reader_number(r, 4);
    h->key_id = reader_take(r, SHORT_ID);
    h->wrapped = reader_take(r, (size_t)reader_number(r, 2));
    return known && !r->failed && VALUE_OF(ciphers, h->cipher) && VALUE_OF(digests, h->oaep) &&
           VALUE_OF(digests, h->mgf1) &&
           (h->key_bytes == 16 || h->key_bytes == 24 || h->key_bytes == 32);
}

enum cipher nx02_cipher(const struct nx02_head *head)
{
    return VALUE_OF(ciphers, head->cipher);
}

size_t nx02_head_wrapped(const unsigned char head[NX02_HEAD])
{
    return (size_t)head[NX02_HEAD - 2] << 8 | head[NX02_HEAD - 1];
}

se_status nx02_failed(se_error *err)
{
    return error_set(err, SE_ERR_CRYPTO, "SHA-256 failed");
}

bool nx02_expand(unsigned char out[NX02_HASH], struct kit *kit, const unsigned char from[NX02_HASH],
                 const se_bytes *info, size_t count)
{
    static const unsigned char one = 1;
    se_bytes pieces[NX02_INFO_MOST + 1];

    for (size_t i = 0; i < count; i++)
        pieces[i] = info[i];
    pieces[count] = (se_bytes){ &one, 1 };
    return kit_hmac(out, kit, DIGEST_SHA256, (se_bytes){ from, NX02_HASH }, pieces, count + 1);
}

/* What all keys of all values come from: HKDF of the secret, bound to the head, and so to the
 * algorithms and the wrapped key. */
static se_status derive(struct data_key *key, struct kit *kit, se_bytes head, se_error *err)
{
    static const unsigned char no_salt[NX02_HASH];
    const se_bytes secret = buf_bytes(&key->secret), info[] = { text_bytes("NX02 data key"), head };
    unsigned char extracted[NX02_HASH];
    se_status st = buf_new(&key->derived, NX02_HASH, err);
    bool done =
        !st &&
        kit_hmac(extracted, kit, DIGEST_SHA256, (se_bytes){ no_salt, NX02_HASH }, &secret, 1) &&
        nx02_expand(key->derived.data, kit, extracted, info, 2);

    OPENSSL_cleanse(extracted, sizeof extracted);
    return st ? st : done ? SE_OK : nx02_failed(err);
}

se_status nx02_prepare(struct data_key *key, const struct seal_job *job, unsigned edition,
                       se_error *err)
{
    const struct algorithm *a = job->algorithm;
    const struct nx02_head head = {
        .edition = edition,
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

    put(&w, &head);
    st = writer_finish(&key->head, &w, err);
    return st ? st : derive(key, job->kit, buf_bytes(&key->head), err);
}

se_status nx02_prepare_open(struct data_key *key, const struct envelope *envelope, struct kit *kit,
                            se_error *err)
{
    const unsigned char *head = envelope->bytes.data,
                        *end =
                            (const unsigned char *)envelope->wrapped.data + envelope->wrapped.size;

    if (key->secret.size != NX02_SECRET)
        return envelope_refused(err);
    return derive(key, kit, (se_bytes){ head, (size_t)(end - head) }, err);
}

se_status nx02_envelope(struct envelope *out, size_t *size, struct kit *kit, unsigned edition,
                        se_error *err)
{
    struct reader r = reader_of(buf_bytes(&out->bytes));
    struct nx02_head head;
    se_bytes covered;

    if (!nx02_head_get(&head, &r) || head.edition != edition)
        return envelope_refused(err);
    *size = out->bytes.size - r.left;
    out->how = (struct unwrap_how){ VALUE_OF(digests, head.oaep), VALUE_OF(digests, head.mgf1) };
    out->wrapped = head.wrapped;
    out->version = head.version;
    covered = (se_bytes){ out->bytes.data, *size };
    return kit_hash_repeated(out->id, kit, covered) ? SE_OK : nx02_failed(err);
}

bool nx02_is_for(const struct envelope *envelope, const struct recipient *recipient)
{
    struct reader r = reader_of(buf_bytes(&envelope->bytes));
    struct nx02_head head;

    return nx02_head_get(&head, &r) &&
           CRYPTO_memcmp(head.key_id.data, recipient->key->id, SHORT_ID) == 0;
}
