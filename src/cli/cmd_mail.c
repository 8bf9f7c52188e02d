/* SPDX-License-Identifier: Apache-2.0 */
/* `mail sign` and `mail verify`, all commands of signengine-mail: only it loads GMime. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/stream.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/print_signer.h"
#include "cli/service.h"
#include "cli/spawn.h"
#include "cli/stream.h"
#include "signengine-mail.h"

/* ---- mail sign ---- */

struct mail_sign_options {
    const char *descriptor, *output, *sender, *sendmail;
    bool opaque, protect, again, at_any_time;
    int64_t time;
    struct tsa_options tsa;
};

static const struct option_row sign_rows[] = {
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
      .help = "signingTime, now if not given",
      .place = OPTION_LOCAL },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct mail_sign_options, at_any_time),
      .rows = at_any_time_rows },
    { .kind = OPTION_GROUP, .offset = offsetof(struct mail_sign_options, tsa), .rows = tsa_rows },
    { .name = "sendmail",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct mail_sign_options, sendmail),
      .argument = "PATH",
      .help = "hand the signed message to this program; what follows `--` are its arguments" },
    { .name = NULL },
};

static int check_sign_usage(const struct cli *cli, const struct mail_sign_options *o, int argc)
{
    if (o->sendmail && o->output)
        return cli_usage(cli, "--sendmail and --output: the message can go one way only");
    if (!o->sendmail && argc > 1)
        return cli_usage(cli, "one message at a time, %d were given", argc);
    return EXIT_DONE;
}

static se_mail_sign_params mail_sign_params_of(const struct mail_sign_options *o,
                                               const struct descriptor_option *descriptor)
{
    se_mail_sign_params params = SE_MAIL_SIGN_PARAMS_INIT;

    params.version = descriptor->version;
    params.at_any_time = o->at_any_time;
    params.time = o->time;
    params.sender = o->sender;
    params.opaque = o->opaque;
    params.protect = o->protect;
    params.again = o->again;
    params.tsa_policy = o->tsa.policy;
    return params;
}

static void print_signed_mail(const struct cli *cli, const struct mail_sign_options *o,
                              const char *in, const se_mail *mail)
{
    const char *input = in ? in : "standard input", *output = o->sendmail ? o->sendmail
                                                              : o->output ? o->output
                                                                          : "-";
    const char *done = o->sendmail ? "has the message" : "written";

    if (cli->json && !cli->taken)
        (void)json_line(json_pack("{s:o, s:o, s:s, s:i, s:o}", "input", json_text(input), "output",
                                  json_text(output), "result", mail->passed ? "passed" : "signed",
                                  "version", (int)mail->signer.version, "sender",
                                  json_text(mail->signer.address)));
    else if (mail->passed)
        cli_done(cli, "%s: %s, signed or encrypted already, passed as it is", output, done);
    else if (!*mail->signer.address)
        cli_done(cli, "%s: %s, signed by '%s'", output, done, o->descriptor);
    else
        cli_done(cli, "%s: %s, signed by %s (%s)", output, done, mail->signer.address,
                 mail->signer.subject);
}

static se_status service_mail_sign(const se_sink *out, se_mail *done, const struct service *s,
                                   const char *descriptor, const se_source *in,
                                   const se_mail_sign_params *params, se_error *err)
{
    return s->client ? client_mail_sign(out, done, s->client, descriptor, in, params, err)
                     : se_mail_sign(out, done, s->engine, descriptor, in, params, err);
}

static int sign_mail(se_mail *mail, struct cli *cli, const struct descriptor_option *descriptor,
                     const struct mail_sign_options *o, const char *in, struct result *result)
{
    AUTO(service) service = SERVICE_INIT;
    AUTO(input) input = INPUT_INIT;
    AUTO(progress) progress = { .shown = false };
    AUTO(se_buf) tsa = SE_BUF_INIT;
    se_mail_sign_params params = mail_sign_params_of(o, descriptor);
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(tsa_read(&tsa, cli, &o->tsa));
    params.tsa = (const char *)tsa.data;
    TRY_EXIT(service_open(&service, cli, &err));
    params.progress = progress_begin(&progress, cli, "signing");
    params.progress_arg = &progress;
    /* a message is never half of one: a pipe gets it when it is whole */
    if (input_open(&input, in, &err) ||
        result_open(result, o->output ? o->output : "-", true, &err) ||
        service_mail_sign(&result->sink, mail, &service, descriptor->name, &input.source, &params,
                          &err) ||
        recording_confirm(&cli->recording, &err)) {
        progress_end(&progress);
        return result_fail(result, cli, &err);
    }
    progress_end(&progress);
    if (!o->sendmail && result_commit(result, &err))
        return result_fail(result, cli, &err);
    return EXIT_DONE;
}

