/* SPDX-License-Identifier: Apache-2.0 */
#include "zip/manifest_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/base64.h"
#include "zip/entry_reader.h"

#define CREATOR "signengine"

/* ---- reading ---- */

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

static se_status place_section(struct manifest_index *m, const struct archive *archive,
                               const struct section *section, bool absent_fails, se_error *err)
{
    const struct entry *entry = archive_find(archive, section->name);
    struct section_place *p = entry ? &m->sections[entry - archive->entries] : NULL;

    if (!entry && absent_fails)
        return error_set(err, SE_ERR_REJECTED, "'%s' is named in the manifest and not there",
                         section->name);
    if (!entry)
        return SE_OK;
    if (p->size)
        return error_set(err, SE_ERR_FORMAT, "%s: two sections for '%s'", JAR_MANIFEST_NAME,
                         section->name);
    p->at = (uint32_t)((const unsigned char *)section->raw.data - m->text.data);
    p->size = (uint32_t)section->raw.size;
    return SE_OK;
}

static se_status read_sections(struct manifest_index *m, const struct archive *archive,
                               bool absent_fails, se_error *err)
{
    AUTO(section_reader) reader = {
        .file = JAR_MANIFEST_NAME,
        .text = buf_bytes(&m->text),
        .anew = !absent_fails,
    };
    struct section section;
    se_status st = SE_OK;

    TRY(section_read_first(&section, &reader, "Manifest-Version", err));
    if (section_get(&section, "Magic"))
        return error_set(err, SE_ERR_FORMAT,
                         "%s: asks for verification methods that only others know (Magic)",
                         JAR_MANIFEST_NAME);
    m->main = section.raw;
    while (!(st = section_read_next(&section, &reader, err)) && section.raw.size)
        TRY(place_section(m, archive, &section, absent_fails, err));
    return st;
}

se_status manifest_index_parse(struct manifest_index *out, const struct archive *archive,
                               se_buf *text, bool absent_fails, se_error *err)
{
    AUTO(manifest_index) m = { .text = buf_move(text),
                               .sections = calloc(archive->count + 1, sizeof *m.sections) };
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

se_status manifest_index_load(struct manifest_index *out, const struct archive *archive,
                              bool absent_fails, se_error *err)
{
    const struct entry *entry = archive_find(archive, JAR_MANIFEST_NAME);
    AUTO(se_buf) text = SE_BUF_INIT;
    se_status st;

    *out = (struct manifest_index){ .sections = NULL };
    if (entry && (st = entry_read_all(&text, archive, entry, MANIFEST_LIMIT, err)))
        return st;
    return manifest_index_parse(out, archive, &text, absent_fails, err);
}

/* ---- writing a manifest ---- */

/* "SHA-256-Digest", "SHA1-Digest-Manifest", "SHA-256-Digest-de": all that says something about
 * content */
static bool is_digest_name(const char *name)
{
    return strcasestr(name, "-Digest") != NULL;
}

static void put_kept_attributes(struct writer *w, const struct section *section)
{
    for (size_t i = 0; i < section->count; i++)
        if (!is_digest_name(section->attributes[i].name))
            attribute_write(w, section->attributes[i].name, section->attributes[i].value);
}

static se_status put_main_section(struct writer *w, const struct manifest_draft *c,
                                  struct section_reader *reader, se_error *err)
{
    struct section section;
    se_status st = SE_OK;

    if (c->old->main.size) {
        reader->text = c->old->main;
        st = section_read_first(&section, reader, "Manifest-Version", err);
        if (!st)
            put_kept_attributes(w, &section);
    } else {
        attribute_write(w, "Manifest-Version", "1.0");
        attribute_write(w, "Created-By", CREATOR);
    }
    section_write_end(w);
    return st;
}

static se_status put_entry_section(struct writer *w, const struct manifest_draft *c, size_t index,
                                   struct section_reader *reader, se_error *err)
{
    se_bytes old = manifest_index_find(c->old, index);
    char text[DIGEST_TEXT];
    struct section section;

    attribute_write(w, "Name", entry_name(c->archive, &c->archive->entries[index]));
    if (old.size) {
        TRY(section_read_again(&section, reader, old, err));
        put_kept_attributes(w, &section);
    }
    digest_encode(text, c->kind, c->digests + index * c->kind->size);
    attribute_write(w, c->kind->attribute, text);
    section_write_end(w);
    return SE_OK;
}

/* About as much as it will be, so that it is not copied about while it grows. */
static size_t estimate_size(const struct manifest_draft *c)
{
    return c->archive->names.buf.size + c->archive->names.buf.size / 16 +
           c->archive->count * (base64_size(c->kind->size) + 36) + c->old->text.size + 256;
}

static bool ends_with_empty_line(se_bytes text)
{
    const char *p = text.data;

    return (text.size >= 4 && !strncmp(p + text.size - 4, "\r\n\r\n", 4)) ||
           (text.size >= 2 && !strncmp(p + text.size - 2, "\n\n", 2));
}

/* The sections that an old signature digests stay byte for byte; so does the last one's end. */
static se_status begin_manifest(struct writer *w, const struct manifest_draft *c,
                                struct section_reader *reader, se_error *err)
{
    writer_expect(w, estimate_size(c));
    if (!c->keep)
        return put_main_section(w, c, reader, err);
    writer_put(w, c->old->text.data, c->old->text.size);
    if (ends_with_empty_line(buf_bytes(&c->old->text)))
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT,
                     "%s does not end with an empty line: nothing can be added to it",
                     JAR_MANIFEST_NAME);
}

