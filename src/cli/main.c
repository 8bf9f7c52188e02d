/* SPDX-License-Identifier: Apache-2.0 */
/* One main() for the three programs: global options, the command, and the output's end.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "base/timed_call.h"
#include "cli/commands.h"
#include "cli/complete.h"

AUTO_KIND(options, void *, free(*p))

static int check_globals(const struct cli *cli, const struct command *command)
{
    static const char *const choices[] = { "auto", "always", "never" };

    if (cli->audit.count && !command->recorded)
        return cli_usage(cli, "--audit goes with commands that use keys on somebody's behalf, as "
                              "sign and decrypt");

    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if (strcmp(cli->progress, choices[i]) == 0)
            return EXIT_DONE;
    return cli_usage(cli, "option '--progress': '%s' is not auto, always or never", cli->progress);
}

/* On a thread of the sink. */
static void report_sink(void *arg, const char *sink, const char *why)
{
    cli_warn(arg,
             why ? "warning: the audit sink '%s' has failed: %s" : "the audit sink '%s' is back",
             sink, why);
}

static void record_begin(struct cli *cli, const struct command *command)
{
    cli->recording.what = command->recorded;
    cli->recording.command = command->name;
    cli->recording.history = command_histories;
    cli->recording.report = report_sink;
    cli->recording.report_arg = cli;
}

/* What the service does not know is not left out in silence. */
static int check_place(const struct cli *cli, const struct option_table *const tables[2])
{
    const enum option_place wrong = cli->address ? OPTION_LOCAL : OPTION_REMOTE;

    for (size_t i = 0; i < 2; i++) {
        const struct option_row *row = options_find_given(tables[i], wrong);

        if (row && cli->address)
            return cli_usage(cli,
                             "option '--%s' is not served over a socket; run it where the "
                             "configuration is",
                             row->name);
        if (row)
            return cli_usage(cli, "option '--%s' needs --socket", row->name);
    }
    return EXIT_DONE;
}

/* What was not recorded is a failure, also of what came to a good end otherwise. */
static int record_end(struct cli *cli, int status)
{
    se_error err = SE_ERROR_INIT;

    if (recording_end(&cli->recording, status ? "failed" : "ok", &err) && !status)
        status = cli_fail(cli, &err);
    cli->stuck = !recording_close(&cli->recording);
    return status;
}

static int run_command(struct cli *cli, const struct option_table *global,
                       const struct command *command, int argc, char **argv)
{
    AUTO(options) options = calloc(1, command->options_size + 1);
    const struct option_table own = { command->options, options };
    const struct option_table *const tables[2] = { &own, global };
    se_error err = SE_ERROR_INIT;
    const char *output;
    se_status st;
    int status;

    if (!options)
        return EXIT_INTERNAL;
    cli->command = command->name;
    record_begin(cli, command);
    options_defaults(&own);
    st = options_parse(&argc, argv, tables, false, &err);
    output = options_text(&own, "output");
    cli->taken = output && strcmp(output, "-") == 0;
    if (st)
        return cli_fail(cli, &err);
    if (cli->help) {
        help_print_command(command);
        return EXIT_DONE;
    }
    status = check_globals(cli, command);
    if (!status)
        status = cli_choose_service(cli, command->served);
    if (!status)
        status = check_place(cli, tables);
    if (!status && cli->retry_pin)
        se_retry_pins();
    cli->recording.descriptor = options_text(&own, "descriptor");
    return status ? status : record_end(cli, command->run(cli, options, argc, argv));
}

/*
 * The output has to have arrived: a full disk behind standard output is a failure too.  Unwritten
 * output is still in the buffer; writing it once more yields the reason.  The C library drops what
 * did not fit into the buffer: then an empty line is tried, behind output that is lost anyway.
 */
static int flush_output(struct cli *cli, int status)
{
    bool refused = fflush(stdout), failed = refused || ferror(stdout);
    int number;

    if (failed && !refused)
        refused = putchar('\n') == EOF || fflush(stdout);
    number = refused ? errno : 0;
    if (status != EXIT_DONE || (!failed && !json_is_lost()))
        return status;
    cli->json = false;
    if (!failed)
        return cli_fail(cli, &(se_error){ .status = SE_ERR_MEMORY, .text = "out of memory" });
    (void)cli_usage(cli, "cannot write standard output%s%s", number ? ": " : "",
                    number ? write_reason(number) : "");
    return EXIT_NO_OUTPUT;
}

static bool asks_for_help(const struct cli *cli, int argc, char **argv)
{
    return (cli->help && argc == 1) ||
           (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0));
}

/* A word that is no command may be the first of several. */
static int start_no_command(const struct cli *cli, int argc, char **argv)
{
    char group[COMMAND_GROUP];
    int words = command_find_group(group, argc, argv);

    if (!words || !asks_for_help(cli, argc - words + 1, argv + words - 1))
        return command_reject(cli, argc, argv);
    help_print_group(group);
    return EXIT_DONE;
}

static int start_command(struct cli *cli, const struct option_table *global, int argc, char **argv)
{
    int words;
    const struct command_name *name = command_find_name(&words, argc, argv);
    const struct command *command = name ? command_find(name) : NULL;

    if (!name)
        return start_no_command(cli, argc, argv);
    if (!command)
        return command_hand_over(cli, name);
    return run_command(cli, global, command, argc - words, argv + words);
}

static int start_program(struct cli *cli, int argc, char **argv)
{
    const struct option_table global = { global_options, cli };
    const struct option_table *const tables[2] = { &global, NULL };
    se_error err = SE_ERROR_INIT;

    options_defaults(&global);
    if (options_parse(&argc, argv, tables, true, &err))
        return cli_fail(cli, &err);
    if (cli->version) {
        puts("signengine " PACKAGE_VERSION);
        return EXIT_DONE;
    }
    if (!argc && cli->help) {
        help_print();
        return EXIT_DONE;
    }
    if (argc && strcmp(argv[0], COMPLETE_WORD) == 0)
        return complete_words(cli, argc - 1, argv + 1);
    if (!argc)
        return cli_usage(cli, "a command is missing; `signengine --help` lists them");
    return start_command(cli, &global, argc, argv);
}

/* A call that has not returned may return while exit() takes down the libraries that it needs. */
static int leave_process(const struct cli *cli, int status)
{
    if (cli->stuck || timed_call_late_count())
        _exit(status);
    return status;
}

/* Closed standard descriptors stay out of use: a file that took one's number would get the output.
 */
static bool keep_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

/* Options and operands are put into another order as they are read: the program that takes a
 * command over gets them as they came. */
static char **copy_arguments(int argc, char **argv)
{
    char **copy = calloc((size_t)argc + 1, sizeof *copy);

    if (copy)
        memcpy(copy, argv, (size_t)argc * sizeof *copy);
    return copy;
}
AUTO_KIND(arguments, char **, free(*p))

int main(int argc, char **argv)
{
    AUTO(arguments) arguments = copy_arguments(argc, argv);
    struct cli cli = { .arguments = arguments };

    if (!cli.arguments || !keep_standard_descriptors() || !process_forbid_dumps())
        return EXIT_INTERNAL;
    (void)signal(SIGXFSZ,
                 SIG_IGN); /* a file that is too large is a failure to write, with a message */
    return leave_process(&cli, flush_output(&cli, start_program(&cli, argc - 1, argv + 1)));
}
