/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/choice.h"
#include "base/file.h"
#include "base/text.h"

/* A hostile file may hold so many names that comparing all would take minutes. */
enum { NAMES_MAX = 128 };

AUTO_KIND(text, char *, free(*p))

/* ---- what it owns ---- */

struct text_list {
    struct text_list *next;
    char text[];
};

const char *text_list_keep(struct text_list **list, const char *text)
{
    const size_t size = strlen(text) + 1;
    struct text_list *kept;

    if (!*text)
        return "";
    if (!(kept = malloc(sizeof *kept + size)))
        return NULL;
    memcpy(kept->text, text, size);
    kept->next = *list;
    *list = kept;
    return kept->text;
}

void text_list_free(struct text_list *list)
{
    while (list) {
        struct text_list *next = list->next;

        free(list);
        list = next;
    }
}

const char *config_keep(struct config *config, const char *text)
{
    return text_list_keep(&config->texts, text);
}

/* "file:/path" and "file:///path" are the same URL (RFC 8089); nothing is decoded in it. */
static const char *skip_scheme(const char *written)
{
    if (text_starts(written, "classpath:")) {
        written += strlen("classpath:");
        return written + strspn(written, "/");
    }
    if (!text_starts(written, "file:"))
        return written;
    written += strlen("file:");
    return text_starts(written, "///") ? written + 2 : written;
}

const char *config_keep_path(struct config *config, const char *written)
{
    AUTO(text) joined = NULL;

    if (!*written)
        return "";
    joined = file_join(config->folder, skip_scheme(written));
    return joined ? config_keep(config, joined) : NULL;
}

static void free_keys(struct config *config)
{
    for (size_t i = 0; i < config->key_count; i++) {
        struct key_entry *key = &config->keys[i];

        for (size_t j = 0; j < key->count; j++) {
            se_buf_free(&key->replicas[j].pin);
            se_buf_free(&key->replicas[j].certificate_der);
            se_buf_free(&key->replicas[j].certificate_text);
            se_buf_free(&key->replicas[j].id);
        }
        free(key->replicas);
    }
    free(config->keys);
}

static void free_access(struct config *config)
{
    for (size_t i = 0; i < config->access_row_count; i++) {
        free(config->access_rows[i].callers);
        free(config->access_rows[i].targets);
    }
    free(config->access_rows);
}

/* `holds` counts the keyrefs that are held; the owner's own hold is not in it. */
void config_free(struct config *config)
{
    if (!config || __atomic_fetch_sub(&config->holds, 1, __ATOMIC_ACQ_REL))
        return;
    free_keys(config);
    free_access(config);
    free(config->descriptors);
    text_list_free(config->texts);
    free(config);
}

struct held_keyref {
    struct keyref ref;
    unsigned count; /* atomic */
};

static struct held_keyref *copy_keyref(const struct keyref *ref)
{
    struct held_keyref *held = calloc(1, sizeof *held);

    if (!held)
        return NULL;
    held->ref = *ref;
    held->ref.held = held;
    held->ref.pin = (se_buf)SE_BUF_INIT;
    held->count = 1;
    if (ref->pin.size && buf_copy(&held->ref.pin, buf_bytes(&ref->pin), NULL)) {
        free(held);
        return NULL;
    }
    if (ref->config)
        __atomic_add_fetch(&ref->config->holds, 1, __ATOMIC_RELAXED);
    return held;
}

/* A copy of what is held is not. */
const struct keyref *keyref_hold(const struct keyref *ref)
{
    struct held_keyref *held = ref->held;

    if (held && &held->ref == ref) {
        __atomic_add_fetch(&held->count, 1, __ATOMIC_RELAXED);
        return ref;
    }
    held = copy_keyref(ref);
    return held ? &held->ref : NULL;
}

void keyref_release(const struct keyref *ref)
{
    struct held_keyref *held = ref ? ref->held : NULL;
    struct config *config;

    if (!held || __atomic_sub_fetch(&held->count, 1, __ATOMIC_ACQ_REL))
        return;
    config = held->ref.config;
    se_buf_free(&held->ref.pin);
    free(held);
    config_free(config);
}

