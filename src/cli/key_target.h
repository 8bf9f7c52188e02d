/* SPDX-License-Identifier: Apache-2.0 */
/* Which key a `key` command is about: one of the configuration, or one that options describe. */
#ifndef CLI_KEY_TARGET_H
#define CLI_KEY_TARGET_H

#include <stdio.h>

#include "cli/cli.h"
#include "provision/provision.h"

struct key_target_options {
    const char *module, *init_args, *slot, *token_label, *token_serial, *file, *alias, *pin_source;
    unsigned replica;
};

extern const struct option_row key_target_rows[];

/* Takes KEY from the front of the operands when neither --module nor --file is given; an exit
 * status. */
int key_target_open(struct target **out, struct cli *cli, const struct key_target_options *options,
                    int *argc, char ***argv);

/* Whether the options leave open which key it is. */
bool key_target_is_unnamed(const struct key_target_options *options);

/* The same for commands that take nothing but KEY. */
int key_target_open_only(struct target **out, struct cli *cli,
                         const struct key_target_options *options, int argc, char **argv);

/* Splits "DNS:a,DNS:b" in place; NULL: there are none. */
enum { KEY_NAMES_MOST = 64 };
size_t key_names_split(const char *out[KEY_NAMES_MOST], char *names);

/* Rows on standard output, for people or as JSON: those asked for, and news of what was made, which
 * --quiet leaves out. */
struct provision_report key_report(const struct cli *cli);
struct provision_report key_report_to(FILE *out); /* for people; NULL: to nobody */
struct provision_report key_report_news(const struct cli *cli);

/* Which key of a configuration the rows are about, where they are about several. */
struct key_owner {
    FILE *out;
    const char *key;
    unsigned replica; /* 0: it has one only */
    size_t count;     /* of rows so far */
};
struct provision_report key_report_of(const struct cli *cli, struct key_owner *whose);
void print_no_key(const struct cli *cli, const struct key_owner *whose);

/* Asks before a key goes for good. */
struct key_consent {
    struct cli *cli;
    const struct target *target;
    const char *verb, *done; /* "Delete", "deleted" */
    const char *thing;       /* NULL: the key */
    const char *option;      /* what says that it is meant */
    bool meant;
    bool always; /* asks about a key that no descriptor uses, too */
    struct loss_rows rows;
};

/* Fill in all up to `always`; all of it must outlive the result.  Release with
 * key_consent_free().
 */
struct provision_consent key_consent_open(struct key_consent *consent,
                                          const struct consent_options *options);
void key_consent_free(struct key_consent *consent);
AUTO_KIND(key_consent, struct key_consent, key_consent_free(p))

extern const struct option_row key_consent_rows[]; /* of consent_options */

#endif
