/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of commands and options are all that is known here of them: what the name of an
 * argument stands for says what completes it.
 */
#include "cli/complete.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/spawn.h"

enum { DEADLINE_S = 1, NAME_ROOM = 256, TEXT_ROOM = 80, ARGUMENT_ROOM = 32 };

struct completion {
    struct cli *cli;
    const char *word;              /* as far as it is typed */
    size_t kept;                   /* of it, as "--option=": what is offered stands behind */
    const struct command *command; /* NULL: none yet */
    struct option_table own;       /* its options */
    struct writer out;
};

static void completion_free(struct completion *c)
{
    free(c->own.values);
    writer_free(&c->out);
}
AUTO_KIND(completion, struct completion, completion_free(p))

static bool is_one_line(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == '\x7f')
            return false;
    return true;
}

static void offer_word(struct completion *c, const char *word, const char *text)
{
    if (*word && text_starts(word, c->word + c->kept) && is_one_line(word) && is_one_line(text))
        writer_format(&c->out, "%.*s%s\t%s\n", (int)c->kept, c->word, word, text);
}

static void offer_files(struct completion *c)
{
    writer_format(&c->out, "\001%.*s\n", (int)c->kept, c->word);
}

/* ---- commands and options ---- */

static bool is_offered(const struct command_name *name, const char *group, const char *word,
                       size_t size)
{
    for (const struct command_name *other = command_names; other < name; other++) {
        const char *words = command_behind_group(other, group);

        if (words && strncmp(words, word, size) == 0 && strchr(" ", words[size]))
            return true;
    }
    return false;
}

/* The next words of the commands in a group, each once. */
static void offer_commands(struct completion *c, const char *group)
{
    for (const struct command_name *name = command_names; name->name; name++) {
        const char *words = command_behind_group(name, group);
        const size_t size = words ? strcspn(words, " ") : 0;
        char word[COMMAND_GROUP];

        if (!words || is_offered(name, group, words, size))
            continue;
        (void)snprintf(word, sizeof word, "%.*s", (int)size, words);
        offer_word(c, word, words[size] ? "a group of commands" : name->summary);
    }
}

static void offer_option(void *arg, const struct option_row *row)
{
    struct completion *c = arg;
    char word[64];

    (void)snprintf(word, sizeof word, "--%s", row->name);
    offer_word(c, word, row->help);
    (void)snprintf(word, sizeof word, "-%c", row->letter);
    if (row->letter)
        offer_word(c, word, row->help);
}

static void offer_options(struct completion *c)
{
    const struct option_table global = { global_options, c->cli };

    options_each_open(&c->own, offer_option, c);
    options_each_open(&global, offer_option, c);
}

/* ---- what takes time is given little ---- */

static volatile sig_atomic_t asked_program; /* its process; 0: none */

/* Whoever waits for a word has waited long enough: nothing is printed. */
static void leave_late(int number)
{
    (void)number;
    if (asked_program)
        (void)kill(asked_program, SIGTERM);
    _exit(EXIT_DONE);
}

static void limit_time(void)
{
    (void)signal(SIGALRM, leave_late);
    (void)alarm(DEADLINE_S);
}

/* ---- names of the configuration ---- */

struct named {
    char name[NAME_ROOM], text[TEXT_ROOM];
    unsigned version; /* of a descriptor */
};

struct naming {
    const char *kind; /* "descriptor " or "key " */
    char item[2 * NAME_ROOM];
    struct writer list; /* of struct named */
};

static void naming_free(struct naming *n)
{
    writer_free(&n->list);
}
AUTO_KIND(naming, struct naming, naming_free(p))

static size_t named_count(const struct naming *n)
{
    return n->list.buf.size / sizeof(struct named);
}

static struct named *named_at(const struct naming *n, size_t i)
{
    return (struct named *)(void *)n->list.buf.data + i;
}

/* "NAME:VERSION", "NAME" or "NAME replica N". */
static void note_item(struct naming *n, const char *item)
{
    static const char replica[] = " replica ";
    const char *name = item + strlen(n->kind), *end = strrchr(name, ':');
    struct named named = { .version = 0 };
    unsigned long version = 0;

    if (*n->kind == 'k')
        end = strstr(name, replica);
    else if (end && text_number(&version, end + 1, UINT32_MAX))
        named.version = (unsigned)version;
    text_copy(named.name, sizeof named.name, name, end ? (size_t)(end - name) : strlen(name));
    writer_put(&n->list, &named, sizeof named);
}

