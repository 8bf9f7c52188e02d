#include "cli/sendmail.h"

#include <stdlib.h>

#include "base/auto.h"
#include "cli/program.h"

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

int sendmail_run(const struct cli *cli, const char *path, int argc, char **argv, int message)
{
    AUTO(arguments) arguments = arguments_new(path, argc, argv);
    const struct program sendmail = { "--sendmail", arguments, false, message };
    se_error err = SE_ERROR_INIT;
    int status;

    if (!arguments)
        return EXIT_INTERNAL;
    return program_run(&status, &sendmail, &err) ? cli_fail(cli, &err) : status;
}
