/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encrypted fields of 64 bytes, RSA-2048, beside what one has to do at the least:
 *
 *   fields CONFIG MODULE TOKEN-LABEL PIN-FILE CERTIFICATE.pem
 *
 * The key's label is `bench`.  Descriptors: `Single`, `Undivided` and `Slow` remember no data keys;
 * `Single` and `Batch` have the key in the token, `Undivided` has it without a deadline, and `Slow`
 * has the token behind the shim of tests/token.  These have OAEP with SHA-1, which SoftHSM does by
 * itself, and `Encrypt` has SHA-384. One JSON object per line.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "tests/bench/bare.h"
#include "tests/bench/race.h"
#include "tests/lib/shim/fault.h"

enum {
    FIELD = 64,
    BATCH = 1000,
    LARGE = 10000,
    FIELDS = 100000,
    VALUES = 64,
    LATENCY_MS = 24,
    LEAST = 200000
};

static const unsigned char field[FIELD] = "a secret field";
static const se_bytes plain = { field, FIELD };

/* ---- single fields ---- */

struct single {
    se_engine *engine;
    const char *descriptor;
    se_buf values[VALUES];
};

static void single_make(struct single *s, se_engine *engine, const char *descriptor)
{
    se_error err = SE_ERROR_INIT;

    *s = (struct single){ engine, descriptor, { SE_BUF_INIT } };
    for (size_t i = 0; i < VALUES; i++)
        must(se_encrypt(&s->values[i], engine, descriptor, plain, NULL, &err), &err);
}

static bool single_encrypt(void *own)
{
    const struct single *s = own;
    AUTO(se_buf) value = SE_BUF_INIT;

    return !se_encrypt(&value, s->engine, s->descriptor, plain, NULL, NULL);
}

static bool single_decrypt(void *own)
{
    static _Thread_local unsigned turn;
    const struct single *s = own;
    AUTO(se_buf) back = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    must(se_decrypt(&back, s->engine, s->descriptor, buf_bytes(&s->values[turn++ % VALUES]), NULL,
                    &err),
         &err);
    return true;
}

/* ---- EVP_PKEY_encrypt, and nothing else ---- */

static const char *wrap_hash = "SHA1";

static void *wrap_begin(void *certificate_file)
{
    FILE *file = fopen(certificate_file, "r");
    X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    EVP_PKEY_CTX *context =
        certificate ? EVP_PKEY_CTX_new(X509_get0_pubkey(certificate), NULL) : NULL;

    if (!context || EVP_PKEY_encrypt_init(context) <= 0 ||
        EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) <= 0 ||
        EVP_PKEY_CTX_set_rsa_oaep_md_name(context, wrap_hash, NULL) <= 0)
        give_up(certificate_file, "no RSA certificate");
    fclose(file);
    X509_free(certificate);
    return context;
}

static bool wrap_once(void *context)
{
    unsigned char wrapped[256];
    size_t size = sizeof wrapped;

    return EVP_PKEY_encrypt(context, wrapped, &size, field, 32) > 0;
}

static void wrap_end(void *context)
{
    EVP_PKEY_CTX_free(context);
}

/* ---- C_Decrypt, and nothing else ---- */

struct loop {
    const struct bare *bare;
    const unsigned char (*blobs)[256];
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    unsigned turn;
};

struct loop_shared {
    const struct bare *bare;
    unsigned char blobs[VALUES][256];
};

static void *loop_begin(void *arg)
{
    const struct loop_shared *shared = arg;
    struct loop *loop = calloc(1, sizeof *loop);

    if (!loop)
        give_up("memory", "there is none");
    *loop = (struct loop){ .bare = shared->bare,
                           .blobs = shared->blobs,
                           .session = bare_session(shared->bare) };
    loop->key = bare_key(shared->bare, loop->session);
    return loop;
}

static bool loop_decrypt(void *own)
{
    struct loop *loop = own;
    CK_RSA_PKCS_OAEP_PARAMS oaep = { CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, NULL, 0 };
    CK_MECHANISM mechanism = { CKM_RSA_PKCS_OAEP, &oaep, sizeof oaep };
    unsigned char clear[256];
    CK_ULONG size = sizeof clear;

    return loop->bare->calls->C_DecryptInit(loop->session, &mechanism, loop->key) == CKR_OK &&
           loop->bare->calls->C_Decrypt(loop->session,
                                        (CK_BYTE *)loop->blobs[loop->turn++ % VALUES], 256, clear,
                                        &size) == CKR_OK;
}

static void loop_end(void *own)
{
    struct loop *loop = own;

    (void)loop->bare->calls->C_CloseSession(loop->session);
    free(loop);
}

