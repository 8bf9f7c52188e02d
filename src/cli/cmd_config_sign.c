/* Configurations that are signed, and what two of them differ in. */
#include <stdio.h>

#include "base/file.h"
#include "base/stream.h"
#include "cli/commands.h"
#include "cli/descriptor.h"
#include "cli/signer.h"
#include "cli/stream.h"

enum { CONFIG_LIMIT = 4 << 20 };

struct sign_options {
    const char *descriptor, *output;
};

static const struct option_row sign_rows[] = {
    { .letter = 'd',
      .name = "descriptor",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct sign_options, descriptor),
      .argument = "NAME[:VERSION]",
      .help = "who signs" },
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct sign_options, output),
      .argument = "FILE",
      .help = "where to, `-` is standard output; FILE itself if not given" },
    { .name = NULL },
};

/* From standard input: in the working directory. */
static const char *place_of(const char *file)
{
    return strcmp(file, "-") ? file : NULL;
}

static int sign(struct cli *cli, const struct descriptor_option *descriptor, const char *in,
                const char *out)
{
    AUTO(engine) engine = NULL;
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(se_buf) signed_text = SE_BUF_INIT;
    AUTO(result) result = RESULT_INIT;
    se_error err = SE_ERROR_INIT;
    int status = cli_open(&engine, cli, &err);

    if (status)
        return status;
    if (file_read(&text, input_path(in), CONFIG_LIMIT, &err) ||
        se_config_sign(&signed_text, engine, descriptor->name, descriptor->version,
                       buf_bytes(&text), place_of(in), &err) ||
        result_open_secret(&result, out, &err) ||
        sink_write(&result.sink, buf_bytes(&signed_text), &err) || result_commit(&result, &err))
        return result_fail(&result, cli, &err);
    if (cli->json && !cli->taken)
        (void)json_line(json_pack("{s:o, s:o, s:o}", "descriptor", json_text(descriptor->name),
                                  "input", json_text(in), "output", json_text(out)));
    else if (!cli->taken)
        signed_tell(cli, engine, descriptor, out);
    return EXIT_DONE;
}

/* The file that is signed need not be trusted yet. */
static int run_sign(struct cli *cli, void *options, int argc, char **argv)
{
    const struct sign_options *o = options;
    const char *in = argc ? argv[0] : cli_config(cli), *out;
    struct descriptor_option descriptor;
    int status;

    if (argc > 1)
        return cli_usage(cli, "one file at a time, %d were given", argc);
    if ((status = descriptor_read(&descriptor, cli, o->descriptor)))
        return status;
    out = o->output ? o->output : in;
    cli->taken = strcmp(out, "-") == 0;
    return sign(cli, &descriptor, in, out);
}

struct verify_options {
    int64_t time;
};

static const struct option_row verify_rows[] = {
    { .name = "time",
      .kind = OPTION_TIME,
      .offset = offsetof(struct verify_options, time),
      .argument = "TIME",
      .help = "when certificates have to be valid, now if not given" },
    { .name = NULL },
};

static void tell_signer(const struct cli *cli, const char *file, const se_signer *signer)
{
    if (cli->json)
        (void)json_line(json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "input", json_text(file),
                                  "verdict", "good", "algorithm", json_text(signer->algorithm),
                                  "signer", json_text(signer->subject), "issuer",
                                  json_text(signer->issuer), "serial", json_text(signer->serial),
                                  "notAfter", json_time(signer->not_after)));
    else if (!cli->quiet)
        printf("%s: good signature\n  signer     %s\n  issuer     %s\n  serial     %s\n  algorithm "
               " %s\n",
               file, signer->subject, signer->issuer, signer->serial, signer->algorithm);
}

static int run_verify(struct cli *cli, void *options, int argc, char **argv)
{
    const struct verify_options *o = options;
    const char *file = argc ? argv[0] : cli_config(cli);
    AUTO(se_buf) text = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    se_signer signer;

    if (argc > 1)
        return cli_usage(cli, "one file at a time, %d were given", argc);
    if (!cli->trust_config)
        return cli_usage(cli, "whom to trust? say --trust-config CA.pem");
    cli->judged = file;
    if (file_read(&text, input_path(file), CONFIG_LIMIT, &err))
        return cli_fail(cli, &err);
    if (!se_config_verify(&signer, buf_bytes(&text), place_of(file), cli->trust_config, o->time,
                          &err)) {
        tell_signer(cli, file, &signer);
        return EXIT_DONE;
    }
    return cli_fail(cli, &err);
}

struct no_options {
    char none;
};

static const struct option_row no_rows[] = { { .name = NULL } };

struct telling {
    const struct cli *cli;
    char item[512];
    size_t count;
};

static void tell_json(const char *item, const char *property, const char *before, const char *after)
{
    (void)json_line(json_pack("{s:o, s:o, s:o, s:o}", "item", json_text(item), "property",
                              json_text(property), "before", json_text(before), "after",
                              json_text(after)));
}

/* Differences come item by item: a heading when the item changes. */
static void tell_difference(void *arg, const char *item, const char *property, const char *before,
                            const char *after)
{
    struct telling *t = arg;

    t->count++;
    if (t->cli->json) {
        tell_json(item, property, before, after);
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

static int run_diff(struct cli *cli, void *options, int argc, char **argv)
{
    AUTO(engine) before = NULL;
    AUTO(engine) after = NULL;
    struct telling telling = { .cli = cli };
    se_error err = SE_ERROR_INIT;
    se_options open_options;

    (void)options;
    if (argc != 2)
        return cli_usage(cli, "two files are compared, %d were given", argc);
    open_options = cli_options(cli);
    if (se_open(&before, argv[0], &open_options, &err) ||
        se_open(&after, argv[1], &open_options, &err) ||
        se_config_diff(before, after, tell_difference, &telling, &err))
        return cli_fail(cli, &err);
    return telling.count ? EXIT_REFUSED : EXIT_DONE;
}

const struct command command_config_sign = {
    .name = "config sign",
    .options = sign_rows,
    .options_size = sizeof(struct sign_options),
    .run = run_sign,
};
const struct command command_config_verify = {
    .name = "config verify",
    .options = verify_rows,
    .options_size = sizeof(struct verify_options),
    .run = run_verify,
};
const struct command command_config_diff = {
    .name = "config diff",
    .options = no_rows,
    .options_size = sizeof(struct no_options),
    .run = run_diff,
};
