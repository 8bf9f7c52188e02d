/* SPDX-License-Identifier: Apache-2.0 */
/* `key backup` and `key restore`: of keys in files and tokens for recovery certificates, of a vault
 * by the vault itself; `key copy`. */
#include "cli/commands.h"
#include "cli/key_target.h"
#include "cli/stream.h"
#include "provision/key_backup.h"

enum { BACKUP_MOST = 4 << 20 };

/* ---- recovery keys ---- */

struct recovery_options {
    struct option_list files, keys, pin_sources;
};

static const struct option_row recovery_rows[] = {
    { .name = "recovery",
      .kind = OPTION_LIST,
      .offset = offsetof(struct recovery_options, files),
      .argument = "FILE",
      .help = "a recovery key with its certificate, PKCS #12 or PEM; may be repeated" },
    { .name = "recovery-key",
      .kind = OPTION_LIST,
      .offset = offsetof(struct recovery_options, keys),
      .argument = "KEY",
      .help = "or one of the configuration" },
    { .name = "recovery-pin-source",
      .kind = OPTION_LIST,
      .offset = offsetof(struct recovery_options, pin_sources),
      .argument = "SOURCE",
      .help = "where their PIN or password is: of all, or of each in turn" },
    { .name = NULL },
};

enum { RECOVERY_MOST = 2 * OPTION_LIST_MOST };

struct recovery_places {
    struct target *list[RECOVERY_MOST];
    size_t count;
};

static void recovery_places_free(struct recovery_places *places)
{
    for (size_t i = 0; i < places->count; i++)
        target_free(places->list[i]);
    places->count = 0;
}
AUTO_KIND(recovery_places, struct recovery_places, recovery_places_free(p))

static struct recovery_targets targets_of(const struct recovery_places *places)
{
    return (struct recovery_targets){ (const struct target *const *)places->list, places->count };
}

/* The files come first, then the keys, each in their order; an exit status. */
static int open_recovery_place(struct recovery_places *out, struct cli *cli,
                               const struct recovery_options *o, size_t i)
{
    const bool is_file = i < o->files.count;
    const struct option_list *sources = &o->pin_sources;
    const struct key_target_options place = {
        .file = is_file ? o->files.items[i] : NULL,
        .pin_source = !sources->count       ? NULL
                      : sources->count == 1 ? sources->items[0]
                                            : sources->items[i],
    };
    char *operands[] = { is_file ? NULL : (char *)o->keys.items[i - o->files.count], NULL };

    TRY_EXIT(key_target_open_only(&out->list[out->count], cli, &place, !is_file, operands));
    out->count++;
    return EXIT_DONE;
}

static int open_recovery(struct recovery_places *out, struct cli *cli,
                         const struct recovery_options *o)
{
    const size_t count = o->files.count + o->keys.count;

    if (!count && o->pin_sources.count)
        return cli_usage(cli, "--recovery-pin-source goes with --recovery or --recovery-key");
    if (o->pin_sources.count > 1 && o->pin_sources.count != count)
        return cli_usage(cli,
                         "%zu recovery keys, and --recovery-pin-source %zu times: once for all, or "
                         "for each",
                         count, o->pin_sources.count);
    for (size_t i = 0; i < count; i++)
        TRY_EXIT(open_recovery_place(out, cli, o, i));
    return EXIT_DONE;
}

/* ---- backup ---- */

struct backup_options {
    struct key_target_options target;
    struct recovery_options recovery;
    struct option_list certificates;
    const char *output;
    unsigned threshold;
    bool force, no_verify;
};

static const struct option_row backup_rows[] = {
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct backup_options, output),
      .argument = "FILE",
      .help = "where to, `-` is standard output" },
    { .name = "to",
      .kind = OPTION_LIST,
      .offset = offsetof(struct backup_options, certificates),
      .argument = "FILE",
      .help = "a recovery certificate, whose key opens the backup; may be repeated" },
    { .name = "threshold",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct backup_options, threshold),
      .argument = "M",
      .help = "how many of their keys open it together (each alone)" },
    { .name = "no-verify",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct backup_options, no_verify),
      .help = "do not try on the token whether it takes back what it gave" },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct backup_options, recovery),
      .rows = recovery_rows },
    { .name = "force",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct backup_options, force),
      .help = "write over a file that is there" },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct backup_options, target),
      .rows = key_target_rows },
    { .name = NULL },
};

