/* SPDX-License-Identifier: Apache-2.0 */
/* An engine as long as somebody has it: counted, and described; and the PINs in its configuration
 * are scrambled. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arguments.h"
#include "base/fork_lock.h"
#include "base/stream.h"
#include "config/diff.h"
#include "config/pin_extract.h"
#include "config/pins.h"
#include "crypto/crypto.h"
#include "engine/data_key_cache.h"
#include "engine/engine.h"

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    for (size_t i = 0; engine->data_key_caches && i < engine->config->descriptor_count; i++)
        data_key_cache_free(engine->data_key_caches[i]);
    free(engine->data_key_caches);
    free(engine->known_versions);
    if (engine->key_cache)
        key_cache_free(engine->key_cache, engine->config->key_count);
    config_free(engine->config);
    free(engine);
}

/* ---- who has it ---- */

/* The calls that were under way in a parent do not end here. */
static void adopt_engine(struct engine *engine)
{
    if (engine->process != fork_generation())
        engine->calls = 0;
    engine->process = fork_generation();
}

struct engine *engine_enter(se_engine *engine)
{
    struct engine *now;

    fork_lock_take();
    now = engine->current;
    adopt_engine(now);
    now->calls++;
    fork_lock_give();
    return now;
}

/* Closing may wait for a key store, so it happens outside of the lock. */
static void release_engine(struct engine *engine, size_t handles, size_t calls)
{
    bool last;

    fork_lock_take();
    adopt_engine(engine);
    engine->handles -= handles;
    engine->calls -= calls < engine->calls ? calls : engine->calls;
    last = !engine->handles && !engine->calls;
    fork_lock_give();
    if (last)
        engine_free(engine);
}

void engine_leave(struct engine *engine)
{
    if (engine)
        release_engine(engine, 0, 1);
}

void engine_let_go(struct engine *engine)
{
    if (engine)
        release_engine(engine, 1, 0);
}

struct engine *engine_replace(se_engine *handle, struct engine *engine)
{
    struct engine *old;

    fork_lock_take();
    old = handle->current;
    handle->current = engine;
    adopt_engine(engine);
    engine->handles++;
    fork_lock_give();
    return old;
}

se_status se_hold(se_engine **out, se_engine *engine, se_error *error)
{
    AUTO(engine) now = NULL;

    if (out)
        *out = NULL;
    TRY(arguments_check(error, out, engine));
    if (!(*out = calloc(1, sizeof **out)))
        return error_memory(error);
    now = engine_enter(engine);
    (void)engine_replace(*out, now);
    return SE_OK;
}

/* ---- what is configured ---- */

se_status se_describe(se_engine *engine, se_property_fn fn, void *arg, se_error *error)
{
    AUTO(engine) now = NULL;

    TRY(arguments_check(error, engine, fn));
    now = engine_enter(engine);
    config_describe(now->config, fn, arg);
    return SE_OK;
}

se_status se_config_diff(se_engine *before, se_engine *after, se_difference_fn fn, void *arg,
                         se_error *error)
{
    AUTO(engine) one = NULL;
    AUTO(engine) other = NULL;

    TRY(arguments_check(error, before, after, fn));
    one = engine_enter(before);
    other = engine_enter(after);
    return config_diff(one->config, other->config, fn, arg, error);
}

se_status se_fingerprint(char out[65], se_engine *engine, se_error *error)
{
    AUTO(engine) now = NULL;
    AUTO(se_buf) canonical = SE_BUF_INIT;
    unsigned char hash[32];
    size_t size = sizeof hash;

    if (out)
        *out = '\0';
    TRY(arguments_check(error, out, engine));
    now = engine_enter(engine);
    TRY(config_canonical(&canonical, now->config, error));
    if (!EVP_Q_digest(crypto_context(), "SHA2-256", NULL, canonical.data, canonical.size, hash,
                      &size))
        return crypto_error(error, SE_ERR_CRYPTO, "cannot hash");
    for (size_t i = 0; i < sizeof hash; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", hash[i]);
    return SE_OK;
}

/* ---- PINs ---- */

se_status se_scramble_pins(se_buf *out, size_t *count, se_bytes config, const char *pin_key,
                           se_error *error)
{
    if (out)
        *out = (se_buf)SE_BUF_INIT;
    if (count)
        *count = 0;
    TRY(arguments_check(error, out, count, given_bytes(config), pin_key));
    return pins_scramble_text(out, count, config, pin_key, error);
}

se_status se_scramble_pin(se_buf *out, se_bytes pin, const char *pin_key, se_error *error)
{
    if (out)
        *out = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, out, given_bytes(pin), pin_key));
    if (!pin.size)
        return error_set(error, SE_ERR_USAGE, "an empty PIN");
    return pins_scramble(out, pin, pin_key, error);
}

void se_retry_pins(void)
{
    store_forget_refused_pins();
}

/* ---- file descriptors as streams ---- */

se_source se_source_fd(int fd)
{
    return source_fd(fd);
}

se_sink se_sink_fd(int fd)
{
    return sink_fd(fd);
}
