/* SPDX-License-Identifier: Apache-2.0 */
/* `rekey`: each line decrypted under the version that it names, encrypted under the current one. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/field_lines.h"

enum { SAVE_MS = 250 };

/*
 * ---- a long job from file to file that goes on where it was stopped, however it was stopped ----
 *
 * Beside OUT there are OUT.partial, what is done so far, and OUT.checkpoint, how far that goes and
 * of which input it is.
 */

struct resume {
    char *out, *partial, *state;
    const char *rejects_path;
    int fd, rejects;    /* both are appended to; -1: none */
    char input[120];    /* which input it is */
    uint64_t consumed;  /* of it, in bytes */
    uint64_t size, bad; /* of OUT.partial and the rejects, in bytes */
    struct line_count count;
    bool resumed;
    bool failed; /* writing is what failed: exit status 73 */
    se_sink sink, reject_sink;
};
#define RESUME_INIT                                                                                \
    {                                                                                              \
        .fd = -1, .rejects = -1                                                                    \
    }

enum { STATE_LIMIT = 4096 };

static se_status resume_cannot(const char *what, const char *name, se_error *err)
{
    return error_set(err, errno == EACCES || errno == EPERM ? SE_ERR_ACCESS : SE_ERR_IO,
                     "cannot %s '%s': %s", what, name, strerror(errno));
}

static int mark_failed(struct resume *c)
{
    c->failed = true;
    return -1;
}

static int resume_write_out(void *arg, const void *data, size_t size)
{
    struct resume *c = arg;

    c->size += size;
    return write_all(c->fd, data, size) ? mark_failed(c) : 0;
}

static int resume_write_reject(void *arg, const void *data, size_t size)
{
    struct resume *c = arg;

    c->bad += size;
    return write_all(c->rejects, data, size) ? mark_failed(c) : 0;
}

/* Another file under the same name has another number, size or time. */
static se_status identify_input(struct resume *c, const struct input *input, const char *job,
                                se_error *err)
{
    struct stat info;

    if (fstat(input->fd, &info))
        return resume_cannot("read", input->name, err);
    if (!S_ISREG(info.st_mode))
        return error_set(err, SE_ERR_USAGE,
                         "%s is no file: a job that can go on where it was stopped needs one",
                         input->name);
    (void)snprintf(c->input, sizeof c->input, "%.40s %ju %ju %jd %jd.%09ld", job,
                   (uintmax_t)info.st_dev, (uintmax_t)info.st_ino, (intmax_t)info.st_size,
                   (intmax_t)info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    return SE_OK;
}

static se_status parse_state(struct resume *c, const char *text, se_error *err)
{
    char input[sizeof c->input] = "";
    int end = 0;

    if (sscanf(text, "signengine 1\n%119[^\n]\n%ju %ju %ju %ju %ju %ju\n%n", input, &c->consumed,
               &c->size, &c->bad, &c->count.lines, &c->count.kept, &c->count.rejected, &end) != 7 ||
        text[end])
        return error_set(err, SE_ERR_USAGE,
                         "'%s' is not what this command writes: remove it to begin anew", c->state);
    if (strcmp(input, c->input) != 0)
        return error_set(err, SE_ERR_USAGE,
                         "'%s' is of another input or another job: remove it to begin anew",
                         c->state);
    c->resumed = true;
    return SE_OK;
}

static se_status load_state(struct resume *c, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;

    if (access(c->state, F_OK) && errno == ENOENT)
        return SE_OK;
    TRY(file_read(&text, c->state, STATE_LIMIT, err));
    return parse_state(c, (const char *)text.data, err);
}

/* Output behind the last saved state is written again. */
static se_status open_partial(int *fd, const char *path, uint64_t size, se_error *err)
{
    struct stat info;

    *fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0 || fstat(*fd, &info))
        return resume_cannot("write", path, err);
    if (flock(*fd, LOCK_EX | LOCK_NB))
        return error_set(err, SE_ERR_IO, "'%s' is being written by another process", path);
    if ((uint64_t)info.st_size < size)
        return error_set(err, SE_ERR_USAGE, "'%s' has %jd bytes, the checkpoint says %" PRIu64,
                         path, (intmax_t)info.st_size, size);
    if (ftruncate(*fd, (off_t)size) || lseek(*fd, 0, SEEK_END) < 0)
        return resume_cannot("write", path, err);
    return SE_OK;
}

/*
 * Begins, or goes on.  The input is a file, and is positioned.  `job`: what the job is, besides its
 * input.  SE_ERR_USAGE: a job of another kind, or with another input, was begun with the same OUT.
 */
