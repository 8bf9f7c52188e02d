#include "config/rules.h"

static void check_descriptor(struct findings *f, const struct config *config, size_t index)
{
    const struct descriptor *d = &config->descriptors[index];
    bool told = false;

    for (size_t i = 0; i < index; i++) {
        const struct descriptor *before = &config->descriptors[i];

        if (*d->name && d->version == before->version && !strcmp(d->name, before->name))
            findings_error(f, d->line, "descriptor '%.64s' version %u is already in line %d",
                           d->name, d->version, before->line);
        else if (d->key && d->key == before->key && !told) {
            findings_warning(f, d->line,
                             "key '%.64s' is also used by descriptor '%.64s' version %u: each "
                             "should have a key of its own",
                             d->key->name, before->name, before->version);
            told = true;
        }
    }
}

static bool used(const struct config *config, const struct key_entry *key)
{
    for (size_t i = 0; i < config->descriptor_count; i++)
        if (config->descriptors[i].key == key)
            return true;
    return false;
}

static void check_key(struct findings *f, const struct config *config, size_t index)
{
    const struct key_entry *key = &config->keys[index];

    if (!*key->name)
        return;
    for (size_t i = 0; i < index; i++)
        if (!strcmp(key->name, config->keys[i].name)) {
            findings_error(f, key->line, "key '%.64s' is already in line %d", key->name,
                           config->keys[i].line);
            return;
        }
    /* while something is wrong, that it is not used may be a consequence */
    if (!f->errors && !used(config, key))
        findings_warning(f, key->line, "no descriptor uses key '%.64s'", key->name);
}

void rules_check(struct findings *findings, const struct config *config)
{
    for (size_t i = 0; i < config->descriptor_count; i++)
        check_descriptor(findings, config, i);
    for (size_t i = 0; i < config->key_count; i++)
        check_key(findings, config, i);
}
