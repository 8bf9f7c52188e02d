/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest, a NUL, a signature file: compared with each other, for an archive of two files. */
#include <stdlib.h>

#include "zip/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add(struct archive *archive, const char *name)
{
    archive->entries[archive->count++] = (struct entry){ .name = (uint32_t)archive->names.buf.size,
                                                         .name_size = (uint16_t)strlen(name) };
    writer_put(&archive->names, name, strlen(name) + 1);
}

static void check(const struct archive *archive, se_bytes manifest, se_bytes file)
{
    bool covered[3] = { false };
    AUTO(manifest_index) m = { .sections = NULL };
    AUTO(se_buf) text = SE_BUF_INIT;
    struct signature_job job = { .archive = archive, .manifest = &m, .covered = covered };
    se_error err = SE_ERROR_INIT;

    if (buf_copy(&text, manifest, &err) || manifest_index_parse(&m, archive, &text, true, &err) ||
        signature_file_check(&job, "ONE.SF", file, &err))
        return;
    for (size_t i = 0; i < archive->count; i++)
        if (covered[i] && !manifest_index_find(&m, i).size)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(archive) archive = { .fd = -1, .entries = calloc(3, sizeof *archive.entries) };
    const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
    se_error err = SE_ERROR_INIT;

    if (!nul || !archive.entries)
        return 0;
    add(&archive, "a.txt");
    add(&archive, "b/c.txt");
    if (!archive_index_names(&archive, &err) && !entry_names_check(&archive, &err))
        check(&archive, (se_bytes){ data, (size_t)(nul - data) },
              (se_bytes){ nul + 1, (size_t)(data + size - nul - 1) });
    return 0;
}
