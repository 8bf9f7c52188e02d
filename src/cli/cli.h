/* What the commands share. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/buf.h"
#include "cli/options.h"

/* sysexits(3), where it has a word for it; doc/signengine.1 lists them */
enum {
    EXIT_DONE = 0,
    EXIT_REFUSED = 1,
    EXIT_USAGE = 64,
    EXIT_DATA = 65,
    EXIT_NO_INPUT = 66,
    EXIT_UNAVAILABLE = 69,
    EXIT_INTERNAL = 70,
    EXIT_NO_OUTPUT = 73,
    EXIT_ACCESS = 77,
    EXIT_CONFIG = 78,
};

struct cli {
    const char *config;       /* path */
    const char *trust_config; /* CAs that must have signed it; NULL: it need not be signed */
    const char *progress;
    bool json, quiet, verbose, retry_pin, help, version;

    char **arguments;    /* of the process, as they came */
    const char *command; /* its name, for messages */
    bool warnings;       /* the command is about the configuration: its warnings are told too */
    size_t warned;       /* how many there were */
    bool told;           /* the findings of the configuration are on stderr already */
    bool taken;         /* standard output is for what the command makes: nothing else goes there */
    const char *judged; /* what the command verifies: a refusal is an answer about it */
};

/* The configuration that the command line, the environment or the system says. */
const char *cli_config(const struct cli *cli);

/* That tell the configuration's findings on stderr, and with --verbose what happens to keys. */
se_options cli_options(struct cli *cli);

/* Opens the engine and tells the configuration's findings on stderr.  An exit status; the caller
 * closes *out. */
int cli_open(se_engine **out, struct cli *cli, se_error *err);

/* "signengine: COMMAND: text" on stderr, and with --json an object on standard output; returns the
 * exit status. */
int cli_fail(const struct cli *cli, const se_error *err);
/* The same, but 73 when something could not be written, or is there already. */
int cli_fail_output(const struct cli *cli, const se_error *err);
int cli_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line on stderr. */
void cli_tell(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line for people, on stderr, unless --quiet. */
void cli_warn(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether somebody reads what cli_done() tells. */
bool cli_talks(const struct cli *cli);
/* A line about what was done, when there is somebody to read it: on a terminal, or with --verbose.
 */
void cli_done(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

int exit_status(se_status status);

AUTO_KIND(engine, se_engine *, se_close(p))

#endif
