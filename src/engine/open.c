#include <stdlib.h>

#include "engine/engine.h"
#include "engine/memory.h"

static se_status config_vouch(void *trust, se_bytes text, se_error *err)
{
    se_status st = se_config_verify(NULL, text, trust, 0, err);

    return st == SE_ERR_REJECTED || st == SE_ERR_FORMAT ? error_restate(err, SE_ERR_CONFIG) : st;
}

static se_status options_read(struct config_options *out, struct events *events, const se_options *options, se_error *err)
{
    const se_options defaults = SE_OPTIONS_INIT;

    if (!options)
        options = &defaults;
    if (options->size != sizeof *options)
        return error_set(err, SE_ERR_USAGE, "se_options of %zu bytes, SE_OPTIONS_INIT makes %zu", options->size, sizeof *options);
    *out = (struct config_options){ options->report, options->report_arg, options->pin_key, NULL, NULL };
    if (options->trust_config) {
        out->vouch = config_vouch;
        out->vouch_arg = (void *)options->trust_config;
    }
    *events = (struct events){ options->event, options->event_arg };
    return SE_OK;
}

se_status se_open(se_engine **out, const char *path, const se_options *options, se_error *error)
{
    se_engine *engine = calloc(1, sizeof *engine);
    struct config_options config_options;
    se_status st;

    *out = NULL;
    if (!engine)
        return error_memory(error);
    if ((st = options_read(&config_options, &engine->events, options, error)) ||
        (st = config_load(&engine->config, path, &config_options, error)) ||
        (st = key_slots_new(&engine->slots, engine->config, &engine->events, error))) {
        se_close(&engine);
        return st;
    }
    if (!(engine->memories = calloc(engine->config->descriptor_count + 1, sizeof *engine->memories))) {
        se_close(&engine);
        return error_memory(error);
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
    for (size_t i = 0; i < IDLE_KITS; i++)
        kit_free((*engine)->kits[i]);
    if ((*engine)->slots)
        key_slots_free((*engine)->slots, (*engine)->config->key_count);
    config_free((*engine)->config);
    free(*engine);
    *engine = NULL;
}
