/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/azure/next_version.h"

#include <stdio.h>

#include "base/text.h"

enum { SHORT_VERSION = 8 }; /* of the version's digits, in the new key's name */

/* What the attributes of a new element come from: config_describe() names all that there are. */
struct element_copy {
    struct writer *w;
    const char *item; /* whose properties */
    const char *key;  /* the new key's name */
    const struct keyref *ref;
};

static void write_attribute(struct writer *w, const char *name, const char *value)
{
    if (!*value)
        return;
    writer_format(w, " %s=\"", name);
    for (const char *p = value; *p; p++) {
        const char *entity = *p == '&' ? "&amp;" : *p == '<' ? "&lt;" : *p == '"' ? "&quot;" : NULL;

        if (entity)
            writer_text(w, entity);
        else
            writer_put(w, p, 1);
    }
    writer_text(w, "\"");
}

/* ---- <descriptor> ---- */

/* What the new version does not have from the one before it. */
static bool is_of_version(const char *property)
{
    return strcmp(property, "from") == 0 || strcmp(property, "until") == 0 ||
           strcmp(property, "signs") == 0;
}

static void copy_descriptor(void *arg, const char *item, const char *property, const char *value)
{
    const struct element_copy *copy = arg;

    if (strcmp(item, copy->item) != 0 || is_of_version(property))
        return;
    write_attribute(copy->w, property, strcmp(property, "key") == 0 ? copy->key : value);
}

/* The highest version of its name. */
static bool is_highest(const struct config *config, const struct descriptor *descriptor)
{
    for (size_t i = 0; i < config->descriptor_count; i++)
        if (strcmp(config->descriptors[i].name, descriptor->name) == 0 &&
            config->descriptors[i].version > descriptor->version)
            return false;
    return true;
}

static void write_descriptor(struct writer *w, const struct config *config,
                             const struct descriptor *descriptor, const char *key)
{
    AUTO(writer) item = { 0 };
    struct element_copy copy = { .w = w, .key = key };

    writer_format(&item, "descriptor %s:%u", descriptor->name, descriptor->version);
    copy.item = writer_string(&item);
    writer_text(w, "    <descriptor");
    write_attribute(w, "name", descriptor->name);
    writer_format(w, " version=\"%u\">\n      <type", descriptor->version + 1);
    config_describe(config, copy_descriptor, &copy);
    writer_text(w, "/>\n    </descriptor>\n");
    w->failed |= item.failed;
}

static void write_descriptors(struct writer *w, const struct target *target, const char *key)
{
    const struct config *config = target->config;

    writer_text(w, "  <descriptors>\n");
    for (size_t i = 0; i < config->descriptor_count; i++)
        if (config->descriptors[i].key == target->entry &&
            is_highest(config, &config->descriptors[i]))
            write_descriptor(w, config, &config->descriptors[i], key);
    writer_text(w, "  </descriptors>\n");
}

/* ---- <key> ---- */

/* What is another one's for the new version, is secret, or is no attribute. */
static bool is_left_out(const char *property)
{
    static const char *const names[] = { "type",         "certificate", "certificateSHA-256",
                                         "keyVersion",   "caFile",      "pin",
                                         "pin.encrypted" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], property) == 0)
            return true;
    return false;
}

static bool is_of_login(const char *property)
{
    static const char *const names[] = { "credential", "tenant", "client",    "credentialKey",
                                         "authority",  "proxy",  "pin.source" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], property) == 0)
            return true;
    return false;
}

static void copy_key(void *arg, const char *item, const char *property, const char *value)
{
    const struct element_copy *copy = arg;

    if (strcmp(item, copy->item) == 0 && !is_left_out(property) &&
        !(*copy->ref->login && is_of_login(property)))
        write_attribute(copy->w, property, value);
}

static void write_store(struct writer *w, const struct target *target, const char *item,
                        const char *version, const char *certificate)
{
    const struct keyref *ref = &target->ref;
    struct element_copy copy = { .w = w, .item = item, .ref = ref };

    writer_text(w, "      <type");
    write_attribute(w, "name", ref->store);
    config_describe(target->config, copy_key, &copy);
    write_attribute(w, "login", ref->login);
    if (!*ref->login)
        write_attribute(w, "caFile", ref->ca_file_written);
    write_attribute(w, "keyVersion", version);
    write_attribute(w, "certificate", certificate);
    writer_text(w, "/>\n");
    if (!*ref->login && keyref_has_pin(ref) && !*ref->pin_source)
        writer_format(w, "      <!-- and the pin of key '%s' -->\n", target->entry->name);
}

static void write_key(struct writer *w, const struct target *target, const char *name,
                      const char *version, const char *certificate)
{
    AUTO(writer) item = { 0 };
    AUTO(writer) file = { 0 };
    const struct key_entry *entry = target->entry;
    size_t replica = 0;

    while (replica + 1 < entry->count && entry->replicas[replica].line != target->ref.line)
        replica++;
    writer_format(&item, "key %s", entry->name);
    if (entry->count > 1)
        writer_format(&item, " replica %zu", replica + 1);
    writer_format(&file, "file:%s%s", *certificate ? certificate : name,
                  *certificate ? "" : ".pem");
    writer_text(w, "  <keys>\n    <key");
    write_attribute(w, "name", name);
    writer_text(w, ">\n");
    write_store(w, target, writer_string(&item), version, writer_string(&file));
    writer_text(w, "    </key>\n  </keys>\n");
    w->failed |= item.failed || file.failed;
}

se_status next_version_write(se_buf *out, const struct vault_session *session, const char *id,
                             const char *certificate, se_error *err)
{
    const struct target *target = session->target;
    struct object_id version;
    AUTO(writer) name = { 0 };
    AUTO(writer) w = { 0 };

    *out = (se_buf)SE_BUF_INIT;
    if (!target->config)
        return SE_OK;
    TRY(object_id_parse(&version, vault_place(session->vault), "keys", id, err));
    writer_format(&name, "%s-%.*s", target->entry->name, SHORT_VERSION, version.version);
    write_descriptors(&w, target, writer_string(&name));
    write_key(&w, target, writer_string(&name), version.version, certificate);
    w.failed |= name.failed;
    return writer_finish(out, &w, err);
}
