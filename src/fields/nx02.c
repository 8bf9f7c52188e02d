/* SPDX-License-Identifier: Apache-2.0 */
/* NX02 (doc/formats.md): the head, the keys, a body, and the fields made of them. */
#include "fields/nx02.h"

#include <openssl/crypto.h>

#include "base/base64.h"
#include "base/reader.h"

/* ---- the head: what all values of a data key begin with ---- */

static const enum cipher ciphers[] = { CIPHER_NONE, CIPHER_AES_CBC, CIPHER_AES_GCM };
static const enum digest digests[] = { DIGEST_NONE, DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384,
                                       DIGEST_SHA512 };
enum { SHORT_ID = 16 };

struct head {
    unsigned edition, cipher, key_bytes, oaep, mgf1, version;
    se_bytes key_id, wrapped;
};

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

static void head_put(struct writer *w, const struct head *h)
{
    writer_expect(w, NX02_HEAD + h->wrapped.size + NX02_COMMITMENT);
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

/* false: it is cut short, or holds what is not known. */
static bool head_get(struct head *h, struct reader *r)
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

size_t nx02_head_wrapped(const unsigned char head[NX02_HEAD])
{
    return (size_t)head[NX02_HEAD - 2] << 8 | head[NX02_HEAD - 1];
}

static struct aead_kind kind_of(enum cipher cipher, unsigned bits)
{
    bool gcm = cipher == CIPHER_AES_GCM;

    return (struct aead_kind){
        .cipher = cipher,
        .bits = bits,
        .digest = gcm ? DIGEST_NONE : DIGEST_SHA256,
        .tag_size = gcm ? GCM_TAG : 32,
    };
}

se_status nx02_envelope(struct envelope *out, unsigned edition, se_error *err)
{
    struct reader r = reader_of(buf_bytes(&out->bytes));
    struct head head;

    if (!head_get(&head, &r) || head.edition != edition)
        return envelope_refused(err);
    out->how = (struct unwrap_how){ VALUE_OF(digests, head.oaep), VALUE_OF(digests, head.mgf1) };
    out->wrapped = head.wrapped;
    out->origin = (se_bytes){ out->bytes.data, out->bytes.size - r.left };
    out->kind = kind_of(VALUE_OF(ciphers, head.cipher), 8 * head.key_bytes);
    out->version = head.version;
    return SE_OK;
}

static bool field_is_for(const struct envelope *envelope, const struct recipient *recipient)
{
    struct reader r = reader_of(buf_bytes(&envelope->bytes));
    struct head head;

    return head_get(&head, &r) &&
           CRYPTO_memcmp(head.key_id.data, recipient->key->id, SHORT_ID) == 0;
}

/* ---- the keys of a data key ---- */

static void put_size(unsigned char out[8], size_t size)
{
    for (size_t i = 0; i < 8; i++)
        out[i] = (unsigned char)((uint64_t)size >> (56 - 8 * i));
}

/* With another head, and so with another algorithm, wrapped key or version, all keys are others. */
static se_status keys_bind(struct data_key *key, se_bytes head, const se_bytes *context,
                           se_error *err)
{
    unsigned char size[8];
    se_bytes pieces[] = { head, { size, sizeof size }, { NULL, 0 } };

    if (context) {
        put_size(size, context->size);
        pieces[2] = *context;
    }
    return crypto_sha256(key->binding, pieces, context ? 3 : 1, err);
}

static se_status key_derive(unsigned char *out, size_t size, const struct data_key *key,
                            const char *purpose, se_error *err)
{
    AUTO(writer) info = { 0 };

    writer_text(&info, purpose);
    writer_put(&info, key->binding, sizeof key->binding);
    if (info.failed)
        return error_memory(err);
    return crypto_hkdf(out, size, buf_bytes(&key->secret), buf_bytes(&info.buf), err);
}

static se_status keys_make(struct data_key *key, const struct aead_kind *kind, bool encrypt,
                           se_error *err)
{
    unsigned char cipher_key[32], tag_key[32] = { 0 };
    se_status st = key_derive(cipher_key, kind->bits / 8, key, "NX02 cipher", err);

    if (!st && kind->cipher == CIPHER_AES_CBC)
        st = key_derive(tag_key, sizeof tag_key, key, "NX02 tag", err);
    if (!st)
        st = aead_init(&key->aead, kind, cipher_key, (se_bytes){ tag_key, sizeof tag_key }, encrypt,
                       err);
    OPENSSL_cleanse(cipher_key, sizeof cipher_key);
    OPENSSL_cleanse(tag_key, sizeof tag_key);
    return st;
}

/* The commitment is behind the head: GCM alone lets one text be decrypted with two keys, to two
 * things. */
static se_status keys_prepare(struct data_key *key, se_bytes head, const struct aead_kind *kind,
                              const se_bytes *context, bool encrypt, se_error *err)
{
    size_t more = kind->cipher == CIPHER_AES_GCM ? NX02_COMMITMENT : 0;

    TRY(keys_bind(key, head, context, err));
    TRY(keys_make(key, kind, encrypt, err));
    TRY(buf_new(&key->head, head.size + more, err));
    memcpy(key->head.data, head.data, head.size);
    return more ? key_derive(key->head.data + head.size, more, key, "NX02 commitment", err) : SE_OK;
}

se_status nx02_prepare_seal(const struct seal_job *job, unsigned edition, const se_bytes *context,
                            se_error *err)
{
    const struct algorithm *a = job->algorithm;
    const struct aead_kind kind = kind_of(a->cipher, a->bits);
    const struct head head = {
        .edition = edition,
        .cipher = CODE_OF(ciphers, a->cipher),
        .key_bytes = a->bits / 8,
        .oaep = CODE_OF(digests, a->oaep),
        .mgf1 = CODE_OF(digests, a->mgf1),
        .version = job->recipient->version,
        .key_id = { job->recipient->key->id, SHORT_ID },
        .wrapped = buf_bytes(&job->key->wrapped),
    };
    AUTO(writer) w = { 0 };

    head_put(&w, &head);
    if (w.failed)
        return error_memory(err);
    return keys_prepare(job->key, buf_bytes(&w.buf), &kind, context, true, err);
}

se_status nx02_prepare_open(struct data_key *key, const struct envelope *envelope,
                            const se_bytes *context, se_error *err)
{
    if (key->secret.size != NX02_SECRET)
        return envelope_refused(err);
    return keys_prepare(key, envelope->origin, &envelope->kind, context, false, err);
}

/* ---- a body ---- */

size_t nx02_body_size(const struct aead *aead, size_t plain)
{
    enum cipher cipher = aead->kind.cipher;

    return aead_iv_size(cipher) + aead_text_size(cipher, plain) + aead->kind.tag_size;
}

se_status nx02_body_seal(unsigned char *out, struct data_key *key, se_bytes context, se_bytes plain,
                         se_bytes fixed_iv, se_error *err)
{
    enum cipher cipher = key->aead.kind.cipher;
    unsigned char *text = out + aead_iv_size(cipher);
    const struct aead_input in = {
        .iv = out,
        .aad = { { key->binding, sizeof key->binding }, context },
        .text = plain,
    };

    TRY(data_key_iv(out, key, aead_iv_size(cipher), fixed_iv, err));
    return aead_encrypt(text, text + aead_text_size(cipher, plain.size), &key->aead, &in, err);
}

se_status nx02_body_open(se_buf *out, struct data_key *key, se_bytes context, se_bytes body,
                         se_error *err)
{
    size_t iv_size = aead_iv_size(key->aead.kind.cipher), tag_size = key->aead.kind.tag_size;
    const unsigned char *iv = body.data, *text = iv + iv_size;
    struct aead_input in = {
        .iv = iv,
        .aad = { { key->binding, sizeof key->binding }, context },
    };
    se_status st;

    if (body.size < iv_size + tag_size)
        return envelope_refused(err);
    in.text = (se_bytes){ text, body.size - iv_size - tag_size };
    st = aead_decrypt(out, &key->aead, &in, text + in.text.size, err);
    return st == SE_ERR_REJECTED ? envelope_refused(err) : st;
}

/* ---- fields: the head, one body ---- */

#define TEXT "NX02:" /* base64 follows */
enum { TEXT_SIZE = sizeof TEXT - 1 };

static bool field_resembles(se_bytes value)
{
    return envelope_marked(value, NX02_MAGIC);
}

static size_t field_secret_size(const struct algorithm *algorithm)
{
    (void)algorithm;
    return NX02_SECRET;
}

/* The digits of whole groups: a head is most of a short value, and the same in all of a data key.
 */
static size_t head_whole(const struct data_key *key)
{
    return key->head.size / 3 * 3;
}

static se_status head_to_text(struct data_key *key, se_error *err)
{
    const se_bytes whole = { key->head.data, head_whole(key) };

    TRY(buf_new(&key->text, TEXT_SIZE + base64_size(whole.size), err));
    memcpy(key->text.data, TEXT, TEXT_SIZE);
    base64_write(key->text.data + TEXT_SIZE, whole);
    return SE_OK;
}

static se_status field_prepare_seal(const struct seal_job *job, se_error *err)
{
    TRY(nx02_prepare_seal(job, NX02_FIELD, NULL, err));
    return job->binary ? SE_OK : head_to_text(job->key, err);
}

/* The value from its byte `from` on, which is in the head. */
static se_status field_seal_from(se_buf *out, size_t from, const struct seal_job *job,
                                 se_error *err)
{
    const struct algorithm *a = job->algorithm;
    const size_t head = job->key->head.size - from;
    AUTO(se_buf) value = SE_BUF_INIT;

    TRY(buf_new(&value, head + nx02_body_size(&job->key->aead, job->plain.size), err));
    memcpy(value.data, job->key->head.data + from, head);
    TRY(nx02_body_seal(value.data + head, job->key, job->context, job->plain,
                       (se_bytes){ a->iv, a->iv_size }, err));
    *out = MOVE(value);
    return SE_OK;
}

static se_status field_seal(se_buf *out, const struct seal_job *job, se_error *err)
{
    const se_buf *begin = &job->key->text;
    AUTO(se_buf) rest = SE_BUF_INIT;

    *out = (se_buf)SE_BUF_INIT;
    if (job->binary)
        return field_seal_from(out, 0, job, err);
    TRY(field_seal_from(&rest, head_whole(job->key), job, err));
    TRY(buf_new(out, begin->size + base64_size(rest.size), err));
    memcpy(out->data, begin->data, begin->size);
    base64_write(out->data + begin->size, buf_bytes(&rest));
    return SE_OK;
}

static bool is_text(se_bytes value)
{
    return value.size >= TEXT_SIZE && CRYPTO_memcmp(value.data, TEXT, TEXT_SIZE) == 0;
}

static se_status to_binary(se_buf *out, se_bytes value, se_error *err)
{
    const se_bytes digits = { (const char *)value.data + TEXT_SIZE, value.size - TEXT_SIZE };

    if (!is_text(value))
        return buf_copy(out, value, err);
    return base64_decode(out, digits, NULL) ? envelope_refused(err) : SE_OK;
}

static se_status field_read(struct envelope *out, se_bytes value, se_error *err)
{
    TRY(to_binary(&out->bytes, value, err));
    return nx02_envelope(out, NX02_FIELD, err);
}

static se_status field_prepare_open(struct data_key *key, const struct envelope *envelope,
                                    se_error *err)
{
    return nx02_prepare_open(key, envelope, NULL, err);
}

/* Everybody may see the head.  With GCM the commitment follows, which comes from the data key. */
static bool begins_with_head(const se_buf *value, const struct data_key *key)
{
    const size_t more = key->aead.kind.cipher == CIPHER_AES_GCM ? NX02_COMMITMENT : 0,
                 head = key->head.size - more;

    return value->size >= key->head.size && memcmp(value->data, key->head.data, head) == 0 &&
           CRYPTO_memcmp(value->data + head, key->head.data + head, more) == 0;
}

static se_status field_open(se_buf *out, const struct open_job *job, se_error *err)
{
    const se_buf *value = &job->envelope->bytes, *head = &job->key->head;

    *out = (se_buf)SE_BUF_INIT;
    if (!begins_with_head(value, job->key))
        return envelope_refused(err);
    return nx02_body_open(out, job->key, job->context,
                          (se_bytes){ value->data + head->size, value->size - head->size }, err);
}

const struct envelope_format nx02_format = {
    .name = "NX02",
    .binds_context = true,
    .resembles = field_resembles,
    .secret_size = field_secret_size,
    .prepare_seal = field_prepare_seal,
    .seal = field_seal,
    .read = field_read,
    .is_for = field_is_for,
    .prepare_open = field_prepare_open,
    .open = field_open,
};
