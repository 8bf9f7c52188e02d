#include "config/load.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "config/encoding.h"
#include "config/grammar.h"
#include "config/rules.h"
#include "config/schema.h"
#include "config/text_block.h"

enum { SIZE_LIMIT = 4 << 20 };

AUTO_KIND(text, char *, free(*p))

static const char *keep(struct loading *l, const char *text, size_t size)
{
    const char *kept = size ? text_block_add(&l->config->texts, text, size) : "";

    if (!kept)
        l->findings.failed = true;
    return kept ? kept : "";
}

const char *load_keep(struct loading *l, const char *text)
{
    return keep(l, text, strlen(text));
}

const char *load_value(struct loading *l, const xmlNode *element, const char *attribute)
{
    return load_keep(l, xml_value(element, attribute));
}

/* "file:/path" and "file:///path" are the same URL (RFC 8089); nothing is decoded in it. */
static const char *without_scheme(const char *written)
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

const char *load_path(struct loading *l, const char *written)
{
    AUTO(text) joined = NULL;

    if (!*written)
        return "";
    if (!(joined = file_join(l->config->folder, without_scheme(written)))) {
        l->findings.failed = true;
        return "";
    }
    return load_keep(l, joined);
}

bool load_number(unsigned long *out, struct loading *l, const xmlNode *element,
                 const char *attribute, unsigned long max)
{
    const char *value = xml_value(element, attribute);

    if (!*value)
        return false;
    if (text_number(out, value, max))
        return true;
    structure_bad_value(&l->findings, element, attribute);
    return false;
}

/* The text without PINs; what it was made of is wiped. */
static se_status lift(struct lifted *out, struct loading *l, se_buf *text, se_error *err)
{
    AUTO(se_buf) wiped = buf_move(text);
    se_error why = SE_ERROR_INIT;
    int line;
    se_status st;

    *out = (struct lifted){ 0 };
    if (wiped.size > SIZE_LIMIT) {
        findings_error(&l->findings, 0, "'%s' has %zu bytes, more than %d", l->config->path,
                       wiped.size, SIZE_LIMIT);
        return SE_OK;
    }
    if ((st = encoding_check(buf_bytes(&wiped), &line, &why)) ||
        (st = lift_pins(out, buf_bytes(&wiped), &line, &why))) {
        if (st != SE_ERR_CONFIG)
            return error_set(err, st, "%s", why.text);
        findings_error(&l->findings, line, "%s", why.text);
    }
    return SE_OK;
}

static void read_tree(struct loading *l, xmlDoc *doc)
{
    const xmlNode *root = xmlDocGetRootElement(doc), *keys = xml_child(root, "keys"),
                  *descriptors = xml_child(root, "descriptors");

    structure_check(&l->findings, root);
    if (keys)
        load_keys(l, keys);
    if (descriptors)
        load_descriptors(l, descriptors);
    rules_check(&l->findings, l->config);
    if (!findings_full(&l->findings))
        schema_check(&l->findings, doc);
}

static se_status start(struct loading *l, const char *path, const char *pin_key, se_error *err)
{
    AUTO(text) folder = file_folder(path);

    if (!folder || !(l->config = calloc(1, sizeof *l->config)))
        return error_memory(err);
    l->config->path = load_keep(l, path);
    l->config->folder = load_keep(l, folder);
    l->pin_key = pin_key ? load_keep(l, pin_key) : load_path(l, "pin.key");
    return l->findings.failed ? error_memory(err) : SE_OK;
}

/* Adds to findings that are there already. */
static se_status parse(struct loading *l, se_buf *text, const char *path,
                       const struct config_options *options, se_error *err)
{
    AUTO(lifted) lifted = { 0 };
    AUTO(xml_doc) doc = NULL;

    TRY(start(l, path, options ? options->pin_key : NULL, err));
    TRY(lift(&lifted, l, text, err));
    l->lifted = &lifted;
    if (!l->findings.errors)
        xml_parse(&doc, &lifted, &l->findings);
    if (doc)
        read_tree(l, doc);
    return SE_OK;
}

static void free_loading(struct loading *l)
{
    config_free(l->config);
    findings_free(&l->findings);
}
AUTO_KIND(loading, struct loading, free_loading(p))

static se_status finish(struct config **out, struct loading *l, const char *path,
                        const struct config_options *options, se_error *err)
{
    TRY(findings_tell(&l->findings, path, options, err));
    *out = l->config;
    l->config = NULL;
    return SE_OK;
}

se_status config_parse(struct config **out, se_buf *text, const char *path,
                       const struct config_options *options, se_error *err)
{
    AUTO(loading) l = { 0 };
    AUTO(se_buf) taken = buf_move(text);

    *out = NULL;
    TRY(parse(&l, &taken, path, options, err));
    return finish(out, &l, path, options, err);
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
    se_status st = SE_OK;

    *out = NULL;
    read_file(&text, &l.findings, path);
    if (!l.findings.errors && !l.findings.failed) {
        if (options && options->vouch &&
            (st = options->vouch(options->vouch_arg, buf_bytes(&text), err)))
            return error_prefix(err, "'%s': ", path);
        TRY(parse(&l, &text, path, options, err));
        check_mode(&l, path);
    }
    return finish(out, &l, path, options, err);
}
