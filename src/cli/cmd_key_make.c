/* `key generate`, `key request`, `key import`, `key certificate`: what comes to a token or into a
 * file. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/stream.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/key_consent.h"
#include "cli/secret.h"
#include "cli/stream.h"

enum { INPUT_MOST = 4 << 20, NAMES_MOST = 64 };

struct make_options {
    struct place_options place;
    struct consent_options consent;
    const char *type, *subject, *usage, *names, *output;
    unsigned days;
    bool force;
};

/* Splits "DNS:a,DNS:b" in place. */
static size_t split(const char *out[NAMES_MOST], char *names)
{
    size_t count = 0;

    for (char *next, *name = names; name && count < NAMES_MOST; name = next) {
        if ((next = strchr(name, ',')))
            *next++ = '\0';
        out[count++] = name;
    }
    return count;
}

static struct provision_profile wish_of(const struct make_options *o, const char *const *names,
                                     size_t count)
{
    return (struct provision_profile){
        .type = o->type,
        .subject = o->subject,
        .usage = o->usage,
        .alternatives = names,
        .alternative_count = count,
        .days = o->days,
        .force = o->force,
    };
}

#define SUBJECT_ROWS                                                                               \
    { .name = "subject",                                                                           \
      .kind = OPTION_TEXT,                                                                         \
      .offset = offsetof(struct make_options, subject),                                            \
      .argument = "DN",                                                                            \
      .help = "/CN=.../O=... or CN=...,O=... (CN=ALIAS)",                                          \
      .fallback = "" },                                                                            \
        { .name = "san",                                                                           \
          .kind = OPTION_TEXT,                                                                     \
          .offset = offsetof(struct make_options, names),                                          \
          .argument = "NAME,...",                                                                  \
          .help = "DNS:host, email:a@example.org, IP:192.0.2.1, URI:..." },                        \
    {                                                                                              \
        .name = "key-usage", .kind = OPTION_TEXT, .offset = offsetof(struct make_options, usage),  \
        .argument = "USE", .help = "sign, encrypt or both (what descriptors do)", .fallback = ""   \
    }

static const struct option_row generate_rows[] = {
    { .name = "type",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct make_options, type),
      .argument = "TYPE",
      .help = "rsa:BITS, ec:P-256, ec:P-384 or ec:P-521 (rsa:3072)",
      .fallback = "rsa:3072" },
    SUBJECT_ROWS,
    { .name = "days",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct make_options, days),
      .argument = "N",
      .help = "that the certificate is valid (3650)",
      .fallback = "3650" },
    { .name = "force",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct make_options, force),
      .help = "replace the key that is there" },
    CONSENT_KEY_ROWS(struct make_options),
    PLACE_ROWS(struct make_options),
    END_ROW,
};

static struct consent replacing(struct cli *cli, const struct target *target)
{
    return (struct consent){
        .cli = cli, .target = target, .verb = "Replace", .done = "replaced", .option = "--yes"
    };
}

static int run_generate(struct cli *cli, void *options, int argc, char **argv)
{
    struct make_options *o = options;
    const struct provision_report report = place_news(cli);
    const char *names[NAMES_MOST];
    struct provision_profile wish = wish_of(o, names, split(names, (char *)o->names));
    AUTO(target) target = NULL;
    AUTO(consent) asking = { .cli = NULL };
    struct provision_consent consent;
    se_error err = SE_ERROR_INIT;
    int status = place_open_only(&target, cli, &o->place, argc, argv);

    if (status)
        return status;
    asking = replacing(cli, target);
    consent = consent_open(&asking, &o->consent);
    wish.consent = &consent;
    return provision_generate(target, &wish, &report, &err) ? cli_fail_output(cli, &err)
                                                            : EXIT_DONE;
}

const struct command command_key_generate = {
    .name = "key generate",
    .options = generate_rows,
    .options_size = sizeof(struct make_options),
    .run = run_generate,
};

static const struct option_row request_rows[] = {
    SUBJECT_ROWS,
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct make_options, output),
      .argument = "FILE",
      .help = "where to, `-` is standard output",
      .fallback = "-" },
    PLACE_ROWS(struct make_options),
    END_ROW,
};

static int write_request(struct cli *cli, const struct make_options *o, const se_buf *request)
{
    AUTO(result) result = RESULT_INIT;
    se_error err = SE_ERROR_INIT;

    if (result_open(&result, o->output, false, &err) ||
        sink_write(&result.sink, buf_bytes(request), &err) || result_commit(&result, &err)) {
        (void)cli_fail(cli, &err);
        return EXIT_NO_OUTPUT;
    }
    if (cli->json && !cli->taken)
        (void)json_line(json_pack("{s:o}", "output", json_text(o->output)));
    else if (!cli->taken)
        cli_done(cli, "%s: written, a request for a CA; `key certificate` takes its answer",
                 o->output);
    return EXIT_DONE;
}

