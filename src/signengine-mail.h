/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signengine-mail.h: sign and verify mail as S/MIME (RFC 8551).
 *
 * Link with libsignengine-mail. What signengine.h says of threads, errors, ownership and units
 * holds here too.
 */
#ifndef SIGNENGINE_MAIL_H
#define SIGNENGINE_MAIL_H

#include <signengine.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SE_MAIL_CHANGED 256

/* What was done, or found. */
typedef struct se_mail {
    se_signer signer; /* `address`: the sender's, that the certificate names */
    bool passed;  /* signing: it was signed or encrypted already and went through as it was; nobody
                     signed */
    bool opaque;  /* verifying: application/pkcs7-mime, not multipart/signed */
    bool nested;  /* verifying: what was signed is signed itself */
    bool protect; /* verifying: the message's header was signed too (RFC 9788) */
    char changed[SE_MAIL_CHANGED]; /* verifying: names of fields that were signed and are others
                                      outside, ", " between them */
    bool encrypted;                /* signing: `passed`, and it says that it is encrypted */
} se_mail;

typedef struct se_mail_sign_params {
    size_t size;        /* sizeof(se_mail_sign_params) */
    unsigned version;   /* of the descriptor; 0: the current one */
    int64_t time;       /* the signingTime; 0: now */
    const char *sender; /* mail address that the certificate must name; NULL: that of the From
                           field */
    bool opaque;  /* application/pkcs7-mime, which relays can't harm and only S/MIME programs can
                     read */
    bool protect; /* the message's header is signed too (RFC 9788) */
    bool again;   /* also what is signed or encrypted already */
    se_progress_fn progress; /* may be NULL */
    void *progress_arg;
    const char *tag;              /* as se_sign_params.tag */
    bool at_any_time;             /* as se_sign_params.at_any_time */
    const char *tsa, *tsa_policy; /* as in se_sign_params */
} se_mail_sign_params;
#define SE_MAIL_SIGN_PARAMS_INIT                                                                   \
    {                                                                                              \
        sizeof(se_mail_sign_params), 0, 0, NULL, false, false, false, NULL, NULL, NULL, false,     \
            NULL, NULL                                                                             \
    }

typedef struct se_mail_verify_params {
    size_t size;            /* sizeof(se_mail_verify_params) */
    unsigned version;       /* of the descriptor; 0: whichever signed */
    int64_t time;           /* when certificates must be valid; 0: now */
    const char *sender;     /* mail address that the certificate must name; NULL: that of the From
                               field */
    const char *trust;      /* PEM file of CA certificates; any signer below them is accepted */
    const char *trust_tsa;  /* as se_verify_params.trust_tsa */
    const se_sink *content; /* gets what was signed, a MIME entity with CRLF; not to be used before
                               SE_OK; may be NULL */
    const se_sink *header;  /* gets the message's header; may be NULL */
    se_bytes outside; /* of what was inside a signature: the header of the message around it; empty:
                         it is the message */
    se_progress_fn progress; /* may be NULL */
    void *progress_arg;
    const char *tag;                        /* as se_sign_params.tag */
    const se_revocation_params *revocation; /* as se_verify_params.revocation */
} se_mail_verify_params;
#define SE_MAIL_VERIFY_PARAMS_INIT                                                                 \
    {                                                                                              \
        sizeof(se_mail_verify_params), 0, 0, NULL, NULL, NULL, NULL, NULL, { NULL, 0 }, NULL,      \
            NULL, NULL, NULL                                                                       \
    }

/*
 * Signs a message (RFC 5322, lines ending with LF or CRLF) as S/MIME (RFC 8551), in constant
 * memory. Its header stays in order and to the byte, but for the fields of MIME, which move inside.
 * What is signed is rewritten so that no relay has a reason to change it. `done` (what was done)
 * and `params` may be NULL. What `out` got before a failure is worthless. SE_ERR_POLICY: among
 * others, the certificate does not name the sender. SE_ERR_FORMAT: not a message, or one without
 * one address in one From field.
 */
SE_MUST_CHECK se_status se_mail_sign(const se_sink *out, se_mail *done, se_engine *engine,
                                     const char *descriptor, const se_source *in,
                                     const se_mail_sign_params *params, se_error *error);

/*
 * Verifies the outermost signature of a message, in constant memory; for one inside it call it
 * again with what the content got, params->sender and params->outside. `out` may be NULL.
 * SE_ERR_REJECTED: the signature is not good or not the sender's, there is none, there is something
 * that it does not cover, or the header that was signed is another one. SE_ERR_FORMAT: not a
 * message, or one that mail programs read in different ways.
 */
SE_MUST_CHECK se_status se_mail_verify(se_mail *out, se_engine *engine, const char *descriptor,
                                       const se_source *in, const se_mail_verify_params *params,
                                       se_error *error);

/*
 * Calls `fn` for each version of `descriptor` that has made the outermost signature of a message,
 * as that says itself: se_find_versions() of signengine.h for messages. SE_ERR_FORMAT: not a
 * message.
 */
SE_MUST_CHECK se_status se_mail_find_versions(se_engine *engine, const char *descriptor,
                                              const se_source *in, se_version_fn fn, void *arg,
                                              se_error *error);

/*
 * The one mail address in the value of a From field, its domain as the DNS has it ("xn--");
 * NUL-terminated, the NUL not counted. SE_ERR_FORMAT: none, or several.
 */
SE_MUST_CHECK se_status se_mail_address(se_buf *out, const char *from, se_error *error);

#ifdef __cplusplus
}
#endif
#endif
