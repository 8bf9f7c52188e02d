/* SPDX-License-Identifier: Apache-2.0 */
#include "base/process.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

/*
 * PINs and keys would be in it.  The limit does not count where core_pattern is a pipe (core(5)),
 * and "not dumpable" is lost when a child becomes another program, which then has the limit.
 * /proc/self belongs to root from now on; to the process itself that makes no difference
 * (proc_pid_fd(5)).
 */
bool process_forbid_dumps(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_CORE, &limit))
        return false;
    limit.rlim_cur = 0;
    return !setrlimit(RLIMIT_CORE, &limit) && !prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* What needs no other rights has none. */
se_status process_become(const char *user, const char *file, se_error *err)
{
    const struct passwd *entry = user ? getpwnam(user) : NULL;

    if (geteuid() != 0)
        return SE_OK;
    if (!user)
        return error_set(err, SE_ERR_ACCESS, "started as root: %s must say `user = NAME`", file);
    if (!entry || entry->pw_uid == 0)
        return error_set(err, SE_ERR_ACCESS, "the user of the configuration, '%s', %s", user,
                         entry ? "is root" : "is not there");
    if (initgroups(user, entry->pw_gid) || setgid(entry->pw_gid) || setuid(entry->pw_uid))
        return error_set(err, SE_ERR_ACCESS,
                         "cannot become the user of the configuration, '%s': %s", user,
                         strerror(errno));
    return SE_OK;
}

/* ---- what it uses ---- */

/* The first two numbers of /proc/self/statm (proc(5)), in pages. */
uint64_t process_memory(bool resident)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    char *next = NULL;
    unsigned long pages;

    if (file_read(&text, "/proc/self/statm", 4096, NULL))
        return 0;
    pages = strtoul((const char *)text.data, &next, 10);
    if (resident)
        pages = strtoul(next, NULL, 10);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Without `.`, `..`, and the one that looks. */
unsigned process_count_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;

    while (folder && readdir(folder))
        count++;
    if (folder)
        (void)closedir(folder);
    return count > 3 ? count - 3 : 0;
}
