/* Every line decrypted under the version that it names, and encrypted under the newest. */
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/checkpoint.h"
#include "cli/commands.h"
#include "cli/json.h"

enum { SAVE_MS = 250 };

struct rekey_options {
    const char *descriptor, *output, *rejects, *column;
    struct option_list context;
    bool lines, dry_run;
};

static const struct option_row rows[] = {
    { .letter = 'd',
      .name = "descriptor",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct rekey_options, descriptor),
      .argument = "NAME[:VERSION]",
      .help = "whose keys, EncryptedFields if not given; its newest version if none is given",
      .fallback = "EncryptedFields" },
    { .name = "lines",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct rekey_options, lines),
      .help = "each line is a value, and becomes a line; has to be said" },
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct rekey_options, output),
      .argument = "FILE",
      .help = "where to, standard output if not given",
      .fallback = "-" },
    { .name = "rejects",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct rekey_options, rejects),
      .argument = "FILE",
      .help = "where bad lines go, with number and reason" },
    { .name = "context",
      .kind = OPTION_LIST,
      .offset = offsetof(struct rekey_options, context),
      .argument = "NAME=VALUE",
      .help = "what the values belong to; may be given several times" },
    { .name = "key-column",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct rekey_options, column),
      .argument = "NAME",
      .help = "each line begins with a key and a TAB: the context's part NAME" },
    { .name = "dry-run",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct rekey_options, dry_run),
      .help = "do all of it, and write no values" },
    { .name = NULL },
};

struct task {
    struct cli *cli;
    const struct rekey_options *options;
    struct descriptor_option descriptor;
    struct context context;
    se_engine *engine;
    struct input input;
    struct stream stream;
    struct line_job job;
    bool resumable;
    struct checkpoint checkpoint;  /* if it is */
    struct result result, rejects; /* if it is not */
    struct timespec saved;
};

static void task_end(struct task *t)
{
    se_close(&t->engine);
    input_close(&t->input);
    checkpoint_close(&t->checkpoint);
    result_discard(&t->result);
    result_discard(&t->rejects);
}
AUTO_KIND(task, struct task, task_end(p))

static int check_usage(const struct cli *cli, const struct rekey_options *o, int argc)
{
    if (argc > 1)
        return cli_usage(cli, "one file at a time, %d were given", argc);
    if (!o->lines)
        return cli_usage(cli, "values are re-keyed line by line: say --lines");
    if (!o->rejects && !o->dry_run)
        return cli_usage(cli, "--rejects FILE is needed: bad lines go there");
    return EXIT_DONE;
}

/* From file to file; a device takes what comes, and can't be gone on with. */
static bool is_resumable(const struct rekey_options *o, const struct input *input)
{
    struct stat info;

    return !o->dry_run && is_replaced(o->output) && is_replaced(o->rejects) &&
           !fstat(input->fd, &info) && S_ISREG(info.st_mode);
}

static int discard(void *arg, const void *data, size_t size)
{
    (void)arg;
    (void)data;
    (void)size;
    return 0;
}

static se_status open_resumable(struct task *t, se_error *err)
{
    char job[300];

    (void)snprintf(job, sizeof job, "rekey %s", t->options->descriptor);
    TRY(checkpoint_open(&t->checkpoint, t->options->output, t->options->rejects, &t->input, job,
                        err));
    t->job.out = &t->checkpoint.sink;
    t->job.rejects = &t->checkpoint.reject_sink;
    t->job.count = t->checkpoint.count;
    if (t->checkpoint.resumed)
        cli_warn(t->cli, "going on after line %ju", (uintmax_t)t->checkpoint.count.lines);
    return SE_OK;
}

static se_status open_streams(struct task *t, se_error *err)
{
    static const se_sink nowhere = { discard, NULL };
    const struct rekey_options *o = t->options;
    se_status st = o->dry_run ? SE_OK : result_open(&t->result, o->output, false, err);

    if (!st && o->rejects)
        st = result_open_secret(&t->rejects, o->rejects, err);
    t->job.out = o->dry_run ? NULL : &t->result.sink;
    t->job.rejects = o->rejects ? &t->rejects.sink : &nowhere;
    return st;
}

/* Often enough that little is done again, and seldom enough that waiting for the disk costs little.
 */
