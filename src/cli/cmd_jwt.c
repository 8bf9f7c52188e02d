/* SPDX-License-Identifier: Apache-2.0 */
/* `jwt sign`, `jwt verify`: tokens of the web, with their claims. */
#include <stdio.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/print_signer.h"
#include "cli/stream.h"

enum { CLAIMS_LIMIT = 1 << 20, TOKEN_LIMIT = 2 << 20 };

/* ---- jwt sign ---- */

struct sign_options {
    const char *descriptor, *output, *type, *key_id, *issuer, *subject, *expires;
    struct option_list audiences;
    int64_t not_before;
    bool make_id, no_expiry, certificates;
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
      .help = "where to, standard output if not given",
      .fallback = "-" },
    { .name = "expires",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct sign_options, expires),
      .argument = "SPAN",
      .help = "how long it lasts (exp): 90s, 10m, 8h, 30d" },
    { .name = "no-expiry",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct sign_options, no_expiry),
      .help = "it lasts for ever" },
    { .name = "issuer",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct sign_options, issuer),
      .argument = "TEXT",
      .help = "who issues it (iss)" },
    { .name = "subject",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct sign_options, subject),
      .argument = "TEXT",
      .help = "whom it is about (sub)" },
    { .name = "audience",
      .kind = OPTION_LIST,
      .offset = offsetof(struct sign_options, audiences),
      .argument = "TEXT",
      .help = "whom it is for (aud)" },
    { .name = "not-before",
      .kind = OPTION_TIME,
      .offset = offsetof(struct sign_options, not_before),
      .argument = "TIME",
      .help = "from when on it may be used (nbf)" },
    { .name = "id",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct sign_options, make_id),
      .help = "with an ID of its own (jti)" },
    { .name = "type",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct sign_options, type),
      .argument = "TYPE",
      .help = "the header's typ, JWT if not given" },
    { .name = "key-id",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct sign_options, key_id),
      .argument = "TEXT",
      .help = "the header's kid, the key's thumbprint if not given" },
    { .name = "certificates",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct sign_options, certificates),
      .help = "with the certificate and its issuers in the header" },
    { .name = NULL },
};

/* A whole number and its unit, to seconds; false: it is none. */
static bool span_parse(int64_t *out, const char *text)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
    const size_t size = strlen(text);
    unsigned long number;
    char digits[16];

    if (size < 2 || size > sizeof digits)
        return false;
    text_copy(digits, sizeof digits, text, size - 1);
    if (!text_number(&number, digits, 1000000000) || !number)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].letter == text[size - 1]) {
            *out = (int64_t)number * units[i].seconds;
            return true;
        }
    return false;
}

static int read_sign_params(se_jwt_sign_params *out, const struct cli *cli,
                            const struct sign_options *o)
{
    *out = (se_jwt_sign_params)SE_JWT_SIGN_PARAMS_INIT;
    if (o->expires && o->no_expiry)
        return cli_usage(cli, "either --expires or --no-expiry");
    if (o->expires && !span_parse(&out->lifetime, o->expires))
        return cli_usage(cli, "--expires: '%s' is no span of time, as 90s, 10m, 8h or 30d",
                         o->expires);
    out->no_expiry = o->no_expiry;
    out->certificates = o->certificates;
    out->type = o->type;
    out->key_id = o->key_id;
    out->issuer = o->issuer;
    out->subject = o->subject;
    out->audiences = o->audiences.items;
    out->audience_count = o->audiences.count;
    out->not_before = o->not_before;
    out->make_id = o->make_id;
    return EXIT_DONE;
}