/* ---- what it is asked for ---- */

static const struct descriptor *find_descriptor(const struct config *config, const char *name,
                                                unsigned version)
{
    const struct descriptor *best = NULL;

    for (size_t i = 0; i < config->descriptor_count; i++) {
        const struct descriptor *d = &config->descriptors[i];

        if (!strcmp(d->name, name) &&
            (version ? d->version == version : !best || d->version > best->version))
            best = d;
    }
    return best;
}

void config_put_versions(struct writer *w, const struct config *config, const char *name)
{
    struct choice choice = { .wanted = "" };
    char number[16];

    for (size_t i = 0; i < config->descriptor_count; i++)
        if (!strcmp(config->descriptors[i].name, name)) {
            (void)snprintf(number, sizeof number, "%u", config->descriptors[i].version);
            choice_add(&choice, number, number);
        }
    choice_write(w, &choice);
}

static se_status set_no_version(const struct config *config, const char *name, unsigned version,
                                se_error *err)
{
    AUTO(writer) list = { 0 };

    config_put_versions(&list, config, name);
    if (list.failed)
        return error_memory(err);
    return error_set(err, SE_ERR_NO_DESCRIPTOR,
                     "descriptor '%.64s' has no version %u in '%s', but %s", name, version,
                     config->path, writer_string(&list));
}

static bool is_named_before(const char *const *names, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(names[i], names[at]) == 0)
            return true;
    return false;
}

/* "; did you mean 'a'?", or else "; there are: 'a', 'b' and 12 others" */
static void put_suggestion(struct writer *w, const char *wanted, const char *const *names,
                           size_t count)
{
    const char *nearest = text_nearest(wanted, names, count);
    struct choice choice = { .wanted = wanted };
    char quoted[CHOICE_ROOM];

    if (nearest) {
        writer_format(w, "; did you mean '%.64s'?", nearest);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_named_before(names, i)) /* another version */
            continue;
        (void)snprintf(quoted, sizeof quoted, "'%.64s'", names[i]);
        choice_add(&choice, names[i], quoted);
    }
    writer_text(w, choice.count ? "; there are: " : "; there is none");
    choice_write(w, &choice);
}

static se_status set_no_descriptor(const struct config *config, const char *name, se_error *err)
{
    const char *names[NAMES_MAX];
    size_t count = config->descriptor_count < NAMES_MAX ? config->descriptor_count : NAMES_MAX;
    AUTO(writer) hint = { 0 };

    for (size_t i = 0; i < count; i++)
        names[i] = config->descriptors[i].name;
    put_suggestion(&hint, name, names, count);
    if (hint.failed)
        return error_memory(err);
    return error_set(err, SE_ERR_NO_DESCRIPTOR, "no descriptor '%.64s' in '%s'%s", name,
                     config->path, writer_string(&hint));
}

se_status config_descriptor(const struct descriptor **out, const struct config *config,
                            const char *name, unsigned version, se_error *err)
{
    if ((*out = find_descriptor(config, name, version)))
        return SE_OK;
    if (find_descriptor(config, name, 0))
        return set_no_version(config, name, version, err);
    return set_no_descriptor(config, name, err);
}

static const struct key_entry *find_key(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->key_count; i++)
        if (!strcmp(config->keys[i].name, name))
            return &config->keys[i];
    return NULL;
}

se_status config_key(const struct key_entry **out, const struct config *config, const char *name,
                     se_error *err)
{
    const char *names[NAMES_MAX];
    size_t count = config->key_count < NAMES_MAX ? config->key_count : NAMES_MAX;
    AUTO(writer) hint = { 0 };

    if ((*out = find_key(config, name)))
        return SE_OK;
    for (size_t i = 0; i < count; i++)
        names[i] = config->keys[i].name;
    put_suggestion(&hint, name, names, count);
    if (hint.failed)
        return error_memory(err);
    return error_set(err, SE_ERR_CONFIG, "no key '%.64s'%s", name, writer_string(&hint));
}
