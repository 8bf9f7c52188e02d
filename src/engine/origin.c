/* SPDX-License-Identifier: Apache-2.0 */
/* With which versions of a descriptor something was made, as it says itself: nothing is verified,
 * and nothing is decrypted. */
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/base64.h"
#include "base/text.h"
#include "cms/cms.h"
#include "engine/engine.h"
#include "engine/trust_store.h"
#include "fields/container.h"
#include "jose/jws.h"
#include "xmldsig/xmldsig.h"

enum { PEEK = 65536, VALUE_LIMIT = 64 << 20, RAW_MOST = 1024, DER_HEAD = 32 };

/* Something that is looked at, and who hears of it. */
struct origin_search {
    struct engine *engine;
    const char *descriptor;
    const se_source *source;
    se_bytes peek; /* its beginning */
    bool is_whole; /* there is nothing behind that */
    se_version_fn fn;
    void *arg;
};

/* ---- the whole of it again, from its beginning ---- */

struct rewound {
    se_bytes head;
    const se_source *rest;
};

static ptrdiff_t rewound_read(void *arg, void *data, size_t size)
{
    struct rewound *r = arg;
    const size_t n = r->head.size < size ? r->head.size : size;

    if (!n)
        return r->rest->read(r->rest->arg, data, size);
    memcpy(data, r->head.data, n);
    r->head = (se_bytes){ (const char *)r->head.data + n, r->head.size - n };
    return (ptrdiff_t)n;
}

static se_source rewound_source(struct rewound *out, const struct origin_search *s)
{
    *out = (struct rewound){ s->peek, s->source };
    return (se_source){ rewound_read, out, s->is_whole ? s->peek.size : s->source->total };
}

/* ---- signatures ---- */

typedef se_status find_signers_fn(bool *made, const struct verify_job *job, se_error *err);

/* Several certificates of a version are one of it. */
static bool tell_signers(const struct origin_search *s, const struct expected_signers *c,
                         const bool *made)
{
    unsigned told = 0;

    for (size_t i = 0; i < c->count; i++)
        if (made[i] && c->list[i].version != told)
            s->fn(s->arg, told = c->list[i].version);
    return told;
}

static bool *flags_new(size_t count)
{
    return calloc(count + 1, sizeof(bool));
}
AUTO_KIND(flags, bool *, free(*p))

static bool signs_at_all(const struct origin_search *s)
{
    const struct config *config = s->engine->config;

    for (size_t i = 0; i < config->descriptor_count; i++)
        if (!strcmp(config->descriptors[i].name, s->descriptor) &&
            config->descriptors[i].algorithm.kind != ALGORITHM_CIPHER &&
            config->descriptors[i].algorithm.kind != ALGORITHM_WRAP)
            return true;
    return false;
}

/* That a certificate is out of reach matters only where no other fits. */
static se_status search_signature(const struct origin_search *s, find_signers_fn *find,
                                  se_error *err)
{
    AUTO(expected_signers) c = { .count = 0 };
    AUTO(flags) made = NULL;
    struct rewound rewound;
    const se_source source = rewound_source(&rewound, s);
    struct stream stream = { .source = &source };
    struct verify_job job = { .in = &stream };

    TRY(expected_signers_collect(&c, s->engine, s->descriptor, 0, key_own_algorithm, err));
    job.candidates = c.list;
    job.count = c.count;
    if (!(made = flags_new(c.count)))
        return error_memory(err);
    TRY(find(made, &job, err));
    if (!tell_signers(s, &c, made) && c.missing.status && signs_at_all(s))
        return error_copy(err, c.missing.status, &c.missing);
    return SE_OK;
}

static bool head_holds(se_bytes in, const unsigned char *oid, size_t size)
{
    return in.size && memmem(in.data, in.size < DER_HEAD ? in.size : DER_HEAD, oid, size);
}

/* id-signedData (RFC 5652, 5.1) near the beginning, or a label of RFC 7468, 9, or of before it. */
static bool looks_signed(se_bytes in)
{
    static const unsigned char oid[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02 };
    static const char *const labels[] = { "-----BEGIN CMS-----", "-----BEGIN PKCS7-----" };

    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        if (in.size && memmem(in.data, in.size, labels[i], strlen(labels[i])))
            return true;
    return head_holds(in, oid, sizeof oid);
}

static bool looks_like_xml(se_bytes in)
{
    const char *p = in.data;
    size_t at = in.size >= 3 && !strncmp(p, UTF8_MARK, 3) ? 3 : 0;

    while (at < in.size && strchr(" \t\r\n", p[at]))
        at++;
    return at < in.size && p[at] == '<';
}

/* What is no XML, or none that would be verified, holds no signature that anybody needs, unless it
 * says that it is one. */
static se_status search_xml(const struct origin_search *s, se_error *err)
{
    static const char xmldsig[] = "http://www.w3.org/2000/09/xmldsig#";
    const se_status st = search_signature(s, xmldsig_find_signers, err);

    if (st == SE_ERR_FORMAT && memmem(s->peek.data, s->peek.size, xmldsig, strlen(xmldsig)))
        return error_prefix(err, SE_ERR_REJECTED, "a signature in broken XML: ");
    return st;
}

