/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/key_target.h"

#include <stdio.h>

#include "base/clock.h"
#include "cli/secret.h"

enum { PROGRESS_FIRST_MS = 1000, PROGRESS_MS = 5000 };

const struct option_row key_target_rows[] = {
    { .name = "replica",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct key_target_options, replica),
      .argument = "N",
      .help = "which <type> of the key, from 1" },
    { .name = "pin-source",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct key_target_options, pin_source),
      .argument = "SOURCE",
      .help = "env:NAME, file:PATH, credential:NAME, fd:N or prompt" },
    { .name = "module",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct key_target_options, module),
      .argument = "LIB",
      .help = "without configuration: the PKCS #11 module" },
    { .name = "slot",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct key_target_options, slot),
      .argument = "ID",
      .help = "its slot" },
    { .name = "token-label",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct key_target_options, token_label),
      .argument = "LABEL",
      .help = "or its token, by label" },
    { .name = "token-serial",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct key_target_options, token_serial),
      .argument = "SERIAL",
      .help = "or by serial number" },
    { .name = "init-args",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct key_target_options, init_args),
      .argument = "TEXT",
      .help = "what the module wants at C_Initialize" },
    { .name = "file",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct key_target_options, file),
      .argument = "PATH",
      .help = "without configuration: the PKCS #12 or PEM file" },
    { .name = "alias",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct key_target_options, alias),
      .argument = "LABEL",
      .help = "what the key is called there" },
    { .name = NULL },
};

static const char *text_or_empty(const char *given)
{
    return given ? given : "";
}

static se_status open_direct(struct target **out, const struct key_target_options *o, se_error *err)
{
    const struct target_location location = {
        .module = text_or_empty(o->module),
        .init_args = text_or_empty(o->init_args),
        .slot = text_or_empty(o->slot),
        .token_label = text_or_empty(o->token_label),
        .token_serial = text_or_empty(o->token_serial),
        .file = text_or_empty(o->file),
        .alias = text_or_empty(o->alias),
    };

    return target_direct(out, &location, err);
}

static se_status open_configured(struct target **out, struct cli *cli, const char *key,
                                 unsigned replica, se_error *err)
{
    se_options options = cli_options(cli);

    return target_configured(out, cli_config(cli), key, replica, &options, err);
}

bool key_target_is_unnamed(const struct key_target_options *o)
{
    return !o->module && !o->file && !o->slot && !o->token_label && !o->token_serial &&
           !o->init_args && !o->alias && !o->replica && !o->pin_source;
}

static int check_usage(const struct cli *cli, const struct key_target_options *o, bool is_direct,
                       int argc)
{
    if (is_direct && o->replica)
        return cli_usage(cli, "--replica goes with a KEY of the configuration");
    if (!is_direct && (o->slot || o->token_label || o->token_serial || o->init_args || o->alias))
        return cli_usage(cli, "--slot, --token-label, --token-serial, --init-args and --alias go "
                              "with --module or --file, not with a KEY of the "
                              "configuration");
    if (!is_direct && !argc)
        return cli_usage(cli, "which KEY of the configuration? Or --module, or --file");
    return EXIT_DONE;
}

static void print_note(void *arg, const char *text)
{
    cli_warn(arg, "%s", text);
}

/* Short jobs show nothing. */
static void print_work(void *arg, const char *text)
{
    struct cli *cli = arg;
    const int64_t now = clock_monotonic_ms();

    if (!cli_shows_progress(cli) ||
        (strcmp(cli->progress, "always") != 0 && now < cli->next_progress_ms))
        return;
    cli->next_progress_ms = now + PROGRESS_MS;
    cli_message(cli, "%s", text);
}

static void listen_to_target(struct target *target, struct cli *cli)
{
    const struct target_listener listener = {
        .note = print_note,
        .progress = print_work,
        .arg = cli,
    };

    cli->next_progress_ms = clock_monotonic_ms() + PROGRESS_FIRST_MS;
    target_listen(target, &listener);
}

int key_target_open(struct target **out, struct cli *cli, const struct key_target_options *o,
                    int *argc, char ***argv)
{
    bool is_direct = o->module || o->file;
    AUTO(se_buf) pin = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    *out = NULL;
    TRY_EXIT(check_usage(cli, o, is_direct, *argc));
    if (is_direct ? open_direct(out, o, &err) : open_configured(out, cli, **argv, o->replica, &err))
        return cli_fail(cli, &err);
    listen_to_target(*out, cli);
    if (!is_direct) {
        --*argc;
        ++*argv;
    }
    if (!o->pin_source)
        return EXIT_DONE;
    if (secret_read(&pin, o->pin_source, "--pin-source", "PIN", &err))
        return cli_fail(cli, &err);
    target_set_pin(*out, &pin);
    return EXIT_DONE;
}

