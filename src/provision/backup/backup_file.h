/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backup of a key as a file (doc/formats.md): CMS in PEM, behind lines for people.  Who has one
 * of the recovery keys, or enough of them, opens it with OpenSSL and gfcombine(1) alone.
 */
#ifndef PROVISION_BACKUP_BACKUP_FILE_H
#define PROVISION_BACKUP_BACKUP_FILE_H

#include "provision/backup/key_shares.h"
#include "provision/backup/wrapped_key.h"

enum { BACKUP_RSA_LEAST = 3072, BACKUP_READERS_MOST = SHARES_MOST };

/* Whether a backup for the holder of its key is as safe as the key itself is to be.  SE_ERR_POLICY:
 * it is not, or the certificate may not be used so, or not any more. */
SE_MUST_CHECK se_status recovery_certificate_check(X509 *certificate, se_error *err);

/* Who opens it. */
struct backup_readers {
    STACK_OF(X509) * certificates;
    unsigned threshold; /* how many of them together, from 2; 0: each alone */
};

/* The one or the other. */
struct backup_content {
    se_buf text;                /* the key in PEM, with its certificates */
    struct wrapped_key wrapped; /* as its token has wrapped it, if there are certificates in it */
    size_t reader;              /* of one that was opened: which recovery key it is for */
};
static inline void backup_content_free(struct backup_content *content)
{
    se_buf_free(&content->text);
    wrapped_key_free(&content->wrapped);
}
AUTO_KIND(backup_content, struct backup_content, backup_content_free(p))

static inline bool backup_is_wrapped(const struct backup_content *content)
{
    return content->wrapped.certificates;
}

/* `title` is written in clear in front, for people: lines, each with its end.  With a threshold
 * the file key of what is wrapped is known. */
SE_MUST_CHECK se_status backup_file_seal(se_buf *out, const struct backup_content *content,
                                         const char *title, const struct backup_readers *readers,
                                         se_error *err);

/* Whether it is CMS, if not of what kind. */
bool backup_file_is(se_bytes file);

/* Keys of which each opens a backup, or that open one together; they have both halves. */
struct recovery_keys {
    const struct key *const *list;
    size_t count; /* 0: there are none, and the failure says whose are needed */
};

/*
 * What backup_file_seal() was given.  Of what is wrapped, the file key stays in
 * out->wrapped.sealed, unless it took several to open.  SE_ERR_USAGE: there is no recovery key, or
 * not enough of them; SE_ERR_FORMAT: it is no backup, cut, or for others; SE_ERR_REJECTED: it was
 * changed.
 */
SE_MUST_CHECK se_status backup_file_open(struct backup_content *out, se_bytes file,
                                         const struct recovery_keys *recovery, se_error *err);

#endif
