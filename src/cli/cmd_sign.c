/* SPDX-License-Identifier: Apache-2.0 */
/* `sign`: a file, or standard input. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/print_signer.h"
#include "cli/stream.h"

struct sign_options {
    const char *descriptor, *output;
    bool attached, raw, pem, xml, enveloping, detached, inclusive, at_any_time;
    const char *id, *uri;
    int64_t time;
    struct option_bytes digest;
    struct tsa_options tsa;
};

static const struct option_row rows[] = {
    { .letter = 'd',
      .name = "descriptor",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct sign_options, descriptor),
      .argument = "NAME[:VERSION]",
      .help = "who signs" },
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct sign_options, output),
      .argument = "FILE",
      .help = "where to, `-` is standard output" },
    { .name = "attached",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct sign_options, attached),
      .help = "CMS with the content inside" },
    { .name = "raw",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct sign_options, raw),
      .help = "the bare signature value" },
    { .name = "pem",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct sign_options, pem),
      .help = "CMS in PEM armour" },
    { .name = "xml",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct sign_options, xml),
      .help = "an XML signature inside of the XML document" },
    { .name = "id",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct sign_options, id),
      .argument = "ID",
      .help = "XML: of this element only" },
    { .name = "enveloping",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct sign_options, enveloping),
      .help = "XML: around the document" },
    { .name = "detached",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct sign_options, detached),
      .help = "XML: beside a file of any kind" },
    { .name = "uri",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct sign_options, uri),
      .argument = "URI",
      .help = "XML, detached: what it calls the file, its name if not given" },
    { .name = "inclusive",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct sign_options, inclusive),
      .help = "XML: inclusive C14N instead of exclusive" },
    { .name = "time",
      .kind = OPTION_TIME,
      .offset = offsetof(struct sign_options, time),
      .argument = "TIME",
      .help = "signingTime, now if not given",
      .place = OPTION_LOCAL },
    { .name = "digest",
      .kind = OPTION_HEX,
      .offset = offsetof(struct sign_options, digest),
      .argument = "HEX",
      .help = "detached, raw: the digest of what is signed, instead of the FILE" },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct sign_options, at_any_time),
      .rows = at_any_time_rows },
    { .kind = OPTION_GROUP, .offset = offsetof(struct sign_options, tsa), .rows = tsa_rows },
    { .name = NULL },
};

static int check_xml(const struct cli *cli, const struct sign_options *o)
{
    if (o->raw || o->attached || o->pem || o->time)
        return cli_usage(cli, "--xml goes with none of --attached, --raw, --pem, --time");
    if ((o->enveloping && o->detached) || (o->id && (o->enveloping || o->detached)))
        return cli_usage(cli, "only one of --id, --enveloping and --detached");
    if (o->uri && !o->detached)
        return cli_usage(cli, "--uri needs --detached");
    return EXIT_DONE;
}

static int check_digest(const struct cli *cli, const struct sign_options *o, int argc)
{
    if (argc)
        return cli_usage(cli, "either --digest or a file");
    if (o->attached || (o->xml && !o->detached))
        return cli_usage(cli, "--digest is for signatures that do not have the content inside");
    return EXIT_DONE;
}

static int check_usage(const struct cli *cli, const struct sign_options *o, int argc)
{
    if (argc > 1)
        return cli_usage(cli, "one file at a time, %d were given", argc);
    if (o->digest.size)
        TRY_EXIT(check_digest(cli, o, argc));
    if (o->raw && (o->attached || o->pem || o->time))
        return cli_usage(cli, "--raw goes with none of --attached, --pem, --time");
    if (o->tsa.urls.count && (o->xml || o->raw))
        return cli_usage(cli, "--tsa is for CMS: other signatures have no time stamps");
    if (o->xml)
        return check_xml(cli, o);
    if (o->id || o->enveloping || o->detached || o->uri || o->inclusive)
        return cli_usage(cli, "--id, --enveloping, --detached, --uri and --inclusive need --xml");
    return EXIT_DONE;
}

static se_form form_of(const struct sign_options *o)
{
    if (o->xml)
        return o->enveloping ? SE_FORM_XML_ENVELOPING
               : o->detached ? SE_FORM_XML_DETACHED
                             : SE_FORM_XML;
    return o->raw ? SE_FORM_RAW : o->attached ? SE_FORM_ATTACHED : SE_FORM_DETACHED;
}

/* A file that gave way to its own detached signature would be lost. */
static int check_output(const struct cli *cli, const struct sign_options *o, const char *in)
{
    const se_form form = form_of(o);

    if (!o->output || !same_file(o->output, input_path(in)) ||
        (form != SE_FORM_DETACHED && form != SE_FORM_RAW && form != SE_FORM_XML_DETACHED))
        return EXIT_DONE;
    return cli_usage(
        cli,
        "--output names the file that is signed, '%s', and the signature does not have it inside",
        o->output);
}

