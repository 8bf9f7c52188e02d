/* SPDX-License-Identifier: Apache-2.0 */
/* `key init`, `key delete`: what is on a token or in a store goes; `key generate`, `key request`,
 * `key import`, `key certificate`: what comes there. */
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/key_target.h"
#include "cli/secret.h"
#include "cli/stream.h"

struct init_options {
    struct key_target_options target;
    struct consent_options consent;
    const char *so_pin_source;
    bool force;
};

static const struct option_row init_rows[] = {
    { .name = "so-pin-source",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct init_options, so_pin_source),
      .argument = "SOURCE",
      .help = "where the security officer's PIN is" },
    { .name = "force",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct init_options, force),
      .help = "wipe the token if it is initialised" },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct init_options, consent),
      .rows = consent_rows },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct init_options, target),
      .rows = key_target_rows },
    { .name = NULL },
};

static int key_init_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct init_options *o = options;
    const struct provision_report report = key_report_news(cli);
    AUTO(target) target = NULL;
    AUTO(key_consent) asking = { .cli = NULL };
    AUTO(se_buf) so_pin = SE_BUF_INIT;
    struct provision_consent consent;
    se_error err = SE_ERROR_INIT;

    if (!o->so_pin_source)
        return cli_usage(
            cli, "--so-pin-source is missing: the token wants a PIN for its security officer");
    TRY_EXIT(key_target_open_only(&target, cli, &o->target, argc, argv));
    if (secret_read(&so_pin, o->so_pin_source, "--so-pin-source", "SO PIN", &err))
        return cli_fail(cli, &err);
    asking = (struct key_consent){
        .cli = cli,
        .target = target,
        .verb = "Wipe",
        .thing = "the token, with all its keys",
        .done = "wiped",
        .option = "--yes",
        .always = true,
    };
    consent = key_consent_open(&asking, &o->consent);
    return provision_init(target, &so_pin, o->force, &consent, &report, &err)
               ? cli_fail_output(cli, &err)
               : EXIT_DONE;
}

const struct command command_key_init = {
    .name = "key init",
    .options = init_rows,
    .options_size = sizeof(struct init_options),
    .run = key_init_run,
};

struct delete_options {
    struct key_target_options target;
    struct consent_options consent;
    bool force;
};

static const struct option_row delete_rows[] = {
    { .name = "force",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct delete_options, force),
      .help = "do not ask" },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct delete_options, consent),
      .rows = key_consent_rows },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct delete_options, target),
      .rows = key_target_rows },
    { .name = NULL },
};

static int key_delete_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct delete_options *o = options;
    AUTO(target) target = NULL;
    AUTO(key_consent) asking = { .cli = NULL };
    struct provision_consent consent;
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(key_target_open_only(&target, cli, &o->target, argc, argv));
    asking = (struct key_consent){
        .cli = cli,
        .target = target,
        .verb = "Delete",
        .done = "deleted",
        .option = "--force",
        .meant = o->force,
        .always = true,
    };
    consent = key_consent_open(&asking, &o->consent);
    if (provision_delete(target, &consent, &err))
        return cli_fail_output(cli, &err);
    if (!consent.dry_run)
        cli_done(cli, "%s: deleted", target_text(target));
    return EXIT_DONE;
}

const struct command command_key_delete = {
    .name = "key delete",
    .options = delete_rows,
    .options_size = sizeof(struct delete_options),
    .run = key_delete_run,
};

/* ---- what comes ---- */

enum { INPUT_MOST = 4 << 20 };

struct make_options {
    struct key_target_options target;
    struct consent_options consent;
    const char *type, *subject, *usage, *names, *output, *protection;
    unsigned days, expires;
    bool force, exportable;
};

static struct provision_profile profile_of(const struct make_options *o, const char *const *names,
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
        .protection = o->protection,
        .expires = o->expires,
        .is_exportable = o->exportable,
    };
}

static const struct option_row subject_rows[] = {
    { .name = "subject",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct make_options, subject),
      .argument = "DN",
      .help = "/CN=.../O=... or CN=...,O=... (CN=ALIAS)",
      .fallback = "" },
    { .name = "san",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct make_options, names),
      .argument = "NAME,...",
      .help = "DNS:host, email:a@example.org, IP:192.0.2.1, URI:..." },
    { .name = "key-usage",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct make_options, usage),
      .argument = "USE",
      .help = "sign, encrypt or both (what descriptors do)",
      .fallback = "" },
    { .name = NULL },
};

static const struct option_row type_rows[] = {
    { .name = "type",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct make_options, type),
      .argument = "TYPE",
      .help = "rsa:BITS, ec:P-256, ec:P-384 or ec:P-521 (rsa:3072; in vaults rsa:2048)",
      .fallback = "" },
    { .name = "protection",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct make_options, protection),
      .argument = "WHERE",
      .help = "hsm or software, in a Key Vault (hsm)" },
    { .name = NULL },
};