static bool is_due(struct timespec *saved)
{
    struct timespec now;
    int64_t passed;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    passed = (now.tv_sec - saved->tv_sec) * 1000 + (now.tv_nsec - saved->tv_nsec) / 1000000;
    if (passed < SAVE_MS)
        return false;
    *saved = now;
    return true;
}

static se_status save(struct task *t, const struct lines *lines, se_error *err)
{
    return t->resumable && is_due(&t->saved)
               ? checkpoint_save(&t->checkpoint, lines->consumed, &t->job.count, err)
               : SE_OK;
}

static se_status work(struct task *t, se_error *err)
{
    AUTO(lines) lines = NULL;
    se_status st = SE_OK;

    TRY(lines_new(&lines, &t->stream, err));
    lines->consumed = t->stream.done = t->checkpoint.consumed;
    lines->number += t->checkpoint.count.lines;
    (void)is_due(&t->saved);
    while (!(st = lines_next(lines, err)) && lines->count)
        if ((st = line_job_do(&t->job, lines, err)) || (st = save(t, lines, err)))
            return st;
    return st;
}

static se_status commit(struct task *t, se_error *err)
{
    se_status st;

    if (t->resumable)
        return checkpoint_commit(&t->checkpoint, err);
    if (!t->options->dry_run && (st = result_commit(&t->result, err)))
        return st;
    return t->options->rejects ? result_commit(&t->rejects, err) : SE_OK;
}

static void tell(const struct task *t)
{
    const struct line_count *c = &t->job.count;
    uint64_t done = c->lines - c->kept - c->rejected;

    if (t->cli->json && !t->cli->taken)
        (void)json_line(json_pack("{s:I, s:I, s:I, s:I, s:b}", "lines", (json_int_t)c->lines,
                                  "rekeyed", (json_int_t)done, "kept", (json_int_t)c->kept,
                                  "rejected", (json_int_t)c->rejected, "dryRun",
                                  t->options->dry_run));
    else
        cli_warn(t->cli, "%ju lines: %ju %s, %ju were under the newest key already, %ju rejected",
                 (uintmax_t)c->lines, (uintmax_t)done,
                 t->options->dry_run ? "would be re-keyed" : "re-keyed", (uintmax_t)c->kept,
                 (uintmax_t)c->rejected);
}

static int do_task(struct task *t, const char *in)
{
    AUTO(progress) progress = { .shown = false };
    se_error err = SE_ERROR_INIT;
    int status = cli_open(&t->engine, t->cli, &err);

    if (status)
        return status;
    if (input_open(&t->input, in, &err))
        return cli_fail(t->cli, &err);
    t->resumable = is_resumable(t->options, &t->input);
    t->job.engine = t->engine;
    t->stream = (struct stream){ &t->input.source, progress_begin(&progress, t->cli, "re-keying"),
                                 &progress, 0 };
    if ((t->resumable ? open_resumable(t, &err) : open_streams(t, &err)) || work(t, &err) ||
        commit(t, &err)) {
        progress_end(&progress);
        t->result.failed |= t->rejects.failed | t->checkpoint.failed;
        return result_fail(&t->result, t->cli, &err);
    }
    progress_end(&progress);
    tell(t);
    return t->job.count.rejected ? EXIT_REFUSED : EXIT_DONE;
}

static int run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct rekey_options *o = options;
    AUTO(task)
    t = {
        .cli = cli,
        .options = o,
        .input = INPUT_INIT,
        .checkpoint = CHECKPOINT_INIT,
        .result = RESULT_INIT,
        .rejects = RESULT_INIT,
    };
    int status;

    cli->taken = cli->taken && !o->dry_run;
    if ((status = check_usage(cli, o, argc)) ||
        (status = descriptor_read(&t.descriptor, cli, o->descriptor)) ||
        (status = context_read(&t.context, cli, &o->context, o->column)) ||
        (status = rejects_check(cli, o->rejects, o->output, argc ? argv[0] : NULL)))
        return status;
    t.job = (struct line_job){ .many = se_rekey_many,
                               .values = true,
                               .descriptor = t.descriptor.name,
                               .params = SE_FIELD_PARAMS_INIT };
    t.job.params.version = t.descriptor.version;
    t.job.context = &t.context;
    return do_task(&t, argc ? argv[0] : NULL);
}

const struct command command_rekey = {
    .name = "rekey", .options = rows, .options_size = sizeof(struct rekey_options), .run = run
};
