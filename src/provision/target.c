/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/target.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/file.h"
#include "base/text.h"
#include "crypto/pem.h"
#include "keystore/bundle.h"

/* A keyref with nothing in it: its strings are never NULL. */
static struct keyref empty_ref(void)
{
    static const char none[] = "";

    return (struct keyref){ .store = none,
                            .location = none,
                            .alias = none,
                            .certificate = none,
                            .token_label = none,
                            .token_serial = none,
                            .token_manufacturer = none,
                            .token_model = none,
                            .init_args = none,
                            .pin_source = none,
                            .pin_scrambled = none,
                            .pin_key = none,
                            .location_written = none,
                            .certificate_written = none,
                            .login = none,
                            .key_version = none,
                            .tenant = none,
                            .client = none,
                            .credential_key = none,
                            .authority = none,
                            .resource = none,
                            .proxy = none,
                            .api_version = none,
                            .ca_file = none,
                            .ca_file_written = none };
}

void target_free(struct target *target)
{
    if (!target)
        return;
    se_buf_free(&target->pin);
    token_uri_free(&target->uri);
    config_free(target->config);
    free(target->name);
    free(target->text);
    free(target);
}

static se_status target_new(struct target **out, se_error *err)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return error_memory(err);
    (*out)->ref = empty_ref();
    return SE_OK;
}

/* The file's name without folder and ending. */
static char *file_stem(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');

    return strndup(name, dot && dot != name ? (size_t)(dot - name) : strlen(name));
}

static se_status target_finish(struct target *target, const char *name, se_error *err)
{
    static const struct {
        const char *store, *kind;
    } kinds[] = {
        { "HSM", "a token of" },
        { "AzureKeyVault", "vault" },
        { "AzureManagedHSM", "Managed HSM" },
    };
    const struct keyref *ref = &target->ref;
    const char *kind = "file";

    target->name = *ref->alias ? strdup(ref->alias)
                   : *name     ? strdup(name)
                               : file_stem(ref->location);
    if (!target->name)
        return error_memory(err);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        kind = strcmp(kinds[i].store, ref->store) ? kind : kinds[i].kind;
    if (asprintf(&target->text, "key '%s' in %s '%s'", target->name, kind, ref->location) < 0) {
        target->text = NULL;
        return error_memory(err);
    }
    return SE_OK;
}

static se_status choose_replica(struct keyref *out, const struct key_entry *entry, unsigned replica,
                                se_error *err)
{
    if (!replica && entry->count > 1)
        return error_set(err, SE_ERR_USAGE, "key '%s' has %zu replicas: --replica says which",
                         entry->name, entry->count);
    if (replica > entry->count)
        return error_set(err, SE_ERR_USAGE, "key '%s' has %zu replicas, not %u", entry->name,
                         entry->count, replica);
    *out = entry->replicas[replica ? replica - 1 : 0];
    out->entry = NULL; /* by itself: no other replica does the work instead */
    return SE_OK;
}

struct config_trust {
    const char *path, *authorities;
    const se_revocation_params *revocation; /* NULL: it is not looked at */
};

static se_status verify_config(void *arg, se_bytes text, se_error *err)
{
    const struct config_trust *trust = arg;
    se_config_verify_params params = SE_CONFIG_VERIFY_PARAMS_INIT;
    se_status st;

    params.revocation = trust->revocation;
    st = se_config_verify(NULL, text, trust->path, trust->authorities, &params, err);
    return st == SE_ERR_REJECTED || st == SE_ERR_FORMAT ? error_restate(err, SE_ERR_CONFIG) : st;
}

static se_status load_config(struct config **out, const char *path, const se_options *options,
                             se_error *err)
{
    struct config_trust trust = { .path = path };
    struct config_options how = { 0 };

    if (options)
        how = (struct config_options){
            .report = options->report,
            .report_arg = options->report_arg,
            .pin_key = options->pin_key,
        };
    if (options && options->trust_config) {
        how.vouch = verify_config;
        how.vouch_arg = &trust;
        trust.authorities = options->trust_config;
        trust.revocation = options->config_revocation;
    }
    return config_load(out, path, &how, err);
}

se_status target_configured(struct target **out, const char *config, const char *key,
                            unsigned replica, const se_options *options, se_error *err)
{
    AUTO(target) target = NULL;

    *out = NULL;
    TRY(target_new(&target, err));
    TRY(load_config(&target->config, config, options, err));
    TRY(config_key(&target->entry, target->config, key, err));
    TRY(choose_replica(&target->ref, target->entry, replica, err));
    TRY(target_finish(target, key, err));
    *out = MOVE(target);
    return SE_OK;
}

/* The configuration is lent to it. */
static se_status target_of_replica(struct target **out, struct config *config,
                                   const struct key_entry *entry, size_t replica, se_error *err)
{
    AUTO(target) target = NULL;

    TRY(target_new(&target, err));
    target->entry = entry;
    target->ref = entry->replicas[replica];
    target->ref.entry = NULL; /* likewise */
    TRY(target_finish(target, entry->name, err));
    target->config = config;
    *out = MOVE(target);
    return SE_OK;
}

se_status target_each(const char *config, target_fn fn, void *arg, const se_options *options,
                      se_error *err)
{
    AUTO(config) loaded = NULL;
    bool more = true;

    TRY(load_config(&loaded, config, options, err));
    for (size_t i = 0; more && i < loaded->key_count; i++) {
        const struct key_entry *entry = &loaded->keys[i];

        for (size_t k = 0; more && k < entry->count; k++) {
            struct target *target;

            TRY(target_of_replica(&target, loaded, entry, k, err));
            more = fn(arg, target, entry->name, entry->count > 1 ? (unsigned)k + 1 : 0);
            target->config = NULL;
            target_free(target);
        }
    }
    return SE_OK;
}

