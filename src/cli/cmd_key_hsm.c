/* SPDX-License-Identifier: Apache-2.0 */
/* What only a Managed HSM has: `key roles`, who may do what with a key, and `key store`, all of it
 * to Blob storage and back. */
#include "cli/commands.h"
#include "cli/secret.h"
#include "cli/vault_report.h"

/* ---- roles ---- */

struct roles_options {
    struct key_target_options target;
    struct consent_options consent;
    const char *role, *principal, *scope;
};

static const struct option_row role_choice_rows[] = {
    { .name = "role",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct roles_options, role),
      .argument = "ROLE",
      .help = "its name, \"Managed HSM\" may be left out, or its id",
      .fallback = "" },
    { .name = "principal",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct roles_options, principal),
      .argument = "ID",
      .help = "object id of a person, group or application",
      .fallback = "" },
    { .name = "scope",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct roles_options, scope),
      .argument = "SCOPE",
      .help = "/, /keys or /keys/NAME (this key)",
      .fallback = "" },
    { .name = NULL },
};

static const struct option_row roles_list_rows[] = {
    { .kind = OPTION_GROUP, .rows = role_choice_rows },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct roles_options, target),
      .rows = vault_target_rows },
    { .name = NULL },
};

static const struct option_row roles_grant_rows[] = {
    { .kind = OPTION_GROUP, .rows = role_choice_rows },
    { .name = "dry-run",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct roles_options, consent.dry_run),
      .help = "only say what would be given" },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct roles_options, target),
      .rows = vault_target_rows },
    { .name = NULL },
};

static const struct option_row roles_revoke_rows[] = {
    { .kind = OPTION_GROUP, .rows = role_choice_rows },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct roles_options, consent),
      .rows = consent_rows },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct roles_options, target),
      .rows = vault_target_rows },
    { .name = NULL },
};

static struct vault_role_choice choice_of(const struct roles_options *o)
{
    return (struct vault_role_choice){ o->role, o->principal, o->scope };
}

static void print_role(void *arg, const struct vault_role_row *row)
{
    const struct cli *cli = arg;
    const char *scope = *row->scope ? row->scope : "/";

    if (cli->json)
        (void)json_line(json_pack(
            "{s:o, s:o, s:o, s:o, s:o}", "role", json_text(*row->role ? row->role : NULL), "roleId",
            json_text(row->role_id), "principal", json_text(row->principal), "scope",
            json_text(scope), "assignment", json_text(*row->assignment ? row->assignment : NULL)));
    else
        printf("%s: %s at %s%s%s\n", row->principal, *row->role ? row->role : row->role_id, scope,
               *row->assignment ? ", assignment " : "", row->assignment);
}

static void print_role_news(void *arg, const struct vault_role_row *row)
{
    const struct cli *cli = arg;

    if (cli->json || cli_is_chatty(cli))
        print_role(arg, row);
}

static int key_roles_list_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct roles_options *o = options;
    const struct vault_role_choice which = choice_of(o);
    AUTO(target) target = NULL;
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(vault_target_open_only(&target, cli, &o->target, argc, argv));
    return vault_roles_list(target, &which, print_role, cli, &err) ? cli_fail_output(cli, &err)
                                                                   : EXIT_DONE;
}

const struct command command_key_roles_list = {
    .name = "key roles list",
    .options = roles_list_rows,
    .options_size = sizeof(struct roles_options),
    .run = key_roles_list_run,
};

static int key_roles_grant_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct roles_options *o = options;
    const struct vault_role_choice which = choice_of(o);
    const bool is_dry = o->consent.dry_run;
    AUTO(target) target = NULL;
    bool is_new;
    se_error err = SE_ERROR_INIT;

    if (!*o->role || !*o->principal)
        return cli_usage(cli, "--role and --principal say which role, and who gets it");
    TRY_EXIT(vault_target_open_only(&target, cli, &o->target, argc, argv));
    if (vault_roles_grant(&is_new, target, &which, is_dry, is_dry ? print_role : print_role_news,
                          cli, &err))
        return cli_fail_output(cli, &err);
    if (!is_new)
        cli_done(cli, "it had the role before: nothing is changed");
    return EXIT_DONE;
}

const struct command command_key_roles_grant = {
    .name = "key roles grant",
    .options = roles_grant_rows,
    .options_size = sizeof(struct roles_options),
    .run = key_roles_grant_run,
};

static int key_roles_revoke_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct roles_options *o = options;
    const struct vault_role_choice which = choice_of(o);
    AUTO(vault_asking) asking = { .cli = NULL };
    const struct vault_consent consent = vault_asking_open(&asking, cli, &o->consent, "revoked");
    AUTO(target) target = NULL;
    se_error err = SE_ERROR_INIT;

    if (!*o->principal)
        return cli_usage(cli, "--principal says who loses it");
    TRY_EXIT(vault_target_open_only(&target, cli, &o->target, argc, argv));
    return vault_roles_revoke(target, &which, &consent, print_role_news, cli, &err)
               ? cli_fail_output(cli, &err)
               : EXIT_DONE;
}

