/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands share. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <jansson.h>
#include <stdio.h>

#include "base/buf.h"
#include "cli/common_options.h"
#include "cli/options.h"
#include "cli/recording.h"

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
    struct revocation_options config_revocation; /* of who signed it */
    se_revocation_params config_revocation_params;
    const char *progress;
    /* of a signengined that is asked instead */
    const char *socket, *client_certificate, *client_key, *client_key_pin, *ca, *tag;
    unsigned timeout; /* seconds */
    bool json, quiet, verbose, retry_pin, help, version;
    struct option_list audit; /* sinks */

    const char *address; /* of the signengined that does it; NULL: this process does */
    char **arguments;    /* of the process, as they came */
    const char *command; /* its name, for messages */
    bool warnings;       /* the command is about the configuration: its warnings are printed too */
    size_t warned;       /* how many there were */
    int64_t next_progress_ms; /* of a store that is at work (key_target.c) */
    bool reported;            /* the findings of the configuration are on stderr already */
    bool taken;         /* standard output is for what the command makes: nothing else goes there */
    const char *judged; /* what the command verifies: a refusal is an answer about it */
    struct recording recording;
    bool stuck; /* a thread of it is still at work */
};

/* The configuration that the command line, the environment or the system says. */
const char *cli_config(const struct cli *cli);

/*
 * The signengined that the command line or the environment says, to cli->address; none if neither
 * does, or if it is the environment and --config says otherwise. `served`: whether one does the
 * command at all.  An exit status.
 */
int cli_choose_service(struct cli *cli, bool served);

/* They print the configuration's findings on stderr, and with --verbose what happens to keys. With
 * --audit what the engine does is recorded. */
se_options cli_options(struct cli *cli);
/* How the configuration's signer is looked at, by the global options; NULL: not at all. */
const se_revocation_params *cli_config_revocation(struct cli *cli);

/* Opens the engine and prints the configuration's findings on stderr.  An exit status; the caller
 * closes *out.  What --audit needs is there then, and has room. */
int cli_open(se_engine **out, struct cli *cli, se_error *err);

/* "signengine: COMMAND: text" on stderr, and with --json an object on standard output; returns the
 * exit status. */
int cli_fail(const struct cli *cli, const se_error *err);
/* The same, but 73 when something could not be written, or is there already. */
int cli_fail_output(const struct cli *cli, const se_error *err);
int cli_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line on stderr. */
void cli_message(const struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A line for people, on stderr, unless --quiet. */
void cli_warn(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether --progress, or without it the terminal, wants to see that something takes time. */
bool cli_shows_progress(const struct cli *cli);

/* Whether somebody reads what cli_done() prints. */
bool cli_is_chatty(const struct cli *cli);
/* A line about what was done, when there is somebody to read it: on a terminal, or with --verbose.
 */
void cli_done(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

int exit_status(se_status status);

/* A step of a command: leaves the function with its exit status unless it is done. */
#define TRY_EXIT(call)                                                                             \
    do {                                                                                           \
        int tried = (call);                                                                        \
        if (tried)                                                                                 \
            return tried;                                                                          \
    } while (0)

/* ---- results for machines: one JSON object per line on standard output ---- */

/* Prints `object` and releases it; false: it could not be made or written. */
bool json_line(json_t *object);

/* Whether that was so of any of them. */
bool json_is_lost(void);

/*
 * Names of files, of zip entries, and on tokens and in certificates come in any encoding; JSON is
 * UTF-8.  Bytes that are not become U+FFFD, so that no row is lost because of a name.  null for
 * NULL.
 */
json_t *json_text(const char *text);

/* A time as "2026-01-31T12:00:00Z"; null for 0. */
json_t *json_time(int64_t seconds);

/* ---- options that several commands have ---- */

/* `-d NAME[:VERSION]` */
struct descriptor_option {
    char name[256];
    unsigned version; /* 0: not given */
};
/* An exit status: `text` may be missing. */
int descriptor_read(struct descriptor_option *out, const struct cli *cli, const char *text);

/* What goes for good is asked about first; with --dry-run it is only shown. */
struct consent_options {
    bool yes, dry_run;
};
extern const struct option_row consent_rows[];

/* Lines about what goes, kept until the question. */
struct loss_rows {
    FILE *out; /* writes what goes to `text`; NULL: out of memory, or not open */
    char *text;
    size_t size;
};
void loss_rows_open(struct loss_rows *rows);
const char *loss_rows_text(const struct loss_rows *rows); /* so far */
void loss_rows_close(struct loss_rows *rows);

/* What is asked on a terminal; without one it is refused. */
struct consent_question {
    const char *loss;     /* lines about what goes */
    const char *question; /* "Delete key 'one'?" */
    const char *reason;   /* to ask although another option said that it is meant; may be NULL */
    const char *done;     /* "deleted" */
    const char *option;   /* the one that says that it is meant */
};
SE_MUST_CHECK se_status consent_ask(const struct consent_question *q, se_error *err);

AUTO_KIND(engine, se_engine *, se_close(p))

#endif
