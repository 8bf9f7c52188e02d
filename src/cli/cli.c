/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands share: exit statuses, messages, JSON, questions, and opening the engine. */
#include "cli/cli.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"

int exit_status(se_status status)
{
    static const int statuses[] = {
        [SE_OK] = EXIT_DONE,
        [SE_ERR_MEMORY] = EXIT_INTERNAL,
        [SE_ERR_USAGE] = EXIT_USAGE,
        [SE_ERR_CONFIG] = EXIT_CONFIG,
        [SE_ERR_NO_DESCRIPTOR] = EXIT_CONFIG,
        [SE_ERR_POLICY] = EXIT_CONFIG,
        [SE_ERR_KEY] = EXIT_CONFIG,
        [SE_ERR_STORE] = EXIT_UNAVAILABLE,
        [SE_ERR_ACCESS] = EXIT_ACCESS,
        [SE_ERR_UNAVAILABLE] = EXIT_UNAVAILABLE,
        [SE_ERR_FORMAT] = EXIT_DATA,
        [SE_ERR_REJECTED] = EXIT_REFUSED,
        [SE_ERR_IO] = EXIT_NO_INPUT,
        [SE_ERR_CANCELLED] = EXIT_INTERNAL,
        [SE_ERR_CRYPTO] = EXIT_INTERNAL,
    };
    size_t i = (size_t)status;

    return i < sizeof statuses / sizeof *statuses ? statuses[i] : EXIT_INTERNAL;
}

/* ---- JSON ---- */

/* A row for which memory ran out is not left out in silence. */
static bool json_lost;

bool json_line(json_t *object)
{
    bool done = object && !json_dumpf(object, stdout, JSON_COMPACT) && putchar('\n') != EOF;

    json_lost = json_lost || !done;
    json_decref(object);
    return done;
}

bool json_is_lost(void)
{
    return json_lost;
}

static json_t *mended_text(const char *text)
{
    AUTO(writer) w = { 0 };

    while (*text) {
        uint32_t point;
        size_t size = utf8_next(&point, text);

        if (size)
            writer_put(&w, text, size);
        else
            writer_text(&w, "\xef\xbf\xbd"); /* U+FFFD */
        text += size ? size : 1;
    }
    return w.failed ? NULL : json_string(writer_string(&w));
}

json_t *json_text(const char *text)
{
    if (!text)
        return json_null();
    return utf8_is(text_bytes(text)) ? json_string(text) : mended_text(text);
}

json_t *json_time(int64_t seconds)
{
    char text[TIME_TEXT_ROOM];

    return seconds && *time_format(text, TIME_RFC3339, seconds) ? json_string(text) : json_null();
}

/* ---- messages ---- */

/* Arguments can hold anything: error_set() makes one line of it. */
static void print_message(const struct cli *cli, const char *text)
{
    se_error line = SE_ERROR_INIT;

    (void)error_set(&line, SE_ERR_USAGE, "%s", text);
    (void)fprintf(stderr, "signengine: %s%s%s\n", cli->command ? cli->command : "",
                  cli->command ? ": " : "", line.text);
}

static void print_failure_json(const struct cli *cli, se_status status, const char *text)
{
    json_t *object;

    if (!cli->json || cli->taken)
        return;
    object = json_pack("{s:s?, s:s, s:o}", "command", cli->command, "status",
                       se_status_name(status), "text", json_text(text));
    if (object && cli->judged) {
        (void)json_object_set_new(object, "input", json_text(cli->judged));
        if (status == SE_ERR_REJECTED) {
            (void)json_object_set_new(object, "verdict", json_string("refused"));
            (void)json_object_set_new(object, "reason", json_text(text));
        }
    }
    (void)json_line(object);
}

int cli_fail(const struct cli *cli, const se_error *err)
{
    print_failure_json(cli, err->status, err->text);
    if (!cli->reported || err->status != SE_ERR_CONFIG)
        print_message(cli, err->text);
    if (cli->verbose && err->file)
        (void)fprintf(stderr, "signengine: %s, noticed at %s:%d\n", se_status_name(err->status),
                      err->file, err->line);
    return exit_status(err->status);
}

int cli_fail_output(const struct cli *cli, const se_error *err)
{
    int status = cli_fail(cli, err);

    return err->status == SE_ERR_IO ? EXIT_NO_OUTPUT : status;
}

