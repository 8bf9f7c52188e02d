/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backups of keys, keys from backups, and copies of keys, whatever store the key is in: that of a
 * key in a file or a token is made for recovery certificates, a vault's own can be read by the
 * vault alone.  All in doc/formats.md.
 *
 * The statuses are provision.h's, and: SE_ERR_POLICY: a certificate is not one to back up for;
 * SE_ERR_REJECTED: the backup was changed.
 */
#ifndef PROVISION_KEY_BACKUP_H
#define PROVISION_KEY_BACKUP_H

#include "provision/provision.h"

/* What is in a backup. */
struct backup_row {
    const char *kind; /* "key", "certificate"; static */
    char id[512];     /* hexadecimal, as key_row.id; of a vault: its address */
    char type[32];    /* "RSA-3072"; "" of a vault */
    char subject[256];
    size_t recipients;  /* who can open it; 0: the vault alone */
    unsigned threshold; /* how many of them together; 0: each alone */
    bool is_wrapped;    /* by its token: it was never in clear */
    bool is_opened;     /* with the recovery key */
    bool is_compared;   /* with the key, or its certificate, that is there */
    const char *way;    /* of what is wrapped, how it came back; static, NULL: it did not */
};

/* Where recovery keys are: one, or several that open a backup together. */
struct recovery_targets {
    const struct target *const *list;
    size_t count; /* 0: there is none */
};

struct backup_wish {
    const char *const *certificates; /* files with one recovery certificate each, PEM or DER */
    size_t certificate_count;
    unsigned threshold; /* how many of their keys open it together, from 2; 0: each alone */
    struct recovery_targets recovery; /* open what was made; none: nobody tries whether it opens */
    bool is_untried;                  /* what a token gives is not tried on it */
};

/* `row` tells what is in *out. */
SE_MUST_CHECK se_status provision_backup(se_buf *out, struct backup_row *row,
                                         const struct target *target,
                                         const struct backup_wish *wish, se_error *err);

struct restore_wish {
    se_bytes file;
    const char *name;                 /* the file's, for messages */
    struct recovery_targets recovery; /* may be none: a vault needs none */
    bool force;                       /* in place of a key that is there, or of another key */
    bool is_exportable;               /* may leave the token that it is restored to */
    const struct provision_consent *consent; /* dry_run: ends when the backup is opened and
                                                compared; one of a vault is not looked at */
};
/* Reports the key as it is then; a vault's own has no such row. */
SE_MUST_CHECK se_status provision_restore(struct backup_row *row, struct target *target,
                                          const struct restore_wish *wish,
                                          const struct provision_report *report, se_error *err);

/* Puts the key of `from` into `to` as well, and reports it as it is there.  `how`: its file, name,
 * password and authorities are not looked at.  SE_ERR_USAGE: the key does not leave its store
 * in clear. */
SE_MUST_CHECK se_status provision_copy(struct target *to, const struct target *from,
                                       const struct provision_import *how,
                                       const struct provision_report *report, se_error *err);

#endif