static int run_request(struct cli *cli, void *options, int argc, char **argv)
{
    struct make_options *o = options;
    const char *names[NAMES_MOST];
    struct provision_profile wish = wish_of(o, names, split(names, (char *)o->names));
    AUTO(target) target = NULL;
    AUTO(se_buf) request = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    int status = place_open_only(&target, cli, &o->place, argc, argv);

    if (status)
        return status;
    if (provision_request(&request, target, &wish, &err))
        return cli_fail_output(cli, &err);
    return write_request(cli, o, &request);
}

const struct command command_key_request = {
    .name = "key request",
    .options = request_rows,
    .options_size = sizeof(struct make_options),
    .run = run_request,
};

struct import_options {
    struct place_options place;
    struct consent_options consent;
    const char *password_source, *authorities, *usage;
    bool force;
};

static const struct option_row import_rows[] = {
    { .name = "password-source",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct import_options, password_source),
      .argument = "SOURCE",
      .help = "where the password of FILE is" },
    { .name = "ca",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct import_options, authorities),
      .argument = "FILE",
      .help = "more certificates for the chain, PEM" },
    { .name = "key-usage",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct import_options, usage),
      .argument = "USE",
      .help = "sign, encrypt or both (certificate, descriptors)",
      .fallback = "" },
    { .name = "force",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct import_options, force),
      .help = "replace the key that is there" },
    CONSENT_KEY_ROWS(struct import_options),
    PLACE_ROWS(struct import_options),
    END_ROW,
};

static int import(struct cli *cli, struct target *target, const struct import_options *o,
                  const char *file)
{
    const struct provision_report report = place_news(cli);
    struct provision_import import = { .usage = o->usage, .force = o->force };
    AUTO(se_buf) key = SE_BUF_INIT;
    AUTO(se_buf) authorities = SE_BUF_INIT;
    AUTO(se_buf) password = SE_BUF_INIT;
    AUTO(consent) asking = replacing(cli, target);
    const struct provision_consent consent = consent_open(&asking, &o->consent);
    se_error err = SE_ERROR_INIT;

    if (file_read(&key, input_path(file), INPUT_MOST, &err) ||
        (o->authorities && file_read(&authorities, o->authorities, INPUT_MOST, &err)) ||
        (o->password_source && secret_read(&password, o->password_source, "--password-source",
                                           "password of the file", &err)))
        return cli_fail(cli, &err);
    import.file = buf_bytes(&key);
    import.name = input_path(file);
    import.authorities = buf_bytes(&authorities);
    import.password = &password;
    import.consent = &consent;
    return provision_import(target, &import, &report, &err) ? cli_fail_output(cli, &err)
                                                            : EXIT_DONE;
}

static int run_import(struct cli *cli, void *options, int argc, char **argv)
{
    const struct import_options *o = options;
    AUTO(target) target = NULL;
    int status = place_open(&target, cli, &o->place, &argc, &argv);

    if (status)
        return status;
    if (argc != 1)
        return cli_usage(cli, "which FILE is to be imported?");
    return import(cli, target, o, argv[0]);
}

const struct command command_key_import = {
    .name = "key import",
    .options = import_rows,
    .options_size = sizeof(struct import_options),
    .run = run_import,
};

struct certificate_options {
    struct place_options place;
};

static const struct option_row certificate_rows[] = { PLACE_ROWS(struct certificate_options),
                                                      END_ROW };

static int run_certificate(struct cli *cli, void *options, int argc, char **argv)
{
    const struct certificate_options *o = options;
    const struct provision_report report = place_news(cli);
    AUTO(target) target = NULL;
    AUTO(se_buf) answer = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    int status = place_open(&target, cli, &o->place, &argc, &argv);

    if (status)
        return status;
    if (argc != 1)
        return cli_usage(cli, "which FILE holds the certificate?");
    if (file_read(&answer, input_path(argv[0]), INPUT_MOST, &err))
        return cli_fail(cli, &err);
    return provision_certificate(target, buf_bytes(&answer), &report, &err)
               ? cli_fail_output(cli, &err)
               : EXIT_DONE;
}

const struct command command_key_certificate = {
    .name = "key certificate",
    .options = certificate_rows,
    .options_size = sizeof(struct certificate_options),
    .run = run_certificate,
};
