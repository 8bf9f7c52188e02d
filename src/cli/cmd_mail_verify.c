#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/stream.h"
#include "cli/commands.h"
#include "cli/descriptor.h"
#include "cli/signer.h"
#include "cli/stream.h"
#include "signengine-mail.h"

struct mail_verify_options {
    const char *descriptor, *output, *sender, *trust, *trust_tsa;
    int64_t time;
};

static const struct option_row rows[] = {
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
      .help = "where what was signed goes" },
    { .name = "sender",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct mail_verify_options, sender),
      .argument = "ADDRESS",
      .help = "what the certificate must name, not the From field's" },
    { .name = "trust",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct mail_verify_options, trust),
      .argument = "CA.pem",
      .help = "accept every signer below these CAs" },
    { .name = "trust-tsa",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct mail_verify_options, trust_tsa),
      .argument = "CA.pem",
      .help = "believe time stamping authorities below these CAs, not below those of --trust" },
    { .name = "time",
      .kind = OPTION_TIME,
      .offset = offsetof(struct mail_verify_options, time),
      .argument = "TIME",
      .help = "when certificates have to be valid, now if not given" },
    { .name = NULL },
};

enum { NESTED_MOST = 10 };

struct job {
    se_engine *engine;
    const char *descriptor;
    se_mail_verify_params params;
    struct writer header; /* the message's */
};

static void job_free(struct job *job)
{
    writer_free(&job->header);
}
AUTO_KIND(job, struct job, job_free(p))

/* The signatures of a message, from the outermost to the innermost. */
struct signatures {
    se_mail of[NESTED_MOST];
    unsigned count;
};

/* What was signed, of two signatures in turns. */
struct contents {
    struct result of[2];
};

static void contents_free(struct contents *contents)
{
    result_discard(&contents->of[0]);
    result_discard(&contents->of[1]);
}
AUTO_KIND(contents, struct contents, contents_free(p))

static void tell_people(FILE *to, const char *input, const struct signatures *signatures)
{
    for (unsigned i = 0; i < signatures->count; i++) {
        const se_mail *mail = &signatures->of[i];
        AUTO(writer) lines = { 0 };

        signer_write(&lines, &mail->signer);
        (void)fprintf(to, "%s: good signature%s%s\n  sender     %s\n%s", input,
                      i ? " inside that one" : "", mail->opaque ? " (opaque)" : "",
                      mail->signer.address, writer_string(&lines));
        if (*mail->changed)
            (void)fprintf(to, "  changed    %s: not what was signed\n", mail->changed);
    }
}

static json_t *signature_json(const se_mail *mail)
{
    const se_signer *signer = &mail->signer;

    return json_pack("{s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "sender",
                     json_text(signer->address), "version", (int)signer->version, "algorithm",
                     json_text(signer->algorithm), "signer", json_text(signer->subject), "issuer",
                     json_text(signer->issuer), "serial", json_text(signer->serial), "signingTime",
                     json_time(signer->signing_time), "notAfter", json_time(signer->not_after),
                     "timeStamp", stamp_json(signer), "opaque", mail->opaque, "changed",
                     json_text(mail->changed));
}

/* The innermost one is that of what was taken out.  All of it is told or nothing. */
static void tell_machine(const char *input, const struct signatures *signatures)
{
    json_t *message = json_pack("{s:o, s:s}", "input", json_text(input), "verdict", "good"),
           *outer = json_array();
    unsigned last = signatures->count - 1;
    bool whole = true;

    for (unsigned i = 0; i < last; i++)
        whole = !json_array_append_new(outer, signature_json(&signatures->of[i])) && whole;
    whole = !json_object_set_new(message, "outer", outer) && whole;
    whole = !json_object_update_new(message, signature_json(&signatures->of[last])) && whole;
    (void)json_line(whole ? message : NULL);
    if (!whole)
        json_decref(message);
}

/* Standard output may carry the content. */
static void tell(const struct cli *cli, const char *input, const struct signatures *signatures)
{
    if (cli->json && !cli->taken)
        tell_machine(input, signatures);
    else if (!cli->quiet)
        tell_people(cli->taken ? stderr : stdout, input, signatures);
}

/* One signature; what it was made over goes to a temporary file, which is the input of the next
 * one. */
static se_status verify_one(se_mail *out, struct result *content, const struct job *job,
                            const se_source *in, se_error *err)
{
    se_mail_verify_params params = job->params;

    result_discard(content);
    TRY(result_open(content, "-", true, err));
    params.content = &content->sink;
    return se_mail_verify(out, job->engine, job->descriptor, in, &params, err);
}

static se_status reopen(struct input *out, const struct result *content, se_error *err)
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
static se_status verify_all(struct signatures *out, unsigned *last, struct result contents[2],
                            struct job *job, struct input *input, se_error *err)
{
    const se_sink header = sink_writer(&job->header);
    se_status st;

    *last = 0;
    job->params.header = &header;
    st = verify_one(&out->of[0], &contents[0], job, &input->source, err);
    job->params.header = NULL;
    job->params.outside = buf_bytes(&job->header.buf);
    for (out->count = 1; !st && out->of[out->count - 1].nested; out->count++) {
        if (out->count == NESTED_MOST)
            return error_set(err, SE_ERR_REJECTED, "more than %d signatures within each other",
                             NESTED_MOST);
        job->params.sender = out->of[0].signer.address;
        TRY(reopen(input, &contents[*last], err));
        *last ^= 1;
        if ((st = verify_one(&out->of[out->count], &contents[*last], job, &input->source, err)))
            return error_prefix(err, "the signature inside the signature: ");
    }
    return st;
}

static se_status deliver(struct result *to, struct input *from, const struct result *content,
                         se_error *err)
{
    unsigned char piece[65536];
    ptrdiff_t n;
    se_status st = reopen(from, content, err);

    while (!st && (n = from->source.read(from->source.arg, piece, sizeof piece)) > 0)
        if (to->sink.write(to->sink.arg, piece, (size_t)n))
            return error_set(err, SE_ERR_IO, "cannot write the output: %s", strerror(errno));
    return st ? st : result_commit(to, err);
}

static int verify(struct cli *cli, const struct mail_verify_options *o, struct job *job,
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
        verify_all(&signatures, &last, contents.of, job, &input, &err) ||
        (o->output && deliver(&result, &input, &contents.of[last], &err))) {
        progress_end(&progress);
        return result_fail(&result, cli, &err);
    }
    progress_end(&progress);
    tell(cli, input.name, &signatures);
    return EXIT_DONE;
}

static int run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct mail_verify_options *o = options;
    struct descriptor_option descriptor;
    AUTO(engine) engine = NULL;
    AUTO(job) job = { .params = SE_MAIL_VERIFY_PARAMS_INIT };
    se_error err = SE_ERROR_INIT;
    int status;

    if (argc > 1)
        return cli_usage(cli, "one message at a time, %d were given", argc);
    if ((status = descriptor_read(&descriptor, cli, o->descriptor)) ||
        (status = cli_open(&engine, cli, &err)))
        return status;
    job.engine = engine;
    job.descriptor = descriptor.name;
    job.params.version = descriptor.version;
    job.params.time = o->time;
    job.params.sender = o->sender;
    job.params.trust = o->trust;
    job.params.trust_tsa = o->trust_tsa;
    return verify(cli, o, &job, argc ? argv[0] : NULL);
}

const struct command command_mail_verify = {
    .name = "mail verify",
    .options = rows,
    .options_size = sizeof(struct mail_verify_options),
    .run = run,
};