/* ---- a program that takes the message on its standard input, as sendmail(8) does ---- */

AUTO_KIND(arguments, char **, free(*p))

static char **arguments_new(const char *path, int argc, char **argv)
{
    char **arguments = calloc((size_t)argc + 2, sizeof *arguments);

    if (!arguments)
        return NULL;
    arguments[0] = (char *)path;
    for (int i = 0; i < argc; i++)
        arguments[i + 1] = argv[i];
    return arguments;
}

/* Runs `path` with these arguments and the file behind `message` as its input; its exit status. */
static int run_sendmail(const struct cli *cli, const char *path, int argc, char **argv, int message)
{
    AUTO(arguments) arguments = arguments_new(path, argc, argv);
    const struct spawn sendmail = {
        .option = "--sendmail",
        .arguments = arguments,
        .input = message,
    };
    se_error err = SE_ERROR_INIT;
    int status;

    if (!arguments)
        return EXIT_INTERNAL;
    return spawn_run(&status, &sendmail, &err) ? cli_fail(cli, &err) : status;
}

static int mail_sign_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct mail_sign_options *o = options;
    AUTO(result) result = RESULT_INIT;
    struct descriptor_option descriptor;
    const char *in = argc && !o->sendmail ? argv[0] : NULL;
    se_mail mail;

    cli->taken = cli->taken || (!o->output && !o->sendmail);
    TRY_EXIT(check_sign_usage(cli, o, argc));
    TRY_EXIT(descriptor_read(&descriptor, cli, o->descriptor));
    TRY_EXIT(sign_mail(&mail, cli, &descriptor, o, in, &result));
    if (o->sendmail)
        TRY_EXIT(run_sendmail(cli, o->sendmail, argc, argv, result.spool));
    print_signed_mail(cli, o, in, &mail);
    return EXIT_DONE;
}

const struct command command_mail_sign = {
    .name = "mail sign",
    .options = sign_rows,
    .options_size = sizeof(struct mail_sign_options),
    .recorded = RECORDED_USES,
    .served = true,
    .run = mail_sign_run,
};

/* ---- mail verify ---- */

struct mail_verify_options {
    const char *descriptor, *output, *sender, *trust, *trust_tsa;
    int64_t time;
    struct revocation_options revocation;
};

static const struct option_row verify_rows[] = {
    { .letter = 'd',
      .name = "descriptor",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct mail_verify_options, descriptor),
      .argument = "NAME[:VERSION]",
      .help = "whose signature it has to be",
      .fallback = "SignEmailDescriptor" },
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct mail_verify_options, output),
      .argument = "FILE",
      .help = "where what was signed goes",
      .place = OPTION_LOCAL },
    { .name = "sender",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct mail_verify_options, sender),
      .argument = "ADDRESS",
      .help = "what the certificate must name, not the From field's" },
    { .name = "trust",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct mail_verify_options, trust),
      .argument = "CA.pem",
      .help = "accept every signer below these CAs",
      .place = OPTION_LOCAL },
    { .name = "trust-tsa",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct mail_verify_options, trust_tsa),
      .argument = "CA.pem",
      .help = "believe time stamping authorities below these CAs, not below those of --trust",
      .place = OPTION_LOCAL },
    { .name = "time",
      .kind = OPTION_TIME,
      .offset = offsetof(struct mail_verify_options, time),
      .argument = "TIME",
      .help = "when certificates have to be valid, now if not given",
      .place = OPTION_LOCAL },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct mail_verify_options, revocation),
      .rows = revocation_rows },
    { .name = NULL },
};

enum { NESTED_MOST = 10 };

