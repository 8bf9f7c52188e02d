#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/guard.h"
#include "base/process.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/json.h"

static const struct command command_help, command_version;

static const struct command *const commands[] = {
    &command_help,           &command_version,         &command_check,          &command_config_fingerprint,
    &command_config_show,    &command_config_sign,     &command_config_verify,  &command_config_diff,
    &command_sign,           &command_verify,          &command_encrypt,        &command_decrypt,
    &command_rekey,          &command_mail_sign,       &command_mail_verify,    &command_pin_scramble,
    &command_key_init,       &command_key_list,        &command_key_generate,   &command_key_request,
    &command_key_import,     &command_key_certificate, &command_key_delete,     &command_zip_sign,
    &command_zip_verify,     &command_zip_encrypt,     &command_zip_decrypt,    &command_history_create,
    &command_history_append, &command_history_list,    &command_history_head,   &command_history_verify,
    &command_history_show,   &command_history_export,  &command_history_prove,  &command_history_verify_proof,
    &command_history_erase,  &command_history_prune,   &command_history_resign, &command_history_end,
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static const struct option_row globals[] = {
    { 'c', "config", OPTION_TEXT, offsetof(struct cli, config), "FILE", "the configuration", NULL },
    { 0, "trust-config", OPTION_TEXT, offsetof(struct cli, trust_config), "CA.pem", "use no configuration that these have not signed",
      NULL },
    { 0, "json", OPTION_FLAG, offsetof(struct cli, json), NULL, "one JSON object per result on standard output", NULL },
    { 'q', "quiet", OPTION_FLAG, offsetof(struct cli, quiet), NULL, "errors only", NULL },
    { 'v', "verbose", OPTION_FLAG, offsetof(struct cli, verbose), NULL, "say more", NULL },
    { 0, "progress", OPTION_TEXT, offsetof(struct cli, progress), "WHEN", "auto, always or never", "auto" },
    { 0, "retry-pin", OPTION_FLAG, offsetof(struct cli, retry_pin), NULL, "present a PIN that a token refused within the last hour", NULL },
    { 'h', "help", OPTION_FLAG, offsetof(struct cli, help), NULL, "this text", NULL },
    { 0, "version", OPTION_FLAG, offsetof(struct cli, version), NULL, "the version", NULL },
    { 0, NULL, OPTION_FLAG, 0, NULL, NULL, NULL },
};

static void print_help(void)
{
    puts("usage: signengine [OPTION]... COMMAND ...\n\nSigns and encrypts with keys that engineSignEncrypt.xml names.\n\nCommands:");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-20s %s\n", commands[i]->name, commands[i]->summary);
    puts("\nOptions:");
    options_help(globals);
    puts("\n`signengine COMMAND --help` tells the options of a command.");
}

static void print_command(const struct command *command)
{
    printf("usage: signengine %s [OPTION]... %s\n\n%s\n\nOptions:\n", command->name, command->operands, command->summary);
    options_help(command->options);
    puts("\nOptions of all commands:");
    options_help(globals);
}

static bool is_in_group(const struct command *command, const char *group)
{
    return text_starts(command->name, group) && command->name[strlen(group)] == ' ';
}

static bool is_group(const char *word)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (is_in_group(commands[i], word))
            return true;
    return false;
}

static void print_group(const char *group)
{
    printf("usage: signengine %s COMMAND ...\n\nCommands:\n", group);
    for (size_t i = 0; i < COMMANDS; i++)
        if (is_in_group(commands[i], group))
            printf("  %-20s %s\n", commands[i]->name, commands[i]->summary);
    printf("\n`signengine %s COMMAND --help` tells the options of a command.\n", group);
}

/* *words: how many arguments the name takes. */
static const struct command *find_command(int *words, int argc, char **argv)
{
    char two[64] = "";

    if (argc > 1)
        (void)snprintf(two, sizeof two, "%s %s", argv[0], argv[1]);
    for (size_t i = 0; i < COMMANDS; i++) {
        bool is_two = strcmp(commands[i]->name, two) == 0;

        *words = is_two ? 2 : 1;
        if (is_two || strcmp(commands[i]->name, argv[0]) == 0)
            return commands[i];
    }
    return NULL;
}

static void list_second_words(struct writer *w, const char *first)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (is_in_group(commands[i], first))
            writer_format(w, "%s%s", w->buf.size ? ", " : "", commands[i]->name + strlen(first) + 1);
}

/* What something was called once, or is called elsewhere. */
static const char *meant_by(const char *first, const char *second)
{
    static const struct {
        const char *first, *second, *meant;
    } names[] = { { "history", "close", "history end" } };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].first, first) == 0 && strcmp(names[i].second, second) == 0)
            return names[i].meant;
    return NULL;
}

static int reject_name(const struct cli *cli, int argc, char **argv)
{
    AUTO(writer) second = { 0 };
    const char *names[COMMANDS], *nearest;

    if (argc > 1 && (nearest = meant_by(argv[0], argv[1])))
        return cli_usage(cli, "unknown command '%s %s'; it is '%s'", argv[0], argv[1], nearest);
    list_second_words(&second, argv[0]);
    if (second.buf.size && argc > 1)
        return cli_usage(cli, "unknown command '%s %s'; after '%s' comes one of: %s", argv[0], argv[1], argv[0], writer_string(&second));
    if (second.buf.size)
        return cli_usage(cli, "after '%s' comes one of: %s", argv[0], writer_string(&second));
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i]->name;
    nearest = text_nearest(argv[0], names, COMMANDS);
    if (nearest)
        return cli_usage(cli, "unknown command '%s'; did you mean '%s'?", argv[0], nearest);
    return cli_usage(cli, "unknown command '%s'; `signengine --help` lists them", argv[0]);
}