/* An item's properties come one after the other. */
static void note_property(void *arg, const char *item, const char *property, const char *value)
{
    struct naming *n = arg;

    if (!text_starts(item, n->kind))
        return;
    if (strcmp(n->item, item) != 0)
        note_item(n, item);
    (void)snprintf(n->item, sizeof n->item, "%s", item);
    if (named_count(n) && (strcmp(property, "algorithm") == 0 || strcmp(property, "type") == 0))
        (void)snprintf(named_at(n, named_count(n) - 1)->text, TEXT_ROOM, "%s", value);
}

/* The names that the command would know: a service is not asked.  Who signed the configuration does
 * not matter to who only reads names. */
static void read_names(struct naming *out, struct completion *c)
{
    AUTO(engine) engine = NULL;

    limit_time();
    c->cli->json = false;
    if (cli_choose_service(c->cli, c->command && c->command->served) || c->cli->address)
        return;
    if (se_open(&engine, cli_config(c->cli), NULL, NULL) ||
        se_describe(engine, note_property, out, NULL) || out->list.failed)
        writer_free(&out->list);
}

static bool is_first(const struct naming *n, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(named_at(n, i)->name, named_at(n, index)->name) == 0)
            return false;
    return true;
}

static bool has_versions(const struct naming *n, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < named_count(n) && count < 2; i++)
        count += strcmp(named_at(n, i)->name, name) == 0;
    return count > 1;
}

static void offer_version(struct completion *c, const struct named *named)
{
    char word[NAME_ROOM + 12];

    (void)snprintf(word, sizeof word, "%s:%u", named->name, named->version);
    offer_word(c, word, named->text);
}

static void offer_names(struct completion *c, const char *kind)
{
    AUTO(naming) n = { .kind = kind };

    read_names(&n, c);
    for (size_t i = 0; i < named_count(&n); i++)
        if (is_first(&n, i))
            offer_word(c, named_at(&n, i)->name, named_at(&n, i)->text);
}

static void offer_keys(struct completion *c)
{
    offer_names(c, "key ");
}

static void offer_descriptors(struct completion *c)
{
    offer_names(c, "descriptor ");
}

static void offer_versions(struct completion *c)
{
    AUTO(naming) n = { .kind = "descriptor " };

    read_names(&n, c);
    for (size_t i = 0; i < named_count(&n); i++)
        offer_version(c, named_at(&n, i));
}

/* The only version is not offered before its colon is typed. */
static void offer_both(struct completion *c)
{
    AUTO(naming) n = { .kind = "descriptor " };

    read_names(&n, c);
    for (size_t i = 0; i < named_count(&n); i++) {
        const struct named *named = named_at(&n, i);
        const size_t size = strlen(named->name);
        const char *typed = c->word + c->kept;

        if (is_first(&n, i))
            offer_word(c, named->name, named->text);
        if (has_versions(&n, named->name) ||
            (text_starts(typed, named->name) && typed[size] == ':'))
            offer_version(c, named);
    }
}

/* ---- chains of a store ---- */

static void offer_chain(struct completion *c, const json_t *row)
{
    const char *name = json_string_value(json_object_get(row, "chain"));
    const json_int_t seals = json_integer_value(json_object_get(row, "seals"));
    char text[TEXT_ROOM];

    (void)snprintf(text, sizeof text, "%jd %s", (intmax_t)seals, seals == 1 ? "seal" : "seals");
    if (name)
        offer_word(c, name, text);
}

/* As `history list` tells them: only its program knows stores. */
static void offer_chains_of(struct completion *c, const char *store)
{
    char *path = command_program_path("signengine-history");
    const char *arguments[] = { path, "history", "list", "--json", "--store", store, NULL };
    AUTO(file) nothing = file_open("/dev/null");
    AUTO(file) rows = memfd_create("rows", MFD_CLOEXEC);
    const struct spawn spawn = {
        .option = "--store", .arguments = (char **)arguments, .input = nothing, .output = rows
    };
    json_t *row;
    pid_t child;
    int status;

    if (path && nothing >= 0 && rows >= 0 && !spawn_start(&child, &spawn, NULL)) {
        asked_program = child;
        if (!spawn_await(&status, child, &spawn, NULL) && !status && !lseek(rows, 0, SEEK_SET))
            while ((row = json_loadfd(rows, JSON_DISABLE_EOF_CHECK, NULL))) {
                offer_chain(c, row);
                json_decref(row);
            }
        asked_program = 0;
    }
    free(path);
}

