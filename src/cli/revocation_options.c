/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/revocation_options.h"

const struct option_row revocation_rows[] = {
    { .name = "crl",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct revocation_options, crls),
      .argument = "PATH",
      .help = "whose certificate these CRLs revoke is refused; a file, or a folder of *.crl and "
              "*.pem",
      .place = OPTION_LOCAL },
    { .name = "crl-max-age",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct revocation_options, max_age),
      .argument = "DAYS",
      .help = "an older CRL tells nothing (until its nextUpdate)",
      .place = OPTION_LOCAL },
    { .name = "require-revocation-check",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct revocation_options, required),
      .help = "whom the CRLs do not tell about is refused, too",
      .place = OPTION_LOCAL },
    { .name = "trust-stamp-after-compromise",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct revocation_options, stamps_outlive_compromise),
      .help = "what was stamped before its key was compromised stays good",
      .place = OPTION_LOCAL },
    { .name = NULL },
};

int revocation_options_read(se_revocation_params *out, const se_revocation_params **params,
                            const struct cli *cli, const struct revocation_options *options)
{
    const int64_t day = 24 * 3600;

    *out = (se_revocation_params)SE_REVOCATION_PARAMS_INIT;
    *params = options->crls ? out : NULL;
    if (!options->crls &&
        (options->max_age || options->required || options->stamps_outlive_compromise))
        return cli_usage(cli, "--crl-max-age, --require-revocation-check and "
                              "--trust-stamp-after-compromise need --crl");
    out->crls = options->crls;
    out->max_age = options->max_age * day;
    out->required = options->required;
    out->stamps_outlive_compromise = options->stamps_outlive_compromise;
    return EXIT_DONE;
}