static void make_blobs(struct loop_shared *shared, char *certificate_file)
{
    void *context = wrap_begin(certificate_file);
    size_t size = 256;

    for (size_t i = 0; i < VALUES; i++)
        if (EVP_PKEY_encrypt(context, shared->blobs[i], &size, field, 32) <= 0)
            give_up("EVP_PKEY_encrypt", "failed");
    wrap_end(context);
}

/* ---- batches ---- */

struct batch {
    se_engine *engine;
    const char *descriptor;
    se_field_params params;
    size_t count;
    se_field fields[LARGE], values[LARGE];
};

static void batch_make(struct batch *b, se_engine *engine, const char *descriptor, size_t count,
                       unsigned threads)
{
    se_error err = SE_ERROR_INIT;

    *b = (struct batch){ engine, descriptor, .params = SE_FIELD_PARAMS_INIT, .count = count };
    b->params.threads = threads;
    for (size_t i = 0; i < count; i++)
        b->fields[i].in = plain;
    must(se_encrypt_many(b->fields, count, engine, descriptor, NULL, &err), &err);
    for (size_t i = 0; i < count; i++)
        b->values[i].in = buf_bytes(&b->fields[i].out);
}

static void release(se_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        se_buf_free(&fields[i].out);
}

static bool batch_encrypt(void *own)
{
    struct batch *b = own;
    static _Thread_local se_field fields[LARGE];
    bool done;

    for (size_t i = 0; i < b->count; i++)
        fields[i].in = plain;
    done = !se_encrypt_many(fields, b->count, b->engine, b->descriptor, &b->params, NULL);
    release(fields, b->count);
    return done;
}

static bool batch_decrypt(void *own)
{
    struct batch *b = own;
    bool done = !se_decrypt_many(b->values, b->count, b->engine, b->descriptor, &b->params, NULL);

    release(b->values, b->count);
    return done;
}

/* ---- libcrypto, and nothing else: the same bytes through AES, HMAC and base64 ---- */

enum { HEAD = 31 + 256, BINDING = 32, IV = 16, TEXT = FIELD + 16, MAC = 32, LENGTH = 8 };
enum { VALUE = HEAD + IV + TEXT + MAC, DIGITS = (VALUE + 2) / 3 * 4 };

struct bare_fields {
    EVP_CIPHER_CTX *aes;
    EVP_MAC_CTX *hmac;
    unsigned char value[VALUE + 3], digits[DIGITS + 1];
};

static struct bare_fields *bare_fields_begin(int encrypt)
{
    static const unsigned char key[32] = "a key";
    const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("digest", (char *)"SHA256", 0),
                                  OSSL_PARAM_construct_end() };
    struct bare_fields *b = calloc(1, sizeof *b);
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

    if (!b || !(b->aes = EVP_CIPHER_CTX_new()) || !(b->hmac = EVP_MAC_CTX_new(mac)) ||
        EVP_CipherInit_ex2(b->aes, EVP_aes_256_cbc(), key, key, encrypt, NULL) <= 0 ||
        EVP_MAC_init(b->hmac, key, sizeof key, params) <= 0)
        give_up("libcrypto", "failed");
    EVP_MAC_free(mac);
    return b;
}

/* What encrypts makes what decrypts reads. */
static bool bare_fields_aes(struct bare_fields *b, unsigned char *out, const unsigned char *in,
                            int size)
{
    int done, rest;

    return EVP_CipherInit_ex2(b->aes, NULL, NULL, b->value + HEAD, -1, NULL) > 0 &&
           EVP_CipherUpdate(b->aes, out, &done, in, size) > 0 &&
           EVP_CipherFinal_ex(b->aes, out + done, &rest) > 0;
}

static bool bare_fields_hmac(struct bare_fields *b, unsigned char tag[MAC])
{
    static const unsigned char around[BINDING + LENGTH];
    size_t size;

    return EVP_MAC_init(b->hmac, NULL, 0, NULL) > 0 &&
           EVP_MAC_update(b->hmac, around, BINDING) > 0 &&
           EVP_MAC_update(b->hmac, b->value + HEAD, IV + TEXT) > 0 &&
           EVP_MAC_update(b->hmac, around, LENGTH) > 0 &&
           EVP_MAC_final(b->hmac, tag, &size, MAC) > 0;
}

static bool bare_fields_seal(void *own)
{
    struct bare_fields *b = own;

    for (size_t i = 0; i < BATCH; i++)
        if (!bare_fields_aes(b, b->value + HEAD + IV, field, FIELD) ||
            !bare_fields_hmac(b, b->value + HEAD + IV + TEXT) ||
            EVP_EncodeBlock(b->digits, b->value, VALUE) != DIGITS)
            return false;
    return true;
}

