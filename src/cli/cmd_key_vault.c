/* SPDX-License-Identifier: Apache-2.0 */
/* What only keys in Azure's vaults have: `key recover`, `key purge`, `key rotate`. */
#include <stdlib.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/stream.h"
#include "cli/vault_report.h"

AUTO_KIND(text, char *, free(*p))

/* ---- recover ---- */

static int key_recover_run(struct cli *cli, void *options, int argc, char **argv)
{
    AUTO(target) target = NULL;
    struct vault_object object;
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(vault_target_open_only(&target, cli, options, argc, argv));
    if (vault_recover(&object, target, &err))
        return cli_fail_output(cli, &err);
    print_vault_object(cli, &object, "recovered");
    return EXIT_DONE;
}

const struct command command_key_recover = {
    .name = "key recover",
    .options = vault_target_rows,
    .options_size = sizeof(struct key_target_options),
    .run = key_recover_run,
};

/* ---- purge ---- */

struct purge_options {
    struct key_target_options target;
    struct consent_options consent;
};

static const struct option_row purge_rows[] = {
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct purge_options, consent),
      .rows = consent_rows },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct purge_options, target),
      .rows = vault_target_rows },
    { .name = NULL },
};

static int key_purge_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct purge_options *o = options;
    AUTO(vault_asking) asking = { .cli = NULL };
    const struct vault_consent consent = vault_asking_open(&asking, cli, &o->consent, "purged");
    AUTO(target) target = NULL;
    struct vault_object object;
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(vault_target_open_only(&target, cli, &o->target, argc, argv));
    if (vault_purge(&object, target, &consent, &err))
        return cli_fail_output(cli, &err);
    if (!consent.dry_run)
        print_vault_object(cli, &object, "purged");
    return EXIT_DONE;
}

const struct command command_key_purge = {
    .name = "key purge",
    .options = purge_rows,
    .options_size = sizeof(struct purge_options),
    .run = key_purge_run,
};

/* ---- rotate ---- */

struct rotate_options {
    struct key_target_options target;
    const char *subject, *usage, *output, *version;
    char *names;
    unsigned days;
    bool is_request;
};

static const struct option_row rotate_rows[] = {
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct rotate_options, output),
      .argument = "FILE",
      .help = "for the new certificate, or the request" },
    { .name = "request",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct rotate_options, is_request),
      .help = "make a request for a CA, no self-signed certificate" },
    { .name = "key-version",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct rotate_options, version),
      .argument = "VERSION",
      .help = "that is there already and has no certificate",
      .fallback = "" },
    { .name = "subject",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct rotate_options, subject),
      .argument = "DN",
      .help = "/CN=.../O=... or CN=...,O=... (the old one's)",
      .fallback = "" },
    { .name = "san",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct rotate_options, names),
      .argument = "NAME,...",
      .help = "DNS:host, email:a@example.org, IP:192.0.2.1, URI:... (the old one's)" },
    { .name = "key-usage",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct rotate_options, usage),
      .argument = "USE",
      .help = "sign, encrypt or both (the old one's)",
      .fallback = "" },
    { .name = "days",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct rotate_options, days),
      .argument = "N",
      .help = "that the certificate is valid (3650)",
      .fallback = "3650" },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct rotate_options, target),
      .rows = vault_target_rows },
    { .name = NULL },
};

/* As a configuration in any folder can name it; NULL: it is nowhere. */
static char *absolute_path(const char *path)
{
    char folder[4096];

    if (!is_replaced(path) || !getcwd(folder, sizeof folder))
        return NULL;
    return file_join(folder, path);
}

static void report_rotated(const struct cli *cli, const struct rotate_options *o,
                           const struct vault_rotated *rotated)
{
    const char *text = rotated->configuration.size ? (const char *)rotated->configuration.data : "";

    if (cli->taken)
        return;
    if (cli->json) {
        (void)json_line(
            json_pack("{s:o, s:o, s:o, s:b, s:o}", "kind", json_text(rotated->object.kind), "id",
                      json_text(rotated->object.id), "output", json_text(o->output), "request",
                      o->is_request, "configuration", json_text(*text ? text : NULL)));
        return;
    }
    fputs(text, stdout);
    cli_done(cli, "%s: written, the %s for %s", o->output,
             o->is_request ? "request" : "certificate", rotated->object.id);
}

static int rotate_target(struct cli *cli, const struct rotate_options *o,
                         const struct target *target, struct result *result)
{
    AUTO(vault_rotated) rotated = { .made = SE_BUF_INIT };
    AUTO(text) path = o->is_request ? NULL : absolute_path(o->output);
    const char *names[KEY_NAMES_MOST];
    const struct provision_profile profile = {
        .type = "",
        .subject = o->subject,
        .usage = o->usage,
        .alternatives = names,
        .alternative_count = key_names_split(names, o->names),
        .days = o->days,
    };
    const struct vault_rotation how = { &profile, o->is_request, o->version, path ? path : "" };
    se_error err = SE_ERROR_INIT;

    if (vault_rotate(&rotated, target, &how, &err))
        return cli_fail(cli, &err);
    TRY_EXIT(result_finish(result, cli, buf_bytes(&rotated.made)));
    report_rotated(cli, o, &rotated);
    return EXIT_DONE;
}

static int key_rotate_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct rotate_options *o = options;
    AUTO(target) target = NULL;
    AUTO(result) result = RESULT_INIT;
    se_error err = SE_ERROR_INIT;

    if (!o->output)
        return cli_usage(cli, "which file is the new certificate, or request, for? -o FILE");
    if (!o->days || o->days > 36500)
        return cli_usage(cli, "a certificate for %u days: not 1 to 36500", o->days);
    TRY_EXIT(vault_target_open_only(&target, cli, &o->target, argc, argv));
    if (result_check_new(o->output, &err) || result_open(&result, o->output, false, &err))
        return cli_fail_output(cli, &err);
    return rotate_target(cli, o, target, &result);
}

const struct command command_key_rotate = {
    .name = "key rotate",
    .options = rotate_rows,
    .options_size = sizeof(struct rotate_options),
    .run = key_rotate_run,
};
