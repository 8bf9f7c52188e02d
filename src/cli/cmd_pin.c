#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/secret.h"

enum { CONFIG_LIMIT = 4 << 20 };

struct pin_options {
    bool in_place;
    const char *pin_key;
};

static const struct option_row rows[] = {
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

static int rewrite(const struct cli *cli, const char *pin_key)
{
    AUTO(se_buf) old = SE_BUF_INIT;
    AUTO(se_buf) new = SE_BUF_INIT;
    AUTO(output) output = OUTPUT_INIT;
    se_error err = SE_ERROR_INIT;
    size_t count;

    if (file_read(&old, cli_config(cli), CONFIG_LIMIT, &err) ||
        se_scramble_pins(&new, &count, buf_bytes(&old), pin_key, &err))
        return cli_fail(cli, &err);
    if (count && (output_open(&output, cli_config(cli), 0600, &err) ||
                  output_write(&output, buf_bytes(&new), &err) || output_commit(&output, &err))) {
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

static int scramble_one(const struct cli *cli, const char *pin_key)
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

static int run(struct cli *cli, void *options, int argc, char **argv)
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
    status = o->in_place ? rewrite(cli, pin_key) : scramble_one(cli, pin_key);
    free(pin_key);
    return status;
}

const struct command command_pin_scramble = {
    .name = "pin scramble", .options = rows, .options_size = sizeof(struct pin_options), .run = run
};
