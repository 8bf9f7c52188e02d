#include <inttypes.h>
#include <stdio.h>

#include "cli/descriptor.h"
#include "cli/signer.h"
#include "cli/stream.h"

enum { SIGNATURE_LIMIT = 16 << 20 };

struct verify_options {
    const char *descriptor, *signature, *trust, *trust_tsa, *output, *id;
    bool raw, xml;
    int64_t time;
};

static const struct option_row rows[] = {
    { 'd', "descriptor", OPTION_TEXT, offsetof(struct verify_options, descriptor), "NAME[:VERSION]", "whose signature it has to be", NULL },
    { 's', "signature", OPTION_TEXT, offsetof(struct verify_options, signature), "FILE",
      "the detached signature; without it FILE is an attached one", NULL },
    { 0, "trust", OPTION_TEXT, offsetof(struct verify_options, trust), "CA.pem", "accept every signer below these CAs", NULL },
    { 0, "trust-tsa", OPTION_TEXT, offsetof(struct verify_options, trust_tsa), "CA.pem",
      "believe time stamping authorities below these CAs, not below those of --trust", NULL },
    { 'o', "output", OPTION_TEXT, offsetof(struct verify_options, output), "FILE", "where the content of an attached signature goes",
      NULL },
    { 0, "raw", OPTION_FLAG, offsetof(struct verify_options, raw), NULL, "the signature is a bare value", NULL },
    { 0, "xml", OPTION_FLAG, offsetof(struct verify_options, xml), NULL, "an XML signature", NULL },
    { 0, "id", OPTION_TEXT, offsetof(struct verify_options, id), "ID", "XML: over the element with this ID, not over the whole document",
      NULL },
    { 0, "time", OPTION_TIME, offsetof(struct verify_options, time), "TIME", "when certificates have to be valid, now if not given", NULL },
    { 0, NULL, OPTION_FLAG, 0, NULL, NULL, NULL },
};

static int check_usage(const struct cli *cli, const struct verify_options *o, int argc, char **argv)
{
    if (argc > 1)
        return cli_usage(cli, "one file at a time, %d were given", argc);
    if (o->raw && !o->signature)
        return cli_usage(cli, "--raw needs --signature");
    if (o->signature && !strcmp(o->signature, "-") && (!argc || !strcmp(argv[0], "-")))
        return cli_usage(cli, "standard input can't be both FILE and --signature");
    if (o->xml && o->raw)
        return cli_usage(cli, "either --xml or --raw");
    if (o->trust_tsa && (o->raw || o->xml))
        return cli_usage(cli, "--trust-tsa is for CMS: other signatures have no time stamps");
    if (o->id && (!o->xml || o->signature))
        return cli_usage(cli, "--id is for XML signatures inside of documents");
    if (o->output && o->signature)
        return cli_usage(cli, "--output is for attached signatures: with --signature the content is a file already");
    return EXIT_DONE;
}

static void tell_people(FILE *to, const char *input, const se_signer *signer)
{
    AUTO(writer) lines = { 0 };

    signer_write(&lines, signer);
    (void)fprintf(to, "%s: good signature\n%s", input, writer_string(&lines));
}

/* Standard output may carry the content. */
static void tell(const struct cli *cli, const struct verify_options *o, const char *input, const se_signer *signer)
{
    bool taken = o->output && strcmp(o->output, "-") == 0;

    if (cli->json && !taken)
        (void)json_line(json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "input", input, "verdict", "good", "version",
                                  (int)signer->version, "algorithm", signer->algorithm, "signer", signer->subject, "issuer", signer->issuer,
                                  "serial", signer->serial, "signingTime", json_time(signer->signing_time), "notAfter",
                                  json_time(signer->not_after), "timeStamp", stamp_json(signer)));
    else if (!cli->quiet)
        tell_people(taken ? stderr : stdout, input, signer);
}

static int refuse(const struct cli *cli, const struct result *result, const char *input, const se_error *err)
{
    if (cli->json && err->status == SE_ERR_REJECTED)
        (void)json_line(json_pack("{s:s, s:s, s:s}", "input", input ? input : "-", "verdict", "refused", "reason", err->text));
    return result_fail(result, cli, err);
}

static int verify(struct cli *cli, const struct verify_options *o, const struct descriptor_option *descriptor, const char *in)
{
    AUTO(engine) engine = NULL;
    AUTO(input) input = INPUT_INIT;
    AUTO(result) result = RESULT_INIT;
    AUTO(se_buf) signature = SE_BUF_INIT;
    AUTO(progress) progress = { .shown = false };
    se_params params = SE_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;
    se_signer signer;
    int status = cli_open(&engine, cli, &err);

    if (status)
        return status;
    if ((o->signature && file_read(&signature, input_path(o->signature), SIGNATURE_LIMIT, &err)) || input_open(&input, in, &err) ||
        (o->output && result_open(&result, o->output, true, &err)))
        return result_fail(&result, cli, &err);
    if (o->signature && !signature.size)
        return cli_fail(cli, &(se_error){ .status = SE_ERR_FORMAT, .text = "the signature file is empty" });
    params.version = descriptor->version;
    params.form = o->xml ? SE_FORM_XML : o->raw ? SE_FORM_RAW : SE_FORM_DETACHED;
    params.xml_id = o->id;
    params.time = o->time;
    params.trust = o->trust;
    params.trust_tsa = o->trust_tsa;
    params.signature = buf_bytes(&signature);
    params.content = o->output ? &result.sink : NULL;
    params.progress = progress_begin(&progress, cli, "verifying");
    params.progress_arg = &progress;
    if (se_verify_stream(&signer, engine, descriptor->name, &input.source, &params, &err) || (o->output && result_commit(&result, &err))) {
        progress_end(&progress);
        return refuse(cli, &result, in, &err);
    }
    progress_end(&progress);
    tell(cli, o, input.name, &signer);
    return EXIT_DONE;
}

static int run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct verify_options *o = options;
    struct descriptor_option descriptor;
    int status;

    if ((status = check_usage(cli, o, argc, argv)) || (status = descriptor_read(&descriptor, cli, o->descriptor)))
        return status;
    return verify(cli, o, &descriptor, argc ? argv[0] : NULL);
}

const struct command command_verify =
    COMMAND_ROW("verify", "[FILE]", "verify a signature, and say who signed", rows, struct verify_options, run);
