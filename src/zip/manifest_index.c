#include "zip/manifest_index.h"

#include <stdlib.h>

#include "zip/entry_reader.h"
#include "zip/jar_names.h"

void manifest_index_free(struct manifest_index *manifest)
{
    se_buf_free(&manifest->text);
    free(manifest->sections);
    *manifest = (struct manifest_index){ .sections = NULL };
}

se_bytes manifest_index_find(const struct manifest_index *manifest, size_t entry)
{
    struct section_place place = manifest->sections[entry];

    if (!place.size)
        return (se_bytes){ NULL, 0 };
    return (se_bytes){ manifest->text.data + place.at, place.size };
}

static se_status place_section(struct manifest_index *m, const struct archive *archive, const struct section *section, bool absent_fails,
                               se_error *err)
{
    const struct entry *entry = archive_find(archive, section->name);
    struct section_place *p = entry ? &m->sections[entry - archive->entries] : NULL;

    if (!entry && absent_fails)
        return error_set(err, SE_ERR_REJECTED, "'%s' is named in the manifest and not there", section->name);
    if (!entry)
        return SE_OK;
    if (p->size)
        return error_set(err, SE_ERR_FORMAT, "%s: two sections for '%s'", JAR_MANIFEST_NAME, section->name);
    p->at = (uint32_t)((const unsigned char *)section->raw.data - m->text.data);
    p->size = (uint32_t)section->raw.size;
    return SE_OK;
}

static se_status read_sections(struct manifest_index *m, const struct archive *archive, bool absent_fails, se_error *err)
{
    AUTO(section_reader) reader = { .file = JAR_MANIFEST_NAME, .text = buf_bytes(&m->text), .anew = !absent_fails };
    struct section section;
    se_status st = section_read_first(&section, &reader, "Manifest-Version", err);

    if (st)
        return st;
    if (section_get(&section, "Magic"))
        return error_set(err, SE_ERR_FORMAT, "%s: asks for verification methods that only others know (Magic)", JAR_MANIFEST_NAME);
    m->main = section.raw;
    while (!(st = section_read_next(&section, &reader, err)) && section.raw.size)
        if ((st = place_section(m, archive, &section, absent_fails, err)))
            return st;
    return st;
}

se_status manifest_index_parse(struct manifest_index *out, const struct archive *archive, se_buf *text, bool absent_fails, se_error *err)
{
    AUTO(manifest_index) m = { .text = buf_move(text), .sections = calloc(archive->count + 1, sizeof *m.sections) };
    se_status st;

    *out = (struct manifest_index){ .sections = NULL };
    if (!m.sections)
        return error_memory(err);
    if (m.text.data && (st = read_sections(&m, archive, absent_fails, err)))
        return st;
    *out = m;
    m = (struct manifest_index){ .sections = NULL };
    return SE_OK;
}

se_status manifest_index_load(struct manifest_index *out, const struct archive *archive, bool absent_fails, se_error *err)
{
    const struct entry *entry = archive_find(archive, JAR_MANIFEST_NAME);
    AUTO(se_buf) text = SE_BUF_INIT;
    se_status st;

    *out = (struct manifest_index){ .sections = NULL };
    if (entry && (st = entry_read_all(&text, archive, entry, MANIFEST_LIMIT, err)))
        return st;
    return manifest_index_parse(out, archive, &text, absent_fails, err);
}
