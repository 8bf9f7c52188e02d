/* SPDX-License-Identifier: Apache-2.0 */
/* `access list` and `access test`: who may do what through signengined, asked where it runs. */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/print_access.h"

enum { CERTIFICATE_LIMIT = 1 << 20, GROUPS_MOST = 65536 };

/* ---- who ---- */

struct caller_options {
    const char *user, *uid, *certificate, *issuer;
    struct option_list groups;
};

static const struct option_row caller_rows[] = {
    { .name = "user",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct caller_options, user),
      .argument = "NAME",
      .help = "a process of that user, with the groups that the system gives him" },
    { .name = "uid",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct caller_options, uid),
      .argument = "N",
      .help = "the same by number, in no group" },
    { .name = "group",
      .kind = OPTION_LIST,
      .offset = offsetof(struct caller_options, groups),
      .argument = "NAME",
      .help = "in that group too; may be given several times" },
    { .name = "certificate",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct caller_options, certificate),
      .argument = "FILE",
      .help = "a client with that certificate, which is not verified here" },
    { .name = "issuer",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct caller_options, issuer),
      .argument = "FILE",
      .help = "the certificate that signed it" },
    { .name = NULL },
};

struct caller {
    se_caller caller;
    gid_t *gids;
    se_buf certificate, issuer;
};

static void caller_free(struct caller *caller)
{
    free(caller->gids);
    se_buf_free(&caller->certificate);
    se_buf_free(&caller->issuer);
}
AUTO_KIND(caller, struct caller, caller_free(p))

static bool is_given(const struct caller_options *o)
{
    return o->user || o->uid || o->groups.count || o->certificate || o->issuer;
}

static int read_user(struct caller *out, const struct cli *cli, const char *name)
{
    const struct passwd *user = getpwnam(name);
    int count = GROUPS_MOST;

    if (!user)
        return cli_usage(cli, "there is no user '%s' on this machine", name);
    out->caller.has_uid = true;
    out->caller.uid = user->pw_uid;
    if (getgrouplist(name, user->pw_gid, out->gids, &count) < 0)
        return cli_usage(cli, "user '%s' is in more than %d groups", name, GROUPS_MOST);
    out->caller.gid_count = (size_t)count;
    return EXIT_DONE;
}

static int read_uid(struct caller *out, const struct cli *cli, const char *text)
{
    unsigned long uid;

    if (!text_number(&uid, text, UINT32_MAX - 1))
        return cli_usage(cli, "option '--uid': '%s' is no number of a user", text);
    out->caller.has_uid = true;
    out->caller.uid = (uint32_t)uid;
    return EXIT_DONE;
}

static int read_group(struct caller *out, const struct cli *cli, const char *name)
{
    const struct group *group = getgrnam(name);

    if (!group)
        return cli_usage(cli, "there is no group '%s' on this machine", name);
    out->gids[out->caller.gid_count++] = group->gr_gid;
    return EXIT_DONE;
}

static int read_file(se_buf *out, const struct cli *cli, const char *path)
{
    se_error err = SE_ERROR_INIT;

    return path && file_read(out, path, CERTIFICATE_LIMIT, &err) ? cli_fail(cli, &err) : EXIT_DONE;
}

static int caller_read(struct caller *out, const struct cli *cli, const struct caller_options *o)
{
    if (o->user && o->uid)
        return cli_usage(cli, "either --user or --uid");
    if (o->issuer && !o->certificate)
        return cli_usage(cli, "--issuer is that of a --certificate");
    if (!(out->gids = calloc(GROUPS_MOST + OPTION_LIST_MOST, sizeof *out->gids)))
        return cli_fail(cli, &(se_error){ .status = SE_ERR_MEMORY, .text = "out of memory" });
    out->caller = (se_caller)SE_CALLER_INIT;
    out->caller.gids = out->gids;
    if (o->user)
        TRY_EXIT(read_user(out, cli, o->user));
    if (o->uid)
        TRY_EXIT(read_uid(out, cli, o->uid));
    for (size_t i = 0; i < o->groups.count; i++)
        TRY_EXIT(read_group(out, cli, o->groups.items[i]));
    TRY_EXIT(read_file(&out->certificate, cli, o->certificate));
    TRY_EXIT(read_file(&out->issuer, cli, o->issuer));
    out->caller.certificate = buf_bytes(&out->certificate);
    out->caller.issuer = buf_bytes(&out->issuer);
    return EXIT_DONE;
}

