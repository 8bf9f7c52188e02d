#include "cli/sendmail.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void become(const char *path, char **arguments, int message)
{
    if (lseek(message, 0, SEEK_SET) == 0 && dup2(message, STDIN_FILENO) >= 0)
        execv(path, arguments);
    _exit(127);
}

int sendmail_run(const struct cli *cli, const char *path, int argc, char **argv, int message)
{
    char **arguments = calloc((size_t)argc + 2, sizeof *arguments);
    int status = 0;
    pid_t child;

    if (!arguments)
        return EXIT_INTERNAL;
    arguments[0] = (char *)path;
    for (int i = 0; i < argc; i++)
        arguments[i + 1] = argv[i];
    child = fork();
    if (child == 0)
        become(path, arguments, message);
    free(arguments);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) != 127)
        return WEXITSTATUS(status);
    return cli_fail(cli, &(se_error){ .status = SE_ERR_UNAVAILABLE, .text = "--sendmail: the program could not be run, or was killed" });
}
