/* SPDX-License-Identifier: Apache-2.0 */
/* A backup of a key, up to the point where a recovery key is needed; and the part of it that
 * OpenSSL does not read. */
#include <stdlib.h>

#include "provision/backup/backup_file.h"
#include "provision/backup/wrapped_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_wrapped(se_bytes der)
{
    AUTO(wrapped_file) file = NULL;
    AUTO(wrapped_key) key = { .blob = SE_BUF_INIT };
    AUTO(writer) readers = { 0 };
    se_error err = SE_ERROR_INIT;

    if (wrapped_file_read(&file, der, &err)) {
        if (file || !*err.text)
            abort();
        return;
    }
    wrapped_file_readers(&readers, file);
    if (wrapped_file_key(&key, file, &err))
        return;
    if (!wrapped_public_key(&key))
        abort();
    (void)!wrapped_file_find(&key, file, sk_X509_value(key.certificates, 0), &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct recovery_keys none = { NULL, 0 };
    AUTO(backup_content) out = { .text = SE_BUF_INIT };
    se_error err = SE_ERROR_INIT;
    se_status st = backup_file_open(&out, (se_bytes){ data, size }, &none, &err);

    if (!st || out.text.size || backup_is_wrapped(&out) || !*err.text)
        abort();
    read_wrapped((se_bytes){ data, size });
    return 0;
}
