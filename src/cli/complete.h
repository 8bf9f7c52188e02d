/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand where a word is being typed, told to the shells by the files in completion/. */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "cli/cli.h"

/* Before the words; it is in no list of commands. */
#define COMPLETE_WORD "__complete"

/*
 * The words behind "signengine", of which the last is being typed and may be empty.  Prints a line
 * "WORD<TAB>TEXT" for each that it may become; or one that begins with the byte 1: the name of a
 * file belongs behind the part of the word that stands in that line.  No key store is touched, and
 * whatever goes wrong prints nothing.  The exit status is that of success.
 */
int complete_words(struct cli *cli, int argc, char **argv);

#endif
