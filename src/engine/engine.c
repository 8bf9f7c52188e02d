/* SPDX-License-Identifier: Apache-2.0 */
/* An engine is opened, described, and closed; and the PINs in its configuration are scrambled. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arguments.h"
#include "base/stream.h"
#include "config/diff.h"
#include "config/pin_extract.h"
#include "config/pins.h"
#include "crypto/crypto.h"
#include "engine/data_key_cache.h"
#include "engine/fields.h"
#include "engine/signed_config.h"

static se_status engine_options_read(struct config_options *out, struct signed_config *checked,
                                     struct events *events, const se_options *options,
                                     se_error *err)
{
    se_options read;

    TRY(arguments_options(&read, options, se_options, err));
    *out = (struct config_options){
        .report = read.report,
        .report_arg = read.report_arg,
        .pin_key = read.pin_key,
    };
    if (read.trust_config) {
        checked->trust = read.trust_config;
        out->vouch = signed_config_check;
        out->vouch_arg = checked;
    }
    *events = (struct events){ read.event, read.event_arg };
    return SE_OK;
}

static se_status engine_load_config(struct config **out, const char *path,
                                    const struct config_options *options,
                                    const struct signed_config *checked, se_error *err)
{
    se_status st = config_load(out, path, options, err);

    return st || !options->vouch ? st : signed_config_check_files(*out, checked, err);
}

static se_status engine_open(se_engine *engine, const char *path, const se_options *options,
                             se_error *err)
{
    struct signed_config checked = { .path = path };
    struct config_options config_options;
    se_status st = engine_options_read(&config_options, &checked, &engine->events, options, err);

    if (!st)
        st = engine_load_config(&engine->config, path, &config_options, &checked, err);
    se_buf_free(&checked.canonical);
    if (st || (st = key_cache_new(&engine->key_cache, engine->config, &engine->events, err)))
        return st;
    engine->data_key_caches =
        calloc(engine->config->descriptor_count + 1, sizeof *engine->data_key_caches);
    return engine->data_key_caches ? SE_OK : error_memory(err);
}

se_status se_open(se_engine **out, const char *path, const se_options *options, se_error *error)
{
    se_engine *engine;
    se_status st;

    if (out)
        *out = NULL;
    TRY(arguments_check(error, out, path));
    if (!(engine = calloc(1, sizeof *engine)))
        return error_memory(error);
    if ((st = engine_open(engine, path, options, error))) {
        se_close(&engine);
        return st;
    }
    *out = engine;
    return SE_OK;
}

void se_close(se_engine **engine)
{
    if (!engine || !*engine)
        return;
    for (size_t i = 0; (*engine)->data_key_caches && i < (*engine)->config->descriptor_count; i++)
        data_key_cache_free((*engine)->data_key_caches[i]);
    free((*engine)->data_key_caches);
    if ((*engine)->key_cache)
        key_cache_free((*engine)->key_cache, (*engine)->config->key_count);
    config_free((*engine)->config);
    free(*engine);
    *engine = NULL;
}

/* ---- what is configured ---- */

se_status se_describe(se_engine *engine, se_property_fn fn, void *arg, se_error *error)
{
    TRY(arguments_check(error, engine, fn));
    config_describe(engine->config, fn, arg);
    return SE_OK;
}

se_status se_config_diff(se_engine *before, se_engine *after, se_difference_fn fn, void *arg,
                         se_error *error)
{
    TRY(arguments_check(error, before, after, fn));
    return config_diff(before->config, after->config, fn, arg, error);
}

se_status se_fingerprint(char out[65], se_engine *engine, se_error *error)
{
    AUTO(se_buf) canonical = SE_BUF_INIT;
    unsigned char hash[32];
    size_t size = sizeof hash;

    if (out)
        *out = '\0';
    TRY(arguments_check(error, out, engine));
    TRY(config_canonical(&canonical, engine->config, error));
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