static json_t *json_backup(const struct backup_row *row)
{
    json_t *object =
        json_pack("{s:o, s:o}", "kind", json_text(row->kind), "id", json_text(row->id));

    if (object && row->recipients)
        (void)json_object_update_new(
            object,
            json_pack("{s:o, s:o, s:I, s:I, s:b, s:b}", "type", json_text(row->type), "subject",
                      json_text(row->subject), "recipients", (json_int_t)row->recipients,
                      "threshold", (json_int_t)(row->threshold ? row->threshold : 1), "wrapped",
                      row->is_wrapped, "opened", row->is_opened));
    return object;
}

/* Whether it opens is known only to who has a recovery key: nobody who has none may believe it. */
static void print_backup(const struct cli *cli, const struct backup_row *row, const char *path)
{
    char together[40] = "";

    if (!row->recipients) {
        cli_done(cli, "%s: written, with all versions of %s %s", path, row->kind, row->id);
        return;
    }
    if (row->threshold)
        (void)snprintf(together, sizeof together, ", %u of them together", row->threshold);
    cli_done(cli, "%s: written, %s with ID %s, '%s', for %zu recovery certificate%s%s; %s", path,
             row->type, row->id, row->subject, row->recipients, row->recipients > 1 ? "s" : "",
             together,
             !row->is_opened  ? "not opened yet: `key restore --dry-run --recovery` tries it"
             : row->threshold ? "the recovery keys open it"
                              : "the recovery key opens it");
}

static void report_backup(const struct cli *cli, const struct backup_row *row, const char *path)
{
    json_t *object;

    if (cli->taken)
        return;
    if (!cli->json) {
        print_backup(cli, row, path);
        return;
    }
    if ((object = json_backup(row)))
        (void)json_object_set_new(object, "output", json_text(path));
    (void)json_line(object);
}

static int key_backup_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct backup_options *o = options;
    AUTO(target) target = NULL;
    AUTO(recovery_places) recovery = { .count = 0 };
    AUTO(result) result = RESULT_INIT;
    AUTO(se_buf) backup = SE_BUF_INIT;
    struct backup_wish wish = {
        .certificates = o->certificates.items,
        .certificate_count = o->certificates.count,
        .threshold = o->threshold,
        .is_untried = o->no_verify,
    };
    struct backup_row row;
    se_error err = SE_ERROR_INIT;

    if (!o->output)
        return cli_usage(cli, "which file is it for? -o FILE");
    TRY_EXIT(key_target_open_only(&target, cli, &o->target, argc, argv));
    TRY_EXIT(open_recovery(&recovery, cli, &o->recovery));
    wish.recovery = targets_of(&recovery);
    if ((!o->force && result_check_new(o->output, &err)) ||
        result_open_secret(&result, o->output, &err))
        return cli_fail_output(cli, &err);
    if (provision_backup(&backup, &row, target, &wish, &err))
        return cli_fail(cli, &err);
    TRY_EXIT(result_finish(&result, cli, buf_bytes(&backup)));
    report_backup(cli, &row, o->output);
    return EXIT_DONE;
}

const struct command command_key_backup = {
    .name = "key backup",
    .options = backup_rows,
    .options_size = sizeof(struct backup_options),
    .run = key_backup_run,
};

/* ---- restore ---- */

struct restore_options {
    struct key_target_options target;
    struct recovery_options recovery;
    struct consent_options consent;
    bool force, exportable;
};

static const struct option_row restore_rows[] = {
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct restore_options, recovery),
      .rows = recovery_rows },
    { .name = "force",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct restore_options, force),
      .help = "replace the key that is there, even by another one" },
    { .name = "exportable",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct restore_options, exportable),
      .help = "let it leave its token again, encrypted" },
    { .name = "yes",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct restore_options, consent.yes),
      .help = "do not ask, also about a key that a descriptor uses" },
    { .name = "dry-run",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct restore_options, consent.dry_run),
      .help = "only open the backup, and compare it with KEY" },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct restore_options, target),
      .rows = key_target_rows },
    { .name = NULL },
};

/* What was asked for, so that it is an answer and no news. */
static void report_tried(const struct cli *cli, const struct backup_row *row, const char *path)
{
    if (cli->json)
        (void)json_line(json_pack("{s:o, s:o, s:o, s:o, s:b}", "kind", json_text(row->kind), "id",
                                  json_text(row->id), "type", json_text(row->type), "subject",
                                  json_text(row->subject), "compared", row->is_compared));
    else
        printf("%s: opens, and holds %s with ID %s, '%s', %s\n", path, row->type, row->id,
               row->subject,
               row->is_compared ? "which is the key that is there"
                                : "and there is no key to compare it with");
}

