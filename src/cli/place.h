/* Which key a `key` command is about: one of the configuration, or one that options describe. */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

#include <stdio.h>

#include "cli/cli.h"
#include "provision/provision.h"

struct place_options {
    const char *module, *init_args, *slot, *token_label, *token_serial, *file, *alias, *pin_source;
    unsigned replica;
};

/* `type` has a member `place`. */
#define PLACE_ROW(type, name, kind, member, argument, help)                                        \
    {                                                                                              \
        0, (name), (kind), offsetof(type, place.member), (argument), (help), NULL                  \
    }
#define PLACE_ROWS(type)                                                                           \
    PLACE_ROW(type, "replica", OPTION_NUMBER, replica, "N", "which <type> of the key, from 1"),    \
        PLACE_ROW(type, "pin-source", OPTION_TEXT, pin_source, "SOURCE",                           \
                  "env:NAME, file:PATH, credential:NAME, fd:N or prompt"),                         \
        PLACE_ROW(type, "module", OPTION_TEXT, module, "LIB",                                      \
                  "without configuration: the PKCS #11 module"),                                   \
        PLACE_ROW(type, "slot", OPTION_TEXT, slot, "ID", "its slot"),                              \
        PLACE_ROW(type, "token-label", OPTION_TEXT, token_label, "LABEL",                          \
                  "or its token, by label"),                                                       \
        PLACE_ROW(type, "token-serial", OPTION_TEXT, token_serial, "SERIAL",                       \
                  "or by serial number"),                                                          \
        PLACE_ROW(type, "init-args", OPTION_TEXT, init_args, "TEXT",                               \
                  "what the module wants at C_Initialize"),                                        \
        PLACE_ROW(type, "file", OPTION_TEXT, file, "PATH",                                         \
                  "without configuration: the PKCS #12 or PEM file"),                              \
        PLACE_ROW(type, "alias", OPTION_TEXT, alias, "LABEL", "what the key is called there")
#define END_ROW                                                                                    \
    {                                                                                              \
        .name = NULL                                                                               \
    }

/* Takes KEY from the front of the operands when neither --module nor --file is given; an exit
 * status. */
int place_open(struct target **out, struct cli *cli, const struct place_options *options, int *argc,
               char ***argv);

/* Whether the options leave open which key it is. */
bool place_is_open(const struct place_options *options);

/* The same for commands that take nothing but KEY. */
int place_open_only(struct target **out, struct cli *cli, const struct place_options *options,
                    int argc, char **argv);

/* Rows on standard output, for people or as JSON: what was asked for, and what was made, which
 * --quiet leaves out. */
struct provision_report place_report(const struct cli *cli);
struct provision_report place_report_to(FILE *out); /* for people; NULL: to nobody */
struct provision_report place_news(const struct cli *cli);

/* Which key of a configuration the rows are about, where they are about several. */
struct place_row {
    FILE *out;
    const char *key;
    unsigned replica; /* 0: it has one only */
    size_t count;     /* of rows so far */
};
struct provision_report place_report_of(const struct cli *cli, struct place_row *whose);
void place_tell_none(const struct cli *cli, const struct place_row *whose);

#endif
