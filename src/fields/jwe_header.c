#include "fields/jwe_header.h"

#include <jansson.h>

#include "base/base64.h"

enum { JSON_LIMIT = 16384 };

AUTO_KIND(json, json_t *, json_decref(*p))

static const struct jwe_enc encs[] = {
    { "A128CBC-HS256", CIPHER_AES_CBC, 128, DIGEST_SHA256 },
    { "A192CBC-HS384", CIPHER_AES_CBC, 192, DIGEST_SHA384 },
    { "A256CBC-HS512", CIPHER_AES_CBC, 256, DIGEST_SHA512 },
    { "A128GCM", CIPHER_AES_GCM, 128, DIGEST_NONE },
    { "A192GCM", CIPHER_AES_GCM, 192, DIGEST_NONE },
    { "A256GCM", CIPHER_AES_GCM, 256, DIGEST_NONE },
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

const struct jwe_enc *jwe_enc_find(enum cipher cipher, unsigned bits)
{
    for (size_t i = 0; i < COUNT(encs); i++)
        if (encs[i].cipher == cipher && encs[i].bits == bits)
            return &encs[i];
    return NULL;
}

size_t jwe_secret_size(const struct jwe_enc *enc)
{
    return enc->bits / 8 * (enc->cipher == CIPHER_AES_CBC ? 2 : 1);
}

static const char *alg_name(const struct unwrap_how *how)
{
    for (size_t i = 0; i < COUNT(algs); i++)
        if (algs[i].digest == how->digest && algs[i].digest == how->mgf1)
            return algs[i].name;
    return NULL;
}

static se_status put_hash(struct writer *w, const char *name, const unsigned char hash[HEADER_HASH],
                          se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    se_status st = base64url_encode(&text, (se_bytes){ hash, HEADER_HASH }, err);

    if (!st)
        writer_format(w, ",\"%s\":\"%s\"", name, (const char *)text.data);
    return st;
}

se_status jwe_header_begin(struct writer *w, const struct jwe_header *header, se_error *err)
{
    const char *alg = alg_name(&header->how);

    if (!alg)
        return error_set(err, SE_ERR_CONFIG,
                         "JWE has no name for OAEP with one hash and MGF1 with another");
    writer_format(w, "{\"alg\":\"%s\",\"enc\":\"%s\"", alg, header->enc->name);
    return put_hash(w, "kid", header->key, err);
}

se_status jwe_header_context(struct writer *w, const unsigned char context[HEADER_HASH],
                             se_error *err)
{
    return put_hash(w, "ctx", context, err);
}

static const char *string_of(const json_t *header, const char *name)
{
    const char *text = json_string_value(json_object_get(header, name));

    return text ? text : "";
}

static bool read_alg(struct jwe_header *out, const char *name)
{
    for (size_t i = 0; i < COUNT(algs); i++)
        if (strcmp(algs[i].name, name) == 0) {
            out->how = (struct unwrap_how){ algs[i].digest, algs[i].digest };
            return true;
        }
    return false;
}

static bool read_enc(struct jwe_header *out, const char *name)
{
    for (size_t i = 0; i < COUNT(encs); i++)
        if (strcmp(encs[i].name, name) == 0)
            out->enc = &encs[i];
    return out->enc != NULL;
}

static bool read_hash(unsigned char out[HEADER_HASH], const char *text)
{
    AUTO(se_buf) hash = SE_BUF_INIT;

    if (base64url_decode(&hash, text_bytes(text), NULL) || hash.size != HEADER_HASH)
        return false;
    memcpy(out, hash.data, HEADER_HASH);
    return true;
}

/* What has to be understood (crit) is not, and nothing is compressed. */
bool jwe_header_read(struct jwe_header *out, se_bytes text)
{
    AUTO(json) header = text.size <= JSON_LIMIT
                            ? json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, NULL)
                            : NULL;

    *out = (struct jwe_header){ .enc = NULL };
    if (!json_is_object(header) || json_object_get(header, "crit") ||
        json_object_get(header, "zip"))
        return false;
    out->has_key = read_hash(out->key, string_of(header, "kid"));
    out->has_context = json_object_get(header, "ctx") != NULL;
    if (out->has_context && !read_hash(out->context, string_of(header, "ctx")))
        return false;
    return read_alg(out, string_of(header, "alg")) && read_enc(out, string_of(header, "enc"));
}
