/* SPDX-License-Identifier: Apache-2.0 */
/* `verify`: a file with its signature inside, beside it or elsewhere; and `certificates`: whose
 * signatures they are. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/print_signer.h"
#include "cli/stream.h"

enum { SIGNATURE_LIMIT = 16 << 20 };

struct verify_options {
    const char *descriptor, *signature, *trust, *trust_tsa, *output, *id;
    bool raw, xml;
    int64_t time;
    struct option_bytes digest;
    struct revocation_options revocation;
};

static const struct option_row rows[] = {
    { .letter = 'd',
      .name = "descriptor",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, descriptor),
      .argument = "NAME[:VERSION]",
      .help = "whose signature it has to be" },
    { .letter = 's',
      .name = "signature",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, signature),
      .argument = "FILE",
      .help = "the detached signature; if not given FILE.p7s beside a FILE that is none itself" },
    { .name = "trust",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, trust),
      .argument = "CA.pem",
      .help = "accept every signer below these CAs",
      .place = OPTION_LOCAL },
    { .name = "trust-tsa",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, trust_tsa),
      .argument = "CA.pem",
      .help = "believe time stamping authorities below these CAs, not below those of --trust",
      .place = OPTION_LOCAL },
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, output),
      .argument = "FILE",
      .help = "where the content of an attached signature goes" },
    { .name = "raw",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct verify_options, raw),
      .help = "the signature is a bare value" },
    { .name = "xml",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct verify_options, xml),
      .help = "an XML signature" },
    { .name = "id",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, id),
      .argument = "ID",
      .help = "XML: over the element with this ID, not over the whole document" },
    { .name = "time",
      .kind = OPTION_TIME,
      .offset = offsetof(struct verify_options, time),
      .argument = "TIME",
      .help = "when certificates have to be valid, now if not given",
      .place = OPTION_LOCAL },
    { .name = "digest",
      .kind = OPTION_HEX,
      .offset = offsetof(struct verify_options, digest),
      .argument = "HEX",
      .help = "the digest of what was signed, instead of the FILE" },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct verify_options, revocation),
      .rows = revocation_rows },
    { .name = NULL },
};

static int check_digest(const struct cli *cli, const struct verify_options *o, int argc)
{
    if (argc)
        return cli_usage(cli, "either --digest or a file");
    if (!o->signature)
        return cli_usage(cli, "--digest needs --signature");
    return EXIT_DONE;
}

static int check_usage(const struct cli *cli, const struct verify_options *o, int argc, char **argv)
{
    if (argc > 1)
        return cli_usage(cli, "one file at a time, %d were given", argc);
    if (o->digest.size)
        TRY_EXIT(check_digest(cli, o, argc));
    else if (o->signature && !strcmp(o->signature, "-") && (!argc || !strcmp(argv[0], "-")))
        return cli_usage(cli, "standard input can't be both FILE and --signature");
    if (o->xml && o->raw)
        return cli_usage(cli, "either --xml or --raw");
    if (o->trust_tsa && (o->raw || o->xml))
        return cli_usage(cli, "--trust-tsa is for CMS: other signatures have no time stamps");
    if (o->id && (!o->xml || o->signature))
        return cli_usage(cli, "--id is for XML signatures inside of documents");
    if (o->output && o->signature)
        return cli_usage(
            cli,
            "--output is for attached signatures: with --signature the content is a file already");
    return EXIT_DONE;
}

/* ---- the signature beside a file: what `sign` calls it ---- */

static const char *extension_of(const struct verify_options *o)
{
    return o->raw ? ".sig" : o->xml ? ".sig.xml" : ".p7s";
}

static bool is_file(const char *path)
{
    struct stat info;

    return path && !stat(path, &info) && S_ISREG(info.st_mode);
}

AUTO_KIND(path, char *, free(*p))

/* Of the signature beside `in`; NULL: none is to be looked for there. */
static char *path_beside(const struct verify_options *o, const char *in)
{
    char *path = NULL;

    if (o->signature || o->id || o->output || !is_file(in) ||
        asprintf(&path, "%s%s", in, extension_of(o)) < 0)
        return NULL;
    return path;
}

static void print_for_people(FILE *to, const char *input, const char *signature,
                             const se_signer *signer)
{
    AUTO(writer) lines = { 0 };

    write_signer(&lines, signer);
    if (signature)
        writer_format(&lines, "  signature  %s\n", signature);
    (void)fprintf(to, "%s: good signature\n%s", input, writer_string(&lines));
}

/* Standard output may carry the content. */
static void print_verdict(const struct cli *cli, const char *input, const char *signature,
                          const se_signer *signer)
{
    if (cli->json && !cli->taken)
        (void)json_line(
            json_pack("{s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "input",
                      json_text(input), "verdict", "good", "version", (int)signer->version,
                      "algorithm", json_text(signer->algorithm), "signer",
                      json_text(signer->subject), "issuer", json_text(signer->issuer), "serial",
                      json_text(signer->serial), "signingTime", json_time(signer->signing_time),
                      "notAfter", json_time(signer->not_after), "timeStamp", json_stamp(signer),
                      "revocation", json_revocation(signer), "signature", json_text(signature)));
    else if (!cli->quiet)
        print_for_people(cli->taken ? stderr : stdout, input, signature, signer);
}

struct verifying {
    struct cli *cli;
    const struct verify_options *options;
    const struct descriptor_option *descriptor;
    const se_revocation_params *revocation; /* NULL: only what the signature brings */
    const struct service *service;
    struct result *result;
    const char *in, *shown; /* `shown`: its name for people */
};

