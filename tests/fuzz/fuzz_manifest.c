/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests: sections read, and what is written from them read again. */
#include <stdlib.h>

#include "zip/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(struct writer *w, const struct section *section)
{
    if (*section->name)
        attribute_write(w, "Name", section->name);
    for (size_t i = 0; i < section->count; i++)
        attribute_write(w, section->attributes[i].name, section->attributes[i].value);
    section_write_end(w);
}

/* How many sections there are, all of them well-formed; 0: they are not. */
static size_t read_all(struct writer *copy, se_bytes text)
{
    AUTO(section_reader) reader = { .file = "MANIFEST.MF", .text = text };
    se_error err = SE_ERROR_INIT;
    struct section section;
    se_status st = section_read_first(&section, &reader, "Manifest-Version", &err);

    while (!st && section.raw.size) {
        if (copy)
            put(copy, &section);
        st = section_read_next(&section, &reader, &err);
    }
    return st ? 0 : reader.count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(writer) copy = { 0 };
    size_t sections = read_all(&copy, (se_bytes){ data, size });

    if (sections && read_all(NULL, buf_bytes(&copy.buf)) != sections)
        abort();
    return 0;
}