/* Compact ones begin with "{" in base64url. Those of JWE, too: their header has `enc`. */
static bool looks_like_jws(se_bytes in)
{
    const char *p = in.data;
    const char *dot = in.size ? memchr(p, '.', in.size) : NULL;
    AUTO(se_buf) header = SE_BUF_INIT;

    if (in.size && *p == '{')
        return true;
    return dot && in.size > 3 && !strncmp(p, "eyJ", 3) &&
           !base64url_decode(&header, (se_bytes){ p, (size_t)(dot - p) }, NULL) &&
           !memmem(header.data, header.size, "\"enc\"", 5);
}

/* ---- what is encrypted ---- */

/* A version of which nothing but the number is known has a key out of reach. */
static bool is_for_version(const struct envelope *envelope, const struct descriptor *d,
                           const struct key *key)
{
    const struct recipient recipient = { key, d->version };

    return key ? envelope->format->is_for(envelope, &recipient)
               : envelope->version && envelope->version == d->version;
}

static bool is_of(const struct descriptor *d, const char *name)
{
    return !strcmp(d->name, name) &&
           (d->algorithm.kind == ALGORITHM_CIPHER || d->algorithm.kind == ALGORITHM_WRAP);
}

static se_status search_envelope(const struct origin_search *s, const struct envelope *envelope,
                                 se_error *err)
{
    const struct config *config = s->engine->config;
    se_error missing = SE_ERROR_INIT;
    bool found = false, encrypts = false;

    for (size_t i = 0; i < config->descriptor_count; i++) {
        const struct descriptor *d = &config->descriptors[i];
        AUTO(key) key = NULL;

        if (!is_of(d, s->descriptor))
            continue;
        encrypts = true;
        if (key_cache_open(&key, s->engine, d->key, PART_CERTIFICATE, &missing))
            (void)error_blame_key(&missing, missing.status, d);
        if (!is_for_version(envelope, d, key))
            continue;
        found = true;
        s->fn(s->arg, d->version);
    }
    if (found || !encrypts)
        return SE_OK;
    if (missing.status)
        return error_copy(err, missing.status, &missing);
    return envelope->anybody && !envelope->named_key.size
               ? error_set(err, SE_ERR_REJECTED, "the value does not say for which key it is")
               : SE_OK;
}

static se_status search_container(const struct origin_search *s, se_error *err)
{
    AUTO(envelope) envelope = { .format = NULL };
    se_bytes head = s->peek;
    const se_source source = source_memory(&head);
    struct stream stream = { .source = &source };

    TRY(container_read(&envelope, &stream, err));
    return search_envelope(s, &envelope, err);
}

/* Others' texts and files can look like a value: one that is not good is only suspect if it has one
 * of the marks. */
static bool has_mark(se_bytes in)
{
    static const unsigned char pkcs7[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07 };
    static const unsigned char auth_enveloped[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
                                                    0x01, 0x09, 0x10, 0x01, 0x17 };

    return envelope_marked(in, "NX02") || (in.size > 3 && !strncmp(in.data, "eyJ", 3)) ||
           looks_signed(in) || head_holds(in, pkcs7, sizeof pkcs7) ||
           head_holds(in, auth_enveloped, sizeof auth_enveloped);
}

static se_status read_rest(se_buf *out, const struct origin_search *s, se_error *err)
{
    AUTO(writer) w = { 0 };
    struct rewound rewound;
    const se_source source = rewound_source(&rewound, s);
    struct stream stream = { .source = &source };
    unsigned char piece[4096];
    size_t got = 1;

    while (got) {
        TRY(stream_read(&got, &stream, piece, sizeof piece, err));
        writer_put(&w, piece, got);
        if (w.buf.size > VALUE_LIMIT)
            return error_set(err, SE_ERR_REJECTED, "an encrypted value of more than %d MB",
                             VALUE_LIMIT >> 20);
    }
    return writer_finish(out, &w, err);
}

static se_status search_value(const struct origin_search *s, se_error *err)
{
    AUTO(envelope) envelope = { .format = NULL };
    AUTO(se_buf) whole = SE_BUF_INIT;
    se_status st = envelope_read(&envelope, text_trim_end(s->peek), NULL, err);

    if (st && !s->is_whole && has_mark(s->peek)) {
        TRY(read_rest(&whole, s, err));
        st = envelope_read(&envelope, text_trim_end(buf_bytes(&whole)), NULL, err);
    }
    if (!st)
        return search_envelope(s, &envelope, err);
    if (st != SE_ERR_REJECTED)
        return st;
    if (err)
        *err = (se_error)SE_ERROR_INIT;
    return has_mark(s->peek)
               ? error_set(err, SE_ERR_REJECTED, "a damaged encrypted value, or several of them")
               : error_set(err, SE_ERR_FORMAT, "neither an encrypted value nor a signature");
}

