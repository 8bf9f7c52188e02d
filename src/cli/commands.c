/* Which command the arguments name, what there is, and who runs it. */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

enum { NAMES_MOST = 64 };

bool command_is_in_group(const struct command_name *name, const char *group)
{
    return text_starts(name->name, group) && name->name[strlen(group)] == ' ';
}

bool command_is_group(const char *word)
{
    for (const struct command_name *name = command_names; name->name; name++)
        if (command_is_in_group(name, word))
            return true;
    return false;
}

const struct command_name *command_find_name(int *words, int argc, char **argv)
{
    char two[64] = "";

    if (argc > 1)
        (void)snprintf(two, sizeof two, "%s %s", argv[0], argv[1]);
    for (const struct command_name *name = command_names; name->name; name++) {
        bool is_two = strcmp(name->name, two) == 0;

        *words = is_two ? 2 : 1;
        if (is_two || strcmp(name->name, argv[0]) == 0)
            return name;
    }
    return NULL;
}

const struct command *command_find(const struct command_name *name)
{
    for (const struct command *const *command = commands; *command; command++)
        if (strcmp((*command)->name, name->name) == 0)
            return *command;
    return NULL;
}

/* ---- what is no command ---- */

static void list_second_words(struct writer *w, const char *first)
{
    for (const struct command_name *name = command_names; name->name; name++)
        if (command_is_in_group(name, first))
            writer_format(w, "%s%s", w->buf.size ? ", " : "", name->name + strlen(first) + 1);
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
    AUTO(writer) second = { 0 };
    const char *nearest;

    if (argc > 1 && (nearest = find_other_name(argv[0], argv[1])))
        return cli_usage(cli, "unknown command '%s %s'; it is '%s'", argv[0], argv[1], nearest);
    list_second_words(&second, argv[0]);
    if (second.buf.size && argc > 1)
        return cli_usage(cli, "unknown command '%s %s'; after '%s' comes one of: %s", argv[0],
                         argv[1], argv[0], writer_string(&second));
    if (second.buf.size)
        return cli_usage(cli, "after '%s' comes one of: %s", argv[0], writer_string(&second));
    if ((nearest = find_nearest(argv[0])))
        return cli_usage(cli, "unknown command '%s'; did you mean '%s'?", argv[0], nearest);
    return cli_usage(cli, "unknown command '%s'; `signengine --help` lists them", argv[0]);
}

/* ---- other programs ---- */

static void run_beside(const char *program, char **argv)
{
    AUTO(writer) path = { 0 };
    char own[4096];
    ssize_t size = readlink("/proc/self/exe", own, sizeof own);

    while (size > 0 && own[size - 1] != '/')
        size--;
    if (size <= 0)
        return;
    writer_put(&path, own, (size_t)size);
    writer_text(&path, program);
    (void)execv(writer_string(&path), argv);
}

int command_hand_over(const struct cli *cli, const struct command_name *name)
{
    AUTO(writer) installed = { 0 };
    se_error err = SE_ERROR_INIT;

    (void)fflush(stdout);
    run_beside(name->program, cli->arguments);
    writer_format(&installed, LIBEXECDIR "/signengine/%s", name->program);
    (void)execv(writer_string(&installed), cli->arguments);
    (void)error_set(&err, SE_ERR_UNAVAILABLE, "cannot run '%s': %s", writer_string(&installed),
                    strerror(errno));
    return cli_fail(cli, &err);
}