int key_target_open_only(struct target **out, struct cli *cli, const struct key_target_options *o,
                         int argc, char **argv)
{
    int status = key_target_open(out, cli, o, &argc, &argv);

    return !status && argc ? cli_usage(cli, "one key at a time") : status;
}

size_t key_names_split(const char *out[KEY_NAMES_MOST], char *names)
{
    size_t count = 0;

    for (char *next, *name = names; name && count < KEY_NAMES_MOST; name = next) {
        if ((next = strchr(name, ',')))
            *next++ = '\0';
        out[count++] = name;
    }
    return count;
}

/* ---- rows ---- */

static void print_slot(void *arg, const struct slot_row *row)
{
    if (!row->initialised)
        fprintf(arg, "slot %lu: a token that is not initialised\n", row->slot);
    else
        fprintf(arg, "slot %lu: token '%s', serial %s, %s%s\n", row->slot, row->label, row->serial,
                row->model,
                row->pin_locked ? ", PIN locked"
                : row->user_pin ? ""
                                : ", no user PIN yet");
}

static void print_slot_json(void *arg, const struct slot_row *row)
{
    (void)arg;
    (void)json_line(json_pack("{s:I, s:o, s:o, s:o, s:b, s:b, s:b}", "slot", (json_int_t)row->slot,
                              "tokenLabel", json_text(row->label), "tokenSerial",
                              json_text(row->serial), "model", json_text(row->model), "initialised",
                              row->initialised, "userPin", row->user_pin, "pinLocked",
                              row->pin_locked));
}

static void print_date(FILE *out, const char *before, int64_t time)
{
    char date[TIME_TEXT_ROOM];

    if (time)
        fprintf(out, ", %s%s", before, time_format(date, TIME_DATE, time));
}

/* `*`: the version in use */
static void print_state(FILE *out, const struct key_state *state)
{
    if (*state->version)
        fprintf(out, ", version %s%s", state->version, state->is_used ? "*" : "");
    if (*state->protection)
        fprintf(out, ", in %s", strcmp(state->protection, "HSM") ? state->protection : "an HSM");
    print_date(out, "created ", state->created);
    print_date(out, "expires ", state->expires);
    if (!state->is_enabled)
        fputs(", disabled", out);
    print_date(out, "deleted ", state->deleted);
    print_date(out, "can be recovered until ", state->recoverable_until);
}

static void print_key(void *arg, const struct key_row *row)
{
    char date[TIME_TEXT_ROOM];
    const char *kind = row->has_private       ? "key"
                       : row->has_certificate ? "certificate"
                                              : "public key";

    fprintf(arg, "%s '%s': %s, ID %s", kind, row->label, row->type, *row->id ? row->id : "none");
    if (row->has_private)
        fprintf(arg, ", may %s",
                row->may_sign && row->may_decrypt ? "sign and decrypt"
                : row->may_sign                   ? "sign"
                : row->may_decrypt                ? "decrypt"
                                                  : "neither sign nor decrypt");
    if (row->has_certificate) {
        fprintf(arg, "%s %s, until %s", row->has_private ? ", certificate" : ",", row->subject,
                time_format(date, TIME_DATE, row->not_after));
    } else
        fprintf(arg, ", no certificate");
    if (row->has_private)
        fprintf(arg, ", may leave: %s", row->may_leave ? "yes" : "no");
    if (row->state)
        print_state(arg, row->state);
    fputs("\n", arg);
}

static void add_state(json_t *object, const struct key_row *row)
{
    const struct key_state *state = row->state;
    json_t *more = json_pack(
        "{s:o, s:b, s:o, s:o, s:o, s:b, s:b, s:o, s:o}", "version",
        *state->version ? json_text(state->version) : json_null(), "used", state->is_used,
        "protection", *state->protection ? json_text(state->protection) : json_null(), "created",
        json_time(state->created), "expires", json_time(state->expires), "enabled",
        state->is_enabled, "exportable", state->is_exportable, "deleted", json_time(state->deleted),
        "recoverableUntil", json_time(state->recoverable_until));

    (void)json_object_update_new(object, more);
}

static json_t *json_days(int64_t not_after)
{
    enum { DAY = 86400 };

    return not_after ? json_integer((not_after - clock_seconds()) / DAY) : json_null();
}