struct no_options {
    char none;
};
static const struct option_row no_rows[] = { { 0, NULL, OPTION_FLAG, 0, NULL, NULL, NULL } };

static int run_help(struct cli *cli, void *options, int argc, char **argv)
{
    const struct command *command;
    int words = 0;

    (void)options;
    if (!argc) {
        print_help();
        return EXIT_DONE;
    }
    if (argc == 1 && is_group(argv[0])) {
        print_group(argv[0]);
        return EXIT_DONE;
    }
    if (!(command = find_command(&words, argc, argv)))
        return reject_name(cli, argc, argv);
    if (argc > words)
        return cli_usage(cli, "one command at a time: '%s' is too much", argv[words]);
    print_command(command);
    return EXIT_DONE;
}

static int run_version(struct cli *cli, void *options, int argc, char **argv)
{
    (void)options;
    (void)argv;
    if (argc)
        return cli_usage(cli, "it takes no operand");
    puts("signengine " PACKAGE_VERSION);
    return EXIT_DONE;
}

static const struct command command_help =
    COMMAND_ROW("help", "[COMMAND]", "what a command, or a group of them, does", no_rows, struct no_options, run_help);
static const struct command command_version = COMMAND_ROW("version", "", "the version", no_rows, struct no_options, run_version);

static int check_globals(const struct cli *cli)
{
    static const char *const choices[] = { "auto", "always", "never" };

    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if (strcmp(cli->progress, choices[i]) == 0)
            return EXIT_DONE;
    return cli_usage(cli, "option '--progress': '%s' is not auto, always or never", cli->progress);
}

static int run(struct cli *cli, const struct option_table *global, const struct command *command, int argc, char **argv)
{
    _Alignas(max_align_t) unsigned char room[OPTIONS_ROOM] = { 0 };
    const struct option_table own = { command->options, room };
    const struct option_table *const tables[2] = { &own, global };
    se_error err = SE_ERROR_INIT;
    const char *output;
    se_status st;
    int status;

    cli->command = command->name;
    options_defaults(&own);
    st = options_parse(&argc, argv, tables, false, &err);
    output = options_text(&own, "output");
    cli->taken = output && strcmp(output, "-") == 0;
    if (st)
        return cli_fail(cli, &err);
    if (cli->help) {
        print_command(command);
        return EXIT_DONE;
    }
    status = check_globals(cli);
    if (!status && cli->retry_pin)
        se_retry_pins();
    return status ? status : command->run(cli, room, argc, argv);
}

/*
 * What was printed has to have arrived: a full disk behind standard output is a failure too.  What could not be written is still there, and
 * to try it once more tells why.
 */
static int flushed(struct cli *cli, int status)
{
    bool refused = fflush(stdout), failed = refused || ferror(stdout);
    int number = refused ? errno : 0;

    if (status != EXIT_DONE || (!failed && !json_is_lost()))
        return status;
    cli->json = false;
    if (!failed)
        return cli_fail(cli, &(se_error){ .status = SE_ERR_MEMORY, .text = "out of memory" });
    (void)cli_usage(cli, "cannot write standard output%s%s", number ? ": " : "", number ? write_reason(number) : "");
    return EXIT_NO_OUTPUT;
}

static bool asks_for_help(const struct cli *cli, int argc, char **argv)
{
    return (cli->help && argc == 1) || (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0));
}

/* What is no command may be the first word of several. */
static int start_none(const struct cli *cli, int argc, char **argv)
{
    if (!is_group(argv[0]) || !asks_for_help(cli, argc, argv))
        return reject_name(cli, argc, argv);
    print_group(argv[0]);
    return EXIT_DONE;
}

static int start(struct cli *cli, int argc, char **argv)
{
    const struct option_table global = { globals, cli };
    const struct option_table *const tables[2] = { &global, NULL };
    const struct command *command;
    se_error err = SE_ERROR_INIT;
    int words;

    options_defaults(&global);
    if (options_parse(&argc, argv, tables, true, &err))
        return cli_fail(cli, &err);
    if (cli->version) {
        puts("signengine " PACKAGE_VERSION);
        return EXIT_DONE;
    }
    if (!argc && cli->help) {
        print_help();
        return EXIT_DONE;
    }
    if (!argc)
        return cli_usage(cli, "a command is missing; `signengine --help` lists them");
    if (!(command = find_command(&words, argc, argv)))
        return start_none(cli, argc, argv);
    return run(cli, &global, command, argc - words, argv + words);
}

/* A call that has not returned may return while exit() takes down the libraries that it needs. */
static int left(int status)
{
    if (guard_late())
        _exit(status);
    return status;
}

/* What was closed stays out of use: a file that became standard output or error would get what is printed. */
static bool keep_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

int main(int argc, char **argv)
{
    struct cli cli = { .config = NULL };

    if (!keep_standard() || !process_forbid_dumps())
        return EXIT_INTERNAL;
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that is too large is a failure to write, with a message */
    return left(flushed(&cli, start(&cli, argc - 1, argv + 1)));
}
