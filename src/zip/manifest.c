/* SPDX-License-Identifier: Apache-2.0 */
#include "zip/manifest.h"

#include <string.h>
#include <strings.h>

/* ---- names ---- */

enum { FOLDER_SIZE = sizeof JAR_FOLDER - 1 };

static const char *find_extension(const char *file)
{
    const char *dot = strrchr(file, '.');

    return dot ? dot + 1 : "";
}

enum jar_name jar_name_kind(const char *name)
{
    static const struct {
        const char *extension;
        enum jar_name kind;
    } extensions[] = {
        { "SF", JAR_SIGNATURE_FILE },
        { "RSA", JAR_BLOCK },
        { "EC", JAR_BLOCK },
        { "DSA", JAR_FOREIGN },
    };
    const char *file = name + FOLDER_SIZE;

    if (strncasecmp(name, JAR_FOLDER, FOLDER_SIZE) != 0 || strchr(file, '/'))
        return JAR_OTHER;
    if (strcasecmp(name, JAR_MANIFEST_NAME) == 0)
        return JAR_MANIFEST;
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++)
        if (strcasecmp(find_extension(file), extensions[i].extension) == 0)
            return extensions[i].kind;
    return strncasecmp(file, "SIG-", 4) == 0 ? JAR_FOREIGN : JAR_OTHER;
}

bool jar_name_is_plain(const char *name)
{
    const char *tail = jar_name_kind(name) == JAR_MANIFEST ? name : find_extension(name);

    if (strncmp(name, JAR_FOLDER, FOLDER_SIZE) != 0)
        return false;
    for (; *tail; tail++)
        if (*tail >= 'a' && *tail <= 'z')
            return false;
    return true;
}

size_t jar_name_measure_stem(const char *name)
{
    return (size_t)(strrchr(name, '.') - name);
}

static char make_capital(char c)
{
    if (c >= 'a' && c <= 'z')
        return (char)(c - 0x20);
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ? c : '_';
}

void jar_name_make_stem(char out[JAR_STEM_MOST + 1], const char *alias)
{
    size_t size = 0;

    for (const unsigned char *p = (const unsigned char *)alias; *p && size < JAR_STEM_MOST; p++)
        if ((*p & 0xc0) != 0x80) /* Java counts letters, not bytes */
            out[size++] = make_capital((char)*p);
    out[size] = '\0';
}

/* ---- lines ---- */

/* Java's readers give up at 512; nobody needs more than 72 */
enum { LINE_MOST = 510, NAME_MOST = 70, LINE_WRITTEN = 72 };

static se_status refuse_line(const struct section_reader *r, const char *what, se_error *err)
{
    return error_set(err, SE_ERR_FORMAT, "%s:%zu: %s", r->file, r->line, what);
}

/* The next line, without its end.  An empty one, or the end of the text, ends a section. */
static se_status read_line(se_bytes *line, struct section_reader *r, se_error *err)
{
    const char *start = (const char *)r->text.data + r->at;
    size_t left = r->text.size - r->at;
    const char *end = left ? memchr(start, '\n', left) : NULL;
    size_t size;

    *line = (se_bytes){ start, 0 };
    if (!left)
        return SE_OK;
    r->line++;
    if (!end)
        return refuse_line(r, "the last line does not end", err);
    size = (size_t)(end - start);
    r->at += size + 1;
    if (size && start[size - 1] == '\r')
        size--;
    if (size > LINE_MOST)
        return refuse_line(r, "the line is too long", err);
    if (size && (memchr(start, '\r', size) || memchr(start, 0, size)))
        return refuse_line(
            r, "a NUL or a carriage return inside a line, which readers understand differently",
            err);
    line->size = size;
    return SE_OK;
}

/* Joins the lines of a section into the scratch: NUL-terminated "Name: value", one after the other.
 */
static se_status join_lines(struct section_reader *r, se_error *err)
{
    size_t lines = 0;
    se_bytes line;
    se_status st;

    r->scratch.buf.size = 0;
    while (!(st = read_line(&line, r, err)) && line.size) {
        bool continues = *(const char *)line.data == ' ';

        if (continues && !lines)
            return refuse_line(r, "a continuation line that continues nothing", err);
        if (continues && line.size == 1)
            return refuse_line(r, "an empty continuation line", err);
        if (!continues && lines)
            writer_put(&r->scratch, "", 1);
        writer_put(&r->scratch, (const char *)line.data + continues, line.size - continues);
        lines++;
    }
    if (!st && !lines)
        return refuse_line(r, "an empty line too many", err);
    writer_put(&r->scratch, "", 1);
    return st ? st : r->scratch.failed ? error_memory(err) : SE_OK;
}

/* ---- attributes ---- */