/* Claims are a file's, or none but those of the options. */
static int sign_claims(struct cli *cli, const struct descriptor_option *descriptor,
                       const se_jwt_sign_params *params, const char *in, const char *out)
{
    AUTO(service) service = SERVICE_INIT;
    AUTO(se_buf) claims = SE_BUF_INIT;
    AUTO(se_buf) token = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(service_open(&service, cli, &err));
    if ((in && file_read(&claims, input_path(in), CLAIMS_LIMIT, &err)) ||
        service_jwt_sign(&token, &service, descriptor->name, buf_bytes(&claims), params, &err) ||
        recording_confirm(&cli->recording, &err))
        return cli_fail(cli, &err);
    TRY_EXIT(result_write_all(cli, out, buf_bytes(&token)));
    if (!cli->taken)
        print_signed(cli, &service, descriptor, in ? in : "", out);
    return EXIT_DONE;
}

static int jwt_sign_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct sign_options *o = options;
    struct descriptor_option descriptor;
    se_jwt_sign_params params;

    if (argc > 1)
        return cli_usage(cli, "one file at a time, %d were given", argc);
    TRY_EXIT(read_sign_params(&params, cli, o));
    TRY_EXIT(descriptor_read(&descriptor, cli, o->descriptor));
    params.version = descriptor.version;
    cli->taken = strcmp(o->output, "-") == 0;
    return sign_claims(cli, &descriptor, &params, argc ? argv[0] : NULL, o->output);
}

const struct command command_jwt_sign = {
    .name = "jwt sign",
    .options = sign_rows,
    .options_size = sizeof(struct sign_options),
    .recorded = RECORDED_USES,
    .served = true,
    .run = jwt_sign_run,
};

/* ---- jwt verify ---- */

struct verify_options {
    const char *descriptor, *output, *type, *key_id, *issuer, *subject, *id;
    struct option_list audiences;
    unsigned leeway;
    bool no_expiry;
    int64_t time;
    struct revocation_options revocation;
};

static const struct option_row verify_rows[] = {
    { .letter = 'd',
      .name = "descriptor",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, descriptor),
      .argument = "NAME[:VERSION]",
      .help = "who has to have signed it" },
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, output),
      .argument = "FILE",
      .help = "where the claims go, standard output if not given",
      .fallback = "-" },
    { .name = "issuer",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, issuer),
      .argument = "TEXT",
      .help = "who has to have issued it (iss)" },
    { .name = "subject",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, subject),
      .argument = "TEXT",
      .help = "whom it has to be about (sub)" },
    { .name = "audience",
      .kind = OPTION_LIST,
      .offset = offsetof(struct verify_options, audiences),
      .argument = "TEXT",
      .help = "one of these it has to be for (aud); a token for others is refused" },
    { .name = "id",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, id),
      .argument = "TEXT",
      .help = "which one it has to be (jti)" },
    { .name = "leeway",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct verify_options, leeway),
      .argument = "SECONDS",
      .help = "by how much clocks may differ (0)" },
    { .name = "no-expiry",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct verify_options, no_expiry),
      .help = "it need not expire" },
    { .name = "type",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, type),
      .argument = "TYPE",
      .help = "what the header's typ has to be, JWT if it is there and this is not given" },
    { .name = "key-id",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, key_id),
      .argument = "TEXT",
      .help = "what the header's kid has to be, the key's thumbprint if not given" },
    { .name = "time",
      .kind = OPTION_TIME,
      .offset = offsetof(struct verify_options, time),
      .argument = "TIME",
      .help = "when it has to be valid, now if not given",
      .place = OPTION_LOCAL },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct verify_options, revocation),
      .rows = unstamped_revocation_rows },
    { .name = NULL },
};

static se_jwt_verify_params verify_params_of(const struct verify_options *o, unsigned version)
{
    se_jwt_verify_params params = SE_JWT_VERIFY_PARAMS_INIT;

    params.version = version;
    params.type = o->type;
    params.key_id = o->key_id;
    params.issuer = o->issuer;
    params.subject = o->subject;
    params.id = o->id;
    params.audiences = o->audiences.items;
    params.audience_count = o->audiences.count;
    params.leeway = o->leeway;
    params.no_expiry = o->no_expiry;
    params.time = o->time;
    return params;
}

