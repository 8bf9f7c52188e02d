/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens of 2 kB verified: the engine beside the library of Debian's `jose`, in turns.
 *
 *   jws CONFIG DESCRIPTOR JWKS SETTING THREADS...
 *
 * JWKS has the descriptor's public key first.  The library is loaded by name: the command brings
 * it, and not its headers.
 */
#include <dlfcn.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "tests/bench/race.h"

static const struct turns turns = { 200, 21 };

static const char *descriptor;
static se_buf token = SE_BUF_INIT;

static void sign_token(se_engine *engine)
{
    char payload[2048];
    se_error err = SE_ERROR_INIT;

    memset(payload, 'x', sizeof payload);
    must(se_jws_sign(&token, engine, descriptor, (se_bytes){ payload, sizeof payload }, NULL, &err),
         &err);
}

static bool engine_verify(void *engine)
{
    AUTO(se_buf) payload = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    must(se_jws_verify(&payload, engine, descriptor, (se_bytes){ token.data, token.size }, NULL,
                       &err),
         &err);
    return payload.size == 2048;
}

/* ---- the peer ---- */

struct jose {
    bool (*verify)(void *config, const json_t *jws, const json_t *signature, const json_t *key,
                   bool all);
    size_t (*decode)(const json_t *text, void *out, size_t room);
    json_t *key;
};

static void *find_symbol(void *library, const char *name)
{
    void *symbol = library ? dlsym(library, name) : NULL;

    if (!symbol)
        give_up("libjose", dlerror());
    return symbol;
}

static void jose_open(struct jose *jose, const char *keys)
{
    void *library = dlopen("libjose.so.0", RTLD_NOW);
    json_t *set = json_load_file(keys, 0, NULL);

    *(void **)&jose->verify = find_symbol(library, "jose_jws_ver");
    *(void **)&jose->decode = find_symbol(library, "jose_b64_dec");
    jose->key = json_array_get(json_object_get(set, "keys"), 0);
    if (!jose->key)
        give_up(keys, "there is no key");
}

/* It takes the flattened form. */
static json_t *split_token(void)
{
    const char *header = (const char *)token.data, *end = header + token.size;
    const char *payload = strchr(header, '.') + 1, *signature = strchr(payload, '.') + 1;

    return json_pack("{s:s%, s:s%, s:s%}", "protected", header, payload - 1 - header, "payload",
                     payload, signature - 1 - payload, "signature", signature, end - signature);
}

static bool jose_verify(void *shared)
{
    const struct jose *jose = shared;
    json_t *jws = split_token();
    char payload[2048];
    const bool good =
        jose->verify(NULL, jws, NULL, jose->key, false) &&
        jose->decode(json_object_get(jws, "payload"), payload, sizeof payload) == sizeof payload;

    json_decref(jws);
    if (!good)
        give_up("libjose", "the token is not good");
    return good;
}

int main(int argc, char **argv)
{
    se_error err = SE_ERROR_INIT;
    struct jose jose;
    se_engine *engine;

    if (argc < 6)
        give_up("usage", "jws CONFIG DESCRIPTOR JWKS SETTING THREADS...");
    must(se_open(&engine, argv[1], NULL, &err), &err);
    descriptor = argv[2];
    sign_token(engine);
    jose_open(&jose, argv[3]);
    for (int i = 5; i < argc; i++) {
        const struct runner ours = { engine, begin_same, engine_verify, end_nothing, 0 };
        const struct runner theirs = { &jose, begin_same, jose_verify, end_nothing, 0 };
        const unsigned threads = (unsigned)atoi(argv[i]);
        const struct result r = race(&ours, &theirs, threads, &turns);

        row("verifications/s", argv[4], threads, r.first.clock, "libjose", r.second.clock,
            r.ratio.clock);
    }
    se_buf_free(&token);
    se_close(&engine);
    return 0;
}