/* The armour is the same for what is signed and what is encrypted. */
static se_status search_cms(const struct origin_search *s, se_error *err)
{
    se_error why = SE_ERROR_INIT;
    const se_status st = search_signature(s, cms_find_signers, &why);

    if (st != SE_ERR_FORMAT)
        return st ? error_copy(err, st, &why) : SE_OK;
    if (!search_value(s, NULL))
        return SE_OK;
    return error_set(err, SE_ERR_REJECTED, "a broken CMS message: %s", why.text);
}

/* ---- what names nobody ---- */

static bool is_blob(const struct origin_search *s)
{
    const struct config *config = s->engine->config;
    AUTO(envelope) envelope = { .format = NULL };
    bool is_bare = false;

    for (size_t i = 0; i < config->descriptor_count; i++)
        is_bare |= !strcmp(config->descriptors[i].name, s->descriptor) &&
                   config->descriptors[i].algorithm.kind == ALGORITHM_WRAP;
    return is_bare && s->is_whole &&
           !envelope_read(&envelope, text_trim_end(s->peek), &blob_format, NULL);
}

/* An RSA signature is as long as the key; an ECDSA-Sig-Value is a SEQUENCE of two numbers. */
static bool is_raw_of(const EVP_PKEY *key, se_bytes in)
{
    const unsigned char *p = in.data;

    if (key_family(key) == FAMILY_RSA)
        return in.size == (size_t)EVP_PKEY_get_size(key);
    return in.size > 8 && in.size <= (size_t)EVP_PKEY_get_size(key) && p[0] == 0x30 &&
           (p[1] == in.size - 2 || (p[1] == 0x81 && p[2] == in.size - 3));
}

static bool is_raw(const struct origin_search *s)
{
    AUTO(expected_signers) c = { .count = 0 };

    if (!s->is_whole || s->peek.size > RAW_MOST ||
        expected_signers_collect(&c, s->engine, s->descriptor, 0, key_own_algorithm, NULL))
        return false;
    for (size_t i = 0; i < c.count; i++)
        if (is_raw_of(X509_get0_pubkey(c.list[i].certificate), s->peek))
            return true;
    return false;
}

static bool is_message(se_bytes in)
{
    static const char *const types[] = { "application/pkcs7-", "application/x-pkcs7-" };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (in.size && memmem(in.data, in.size, types[i], strlen(types[i])))
            return true;
    return false;
}

/* Of `st`, by which it is none of the formats that say who has made them. */
static se_status refuse_nameless(const struct origin_search *s, se_status st, se_error *err)
{
    const char *what = is_message(s->peek) ? "a message with a signature, or an encrypted one"
                       : is_blob(s)        ? "it may be a value of bare RSA-OAEP, which does not "
                                             "say for which key it is"
                       : is_raw(s)         ? "it may be a raw signature, which does not say who "
                                             "has made it"
                                           : NULL;

    if (!what)
        return st;
    *err = (se_error)SE_ERROR_INIT;
    return error_set(err, SE_ERR_REJECTED, "%s", what);
}

/* ---- all of it ---- */

static se_status search_peeked(const struct origin_search *s, se_error *err)
{
    se_error why = SE_ERROR_INIT;
    se_status st = SE_ERR_REJECTED;

    if (container_resembles(s->peek) && !search_container(s, &why))
        return SE_OK;
    why = (se_error)SE_ERROR_INIT;
    if (looks_signed(s->peek))
        st = search_cms(s, &why);
    else if (looks_like_xml(s->peek))
        st = search_xml(s, &why);
    else if (looks_like_jws(s->peek))
        st = search_signature(s, jws_find_signers, &why);
    else
        st = search_value(s, &why);
    if (st == SE_ERR_FORMAT)
        st = refuse_nameless(s, st, &why);
    return st ? error_copy(err, st, &why) : SE_OK;
}

static se_status search_source(struct origin_search *s, se_error *err)
{
    AUTO(se_buf) peek = SE_BUF_INIT;
    struct stream stream = { .source = s->source };
    size_t got = 1, size = 0;
    const struct descriptor *any;

    TRY(config_descriptor(&any, s->engine->config, s->descriptor, 0, err));
    TRY(buf_new(&peek, PEEK, err));
    for (; got && size < PEEK; size += got)
        TRY(stream_read(&got, &stream, peek.data + size, PEEK - size, err));
    s->peek = (se_bytes){ peek.data, size };
    s->is_whole = !got;
    return search_peeked(s, err);
}

se_status se_find_versions_stream(se_engine *engine, const char *descriptor, const se_source *in,
                                  se_version_fn fn, void *arg, se_error *error)
{
    AUTO(engine) now = NULL;
    struct origin_search search = { .descriptor = descriptor, .source = in, .fn = fn, .arg = arg };

    TRY(arguments_check(error, engine, descriptor, given_source(in), fn));
    search.engine = now = engine_enter(engine);
    TRY_PREFIX(search_source(&search, error), error, "descriptor '%s': ", descriptor);
    return SE_OK;
}

se_status se_find_versions(se_engine *engine, const char *descriptor, se_bytes in, se_version_fn fn,
                           void *arg, se_error *error)
{
    const se_source source = source_memory(&in);

    TRY(arguments_check(error, engine, descriptor, given_bytes(in), fn));
    return se_find_versions_stream(engine, descriptor, &source, fn, arg, error);
}
