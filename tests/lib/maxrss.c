/* SPDX-License-Identifier: Apache-2.0 */
/*
 * maxrss KILOBYTES COMMAND [ARGUMENT...]: runs the command; fails with status 98 when it needed
 * more memory than that. Otherwise the exit status is the command's.  Says what was needed on
 * standard error when it was too much.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct rusage usage;
    int status;
    pid_t child;

    if (argc < 3 || (child = fork()) < 0)
        return 99;
    if (!child) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (wait4(child, &status, 0, &usage) != child || !WIFEXITED(status))
        return 99;
    if (usage.ru_maxrss > atol(argv[1])) {
        fprintf(stderr, "maxrss: %ld kB were needed, %s are allowed\n", usage.ru_maxrss, argv[1]);
        return 98;
    }
    return WEXITSTATUS(status);
}
