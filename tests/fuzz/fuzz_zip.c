/* SPDX-License-Identifier: Apache-2.0 */
/* Archives: their records, and what their entries unpack to. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "zip/entry_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void unpack(const struct archive *archive, const struct entry *entry)
{
    AUTO(se_buf) content = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)!entry_read_all(&content, archive, entry, 1 << 20, &err);
    (void)archive_find(archive, entry_name(archive, entry));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct archive_limits limits = {
        .entries = 1000, .total = 1 << 20, .ratio = 200, .tidies = size % 2
    };
    AUTO(archive) archive = { .fd = -1 };
    se_error err = SE_ERROR_INIT;
    int fd = memfd_create("zip", MFD_CLOEXEC);
    char path[32];

    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fd < 0 || write_all(fd, data, size) || archive_open(&archive, path, &limits, &err)) {
        close(fd);
        return 0;
    }
    for (size_t i = 0; i < archive.count; i++)
        unpack(&archive, &archive.entries[i]);
    close(fd);
    return 0;
}