static void print_formatted(const struct cli *cli, const char *format, va_list args)
{
    char text[1000];

    (void)vsnprintf(text, sizeof text, format, args);
    print_message(cli, text);
}

int cli_usage(const struct cli *cli, const char *format, ...)
{
    char text[500];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    print_failure_json(cli, SE_ERR_USAGE, text);
    print_message(cli, text);
    return EXIT_USAGE;
}

void cli_message(const struct cli *cli, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_formatted(cli, format, args);
    va_end(args);
}

void cli_warn(const struct cli *cli, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (!cli->quiet)
        print_formatted(cli, format, args);
    va_end(args);
}

bool cli_shows_progress(const struct cli *cli)
{
    return strcmp(cli->progress, "always") == 0 ||
           (strcmp(cli->progress, "auto") == 0 && !cli->quiet && isatty(STDERR_FILENO));
}

bool cli_is_chatty(const struct cli *cli)
{
    return !cli->quiet && !cli->json && (cli->verbose || isatty(STDERR_FILENO));
}

void cli_done(const struct cli *cli, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (cli_is_chatty(cli))
        print_formatted(cli, format, args);
    va_end(args);
}

/* ---- the engine ---- */

const char *cli_config(const struct cli *cli)
{
    const char *named = getenv("SIGNENGINE_CONFIG");

    if (cli->config)
        return cli->config;
    return named && *named ? named : SYSCONFDIR "/signengine/engineSignEncrypt.xml";
}

int cli_choose_service(struct cli *cli, bool served)
{
    const char *named = getenv("SIGNENGINE_SOCKET"), *config = getenv("SIGNENGINE_CONFIG");
    const bool in_environment = named && *named && served && !cli->config;

    if (cli->socket && cli->config)
        return cli_usage(cli, "--config and --socket together: the service at the socket has a "
                              "configuration of its own");
    if (cli->socket && !served)
        return cli_usage(cli, "it is not served over a socket; run it where the configuration is");
    if (!cli->socket && in_environment && config && *config)
        return cli_usage(cli, "SIGNENGINE_SOCKET and SIGNENGINE_CONFIG are both set: --socket or "
                              "--config says which");
    cli->address = cli->socket ? cli->socket : in_environment ? named : NULL;
    return EXIT_DONE;
}

static void report_finding(void *arg, const se_report *finding)
{
    struct cli *cli = arg;

    cli->warned += !finding->error;
    if (!finding->error && (cli->quiet || !(cli->warnings || cli->verbose)))
        return;
    if (!finding->line && !finding->error)
        cli_warn(cli, "warning: %s", finding->text);
    if (!finding->line)
        return; /* cli_fail() prints an error of the file as a whole */
    cli->reported = cli->reported || finding->error;
    (void)fprintf(stderr, "%s:%d: %s%s\n", finding->file, finding->line,
                  finding->error ? "" : "warning: ", finding->text);
}

static bool is_about_version(const se_event *event)
{
    return event->kind == SE_EVENT_VERSION_SWITCHED || event->kind == SE_EVENT_VERSION_LATE;
}

static void print_event_json(const se_event *event)
{
    json_t *object =
        json_pack("{s:s, s:o, s:i, s:s, s:o}", "event", se_event_name(event->kind), "key",
                  json_text(event->key), "replica", (int)event->replica, "status",
                  se_status_name(event->status), "text", json_text(event->text));

    if (object && is_about_version(event))
        (void)json_object_update_new(object, json_pack("{s:o, s:i}", "descriptor",
                                                       json_text(event->descriptor), "version",
                                                       (int)event->version));
    if (object && event->kind == SE_EVENT_OPERATION)
        (void)json_object_update_new(
            object,
            json_pack("{s:s, s:o, s:i, s:I, s:I, s:I, s:s, s:f, s:s, s:s}", "operation",
                      event->operation, "descriptor", json_text(event->descriptor), "version",
                      (int)event->version, "bytes", (json_int_t)event->bytes, "items",
                      (json_int_t)event->items, "failed", (json_int_t)event->failed, "digest",
                      event->digest, "ms", (double)event->duration_us / 1000, "requestSent",
                      event->request_sent, "requestAnswered", event->request_answered));
    if (object && !json_dumpf(object, stderr, JSON_COMPACT))
        (void)fputc('\n', stderr);
    json_decref(object);
}

/* "key 'k' replica 2: failed over: why".  Of operations only those that the log of a vault has,
 * too. */
