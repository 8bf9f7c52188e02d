/* SPDX-License-Identifier: Apache-2.0 */
/* `config fingerprint`, `config show`, `config sign`, `config verify`, `config diff`, and `pin
 * scramble`, which makes PINs for it. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/stream.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/print_signer.h"
#include "cli/secret.h"
#include "cli/stream.h"

enum { CONFIG_LIMIT = 4 << 20 };

/* ---- what is in it ---- */

static int config_fingerprint_run(struct cli *cli, void *options, int argc, char **argv)
{
    AUTO(engine) engine = NULL;
    se_error err = SE_ERROR_INIT;
    char fingerprint[65];

    (void)options;
    (void)argv;
    if (argc)
        return cli_usage(cli, "it takes no operand");
    TRY_EXIT(cli_open(&engine, cli, &err));
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
static void print_property(void *arg, const char *item, const char *property, const char *value)
{
    char *last = arg;

    if (strcmp(last, item) != 0)
        printf("%s%s\n", *last ? "\n" : "", item);
    (void)snprintf(last, 512, "%s", item);
    printf("  %-14s %s\n", property, value);
}

static void print_property_json(void *arg, const char *item, const char *property,
                                const char *value)
{
    (void)arg;
    (void)json_line(json_pack("{s:o, s:o, s:o}", "item", json_text(item), "property",
                              json_text(property), "value", json_text(value)));
}

static int config_show_run(struct cli *cli, void *options, int argc, char **argv)
{
    AUTO(engine) engine = NULL;
    se_error err = SE_ERROR_INIT;
    char last[512] = "";

    (void)options;
    (void)argv;
    if (argc)
        return cli_usage(cli, "it takes no operand");
    cli->warnings = true;
    TRY_EXIT(cli_open(&engine, cli, &err));
    return se_describe(engine, cli->json ? print_property_json : print_property, last, &err)
               ? cli_fail(cli, &err)
               : EXIT_DONE;
}

const struct command command_config_fingerprint = {
    .name = "config fingerprint",
    .run = config_fingerprint_run,
};
const struct command command_config_show = {
    .name = "config show",
    .run = config_show_run,
};

/* ---- signed ones ---- */

struct config_sign_options {
    const char *descriptor, *output;
};

static const struct option_row sign_rows[] = {
    { .letter = 'd',
      .name = "descriptor",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct config_sign_options, descriptor),
      .argument = "NAME[:VERSION]",
      .help = "who signs" },
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct config_sign_options, output),
      .argument = "FILE",
      .help = "where to, `-` is standard output; FILE itself if not given" },
    { .name = NULL },
};

/* From standard input: in the working directory. */
static const char *config_path_of(const char *file)
{
    return strcmp(file, "-") ? file : NULL;
}

static int sign_config(struct cli *cli, const struct descriptor_option *descriptor, const char *in,
                       const char *out)
{
    AUTO(engine) engine = NULL;
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(se_buf) signed_text = SE_BUF_INIT;
    AUTO(result) result = RESULT_INIT;
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(cli_open(&engine, cli, &err));
    if (file_read(&text, input_path(in), CONFIG_LIMIT, &err) ||
        se_config_sign(&signed_text, engine, descriptor->name, descriptor->version,
                       buf_bytes(&text), config_path_of(in), &err) ||
        result_open_secret(&result, out, &err) ||
        sink_write(&result.sink, buf_bytes(&signed_text), &err) || result_commit(&result, &err))
        return result_fail(&result, cli, &err);
    if (!cli->taken)
        print_signed(cli, &(struct service){ .engine = engine }, descriptor, in, out);
    return EXIT_DONE;
}

/* The file that is signed need not be trusted yet. */
static int config_sign_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct config_sign_options *o = options;
    const char *in = argc ? argv[0] : cli_config(cli), *out;
    struct descriptor_option descriptor;

    if (argc > 1)
        return cli_usage(cli, "one file at a time, %d were given", argc);
    TRY_EXIT(descriptor_read(&descriptor, cli, o->descriptor));
    out = o->output ? o->output : in;
    cli->taken = strcmp(out, "-") == 0;
    return sign_config(cli, &descriptor, in, out);
}

