#include "cli/sendmail.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/error.h"

enum { SHELLS_CANNOT_RUN = 127 };

AUTO_KIND(arguments, char **, free(*p))

static char **arguments_new(const char *path, int argc, char **argv)
{
    char **arguments = calloc((size_t)argc + 2, sizeof *arguments);

    if (!arguments)
        return NULL;
    arguments[0] = (char *)path;
    for (int i = 0; i < argc; i++)
        arguments[i + 1] = argv[i];
    return arguments;
}

/* Not fork(): its child would have a copy of all we know, and run handlers of PKCS #11 modules, until it is another program.  0, or errno.
 */
static int spawn(pid_t *child, char **arguments, int message)
{
    posix_spawn_file_actions_t actions;
    int failure = lseek(message, 0, SEEK_SET) ? errno : posix_spawn_file_actions_init(&actions);

    if (failure)
        return failure;
    if (!(failure = posix_spawn_file_actions_adddup2(&actions, message, STDIN_FILENO)))
        failure = posix_spawn(child, arguments[0], &actions, NULL, arguments, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return failure;
}

/* The exit status of the program, if it has one that is its own. */
static se_status await(int *out, pid_t child, const char *path, se_error *err)
{
    int status = 0;

    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return error_set(err, SE_ERR_UNAVAILABLE, "--sendmail: cannot wait for '%s': %s", path, strerror(errno));
    if (WIFSIGNALED(status))
        return error_set(err, SE_ERR_UNAVAILABLE, "--sendmail: '%s' was killed by signal %d", path, WTERMSIG(status));
    *out = WEXITSTATUS(status);
    if (*out == SHELLS_CANNOT_RUN)
        return error_set(err, SE_ERR_UNAVAILABLE, "--sendmail: '%s', or what it runs, cannot be run: it ended with status %d", path, *out);
    return SE_OK;
}

int sendmail_run(const struct cli *cli, const char *path, int argc, char **argv, int message)
{
    AUTO(arguments) arguments = arguments_new(path, argc, argv);
    se_error err = SE_ERROR_INIT;
    int failure, status = 0;
    pid_t child;

    if (!arguments)
        return EXIT_INTERNAL;
    if ((failure = spawn(&child, arguments, message)))
        (void)error_set(&err, SE_ERR_UNAVAILABLE, "--sendmail: cannot run '%s': %s", path, strerror(failure));
    else
        (void)await(&status, child, path, &err);
    return err.status ? cli_fail(cli, &err) : status;
}
