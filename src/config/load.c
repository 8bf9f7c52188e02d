/* SPDX-License-Identifier: Apache-2.0 */
#include "config/load.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "config/encoding.h"
#include "config/grammar.h"

enum { SIZE_LIMIT = 4 << 20 };

AUTO_KIND(text, char *, free(*p))

static void loading_free(struct loading *l)
{
    config_free(l->config);
    free_logins(l);
    redacted_free(&l->redacted);
    findings_free(&l->findings);
}
AUTO_KIND(loading, struct loading, loading_free(p))

/* ---- names that are there twice, keys that several descriptors share or none uses ---- */

static void check_descriptor(struct findings *f, const struct config *config, size_t index)
{
    const struct descriptor *d = &config->descriptors[index];
    bool warned = false;

    for (size_t i = 0; i < index; i++) {
        const struct descriptor *before = &config->descriptors[i];

        if (*d->name && d->version == before->version && !strcmp(d->name, before->name))
            findings_error(f, d->line, "descriptor '%.64s' version %u is already in line %d",
                           d->name, d->version, before->line);
        else if (d->key && d->key == before->key && !warned) {
            findings_warning(f, d->line,
                             "key '%.64s' is also used by descriptor '%.64s' version %u: each "
                             "should have a key of its own",
                             d->key->name, before->name, before->version);
            warned = true;
        }
    }
}

static bool is_used(const struct config *config, const struct key_entry *key)
{
    for (size_t i = 0; i < config->descriptor_count; i++)
        if (config->descriptors[i].key == key)
            return true;
    for (size_t i = 0; i < config->key_count; i++)
        for (size_t j = 0; j < config->keys[i].count; j++)
            if (config->keys[i].replicas[j].signer == key)
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
    if (!f->errors && !is_used(config, key))
        findings_warning(f, key->line, "no descriptor uses key '%.64s'", key->name);
}

/* Once all keys are there, and move no more. */
static void link_replicas(struct config *config)
{
    for (size_t i = 0; i < config->key_count; i++)
        for (size_t j = 0; j < config->keys[i].count; j++)
            config->keys[i].replicas[j].entry = &config->keys[i];
}

static void check_config(struct loading *l)
{
    link_replicas(l->config);
    for (size_t i = 0; i < l->config->descriptor_count; i++)
        check_descriptor(&l->findings, l->config, i);
    load_signers(l);
    for (size_t i = 0; i < l->config->key_count; i++)
        check_key(&l->findings, l->config, i);
    check_logins(l);
}

/* ---- the text ---- */

/* The text without PINs; what it was made of is wiped. */
static se_status extract_pins(struct loading *l, se_buf *text, se_error *err)
{
    AUTO(se_buf) wiped = buf_move(text);
    se_error why = SE_ERROR_INIT;
    int line = 0;
    se_status st;

    if (wiped.size > SIZE_LIMIT) {
        findings_error(&l->findings, 0, "'%s' has %zu bytes, more than %d", l->config->path,
                       wiped.size, SIZE_LIMIT);
        return SE_OK;
    }
    st = pins_extract(&l->redacted, buf_bytes(&wiped), &line, &why);
    if (st && st != SE_ERR_CONFIG)
        return error_set(err, st, "%s", why.text);
    if (st)
        findings_error(&l->findings, line, "%s", why.text);
    return SE_OK;
}

static void load_tree(struct loading *l, const xmlNode *root)
{
    const xmlNode *keys = xml_child(root, "keys"), *descriptors = xml_child(root, "descriptors"),
                  *access = xml_child(root, "access");

    element_check(&l->findings, &root_rule, root);
    load_logins(l, root);
    if (keys)
        load_keys(l, keys);
    if (descriptors)
        load_descriptors(l, descriptors);
    if (access)
        load_access(l, access);
    check_config(l);
}

static se_status start_loading(struct loading *l, const char *path, const char *pin_key,
                               se_error *err)
{
    AUTO(text) folder = file_folder(path);

    if (!folder || !(l->config = calloc(1, sizeof *l->config)))
        return error_memory(err);
    l->config->path = loading_keep(l, path);
    l->config->folder = loading_keep(l, folder);
    l->pin_key = pin_key ? loading_keep(l, pin_key) : loading_keep_path(l, "pin.key");
    return l->findings.failed ? error_memory(err) : SE_OK;
}

/* Adds to findings that are there already. */
static se_status load_text(struct loading *l, se_buf *text, const char *path,
                           const struct config_options *options, se_error *err)
{
    AUTO(xml_doc) doc = NULL;

    TRY(start_loading(l, path, options ? options->pin_key : NULL, err));
    TRY(extract_pins(l, text, err));
    if (!l->findings.errors)
        xml_parse(&doc, &l->redacted, &l->findings);
    if (doc)
        load_tree(l, xmlDocGetRootElement(doc));
    return SE_OK;
}

static se_status finish_loading(struct config **out, struct loading *l, const char *path,
                                const struct config_options *options, se_error *err)
{
    TRY(findings_report(&l->findings, path, options, err));
    *out = MOVE(l->config);
    return SE_OK;
}

se_status config_parse(struct config **out, se_buf *text, const char *path,
                       const struct config_options *options, se_error *err)
{
    AUTO(loading) l = { 0 };
    AUTO(se_buf) taken = buf_move(text);

    *out = NULL;
    TRY(load_text(&l, &taken, path, options, err));
    return finish_loading(out, &l, path, options, err);
}

/* A file that can't be read is a finding like any other. */
static void read_file(se_buf *out, struct findings *findings, const char *path)
{
    se_error why = SE_ERROR_INIT;
    se_status st = file_read(out, path, SIZE_LIMIT, &why);

    if (st == SE_ERR_MEMORY)
        findings->failed = true;
    else if (st)
        findings_error(findings, 0, "%s", why.text);
}

static bool has_plain_pin(const struct config *config)
{
    for (size_t i = 0; i < config->key_count; i++)
        for (size_t j = 0; j < config->keys[i].count; j++)
            if (config->keys[i].replicas[j].pin.size)
                return true;
    return false;
}

static void check_mode(struct loading *l, const char *path)
{
    struct stat info;

    if (stat(path, &info))
        return;
    if (info.st_mode & S_IROTH && has_plain_pin(l->config))
        findings_warning(&l->findings, 0, "'%s' holds a plain PIN and can be read by everybody",
                         path);
    if (info.st_mode & S_IWOTH)
        findings_warning(&l->findings, 0, "'%s' can be changed by everybody", path);
}

se_status config_load(struct config **out, const char *path, const struct config_options *options,
                      se_error *err)
{
    AUTO(loading) l = { 0 };
    AUTO(se_buf) text = SE_BUF_INIT;

    *out = NULL;
    read_file(&text, &l.findings, path);
    if (!l.findings.errors && !l.findings.failed) {
        if (options && options->vouch)
            TRY_PREFIX(options->vouch(options->vouch_arg, buf_bytes(&text), err), err,
                       "'%s': ", path);
        TRY(load_text(&l, &text, path, options, err));
        check_mode(&l, path);
    }
    return finish_loading(out, &l, path, options, err);
}
