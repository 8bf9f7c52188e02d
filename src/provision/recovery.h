/* SPDX-License-Identifier: Apache-2.0 */
/* What making a backup and restoring one have in common: the recovery keys, the text of a key, and
 * the ways in which one that its token has wrapped comes back. */
#ifndef PROVISION_RECOVERY_H
#define PROVISION_RECOVERY_H

#include "provision/backup/backup_file.h"
#include "provision/import.h"
#include "provision/key_backup.h"
#include "provision/keystore.h"

/* ---- recovery keys ---- */

struct recovery {
    struct key *keys[BACKUP_READERS_MOST];
    const struct keyref *places[BACKUP_READERS_MOST]; /* borrowed */
    size_t count;
};
void recovery_free(struct recovery *recovery);
AUTO_KIND(recovery, struct recovery, recovery_free(p))

/* The targets outlive it. */
SE_MUST_CHECK se_status recovery_open(struct recovery *out, const struct recovery_targets *targets,
                                      se_error *err);
SE_MUST_CHECK se_status recovery_open_file(struct backup_content *out, se_bytes file,
                                           const struct recovery *recovery, se_error *err);

/* ---- the text of a key: PEM, as `key import` takes it ---- */

SE_MUST_CHECK se_status key_text_write(se_buf *out, const struct key *key, se_error *err);
/* The same of a key that its token has wrapped; it is in clear then. */
SE_MUST_CHECK se_status key_text_unwrap(se_buf *out, struct wrapped_key *wrapped,
                                        const struct recovery *recovery, size_t reader,
                                        se_error *err);
/* As a restore reads it.  A key that is not whole would sign wrongly, and a single faulty signature
 * may give it away. */
SE_MUST_CHECK se_status key_text_read(struct imported_key *out, se_bytes text, const char *name,
                                      se_error *err);

void backup_row_fill(struct backup_row *row, X509 *certificate);

/* ---- how it comes back to a token ---- */

/*
 * Finds out whether and how the token takes it, and what it signs; content->wrapped is ready for
 * put_wrapped() then.  *way: static, for people.  A failure is the token's: software may still open
 * it.
 */
SE_MUST_CHECK se_status recovery_try_token(const char **way, struct keystore *keystore,
                                           struct backup_content *content,
                                           const struct recovery *recovery, se_error *err);

#endif
