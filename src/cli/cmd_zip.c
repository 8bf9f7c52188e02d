/* SPDX-License-Identifier: Apache-2.0 */
/* `zip sign`, `zip verify`: configuration zips. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/field_lines.h"
#include "cli/input_probe.h"
#include "cli/print_signer.h"

struct limit_options {
    unsigned entries, megabytes, ratio;
};
static const struct option_row limit_rows[] = {
    { .name = "max-entries",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct limit_options, entries),
      .argument = "N",
      .help = "refuse archives of more entries",
      .fallback = "100000",
      .place = OPTION_LOCAL },
    { .name = "max-size",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct limit_options, megabytes),
      .argument = "MB",
      .help = "refuse archives that unpack to more",
      .fallback = "65536",
      .place = OPTION_LOCAL },
    { .name = "max-ratio",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct limit_options, ratio),
      .argument = "N",
      .help = "refuse entries that unpack to more than N times their size",
      .fallback = "200",
      .place = OPTION_LOCAL },
    { .name = NULL },
};

static int check_operand(const struct cli *cli, int argc)
{
    if (argc == 1)
        return EXIT_DONE;
    return argc ? cli_usage(cli, "one archive at a time, %d were given", argc)
                : cli_usage(cli, "which archive?");
}

/* ---- zip sign ---- */

struct zip_sign_options {
    const char *descriptor, *output, *name, *encrypter;
    bool keep, replace, encrypt, at_any_time;
    struct option_list context;
    struct tsa_options tsa;
    int64_t time;
    struct limit_options limits;
};

static const struct option_row sign_rows[] = {
    { .letter = 'd',
      .name = "descriptor",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct zip_sign_options, descriptor),
      .argument = "NAME[:VERSION]",
      .help = "who signs",
      .fallback = "ConfigZipSigner" },
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct zip_sign_options, output),
      .argument = "FILE",
      .help = "where to; the archive itself if not given, with --encrypt FILE.nx02" },
    { .name = "encrypt",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct zip_sign_options, encrypt),
      .help = "encrypt what was signed" },
    { .name = "encrypter",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct zip_sign_options, encrypter),
      .argument = "NAME[:VERSION]",
      .help = "for whom",
      .fallback = "ConfigZipEncrypter" },
    { .name = "context",
      .kind = OPTION_LIST,
      .offset = offsetof(struct zip_sign_options, context),
      .argument = "NAME=VALUE",
      .help = "what the encrypted file belongs to; may be given several times" },
    { .name = "keep",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct zip_sign_options, keep),
      .help = "leave signatures that are there, and add one" },
    { .name = "replace",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct zip_sign_options, replace),
      .help = "take their place, as without --keep" },
    { .name = "signature-name",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct zip_sign_options, name),
      .argument = "NAME",
      .help = "of the files in META-INF; the key's alias if not given" },
    { .kind = OPTION_GROUP, .offset = offsetof(struct zip_sign_options, tsa), .rows = tsa_rows },
    { .name = "time",
      .kind = OPTION_TIME,
      .offset = offsetof(struct zip_sign_options, time),
      .argument = "TIME",
      .help = "signingTime, now if not given",
      .place = OPTION_LOCAL },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct zip_sign_options, at_any_time),
      .rows = at_any_time_rows },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct zip_sign_options, limits),
      .rows = limit_rows },
    { .name = NULL },
};

struct sign_job {
    struct descriptor_option signer, encrypter;
    se_buf context, tsa;
    char *output;
};

static void sign_job_end(struct sign_job *job)
{
    se_buf_free(&job->context);
    se_buf_free(&job->tsa);
    free(job->output);
}
AUTO_KIND(sign_job, struct sign_job, sign_job_end(p))

/* A container takes no zip's place unasked. */
static char *output_name(const struct zip_sign_options *o, const char *in)
{
    char *name;

    if (o->output || !o->encrypt)
        return strdup(o->output ? o->output : in);
    return asprintf(&name, "%s.nx02", in) < 0 ? NULL : name;
}

/* Where the archive can be read, it is writing that failed. */
static int zip_sign_fail(const struct cli *cli, const char *in, const se_error *err)
{
    int status = cli_fail(cli, err);
    struct stat info;

    return err->status == SE_ERR_IO && !stat(in, &info) && S_ISREG(info.st_mode) &&
                   !access(in, R_OK)
               ? EXIT_NO_OUTPUT
               : status;
}