const struct command command_key_roles_revoke = {
    .name = "key roles revoke",
    .options = roles_revoke_rows,
    .options_size = sizeof(struct roles_options),
    .run = key_roles_revoke_run,
};

/* ---- store ---- */

struct store_options {
    struct key_target_options target;
    struct consent_options consent;
    const char *container, *token_source, *folder;
    bool is_left, is_restore;
};

static const struct option_row storage_rows[] = {
    { .name = "container",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct store_options, container),
      .argument = "URL",
      .help = "of Blob storage: https://ACCOUNT.blob.core.windows.net/CONTAINER" },
    { .name = "sas-source",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct store_options, token_source),
      .argument = "SOURCE",
      .help = "where its SAS token is (the HSM's managed identity)" },
    { .name = "no-wait",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct store_options, is_left),
      .help = "only begin; `key store status` tells how it went" },
    { .name = NULL },
};

static const struct option_row store_backup_rows[] = {
    { .kind = OPTION_GROUP, .rows = storage_rows },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct store_options, target),
      .rows = vault_target_rows },
    { .name = NULL },
};

static const struct option_row store_restore_rows[] = {
    { .name = "folder",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct store_options, folder),
      .argument = "NAME",
      .help = "which backup of the container" },
    { .kind = OPTION_GROUP, .rows = storage_rows },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct store_options, consent),
      .rows = consent_rows },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct store_options, target),
      .rows = vault_target_rows },
    { .name = NULL },
};

static const struct option_row store_status_rows[] = {
    { .name = "restore",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct store_options, is_restore),
      .help = "JOB is a restore, no backup" },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct store_options, target),
      .rows = vault_target_rows },
    { .name = NULL },
};

static void print_job(const struct cli *cli, const struct vault_job *job)
{
    if (cli->json)
        (void)json_line(json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "job", json_text(job->id),
                                  "status", json_text(job->status), "folder",
                                  json_text(*job->folder ? job->folder : NULL), "detail",
                                  json_text(*job->detail ? job->detail : NULL), "started",
                                  json_time(job->started), "ended", json_time(job->ended)));
    else
        printf("%s: %s%s%s%s%s\n", job->id, job->status, *job->folder ? ", " : "", job->folder,
               *job->detail ? ", " : "", job->detail);
}

static int read_storage(struct vault_storage *out, se_buf *token, const struct cli *cli,
                        const struct store_options *o)
{
    se_error err = SE_ERROR_INIT;

    if (!o->container)
        return cli_usage(cli, "--container says which one of Blob storage");
    if (o->token_source &&
        secret_read(token, o->token_source, "--sas-source", "SAS token of the container", &err))
        return cli_fail(cli, &err);
    *out = (struct vault_storage){ .container = o->container, .token = token };
    return EXIT_DONE;
}

static int key_store_backup_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct store_options *o = options;
    AUTO(target) target = NULL;
    AUTO(se_buf) token = SE_BUF_INIT;
    struct vault_storage storage;
    struct vault_job job;
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(read_storage(&storage, &token, cli, o));
    TRY_EXIT(vault_target_open_only(&target, cli, &o->target, argc, argv));
    if (vault_store_backup(&job, target, &storage, !o->is_left, &err))
        return cli_fail_output(cli, &err);
    print_job(cli, &job);
    return EXIT_DONE;
}

const struct command command_key_store_backup = {
    .name = "key store backup",
    .options = store_backup_rows,
    .options_size = sizeof(struct store_options),
    .run = key_store_backup_run,
};

static int key_store_restore_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct store_options *o = options;
    AUTO(vault_asking) asking = { .cli = NULL };
    const struct vault_consent consent = vault_asking_open(&asking, cli, &o->consent, "restored");
    AUTO(target) target = NULL;
    AUTO(se_buf) token = SE_BUF_INIT;
    struct vault_storage storage;
    struct vault_job job;
    se_error err = SE_ERROR_INIT;

    if (!o->folder)
        return cli_usage(cli, "--folder says which backup: `key store backup` has named it");
    TRY_EXIT(read_storage(&storage, &token, cli, o));
    TRY_EXIT(vault_target_open_only(&target, cli, &o->target, argc, argv));
    if (vault_store_restore(&job, target, &storage, o->folder, !o->is_left, &consent, &err))
        return cli_fail_output(cli, &err);
    if (!consent.dry_run)
        print_job(cli, &job);
    return EXIT_DONE;
}

const struct command command_key_store_restore = {
    .name = "key store restore",
    .options = store_restore_rows,
    .options_size = sizeof(struct store_options),
    .run = key_store_restore_run,
};

static int key_store_status_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct store_options *o = options;
    AUTO(target) target = NULL;
    struct vault_job job;
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(vault_target_open(&target, cli, &o->target, &argc, &argv));
    if (argc != 1)
        return cli_usage(cli, "which JOB? `key store backup --no-wait` has printed it");
    if (vault_store_status(&job, target, argv[0], o->is_restore, &err))
        return cli_fail_output(cli, &err);
    print_job(cli, &job);
    return EXIT_DONE;
}

const struct command command_key_store_status = {
    .name = "key store status",
    .options = store_status_rows,
    .options_size = sizeof(struct store_options),
    .run = key_store_status_run,
};
