#include <stdio.h>

#include "cli/commands.h"
#include "cli/json.h"

struct no_options {
    char none;
};

static const struct option_row rows[] = { { .name = NULL } };

static int run_fingerprint(struct cli *cli, void *options, int argc, char **argv)
{
    AUTO(engine) engine = NULL;
    se_error err = SE_ERROR_INIT;
    char fingerprint[65];
    int status;

    (void)options;
    (void)argv;
    if (argc)
        return cli_usage(cli, "it takes no operand");
    if ((status = cli_open(&engine, cli, &err)))
        return status;
    if (se_fingerprint(fingerprint, engine, &err))
        return cli_fail(cli, &err);
    if (cli->json)
        (void)json_line(json_pack("{s:o, s:s}", "config", json_text(cli_config(cli)), "fingerprint",
                                  fingerprint));
    else
        puts(fingerprint);
    return EXIT_DONE;
}

/* Properties come item by item: a heading when the item changes. */
static void print(void *arg, const char *item, const char *property, const char *value)
{
    char *last = arg;

    if (strcmp(last, item) != 0)
        printf("%s%s\n", *last ? "\n" : "", item);
    (void)snprintf(last, 512, "%s", item);
    printf("  %-14s %s\n", property, value);
}

static void print_json(void *arg, const char *item, const char *property, const char *value)
{
    (void)arg;
    (void)json_line(json_pack("{s:o, s:o, s:o}", "item", json_text(item), "property",
                              json_text(property), "value", json_text(value)));
}

static int run_show(struct cli *cli, void *options, int argc, char **argv)
{
    AUTO(engine) engine = NULL;
    se_error err = SE_ERROR_INIT;
    char last[512] = "";
    int status;

    (void)options;
    (void)argv;
    if (argc)
        return cli_usage(cli, "it takes no operand");
    cli->warnings = true;
    if ((status = cli_open(&engine, cli, &err)))
        return status;
    return se_describe(engine, cli->json ? print_json : print, last, &err) ? cli_fail(cli, &err)
                                                                           : EXIT_DONE;
}

const struct command command_config_fingerprint = {
    .name = "config fingerprint",
    .options = rows,
    .options_size = sizeof(struct no_options),
    .run = run_fingerprint,
};
const struct command command_config_show = {
    .name = "config show",
    .options = rows,
    .options_size = sizeof(struct no_options),
    .run = run_show,
};
