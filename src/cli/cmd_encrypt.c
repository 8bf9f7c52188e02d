/* SPDX-License-Identifier: Apache-2.0 */
/* `encrypt` and `decrypt`: one value, or one for each line. */
#include <stdio.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/field_lines.h"
#include "cli/stream.h"

struct crypt_options {
    const char *descriptor, *output, *rejects, *column;
    struct option_list context;
    bool binary, lines, at_any_time;
};

/* What both have. */
static const struct option_row value_rows[] = {
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct crypt_options, output),
      .argument = "FILE",
      .help = "where to, standard output if not given",
      .fallback = "-" },
    { .name = "context",
      .kind = OPTION_LIST,
      .offset = offsetof(struct crypt_options, context),
      .argument = "NAME=VALUE",
      .help = "what the value belongs to; may be given several times" },
    { .name = NULL },
};

static const struct option_row line_rows[] = {
    { .name = "key-column",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct crypt_options, column),
      .argument = "NAME",
      .help = "each line begins with a key and a TAB: the context's part NAME" },
    { .name = "rejects",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct crypt_options, rejects),
      .argument = "FILE",
      .help = "where bad lines go, with number and reason" },
    { .name = NULL },
};

static const struct option_row encrypt_rows[] = {
    { .letter = 'd',
      .name = "descriptor",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct crypt_options, descriptor),
      .argument = "NAME[:VERSION]",
      .help = "whose key, EncryptedFields if not given",
      .fallback = "EncryptedFields" },
    { .kind = OPTION_GROUP, .rows = value_rows },
    { .name = "binary",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct crypt_options, binary),
      .help = "the binary form, not text" },
    { .name = "lines",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct crypt_options, lines),
      .help = "each line is a field, and becomes a line" },
    { .kind = OPTION_GROUP, .rows = line_rows },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct crypt_options, at_any_time),
      .rows = at_any_time_rows },
    { .name = NULL },
};

static const struct option_row decrypt_rows[] = {
    { .letter = 'd',
      .name = "descriptor",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct crypt_options, descriptor),
      .argument = "NAME[:VERSION]",
      .help = "whose key, EncryptedFields if not given; the value names the version",
      .fallback = "EncryptedFields" },
    { .kind = OPTION_GROUP, .rows = value_rows },
    { .name = "lines",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct crypt_options, lines),
      .help = "each line is a value, and becomes a line" },
    { .kind = OPTION_GROUP, .rows = line_rows },
    { .name = NULL },
};

/* What differs between the two. */
struct direction {
    service_one_fn *one;
    service_many_fn *many;
    const char *doing, *done;
    bool decrypts;
};

struct crypt_task {
    struct cli *cli;
    const struct crypt_options *options;
    const struct direction *direction;
    struct descriptor_option descriptor;
    struct context context;
    struct service service;
    struct input input;
    struct stream stream;
    struct result result, rejects;
    struct line_count count;
};

static void crypt_task_end(struct crypt_task *t)
{
    service_close(&t->service);
    input_close(&t->input);
    result_discard(&t->result);
    result_discard(&t->rejects);
}
AUTO_KIND(crypt_task, struct crypt_task, crypt_task_end(p))

enum { VALUE_LIMIT = INT32_MAX }; /* the library refuses longer values */

static int check_usage(const struct cli *cli, const struct crypt_options *o, int argc)
{
    if (argc > 1)
        return cli_usage(cli, "one file at a time, %d were given", argc);
    if (o->binary && o->lines)
        return cli_usage(cli, "--binary does not go with --lines: binary values have no lines");
    if ((o->rejects || o->column) && !o->lines)
        return cli_usage(cli, "--%s needs --lines", o->rejects ? "rejects" : "key-column");
    return EXIT_DONE;
}

static se_status append_piece(void *arg, se_bytes piece, se_error *err)
{
    struct writer *w = arg;

    if (w->buf.size + piece.size > VALUE_LIMIT)
        return error_set(err, SE_ERR_USAGE, "the input is longer than a value can be");
    writer_put(w, piece.data, piece.size);
    return w->failed ? error_memory(err) : SE_OK;
}

static se_field_params field_params_of(const struct crypt_task *t)
{
    se_field_params params = SE_FIELD_PARAMS_INIT;

    params.version = t->descriptor.version;
    params.at_any_time = t->options->at_any_time;
    params.binary = t->options->binary;
    return params;
}

static se_status crypt_value(struct crypt_task *t, se_error *err)
{
    AUTO(writer) w = { 0 };
    AUTO(se_buf) out = SE_BUF_INIT;
    AUTO(se_buf) context = SE_BUF_INIT;
    se_field_params params = field_params_of(t);
    bool decrypts = t->direction->decrypts;
    se_bytes value;

    TRY(stream_drain(&t->stream, append_piece, &w, err));
    TRY(context_bytes(&context, &t->context, (se_bytes){ NULL, 0 }, err));
    value = decrypts ? text_trim_end(buf_bytes(&w.buf)) : buf_bytes(&w.buf);
    params.context = buf_bytes(&context);
    TRY(t->direction->one(&out, &t->service, t->descriptor.name, value, &params, err));
    TRY(recording_confirm(&t->cli->recording, err));
    TRY(sink_write(&t->result.sink, buf_bytes(&out), err));
    return decrypts || params.binary ? SE_OK : sink_write(&t->result.sink, text_bytes("\n"), err);
}

