/* A message to a program that takes it on its standard input, as sendmail(8) does. */
#ifndef CLI_SENDMAIL_H
#define CLI_SENDMAIL_H

#include "cli/cli.h"

/* Runs `path` with these arguments and the file behind `message` as its input; its exit status. */
int sendmail_run(const struct cli *cli, const char *path, int argc, char **argv, int message);

#endif
