/* SPDX-License-Identifier: Apache-2.0 */
#include "base/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static int select_inside(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static se_status take_entry(const char *folder, const char *name, folder_entry_fn *fn, void *arg,
                            se_error *err)
{
    char *path = file_join(folder, name);
    se_status st = path ? fn(arg, path, err) : error_memory(err);

    free(path);
    return st;
}

se_status folder_each(const char *folder, folder_entry_fn *fn, void *arg, se_error *err)
{
    struct dirent **entries = NULL;
    const int count = scandir(folder, &entries, select_inside, alphasort);
    se_status st = SE_OK;

    if (count < 0)
        return error_set(err, errno == EACCES ? SE_ERR_ACCESS : SE_ERR_IO, "cannot read '%s': %s",
                         folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        if (!st)
            st = take_entry(folder, entries[i]->d_name, fn, arg, err);
        free(entries[i]);
    }
    free(entries);
    return st;
}