static bool bare_fields_open(void *own)
{
    struct bare_fields *b = own;
    unsigned char tag[MAC], clear[TEXT + 16];

    for (size_t i = 0; i < BATCH; i++)
        if (EVP_DecodeBlock(b->value, b->digits, DIGITS) < VALUE || !bare_fields_hmac(b, tag) ||
            memcmp(tag, b->value + HEAD + IV + TEXT, MAC) != 0 ||
            !bare_fields_aes(b, clear, b->value + HEAD + IV, TEXT))
            return false;
    return true;
}

static void *bare_fields_begin_seal(void *unused)
{
    (void)unused;
    return bare_fields_begin(1);
}

static void *bare_fields_begin_open(void *unused)
{
    struct bare_fields *from = bare_fields_begin(1), *b = bare_fields_begin(0);

    (void)unused;
    if (!bare_fields_seal(from))
        give_up("libcrypto", "failed");
    memcpy(b->digits, from->digits, sizeof b->digits);
    return b;
}

/* ---- a token that takes its time ---- */

static void slow_token(se_engine *engine)
{
    se_field *fields = calloc(FIELDS, sizeof *fields), *values = calloc(FIELDS, sizeof *values);
    void *library = dlopen(getenv("SHIM"), RTLD_NOW | RTLD_LOCAL);
    struct faults *faults = library ? dlsym(library, "faults") : NULL;
    se_error err = SE_ERROR_INIT;
    double began;

    if (!fields || !values || !faults)
        give_up("the shim", "is not there");
    for (size_t i = 0; i < FIELDS; i++)
        fields[i].in = plain;
    for (size_t i = 0; i < FIELDS; i += BATCH)
        must(se_encrypt_many(fields + i, BATCH, engine, "Slow", NULL, &err), &err);
    for (size_t i = 0; i < FIELDS; i++)
        values[i].in = buf_bytes(&fields[i].out);
    must(se_decrypt_many(values, 1, engine, "Slow", NULL, &err),
         &err); /* the key is open after that */
    se_buf_free(&values[0].out);
    memset(faults->seen, 0, sizeof faults->seen);
    faults->list[0] =
        (struct fault){ .call = AT_DECRYPT, .first = 1, .times = 1000000, .sleep_ms = LATENCY_MS };
    began = seconds_now();
    must(se_decrypt_many(values, FIELDS, engine, "Slow", NULL, &err), &err);
    began = seconds_now() - began;
    row("unwraps", "100,000 fields written in batches of 1,000", 1, faults->seen[AT_DECRYPT],
        "at the most", FIELDS / BATCH, (double)faults->seen[AT_DECRYPT] / (FIELDS / BATCH));
    row("seconds", "to decrypt them with 24 ms per unwrap", 1, began, "at the most", 2, began / 2);
    for (size_t i = 0; i < FIELDS; i++) {
        se_buf_free(&fields[i].out);
        se_buf_free(&values[i].out);
    }
    free(fields);
    free(values);
}

/* By the processor; of several threads by the clock too, which tells when they wait for each other.
 */
static void tell(const char *measure, const char *setting, unsigned threads, const char *peer,
                 struct result r)
{
    char clock[80];

    row(measure, setting, threads, r.first.processor, peer, r.second.processor, r.ratio.processor);
    if (threads == 1)
        return;
    (void)snprintf(clock, sizeof clock, "%s, by the clock", setting);
    row(measure, clock, threads, r.first.clock, peer, r.second.clock, r.ratio.clock);
}

static void compare(se_engine *engine, const struct bare *bare, char *certificate_file)
{
    static struct single token, undivided, encrypting;
    static struct loop_shared shared;
    const struct runner wrap = { certificate_file, wrap_begin, wrap_once, wrap_end, 0 };
    const struct runner loop = { &shared, loop_begin, loop_decrypt, loop_end, 0 };
    const struct runner encrypt = { &encrypting, begin_same, single_encrypt, end_nothing, 0 };
    const struct runner make = { &token, begin_same, single_encrypt, end_nothing, 0 };
    const struct runner decrypt = { &token, begin_same, single_decrypt, end_nothing, 0 };
    const struct runner alone = { &undivided, begin_same, single_decrypt, end_nothing, 0 };
    static const unsigned threads[] = { 1, 12 };

    shared.bare = bare;
    make_blobs(&shared, certificate_file);
    single_make(&token, engine, "Single");
    single_make(&undivided, engine, "Undivided");
    single_make(&encrypting, engine, "Encrypt");
    tell("encryptions/s", "one by one, SoftHSM", 1, "EVP_PKEY_encrypt",
         race(&make, &wrap, 1, &usual_turns));
    wrap_hash = "SHA384";
    tell("encryptions/s", "one by one, OAEP with SHA-384", 1, "EVP_PKEY_encrypt",
         race(&encrypt, &wrap, 1, &usual_turns));
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        tell("decryptions/s", "one by one, SoftHSM", threads[i], "bare C_Decrypt loop",
             race(&decrypt, &loop, threads[i], &usual_turns));
        tell("decryptions/s", "one by one, SoftHSM, deadline=none", threads[i],
             "bare C_Decrypt loop", race(&alone, &loop, threads[i], &usual_turns));
    }
}

