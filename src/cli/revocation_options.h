/* SPDX-License-Identifier: Apache-2.0 */
/* The options of all commands that verify: how revocation is looked at. */
#ifndef CLI_REVOCATION_OPTIONS_H
#define CLI_REVOCATION_OPTIONS_H

#include "cli/options.h"
#include "signengine.h"

struct revocation_options {
    const char *crls;
    unsigned max_age; /* days */
    bool ask_responders, fetch_crls, required, stamps_outlive_compromise;
};
extern const struct option_row revocation_rows[];

/* Fills *out, and returns it; NULL: none is given, and only what a signature brings is looked at.
 */
const se_revocation_params *revocation_options_read(se_revocation_params *out,
                                                    const struct revocation_options *options);

#endif
