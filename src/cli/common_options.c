/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/common_options.h"

#include "cli/cli.h"

/* ---- of commands that verify ---- */

const struct option_row unstamped_revocation_rows[] = {
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
    { .name = NULL },
};

const struct option_row revocation_rows[] = {
    { .kind = OPTION_GROUP, .rows = unstamped_revocation_rows },
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

/* ---- of commands that sign ---- */

const struct option_row at_any_time_rows[] = {
    { .name = "at-any-time",
      .kind = OPTION_FLAG,
      .help = "NAME:VERSION before its `from` and after its `until`, too: for tests and repair",
      .place = OPTION_LOCAL },
    { .name = NULL },
};

const struct option_row tsa_rows[] = {
    { .name = "tsa",
      .kind = OPTION_LIST,
      .offset = offsetof(struct tsa_options, urls),
      .argument = "URL",
      .help = "have a time stamping authority (RFC 3161) stamp it; given several times, the first "
              "that does",
      .place = OPTION_LOCAL },
    { .name = "tsa-policy",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct tsa_options, policy),
      .argument = "OID",
      .help = "by this policy of the authority, any if not given",
      .place = OPTION_LOCAL },
    { .name = NULL },
};

int tsa_read(se_buf *urls, const struct cli *cli, const struct tsa_options *tsa)
{
    AUTO(writer) w = { 0 };
    se_error err = SE_ERROR_INIT;

    if (!tsa->urls.count)
        return tsa->policy ? cli_usage(cli, "--tsa-policy needs --tsa") : EXIT_DONE;
    for (size_t i = 0; i < tsa->urls.count; i++)
        writer_format(&w, "%s%s", i ? " " : "", tsa->urls.items[i]);
    return writer_finish(urls, &w, &err) ? cli_fail(cli, &err) : EXIT_DONE;
}
