/* SPDX-License-Identifier: Apache-2.0 */
/* `zip encrypt`, `zip decrypt`: configuration zips, or any other files, in containers. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/field_lines.h"
#include "cli/input_probe.h"

#define EXTENSION ".nx02"

struct container_options {
    const char *descriptor, *output;
    struct option_list context;
    bool at_any_time;
};

static const struct option_row descriptor_rows[] = {
    { .letter = 'd',
      .name = "descriptor",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct container_options, descriptor),
      .argument = "NAME[:VERSION]",
      .help = "whose key, ConfigZipEncrypter if not given",
      .fallback = "ConfigZipEncrypter" },
    { .name = NULL },
};

static const struct option_row context_rows[] = {
    { .name = "context",
      .kind = OPTION_LIST,
      .offset = offsetof(struct container_options, context),
      .argument = "NAME=VALUE",
      .help = "what the file belongs to; may be given several times" },
    { .name = NULL },
};

static const struct option_row encrypt_rows[] = {
    { .kind = OPTION_GROUP, .rows = descriptor_rows },
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct container_options, output),
      .argument = "FILE",
      .help = "where to, FILE" EXTENSION " if not given; `-` is standard output" },
    { .kind = OPTION_GROUP, .rows = context_rows },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct container_options, at_any_time),
      .rows = at_any_time_rows },
    { .name = NULL },
};

static const struct option_row decrypt_rows[] = {
    { .kind = OPTION_GROUP, .rows = descriptor_rows },
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct container_options, output),
      .argument = "FILE",
      .help = "where to, FILE without " EXTENSION " if not given; `-` is standard output" },
    { .kind = OPTION_GROUP, .rows = context_rows },
    { .name = NULL },
};

struct container_task {
    struct cli *cli;
    const struct container_options *options;
    const char *in;
    char *out;
    struct descriptor_option descriptor;
    se_buf context;
};

static void container_task_end(struct container_task *t)
{
    se_buf_free(&t->context);
    free(t->out);
}
AUTO_KIND(container_task, struct container_task, container_task_end(p))

static int container_task_begin(struct container_task *t, int argc, char **argv)
{

    if (argc > 1)
        return cli_usage(t->cli, "one file at a time, %d were given", argc);
    t->in = argc ? argv[0] : "-";
    TRY_EXIT(descriptor_read(&t->descriptor, t->cli, t->options->descriptor));
    return context_read_bytes(&t->context, t->cli, &t->options->context);
}

static se_container_params container_params_of(const struct container_task *t,
                                               struct progress *progress, const char *doing)
{
    se_container_params params = SE_CONTAINER_PARAMS_INIT;

    params.version = t->descriptor.version;
    params.at_any_time = t->options->at_any_time;
    params.context = buf_bytes(&t->context);
    params.progress = progress_begin(progress, t->cli, doing);
    params.progress_arg = progress;
    return params;
}

static void print_result(const struct container_task *t, const char *what)
{
    if (t->cli->json && !t->cli->taken)
        (void)json_line(json_pack("{s:o, s:o, s:o, s:s}", "descriptor",
                                  json_text(t->descriptor.name), "input", json_text(t->in),
                                  "output", json_text(t->out), "result", what));
    else if (!t->cli->taken)
        cli_done(t->cli, "%s: written, %s by '%s'", t->out, what, t->descriptor.name);
}

/* ---- zip encrypt ---- */

static int encrypt_container(struct container_task *t)
{
    AUTO(service) service = SERVICE_INIT;
    AUTO(input) input = INPUT_INIT;
    AUTO(result) result = RESULT_INIT;
    AUTO(progress) progress = { .shown = false };
    se_container_params params;
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(service_open(&service, t->cli, &err));
    params = container_params_of(t, &progress, "encrypting");
    if (input_open(&input, t->in, &err) ||
        result_open(&result, t->out, t->cli->audit.count > 0, &err) ||
        service_container_encrypt(&result.sink, &service, t->descriptor.name, &input.source,
                                  &params, &err) ||
        recording_confirm(&t->cli->recording, &err) || result_commit(&result, &err)) {
        progress_end(&progress);
        return result_fail(&result, t->cli, &err);
    }
    progress_end(&progress);
    print_result(t, "encrypted");
    return EXIT_DONE;
}