/* Of both, for each core: as many values in a second of the processor. */
static struct rate race_of_batches(const char *measure, const struct runner *ours,
                                   const struct runner *bare)
{
    struct result r = race(ours, bare, 1, &usual_turns);

    r.first.processor *= BATCH;
    r.second.processor *= BATCH;
    tell(measure, "in batches of 1,000, for each core", 1, "bare libcrypto loop", r);
    return r.first;
}

/* By the clock: of one thread for each core, and of one. */
static void race_of_threads(se_engine *engine, size_t count, const char *name)
{
    static struct batch all, one;
    const struct runner encrypt[] = { { &all, begin_same, batch_encrypt, end_nothing, 0 },
                                      { &one, begin_same, batch_encrypt, end_nothing, 0 } };
    const struct runner decrypt[] = { { &all, begin_same, batch_decrypt, end_nothing, 0 },
                                      { &one, begin_same, batch_decrypt, end_nothing, 0 } };
    struct result r;

    batch_make(&all, engine, "Batch", count, 0);
    batch_make(&one, engine, "Batch", count, 1);
    r = race(&encrypt[0], &encrypt[1], 1, &usual_turns);
    row("encryptions/s", name, 0, r.first.clock * (double)count, "one thread",
        r.second.clock * (double)count, r.ratio.clock);
    r = race(&decrypt[0], &decrypt[1], 1, &usual_turns);
    row("decryptions/s", name, 0, r.first.clock * (double)count, "one thread",
        r.second.clock * (double)count, r.ratio.clock);
}

static void batches(se_engine *engine)
{
    static struct batch batch;
    static struct single single;
    const struct runner encrypt = { &batch, begin_same, batch_encrypt, end_nothing, 0 };
    const struct runner decrypt = { &batch, begin_same, batch_decrypt, end_nothing, 0 };
    const struct runner one = { &single, begin_same, single_decrypt, end_nothing, 0 };
    const struct runner bare_encrypt = { NULL, bare_fields_begin_seal, bare_fields_seal,
                                         end_nothing, 0 };
    const struct runner bare_decrypt = { NULL, bare_fields_begin_open, bare_fields_open,
                                         end_nothing, 0 };
    struct rate out, in;
    double each, alone;

    batch_make(&batch, engine, "Batch", BATCH, 1);
    single_make(&single, engine, "Single");
    out = race_of_batches("encryptions/s", &encrypt, &bare_encrypt);
    row("encryptions/s", "in batches of 1,000", 1, out.processor, "at the least", LEAST,
        out.processor / LEAST);
    in = race_of_batches("decryptions/s", &decrypt, &bare_decrypt);
    each = in.processor;
    row("decryptions/s", "in batches of 1,000", 1, each, "at the least", LEAST, each / LEAST);
    race_of_threads(engine, BATCH, "in batches of 1,000, by all cores");
    race_of_threads(engine, LARGE, "in batches of 10,000, by all cores");
    alone = pace(&one);
    row("decryptions/s", "in batches of 1,000", 1, each, "one by one", alone, each / alone);
}

int main(int argc, char **argv)
{
    se_error err = SE_ERROR_INIT;
    struct bare bare;
    se_engine *engine;

    if (argc != 6)
        give_up("usage", "fields CONFIG MODULE TOKEN-LABEL PIN-FILE CERTIFICATE.pem");
    /* As an application would that does batch after batch (`signengine encrypt --lines` does): else
     * half of the time is the kernel's, for memory that is given back and taken again. */
    (void)mallopt(M_TRIM_THRESHOLD, 64 << 20);
    bare_open(&bare, argv[2], argv[3], argv[4]);
    must(se_open(&engine, argv[1], NULL, &err), &err);
    compare(engine, &bare, argv[5]);
    batches(engine);
    slow_token(engine);
    se_close(&engine);
    return 0;
}
