/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A wrapped key as a file: CMS EnvelopedData (RFC 5652, 6.1; doc/formats.md), made from what a
 * token gave and nothing else.  OpenSSL reads it, and has no way to make it from parts.
 */
#ifndef PROVISION_BACKUP_WRAPPED_FILE_H
#define PROVISION_BACKUP_WRAPPED_FILE_H

#include "provision/backup/wrapped_key.h"

/* For the holders of the certificates: key->sealed is for them, in the same order. */
SE_MUST_CHECK se_status wrapped_key_encode(se_buf *der, const struct wrapped_key *key,
                                           const STACK_OF(X509) * readers, se_error *err);
/* The same for the holder of a secret key of FILE_KEY bytes called `name`: key->file_key is
 * known. */
SE_MUST_CHECK se_status wrapped_key_encode_secret(se_buf *der, const struct wrapped_key *key,
                                                  const se_buf *secret, se_bytes name,
                                                  se_error *err);

/* One that was read. */
struct wrapped_file;
void wrapped_file_free(struct wrapped_file *file); /* accepts NULL */
AUTO_KIND(wrapped_file, struct wrapped_file *, wrapped_file_free(*p))

/* SE_ERR_FORMAT: it is none of these. */
SE_MUST_CHECK se_status wrapped_file_read(struct wrapped_file **out, se_bytes der, se_error *err);

/* All but the file key. */
SE_MUST_CHECK se_status wrapped_file_key(struct wrapped_key *out, const struct wrapped_file *file,
                                         se_error *err);

/* The file key as it is for the holder of that certificate, to out->sealed.  SE_ERR_FORMAT: there
 * is none, or not as `key backup` makes it. */
SE_MUST_CHECK se_status wrapped_file_find(struct wrapped_key *out, const struct wrapped_file *file,
                                          X509 *reader, se_error *err);
/* The file key for the holder of the secret key.  SE_ERR_REJECTED: it is under another. */
SE_MUST_CHECK se_status wrapped_file_find_secret(struct wrapped_key *out,
                                                 const struct wrapped_file *file,
                                                 const se_buf *secret, se_error *err);

/* Whose certificates it is for, as "serial 0A of 'CN=...', serial ..."; files know no subjects. */
void wrapped_file_readers(struct writer *w, const struct wrapped_file *file);
void write_reader(struct writer *w, const X509_NAME *issuer, const ASN1_INTEGER *serial);

#endif
