#include "zip/compose.h"

#include <stdio.h>
#include <strings.h>

#include "base/base64.h"
#include "zip/meta.h"

#define CREATOR "signengine"

/* "SHA-256-Digest", "SHA1-Digest-Manifest", "SHA-256-Digest-de": all that says something about content */
static bool is_digest(const char *name)
{
    return strcasestr(name, "-Digest") != NULL;
}

static void put_kept(struct writer *w, const struct section *section)
{
    for (size_t i = 0; i < section->count; i++)
        if (!is_digest(section->attributes[i].name))
            attribute_put(w, section->attributes[i].name, section->attributes[i].value);
}

static se_status put_main(struct writer *w, const struct composition *c, struct section_reader *reader, se_error *err)
{
    struct section section;
    se_status st = SE_OK;

    if (c->old->main.size) {
        reader->text = c->old->main;
        st = section_first(&section, reader, "Manifest-Version", err);
        if (!st)
            put_kept(w, &section);
    } else {
        attribute_put(w, "Manifest-Version", "1.0");
        attribute_put(w, "Created-By", CREATOR);
    }
    section_end(w);
    return st;
}

static se_status put_entry(struct writer *w, const struct composition *c, size_t index, struct section_reader *reader, se_error *err)
{
    se_bytes old = manifest_section(c->old, index);
    char text[DIGEST_TEXT];
    struct section section;
    se_status st;

    attribute_put(w, "Name", entry_name(c->archive, &c->archive->entries[index]));
    if (old.size) {
        if ((st = section_again(&section, reader, old, err)))
            return st;
        put_kept(w, &section);
    }
    digest_write(text, c->kind, c->digests + index * c->kind->size);
    attribute_put(w, c->kind->attribute, text);
    section_end(w);
    return SE_OK;
}

/* About as much as it will be, so that it is not copied about while it grows. */
static size_t expected(const struct composition *c)
{
    return c->archive->names.buf.size + c->archive->names.buf.size / 16 + c->archive->count * (base64_size(c->kind->size) + 36) +
           c->old->text.size + 256;
}

static bool ends_with_empty_line(se_bytes text)
{
    const char *p = text.data;

    return (text.size >= 4 && !strncmp(p + text.size - 4, "\r\n\r\n", 4)) || (text.size >= 2 && !strncmp(p + text.size - 2, "\n\n", 2));
}

/* The sections that an old signature digests stay byte for byte; so does the last one's end. */
static se_status begin(struct writer *w, const struct composition *c, struct section_reader *reader, se_error *err)
{
    writer_expect(w, expected(c));
    if (!c->keep)
        return put_main(w, c, reader, err);
    writer_put(w, c->old->text.data, c->old->text.size);
    if (ends_with_empty_line(buf_bytes(&c->old->text)))
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT, "%s does not end with an empty line: nothing can be added to it", META_MANIFEST_NAME);
}

se_status compose_manifest(se_buf *out, const struct composition *c, se_error *err)
{
    AUTO(section_reader) reader = { .file = META_MANIFEST_NAME };
    AUTO(writer) w = { 0 };
    se_status st = begin(&w, c, &reader, err);

    *out = (se_buf)SE_BUF_INIT;
    for (size_t i = 0; !st && i < c->archive->count; i++)
        if (c->listed[i] && !(c->keep && manifest_section(c->old, i).size))
            st = put_entry(&w, c, i, &reader, err);
    return st ? st : writer_finish(out, &w, err);
}

static se_status put_digest(struct writer *w, const struct digest_kind *kind, const char *suffix, se_bytes bytes, se_error *err)
{
    char name[80], text[DIGEST_TEXT];
    se_status st = digest_text(text, kind, bytes, err);

    (void)snprintf(name, sizeof name, "%s%s", kind->attribute, suffix);
    if (!st)
        attribute_put(w, name, text);
    return st;
}

se_status compose_signature_file(se_buf *out, se_bytes manifest, const struct digest_kind *kind, se_error *err)
{
    AUTO(section_reader) reader = { .file = META_MANIFEST_NAME, .text = manifest };
    AUTO(writer) w = { 0 };
    struct section section;
    se_status st = section_first(&section, &reader, "Manifest-Version", err);

    *out = (se_buf)SE_BUF_INIT;
    if (st)
        return st;
    writer_expect(&w, manifest.size + 512);
    attribute_put(&w, "Signature-Version", "1.0");
    attribute_put(&w, "Created-By", CREATOR);
    if ((st = put_digest(&w, kind, "-Manifest", manifest, err)) ||
        (st = put_digest(&w, kind, "-Manifest-Main-Attributes", section.raw, err)))
        return st;
    section_end(&w);
    while (!(st = section_next(&section, &reader, err)) && section.raw.size) {
        attribute_put(&w, "Name", section.name);
        if ((st = put_digest(&w, kind, "", section.raw, err)))
            return st;
        section_end(&w);
    }
    return st ? st : writer_finish(out, &w, err);
}
