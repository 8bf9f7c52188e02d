#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/guard.h"
#include "base/process.h"
#include "base/text.h"
#include "cli/cli.h"

static const struct command *const commands[] = {
    &command_check,          &command_config_fingerprint,
    &command_config_show,    &command_config_sign,
    &command_config_verify,  &command_config_diff,
    &command_sign,           &command_verify,
    &command_encrypt,        &command_decrypt,
    &command_rekey,          &command_mail_sign,
    &command_mail_verify,    &command_pin_scramble,
    &command_key_init,       &command_key_list,
    &command_key_generate,   &command_key_request,
    &command_key_import,     &command_key_certificate,
    &command_key_delete,     &command_zip_sign,
    &command_zip_verify,     &command_zip_encrypt,
    &command_zip_decrypt,    &command_history_create,
    &command_history_append, &command_history_list,
    &command_history_head,   &command_history_verify,
    &command_history_show,   &command_history_export,
    &command_history_prove,  &command_history_verify_proof,
    &command_history_erase,  &command_history_prune,
    &command_history_resign, &command_history_end,
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

static void help(void)
{
    puts("usage: signengine [OPTION]... COMMAND ...\n\nSigns and encrypts with keys that engineSignEncrypt.xml names.\n\nCommands:");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-20s %s\n", commands[i]->name, commands[i]->summary);
    puts("\nOptions:");
    options_help(globals);
    puts("\n`signengine COMMAND --help` tells the options of a command.");
}

static void command_help(const struct command *command)
{
    printf("usage: signengine %s [OPTION]... %s\n\n%s\n\nOptions:\n", command->name, command->operands, command->summary);
    options_help(command->options);
    puts("\nOptions of all commands:");
    options_help(globals);
}

/* *words: how many arguments the name takes. */
static const struct command *find(int *words, int argc, char **argv)
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
        if (text_starts(commands[i]->name, first) && commands[i]->name[strlen(first)] == ' ')
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

static int unknown(const struct cli *cli, int argc, char **argv)
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
    int status;

    cli->command = command->name;
    options_defaults(&own);
    if (options_parse(&argc, argv, tables, false, &err))
        return cli_fail(cli, &err);
    if (cli->help) {
        command_help(command);
        return EXIT_DONE;
    }
    status = check_globals(cli);
    if (!status && cli->retry_pin)
        se_retry_pins();
    return status ? status : command->run(cli, room, argc, argv);
}

/* What was printed has to have arrived: a full disk behind standard output is a failure too. */
static int flushed(const struct cli *cli, int status)
{
    errno = 0;
    if ((!fflush(stdout) && !ferror(stdout)) || status != EXIT_DONE)
        return status;
    /* what is no reason of this last try was told to nobody */
    (void)cli_usage(cli, "cannot write the output: %s", errno ? strerror(errno) : "an earlier part of it is lost");
    return EXIT_NO_OUTPUT;
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
        help();
        return EXIT_DONE;
    }
    if (!argc)
        return cli_usage(cli, "a command is missing; `signengine --help` lists them");
    if (!(command = find(&words, argc, argv)))
        return unknown(cli, argc, argv);
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