static se_status resume_open(struct resume *c, const char *out, const char *rejects,
                             const struct input *input, const char *job, se_error *err)
{
    c->out = file_target(out);
    c->rejects_path = rejects;
    c->sink = (se_sink){ resume_write_out, c };
    c->reject_sink = (se_sink){ resume_write_reject, c };
    if (!c->out || asprintf(&c->partial, "%s.partial", c->out) < 0 ||
        asprintf(&c->state, "%s.checkpoint", c->out) < 0)
        return error_memory(err);
    TRY(identify_input(c, input, job, err));
    TRY(load_state(c, err));
    TRY(open_partial(&c->fd, c->partial, c->size, err));
    TRY(open_partial(&c->rejects, rejects, c->bad, err));
    if (lseek(input->fd, (off_t)c->consumed, SEEK_SET) < 0)
        return resume_cannot("read", input->name, err);
    return SE_OK;
}

static se_status sync_file(int fd, const char *path, se_error *err)
{
    return fdatasync(fd) ? resume_cannot("write", path, err) : SE_OK;
}

/* All that was written so far stays. */
static se_status resume_save(struct resume *c, uint64_t consumed, const struct line_count *count,
                             se_error *err)
{
    AUTO(output) state = OUTPUT_INIT;
    AUTO(writer) w = { 0 };

    writer_format(&w,
                  "signengine 1\n%s\n%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
                  " %" PRIu64 "\n",
                  c->input, consumed, c->size, c->bad, count->lines, count->kept, count->rejected);
    if (w.failed)
        return error_memory(err);
    TRY(sync_file(c->fd, c->partial, err));
    TRY(sync_file(c->rejects, c->rejects_path, err));
    TRY(output_open(&state, c->state, 0600, err));
    TRY(output_write(&state, buf_bytes(&w.buf), err));
    return output_commit(&state, err);
}

/* OUT.partial becomes OUT. */
static se_status resume_commit(struct resume *c, se_error *err)
{
    TRY(sync_file(c->fd, c->partial, err));
    TRY(sync_file(c->rejects, c->rejects_path, err));
    /* in this order: stopped in between, the job begins anew, which costs time only */
    if (unlink(c->state) && errno != ENOENT)
        return resume_cannot("remove", c->state, err);
    return rename(c->partial, c->out) ? resume_cannot("write", c->out, err) : SE_OK;
}

static void resume_close(struct resume *c)
{
    if (c->fd >= 0)
        close(c->fd);
    if (c->rejects >= 0)
        close(c->rejects);
    free(c->out);
    free(c->partial);
    free(c->state);
}

/* ---- the command ---- */

struct rekey_options {
    const char *descriptor, *output, *rejects, *column;
    struct option_list context;
    bool lines, dry_run;
};

