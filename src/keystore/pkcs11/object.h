/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of a token: searched by template, read attribute by attribute; those that a keyref means;
 * certificates. */
#ifndef KEYSTORE_PKCS11_OBJECT_H
#define KEYSTORE_PKCS11_OBJECT_H

#include "config/config.h"
#include "crypto/key.h"
#include "keystore/pkcs11/session.h"

enum { OBJECTS_MOST = 64, QUERY_MOST = 4 };

struct objects {
    CK_OBJECT_HANDLE list[OBJECTS_MOST];
    size_t count;
};

/* Attributes to search by; `type` takes any CKA_, values are borrowed. */
struct query {
    CK_ATTRIBUTE list[QUERY_MOST];
    CK_ULONG count;
};
struct query query_class(const CK_OBJECT_CLASS *class);
void query_add(struct query *query, CK_ATTRIBUTE_TYPE type, se_bytes value);

/* The first OBJECTS_MOST that fit; none is SE_OK as well. */
SE_MUST_CHECK se_status object_find(struct objects *out, struct session *session,
                                    const struct query *query, se_error *err);

/* All that fit, however many: CK_OBJECT_HANDLEs. */
SE_MUST_CHECK se_status object_find_all(se_buf *out, struct session *session,
                                        const struct query *query, se_error *err);
static inline size_t objects_count(const se_buf *all)
{
    return all->size / sizeof(CK_OBJECT_HANDLE);
}
CK_OBJECT_HANDLE objects_at(const se_buf *all, size_t i);

/* Empty when the object has no such attribute or keeps it to itself. */
SE_MUST_CHECK se_status object_bytes(se_buf *out, struct session *session, CK_OBJECT_HANDLE object,
                                     CK_ATTRIBUTE_TYPE type, se_error *err);
bool object_flag(struct session *session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                 bool otherwise);

/* Whether a private key may leave its token under a key of anybody's. */
bool object_may_leave(struct session *session, CK_OBJECT_HANDLE object);

/* "certificate 'a', certificate 'b', private key 'a'": those nearest to `alias` of what the session
 * may see. */
void object_list(struct writer *out, struct session *session, const char *alias);

extern const CK_OBJECT_CLASS class_certificate, class_public, class_private;

/* Text of a token, of `size` bytes, blank-padded, as a C string of up to `room` - 1: what is not
 * UTF-8 shows as '?'. */
void token_text(char *out, size_t room, const CK_UTF8CHAR *text, size_t size);

/* ---- the objects that a keyref means: by CKA_ID, or by label ---- */

/*
 * Whether a label is the one that was written.  What messages and lists show of it counts: some
 * tokens end their labels with a NUL or blanks, and letters with accents are one character to one
 * program and two to another (Unicode, UAX #15).
 */
bool label_is(se_bytes label, const char *written);

enum meant_by {
    MEANT_EXACTLY,  /* with ref->id, and no other label than the alias; without one, with the alias
                       as label */
    MEANT_BY_LOOKS, /* with a label that looks like the alias: what is tried when none is exactly so
                     */
};

/* Of what `base` searches; none is SE_OK as well. */
SE_MUST_CHECK se_status meant_find(struct objects *out, struct session *session,
                                   const struct query *base, const struct keyref *ref,
                                   enum meant_by by, se_error *err);

/* Either way: whether the session sees such a certificate or private key. */
bool meant_exists(struct session *session, const struct keyref *ref);

/* "'alias'", "with CKA_ID 0a1b", or "of the certificate", for messages. */
struct meant_name {
    char text[300];
};
const char *meant_name(struct meant_name *out, const struct keyref *ref);

/* ---- certificates ---- */

struct token_cert {
    X509 *certificate;
    se_buf id; /* CKA_ID: what its private key has too */
};

struct token_certs {
    struct token_cert list[OBJECTS_MOST]; /* the first is the one to use (certificate_precedes()) */
    size_t count;
};

/* What searches for X.509 certificates. */
struct query token_certs_query(void);

/* The certificates of those objects; what can't be parsed is passed over. */
SE_MUST_CHECK se_status token_certs_load(struct token_certs *out, struct session *session,
                                         const struct objects *found, se_error *err);
void token_certs_free(struct token_certs *certs);
AUTO_KIND(token_certs, struct token_certs, token_certs_free(p))

/* The issuers of `certificate` on the token and in `more` (which may be NULL), nearest first; *out
 * is NULL when there are none. */
SE_MUST_CHECK se_status token_certs_chain(STACK_OF(X509) * *out, struct session *session,
                                          X509 *certificate, const STACK_OF(X509) * more,
                                          se_error *err);

#endif