static int zip_encrypt_run(struct cli *cli, void *options, int argc, char **argv)
{
    AUTO(container_task) t = { .cli = cli, .options = options };

    TRY_EXIT(container_task_begin(&t, argc, argv));
    if (t.options->output || strcmp(t.in, "-") == 0)
        t.out = strdup(t.options->output ? t.options->output : "-");
    else if (asprintf(&t.out, "%s" EXTENSION, t.in) < 0)
        t.out = NULL;
    if (!t.out)
        return EXIT_INTERNAL;
    cli->taken = strcmp(t.out, "-") == 0;
    return encrypt_container(&t);
}

const struct command command_zip_encrypt = {
    .name = "zip encrypt",
    .options = encrypt_rows,
    .options_size = sizeof(struct container_options),
    .recorded = RECORDED_USES,
    .served = true,
    .run = zip_encrypt_run,
};

/* ---- zip decrypt ---- */

static int refuse_no_container(const struct container_task *t, const char *name)
{
    se_error err = SE_ERROR_INIT;

    (void)error_set(&err, SE_ERR_FORMAT, "'%s' is neither an NX02 container nor a zip", name);
    return cli_fail(t->cli, &err);
}

static int decrypt_container(struct container_task *t)
{
    AUTO(service) service = SERVICE_INIT;
    AUTO(input_probe) in = { .input = INPUT_INIT };
    AUTO(result) result = RESULT_INIT;
    AUTO(progress) progress = { .shown = false };
    se_container_params params;
    se_error err = SE_ERROR_INIT;
    se_status st;

    TRY_EXIT(service_open(&service, t->cli, &err));
    params = container_params_of(t, &progress, "decrypting");
    if (input_probe_open(&in, t->in, &err))
        return cli_fail(t->cli, &err);
    if (!in.encrypted && !in.zip)
        return refuse_no_container(t, in.input.name);
    if (!(st = result_open_held(&result, t->out, &err)))
        st = in.zip ? input_probe_copy(&result, &in, &err)
                    : service_container_decrypt(&result.sink, &service, t->descriptor.name,
                                                &in.source, &params, &err);
    if (st || recording_confirm(&t->cli->recording, &err) || result_commit(&result, &err)) {
        progress_end(&progress);
        return result_fail(&result, t->cli, &err);
    }
    progress_end(&progress);
    if (in.zip)
        cli_warn(t->cli, "%s is not encrypted: copied as it is", in.input.name);
    print_result(t, in.zip ? "copied" : "decrypted");
    return EXIT_DONE;
}

/* FILE.nx02 becomes FILE again; other names need --output. */
static char *plain_name(const struct container_task *t)
{
    size_t size = strlen(t->in), extension = strlen(EXTENSION);

    if (t->options->output || strcmp(t->in, "-") == 0)
        return strdup(t->options->output ? t->options->output : "-");
    if (size > extension && strcmp(t->in + size - extension, EXTENSION) == 0)
        return strndup(t->in, size - extension);
    return strdup("");
}

static int zip_decrypt_run(struct cli *cli, void *options, int argc, char **argv)
{
    AUTO(container_task) t = { .cli = cli, .options = options };

    TRY_EXIT(container_task_begin(&t, argc, argv));
    if (!(t.out = plain_name(&t)))
        return EXIT_INTERNAL;
    if (!*t.out)
        return cli_usage(cli, "'%s' does not end with " EXTENSION ": say with -o where to", t.in);
    cli->taken = strcmp(t.out, "-") == 0;
    return decrypt_container(&t);
}

const struct command command_zip_decrypt = {
    .name = "zip decrypt",
    .options = decrypt_rows,
    .options_size = sizeof(struct container_options),
    .recorded = RECORDED_USES,
    .served = true,
    .run = zip_decrypt_run,
};