struct config_verify_options {
    int64_t time;
    struct revocation_options revocation;
};

static const struct option_row verify_rows[] = {
    { .name = "time",
      .kind = OPTION_TIME,
      .offset = offsetof(struct config_verify_options, time),
      .argument = "TIME",
      .help = "when certificates have to be valid, now if not given" },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct config_verify_options, revocation),
      .rows = revocation_rows },
    { .name = NULL },
};

static void print_config_signer(const struct cli *cli, const char *file, const se_signer *signer)
{
    AUTO(writer) text = { 0 };

    if (cli->json)
        (void)json_line(json_pack(
            "{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "input", json_text(file), "verdict", "good",
            "algorithm", json_text(signer->algorithm), "signer", json_text(signer->subject),
            "issuer", json_text(signer->issuer), "serial", json_text(signer->serial), "notAfter",
            json_time(signer->not_after), "revocation", json_revocation(signer)));
    if (cli->json || cli->quiet)
        return;
    write_revocation(&text, "  ", signer);
    printf("%s: good signature\n  signer     %s\n  issuer     %s\n  serial     %s\n  algorithm "
           " %s\n%s",
           file, signer->subject, signer->issuer, signer->serial, signer->algorithm,
           writer_string(&text));
}

static int config_verify_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct config_verify_options *o = options;
    const char *file = argc ? argv[0] : cli_config(cli);
    AUTO(se_buf) text = SE_BUF_INIT;
    se_config_verify_params params = SE_CONFIG_VERIFY_PARAMS_INIT;
    se_revocation_params revocation;
    se_error err = SE_ERROR_INIT;
    se_signer signer;

    if (argc > 1)
        return cli_usage(cli, "one file at a time, %d were given", argc);
    if (!cli->trust_config)
        return cli_usage(cli, "whom to trust? say --trust-config CA.pem");
    params.time = o->time;
    params.revocation = revocation_options_read(&revocation, &o->revocation);
    if (!params.revocation)
        params.revocation = cli_config_revocation(cli);
    cli->judged = file;
    if (file_read(&text, input_path(file), CONFIG_LIMIT, &err))
        return cli_fail(cli, &err);
    if (se_config_verify(&signer, buf_bytes(&text), config_path_of(file), cli->trust_config,
                         &params, &err))
        return cli_fail(cli, &err);
    print_config_signer(cli, file, &signer);
    return EXIT_DONE;
}

struct diff {
    const struct cli *cli;
    char item[512];
    size_t count;
};

static void print_difference_json(const char *item, const char *property, const char *before,
                                  const char *after)
{
    (void)json_line(json_pack("{s:o, s:o, s:o, s:o}", "item", json_text(item), "property",
                              json_text(property), "before", json_text(before), "after",
                              json_text(after)));
}

/* Differences come item by item: a heading when the item changes. */
static void print_difference(void *arg, const char *item, const char *property, const char *before,
                             const char *after)
{
    struct diff *t = arg;

    t->count++;
    if (t->cli->json) {
        print_difference_json(item, property, before, after);
        return;
    }
    if (strcmp(t->item, item) != 0)
        printf("%s%s\n", *t->item ? "\n" : "", item);
    (void)snprintf(t->item, sizeof t->item, "%s", item);
    if (before)
        printf("- %-14s %s\n", property, before);
    if (after)
        printf("+ %-14s %s\n", property, after);
}

