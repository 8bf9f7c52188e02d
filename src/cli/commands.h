/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line is one, and three programs do the work: what needs databases or GMime is in
 * programs of its own, as git does it, so that signing a file does not load them.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/cli.h"

struct command_name {
    const char *name; /* up to three words */
    const char *operands, *summary;
    const char *program; /* that runs it */
};

/* Up to a NULL name. */
extern const struct command_name command_names[];

struct command {
    const char *name;
    const struct option_row *options; /* NULL: none, and no size */
    size_t options_size;              /* of the struct that they fill in */
    enum recorded recorded;           /* by --audit */
    bool served;                      /* a signengined does it, too */
    int (*run)(struct cli *cli, void *options, int argc, char **argv); /* returns the exit status */
};

extern const struct command command_check, command_config_fingerprint, command_config_show,
    command_config_sign, command_config_verify, command_config_diff, command_access_list,
    command_access_test, command_sign, command_verify, command_certificates, command_jws_sign,
    command_jws_verify, command_jwt_sign, command_jwt_verify, command_key_jwks, command_encrypt,
    command_decrypt, command_rekey, command_rotate, command_retire, command_mail_sign,
    command_mail_verify, command_mail_signers, command_pin_scramble, command_key_init,
    command_key_list, command_key_generate, command_key_request, command_key_import,
    command_key_certificate, command_key_delete, command_key_recover, command_key_purge,
    command_key_backup, command_key_restore, command_key_copy, command_key_rotate,
    command_key_roles_list, command_key_roles_grant, command_key_roles_revoke,
    command_evidence_make, command_evidence_renew, command_evidence_verify,
    command_key_store_backup, command_key_store_restore, command_key_store_status, command_zip_sign,
    command_zip_verify, command_zip_encrypt, command_zip_decrypt, command_history_create,
    command_history_append, command_history_head, command_history_verify, command_history_show,
    command_history_export, command_history_prove, command_history_verify_proof,
    command_history_erase, command_history_prune, command_history_resign, command_history_end,
    command_history_list;

/* Those of this program, besides `help` and `version`; NULL is behind the last. */
extern const struct command *const commands[];

/* Audit sinks that are histories; NULL: this program has none. */
extern const struct sink_type *const command_histories;

/* The options of all commands. */
extern const struct option_row global_options[];

/* The command that the arguments name first, and how many words that are; NULL: they name none. */
const struct command_name *command_find_name(int *words, int argc, char **argv);
/* NULL: another program runs it. */
const struct command *command_find(const struct command_name *name);

/* The longest group that the arguments begin with, "key" or "key roles", and how many words that
 * are; 0 and "": none. */
enum { COMMAND_GROUP = 64 };
int command_find_group(char group[COMMAND_GROUP], int argc, char **argv);

/* The words of a command's name that come behind those of a group, all of them behind ""; NULL: it
 * is not in the group. */
const char *command_behind_group(const struct command_name *name, const char *group);

/* Says what is wrong with the name of a command; returns the exit status. */
int command_reject(const struct cli *cli, int argc, char **argv);

void help_print(void);
void help_print_group(const char *group);
void help_print_command(const struct command *command);

/* Where a program of ours is: beside this one where nothing is installed yet.  Released with
 * free(), NULL: out of memory. */
char *command_program_path(const char *program);

/*
 * Becomes the program that runs the command, with the same arguments.  Comes back, with an exit
 * status, only when there is none.
 */
int command_hand_over(const struct cli *cli, const struct command_name *name);

#endif
