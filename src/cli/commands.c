/* SPDX-License-Identifier: Apache-2.0 */
/* Finding commands, whichever program runs them, the options that all have, and `help` and
 * `version`, which every program runs itself. */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

enum { NAMES_MOST = 64 };

static const struct command command_help, command_version;

const struct option_row global_options[] = {
    { .letter = 'c',
      .name = "config",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct cli, config),
      .argument = "FILE",
      .help = "the configuration" },
    { .name = "trust-config",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct cli, trust_config),
      .argument = "CA.pem",
      .help = "use no configuration that these have not signed",
      .place = OPTION_LOCAL },
    { .name = "config-crl",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct cli, config_revocation.crls),
      .argument = "PATH",
      .help = "nor one whose signer these CRLs revoke; a file, or a folder of *.crl and *.pem",
      .place = OPTION_LOCAL },
    { .name = "require-config-revocation-check",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct cli, config_revocation.required),
      .help = "nor one about whose signer no CRL tells",
      .place = OPTION_LOCAL },
    { .name = "socket",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct cli, socket),
      .argument = "PATH|URL",
      .help = "have it done by the signengined that listens there" },
    { .name = "client-certificate",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct cli, client_certificate),
      .argument = "FILE",
      .help = "https: who asks, in PEM",
      .place = OPTION_REMOTE },
    { .name = "client-key",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct cli, client_key),
      .argument = "FILE",
      .help = "its key, in PEM; in the file of the certificate if not given",
      .place = OPTION_REMOTE },
    { .name = "client-key-pin",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct cli, client_key_pin),
      .argument = "SOURCE",
      .help = "what decrypts it: env:NAME, file:PATH, credential:NAME, fd:N or prompt",
      .place = OPTION_REMOTE },
    { .name = "ca",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct cli, ca),
      .argument = "FILE",
      .help = "https: who vouches for the service, in PEM; the system's CAs if not given",
      .place = OPTION_REMOTE },
    { .name = "timeout",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct cli, timeout),
      .argument = "SECONDS",
      .help = "how long to wait for the service, and to ask it again (30)",
      .fallback = "30",
      .place = OPTION_REMOTE },
    { .name = "tag",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct cli, tag),
      .argument = "TEXT",
      .help = "a mark that the service's audit repeats",
      .place = OPTION_REMOTE },
    { .name = "audit",
      .kind = OPTION_LIST,
      .offset = offsetof(struct cli, audit),
      .argument = "SINK",
      .help = "record each use of a key: file:PATH, journal, syslog; may be given several times",
      .place = OPTION_LOCAL },
    { .name = "json",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct cli, json),
      .help = "one JSON object per result on standard output" },
    { .letter = 'q',
      .name = "quiet",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct cli, quiet),
      .help = "errors only" },
    { .letter = 'v',
      .name = "verbose",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct cli, verbose),
      .help = "say more" },
    { .name = "progress",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct cli, progress),
      .argument = "WHEN",
      .help = "auto, always or never",
      .fallback = "auto" },
    { .name = "retry-pin",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct cli, retry_pin),
      .help = "present a PIN that a token refused within the last hour",
      .place = OPTION_LOCAL },
    { .letter = 'h',
      .name = "help",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct cli, help),
      .help = "this text" },
    { .name = "version",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct cli, version),
      .help = "the version" },
    { .name = NULL },
};

/* ---- finding one ---- */

enum { WORDS_MOST = 3 };

const char *command_behind_group(const struct command_name *name, const char *group)
{
    const size_t size = strlen(group);

    if (!size)
        return name->name;
    return text_starts(name->name, group) && name->name[size] == ' ' ? name->name + size + 1 : NULL;
}

static bool command_is_group(const char *words)
{
    for (const struct command_name *name = command_names; name->name; name++)
        if (command_behind_group(name, words))
            return true;
    return false;
}

/* The first arguments as one text; "": it is too long. */
static void join_words(char out[COMMAND_GROUP], int words, char **argv)
{
    size_t used = 0;

    for (int i = 0; i < words && used < COMMAND_GROUP; i++)
        used += (size_t)snprintf(out + used, COMMAND_GROUP - used, "%s%s", i ? " " : "", argv[i]);
    if (used >= COMMAND_GROUP)
        *out = '\0';
}

static int most_words(int argc)
{
    return argc < WORDS_MOST ? argc : WORDS_MOST;
}

int command_find_group(char group[COMMAND_GROUP], int argc, char **argv)
{
    for (int words = most_words(argc); words; words--) {
        join_words(group, words, argv);
        if (*group && command_is_group(group))
            return words;
    }
    *group = '\0';
    return 0;
}

