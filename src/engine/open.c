#include <stdlib.h>

#include "base/arguments.h"
#include "engine/engine.h"
#include "engine/memory.h"
#include "engine/trusted.h"

static se_status options_read(struct config_options *out, struct vouching *vouching,
                              struct events *events, const se_options *options, se_error *err)
{
    se_options read;

    TRY(arguments_options(&read, options, se_options, err));
    *out = (struct config_options){ .report = read.report,
                                    .report_arg = read.report_arg,
                                    .pin_key = read.pin_key };
    if (read.trust_config) {
        vouching->trust = read.trust_config;
        out->vouch = config_vouch;
        out->vouch_arg = vouching;
    }
    *events = (struct events){ read.event, read.event_arg };
    return SE_OK;
}

static se_status load(struct config **out, const char *path, const struct config_options *options,
                      const struct vouching *vouching, se_error *err)
{
    se_status st = config_load(out, path, options, err);

    return st || !options->vouch ? st : config_vouch_files(*out, vouching, err);
}

static se_status open_engine(se_engine *engine, const char *path, const se_options *options,
                             se_error *err)
{
    struct vouching vouching = { .path = path };
    struct config_options config_options;
    se_status st = options_read(&config_options, &vouching, &engine->events, options, err);

    if (!st)
        st = load(&engine->config, path, &config_options, &vouching, err);
    se_buf_free(&vouching.canonical);
    if (st || (st = key_slots_new(&engine->slots, engine->config, &engine->events, err)))
        return st;
    engine->memories = calloc(engine->config->descriptor_count + 1, sizeof *engine->memories);
    return engine->memories ? SE_OK : error_memory(err);
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
    if ((st = open_engine(engine, path, options, error))) {
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
    for (size_t i = 0; (*engine)->memories && i < (*engine)->config->descriptor_count; i++)
        memory_free((*engine)->memories[i]);
    free((*engine)->memories);
    if ((*engine)->slots)
        key_slots_free((*engine)->slots, (*engine)->config->key_count);
    config_free((*engine)->config);
    free(*engine);
    *engine = NULL;
}
