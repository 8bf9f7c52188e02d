#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/json.h"

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

const char *cli_config(const struct cli *cli)
{
    const char *named = getenv("SIGNENGINE_CONFIG");

    if (cli->config)
        return cli->config;
    return named && *named ? named : SYSCONFDIR "/signengine/engineSignEncrypt.xml";
}

/* Arguments can hold anything: error_set() makes one line of it. */
static void print_message(const struct cli *cli, const char *text)
{
    se_error line = SE_ERROR_INIT;

    (void)error_set(&line, SE_ERR_USAGE, "%s", text);
    (void)fprintf(stderr, "signengine: %s%s%s\n", cli->command ? cli->command : "",
                  cli->command ? ": " : "", line.text);
}

static void answer(const struct cli *cli, se_status status, const char *text)
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
    answer(cli, err->status, err->text);
    if (!cli->told || err->status != SE_ERR_CONFIG)
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

int cli_usage(const struct cli *cli, const char *format, ...)
{
    char text[500];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    answer(cli, SE_ERR_USAGE, text);
    print_message(cli, text);
    return EXIT_USAGE;
}

void cli_tell(const struct cli *cli, const char *format, ...)
{
    char text[1000];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    print_message(cli, text);
}

void cli_warn(const struct cli *cli, const char *format, ...)
{
    char text[500];
    va_list args;

    if (cli->quiet)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    print_message(cli, text);
}

bool cli_talks(const struct cli *cli)
{
    return !cli->quiet && !cli->json && (cli->verbose || isatty(STDERR_FILENO));
}

void cli_done(const struct cli *cli, const char *format, ...)
{
    char text[1000];
    va_list args;

    if (!cli_talks(cli))
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    print_message(cli, text);
}

static void report(void *arg, const se_report *finding)
{
    struct cli *cli = arg;

    cli->warned += !finding->error;
    if (!finding->error && (cli->quiet || !(cli->warnings || cli->verbose)))
        return;
    if (!finding->line && !finding->error)
        cli_warn(cli, "warning: %s", finding->text);
    if (!finding->line)
        return; /* an error of the file as a whole is what cli_fail() tells */
    cli->told = cli->told || finding->error;
    (void)fprintf(stderr, "%s:%d: %s%s\n", finding->file, finding->line,
                  finding->error ? "" : "warning: ", finding->text);
}

/* "key 'k' replica 2: failed over: why" */
static void tell_change(void *arg, const se_event *event)
{
    const struct cli *cli = arg;
    char line[1300];

    if (event->kind == SE_EVENT_OPERATION)
        return;
    (void)snprintf(line, sizeof line, "key '%s' replica %u: %s%s%s", event->key, event->replica,
                   se_event_name(event->kind), *event->text ? ": " : "", event->text);
    print_message(cli, line);
}

se_options cli_options(struct cli *cli)
{
    se_options options = SE_OPTIONS_INIT;

    options.report = report;
    options.report_arg = cli;
    options.event = cli->verbose ? tell_change : NULL;
    options.event_arg = cli;
    options.trust_config = cli->trust_config;
    return options;
}

int cli_open(se_engine **out, struct cli *cli, se_error *err)
{
    se_options options = cli_options(cli);

    return se_open(out, cli_config(cli), &options, err) ? cli_fail(cli, err) : EXIT_DONE;
}