static se_sign_params sign_params_of(const struct sign_options *o,
                                     const struct descriptor_option *descriptor)
{
    se_sign_params params = SE_SIGN_PARAMS_INIT;

    params.version = descriptor->version;
    params.at_any_time = o->at_any_time;
    params.form = form_of(o);
    params.xml_id = o->id;
    params.xml_inclusive = o->inclusive;
    params.pem = o->pem;
    params.time = o->time;
    params.digest = (se_bytes){ o->digest.data, o->digest.size };
    params.tsa_policy = o->tsa.policy;
    return params;
}

/* FILE.p7s as mail has it (RFC 8551, 3.2.1), .p7m with the content inside; what came by a pipe
 * leaves by one. */
static char *output_name(const struct sign_options *o, const char *input)
{
    static const char *const extensions[] = {
        [SE_FORM_DETACHED] = "p7s",
        [SE_FORM_ATTACHED] = "p7m",
        [SE_FORM_RAW] = "sig",
        [SE_FORM_XML] = "signed.xml",
        [SE_FORM_XML_ENVELOPING] = "signed.xml",
        [SE_FORM_XML_DETACHED] = "sig.xml",
    };
    char *name;

    if (o->output)
        return strdup(o->output);
    if (!input || strcmp(input, "-") == 0)
        return strdup("-");
    return asprintf(&name, "%s.%s", input, extensions[form_of(o)]) < 0 ? NULL : name;
}

/* The file's name as a relative URI (RFC 3986, 2.1); what came by a pipe has none. */
static se_status content_uri(se_buf *out, const struct sign_options *o, const char *input,
                             se_error *err)
{
    const char *slash = input ? strrchr(input, '/') : NULL;
    AUTO(writer) w = { 0 };

    if (o->uri)
        writer_text(&w, o->uri);
    else if (input)
        writer_percent(&w, slash ? slash + 1 : input);
    return writer_finish(out, &w, err);
}

static int sign_file(struct cli *cli, const struct descriptor_option *descriptor,
                     se_sign_params *params, const char *in, const char *out)
{
    AUTO(service) service = SERVICE_INIT;
    AUTO(input) input = INPUT_INIT;
    AUTO(result) result = RESULT_INIT;
    AUTO(progress) progress = { .shown = false };
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(service_open(&service, cli, &err));
    params->progress = progress_begin(&progress, cli, "signing");
    params->progress_arg = &progress;
    if (input_open_content(&input, in, params->digest, &err) ||
        result_open(&result, out, cli->audit.count > 0, &err) ||
        service_sign(&result.sink, &service, descriptor->name, &input.source, params, &err) ||
        recording_confirm(&cli->recording, &err) || result_commit(&result, &err)) {
        progress_end(&progress);
        return result_fail(&result, cli, &err);
    }
    progress_end(&progress);
    if (!cli->taken)
        print_signed(cli, &service, descriptor, input.name, out);
    return EXIT_DONE;
}

static int sign_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct sign_options *o = options;
    const char *in = argc ? argv[0] : NULL;
    struct descriptor_option descriptor;
    AUTO(se_buf) uri = SE_BUF_INIT;
    AUTO(se_buf) tsa = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    se_sign_params params;
    char *out;
    int status;

    TRY_EXIT(check_usage(cli, o, argc));
    TRY_EXIT(check_output(cli, o, in));
    TRY_EXIT(descriptor_read(&descriptor, cli, o->descriptor));
    TRY_EXIT(tsa_read(&tsa, cli, &o->tsa));
    params = sign_params_of(o, &descriptor);
    if (content_uri(&uri, o, in, &err))
        return cli_fail(cli, &err);
    params.xml_uri = (const char *)uri.data;
    params.tsa = (const char *)tsa.data;
    if (!(out = output_name(o, in)))
        return EXIT_INTERNAL;
    cli->taken = strcmp(out, "-") == 0;
    status = sign_file(cli, &descriptor, &params, in, out);
    free(out);
    return status;
}

const struct command command_sign = {
    .name = "sign",
    .options = rows,
    .options_size = sizeof(struct sign_options),
    .recorded = RECORDED_USES,
    .served = true,
    .run = sign_run,
};
