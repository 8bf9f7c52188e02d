/* SPDX-License-Identifier: Apache-2.0 */
/* The options of several commands: how those that verify look at revocation; when a version may
 * sign, and who stamps. */
#ifndef CLI_COMMON_OPTIONS_H
#define CLI_COMMON_OPTIONS_H

#include "base/buf.h"
#include "cli/options.h"
#include "signengine.h"

struct cli;

struct revocation_options {
    const char *crls;
    unsigned max_age; /* days */
    bool ask_responders, fetch_crls, required, stamps_outlive_compromise;
};
extern const struct option_row revocation_rows[];
/* The same of signatures that have no time stamps. */
extern const struct option_row unstamped_revocation_rows[];

/* Fills *out, and returns it; NULL: none is given, and only what a signature brings is looked at.
 */
const se_revocation_params *revocation_options_read(se_revocation_params *out,
                                                    const struct revocation_options *options);

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
