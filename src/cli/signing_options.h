/* SPDX-License-Identifier: Apache-2.0 */
/* The options of several commands that sign: when a version may, and who stamps. */
#ifndef CLI_SIGNING_OPTIONS_H
#define CLI_SIGNING_OPTIONS_H

#include "cli/cli.h"

/* A bool: what signs or encrypts does so whether or not it is the stated version's time. */
extern const struct option_row at_any_time_rows[];

/* Who stamps what is signed. */
struct tsa_options {
    struct option_list urls;
    const char *policy;
};
extern const struct option_row tsa_rows[];
/* `urls` as se_sign_params.tsa has them, NULL if none is given.  An exit status. */
int tsa_read(se_buf *urls, const struct cli *cli, const struct tsa_options *tsa);

#endif