static void offer_chains(struct completion *c)
{
    size_t count;
    const char *const *stores = options_texts(&count, &c->own, "store");

    limit_time();
    for (size_t i = 0; i < count; i++)
        offer_chains_of(c, stores[i]);
}

/* ---- values and operands ---- */

static void offer_value(struct completion *c, const char *argument)
{
    static const struct {
        const char *argument;
        void (*offer)(struct completion *c);
    } rows[] = {
        { "CA.pem", offer_files },
        { "CHAIN", offer_chains },
        { "DESCRIPTOR", offer_descriptors },
        { "DESCRIPTOR:VERSION", offer_versions },
        { "FILE", offer_files },
        { "KEY", offer_keys },
        { "LIB", offer_files },
        { "NAME[:VERSION]", offer_both },
        { "PATH", offer_files },
        { "PATH|URL", offer_files },
        { "PROGRAM", offer_files },
        { "RECORD", offer_files },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].argument, argument) == 0)
            rows[i].offer(c);
}

/* Of "KEY [FILE]..." the first is KEY, and all others are FILE; "": no more are taken. */
static void find_operand(char out[ARGUMENT_ROOM], const char *operands, int index)
{
    for (*out = '\0'; *operands && !*out; operands += strspn(operands, " ")) {
        const char *name = operands + strspn(operands, "[");
        const char *end = name + strcspn(name, "]. ");

        operands += strcspn(operands, " ");
        if (!index-- || strcspn(end, ".") < (size_t)(operands - end))
            (void)snprintf(out, ARGUMENT_ROOM, "%.*s", (int)(end - name), name);
    }
}

/* What comes behind so many operands. */
static void offer_operand(struct completion *c, const struct command_name *name, int argc,
                          char **argv)
{
    char argument[ARGUMENT_ROOM], group[COMMAND_GROUP];

    find_operand(argument, name->operands, 0);
    if (strcmp(argument, "COMMAND") == 0) {
        if (command_find_group(group, argc, argv) == argc)
            offer_commands(c, group);
        return;
    }
    find_operand(argument, name->operands, argc);
    if (*argument)
        offer_value(c, argument);
    else if (!*c->word)
        offer_options(c);
}

/* ---- the word ---- */

/* Whether it is an option, or the value of one. */
static bool offer_option_or_value(struct completion *c, const struct option_table *const tables[2],
                                  const struct options_typed *typed)
{
    const struct option_row *row;

    if (typed->awaited) {
        offer_value(c, typed->awaited->argument);
        return true;
    }
    if (typed->ended || *c->word != '-')
        return false;
    row = options_find(&c->kept, tables, c->word);
    if (row && c->kept)
        offer_value(c, row->argument);
    else
        offer_options(c);
    return true;
}

static void complete_in_command(struct completion *c, const struct command_name *name, int argc,
                                char **argv)
{
    const struct option_table global = { global_options, c->cli };
    const struct option_table *const tables[2] = { &c->own, &global };
    struct options_typed typed;

    c->own = (struct option_table){ c->command->options, calloc(1, c->command->options_size + 1) };
    if (!c->own.values)
        return;
    options_defaults(&c->own);
    options_parse_typed(&typed, &argc, argv, tables, false);
    if (!offer_option_or_value(c, tables, &typed))
        offer_operand(c, name, argc, argv);
}

/* Before the command, or among the words of its name. */
static void complete_command(struct completion *c, int argc, char **argv)
{
    const struct option_table global = { global_options, c->cli };
    const struct option_table *const tables[2] = { &global, NULL };
    const struct command_name *name;
    struct options_typed typed;
    char group[COMMAND_GROUP];
    int words;

    options_parse_typed(&typed, &argc, argv, tables, true);
    if (!argc && offer_option_or_value(c, tables, &typed))
        return;
    if (!(name = command_find_name(&words, argc, argv))) {
        if (command_find_group(group, argc, argv) == argc)
            offer_commands(c, group);
        return;
    }
    c->cli->json = false;
    if (!(c->command = command_find(name)))
        (void)command_hand_over(c->cli, name);
    else
        complete_in_command(c, name, argc - words, argv + words);
}

int complete_words(struct cli *cli, int argc, char **argv)
{
    AUTO(completion) c = { .cli = cli, .word = argc ? argv[argc - 1] : "" };

    /* the line that somebody types is no place for messages, of libraries neither */
    if (!freopen("/dev/null", "w", stderr))
        return EXIT_DONE;
    complete_command(&c, argc ? argc - 1 : 0, argv);
    if (!c.out.failed)
        (void)fputs(writer_string(&c.out), stdout);
    return EXIT_DONE;
}
