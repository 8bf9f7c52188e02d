/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/spawn.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

enum { SHELLS_CANNOT_RUN = 127 };

static int set_descriptors(posix_spawn_file_actions_t *actions, const struct spawn *p)
{
    int failure = posix_spawn_file_actions_adddup2(actions, p->input, STDIN_FILENO);

    if (!failure && p->output)
        failure = posix_spawn_file_actions_adddup2(actions, p->output, STDOUT_FILENO);
    return failure ? failure : posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
}

/* Not fork(): until exec, its child would have a copy of our memory, and run fork handlers of
 * PKCS #11 modules.  0, or errno.
 */
static int spawn_process(pid_t *child, const struct spawn *p)
{
    posix_spawn_file_actions_t actions;
    int failure = lseek(p->input, 0, SEEK_SET) ? errno : posix_spawn_file_actions_init(&actions);

    if (failure)
        return failure;
    if (!(failure = set_descriptors(&actions, p)))
        failure = (p->search ? posix_spawnp : posix_spawn)(child, p->arguments[0], &actions, NULL,
                                                           p->arguments, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return failure;
}

se_status spawn_await(int *status, pid_t child, const struct spawn *p, se_error *err)
{
    const char *path = p->arguments[0];
    int ended = 0;

    *status = 0;
    while (waitpid(child, &ended, 0) < 0)
        if (errno != EINTR)
            return error_set(err, SE_ERR_UNAVAILABLE, "%s: cannot wait for '%s': %s", p->option,
                             path, strerror(errno));
    if (WIFSIGNALED(ended))
        return error_set(err, SE_ERR_UNAVAILABLE, "%s: '%s' was killed by signal %d", p->option,
                         path, WTERMSIG(ended));
    if (WEXITSTATUS(ended) == SHELLS_CANNOT_RUN)
        return error_set(err, SE_ERR_UNAVAILABLE,
                         "%s: '%s', or what it runs, cannot be run: it ended with status %d",
                         p->option, path, SHELLS_CANNOT_RUN);
    *status = WEXITSTATUS(ended);
    return SE_OK;
}

se_status spawn_start(pid_t *child, const struct spawn *spawn, se_error *err)
{
    int failure;

    (void)fflush(stdout);           /* our output comes before the program's */
    (void)signal(SIGCHLD, SIG_DFL); /* our parent may have ignored it, and then no exit status
                                       of a child can be read */
    if ((failure = spawn_process(child, spawn)))
        return error_set(err, SE_ERR_UNAVAILABLE, "%s: cannot run '%s': %s", spawn->option,
                         spawn->arguments[0], strerror(failure));
    return SE_OK;
}

se_status spawn_run(int *status, const struct spawn *spawn, se_error *err)
{
    pid_t child;
    se_status st = spawn_start(&child, spawn, err);

    *status = 0;
    return st ? st : spawn_await(status, child, spawn, err);
}