static void print_verdict(const struct cli *cli, se_bytes claims, const se_signer *signer,
                          unsigned leeway)
{
    json_t *object = json_jose_signer(cli->judged, signer);

    (void)json_object_set_new(object, "leewayUsed", json_integer(leeway));
    (void)json_object_set_new(object, "claims", json_loadb(claims.data, claims.size, 0, NULL));
    (void)json_line(object);
}

/* What else there is to know about a token that is good. */
static void warn_about_token(const struct cli *cli, const struct verify_options *o,
                             const se_signer *signer, unsigned leeway)
{
    if (leeway)
        cli_warn(cli, "%s: accepted with %u s of the leeway of %u s", cli->judged, leeway,
                 o->leeway);
    if (signer->revocation == SE_REVOCATION_UNKNOWN)
        cli_warn(cli, "%s: revocation unknown: %s", cli->judged, signer->revocation_note);
}

/* A line of JSON has the claims as well, so that they go nowhere else unless there is a file. */
static int print_token(const struct cli *cli, const struct verify_options *o, se_bytes claims,
                       const se_signer *signer, unsigned leeway)
{
    AUTO(writer) line = { 0 };

    warn_about_token(cli, o, signer, leeway);
    if (cli->json)
        print_verdict(cli, claims, signer, leeway);
    if (cli->json && strcmp(o->output, "-") == 0)
        return EXIT_DONE;
    writer_put(&line, claims.data, claims.size);
    if (cli->taken)
        writer_text(&line, "\n");
    return line.failed ? EXIT_INTERNAL : result_write_all(cli, o->output, buf_bytes(&line.buf));
}

/* On standard error, for the claims go where they are wanted. */
static void tell_token(const struct cli *cli, const se_signer *signer)
{
    AUTO(writer) looked = { 0 };

    write_revocation(&looked, "", signer);
    cli_done(cli, "%s: good token, signed by %s (version %u, %s); %.*s", cli->judged,
             signer->subject, signer->version, signer->algorithm,
             (int)strcspn(writer_string(&looked), "\n"), writer_string(&looked));
}

static int verify_token(struct cli *cli, const struct verify_options *o,
                        const struct descriptor_option *descriptor, const char *in)
{
    AUTO(service) service = SERVICE_INIT;
    AUTO(se_buf) token = SE_BUF_INIT;
    AUTO(se_buf) claims = SE_BUF_INIT;
    se_jwt_verify_params params = verify_params_of(o, descriptor->version);
    se_revocation_params revocation;
    se_error err = SE_ERROR_INIT;
    se_signer signer;
    unsigned leeway;

    TRY_EXIT(service_open(&service, cli, &err));
    cli->judged = in ? in : "-";
    params.signer = &signer;
    params.leeway_used = &leeway;
    params.revocation = revocation_options_read(&revocation, &o->revocation);
    if (input_read_token(&token, in, TOKEN_LIMIT, &err) ||
        service_jwt_verify(&claims, &service, descriptor->name, buf_bytes(&token), &params, &err) ||
        recording_confirm(&cli->recording, &err))
        return cli_fail(cli, &err);
    TRY_EXIT(print_token(cli, o, buf_bytes(&claims), &signer, leeway));
    tell_token(cli, &signer);
    return EXIT_DONE;
}

static int jwt_verify_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct verify_options *o = options;
    struct descriptor_option descriptor;

    if (argc > 1)
        return cli_usage(cli, "one file at a time, %d were given", argc);
    TRY_EXIT(descriptor_read(&descriptor, cli, o->descriptor));
    cli->taken = !cli->json && strcmp(o->output, "-") == 0;
    return verify_token(cli, o, &descriptor, argc ? argv[0] : NULL);
}

const struct command command_jwt_verify = {
    .name = "jwt verify",
    .options = verify_rows,
    .options_size = sizeof(struct verify_options),
    .recorded = RECORDED_USES,
    .served = true,
    .run = jwt_verify_run,
};
