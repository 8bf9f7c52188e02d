/* SPDX-License-Identifier: Apache-2.0 */
/* JWE in its compact serialization (RFC 7516, 3.1), with a context that its header has the hash of
 * (doc/formats.md). */
#include <jansson.h>
#include <openssl/crypto.h>

#include "base/base64.h"
#include "fields/envelope.h"

/* ---- the protected header (RFC 7516, 4; RFC 7518, 4.1 and 5.1) ---- */

enum { HEADER_HASH = 32 };

/* Content encryption (RFC 7518, 5.1). */
struct jwe_enc {
    const char *name;
    struct aead_kind kind; /* CBC: HMAC has a key as long as AES has, and a tag as long */
};

struct jwe_header {
    struct unwrap_how how;
    const struct jwe_enc *enc;
    bool has_key, has_context;
    unsigned char key[HEADER_HASH];     /* kid: our id of the key, if it is one */
    unsigned char context[HEADER_HASH]; /* ctx (doc/formats.md): SHA-256 of the context */
};

enum { JSON_LIMIT = 16384 };

AUTO_KIND(json, json_t *, json_decref(*p))

#define CBC(bits, digest)                                                                          \
    {                                                                                              \
        CIPHER_AES_CBC, (bits), (digest), (bits) / 8                                               \
    }
#define GCM(bits)                                                                                  \
    {                                                                                              \
        CIPHER_AES_GCM, (bits), DIGEST_NONE, GCM_TAG                                               \
    }
static const struct jwe_enc encs[] = {
    { "A128CBC-HS256", CBC(128, DIGEST_SHA256) },
    { "A192CBC-HS384", CBC(192, DIGEST_SHA384) },
    { "A256CBC-HS512", CBC(256, DIGEST_SHA512) },
    { "A128GCM", GCM(128) },
    { "A192GCM", GCM(192) },
    { "A256GCM", GCM(256) },
};

/* RFC 7518, 4.3; the last two are of the W3C, in the same registry.  MGF1 has the same hash. */
static const struct {
    const char *name;
    enum digest digest;
} algs[] = {
    { "RSA-OAEP", DIGEST_SHA1 },
    { "RSA-OAEP-256", DIGEST_SHA256 },
    { "RSA-OAEP-384", DIGEST_SHA384 },
    { "RSA-OAEP-512", DIGEST_SHA512 },
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct jwe_enc *enc_find(const struct algorithm *a)
{
    for (size_t i = 0; i < COUNT(encs); i++)
        if (encs[i].kind.cipher == a->cipher && encs[i].kind.bits == a->bits)
            return &encs[i];
    return NULL;
}

static const char *header_alg(const struct unwrap_how *how)
{
    for (size_t i = 0; i < COUNT(algs); i++)
        if (algs[i].digest == how->digest && algs[i].digest == how->mgf1)
            return algs[i].name;
    return NULL;
}

static se_status header_put_hash(struct writer *w, const char *name,
                                 const unsigned char hash[HEADER_HASH], se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    se_status st = base64url_encode(&text, (se_bytes){ hash, HEADER_HASH }, err);

    if (!st)
        writer_format(w, ",\"%s\":\"%s\"", name, (const char *)text.data);
    return st;
}

static se_status header_begin(struct writer *w, const struct jwe_header *header, se_error *err)
{
    const char *alg = header_alg(&header->how);

    if (!alg)
        return error_set(err, SE_ERR_CONFIG,
                         "JWE has no name for OAEP with one hash and MGF1 with another");
    writer_format(w, "{\"alg\":\"%s\",\"enc\":\"%s\"", alg, header->enc->name);
    return header_put_hash(w, "kid", header->key, err);
}

static const char *header_text(const json_t *header, const char *name)
{
    const char *text = json_string_value(json_object_get(header, name));

    return text ? text : "";
}

static bool header_read_alg(struct jwe_header *out, const char *name)
{
    for (size_t i = 0; i < COUNT(algs); i++)
        if (strcmp(algs[i].name, name) == 0) {
            out->how = (struct unwrap_how){ algs[i].digest, algs[i].digest };
            return true;
        }
    return false;
}

static bool header_read_enc(struct jwe_header *out, const char *name)
{
    for (size_t i = 0; i < COUNT(encs); i++)
        if (strcmp(encs[i].name, name) == 0)
            out->enc = &encs[i];
    return out->enc != NULL;
}

static bool header_read_hash(unsigned char out[HEADER_HASH], const char *text)
{
    AUTO(se_buf) hash = SE_BUF_INIT;

    if (base64url_decode(&hash, text_bytes(text), NULL) || hash.size != HEADER_HASH)
        return false;
    memcpy(out, hash.data, HEADER_HASH);
    return true;
}

/* What has to be understood (crit) is not, and nothing is compressed. */
static bool header_read(struct jwe_header *out, se_bytes text)
{
    AUTO(json) header = text.size <= JSON_LIMIT
                            ? json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, NULL)
                            : NULL;

    *out = (struct jwe_header){ .enc = NULL };
    if (!json_is_object(header) || json_object_get(header, "crit") ||
        json_object_get(header, "zip"))
        return false;
    out->has_key = header_read_hash(out->key, header_text(header, "kid"));
    out->has_context = json_object_get(header, "ctx") != NULL;
    if (out->has_context && !header_read_hash(out->context, header_text(header, "ctx")))
        return false;
    return header_read_alg(out, header_text(header, "alg")) &&
           header_read_enc(out, header_text(header, "enc"));
}