static se_verify_params verify_params_of(const struct verifying *v)
{
    const struct verify_options *o = v->options;
    se_verify_params params = SE_VERIFY_PARAMS_INIT;

    params.version = v->descriptor->version;
    params.form = o->xml ? SE_FORM_XML : o->raw ? SE_FORM_RAW : SE_FORM_DETACHED;
    params.xml_id = o->id;
    params.time = o->time;
    params.trust = o->trust;
    params.trust_tsa = o->trust_tsa;
    params.revocation = v->revocation;
    params.digest = (se_bytes){ o->digest.data, o->digest.size };
    return params;
}

/* With the signature in that file; NULL: the input carries its own. */
static se_status verify_with(se_signer *signer, struct verifying *v, const char *path,
                             se_error *err)
{
    const struct verify_options *o = v->options;
    AUTO(input) input = INPUT_INIT;
    AUTO(se_buf) signature = SE_BUF_INIT;
    AUTO(progress) progress = { .shown = false };
    se_verify_params params = verify_params_of(v);
    se_status st;

    if (path)
        TRY(file_read(&signature, input_path(path), SIGNATURE_LIMIT, err));
    TRY(input_open_content(&input, v->in, params.digest, err));
    if (o->output)
        TRY(result_open(v->result, o->output, true, err));
    v->shown = input.name;
    if (path && !signature.size)
        return error_set(err, SE_ERR_FORMAT, "the signature file is empty");
    params.signature = buf_bytes(&signature);
    params.content = o->output ? &v->result->sink : NULL;
    params.progress = progress_begin(&progress, v->cli, "verifying");
    params.progress_arg = &progress;
    st = service_verify(signer, v->service, v->descriptor->name, &input.source, &params, err);
    if (!st)
        st = recording_confirm(&v->cli->recording, err);
    if (!st && o->output)
        st = result_commit(v->result, err);
    progress_end(&progress);
    return st;
}

/* A signature inside the file decides; only a file without one is compared with the signature
 * beside it. */
static se_status verify_with_beside(se_signer *signer, const char **used, struct verifying *v,
                                    const char *beside, se_error *err)
{
    const struct verify_options *o = v->options;
    se_status st;

    *used = o->raw && beside ? beside : o->signature;
    st = verify_with(signer, v, *used, err);
    if (st != SE_ERR_FORMAT || !beside || *used)
        return st;
    if (access(beside, F_OK))
        return error_suffix(err, st, "; and there is no '%s': --signature names a detached one",
                            beside);
    *used = beside;
    *err = (se_error)SE_ERROR_INIT;
    return verify_with(signer, v, beside, err);
}

static int verify_file(struct cli *cli, const struct verify_options *o,
                       const struct descriptor_option *descriptor, const char *in,
                       const char *beside)
{
    AUTO(service) service = SERVICE_INIT;
    AUTO(result) result = RESULT_INIT;
    struct verifying v = {
        .cli = cli, .options = o, .descriptor = descriptor, .result = &result, .in = in
    };
    se_revocation_params revocation;
    se_error err = SE_ERROR_INIT;
    se_signer signer;
    const char *used;

    v.revocation = revocation_options_read(&revocation, &o->revocation);
    TRY_EXIT(service_open(&service, cli, &err));
    v.service = &service;
    cli->judged = o->digest.size ? "the digest" : in ? in : "-";
    if (verify_with_beside(&signer, &used, &v, beside, &err))
        return result_fail(&result, cli, &err);
    print_verdict(cli, v.shown, used, &signer);
    return EXIT_DONE;
}

static int verify_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct verify_options *o = options;
    const char *in = argc ? argv[0] : NULL;
    struct descriptor_option descriptor;
    AUTO(path) beside = path_beside(o, in);

    TRY_EXIT(check_usage(cli, o, argc, argv));
    if (o->raw && !o->signature && !beside)
        return cli_usage(cli, "--raw needs --signature");
    if (o->raw && !o->signature && access(beside, F_OK))
        return cli_usage(cli, "--raw needs --signature: there is no '%s'", beside);
    TRY_EXIT(descriptor_read(&descriptor, cli, o->descriptor));
    return verify_file(cli, o, &descriptor, in, beside);
}

const struct command command_verify = {
    .name = "verify",
    .options = rows,
    .options_size = sizeof(struct verify_options),
    .recorded = RECORDED_USES,
    .served = true,
    .run = verify_run,
};

/* ---- certificates ---- */

struct certificates_options {
    const char *descriptor, *output;
};

static const struct option_row certificates_rows[] = {
    { .letter = 'd',
      .name = "descriptor",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct certificates_options, descriptor),
      .argument = "NAME[:VERSION]",
      .help = "whose certificates; those of all versions if none is given" },
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct certificates_options, output),
      .argument = "FILE",
      .help = "where to, standard output if not given",
      .fallback = "-" },
    { .name = NULL },
};

static int certificates_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct certificates_options *o = options;
    AUTO(service) service = SERVICE_INIT;
    AUTO(result) result = RESULT_INIT;
    AUTO(se_buf) pem = SE_BUF_INIT;
    struct descriptor_option descriptor;
    se_error err = SE_ERROR_INIT;

    (void)argv;
    if (argc)
        return cli_usage(cli, "it takes no operand");
    TRY_EXIT(descriptor_read(&descriptor, cli, o->descriptor));
    TRY_EXIT(service_open(&service, cli, &err));
    if (service_certificates(&pem, &service, descriptor.name, descriptor.version, &err) ||
        result_open(&result, o->output, false, &err) ||
        sink_write(&result.sink, buf_bytes(&pem), &err) || result_commit(&result, &err))
        return result_fail(&result, cli, &err);
    return EXIT_DONE;
}

const struct command command_certificates = {
    .name = "certificates",
    .options = certificates_rows,
    .options_size = sizeof(struct certificates_options),
    .served = true,
    .run = certificates_run,
};