static bool is_attribute_name(const char *name)
{
    size_t size = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    return size && size <= NAME_MOST && !name[size] && *name != '-' && *name != '_';
}

static se_status check_attribute_is_new(const struct section_reader *r, const struct section *s,
                                        const char *name, se_error *err)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcasecmp(s->attributes[i].name, name) == 0)
            return refuse_line(r, "an attribute that the section has already", err);
    return SE_OK;
}

static se_status add_attribute(struct section_reader *r, struct section *s, char *text,
                               se_error *err)
{
    char *colon = strstr(text, ": ");

    if (!colon)
        return refuse_line(r, "no attribute: \"Name: value\" is expected", err);
    *colon = '\0';
    if (!is_attribute_name(text))
        return refuse_line(r, "the name of an attribute is not one", err);
    if (s->count == ATTRIBUTES_MOST)
        return refuse_line(r, "too many attributes in a section", err);
    TRY(check_attribute_is_new(r, s, text, err));
    r->attributes[s->count++] = (struct attribute){ text, colon + 2 };
    return SE_OK;
}

static se_status split_attributes(struct section *out, struct section_reader *r, se_error *err)
{
    char *p = (char *)r->scratch.buf.data, *end = p + r->scratch.buf.size;
    se_status st = SE_OK;

    while (!st && p < end) {
        char *text = p;

        p += strlen(p) + 1;
        st = add_attribute(r, out, text, err);
    }
    return st;
}

static void skip_empty_lines(struct section_reader *r)
{
    const char *p = r->text.data;

    for (size_t size; r->at < r->text.size; r->at += size, r->line++) {
        size = p[r->at] == '\r' && r->at + 1 < r->text.size ? 2 : 1;
        if (p[r->at + size - 1] != '\n')
            return;
    }
}

static se_status read_section(struct section *out, struct section_reader *r, se_error *err)
{
    size_t start;

    if (r->anew)
        skip_empty_lines(r);
    start = r->at;
    *out = (struct section){ .name = "", .attributes = r->attributes };
    if (r->at == r->text.size)
        return SE_OK;
    TRY(join_lines(r, err));
    TRY(split_attributes(out, r, err));
    out->raw = (se_bytes){ (const char *)r->text.data + start, r->at - start };
    r->count++;
    return SE_OK;
}

/* ---- sections ---- */

se_status section_read_first(struct section *out, struct section_reader *reader, const char *first,
                             se_error *err)
{
    TRY(read_section(out, reader, err));
    if (!out->count || strcasecmp(out->attributes[0].name, first) != 0 ||
        strcmp(out->attributes[0].value, "1.0") != 0)
        return error_set(err, SE_ERR_FORMAT, "%s: does not begin with \"%s: 1.0\"", reader->file,
                         first);
    if (section_get(out, "Name"))
        return refuse_line(reader, "Name in the main section", err);
    return SE_OK;
}

se_status section_read_next(struct section *out, struct section_reader *reader, se_error *err)
{
    se_status st = read_section(out, reader, err);

    if (st || !out->raw.size)
        return st;
    if (strcasecmp(out->attributes[0].name, "Name") != 0 || !*out->attributes[0].value)
        return refuse_line(reader, "a section that does not begin with its Name", err);
    out->name = out->attributes[0].value;
    out->attributes++;
    out->count--;
    return SE_OK;
}

se_status section_read_again(struct section *out, struct section_reader *reader, se_bytes raw,
                             se_error *err)
{
    reader->text = raw;
    reader->at = 0;
    return section_read_next(out, reader, err);
}

void section_reader_free(struct section_reader *reader)
{
    writer_free(&reader->scratch);
}

const char *section_get(const struct section *section, const char *name)
{
    for (size_t i = 0; i < section->count; i++)
        if (strcasecmp(section->attributes[i].name, name) == 0)
            return section->attributes[i].value;
    return NULL;
}

/* ---- writing ---- */

/* Not within a letter: people read manifests too. */
static size_t cut_at_letter(const char *text, size_t size, size_t room)
{
    if (size <= room)
        return size;
    for (size = room; size && ((unsigned char)text[size] & 0xc0) == 0x80;)
        size--;
    return size ? size : room;
}

void attribute_write(struct writer *w, const char *name, const char *value)
{
    size_t left = strlen(value), size = cut_at_letter(value, left, LINE_WRITTEN - strlen(name) - 2);

    writer_text(w, name);
    writer_text(w, ": ");
    for (;;) {
        writer_put(w, value, size);
        writer_text(w, "\r\n");
        value += size;
        if (!(left -= size))
            return;
        writer_text(w, " ");
        size = cut_at_letter(value, left, LINE_WRITTEN - 1);
    }
}

void section_write_end(struct writer *w)
{
    writer_text(w, "\r\n");
}
