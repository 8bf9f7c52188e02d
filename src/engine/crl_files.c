/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/crl_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"

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

static int select_crl_file(const struct dirent *entry)
{
    return has_ending(entry->d_name, ".crl") || has_ending(entry->d_name, ".pem");
}

static se_status load_entry(STACK_OF(X509_CRL) * crls, const char *folder, const char *name,
                            se_error *err)
{
    char *path = file_join(folder, name);
    se_status st = path ? load_file(crls, path, has_ending(name, ".crl"), err) : error_memory(err);

    free(path);
    return st;
}

static se_status load_folder(STACK_OF(X509_CRL) * crls, const char *folder, se_error *err)
{
    struct dirent **entries = NULL;
    const int count = scandir(folder, &entries, select_crl_file, alphasort);
    se_status st = SE_OK;

    if (count < 0)
        return error_set(err, errno == EACCES ? SE_ERR_ACCESS : SE_ERR_IO, "cannot read '%s': %s",
                         folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        if (!st)
            st = load_entry(crls, folder, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    return st;
}

se_status crl_files_load(STACK_OF(X509_CRL) * *out, const char *path, se_error *err)
{
    AUTO(crl_stack) crls = sk_X509_CRL_new_null();
    struct stat info;

    *out = NULL;
    if (!crls)
        return error_memory(err);
    if (!stat(path, &info) && S_ISDIR(info.st_mode))
        TRY_PREFIX(load_folder(crls, path, err), err, "CRLs: ");
    else
        TRY_PREFIX(load_file(crls, path, true, err), err, "CRLs: ");
    *out = MOVE(crls);
    return SE_OK;
}
