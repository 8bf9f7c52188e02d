/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence records as they are written (RFC 4998, 3.1 and 4.1, whose module has implicit tags).
 *
 * A record is a list of chains, a chain a list of archive time stamps.  All of a chain have one
 * digest algorithm; each stamp covers the one before, and the first of a chain the files and the
 * chains before.
 */
#ifndef EVIDENCE_SYNTAX_H
#define EVIDENCE_SYNTAX_H

#include <openssl/asn1.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "crypto/content_digest.h"

/* PartialHashtree: hashes that are children of one node. */
typedef STACK_OF(ASN1_OCTET_STRING) hash_list;
DEFINE_STACK_OF(ASN1_OCTET_STRING)
DEFINE_STACK_OF(hash_list)

/* ArchiveTimeStamp */
typedef struct archive_stamp {
    X509_ALGOR *digest; /* NULL: that of the token's imprint */
    STACK_OF(ASN1_TYPE) * attributes;
    STACK_OF(hash_list) * tree; /* reducedHashtree; NULL: the token is of a single hash */
    ASN1_TYPE *token;           /* a ContentInfo, in DER once it has been read */
} archive_stamp;
DEFINE_STACK_OF(archive_stamp)

/* ArchiveTimeStampChain */
typedef STACK_OF(archive_stamp) stamp_chain;
DEFINE_STACK_OF(stamp_chain)

/* EvidenceRecord */
struct evidence_record {
    ASN1_INTEGER *version;
    STACK_OF(X509_ALGOR) * digests;
    STACK_OF(ASN1_TYPE) * crypto_infos;
    STACK_OF(ASN1_TYPE) * encryption;
    STACK_OF(stamp_chain) * chains;
};
void evidence_free(struct evidence_record *record); /* accepts NULL */
AUTO_KIND(evidence, struct evidence_record *, evidence_free(*p))

/* Without chains. */
SE_MUST_CHECK se_status evidence_new(struct evidence_record **out, se_error *err);

/*
 * In DER, with nothing behind it.  All that evidence_chain_digest() and the functions of hash trees
 * presume is so afterwards.
 * SE_ERR_FORMAT: it is none, or has parts that are not read; SE_ERR_REJECTED: one of its digest
 * algorithms is too weak or not known, or a token is none.
 */
SE_MUST_CHECK se_status evidence_read(struct evidence_record **out, se_bytes der, se_error *err);
SE_MUST_CHECK se_status evidence_write(se_buf *out, const struct evidence_record *record,
                                       se_error *err);

/* Of a chain that is not empty. */
enum digest evidence_chain_digest(const stamp_chain *chain);
stamp_chain *evidence_last_chain(const struct evidence_record *record);

/* Borrowed. */
se_bytes stamp_token(const archive_stamp *stamp);
se_bytes octet_bytes(const ASN1_OCTET_STRING *string);

/* By that algorithm, of the DER of all chains before the one at `index`, as they stand in their
 * sequence (RFC 4998, 5.2). */
SE_MUST_CHECK se_status evidence_hash_chains(struct content_digest *out,
                                             const struct evidence_record *record, int index,
                                             enum digest digest, se_error *err);

/*
 * Adds an archive time stamp, to the last chain or to a new one; `tree` is moved, and may be NULL.
 * The token is put into DER first, as others hash it.
 */
struct stamp_addition {
    bool new_chain;
    enum digest digest;
    STACK_OF(hash_list) * tree;
    se_bytes token;
};
SE_MUST_CHECK se_status evidence_add_stamp(struct evidence_record *record,
                                           struct stamp_addition *addition, se_error *err);

void hash_lists_free(STACK_OF(hash_list) * lists); /* accepts NULL */
AUTO_KIND(hash_lists, STACK_OF(hash_list) *, hash_lists_free(*p))

#endif
