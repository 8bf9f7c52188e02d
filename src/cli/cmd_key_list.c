/* SPDX-License-Identifier: Apache-2.0 */
/* `key list`: what is on a token, in a file or in a vault. */
#include "cli/commands.h"
#include "cli/key_target.h"

struct list_options {
    struct key_target_options target;
    bool versions, deleted;
};

static const struct option_row list_rows[] = {
    { .name = "versions",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct list_options, versions),
      .help = "all versions of KEY, the one in use with a `*` (vaults)" },
    { .name = "deleted",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct list_options, deleted),
      .help = "what is deleted and can be recovered (vaults)" },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct list_options, target),
      .rows = key_target_rows },
    { .name = NULL },
};

/* Of the keys of a configuration. */
struct listing {
    struct cli *cli;
    unsigned scope;
    int status; /* of the first that could not be listed */
};

/* One that is out of reach does not hide the others. */
static bool list_key_of_config(void *arg, struct target *target, const char *key, unsigned replica)
{
    struct listing *listing = arg;
    struct key_owner whose = { stdout, key, replica, 0 };
    const struct provision_report report = key_report_of(listing->cli, &whose);
    se_error err = SE_ERROR_INIT;
    int status;

    if (!provision_list(target, listing->scope, &report, &err)) {
        if (!whose.count && !(listing->scope & LIST_DELETED))
            print_no_key(listing->cli, &whose);
        return true;
    }
    status = cli_fail_output(listing->cli, &err);
    listing->status = listing->status ? listing->status : status;
    return true;
}

static int list_config(struct cli *cli, unsigned scope)
{
    struct listing listing = { cli, scope | LIST_OWN, EXIT_DONE };
    se_options options = cli_options(cli);
    se_error err = SE_ERROR_INIT;

    return target_each(cli_config(cli), list_key_of_config, &listing, &options, &err)
               ? cli_fail(cli, &err)
               : listing.status;
}

static int key_list_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct list_options *o = options;
    const unsigned scope =
        (o->versions ? LIST_VERSIONS | LIST_OWN : 0U) | (o->deleted ? LIST_DELETED : 0U);
    const struct provision_report report = key_report(cli);
    AUTO(target) target = NULL;
    se_error err = SE_ERROR_INIT;

    if (!argc && key_target_is_unnamed(&o->target))
        return list_config(cli, scope);
    TRY_EXIT(key_target_open_only(&target, cli, &o->target, argc, argv));
    return provision_list(target, scope, &report, &err) ? cli_fail_output(cli, &err) : EXIT_DONE;
}

const struct command command_key_list = {
    .name = "key list",
    .options = list_rows,
    .options_size = sizeof(struct list_options),
    .run = key_list_run,
};
