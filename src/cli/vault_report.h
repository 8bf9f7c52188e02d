/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands for keys in vaults share: which key, what they ask, what they print. */
#ifndef CLI_VAULT_REPORT_H
#define CLI_VAULT_REPORT_H

#include <stdio.h>

#include "cli/key_target.h"
#include "provision/vault_admin.h"

/* Of key_target_options, what there is to say of a key in a vault. */
extern const struct option_row vault_target_rows[];

/* An exit status: the operands begin with KEY. */
int vault_target_open(struct target **out, struct cli *cli,
                      const struct key_target_options *options, int *argc, char ***argv);
int vault_target_open_only(struct target **out, struct cli *cli,
                           const struct key_target_options *options, int argc, char **argv);

/* Asks before something goes for good; all of it must outlive the result. */
struct vault_asking {
    const struct cli *cli;
    const char *done; /* "purged" */
    bool is_meant;
    struct loss_rows rows;
};
struct vault_consent vault_asking_open(struct vault_asking *asking, const struct cli *cli,
                                       const struct consent_options *options, const char *done);
void vault_asking_free(struct vault_asking *asking);
AUTO_KIND(vault_asking, struct vault_asking, vault_asking_free(p))

/* The object on standard output with --json, else a line when somebody reads it. */
void print_vault_object(const struct cli *cli, const struct vault_object *object, const char *done);

#endif