static int restore_file(struct cli *cli, struct target *target, const struct restore_options *o,
                        struct restore_wish *wish)
{
    const struct provision_report report = key_report_news(cli);
    AUTO(key_consent) asking = {
        .cli = cli, .target = target, .verb = "Replace", .done = "replaced", .option = "--yes"
    };
    const struct provision_consent consent = key_consent_open(&asking, &o->consent);
    struct backup_row row;
    se_error err = SE_ERROR_INIT;

    wish->consent = &consent;
    if (provision_restore(&row, target, wish, &report, &err))
        return cli_fail_output(cli, &err);
    if (consent.dry_run)
        report_tried(cli, &row, wish->name);
    if (row.is_opened) { /* the key itself was reported */
        if (row.way)
            cli_done(cli, "%s: opened %s", wish->name, row.way);
        return EXIT_DONE;
    }
    if (cli->json)
        (void)json_line(json_pack("{s:o, s:o, s:s}", "kind", json_text(row.kind), "id",
                                  json_text(row.id), "done", "restored"));
    else
        cli_done(cli, "%s %s: restored", row.kind, row.id);
    return EXIT_DONE;
}

static int key_restore_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct restore_options *o = options;
    AUTO(target) target = NULL;
    AUTO(recovery_places) recovery = { .count = 0 };
    AUTO(se_buf) file = SE_BUF_INIT;
    struct restore_wish wish = { .force = o->force, .is_exportable = o->exportable };
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(key_target_open(&target, cli, &o->target, &argc, &argv));
    if (argc != 1)
        return cli_usage(cli, "which FILE has the backup?");
    TRY_EXIT(open_recovery(&recovery, cli, &o->recovery));
    if (file_read(&file, input_path(argv[0]), BACKUP_MOST, &err))
        return cli_fail(cli, &err);
    wish.file = buf_bytes(&file);
    wish.name = input_path(argv[0]);
    wish.recovery = targets_of(&recovery);
    return restore_file(cli, target, o, &wish);
}

const struct command command_key_restore = {
    .name = "key restore",
    .options = restore_rows,
    .options_size = sizeof(struct restore_options),
    .run = key_restore_run,
};

/* ---- copy ---- */

struct copy_options {
    struct key_target_options target;
    struct consent_options consent;
    struct key_target_options to;
    const char *key, *usage, *protection;
    bool force, exportable;
};

static const struct option_row copy_rows[] = {
    { .name = "to",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct copy_options, key),
      .argument = "KEY",
      .help = "of the configuration, where the copy is to be" },
    { .name = "to-replica",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct copy_options, to.replica),
      .argument = "N",
      .help = "which <type> of it, from 1" },
    { .name = "to-pin-source",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct copy_options, to.pin_source),
      .argument = "SOURCE",
      .help = "where its PIN is" },
    { .name = "key-usage",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct copy_options, usage),
      .argument = "USE",
      .help = "sign, encrypt or both (certificate, descriptors)",
      .fallback = "" },
    { .name = "protection",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct copy_options, protection),
      .argument = "WHERE",
      .help = "hsm or software, in a Key Vault (hsm)" },
    { .name = "exportable",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct copy_options, exportable),
      .help = "let the copy leave its token, encrypted" },
    { .name = "force",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct copy_options, force),
      .help = "replace the key that is there" },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct copy_options, consent),
      .rows = key_consent_rows },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct copy_options, target),
      .rows = key_target_rows },
    { .name = NULL },
};

static int copy_key(struct cli *cli, struct target *to, const struct target *from,
                    const struct copy_options *o)
{
    const struct provision_report report = key_report_news(cli);
    AUTO(key_consent) asking = {
        .cli = cli, .target = to, .verb = "Replace", .done = "replaced", .option = "--yes"
    };
    const struct provision_consent consent = key_consent_open(&asking, &o->consent);
    const struct provision_import how = {
        .usage = o->usage,
        .force = o->force,
        .consent = &consent,
        .protection = o->protection,
        .is_exportable = o->exportable,
    };
    se_error err = SE_ERROR_INIT;

    return provision_copy(to, from, &how, &report, &err) ? cli_fail_output(cli, &err) : EXIT_DONE;
}

static int key_copy_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct copy_options *o = options;
    char *operands[] = { (char *)o->key, NULL };
    AUTO(target) from = NULL;
    AUTO(target) to = NULL;

    if (!o->key)
        return cli_usage(cli, "where is the copy to be? --to KEY");
    TRY_EXIT(key_target_open_only(&from, cli, &o->target, argc, argv));
    TRY_EXIT(key_target_open_only(&to, cli, &o->to, 1, operands));
    return copy_key(cli, to, from, o);
}

const struct command command_key_copy = {
    .name = "key copy",
    .options = copy_rows,
    .options_size = sizeof(struct copy_options),
    .run = key_copy_run,
};
