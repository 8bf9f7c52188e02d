/* SPDX-License-Identifier: Apache-2.0 */
/* The options of all commands that verify: how revocation is looked at. */
#ifndef CLI_REVOCATION_OPTIONS_H
#define CLI_REVOCATION_OPTIONS_H

#include "cli/cli.h"

struct revocation_options {
    const char *crls;
    unsigned max_age; /* days */
    bool required, stamps_outlive_compromise;
};
extern const struct option_row revocation_rows[];

/* `params` points to *out where revocation is looked at, and is NULL otherwise. */
int revocation_options_read(se_revocation_params *out, const se_revocation_params **params,
                            const struct cli *cli, const struct revocation_options *options);

#endif