/* ---- the parts ---- */

enum { PARTS = 5, HEADER = 0, WRAPPED, IV, TEXT, TAG };

/* Between the dots. */
static bool parts_split(se_bytes parts[PARTS], se_bytes value)
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

static bool jwe_resembles(se_bytes value)
{
    se_bytes parts[PARTS];

    return envelope_marked(value, "eyJ") ||
           (value.size && parts_split(parts, value) && parts[HEADER].size);
}

static size_t secret_size_of(const struct aead_kind *kind)
{
    return kind->bits / 8 * (kind->cipher == CIPHER_AES_CBC ? 2 : 1);
}

static size_t jwe_secret_size(const struct algorithm *algorithm)
{
    return secret_size_of(&enc_find(algorithm)->kind);
}

/* RFC 7518, 5.2.2: HMAC has the first half, AES the second.  GCM has all of it. */
static se_status keys_make(struct data_key *key, const struct aead_kind *kind, bool encrypt,
                           se_error *err)
{
    size_t half = kind->cipher == CIPHER_AES_CBC ? kind->bits / 8 : 0;

    return aead_init(&key->aead, kind, key->secret.data + half,
                     (se_bytes){ key->secret.data, half }, encrypt, err);
}

static se_status context_hash(unsigned char out[HEADER_HASH], se_bytes context, se_error *err)
{
    return crypto_sha256(out, &context, 1, err);
}

/* ---- making ---- */

static se_status jwe_prepare_seal(const struct seal_job *job, se_error *err)
{
    const struct algorithm *a = job->algorithm;
    struct jwe_header header = { .how = { a->oaep, a->mgf1 }, .enc = enc_find(a) };
    struct data_key *key = job->key;
    AUTO(writer) w = { 0 };

    memcpy(header.key, job->recipient->key->id, HEADER_HASH);
    TRY(header_begin(&w, &header, err));
    TRY(writer_finish(&key->head, &w, err));
    TRY(base64url_encode(&key->text, buf_bytes(&key->wrapped), err));
    return keys_make(key, &header.enc->kind, true, err);
}

static se_status put_part(struct writer *w, const char *before, se_bytes part, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;

    TRY(base64url_encode(&text, part, err));
    writer_text(w, before);
    writer_put(w, text.data, text.size);
    return SE_OK;
}

static se_status put_header(struct writer *w, const struct seal_job *job, se_error *err)
{
    AUTO(writer) json = { 0 };
    unsigned char hash[HEADER_HASH];

    writer_put(&json, job->key->head.data, job->key->head.size);
    if (job->context.size) {
        TRY(context_hash(hash, job->context, err));
        TRY(header_put_hash(&json, "ctx", hash, err));
    }
    writer_text(&json, "}");
    return json.failed ? error_memory(err) : put_part(w, "", buf_bytes(&json.buf), err);
}