static int sign_zip(struct cli *cli, const struct zip_sign_options *o, const struct sign_job *job,
                    const char *in)
{
    AUTO(service) service = SERVICE_INIT;
    AUTO(progress) progress = { .shown = false };
    se_zip_sign_params params = SE_ZIP_SIGN_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    params.time = o->time;
    params.max_entries = o->limits.entries;
    params.max_total = (uint64_t)o->limits.megabytes << 20;
    params.max_ratio = o->limits.ratio;
    TRY_EXIT(service_open(&service, cli, &err));
    params.version = job->signer.version;
    params.at_any_time = o->at_any_time;
    params.encrypt = o->encrypt ? job->encrypter.name : NULL;
    params.encrypt_version = job->encrypter.version;
    params.context = buf_bytes(&job->context);
    params.keep = o->keep;
    params.signature_name = o->name;
    params.tsa = (const char *)job->tsa.data;
    params.tsa_policy = o->tsa.policy;
    params.progress = progress_begin(&progress, cli, "signing");
    params.progress_arg = &progress;
    if (service_zip_sign(job->output, &service, job->signer.name, in, &params, &err)) {
        progress_end(&progress);
        return zip_sign_fail(cli, in, &err);
    }
    progress_end(&progress);
    print_signed(cli, &service, &job->signer, in, job->output);
    return EXIT_DONE;
}

static int zip_sign_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct zip_sign_options *o = options;
    AUTO(sign_job) job = { .output = NULL };

    TRY_EXIT(check_operand(cli, argc));
    TRY_EXIT(descriptor_read(&job.signer, cli, o->descriptor));
    TRY_EXIT(descriptor_read(&job.encrypter, cli, o->encrypter));
    if (o->keep && o->replace)
        return cli_usage(cli, "either --keep or --replace");
    if (o->context.count && !o->encrypt)
        return cli_usage(cli, "--context is for what --encrypt makes");
    TRY_EXIT(context_read_bytes(&job.context, cli, &o->context));
    TRY_EXIT(tsa_read(&job.tsa, cli, &o->tsa));
    job.output = output_name(o, argv[0]);
    return job.output ? sign_zip(cli, o, &job, argv[0]) : EXIT_INTERNAL;
}

const struct command command_zip_sign = {
    .name = "zip sign",
    .options = sign_rows,
    .options_size = sizeof(struct zip_sign_options),
    .recorded = RECORDED_CHANGE,
    .served = true,
    .run = zip_sign_run,
};

/* ---- zip verify ---- */

struct zip_verify_options {
    const char *descriptor, *trust, *trust_tsa, *output, *decrypter;
    struct option_list context;
    bool issuers, list;
    int64_t time;
    struct limit_options limits;
    struct revocation_options revocation;
};

static const struct option_row verify_rows[] = {
    { .letter = 'd',
      .name = "descriptor",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct zip_verify_options, descriptor),
      .argument = "DESCRIPTOR",
      .help = "whose signature it has to be",
      .fallback = "ConfigZipSigner" },
    { .name = "trust",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct zip_verify_options, trust),
      .argument = "CA.pem",
      .help = "accept signers below these CAs; the descriptor's own certificates and nobody else "
              "if not given",
      .place = OPTION_LOCAL },
    { .name = "issuers",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct zip_verify_options, issuers),
      .help = "accept signers below the issuers of the descriptor's certificates" },
    { .name = "trust-tsa",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct zip_verify_options, trust_tsa),
      .argument = "CA.pem",
      .help = "believe time stamping authorities below these CAs; below those of --trust, or the "
              "descriptor's issuers, if not given",
      .place = OPTION_LOCAL },
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct zip_verify_options, output),
      .argument = "FILE",
      .help = "where a good zip goes, decrypted if it was encrypted" },
    { .name = "decrypter",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct zip_verify_options, decrypter),
      .argument = "DESCRIPTOR",
      .help = "whose key decrypts a container",
      .fallback = "ConfigZipEncrypter" },
    { .name = "context",
      .kind = OPTION_LIST,
      .offset = offsetof(struct zip_verify_options, context),
      .argument = "NAME=VALUE",
      .help = "what a container belongs to; may be given several times" },
    { .name = "list",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct zip_verify_options, list),
      .help = "tell of every entry" },
    { .name = "time",
      .kind = OPTION_TIME,
      .offset = offsetof(struct zip_verify_options, time),
      .argument = "TIME",
      .help = "when certificates have to be valid, now if not given",
      .place = OPTION_LOCAL },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct zip_verify_options, limits),
      .rows = limit_rows },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct zip_verify_options, revocation),
      .rows = revocation_rows },
    { .name = NULL },
};

struct zip_report {
    const struct cli *cli;
    const struct zip_verify_options *options;
    json_t *signatures; /* NULL: to people */
    struct writer text;
    uint64_t entries;
};

static void zip_report_free(struct zip_report *t)
{
    json_decref(t->signatures);
    writer_free(&t->text);
}
AUTO_KIND(zip_report, struct zip_report, zip_report_free(p))

