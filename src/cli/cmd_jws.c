/* SPDX-License-Identifier: Apache-2.0 */
/* `jws sign`, `jws verify`: what is signed for the web; and `key jwks`: the keys for who verifies
 * it. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/print_signer.h"
#include "cli/stream.h"

/* In base64url, a payload of that size makes the largest JWS that is read. */
enum { PAYLOAD_LIMIT = 48 << 20, TOKEN_LIMIT = 64 << 20 };

AUTO_KIND(path, char *, free(*p))

/* ---- jws sign ---- */

struct sign_options {
    const char *descriptor, *output, *type, *key_id;
    bool flattened, general, detached, unencoded, certificates;
    struct option_list headers;
};

static const struct option_row sign_rows[] = {
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
    { .name = "flattened",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct sign_options, flattened),
      .help = "JSON instead of the compact form" },
    { .name = "general",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct sign_options, general),
      .help = "JSON with a list of signatures" },
    { .name = "detached",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct sign_options, detached),
      .help = "without the payload inside" },
    { .name = "unencoded",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct sign_options, unencoded),
      .help = "sign the payload as it is, not in base64url" },
    { .name = "type",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct sign_options, type),
      .argument = "TYPE",
      .help = "the header's typ" },
    { .name = "key-id",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct sign_options, key_id),
      .argument = "TEXT",
      .help = "the header's kid, the key's thumbprint if not given" },
    { .name = "header",
      .kind = OPTION_LIST,
      .offset = offsetof(struct sign_options, headers),
      .argument = "NAME=TEXT",
      .help = "a further member of the header",
      .place = OPTION_LOCAL },
    { .name = "certificates",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct sign_options, certificates),
      .help = "with the certificate and its issuers in the header" },
    { .name = NULL },
};

static int check_sign_usage(const struct cli *cli, const struct sign_options *o, int argc)
{
    if (argc > 1)
        return cli_usage(cli, "one file at a time, %d were given", argc);
    if (o->flattened && o->general)
        return cli_usage(cli, "either --flattened or --general");
    return EXIT_DONE;
}

static int read_headers(se_pair *out, const struct cli *cli, const struct option_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *item = list->items[i], *equals = strchr(item, '=');

        if (!equals)
            return cli_usage(cli, "--header: '%s' is not NAME=TEXT", item);
        out[i].name = (se_bytes){ item, (size_t)(equals - item) };
        out[i].value = text_bytes(equals + 1);
    }
    return EXIT_DONE;
}

static se_jws_sign_params sign_params_of(const struct sign_options *o, unsigned version)
{
    se_jws_sign_params params = SE_JWS_SIGN_PARAMS_INIT;

    params.version = version;
    params.form = o->flattened ? SE_JWS_FLATTENED : o->general ? SE_JWS_GENERAL : SE_JWS_COMPACT;
    params.detached = o->detached;
    params.unencoded = o->unencoded;
    params.certificates = o->certificates;
    params.type = o->type;
    params.key_id = o->key_id;
    params.header_count = o->headers.count;
    return params;
}

static int sign_file(struct cli *cli, const struct descriptor_option *descriptor,
                     const se_jws_sign_params *params, const char *in, const char *out)
{
    AUTO(service) service = SERVICE_INIT;
    AUTO(se_buf) payload = SE_BUF_INIT;
    AUTO(se_buf) jws = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(service_open(&service, cli, &err));
    if (file_read(&payload, input_path(in), PAYLOAD_LIMIT, &err) ||
        service_jws_sign(&jws, &service, descriptor->name, buf_bytes(&payload), params, &err) ||
        recording_confirm(&cli->recording, &err))
        return cli_fail(cli, &err);
    TRY_EXIT(result_write_all(cli, out, buf_bytes(&jws)));
    if (!cli->taken)
        print_signed(cli, &service, descriptor, in ? in : "-", out);
    return EXIT_DONE;
}

/* What came by a pipe leaves by one. */
static char *output_name(const char *output, const char *input)
{
    char *name;

    if (output)
        return strdup(output);
    if (!input || strcmp(input, "-") == 0)
        return strdup("-");
    return asprintf(&name, "%s.jws", input) < 0 ? NULL : name;
}

static int jws_sign_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct sign_options *o = options;
    const char *in = argc ? argv[0] : NULL;
    struct descriptor_option descriptor;
    se_pair headers[OPTION_LIST_MOST];
    AUTO(path) out = NULL;
    se_jws_sign_params params;

    TRY_EXIT(check_sign_usage(cli, o, argc));
    TRY_EXIT(read_headers(headers, cli, &o->headers));
    TRY_EXIT(descriptor_read(&descriptor, cli, o->descriptor));
    if (!(out = output_name(o->output, in)))
        return EXIT_INTERNAL;
    if (o->detached && same_file(out, input_path(in)))
        return cli_usage(cli,
                         "--output names the file that is signed, '%s', and the signature "
                         "does not have it inside",
                         out);
    params = sign_params_of(o, descriptor.version);
    params.headers = headers;
    cli->taken = strcmp(out, "-") == 0;
    return sign_file(cli, &descriptor, &params, in, out);
}

const struct command command_jws_sign = {
    .name = "jws sign",
    .options = sign_rows,
    .options_size = sizeof(struct sign_options),
    .recorded = RECORDED_USES,
    .served = true,
    .run = jws_sign_run,
};

/* ---- jws verify ---- */

struct verify_options {
    const char *descriptor, *payload, *output, *type, *key_id;
    bool any;
    int64_t time;
    struct revocation_options revocation;
};

