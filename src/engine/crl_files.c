/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/crl_files.h"

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/folder.h"

enum { CRL_LIMIT = 256 << 20 }; /* those of large CAs have millions of entries */

static se_status load_file(STACK_OF(X509_CRL) * crls, const char *path, bool needs_one,
                           se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    const int before = sk_X509_CRL_num(crls);

    TRY(file_read(&text, path, CRL_LIMIT, err));
    TRY(crls_read(crls, buf_bytes(&text), path, err));
    if (needs_one && sk_X509_CRL_num(crls) == before)
        return error_set(err, SE_ERR_FORMAT, "there is no CRL in '%s'", path);
    return SE_OK;
}

static bool has_ending(const char *name, const char *wanted)
{
    const char *ending = strrchr(name, '.');

    return ending && !strcmp(ending, wanted);
}

/* Beside CRLs there may be the certificates of their issuers. */
static se_status load_entry(void *arg, const char *path, se_error *err)
{
    const bool is_crl = has_ending(path, ".crl");

    return is_crl || has_ending(path, ".pem") ? load_file(arg, path, is_crl, err) : SE_OK;
}

se_status crl_files_load(STACK_OF(X509_CRL) * crls, const char *path, se_error *err)
{
    struct stat info;

    if (!stat(path, &info) && S_ISDIR(info.st_mode))
        TRY_PREFIX(folder_each(path, load_entry, crls, err), err, "CRLs: ");
    else
        TRY_PREFIX(load_file(crls, path, true, err), err, "CRLs: ");
    return SE_OK;
}
