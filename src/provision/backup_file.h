/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backup of a key as a file (doc/formats.md): CMS AuthEnvelopedData (RFC 5083) with AES-256-GCM
 * (RFC 5084) in PEM, which whoever has one of the recovery keys opens with OpenSSL alone.
 */
#ifndef PROVISION_BACKUP_FILE_H
#define PROVISION_BACKUP_FILE_H

#include "crypto/key.h"

enum { BACKUP_RSA_LEAST = 3072, BACKUP_RECIPIENTS_MOST = 24 };

/* Whether a backup for the holder of its key is as safe as the key itself is to be.  SE_ERR_POLICY:
 * it is not, or the certificate may not be used so, or not any more. */
SE_MUST_CHECK se_status recovery_certificate_check(X509 *certificate, se_error *err);

/* `title` is written in clear in front, for people: lines, each with its end. */
SE_MUST_CHECK se_status backup_file_seal(se_buf *out, se_bytes content, const char *title,
                                         const STACK_OF(X509) * recipients, se_error *err);

/* Whether it is CMS, if not of what kind. */
bool backup_file_is(se_bytes file);

/*
 * What backup_file_seal() was given.  `recovery` has both halves; NULL: there is none, and the
 * failure says whose is needed.  SE_ERR_USAGE: there is none; SE_ERR_FORMAT: it is no backup, cut,
 * or for others; SE_ERR_REJECTED: it was changed.
 */
SE_MUST_CHECK se_status backup_file_open(se_buf *out, se_bytes file, const struct key *recovery,
                                         se_error *err);

#endif
