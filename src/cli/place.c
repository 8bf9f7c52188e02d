#include "cli/place.h"

#include <stdio.h>
#include <time.h>

#include "cli/json.h"
#include "cli/secret.h"

static const char *text(const char *given)
{
    return given ? given : "";
}

static se_status direct(struct target **out, const struct place_options *o, se_error *err)
{
    const struct target_location location = {
        .module = text(o->module),
        .init_args = text(o->init_args),
        .slot = text(o->slot),
        .token_label = text(o->token_label),
        .token_serial = text(o->token_serial),
        .file = text(o->file),
        .alias = text(o->alias),
    };

    return target_direct(out, &location, err);
}

static se_status configured(struct target **out, struct cli *cli, const char *key, unsigned replica,
                            se_error *err)
{
    se_options options = cli_options(cli);

    return target_configured(out, cli_config(cli), key, replica, &options, err);
}

bool place_is_open(const struct place_options *o)
{
    return !o->module && !o->file && !o->slot && !o->token_label && !o->token_serial &&
           !o->init_args && !o->alias && !o->replica && !o->pin_source;
}

static int check(const struct cli *cli, const struct place_options *o, bool is_direct, int argc)
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

int place_open(struct target **out, struct cli *cli, const struct place_options *o, int *argc,
               char ***argv)
{
    bool is_direct = o->module || o->file;
    AUTO(se_buf) pin = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    int status = check(cli, o, is_direct, *argc);
    se_status st;

    *out = NULL;
    if (status)
        return status;
    st = is_direct ? direct(out, o, &err) : configured(out, cli, **argv, o->replica, &err);
    if (!st && !is_direct) {
        --*argc;
        ++*argv;
    }
    if (!st && o->pin_source &&
        !(st = secret_read(&pin, o->pin_source, "--pin-source", "PIN", &err)))
        target_set_pin(*out, &pin);
    return st ? cli_fail(cli, &err) : EXIT_DONE;
}

int place_open_only(struct target **out, struct cli *cli, const struct place_options *o, int argc,
                    char **argv)
{
    int status = place_open(out, cli, o, &argc, &argv);

    return !status && argc ? cli_usage(cli, "one key at a time") : status;
}

static void slot_text(void *arg, const struct slot_row *row)
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

static void slot_json(void *arg, const struct slot_row *row)
{
    (void)arg;
    (void)json_line(json_pack("{s:I, s:o, s:o, s:o, s:b, s:b, s:b}", "slot", (json_int_t)row->slot,
                              "tokenLabel", json_text(row->label), "tokenSerial",
                              json_text(row->serial), "model", json_text(row->model), "initialised",
                              row->initialised, "userPin", row->user_pin, "pinLocked",
                              row->pin_locked));
}

static void print_date(FILE *out, int64_t seconds)
{
    time_t time = seconds;
    char date[16] = "";
    struct tm tm;

    if (gmtime_r(&time, &tm))
        (void)strftime(date, sizeof date, "%Y-%m-%d", &tm);
    fprintf(out, "%s", date);
}

static void key_text(void *arg, const struct key_row *row)
{
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
        fprintf(arg, "%s %s, until ", row->has_private ? ", certificate" : ",", row->subject);
        print_date(arg, row->not_after);
    } else
        fprintf(arg, ", no certificate");
    fputs("\n", arg);
}

static json_t *key_object(const struct key_row *row)
{
    return json_pack("{s:o, s:o, s:o, s:b, s:b, s:b, s:b, s:o, s:o}", "label",
                     json_text(row->label), "type", json_text(row->type), "id", json_text(row->id),
                     "privateKey", row->has_private, "certificate", row->has_certificate, "maySign",
                     row->may_sign, "mayDecrypt", row->may_decrypt, "subject",
                     json_text(row->subject), "notAfter", json_time(row->not_after));
}

static void key_json(void *arg, const struct key_row *row)
{
    (void)arg;
    (void)json_line(key_object(row));
}

static void print_owner(const struct place_row *whose)
{
    fprintf(whose->out, "%s", whose->key);
    if (whose->replica)
        fprintf(whose->out, " (replica %u)", whose->replica);
    fputs(": ", whose->out);
}

static void own_text(void *arg, const struct key_row *row)
{
    struct place_row *whose = arg;

    whose->count++;
    print_owner(whose);
    key_text(whose->out, row);
}

static void print_object(const struct place_row *whose, json_t *object)
{
    if (object) {
        (void)json_object_set_new(object, "key", json_text(whose->key));
        (void)json_object_set_new(object, "replica",
                                  json_integer(whose->replica ? whose->replica : 1));
    }
    (void)json_line(object);
}

static void own_json(void *arg, const struct key_row *row)
{
    struct place_row *whose = arg;

    whose->count++;
    print_object(whose, key_object(row));
}

void place_tell_none(const struct cli *cli, const struct place_row *whose)
{
    if (cli->json) {
        print_object(whose, json_pack("{s:b, s:b}", "privateKey", false, "certificate", false));
        return;
    }
    print_owner(whose);
    fputs("nothing is there yet\n", whose->out);
}

static void no_slot(void *arg, const struct slot_row *row)
{
    (void)arg;
    (void)row;
}

static void no_key(void *arg, const struct key_row *row)
{
    (void)arg;
    (void)row;
}

struct provision_report place_report(const struct cli *cli)
{
    if (cli->json)
        return (struct provision_report){ slot_json, key_json, NULL };
    return place_report_to(stdout);
}

struct provision_report place_report_to(FILE *out)
{
    return out ? (struct provision_report){ slot_text, key_text, out }
               : (struct provision_report){ no_slot, no_key, NULL };
}

struct provision_report place_report_of(const struct cli *cli, struct place_row *whose)
{
    return (struct provision_report){ no_slot, cli->json ? own_json : own_text, whose };
}

struct provision_report place_news(const struct cli *cli)
{
    return cli->quiet ? (struct provision_report){ no_slot, no_key, NULL } : place_report(cli);
}