const struct command_name *command_find_name(int *words, int argc, char **argv)
{
    char joined[COMMAND_GROUP];

    for (*words = most_words(argc); *words; --*words) {
        join_words(joined, *words, argv);
        for (const struct command_name *name = command_names; name->name; name++)
            if (strcmp(name->name, joined) == 0)
                return name;
    }
    return NULL;
}

const struct command *command_find(const struct command_name *name)
{
    static const struct command *const everywhere[] = { &command_help, &command_version };

    for (size_t i = 0; i < sizeof everywhere / sizeof *everywhere; i++)
        if (strcmp(everywhere[i]->name, name->name) == 0)
            return everywhere[i];
    for (const struct command *const *command = commands; *command; command++)
        if (strcmp((*command)->name, name->name) == 0)
            return *command;
    return NULL;
}

/* ---- unknown commands ---- */

static void list_next_words(struct writer *w, const char *group)
{
    for (const struct command_name *name = command_names; *group && name->name; name++)
        if (command_behind_group(name, group))
            writer_format(w, "%s%s", w->buf.size ? ", " : "", command_behind_group(name, group));
}

/* What something was called once, or is called elsewhere. */
static const char *find_other_name(const char *first, const char *second)
{
    static const struct {
        const char *first, *second, *name;
    } rows[] = { { "history", "close", "history end" } };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].first, first) == 0 && strcmp(rows[i].second, second) == 0)
            return rows[i].name;
    return NULL;
}

static const char *find_nearest(const char *word)
{
    const char *names[NAMES_MOST];
    size_t count = 0;

    for (const struct command_name *name = command_names; name->name && count < NAMES_MOST; name++)
        names[count++] = name->name;
    return text_nearest(word, names, count);
}

int command_reject(const struct cli *cli, int argc, char **argv)
{
    AUTO(writer) next = { 0 };
    char group[COMMAND_GROUP];
    const char *nearest;
    int words = command_find_group(group, argc, argv);

    if (argc > 1 && (nearest = find_other_name(argv[0], argv[1])))
        return cli_usage(cli, "unknown command '%s %s'; it is '%s'", argv[0], argv[1], nearest);
    list_next_words(&next, group);
    if (words && argc > words)
        return cli_usage(cli, "unknown command '%s %s'; after '%s' comes one of: %s", group,
                         argv[words], group, writer_string(&next));
    if (words)
        return cli_usage(cli, "after '%s' comes one of: %s", group, writer_string(&next));
    if ((nearest = find_nearest(argv[0])))
        return cli_usage(cli, "unknown command '%s'; did you mean '%s'?", argv[0], nearest);
    return cli_usage(cli, "unknown command '%s'; `signengine --help` lists them", argv[0]);
}

/* ---- other programs ---- */

/* Its folder, with a slash behind it; empty: the system does not tell. */
static void put_own_folder(struct writer *path)
{
    char own[4096];
    ssize_t size = readlink("/proc/self/exe", own, sizeof own);

    while (size > 0 && own[size - 1] != '/')
        size--;
    if (size > 0)
        writer_put(path, own, (size_t)size);
}

char *command_program_path(const char *program)
{
    AUTO(writer) path = { 0 };
    char *installed;

    put_own_folder(&path);
    writer_text(&path, program);
    if (!path.failed && !access(writer_string(&path), X_OK))
        return strdup(writer_string(&path));
    return asprintf(&installed, LIBEXECDIR "/signengine/%s", program) < 0 ? NULL : installed;
}

int command_hand_over(const struct cli *cli, const struct command_name *name)
{
    char *path = command_program_path(name->program);
    se_error err = SE_ERROR_INIT;

    (void)fflush(stdout);
    if (!path) {
        (void)error_memory(&err);
        return cli_fail(cli, &err);
    }
    (void)execv(path, cli->arguments);
    (void)error_set(&err, SE_ERR_UNAVAILABLE, "cannot run '%s': %s", path, strerror(errno));
    free(path);
    return cli_fail(cli, &err);
}

/* ---- help ---- */

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
        if (command_behind_group(name, group))
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

static int help_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct command_name *name;
    const struct command *command;
    char group[COMMAND_GROUP];
    int words = 0;

    (void)options;
    if (!argc) {
        help_print();
        return EXIT_DONE;
    }
    if (command_find_group(group, argc, argv) == argc) {
        help_print_group(group);
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

static int version_run(struct cli *cli, void *options, int argc, char **argv)
{
    (void)options;
    (void)argv;
    if (argc)
        return cli_usage(cli, "it takes no operand");
    puts("signengine " PACKAGE_VERSION);
    return EXIT_DONE;
}

static const struct command command_help = { .name = "help", .run = help_run };
static const struct command command_version = { .name = "version", .run = version_run };
