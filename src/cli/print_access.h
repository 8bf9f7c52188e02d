/* SPDX-License-Identifier: Apache-2.0 */
/* What commands say of who may do what. */
#ifndef CLI_PRINT_ACCESS_H
#define CLI_PRINT_ACCESS_H

#include "cli/cli.h"

AUTO_KIND(access, se_access *, se_access_close(p))

/* "FileSigner, EncryptedFields:1, history default"; "" for none */
void write_access_targets(struct writer *w, const se_access_row *row);

/* "sign, verify" */
void write_access_operations(struct writer *w, const se_access_row *row);

/* Three lines for people: the row, who, and what. */
void print_access_row(const se_access_row *row);

/* The row as an object. */
json_t *json_access_row(const se_access_row *row);

#endif
