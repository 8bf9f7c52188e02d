/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signing_options.h"

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