static int config_diff_run(struct cli *cli, void *options, int argc, char **argv)
{
    AUTO(engine) before = NULL;
    AUTO(engine) after = NULL;
    struct diff diff = { .cli = cli };
    se_error err = SE_ERROR_INIT;
    se_options open_options;

    (void)options;
    if (argc != 2)
        return cli_usage(cli, "two files are compared, %d were given", argc);
    open_options = cli_options(cli);
    if (se_open(&before, argv[0], &open_options, &err) ||
        se_open(&after, argv[1], &open_options, &err) ||
        se_config_diff(before, after, print_difference, &diff, &err))
        return cli_fail(cli, &err);
    return diff.count ? EXIT_REFUSED : EXIT_DONE;
}

const struct command command_config_sign = {
    .name = "config sign",
    .options = sign_rows,
    .options_size = sizeof(struct config_sign_options),
    .run = config_sign_run,
};
const struct command command_config_verify = {
    .name = "config verify",
    .options = verify_rows,
    .options_size = sizeof(struct config_verify_options),
    .run = config_verify_run,
};
const struct command command_config_diff = {
    .name = "config diff",
    .run = config_diff_run,
};

/* ---- PINs ---- */

struct pin_options {
    bool in_place;
    const char *pin_key;
};

static const struct option_row pin_rows[] = {
    { .name = "in-place",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct pin_options, in_place),
      .help = "scramble the plain pin.encrypted values of the configuration" },
    { .name = "pin-key",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct pin_options, pin_key),
      .argument = "FILE",
      .help = "the scrambling key (pin.key beside the configuration)" },
    { .name = NULL },
};

static char *pin_key_path(const struct cli *cli, const struct pin_options *o)
{
    char *folder, *path;

    if (o->pin_key)
        return strdup(o->pin_key);
    folder = file_folder(cli_config(cli));
    path = folder ? file_join(folder, "pin.key") : NULL;
    free(folder);
    return path;
}

static int scramble_config(const struct cli *cli, const char *pin_key)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(se_buf) scrambled = SE_BUF_INIT;
    AUTO(output) output = OUTPUT_INIT;
    se_error err = SE_ERROR_INIT;
    size_t count;

    if (file_read(&text, cli_config(cli), CONFIG_LIMIT, &err) ||
        se_scramble_pins(&scrambled, &count, buf_bytes(&text), pin_key, &err))
        return cli_fail(cli, &err);
    if (count &&
        (output_open(&output, cli_config(cli), 0600, &err) ||
         output_write(&output, buf_bytes(&scrambled), &err) || output_commit(&output, &err))) {
        (void)cli_fail(cli, &err);
        return EXIT_NO_OUTPUT;
    }
    if (cli->json)
        (void)json_line(
            json_pack("{s:o, s:i}", "config", json_text(cli_config(cli)), "scrambled", (int)count));
    else
        cli_warn(cli, "%zu value%s scrambled in %s", count, count == 1 ? "" : "s", cli_config(cli));
    return EXIT_DONE;
}

static int scramble_line(const struct cli *cli, const char *pin_key)
{
    AUTO(se_buf) line = SE_BUF_INIT;
    AUTO(se_buf) value = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    if (secret_line(&line, STDIN_FILENO, "PIN", &err))
        return cli_fail(cli, &err);
    if (!line.size || memchr(line.data, '\0', line.size))
        return cli_usage(cli, "a PIN is expected as one line of standard input");
    if (se_scramble_pin(&value, buf_bytes(&line), pin_key, &err))
        return cli_fail(cli, &err);
    puts((const char *)value.data);
    return EXIT_DONE;
}

static int pin_scramble_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct pin_options *o = options;
    char *pin_key;
    int status;

    (void)argv;
    if (argc)
        return cli_usage(cli, "it takes no operand: a PIN is read from standard input");
    cli->taken = !o->in_place;
    if (!(pin_key = pin_key_path(cli, o)))
        return EXIT_INTERNAL;
    status = o->in_place ? scramble_config(cli, pin_key) : scramble_line(cli, pin_key);
    free(pin_key);
    return status;
}

const struct command command_pin_scramble = {
    .name = "pin scramble",
    .options = pin_rows,
    .options_size = sizeof(struct pin_options),
    .run = pin_scramble_run,
};