static const struct {
    const char *ending, *store;
} endings[] = { { ".p12", "pkcs12" }, { ".pfx", "pkcs12" }, { ".pem", "pem" }, { ".key", "pem" } };

static const char *store_of_name(const char *path)
{
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i].ending) == 0)
            return endings[i].store;
    return NULL;
}

/* DER begins with a SEQUENCE, but so may a text. */
static const char *store_of_content(const char *path)
{
    AUTO(se_buf) content = SE_BUF_INIT;

    if (file_read(&content, path, BUNDLE_FILE_LIMIT, NULL) || !content.size)
        return NULL;
    return content.data[0] == 0x30 && !pem_text_is(buf_bytes(&content)) ? "pkcs12" : "pem";
}

static se_status set_file(struct keyref *ref, const char *path, se_error *err)
{
    ref->store = store_of_content(path);
    if (!ref->store)
        ref->store = store_of_name(path);
    if (!ref->store)
        return error_set(err, SE_ERR_USAGE,
                         "'%s': a new file ends in .p12 or .pfx, or in .pem or .key", path);
    ref->location = path;
    return SE_OK;
}

static const char *either_text(const char *by_uri, const char *by_option)
{
    return by_uri ? by_uri : by_option;
}

/* Options say what the URI does not. */
static se_status set_uri(struct target *target, const struct target_location *place, se_error *err)
{
    struct keyref *ref = &target->ref;
    const struct token_uri *uri = &target->uri;
    se_status st = token_uri_parse(&target->uri, place->module, err);

    if (st)
        return st == SE_ERR_CONFIG ? error_restate(err, SE_ERR_USAGE) : st;
    ref->location = uri->module;
    ref->token_label = either_text(uri->token, ref->token_label);
    ref->token_serial = either_text(uri->serial, ref->token_serial);
    ref->token_manufacturer = either_text(uri->manufacturer, ref->token_manufacturer);
    ref->token_model = either_text(uri->model, ref->token_model);
    ref->alias = either_text(uri->object, ref->alias);
    ref->pin_source = either_text(uri->pin_source, ref->pin_source);
    ref->id = uri->id; /* borrowed: the target owns it */
    if (uri->has_slot) {
        ref->has_slot = true;
        ref->slot = uri->slot;
    }
    return SE_OK;
}

static se_status set_token(struct target *target, const struct target_location *place,
                           se_error *err)
{
    struct keyref *ref = &target->ref;

    if (*place->slot && !text_number(&ref->slot, place->slot, (unsigned long)-1))
        return error_set(err, SE_ERR_USAGE, "slot '%s' is not a number", place->slot);
    ref->has_slot = *place->slot;
    ref->store = "HSM";
    ref->location = place->module;
    ref->init_args = place->init_args;
    ref->token_label = place->token_label;
    ref->token_serial = place->token_serial;
    return token_uri_is(place->module) ? set_uri(target, place, err) : SE_OK;
}

se_status target_direct(struct target **out, const struct target_location *place, se_error *err)
{
    AUTO(target) target = NULL;

    *out = NULL;
    TRY(target_new(&target, err));
    if (!*place->module == !*place->file)
        return error_set(err, SE_ERR_USAGE, "a key is in a token or in a file: name one of them");
    target->ref.alias = place->alias;
    TRY(*place->module ? set_token(target, place, err) : set_file(&target->ref, place->file, err));
    TRY(target_finish(target, "", err));
    *out = MOVE(target);
    return SE_OK;
}

void target_set_pin(struct target *target, se_buf *pin)
{
    struct keyref none = empty_ref();

    se_buf_free(&target->pin);
    target->pin = buf_move(pin);
    target->ref.pin = target->pin; /* borrowed: the target owns it */
    target->ref.pin_source = none.pin_source;
    target->ref.pin_scrambled = none.pin_scrambled;
}

void target_listen(struct target *target, const struct target_listener *listener)
{
    target->listener = *listener;
}

static void tell_listener(void (*tell)(void *arg, const char *text), void *arg, const char *format,
                          va_list args)
{
    char text[1024];

    if (!tell)
        return;
    (void)vsnprintf(text, sizeof text, format, args);
    text_clean(text);
    tell(arg, text);
}

void target_note(const struct target *target, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tell_listener(target->listener.note, target->listener.arg, format, args);
    va_end(args);
}

void target_progress(const struct target *target, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tell_listener(target->listener.progress, target->listener.arg, format, args);
    va_end(args);
}

static bool descriptor_encrypts(const struct descriptor *descriptor)
{
    return descriptor->algorithm.kind == ALGORITHM_CIPHER ||
           descriptor->algorithm.kind == ALGORITHM_WRAP;
}

const struct descriptor *target_descriptor(const struct target *target, bool encrypts)
{
    for (size_t i = 0; target->config && i < target->config->descriptor_count; i++) {
        const struct descriptor *descriptor = &target->config->descriptors[i];

        if (descriptor->key == target->entry && descriptor_encrypts(descriptor) == encrypts)
            return descriptor;
    }
    return NULL;
}

const char *target_text(const struct target *target)
{
    return target->text;
}

se_status target_pin(se_buf *out, const struct target *target, se_error *err)
{
    se_status st = keyref_pin(out, &target->ref, err);

    if (!st && !out->size)
        return error_set(
            err, SE_ERR_ACCESS,
            "no PIN is given: --pin-source says where it is, or pin.source in the configuration");
    return st;
}