static se_status crypt_lines(struct crypt_task *t, se_error *err)
{
    AUTO(lines) lines = NULL;
    struct field_lines job = {
        .many = t->direction->many,
        .values = t->direction->decrypts,
        .service = &t->service,
        .descriptor = t->descriptor.name,
        .params = field_params_of(t),
        .context = &t->context,
        .out = &t->result.sink,
        .rejects = t->options->rejects ? &t->rejects.sink : NULL,
        .recording = &t->cli->recording,
    };
    se_status st = lines_new(&lines, &t->stream, err);

    while (!st) {
        st = lines_next(lines, err);
        if (st || !lines->count)
            break;
        st = field_lines_run(&job, lines, err);
    }
    t->count = job.count;
    return st;
}

static void print_crypted(const struct crypt_task *t)
{
    const struct cli *cli = t->cli;

    if (!t->options->lines) {
        if (cli->json && !cli->taken)
            (void)json_line(json_pack("{s:o, s:o, s:s}", "descriptor",
                                      json_text(t->descriptor.name), "output",
                                      json_text(t->options->output), "result", t->direction->done));
        else if (!cli->taken)
            cli_done(cli, "%s: written, %s by '%s'", t->options->output, t->direction->done,
                     t->descriptor.name);
        return;
    }
    if (cli->json && !cli->taken)
        (void)json_line(json_pack("{s:I, s:I}", "lines", (json_int_t)t->count.lines, "rejected",
                                  (json_int_t)t->count.rejected));
    else if (t->count.rejected)
        cli_warn(cli, "%ju lines, of which %ju were rejected", (uintmax_t)t->count.lines,
                 (uintmax_t)t->count.rejected);
    else
        cli_done(cli, "%ju lines, all %s", (uintmax_t)t->count.lines, t->direction->done);
}

/* Only the owner may read plaintext. */
static se_status open_files(struct crypt_task *t, const char *in, se_error *err)
{
    const struct crypt_options *o = t->options;

    TRY(input_open(&t->input, in, err));
    TRY(t->direction->decrypts ? result_open_secret(&t->result, o->output, err)
                               : result_open(&t->result, o->output, false, err));
    return o->rejects ? result_open_secret(&t->rejects, o->rejects, err) : SE_OK;
}

static int crypt_file(struct crypt_task *t, const char *in)
{
    AUTO(progress) progress = { .shown = false };
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(service_open(&t->service, t->cli, &err));
    if (open_files(t, in, &err))
        return result_fail(t->rejects.failed ? &t->rejects : &t->result, t->cli, &err);
    t->stream =
        (struct stream){ &t->input.source, progress_begin(&progress, t->cli, t->direction->doing),
                         &progress, 0 };
    if ((t->options->lines ? crypt_lines(t, &err) : crypt_value(t, &err)) ||
        result_commit(&t->result, &err) ||
        (t->options->rejects && result_commit(&t->rejects, &err))) {
        progress_end(&progress);
        return result_fail(t->rejects.failed ? &t->rejects : &t->result, t->cli, &err);
    }
    progress_end(&progress);
    print_crypted(t);
    return t->count.rejected ? EXIT_REFUSED : EXIT_DONE;
}

static int crypt_run(struct cli *cli, const struct crypt_options *o,
                     const struct direction *direction, int argc, char **argv)
{
    AUTO(crypt_task) t = {
        .cli = cli,
        .options = o,
        .direction = direction,
        .input = INPUT_INIT,
        .result = RESULT_INIT,
        .rejects = RESULT_INIT,
    };

    TRY_EXIT(check_usage(cli, o, argc));
    TRY_EXIT(descriptor_read(&t.descriptor, cli, o->descriptor));
    TRY_EXIT(context_read(&t.context, cli, &o->context, o->column));
    TRY_EXIT(check_rejects(cli, o->rejects, o->output, argc ? argv[0] : NULL));
    return crypt_file(&t, argc ? argv[0] : NULL);
}

static int encrypt_run(struct cli *cli, void *options, int argc, char **argv)
{
    static const struct direction direction = { service_encrypt, service_encrypt_many, "encrypting",
                                                "encrypted", false };

    return crypt_run(cli, options, &direction, argc, argv);
}

static int decrypt_run(struct cli *cli, void *options, int argc, char **argv)
{
    static const struct direction direction = { service_decrypt, service_decrypt_many, "decrypting",
                                                "decrypted", true };

    return crypt_run(cli, options, &direction, argc, argv);
}

const struct command command_encrypt = {
    .name = "encrypt",
    .options = encrypt_rows,
    .options_size = sizeof(struct crypt_options),
    .recorded = RECORDED_USES,
    .served = true,
    .run = encrypt_run,
};
const struct command command_decrypt = {
    .name = "decrypt",
    .options = decrypt_rows,
    .options_size = sizeof(struct crypt_options),
    .recorded = RECORDED_USES,
    .served = true,
    .run = decrypt_run,
};