static const struct option_row rekey_rows[] = {
    { .letter = 'd',
      .name = "descriptor",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct rekey_options, descriptor),
      .argument = "NAME[:VERSION]",
      .help = "whose keys, EncryptedFields if not given; its current version if none is given",
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

struct rekey_task {
    struct cli *cli;
    const struct rekey_options *options;
    struct descriptor_option descriptor;
    struct context context;
    struct service service;
    struct input input;
    struct stream stream;
    struct field_lines job;
    bool resumable;
    struct resume resume;          /* if it is */
    struct result result, rejects; /* if it is not */
    int64_t saved_ms;              /* when the state was last saved */
};

static void rekey_task_end(struct rekey_task *t)
{
    service_close(&t->service);
    input_close(&t->input);
    resume_close(&t->resume);
    result_discard(&t->result);
    result_discard(&t->rejects);
}
AUTO_KIND(rekey_task, struct rekey_task, rekey_task_end(p))

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

/* Only from file to file: output to a device can't be resumed. */
static bool is_resumable(const struct rekey_options *o, const struct input *input)
{
    struct stat info;

    return !o->dry_run && is_replaced(o->output) && is_replaced(o->rejects) &&
           !fstat(input->fd, &info) && S_ISREG(info.st_mode);
}

static int discard_piece(void *arg, const void *data, size_t size)
{
    (void)arg;
    (void)data;
    (void)size;
    return 0;
}

static se_status open_resumable(struct rekey_task *t, se_error *err)
{
    char job[300];

    (void)snprintf(job, sizeof job, "rekey %s", t->options->descriptor);
    TRY(resume_open(&t->resume, t->options->output, t->options->rejects, &t->input, job, err));
    t->job.out = &t->resume.sink;
    t->job.rejects = &t->resume.reject_sink;
    t->job.count = t->resume.count;
    if (t->resume.resumed)
        cli_warn(t->cli, "going on after line %ju", (uintmax_t)t->resume.count.lines);
    return SE_OK;
}

static se_status open_streams(struct rekey_task *t, se_error *err)
{
    static const se_sink nowhere = { discard_piece, NULL };
    const struct rekey_options *o = t->options;
    se_status st = o->dry_run ? SE_OK : result_open(&t->result, o->output, false, err);

    if (!st && o->rejects)
        st = result_open_secret(&t->rejects, o->rejects, err);
    t->job.out = o->dry_run ? NULL : &t->result.sink;
    t->job.rejects = o->rejects ? &t->rejects.sink : &nowhere;
    return st;
}

/* Often enough to repeat little, seldom enough to wait little for the disk. */
static bool is_save_due(int64_t *saved_ms)
{
    int64_t now = clock_monotonic_ms();

    if (now - *saved_ms < SAVE_MS)
        return false;
    *saved_ms = now;
    return true;
}

static se_status save_state(struct rekey_task *t, const struct lines *lines, se_error *err)
{
    return t->resumable && is_save_due(&t->saved_ms)
               ? resume_save(&t->resume, lines->consumed, &t->job.count, err)
               : SE_OK;
}

static se_status rekey_lines(struct rekey_task *t, se_error *err)
{
    AUTO(lines) lines = NULL;
    se_status st;

    TRY(lines_new(&lines, &t->stream, err));
    lines->consumed = t->stream.done = t->resume.consumed;
    lines->number += t->resume.count.lines;
    (void)is_save_due(&t->saved_ms);
    while (!(st = lines_next(lines, err)) && lines->count) {
        TRY(field_lines_run(&t->job, lines, err));
        TRY(save_state(t, lines, err));
    }
    return st;
}

static se_status rekey_commit(struct rekey_task *t, se_error *err)
{
    if (t->resumable)
        return resume_commit(&t->resume, err);
    if (!t->options->dry_run)
        TRY(result_commit(&t->result, err));
    return t->options->rejects ? result_commit(&t->rejects, err) : SE_OK;
}

static void print_rekeyed(const struct rekey_task *t)
{
    const struct line_count *c = &t->job.count;
    uint64_t done = c->lines - c->kept - c->rejected;

    if (t->cli->json && !t->cli->taken)
        (void)json_line(json_pack("{s:I, s:I, s:I, s:I, s:b}", "lines", (json_int_t)c->lines,
                                  "rekeyed", (json_int_t)done, "kept", (json_int_t)c->kept,
                                  "rejected", (json_int_t)c->rejected, "dryRun",
                                  t->options->dry_run));
    else
        cli_warn(t->cli, "%ju lines: %ju %s, %ju were under the current key already, %ju rejected",
                 (uintmax_t)c->lines, (uintmax_t)done,
                 t->options->dry_run ? "would be re-keyed" : "re-keyed", (uintmax_t)c->kept,
                 (uintmax_t)c->rejected);
}

static int rekey_file(struct rekey_task *t, const char *in)
{
    AUTO(progress) progress = { .shown = false };
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(service_open(&t->service, t->cli, &err));
    if (input_open(&t->input, in, &err))
        return cli_fail(t->cli, &err);
    t->resumable = is_resumable(t->options, &t->input);
    t->job.service = &t->service;
    t->stream = (struct stream){ &t->input.source, progress_begin(&progress, t->cli, "re-keying"),
                                 &progress, 0 };
    if ((t->resumable ? open_resumable(t, &err) : open_streams(t, &err)) || rekey_lines(t, &err) ||
        rekey_commit(t, &err)) {
        progress_end(&progress);
        t->result.failed |= t->rejects.failed | t->resume.failed;
        return result_fail(&t->result, t->cli, &err);
    }
    progress_end(&progress);
    print_rekeyed(t);
    return t->job.count.rejected ? EXIT_REFUSED : EXIT_DONE;
}

static int rekey_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct rekey_options *o = options;
    AUTO(rekey_task)
    t = {
        .cli = cli,
        .options = o,
        .input = INPUT_INIT,
        .resume = RESUME_INIT,
        .result = RESULT_INIT,
        .rejects = RESULT_INIT,
    };

    cli->taken = cli->taken && !o->dry_run;
    TRY_EXIT(check_usage(cli, o, argc));
    TRY_EXIT(descriptor_read(&t.descriptor, cli, o->descriptor));
    TRY_EXIT(context_read(&t.context, cli, &o->context, o->column));
    TRY_EXIT(check_rejects(cli, o->rejects, o->output, argc ? argv[0] : NULL));
    t.job = (struct field_lines){ .many = service_rekey_many,
                                  .values = true,
                                  .descriptor = t.descriptor.name,
                                  .recording = &cli->recording,
                                  .params = SE_FIELD_PARAMS_INIT };
    t.job.params.version = t.descriptor.version;
    t.job.context = &t.context;
    return rekey_file(&t, argc ? argv[0] : NULL);
}

const struct command command_rekey = {
    .name = "rekey",
    .options = rekey_rows,
    .options_size = sizeof(struct rekey_options),
    .recorded = RECORDED_USES,
    .served = true,
    .run = rekey_run,
};
