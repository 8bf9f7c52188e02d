#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
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
      "the detached signature; if not given FILE.p7s beside a FILE that is none itself", NULL },
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

/* ---- the signature beside a file: what `sign` calls it ---- */

static const char *extension_of(const struct verify_options *o)
{
    return o->raw ? ".sig" : o->xml ? ".sig.xml" : ".p7s";
}

/* In DER or BER it begins with its OID (RFC 5652, 3), which no other file has there. */
static bool begins_as_cms(se_bytes begin)
{
    static const unsigned char oid[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02 };

    return memmem(begin.data, begin.size, oid, sizeof oid) || text_starts(begin.data, "-----BEGIN ");
}

static bool begins_as_xml(se_bytes begin)
{
    const char *text = begin.data;

    return text_mark(text, begin.size) || text[strspn(text, " \t\r\n")] == '<';
}

/* Whether a file carries its signature itself. */
static bool is_signed_itself(const struct verify_options *o, const char *in)
{
    char begin[64] = "";
    AUTO(input) input = INPUT_INIT;
    ptrdiff_t size = input_open(&input, in, NULL) ? -1 : input.source.read(input.source.arg, begin, sizeof begin - 1);
    const se_bytes bytes = { begin, size > 0 ? (size_t)size : 0 };

    return size < 0 || (!o->raw && (o->xml ? begins_as_xml(bytes) : begins_as_cms(bytes)));
}

static bool is_file(const char *path)
{
    struct stat info;

    return path && !stat(path, &info) && S_ISREG(info.st_mode);
}

/* *out: of the signature beside `in`, NULL if none is to be looked for there.  An exit status. */
static int find_signature(char **out, const struct cli *cli, const struct verify_options *o, const char *in)
{
    se_error err = SE_ERROR_INIT;

    *out = NULL;
    if (o->signature || o->id || o->output || !is_file(in) || is_signed_itself(o, in))
        return o->raw && !o->signature ? cli_usage(cli, "--raw needs --signature") : EXIT_DONE;
    if (asprintf(out, "%s%s", in, extension_of(o)) < 0) {
        *out = NULL;
        return EXIT_INTERNAL;
    }
    if (!access(*out, F_OK))
        return EXIT_DONE;
    if (o->raw)
        return cli_usage(cli, "--raw needs --signature: there is no '%s'", *out);
    (void)error_set(&err, SE_ERR_FORMAT, "'%s' is no signature, and there is no '%s': --signature names a detached one", in, *out);
    return cli_fail(cli, &err);
}

static void tell_people(FILE *to, const char *input, const char *signature, const se_signer *signer)
{
    AUTO(writer) lines = { 0 };

    signer_write(&lines, signer);
    if (signature)
        writer_format(&lines, "  signature  %s\n", signature);
    (void)fprintf(to, "%s: good signature\n%s", input, writer_string(&lines));
}

/* Standard output may carry the content. */
static void tell(const struct cli *cli, const char *input, const char *signature, const se_signer *signer)
{
    if (cli->json && !cli->taken)
        (void)json_line(json_pack("{s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "input", json_text(input), "verdict", "good",
                                  "version", (int)signer->version, "algorithm", json_text(signer->algorithm), "signer",
                                  json_text(signer->subject), "issuer", json_text(signer->issuer), "serial", json_text(signer->serial),
                                  "signingTime", json_time(signer->signing_time), "notAfter", json_time(signer->not_after), "timeStamp",
                                  stamp_json(signer), "signature", json_text(signature)));
    else if (!cli->quiet)
        tell_people(cli->taken ? stderr : stdout, input, signature, signer);
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
    cli->judged = in ? in : "-";
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
        return result_fail(&result, cli, &err);
    }
    progress_end(&progress);
    tell(cli, input.name, o->signature, &signer);
    return EXIT_DONE;
}

static int run(struct cli *cli, void *options, int argc, char **argv)
{
    struct verify_options *o = options;
    const char *in = argc ? argv[0] : NULL;
    struct descriptor_option descriptor;
    char *beside = NULL;
    int status;

    if (!(status = check_usage(cli, o, argc, argv)) && !(status = descriptor_read(&descriptor, cli, o->descriptor)) &&
        !(status = find_signature(&beside, cli, o, in))) {
        o->signature = beside ? beside : o->signature;
        status = verify(cli, o, &descriptor, in);
    }
    free(beside);
    return status;
}

const struct command command_verify =
    COMMAND_ROW("verify", "[FILE]", "verify a signature, and say who signed", rows, struct verify_options, run);
