#include <stdlib.h>

#include "config/describe.h"

AUTO_KIND(pointers, const void **, free(*p))

static void put_escaped(struct writer *w, const char *text, char end)
{
    static const char special[] = "\\\t\n\r", letters[] = "\\tnr";

    for (; *text; text++) {
        const char *at = strchr(special, *text);

        if (at)
            writer_put(w, "\\", 1);
        writer_put(w, at ? &letters[at - special] : text, 1);
    }
    writer_put(w, &end, 1);
}

void canonical_line(struct writer *w, const char *item, const char *property, const char *value)
{
    put_escaped(w, item, '\t');
    put_escaped(w, property, '\t');
    put_escaped(w, value, '\n');
}

static void put_property(void *arg, const char *item, const char *property, const char *value)
{
    canonical_line(arg, item, property, value);
}

static int compare_descriptors(const void *left, const void *right)
{
    const struct descriptor *a = *(const void *const *)left, *b = *(const void *const *)right;
    int order = strcmp(a->name, b->name);

    return order ? order : (a->version > b->version) - (a->version < b->version);
}

static int compare_keys(const void *left, const void *right)
{
    const struct key_entry *a = *(const void *const *)left, *b = *(const void *const *)right;

    return strcmp(a->name, b->name);
}

static const void **sorted(const void *items, size_t count, size_t size,
                           int (*compare)(const void *, const void *))
{
    const void **pointers = calloc(count + 1, sizeof *pointers);

    for (size_t i = 0; pointers && i < count; i++)
        pointers[i] = (const char *)items + i * size;
    if (pointers)
        qsort(pointers, count, sizeof *pointers, compare);
    return pointers;
}

se_status config_canonical(se_buf *out, const struct config *config, se_error *err)
{
    AUTO(pointers) descriptors = sorted(config->descriptors, config->descriptor_count,
                                        sizeof *config->descriptors, compare_descriptors);
    AUTO(pointers) keys =
        sorted(config->keys, config->key_count, sizeof *config->keys, compare_keys);
    AUTO(writer) w = { 0 };
    struct describe d = { .fn = put_property, .arg = &w, .canonical = true };

    *out = (se_buf)SE_BUF_INIT;
    if (!descriptors || !keys)
        return error_memory(err);
    writer_text(&w, CANONICAL_HEADING);
    for (size_t i = 0; i < config->descriptor_count; i++)
        describe_descriptor(&d, descriptors[i]);
    for (size_t i = 0; i < config->key_count; i++)
        describe_key(&d, keys[i]);
    return d.failed ? error_memory(err) : writer_finish(out, &w, err);
}
