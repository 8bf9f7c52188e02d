/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret text for others: CMS AuthEnvelopedData (RFC 5083) with AES-256-GCM (RFC 5084), which
 * whoever has one of the keys opens with OpenSSL alone.
 */
#ifndef PROVISION_BACKUP_BACKUP_CMS_H
#define PROVISION_BACKUP_BACKUP_CMS_H

#include <openssl/types.h>

#include "crypto/key.h"

/* A secret key that several hold together, and what it is called. */
struct backup_secret {
    const se_buf *key; /* 32 bytes */
    se_bytes name;
};

/* DER, for the holder of each of the certificates.  Never several in one when each has another
 * content. */
SE_MUST_CHECK se_status backup_cms_seal(se_buf *der, se_bytes content,
                                        const STACK_OF(X509) * readers, se_error *err);
SE_MUST_CHECK se_status backup_cms_seal_secret(se_buf *der, se_bytes content,
                                               const struct backup_secret *secret, se_error *err);

/* Any CMS.  SE_ERR_FORMAT: it is none. */
struct CMS_ContentInfo_st; /* CMS_ContentInfo; its header wants to come after others */
void backup_cms_free(struct CMS_ContentInfo_st *cms); /* accepts NULL */
AUTO_KIND(backup_cms, struct CMS_ContentInfo_st *, backup_cms_free(*p))
SE_MUST_CHECK se_status backup_cms_read(struct CMS_ContentInfo_st **out, se_bytes der,
                                        se_error *err);

/* Of which kind it is: an OpenSSL NID, as NID_id_smime_ct_authEnvelopedData. */
int backup_cms_kind(const struct CMS_ContentInfo_st *cms);
/* Whether it is for the holder of that certificate. */
bool backup_cms_is_for(struct CMS_ContentInfo_st *cms, X509 *reader);
/* How the secret key is called that opens it; empty: certificates do. */
se_bytes backup_cms_secret_name(struct CMS_ContentInfo_st *cms);
/* Whose certificates it is for, as write_reader() has it. */
void backup_cms_readers(struct writer *w, struct CMS_ContentInfo_st *cms);

/* What was sealed.  SE_ERR_REJECTED: it was changed, or the key is another. */
SE_MUST_CHECK se_status backup_cms_open(se_buf *out, struct CMS_ContentInfo_st *cms,
                                        const struct key *reader, se_error *err);
SE_MUST_CHECK se_status backup_cms_open_secret(se_buf *out, struct CMS_ContentInfo_st *cms,
                                               const struct backup_secret *secret, se_error *err);

#endif
