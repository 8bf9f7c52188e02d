/* SPDX-License-Identifier: Apache-2.0 */
/* Tests that need files: each works in an empty folder of its own. */
#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/unit/unit.h"

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_enter, folder_leave)

static char folder[] = "/tmp/signengine-file.XXXXXX";

static inline int folder_enter(void **state)
{
    (void)state;
    memcpy(strrchr(folder, '.') + 1, "XXXXXX", 6);
    return !mkdtemp(folder) || chdir(folder);
}

static inline int not_dots(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* How many names there are in the current folder; with `empty` they are removed. */
static inline int names_here(bool empty)
{
    struct dirent **entries;
    int n = scandir(".", &entries, not_dots, alphasort);

    for (int i = 0; i < n; i++) {
        if (empty)
            (void)(unlink(entries[i]->d_name) && rmdir(entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
    return n;
}

static inline int folder_leave(void **state)
{
    (void)state;
    (void)names_here(true);
    return chdir("/") || rmdir(folder);
}

static inline void make(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write_all(fd, text, strlen(text)), 0);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static inline void assert_holds(const char *path, const char *text)
{
    AUTO(se_buf) buf = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, file_read(&buf, path, 1000, &err), &err);
    assert_string_equal((char *)buf.data, text);
}

static inline mode_t mode_of(const char *path)
{
    struct stat info;

    assert_int_equal(lstat(path, &info), 0);
    return info.st_mode;
}

/* As a user who may not: root may everything, so a child becomes nobody. */
static inline se_status as_nobody(se_status (*work)(se_error *err), se_error *err)
{
    int link[2], end;
    pid_t child;

    if (geteuid())
        return work(err);
    assert_int_equal(pipe(link), 0);
    child = fork();
    assert_true(child >= 0);
    if (!child) {
        se_status st = setgid(65534) || setuid(65534) ? SE_ERR_USAGE : work(err);

        _exit(write_all(link[1], err, sizeof *err) ? 99 : (int)st);
    }
    assert_int_equal(read(link[0], err, sizeof *err), sizeof *err);
    close(link[0]);
    close(link[1]);
    assert_int_equal(waitpid(child, &end, 0), child);
    assert_true(WIFEXITED(end));
    return (se_status)WEXITSTATUS(end);
}

#endif