static const struct option_row verify_rows[] = {
    { .letter = 'd',
      .name = "descriptor",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, descriptor),
      .argument = "NAME[:VERSION]",
      .help = "whose signature it has to be" },
    { .name = "payload",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, payload),
      .argument = "FILE",
      .help = "the payload of a detached one" },
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, output),
      .argument = "FILE",
      .help = "where the payload goes" },
    { .name = "type",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, type),
      .argument = "TYPE",
      .help = "what the header's typ has to be" },
    { .name = "key-id",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, key_id),
      .argument = "TEXT",
      .help = "what the header's kid has to be, the key's thumbprint if not given" },
    { .name = "any",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct verify_options, any),
      .help = "one good signature of several is enough" },
    { .name = "time",
      .kind = OPTION_TIME,
      .offset = offsetof(struct verify_options, time),
      .argument = "TIME",
      .help = "when the certificate has to be valid, now if not given",
      .place = OPTION_LOCAL },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct verify_options, revocation),
      .rows = unstamped_revocation_rows },
    { .name = NULL },
};

static int check_verify_usage(const struct cli *cli, const struct verify_options *o, int argc,
                              char **argv)
{
    if (argc > 1)
        return cli_usage(cli, "one file at a time, %d were given", argc);
    if (o->payload && o->output)
        return cli_usage(cli, "--output is for a payload that is inside: with --payload it is a "
                              "file already");
    if (o->payload && !strcmp(o->payload, "-") && (!argc || !strcmp(argv[0], "-")))
        return cli_usage(cli, "standard input can't be both FILE and --payload");
    return EXIT_DONE;
}

static se_status read_payload(se_jws_verify_params *params, se_buf *payload, const char *path,
                              se_error *err)
{
    if (!path)
        return SE_OK;
    TRY(file_read(payload, input_path(path), PAYLOAD_LIMIT, err));
    params->payload = payload->size ? buf_bytes(payload) : (se_bytes){ "", 0 };
    return SE_OK;
}

static int verify_file(struct cli *cli, const struct verify_options *o,
                       const struct descriptor_option *descriptor, const char *in)
{
    AUTO(service) service = SERVICE_INIT;
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(se_buf) given = SE_BUF_INIT;
    AUTO(se_buf) payload = SE_BUF_INIT;
    se_jws_verify_params params = SE_JWS_VERIFY_PARAMS_INIT;
    se_revocation_params revocation;
    se_error err = SE_ERROR_INIT;
    se_signer signer;

    TRY_EXIT(service_open(&service, cli, &err));
    cli->judged = in ? in : "-";
    params.version = descriptor->version;
    params.type = o->type;
    params.key_id = o->key_id;
    params.any = o->any;
    params.time = o->time;
    params.revocation = revocation_options_read(&revocation, &o->revocation);
    params.signer = &signer;
    if (input_read_token(&text, in, TOKEN_LIMIT, &err) ||
        read_payload(&params, &given, o->payload, &err) ||
        service_jws_verify(&payload, &service, descriptor->name, buf_bytes(&text), &params, &err) ||
        recording_confirm(&cli->recording, &err))
        return cli_fail(cli, &err);
    if (o->output)
        TRY_EXIT(result_write_all(cli, o->output, buf_bytes(&payload)));
    print_jose_signer(cli, cli->judged, &signer);
    return EXIT_DONE;
}

static int jws_verify_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct verify_options *o = options;
    struct descriptor_option descriptor;

    TRY_EXIT(check_verify_usage(cli, o, argc, argv));
    TRY_EXIT(descriptor_read(&descriptor, cli, o->descriptor));
    cli->taken = o->output && strcmp(o->output, "-") == 0;
    return verify_file(cli, o, &descriptor, argc ? argv[0] : NULL);
}

const struct command command_jws_verify = {
    .name = "jws verify",
    .options = verify_rows,
    .options_size = sizeof(struct verify_options),
    .recorded = RECORDED_USES,
    .served = true,
    .run = jws_verify_run,
};

/* ---- key jwks ---- */

struct jwks_options {
    struct option_list descriptors;
    const char *output;
    bool current;
};

static const struct option_row jwks_rows[] = {
    { .letter = 'd',
      .name = "descriptor",
      .kind = OPTION_LIST,
      .offset = offsetof(struct jwks_options, descriptors),
      .argument = "DESCRIPTOR",
      .help = "whose keys; all whose algorithm is one of JOSE if none is given" },
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct jwks_options, output),
      .argument = "FILE",
      .help = "where to, standard output if not given",
      .fallback = "-" },
    { .name = "current",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct jwks_options, current),
      .help = "only what signs now, neither older versions nor those that wait" },
    { .name = NULL },
};

static int key_jwks_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct jwks_options *o = options;
    AUTO(service) service = SERVICE_INIT;
    se_jwks_params params = SE_JWKS_PARAMS_INIT;
    AUTO(se_buf) set = SE_BUF_INIT;
    AUTO(writer) line = { 0 };
    se_error err = SE_ERROR_INIT;

    (void)argv;
    if (argc)
        return cli_usage(cli, "it takes no operand: --descriptor says whose keys");
    params.current = o->current;
    TRY_EXIT(service_open(&service, cli, &err));
    if (se_jwks(&set, service.engine, o->descriptors.items, o->descriptors.count, &params, &err))
        return cli_fail(cli, &err);
    writer_put(&line, set.data, set.size);
    writer_text(&line, "\n");
    return line.failed ? EXIT_INTERNAL : result_write_all(cli, o->output, buf_bytes(&line.buf));
}

const struct command command_key_jwks = {
    .name = "key jwks",
    .options = jwks_rows,
    .options_size = sizeof(struct jwks_options),
    .run = key_jwks_run,
};
