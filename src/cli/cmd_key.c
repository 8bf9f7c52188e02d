/* `key init`, `key list`, `key delete`: what is on a token or in a file. */
#include "cli/commands.h"
#include "cli/key_consent.h"
#include "cli/secret.h"

struct init_options {
    struct place_options place;
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
    CONSENT_ROWS(struct init_options, "do not ask"),
    PLACE_ROWS(struct init_options),
    END_ROW,
};

static int run_init(struct cli *cli, void *options, int argc, char **argv)
{
    const struct init_options *o = options;
    const struct provision_report report = place_news(cli);
    AUTO(target) target = NULL;
    AUTO(consent) asking = { .cli = NULL };
    AUTO(se_buf) so_pin = SE_BUF_INIT;
    struct provision_consent consent;
    se_error err = SE_ERROR_INIT;
    int status;

    if (!o->so_pin_source)
        return cli_usage(
            cli, "--so-pin-source is missing: the token wants a PIN for its security officer");
    if ((status = place_open_only(&target, cli, &o->place, argc, argv)))
        return status;
    if (secret_read(&so_pin, o->so_pin_source, "--so-pin-source", "SO PIN", &err))
        return cli_fail(cli, &err);
    asking = (struct consent){
        .cli = cli,
        .target = target,
        .verb = "Wipe",
        .thing = "the token, with all its keys",
        .done = "wiped",
        .option = "--yes",
        .always = true,
    };
    consent = consent_open(&asking, &o->consent);
    return provision_init(target, &so_pin, o->force, &consent, &report, &err)
               ? cli_fail_output(cli, &err)
               : EXIT_DONE;
}

const struct command command_key_init = {
    .name = "key init",
    .options = init_rows,
    .options_size = sizeof(struct init_options),
    .run = run_init,
};

struct list_options {
    struct place_options place;
};

static const struct option_row list_rows[] = { PLACE_ROWS(struct list_options), END_ROW };

/* Of the keys of a configuration. */
struct listing {
    struct cli *cli;
    int status; /* of the first that could not be listed */
};

/* One that is out of reach does not hide the others. */
static bool list_one(void *arg, struct target *target, const char *key, unsigned replica)
{
    struct listing *listing = arg;
    struct place_row whose = { stdout, key, replica, 0 };
    const struct provision_report report = place_report_of(listing->cli, &whose);
    se_error err = SE_ERROR_INIT;
    int status;

    if (!provision_show(target, &report, &err)) {
        if (!whose.count)
            place_tell_none(listing->cli, &whose);
        return true;
    }
    status = cli_fail_output(listing->cli, &err);
    listing->status = listing->status ? listing->status : status;
    return true;
}

static int list_all(struct cli *cli)
{
    struct listing listing = { cli, EXIT_DONE };
    se_options options = cli_options(cli);
    se_error err = SE_ERROR_INIT;

    return target_each(cli_config(cli), list_one, &listing, &options, &err) ? cli_fail(cli, &err)
                                                                            : listing.status;
}

static int run_list(struct cli *cli, void *options, int argc, char **argv)
{
    const struct list_options *o = options;
    const struct provision_report report = place_report(cli);
    AUTO(target) target = NULL;
    se_error err = SE_ERROR_INIT;
    int status;

    if (!argc && place_is_open(&o->place))
        return list_all(cli);
    if ((status = place_open_only(&target, cli, &o->place, argc, argv)))
        return status;
    return provision_list(target, &report, &err) ? cli_fail_output(cli, &err) : EXIT_DONE;
}

const struct command command_key_list = {
    .name = "key list",
    .options = list_rows,
    .options_size = sizeof(struct list_options),
    .run = run_list,
};

struct delete_options {
    struct place_options place;
    struct consent_options consent;
    bool force;
};

static const struct option_row delete_rows[] = {
    { .name = "force",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct delete_options, force),
      .help = "do not ask" },
    CONSENT_KEY_ROWS(struct delete_options),
    PLACE_ROWS(struct delete_options),
    END_ROW,
};

static int run_delete(struct cli *cli, void *options, int argc, char **argv)
{
    const struct delete_options *o = options;
    AUTO(target) target = NULL;
    AUTO(consent) asking = { .cli = NULL };
    struct provision_consent consent;
    se_error err = SE_ERROR_INIT;
    int status = place_open_only(&target, cli, &o->place, argc, argv);

    if (status)
        return status;
    asking = (struct consent){
        .cli = cli,
        .target = target,
        .verb = "Delete",
        .done = "deleted",
        .option = "--force",
        .meant = o->force,
        .always = true,
    };
    consent = consent_open(&asking, &o->consent);
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
    .run = run_delete,
};