se_status manifest_write(se_buf *out, const struct manifest_draft *c, se_error *err)
{
    AUTO(section_reader) reader = { .file = JAR_MANIFEST_NAME };
    AUTO(writer) w = { 0 };
    se_status st = begin_manifest(&w, c, &reader, err);

    *out = (se_buf)SE_BUF_INIT;
    for (size_t i = 0; !st && i < c->archive->count; i++)
        if (c->listed[i] && !(c->keep && manifest_index_find(c->old, i).size))
            st = put_entry_section(&w, c, i, &reader, err);
    return st ? st : writer_finish(out, &w, err);
}

/* ---- writing a signature file ---- */

static se_status put_digest_attribute(struct writer *w, const struct digest_kind *kind,
                                      const char *suffix, se_bytes bytes, se_error *err)
{
    char name[80], text[DIGEST_TEXT];
    se_status st = digest_bytes(text, kind, bytes, err);

    (void)snprintf(name, sizeof name, "%s%s", kind->attribute, suffix);
    if (!st)
        attribute_write(w, name, text);
    return st;
}

se_status signature_file_write(se_buf *out, se_bytes manifest, const struct digest_kind *kind,
                               se_error *err)
{
    AUTO(section_reader) reader = { .file = JAR_MANIFEST_NAME, .text = manifest };
    AUTO(writer) w = { 0 };
    struct section section;
    se_status st = section_read_first(&section, &reader, "Manifest-Version", err);

    *out = (se_buf)SE_BUF_INIT;
    if (st)
        return st;
    writer_expect(&w, manifest.size + 512);
    attribute_write(&w, "Signature-Version", "1.0");
    attribute_write(&w, "Created-By", CREATOR);
    TRY(put_digest_attribute(&w, kind, "-Manifest", manifest, err));
    TRY(put_digest_attribute(&w, kind, "-Manifest-Main-Attributes", section.raw, err));
    section_write_end(&w);
    while (!(st = section_read_next(&section, &reader, err)) && section.raw.size) {
        attribute_write(&w, "Name", section.name);
        TRY(put_digest_attribute(&w, kind, "", section.raw, err));
        section_write_end(&w);
    }
    return st ? st : writer_finish(out, &w, err);
}
