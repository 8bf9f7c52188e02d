/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats turn a job into bytes and back.  They see bytes and keys, never files, stores or the
 * configuration. To add one: one file, one row in engine/sign.c.
 */
#ifndef CRYPTO_SIGNATURE_H
#define CRYPTO_SIGNATURE_H

#include "base/stream.h"
#include "config/policy.h"
#include "crypto/content_digest.h"
#include "crypto/key.h"
#include "crypto/revocation_report.h"

/* What XML signatures have besides; NULL: not given. */
struct xml_wish {
    const char *id;  /* of the element that is signed; NULL: the document */
    const char *uri; /* of the content of a detached one */
    bool inclusive;  /* signing: C14N 1.0; otherwise exclusive C14N */
};

/* By whom a signature is stamped. */
struct stamp_wish {
    const char *urls;   /* of authorities, with blanks between them, tried in turn; NULL: no time
                           stamp */
    const char *policy; /* OID of the one that they have to follow; NULL: any */
};

/* Gets a time stamp of what has that digest: of a signature, where it becomes an unsigned
 * attribute, or of a hash tree. */
struct stamper {
    se_status (*stamp)(se_buf *token, const struct stamp_wish *wish,
                       const struct content_digest *digest, se_error *err);
    struct stamp_wish wish;
};

struct sign_job {
    const struct algorithm *algorithm; /* a signature algorithm that fits the key */
    struct key *key;
    int64_t time;
    bool pem;
    bool capabilities; /* sMIMECapabilities */
    struct stream *in;
    se_bytes given; /* detached forms: the content's digest, and `in` is empty; empty: none */
    struct content_digest *digest; /* gets that of what is signed, as soon as it is known */
    const se_sink *out;
    struct xml_wish xml;
    struct stamper stamper;
};

/* A certificate that may have signed, and what it signs with. */
struct expected_signer {
    X509 *certificate;
    const struct algorithm *algorithm;
    unsigned version;
    const STACK_OF(X509) * issuers; /* of it; may be NULL */
};

struct verify_job {
    const struct expected_signer *candidates;
    size_t count;
    X509_STORE *roots; /* not NULL: the signer must chain to one of them, candidates only give him a
                          version */
    bool renewals;     /* of `roots`: so does another certificate of a candidate's key */
    X509_STORE
    *tsa_roots;           /* to which time stamping authorities must chain; NULL: none is trusted */
    enum purpose purpose; /* that the chain must be for */
    int64_t time;         /* when the chain must be valid */
    se_bytes signature;   /* empty: `in` is an attached signature */
    const se_source *later; /* not NULL: gives the signature, after the end of `in` */
    struct stream *in;
    se_bytes given;         /* detached forms: the content's digest, and `in` is empty */
    const se_sink *content; /* of an attached signature; may be NULL */
    struct xml_wish xml;
    const struct revocation_rules *revocation; /* NULL: it is not looked at */
};

/* What the time stamp of a signature is worth. */
struct stamp {
    int64_t time;        /* 0: there is none that counts */
    int64_t accuracy_us; /* by how much it may be wrong; 0: not said */
    int64_t not_after;   /* of its authority's certificate */
    char authority[256];
    char ignored[256]; /* why it does not count */
};

/* Who signed; start it with zeroes. */
struct verdict {
    X509 *certificate; /* counted, released by verdict_free() */
    const struct algorithm *algorithm;
    const struct expected_signer *candidate; /* NULL: only `roots` vouch for him */
    int64_t signing_time;                    /* 0: not said */
    struct content_digest digest; /* of the content as it is, not as the signature says */
    struct stamp stamp;
    STACK_OF(X509) * brought; /* certificates that the signature has; counted, may be NULL */
};
void verdict_free(struct verdict *verdict);
AUTO_KIND(verdict, struct verdict, verdict_free(p))

struct signature_format {
    const char *name;
    se_status (*sign)(const struct sign_job *job, se_error *err);
    /* SE_ERR_REJECTED: not a good signature of a candidate; SE_ERR_FORMAT: not a signature at all.
     */
    se_status (*verify)(struct verdict *out, const struct verify_job *job, se_error *err);
};

/* NULL: there is no such form. */
const struct signature_format *signature_format_find(se_form form);

#endif