struct mail_check {
    const struct service *service;
    const char *descriptor;
    se_mail_verify_params params;
    struct writer header; /* the message's */
};

static void mail_check_free(struct mail_check *job)
{
    writer_free(&job->header);
}
AUTO_KIND(mail_check, struct mail_check, mail_check_free(p))

/* The signatures of a message, from the outermost to the innermost. */
struct signatures {
    se_mail of[NESTED_MOST];
    unsigned count;
};

/* Signed contents, of two signatures in turns. */
struct contents {
    struct result of[2];
};

static void contents_free(struct contents *contents)
{
    result_discard(&contents->of[0]);
    result_discard(&contents->of[1]);
}
AUTO_KIND(contents, struct contents, contents_free(p))

static void print_for_people(FILE *to, const char *input, const struct signatures *signatures)
{
    for (unsigned i = 0; i < signatures->count; i++) {
        const se_mail *mail = &signatures->of[i];
        AUTO(writer) lines = { 0 };

        write_signer(&lines, &mail->signer);
        (void)fprintf(to, "%s: good signature%s%s\n  sender     %s\n%s", input,
                      i ? " inside that one" : "", mail->opaque ? " (opaque)" : "",
                      mail->signer.address, writer_string(&lines));
        if (*mail->changed)
            (void)fprintf(to, "  changed    %s: not what was signed\n", mail->changed);
    }
}

static json_t *json_signature(const se_mail *mail)
{
    const se_signer *signer = &mail->signer;

    return json_pack("{s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "sender",
                     json_text(signer->address), "version", (int)signer->version, "algorithm",
                     json_text(signer->algorithm), "signer", json_text(signer->subject), "issuer",
                     json_text(signer->issuer), "serial", json_text(signer->serial), "signingTime",
                     json_time(signer->signing_time), "notAfter", json_time(signer->not_after),
                     "timeStamp", json_stamp(signer), "revocation", json_revocation(signer),
                     "opaque", mail->opaque, "changed", json_text(mail->changed));
}

/* The innermost signature is the one over the content.  The row is whole or not printed. */
static void print_json(const char *input, const struct signatures *signatures)
{
    json_t *message = json_pack("{s:o, s:s}", "input", json_text(input), "verdict", "good"),
           *outer = json_array();
    unsigned last = signatures->count - 1;
    bool whole = true;

    for (unsigned i = 0; i < last; i++)
        whole = !json_array_append_new(outer, json_signature(&signatures->of[i])) && whole;
    whole = !json_object_set_new(message, "outer", outer) && whole;
    whole = !json_object_update_new(message, json_signature(&signatures->of[last])) && whole;
    (void)json_line(whole ? message : NULL);
    if (!whole)
        json_decref(message);
}

/* Standard output may carry the content. */
static void print_verdict(const struct cli *cli, const char *input,
                          const struct signatures *signatures)
{
    if (cli->json && !cli->taken)
        print_json(input, signatures);
    else if (!cli->quiet)
        print_for_people(cli->taken ? stderr : stdout, input, signatures);
}

static se_status service_mail_verify(se_mail *out, const struct service *s, const char *descriptor,
                                     const se_source *in, const se_mail_verify_params *params,
                                     se_error *err)
{
    return s->client ? client_mail_verify(out, s->client, descriptor, in, params, err)
                     : se_mail_verify(out, s->engine, descriptor, in, params, err);
}

/* One signature; its content goes to a temporary file, which is the input of the next one. */
static se_status verify_signature(se_mail *out, struct result *content,
                                  const struct mail_check *job, const se_source *in, se_error *err)
{
    se_mail_verify_params params = job->params;

    result_discard(content);
    TRY(result_open(content, "-", true, err));
    params.content = &content->sink;
    return service_mail_verify(out, job->service, job->descriptor, in, &params, err);
}

static se_status reopen_content(struct input *out, const struct result *content, se_error *err)
{
    input_close(out);
    out->fd = dup(content->spool);
    if (out->fd < 0 || lseek(out->fd, 0, SEEK_SET))
        return error_set(err, SE_ERR_IO, "cannot read the temporary file: %s", strerror(errno));
    out->source.total = 0;
    return SE_OK;
}