/* What the daemon would open; an exit status. */
static int open_access(se_access **out, struct cli *cli)
{
    AUTO(engine) engine = NULL;
    se_error err = SE_ERROR_INIT;
    const se_options options = cli_options(cli);

    cli->warnings = true;
    TRY_EXIT(cli_open(&engine, cli, &err));
    return se_access_open(out, engine, options.report, options.report_arg, &err)
               ? cli_fail(cli, &err)
               : EXIT_DONE;
}

/* ---- access list ---- */

struct access_list {
    const struct cli *cli;
    size_t rows;
};

static void list_row(void *arg, const se_access_row *row)
{
    struct access_list *list = arg;

    list->rows++;
    if (list->cli->json)
        (void)json_line(json_access_row(row));
    else
        print_access_row(row);
}

/* Nothing is looked up: the configuration may be another machine's. */
static int list_all(struct access_list *list, struct cli *cli)
{
    AUTO(engine) engine = NULL;
    se_error err = SE_ERROR_INIT;

    cli->warnings = true;
    TRY_EXIT(cli_open(&engine, cli, &err));
    return se_access_rows(engine, list_row, list, &err) ? cli_fail(cli, &err) : EXIT_DONE;
}

static int list_of_caller(struct access_list *list, struct cli *cli, const struct caller_options *o)
{
    AUTO(caller) caller = { .gids = NULL };
    AUTO(access) access = NULL;
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(caller_read(&caller, cli, o));
    TRY_EXIT(open_access(&access, cli));
    return se_access_list(access, &caller.caller, list_row, list, &err) ? cli_fail(cli, &err)
                                                                        : EXIT_DONE;
}

static int access_list_run(struct cli *cli, void *options, int argc, char **argv)
{
    struct access_list list = { .cli = cli };

    (void)argv;
    if (argc)
        return cli_usage(cli, "it takes no operand");
    TRY_EXIT(is_given(options) ? list_of_caller(&list, cli, options) : list_all(&list, cli));
    if (!list.rows)
        cli_warn(cli, is_given(options) ? "no row names that caller: it may do nothing"
                                        : "there is no row: nobody may do anything");
    return EXIT_DONE;
}

const struct command command_access_list = {
    .name = "access list",
    .options = caller_rows,
    .options_size = sizeof(struct caller_options),
    .run = access_list_run,
};

/* ---- access test ---- */

struct access_test_options {
    struct caller_options caller;
    const char *descriptor, *history, *operation;
};

static const struct option_row test_rows[] = {
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct access_test_options, caller),
      .rows = caller_rows },
    { .letter = 'd',
      .name = "descriptor",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct access_test_options, descriptor),
      .argument = "NAME[:VERSION]",
      .help = "the descriptor that is asked for" },
    { .name = "history",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct access_test_options, history),
      .argument = "NAME",
      .help = "the history that is asked for" },
    { .name = "operation",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct access_test_options, operation),
      .argument = "NAME",
      .help = "sign, verify, ... as `operations` in the configuration has them" },
    { .name = NULL },
};

/* The row of the caller that has most of what is asked for. */
struct nearest_row {
    const se_use *use;
    se_access_row row;
    int score; /* 0: there is none yet */
};

static bool has_operation(const se_access_row *row, const char *operation)
{
    for (size_t i = 0; i < row->operation_count; i++)
        if (!strcmp(row->operations[i], operation))
            return true;
    return false;
}