static se_status put_encrypted(struct writer *w, const struct seal_job *job, se_error *err)
{
    const struct algorithm *a = job->algorithm;
    unsigned char iv[AES_BLOCK], tag[AEAD_TAG_MAX];
    const struct aead_input in = {
        .iv = iv,
        .aad = { buf_bytes(&w->buf) },
        .text = job->plain,
    };
    size_t iv_size = aead_iv_size(a->cipher);
    AUTO(se_buf) text = SE_BUF_INIT;

    TRY(data_key_iv(iv, job->key, iv_size, (se_bytes){ a->iv, a->iv_size }, err));
    TRY(buf_new(&text, aead_text_size(a->cipher, job->plain.size), err));
    TRY(aead_encrypt(text.data, tag, &job->key->aead, &in, err));
    writer_text(w, ".");
    writer_put(w, job->key->text.data, job->key->text.size);
    TRY(put_part(w, ".", (se_bytes){ iv, iv_size }, err));
    TRY(put_part(w, ".", buf_bytes(&text), err));
    return put_part(w, ".", (se_bytes){ tag, job->key->aead.kind.tag_size }, err);
}

static se_status jwe_seal(se_buf *out, const struct seal_job *job, se_error *err)
{
    AUTO(writer) w = { 0 };

    *out = (se_buf)SE_BUF_INIT;
    TRY(put_header(&w, job, err));
    if (w.failed)
        return error_memory(err);
    TRY(put_encrypted(&w, job, err));
    return writer_finish(out, &w, err);
}

/* ---- reading ---- */

static const struct jwe_header *header_of(const struct envelope *envelope)
{
    return (const struct jwe_header *)(const void *)envelope->details.data;
}

static se_status jwe_read(struct envelope *out, se_bytes value, se_error *err)
{
    AUTO(se_buf) json = SE_BUF_INIT;
    struct jwe_header header;
    se_bytes parts[PARTS];

    if (!parts_split(parts, value) || base64url_decode(&json, parts[HEADER], NULL) ||
        !header_read(&header, buf_bytes(&json)) ||
        base64url_decode(&out->decoded, parts[WRAPPED], NULL))
        return envelope_refused(err);
    TRY(buf_copy(&out->bytes, value, err));
    TRY(buf_copy(&out->details, (se_bytes){ &header, sizeof header }, err));
    out->how = header.how;
    out->kind = header.enc->kind;
    out->wrapped = out->origin = buf_bytes(&out->decoded);
    out->anybody = true;
    if (header.has_key)
        out->named_key = (se_bytes){ header_of(out)->key, HEADER_HASH };
    return SE_OK;
}

static bool jwe_is_for(const struct envelope *envelope, const struct recipient *recipient)
{
    const struct jwe_header *header = header_of(envelope);

    return header->has_key && CRYPTO_memcmp(header->key, recipient->key->id, HEADER_HASH) == 0;
}

static se_status jwe_prepare_open(struct data_key *key, const struct envelope *envelope,
                                  se_error *err)
{
    if (key->secret.size != secret_size_of(&envelope->kind))
        return envelope_refused(err);
    return keys_make(key, &envelope->kind, false, err);
}

static bool in_context(const struct open_job *job)
{
    const struct jwe_header *header = header_of(job->envelope);
    unsigned char hash[HEADER_HASH];

    if (!header->has_context || !job->context.size)
        return !header->has_context && !job->context.size;
    return !context_hash(hash, job->context, NULL) &&
           CRYPTO_memcmp(hash, header->context, HEADER_HASH) == 0;
}

static se_status jwe_open(se_buf *out, const struct open_job *job, se_error *err)
{
    struct aead *aead = &job->key->aead;
    AUTO(se_buf) iv = SE_BUF_INIT;
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(se_buf) tag = SE_BUF_INIT;
    se_bytes parts[PARTS];
    struct aead_input in;
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    if (!in_context(job) || !parts_split(parts, buf_bytes(&job->envelope->bytes)) ||
        base64url_decode(&iv, parts[IV], NULL) || base64url_decode(&text, parts[TEXT], NULL) ||
        base64url_decode(&tag, parts[TAG], NULL) || iv.size != aead_iv_size(aead->kind.cipher) ||
        tag.size != aead->kind.tag_size)
        return envelope_refused(err);
    in = (struct aead_input){
        .iv = iv.data,
        .aad = { parts[HEADER] },
        .text = buf_bytes(&text),
    };
    st = aead_decrypt(out, aead, &in, tag.data, err);
    return st == SE_ERR_REJECTED ? envelope_refused(err) : st;
}

const struct envelope_format jwe_format = {
    .name = "JWE",
    .binds_context = true,
    .resembles = jwe_resembles,
    .secret_size = jwe_secret_size,
    .prepare_seal = jwe_prepare_seal,
    .seal = jwe_seal,
    .read = jwe_read,
    .is_for = jwe_is_for,
    .prepare_open = jwe_prepare_open,
    .open = jwe_open,
};