/* From the outermost signature to the innermost; all of one sender. *last: which of `contents` has
 * what the innermost was made over. */
static se_status verify_signatures(struct signatures *out, unsigned *last,
                                   struct result contents[2], struct mail_check *job,
                                   struct input *input, se_error *err)
{
    const se_sink header = sink_writer(&job->header);
    se_status st;

    *last = 0;
    job->params.header = &header;
    st = verify_signature(&out->of[0], &contents[0], job, &input->source, err);
    job->params.header = NULL;
    job->params.outside = buf_bytes(&job->header.buf);
    for (out->count = 1; !st && out->of[out->count - 1].nested; out->count++) {
        if (out->count == NESTED_MOST)
            return error_set(err, SE_ERR_REJECTED, "more than %d signatures within each other",
                             NESTED_MOST);
        job->params.sender = out->of[0].signer.address;
        TRY(reopen_content(input, &contents[*last], err));
        *last ^= 1;
        if ((st = verify_signature(&out->of[out->count], &contents[*last], job, &input->source,
                                   err)))
            return error_prefix(err, st, "the signature inside the signature: ");
    }
    return st;
}

static se_status deliver_content(struct result *to, struct input *from,
                                 const struct result *content, se_error *err)
{
    unsigned char piece[65536];
    ptrdiff_t n;
    se_status st = reopen_content(from, content, err);

    while (!st && (n = from->source.read(from->source.arg, piece, sizeof piece)) > 0)
        if (to->sink.write(to->sink.arg, piece, (size_t)n))
            return error_set(err, SE_ERR_IO, "cannot write the output: %s", strerror(errno));
    return st ? st : result_commit(to, err);
}

static int verify_mail(struct cli *cli, const struct mail_verify_options *o, struct mail_check *job,
                       const char *in)
{
    AUTO(input) input = INPUT_INIT;
    AUTO(contents) contents = { { RESULT_INIT, RESULT_INIT } };
    AUTO(result) result = RESULT_INIT;
    AUTO(progress) progress = { .shown = false };
    se_error err = SE_ERROR_INIT;
    unsigned last = 0;
    struct signatures signatures;

    cli->judged = in ? in : "-";
    job->params.progress = progress_begin(&progress, cli, "verifying");
    job->params.progress_arg = &progress;
    if (input_open(&input, in, &err) ||
        (o->output && result_open(&result, o->output, false, &err)) ||
        verify_signatures(&signatures, &last, contents.of, job, &input, &err) ||
        recording_confirm(&cli->recording, &err) ||
        (o->output && deliver_content(&result, &input, &contents.of[last], &err))) {
        progress_end(&progress);
        return result_fail(&result, cli, &err);
    }
    progress_end(&progress);
    print_verdict(cli, input.name, &signatures);
    return EXIT_DONE;
}

static int mail_verify_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct mail_verify_options *o = options;
    struct descriptor_option descriptor;
    AUTO(service) service = SERVICE_INIT;
    AUTO(mail_check) job = { .params = SE_MAIL_VERIFY_PARAMS_INIT };
    se_revocation_params revocation;
    se_error err = SE_ERROR_INIT;

    if (argc > 1)
        return cli_usage(cli, "one message at a time, %d were given", argc);
    TRY_EXIT(descriptor_read(&descriptor, cli, o->descriptor));
    job.params.revocation = revocation_options_read(&revocation, &o->revocation);
    TRY_EXIT(service_open(&service, cli, &err));
    job.service = &service;
    job.descriptor = descriptor.name;
    job.params.version = descriptor.version;
    job.params.time = o->time;
    job.params.sender = o->sender;
    job.params.trust = o->trust;
    job.params.trust_tsa = o->trust_tsa;
    return verify_mail(cli, o, &job, argc ? argv[0] : NULL);
}

const struct command command_mail_verify = {
    .name = "mail verify",
    .options = verify_rows,
    .options_size = sizeof(struct mail_verify_options),
    .recorded = RECORDED_USES,
    .served = true,
    .run = mail_verify_run,
};

const struct sink_type *const command_histories = NULL;

const struct command *const commands[] = {
    &command_mail_sign,
    &command_mail_verify,
    &command_mail_signers,
    NULL,
};
