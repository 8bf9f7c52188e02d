/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/vault_report.h"

#include "base/clock.h"

/* ---- which key ---- */

const struct option_row vault_target_rows[] = {
    { .name = "replica",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct key_target_options, replica),
      .argument = "N",
      .help = "which <type> of the key, from 1" },
    { .name = "pin-source",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct key_target_options, pin_source),
      .argument = "SOURCE",
      .help = "of the login's secret: env:NAME, file:PATH, credential:NAME, fd:N or prompt" },
    { .name = NULL },
};

int vault_target_open(struct target **out, struct cli *cli,
                      const struct key_target_options *options, int *argc, char ***argv)
{
    *out = NULL;
    if (!*argc)
        return cli_usage(cli, "which KEY of the configuration?");
    return key_target_open(out, cli, options, argc, argv);
}

int vault_target_open_only(struct target **out, struct cli *cli,
                           const struct key_target_options *options, int argc, char **argv)
{
    int status = vault_target_open(out, cli, options, &argc, &argv);

    return !status && argc ? cli_usage(cli, "one key at a time") : status;
}

/* ---- before something goes for good ---- */

static void print_loss(FILE *out, const struct vault_loss *loss)
{
    char date[TIME_TEXT_ROOM];

    fprintf(out, "%s %s", loss->kind, loss->id);
    if (*loss->detail)
        fprintf(out, ": %s", loss->detail);
    if (loss->deleted)
        fprintf(out, ", deleted on %s", time_format(date, TIME_DATE, loss->deleted));
    if (loss->purge)
        fprintf(out, ", goes by itself on %s", time_format(date, TIME_DATE, loss->purge));
    fputs("\n", out);
}

static void print_loss_json(const struct vault_loss *loss)
{
    (void)json_line(json_pack("{s:o, s:o, s:o, s:o, s:o}", "kind", json_text(loss->kind), "id",
                              json_text(loss->id), "detail", json_text(loss->detail), "deleted",
                              json_time(loss->deleted), "scheduledPurge", json_time(loss->purge)));
}

static void keep_loss(void *arg, const struct vault_loss *loss)
{
    struct vault_asking *asking = arg;

    if (asking->rows.out)
        print_loss(asking->rows.out, loss);
}

static void show_loss(void *arg, const struct vault_loss *loss)
{
    const struct vault_asking *asking = arg;

    if (asking->cli->json)
        print_loss_json(loss);
    else
        print_loss(stdout, loss);
}

static se_status ask_vault(void *arg, const char *question, se_error *err)
{
    const struct vault_asking *asking = arg;
    const struct consent_question q = {
        .loss = loss_rows_text(&asking->rows),
        .question = question,
        .done = asking->done,
        .option = "--yes",
    };

    return asking->is_meant ? SE_OK : consent_ask(&q, err);
}

struct vault_consent vault_asking_open(struct vault_asking *asking, const struct cli *cli,
                                       const struct consent_options *options, const char *done)
{
    *asking = (struct vault_asking){ .cli = cli, .done = done, .is_meant = options->yes };
    if (!options->dry_run)
        loss_rows_open(&asking->rows);
    return (struct vault_consent){
        .loss = options->dry_run ? show_loss : keep_loss,
        .ask = ask_vault,
        .arg = asking,
        .dry_run = options->dry_run,
    };
}

void vault_asking_free(struct vault_asking *asking)
{
    loss_rows_close(&asking->rows);
    *asking = (struct vault_asking){ .cli = NULL };
}

/* ---- results ---- */

void print_vault_object(const struct cli *cli, const struct vault_object *object, const char *done)
{
    if (cli->json)
        (void)json_line(json_pack("{s:o, s:o, s:o}", "kind", json_text(object->kind), "id",
                                  json_text(object->id), "done", json_text(done)));
    else
        cli_done(cli, "%s %s: %s", object->kind, object->id, done);
}
