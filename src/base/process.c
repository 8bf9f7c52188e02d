/* SPDX-License-Identifier: Apache-2.0 */
#include "base/process.h"

#include <sys/prctl.h>
#include <sys/resource.h>

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
