/* `help`, `version`, and what --help prints. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/commands.h"

void help_print(void)
{
    puts("usage: signengine [OPTION]... COMMAND ...\n\nSigns and encrypts with keys that "
         "engineSignEncrypt.xml names.\n\nCommands:");
    for (const struct command_name *name = command_names; name->name; name++)
        printf("  %-20s %s\n", name->name, name->summary);
    puts("\nOptions:");
    options_help(global_options);
    puts("\n`signengine COMMAND --help` tells the options of a command.");
}

void help_print_group(const char *group)
{
    printf("usage: signengine %s COMMAND ...\n\nCommands:\n", group);
    for (const struct command_name *name = command_names; name->name; name++)
        if (command_is_in_group(name, group))
            printf("  %-20s %s\n", name->name, name->summary);
    printf("\n`signengine %s COMMAND --help` tells the options of a command.\n", group);
}

void help_print_command(const struct command *command)
{
    const struct command_name *name = command_names;

    while (strcmp(name->name, command->name) != 0)
        name++;
    printf("usage: signengine %s [OPTION]... %s\n\n%s\n\nOptions:\n", name->name, name->operands,
           name->summary);
    options_help(command->options);
    puts("\nOptions of all commands:");
    options_help(global_options);
}

struct no_options {
    char none;
};
static const struct option_row no_rows[] = { { .name = NULL } };

static int run_help(struct cli *cli, void *options, int argc, char **argv)
{
    const struct command_name *name;
    const struct command *command;
    int words = 0;

    (void)options;
    if (!argc) {
        help_print();
        return EXIT_DONE;
    }
    if (argc == 1 && command_is_group(argv[0])) {
        help_print_group(argv[0]);
        return EXIT_DONE;
    }
    if (!(name = command_find_name(&words, argc, argv)))
        return command_reject(cli, argc, argv);
    if (argc > words)
        return cli_usage(cli, "one command at a time: '%s' is too much", argv[words]);
    if (!(command = command_find(name)))
        return command_hand_over(cli, name);
    help_print_command(command);
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

const struct command command_help = {
    .name = "help", .options = no_rows, .options_size = sizeof(struct no_options), .run = run_help
};
const struct command command_version = {
    .name = "version",
    .options = no_rows,
    .options_size = sizeof(struct no_options),
    .run = run_version,
};
