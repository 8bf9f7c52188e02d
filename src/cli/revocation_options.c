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
      .help = "an older CRL or answer tells nothing (until its nextUpdate)",
      .place = OPTION_LOCAL },
    { .name = "ocsp",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct revocation_options, ask_responders),
      .help = "the OCSP responders that certificates name are asked, by HTTP",
      .place = OPTION_LOCAL },
    { .name = "fetch-crls",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct revocation_options, fetch_crls),
      .help = "where nobody else tells, CRLs are fetched from where certificates say that they are",
      .place = OPTION_LOCAL },
    { .name = "require-revocation-check",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct revocation_options, required),
      .help = "about whom nobody tells is refused, too",
      .place = OPTION_LOCAL },
    { .name = "trust-stamp-after-compromise",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct revocation_options, stamps_outlive_compromise),
      .help = "what was stamped before its key was compromised stays good",
      .place = OPTION_LOCAL },
    { .name = NULL },
};

static bool is_wanted(const struct revocation_options *options)
{
    return options->crls || options->max_age || options->ask_responders || options->fetch_crls ||
           options->required || options->stamps_outlive_compromise;
}

const se_revocation_params *revocation_options_read(se_revocation_params *out,
                                                    const struct revocation_options *options)
{
    const int64_t day = 24 * 3600;

    *out = (se_revocation_params)SE_REVOCATION_PARAMS_INIT;
    out->crls = options->crls;
    out->max_age = options->max_age * day;
    out->required = options->required;
    out->stamps_outlive_compromise = options->stamps_outlive_compromise;
    out->ask_responders = options->ask_responders;
    out->fetch_crls = options->fetch_crls;
    return is_wanted(options) ? out : NULL;
}