static json_t *json_key(const struct key_row *row)
{
    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:b, s:b, s:b, s:b, s:o, s:o, s:o, s:b}", "label", json_text(row->label),
        "type", json_text(row->type), "id", json_text(row->id), "privateKey", row->has_private,
        "certificate", row->has_certificate, "maySign", row->may_sign, "mayDecrypt",
        row->may_decrypt, "subject", json_text(row->subject), "notAfter", json_time(row->not_after),
        "days", json_days(row->not_after), "mayLeave", row->may_leave);

    if (object && row->state)
        add_state(object, row);
    return object;
}

static void print_key_json(void *arg, const struct key_row *row)
{
    (void)arg;
    (void)json_line(json_key(row));
}

static void print_owner(const struct key_owner *whose)
{
    fprintf(whose->out, "%s", whose->key);
    if (whose->replica)
        fprintf(whose->out, " (replica %u)", whose->replica);
    fputs(": ", whose->out);
}

static void print_owned_key(void *arg, const struct key_row *row)
{
    struct key_owner *whose = arg;

    whose->count++;
    print_owner(whose);
    print_key(whose->out, row);
}

static void print_owned_json(const struct key_owner *whose, json_t *object)
{
    if (object) {
        (void)json_object_set_new(object, "key", json_text(whose->key));
        (void)json_object_set_new(object, "replica",
                                  json_integer(whose->replica ? whose->replica : 1));
    }
    (void)json_line(object);
}

static void print_owned_key_json(void *arg, const struct key_row *row)
{
    struct key_owner *whose = arg;

    whose->count++;
    print_owned_json(whose, json_key(row));
}

void print_no_key(const struct cli *cli, const struct key_owner *whose)
{
    if (cli->json) {
        print_owned_json(whose, json_pack("{s:b, s:b}", "privateKey", false, "certificate", false));
        return;
    }
    print_owner(whose);
    fputs("nothing is there yet\n", whose->out);
}

static void ignore_slot(void *arg, const struct slot_row *row)
{
    (void)arg;
    (void)row;
}

static void ignore_key(void *arg, const struct key_row *row)
{
    (void)arg;
    (void)row;
}

struct provision_report key_report(const struct cli *cli)
{
    if (cli->json)
        return (struct provision_report){ print_slot_json, print_key_json, NULL };
    return key_report_to(stdout);
}

struct provision_report key_report_to(FILE *out)
{
    return out ? (struct provision_report){ print_slot, print_key, out }
               : (struct provision_report){ ignore_slot, ignore_key, NULL };
}

struct provision_report key_report_of(const struct cli *cli, struct key_owner *whose)
{
    return (struct provision_report){ ignore_slot,
                                      cli->json ? print_owned_key_json : print_owned_key, whose };
}

struct provision_report key_report_news(const struct cli *cli)
{
    return cli->quiet ? (struct provision_report){ ignore_slot, ignore_key, NULL }
                      : key_report(cli);
}

/* ---- before a key goes ---- */

const struct option_row key_consent_rows[] = {
    { .name = "yes",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct consent_options, yes),
      .help = "do not ask, also about a key that a descriptor uses" },
    { .name = "dry-run",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct consent_options, dry_run),
      .help = "only say what would go" },
    { .name = NULL },
};

static se_status ask_about_key(void *arg, const char *descriptor, se_error *err)
{
    struct key_consent *c = arg;
    AUTO(writer) question = { 0 }, reason = { 0 };
    struct consent_question q = { .done = c->done, .option = c->option };

    if (c->meant || (!c->always && !descriptor))
        return SE_OK;
    if (c->thing)
        writer_format(&question, "%s %s?", c->verb, c->thing);
    else
        writer_format(&question, "%s %s, with its certificate?", c->verb, target_text(c->target));
    if (descriptor)
        writer_format(&reason, "descriptor '%s' uses it", descriptor);
    q.loss = loss_rows_text(&c->rows);
    q.question = writer_string(&question);
    q.reason = descriptor ? writer_string(&reason) : NULL;
    return q.question && (q.reason || !descriptor) ? consent_ask(&q, err) : error_memory(err);
}

struct provision_consent key_consent_open(struct key_consent *consent,
                                          const struct consent_options *options)
{
    consent->meant = consent->meant || options->yes;
    if (!options->dry_run)
        loss_rows_open(&consent->rows);
    return (struct provision_consent){
        .loss = options->dry_run ? key_report(consent->cli) : key_report_to(consent->rows.out),
        .ask = ask_about_key,
        .arg = consent,
        .dry_run = options->dry_run,
    };
}

void key_consent_free(struct key_consent *consent)
{
    loss_rows_close(&consent->rows);
    *consent = (struct key_consent){ .cli = NULL };
}