static void report_event(const struct cli *cli, const se_event *event)
{
    char line[1300];

    if (event->kind == SE_EVENT_OPERATION && !*event->request_sent)
        return;
    if (cli->json) {
        print_event_json(event);
        return;
    }
    if (event->kind == SE_EVENT_OPERATION)
        (void)snprintf(line, sizeof line, "key '%s': %s: request %s, answered as %s", event->key,
                       event->operation, event->request_sent,
                       *event->request_answered ? event->request_answered : "nothing");
    else if (is_about_version(event))
        (void)snprintf(line, sizeof line, "descriptor '%s': %s: %s", event->descriptor,
                       se_event_name(event->kind), event->text);
    else
        (void)snprintf(line, sizeof line, "key '%s' replica %u: %s%s%s", event->key, event->replica,
                       se_event_name(event->kind), *event->text ? ": " : "", event->text);
    print_message(cli, line);
}

static void hear_event(void *arg, const se_event *event)
{
    struct cli *cli = arg;

    recording_take_event(&cli->recording, event);
    if (cli->verbose)
        report_event(cli, event);
}

const se_revocation_params *cli_config_revocation(struct cli *cli)
{
    return revocation_options_read(&cli->config_revocation_params, &cli->config_revocation);
}

se_options cli_options(struct cli *cli)
{
    se_options options = SE_OPTIONS_INIT;

    options.report = report_finding;
    options.report_arg = cli;
    options.event = cli->verbose || cli->audit.count ? hear_event : NULL;
    options.event_arg = cli;
    options.trust_config = cli->trust_config;
    options.config_revocation = cli_config_revocation(cli);
    return options;
}

int cli_open(se_engine **out, struct cli *cli, se_error *err)
{
    se_options options = cli_options(cli);

    return recording_open(&cli->recording, cli->audit.items, cli->audit.count, err) ||
                   se_open(out, cli_config(cli), &options, err) ||
                   recording_begin(&cli->recording, *out, err)
               ? cli_fail(cli, err)
               : EXIT_DONE;
}

/* ---- options that several commands have ---- */

/* A name may hold a colon: only digits after the last one are a version. */
int descriptor_read(struct descriptor_option *out, const struct cli *cli, const char *text)
{
    const char *colon = text ? strrchr(text, ':') : NULL;
    unsigned long version = 0;
    size_t length;

    if (!text || !*text)
        return cli_usage(cli, "which descriptor? say -d NAME");
    length = colon && text_number(&version, colon + 1, INT32_MAX) ? (size_t)(colon - text)
                                                                  : strlen(text);
    if (length >= sizeof out->name)
        return cli_usage(cli, "a descriptor's name of %zu characters", length);
    (void)snprintf(out->name, sizeof out->name, "%.*s", (int)length, text);
    out->version = (unsigned)version;
    return EXIT_DONE;
}

const struct option_row consent_rows[] = {
    { .name = "yes",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct consent_options, yes),
      .help = "do not ask" },
    { .name = "dry-run",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct consent_options, dry_run),
      .help = "only say what would go" },
    { .name = NULL },
};

static bool ask_yes(const struct consent_question *q)
{
    char answer[8] = "";

    (void)fprintf(stderr, "This goes for good:\n%s", q->loss);
    if (q->reason)
        (void)fprintf(stderr, "%c%s.\n", toupper(*q->reason), q->reason + 1);
    (void)fprintf(stderr, "%s Type yes: ", q->question);
    return fgets(answer, sizeof answer, stdin) && strcmp(answer, "yes\n") == 0;
}

void loss_rows_open(struct loss_rows *rows)
{
    rows->out = open_memstream(&rows->text, &rows->size);
}

const char *loss_rows_text(const struct loss_rows *rows)
{
    if (rows->out)
        (void)fflush(rows->out); /* which sets the text */
    return rows->text ? rows->text : "";
}

void loss_rows_close(struct loss_rows *rows)
{
    if (rows->out)
        (void)fclose(rows->out);
    free(rows->text);
    *rows = (struct loss_rows){ .out = NULL };
}

se_status consent_ask(const struct consent_question *q, se_error *err)
{
    if (isatty(STDIN_FILENO))
        return ask_yes(q) ? SE_OK : error_set(err, SE_ERR_USAGE, "nothing is %s", q->done);
    return error_set(err, SE_ERR_USAGE,
                     "%s%swithout a terminal to ask on, %s says that it is meant",
                     q->reason ? q->reason : "", q->reason ? ": " : "", q->option);
}
