#include <stdio.h>

#include "cli/commands.h"
#include "cli/descriptor.h"
#include "cli/json.h"
#include "cli/sendmail.h"
#include "cli/stream.h"
#include "signengine-mail.h"

struct mail_sign_options {
    const char *descriptor, *output, *sender, *sendmail;
    bool opaque, protect, again;
    int64_t time;
};

static const struct option_row rows[] = {
    { .letter = 'd',
      .name = "descriptor",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct mail_sign_options, descriptor),
      .argument = "NAME[:VERSION]",
      .help = "who signs",
      .fallback = "SignEmailDescriptor" },
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct mail_sign_options, output),
      .argument = "FILE",
      .help = "where to, standard output if not given" },
    { .name = "sender",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct mail_sign_options, sender),
      .argument = "ADDRESS",
      .help = "what the certificate must name, not the From field's" },
    { .name = "opaque",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct mail_sign_options, opaque),
      .help = "application/pkcs7-mime, the content inside" },
    { .name = "protect-headers",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct mail_sign_options, protect),
      .help = "sign the header too (RFC 9788)" },
    { .name = "again",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct mail_sign_options, again),
      .help = "also what is signed or encrypted already" },
    { .name = "time",
      .kind = OPTION_TIME,
      .offset = offsetof(struct mail_sign_options, time),
      .argument = "TIME",
      .help = "signingTime, now if not given" },
    { .name = "sendmail",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct mail_sign_options, sendmail),
      .argument = "PATH",
      .help = "hand the signed message to this program; what follows `--` are its arguments" },
    { .name = NULL },
};

static int check_usage(const struct cli *cli, const struct mail_sign_options *o, int argc)
{
    if (o->sendmail && o->output)
        return cli_usage(cli, "--sendmail and --output: the message can go one way only");
    if (!o->sendmail && argc > 1)
        return cli_usage(cli, "one message at a time, %d were given", argc);
    return EXIT_DONE;
}

static se_mail_sign_params params_of(const struct mail_sign_options *o,
                                     const struct descriptor_option *descriptor)
{
    se_mail_sign_params params = SE_MAIL_SIGN_PARAMS_INIT;

    params.version = descriptor->version;
    params.time = o->time;
    params.sender = o->sender;
    params.opaque = o->opaque;
    params.protect = o->protect;
    params.again = o->again;
    return params;
}

static void tell(const struct cli *cli, const struct mail_sign_options *o, const char *in,
                 const se_mail *told)
{
    const char *input = in ? in : "standard input", *output = o->sendmail ? o->sendmail
                                                              : o->output ? o->output
                                                                          : "-";
    const char *done = o->sendmail ? "has the message" : "written";

    if (cli->json && !cli->taken)
        (void)json_line(json_pack("{s:o, s:o, s:s, s:i, s:o}", "input", json_text(input), "output",
                                  json_text(output), "result", told->passed ? "passed" : "signed",
                                  "version", (int)told->signer.version, "sender",
                                  json_text(told->signer.address)));
    else if (told->passed)
        cli_done(cli, "%s: %s, signed or encrypted already, passed as it is", output, done);
    else
        cli_done(cli, "%s: %s, signed by %s (%s)", output, done, told->signer.address,
                 told->signer.subject);
}

static int sign(se_mail *told, struct cli *cli, const struct descriptor_option *descriptor,
                const struct mail_sign_options *o, const char *in, struct result *result)
{
    AUTO(engine) engine = NULL;
    AUTO(input) input = INPUT_INIT;
    AUTO(progress) progress = { .shown = false };
    se_mail_sign_params params = params_of(o, descriptor);
    se_error err = SE_ERROR_INIT;
    int status = cli_open(&engine, cli, &err);

    if (status)
        return status;
    params.progress = progress_begin(&progress, cli, "signing");
    params.progress_arg = &progress;
    /* a message is never half of one: a pipe gets it when it is whole */
    if (input_open(&input, in, &err) ||
        result_open(result, o->output ? o->output : "-", true, &err) ||
        se_mail_sign(&result->sink, told, engine, descriptor->name, &input.source, &params, &err)) {
        progress_end(&progress);
        return result_fail(result, cli, &err);
    }
    progress_end(&progress);
    if (!o->sendmail && result_commit(result, &err))
        return result_fail(result, cli, &err);
    return EXIT_DONE;
}

static int run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct mail_sign_options *o = options;
    AUTO(result) result = RESULT_INIT;
    struct descriptor_option descriptor;
    const char *in = argc && !o->sendmail ? argv[0] : NULL;
    se_mail told;
    int status;

    cli->taken = cli->taken || (!o->output && !o->sendmail);
    if ((status = check_usage(cli, o, argc)) ||
        (status = descriptor_read(&descriptor, cli, o->descriptor)) ||
        (status = sign(&told, cli, &descriptor, o, in, &result)) ||
        (o->sendmail && (status = sendmail_run(cli, o->sendmail, argc, argv, result.spool))))
        return status;
    tell(cli, o, in, &told);
    return EXIT_DONE;
}

const struct command command_mail_sign = {
    .name = "mail sign",
    .options = rows,
    .options_size = sizeof(struct mail_sign_options),
    .run = run,
};