static const struct option_row generate_rows[] = {
    { .kind = OPTION_GROUP, .rows = type_rows },
    { .kind = OPTION_GROUP, .rows = subject_rows },
    { .name = "days",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct make_options, days),
      .argument = "N",
      .help = "that the certificate is valid (3650)",
      .fallback = "3650" },
    { .name = "expires",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct make_options, expires),
      .argument = "DAYS",
      .help = "until the key itself does, in vaults (never)" },
    { .name = "exportable",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct make_options, exportable),
      .help = "it may leave its token, encrypted, for backups (never)" },
    { .name = "force",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct make_options, force),
      .help = "replace the key that is there" },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct make_options, consent),
      .rows = key_consent_rows },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct make_options, target),
      .rows = key_target_rows },
    { .name = NULL },
};

static struct key_consent replace_consent(struct cli *cli, const struct target *target)
{
    return (struct key_consent){
        .cli = cli, .target = target, .verb = "Replace", .done = "replaced", .option = "--yes"
    };
}

static int key_generate_run(struct cli *cli, void *options, int argc, char **argv)
{
    struct make_options *o = options;
    const struct provision_report report = key_report_news(cli);
    const char *names[KEY_NAMES_MOST];
    struct provision_profile profile =
        profile_of(o, names, key_names_split(names, (char *)o->names));
    AUTO(target) target = NULL;
    AUTO(key_consent) asking = { .cli = NULL };
    struct provision_consent consent;
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(key_target_open_only(&target, cli, &o->target, argc, argv));
    asking = replace_consent(cli, target);
    consent = key_consent_open(&asking, &o->consent);
    profile.consent = &consent;
    return provision_generate(target, &profile, &report, &err) ? cli_fail_output(cli, &err)
                                                               : EXIT_DONE;
}

const struct command command_key_generate = {
    .name = "key generate",
    .options = generate_rows,
    .options_size = sizeof(struct make_options),
    .run = key_generate_run,
};

static const struct option_row request_rows[] = {
    { .kind = OPTION_GROUP, .rows = subject_rows },
    { .kind = OPTION_GROUP, .rows = type_rows },
    { .name = "force",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct make_options, force),
      .help = "give up a request that waits in a vault" },
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct make_options, output),
      .argument = "FILE",
      .help = "where to, `-` is standard output",
      .fallback = "-" },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct make_options, target),
      .rows = key_target_rows },
    { .name = NULL },
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

static int key_request_run(struct cli *cli, void *options, int argc, char **argv)
{
    struct make_options *o = options;
    const char *names[KEY_NAMES_MOST];
    struct provision_profile profile =
        profile_of(o, names, key_names_split(names, (char *)o->names));
    AUTO(target) target = NULL;
    AUTO(se_buf) request = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(key_target_open_only(&target, cli, &o->target, argc, argv));
    if (provision_request(&request, target, &profile, &err))
        return cli_fail_output(cli, &err);
    return write_request(cli, o, &request);
}

const struct command command_key_request = {
    .name = "key request",
    .options = request_rows,
    .options_size = sizeof(struct make_options),
    .run = key_request_run,
};

struct import_options {
    struct key_target_options target;
    struct consent_options consent;
    const char *password_source, *authorities, *usage, *protection;
    bool force, exportable;
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
    { .name = "protection",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct import_options, protection),
      .argument = "WHERE",
      .help = "hsm or software, in a Key Vault (hsm)" },
    { .name = "exportable",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct import_options, exportable),
      .help = "it may leave its token, encrypted, for backups (never)" },
    { .name = "force",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct import_options, force),
      .help = "replace the key that is there" },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct import_options, consent),
      .rows = key_consent_rows },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct import_options, target),
      .rows = key_target_rows },
    { .name = NULL },
};

static int import_file(struct cli *cli, struct target *target, const struct import_options *o,
                       const char *file)
{
    const struct provision_report report = key_report_news(cli);
    struct provision_import import = {
        .usage = o->usage,
        .force = o->force,
        .protection = o->protection,
        .is_exportable = o->exportable,
    };
    AUTO(se_buf) key = SE_BUF_INIT;
    AUTO(se_buf) authorities = SE_BUF_INIT;
    AUTO(se_buf) password = SE_BUF_INIT;
    AUTO(key_consent) asking = replace_consent(cli, target);
    const struct provision_consent consent = key_consent_open(&asking, &o->consent);
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

static int key_import_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct import_options *o = options;
    AUTO(target) target = NULL;

    TRY_EXIT(key_target_open(&target, cli, &o->target, &argc, &argv));
    if (argc != 1)
        return cli_usage(cli, "which FILE is to be imported?");
    return import_file(cli, target, o, argv[0]);
}

const struct command command_key_import = {
    .name = "key import",
    .options = import_rows,
    .options_size = sizeof(struct import_options),
    .run = key_import_run,
};

static int key_certificate_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct key_target_options *o = options;
    const struct provision_report report = key_report_news(cli);
    AUTO(target) target = NULL;
    AUTO(se_buf) answer = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(key_target_open(&target, cli, o, &argc, &argv));
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
    .options = key_target_rows,
    .options_size = sizeof(struct key_target_options),
    .run = key_certificate_run,
};
