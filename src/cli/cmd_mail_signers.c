/* SPDX-License-Identifier: Apache-2.0 */
/* `signengine mail signers` */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/stream.h"
#include "signengine-mail.h"

struct mail_signers_options {
    const char *descriptor;
};

static const struct option_row signers_rows[] = {
    { .letter = 'd',
      .name = "descriptor",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct mail_signers_options, descriptor),
      .argument = "DESCRIPTOR",
      .help = "whose versions",
      .fallback = "SignEmailDescriptor" },
    { .name = NULL },
};

enum { VERSIONS_MOST = 64 };

struct mail_signers {
    unsigned versions[VERSIONS_MOST];
    size_t count;
};

static void note_version(void *arg, unsigned version)
{
    struct mail_signers *signers = arg;

    if (signers->count < VERSIONS_MOST)
        signers->versions[signers->count++] = version;
}

static void print_json(const char *file, const struct mail_signers *signers, const char *why)
{
    json_t *list = json_array();

    for (size_t i = 0; i < signers->count; i++)
        (void)json_array_append_new(list, json_integer(signers->versions[i]));
    (void)json_line(json_pack("{s:o, s:o, s:o}", "file", json_text(file), "versions", list,
                              "unknown", json_text(why)));
}

static void print_text(const char *file, const char *descriptor, const struct mail_signers *signers,
                       const char *why)
{
    printf("%s:", file);
    for (size_t i = 0; i < signers->count; i++)
        printf(" %s:%u", descriptor, signers->versions[i]);
    if (why)
        printf(" not understood: %s", why);
    else if (!signers->count)
        printf(" none of '%s'", descriptor);
    putchar('\n');
}

/* What is no message was signed by nobody; one that is broken does not tell. */
static se_status show_signers(const struct cli *cli, se_engine *engine, const char *descriptor,
                              const char *file, se_error *err)
{
    AUTO(input) input = INPUT_INIT;
    struct mail_signers signers = { .count = 0 };
    const char *why = NULL;
    se_status st;

    TRY(input_open(&input, file, err));
    st = se_mail_find_versions(engine, descriptor, &input.source, note_version, &signers, err);
    if (st && st != SE_ERR_FORMAT && st != SE_ERR_REJECTED)
        return st;
    if (st == SE_ERR_REJECTED)
        why = err->text;
    if (cli->json)
        print_json(file, &signers, why);
    else
        print_text(file, descriptor, &signers, why);
    return SE_OK;
}

static int mail_signers_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct mail_signers_options *o = options;
    AUTO(engine) engine = NULL;
    se_error err = SE_ERROR_INIT;

    if (!argc)
        return cli_usage(cli, "which messages?");
    TRY_EXIT(cli_open(&engine, cli, &err));
    for (int i = 0; i < argc; i++)
        if (show_signers(cli, engine, o->descriptor, argv[i], &err))
            return cli_fail(cli, &err);
    return EXIT_DONE;
}

const struct command command_mail_signers = {
    .name = "mail signers",
    .options = signers_rows,
    .options_size = sizeof(struct mail_signers_options),
    .run = mail_signers_run,
};