static bool is_text(const char *one, const char *other)
{
    return one && other && !strcmp(one, other);
}

static bool has_target(const se_access_row *row, const se_use *use)
{
    for (size_t i = 0; i < row->what_count; i++)
        if (is_text(row->what[i].descriptor, use->descriptor) ||
            is_text(row->what[i].history, use->history))
            return true;
    return false;
}

static void compare_row(void *arg, const se_access_row *row)
{
    struct nearest_row *nearest = arg;
    const int score =
        1 + has_operation(row, nearest->use->operation) + 2 * has_target(row, nearest->use);

    if (score <= nearest->score)
        return;
    nearest->score = score;
    nearest->row = *row;
}

static void print_refusal(const struct cli *cli, const struct nearest_row *nearest)
{
    AUTO(writer) w = { 0 };

    if (cli->json)
        (void)json_line(json_pack("{s:b, s:o}", "allowed", 0, "nearest",
                                  nearest->score ? json_access_row(&nearest->row) : json_null()));
    if (!nearest->score) {
        cli_message(cli, "no row allows it, for none names that caller");
        return;
    }
    write_access_operations(&w, &nearest->row);
    writer_text(&w, nearest->row.what_count ? " with " : "");
    write_access_targets(&w, &nearest->row);
    cli_message(cli, "no row allows it; nearest: '%s' (%s:%d) allows %s", nearest->row.name,
                cli_config(cli), nearest->row.line, writer_string(&w));
}

static void print_permission(const struct cli *cli, const se_access_row *row)
{
    if (cli->json) {
        (void)json_line(json_pack("{s:b, s:i, s:o}", "allowed", 1, "version", (int)row->version,
                                  "row", json_access_row(row)));
        return;
    }
    if (cli->quiet)
        return;
    printf("allowed by '%s' (%s:%d)", row->name, cli_config(cli), row->line);
    if (row->version)
        printf(", version %u only", row->version);
    if (row->per_minute)
        printf(", %u a minute", row->per_minute);
    puts("");
}

static int test_use(const struct cli *cli, const se_access *access, const se_caller *caller,
                    const se_use *use)
{
    struct nearest_row nearest = { .use = use };
    se_error err = SE_ERROR_INIT;
    se_access_row row;
    se_status st = se_access_decide(&row, access, caller, use, &err);

    if (!st)
        print_permission(cli, &row);
    if (st != SE_ERR_ACCESS)
        return st ? cli_fail(cli, &err) : EXIT_DONE;
    if (se_access_list(access, caller, compare_row, &nearest, &err))
        return cli_fail(cli, &err);
    print_refusal(cli, &nearest);
    return EXIT_ACCESS;
}

static int access_test_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct access_test_options *o = options;
    struct descriptor_option descriptor = { .version = 0 };
    AUTO(caller) caller = { .gids = NULL };
    AUTO(access) access = NULL;
    se_use use = SE_USE_INIT;

    (void)argv;
    if (argc)
        return cli_usage(cli, "it takes no operand");
    if (!is_given(&o->caller))
        return cli_usage(cli, "who asks? say --user, --uid, --group or --certificate");
    if (!o->operation)
        return cli_usage(cli, "which operation? say --operation NAME");
    if (o->descriptor) {
        TRY_EXIT(descriptor_read(&descriptor, cli, o->descriptor));
        use.descriptor = descriptor.name;
        use.version = descriptor.version;
    }
    use.operation = o->operation;
    use.history = o->history;
    TRY_EXIT(caller_read(&caller, cli, &o->caller));
    TRY_EXIT(open_access(&access, cli));
    return test_use(cli, access, &caller.caller, &use);
}

const struct command command_access_test = {
    .name = "access test",
    .options = test_rows,
    .options_size = sizeof(struct access_test_options),
    .run = access_test_run,
};