static void report_signature(void *arg, const char *name, const se_signer *s)
{
    struct zip_report *t = arg;
    char when[TIME_TEXT_ROOM];

    signing_time_text(when, s->signing_time);
    writer_format(&t->text,
                  "  %s\n    signer     %s\n    issuer     %s\n    serial     %s\n    algorithm  "
                  "%s\n    time       %s\n",
                  name, s->subject, s->issuer, s->serial, s->algorithm, when);
    write_stamp(&t->text, "    ", s);
    write_revocation(&t->text, "    ", s);
    (void)json_array_append_new(
        t->signatures,
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "file", json_text(name),
                  "signer", json_text(s->subject), "issuer", json_text(s->issuer), "serial",
                  json_text(s->serial), "algorithm", json_text(s->algorithm), "signingTime",
                  json_time(s->signing_time), "notAfter", json_time(s->not_after), "timeStamp",
                  json_stamp(s), "revocation", json_revocation(s)));
}

static void report_entry(void *arg, const se_zip_entry *entry)
{
    struct zip_report *t = arg;
    const char *state = se_zip_state_text(entry->state);

    t->entries += entry->state == SE_ZIP_SIGNED;
    if (t->options->list && t->cli->json)
        (void)json_line(json_pack("{s:o, s:I, s:s, s:b}", "entry", json_text(entry->name), "size",
                                  (json_int_t)entry->size, "state", state, "good",
                                  (int)entry->good));
    else if (t->options->list)
        printf("%s %12" PRIu64 "  %s%s%s\n", entry->good ? "   " : "BAD", entry->size, entry->name,
               entry->state ? ": " : "", entry->state ? state : "");
}

/* Standard output may carry the zip. */
static void print_good(struct zip_report *t, const char *in)
{
    if (t->cli->json && !t->cli->taken)
        (void)json_line(json_pack("{s:o, s:s, s:I, s:O}", "input", json_text(in), "verdict", "good",
                                  "entries", (json_int_t)t->entries, "signatures", t->signatures));
    else if (!t->cli->quiet)
        (void)fprintf(t->cli->taken ? stderr : stdout, "%s: good, %" PRIu64 " entries signed\n%s",
                      in, t->entries, writer_string(&t->text));
}

static int verify_zip(struct zip_report *t, struct cli *cli,
                      const struct descriptor_option *descriptor, const char *in)
{
    const struct zip_verify_options *o = t->options;
    AUTO(service) service = SERVICE_INIT;
    AUTO(zip_to_verify) input = ZIP_TO_VERIFY_INIT;
    AUTO(progress) progress = { .shown = false };
    AUTO(se_buf) context = SE_BUF_INIT;
    struct decrypting decrypting = { .descriptor = o->decrypter };
    se_zip_verify_params params = SE_ZIP_VERIFY_PARAMS_INIT;
    se_revocation_params revocation;
    se_error err = SE_ERROR_INIT;

    params.revocation = revocation_options_read(&revocation, &o->revocation);
    params.time = o->time;
    params.max_entries = o->limits.entries;
    params.max_total = (uint64_t)o->limits.megabytes << 20;
    params.max_ratio = o->limits.ratio;
    cli->judged = in;
    TRY_EXIT(context_read_bytes(&context, cli, &o->context));
    TRY_EXIT(service_open(&service, cli, &err));
    decrypting.service = &service;
    decrypting.context = buf_bytes(&context);
    params.trust = o->trust;
    params.issuers = o->issuers;
    params.trust_tsa = o->trust_tsa;
    params.signature = report_signature;
    params.entry = report_entry;
    params.report_arg = t;
    params.progress = progress_begin(&progress, cli, "verifying");
    params.progress_arg = &progress;
    if (zip_to_verify_open(&input, o->output, &decrypting, in, &err) ||
        service_zip_verify(&service, descriptor->name, zip_to_verify_path(&input), &params, &err) ||
        recording_confirm(&cli->recording, &err) ||
        (o->output && result_commit(&input.held, &err))) {
        progress_end(&progress);
        zip_to_verify_blame(&input, &err);
        return result_fail(&input.held, cli, &err);
    }
    progress_end(&progress);
    print_good(t, in);
    return EXIT_DONE;
}

static int zip_verify_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct zip_verify_options *o = options;
    AUTO(zip_report) t = { .cli = cli, .options = o, .signatures = json_array() };
    struct descriptor_option descriptor;

    TRY_EXIT(check_operand(cli, argc));
    if (o->trust && o->issuers)
        return cli_usage(cli, "either --trust or --issuers");
    TRY_EXIT(descriptor_read(&descriptor, cli, o->descriptor));
    return verify_zip(&t, cli, &descriptor, argv[0]);
}

const struct command command_zip_verify = {
    .name = "zip verify",
    .options = verify_rows,
    .options_size = sizeof(struct zip_verify_options),
    .recorded = RECORDED_USES,
    .served = true,
    .run = zip_verify_run,
};
