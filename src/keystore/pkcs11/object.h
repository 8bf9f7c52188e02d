/* Objects of a token: searched by template, read attribute by attribute. */
#ifndef KEYSTORE_PKCS11_OBJECT_H
#define KEYSTORE_PKCS11_OBJECT_H

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

/* "certificate 'a', certificate 'b', private key 'a'": those nearest to `alias` of what the session
 * may see. */
void object_list(struct writer *out, struct session *session, const char *alias);

extern const CK_OBJECT_CLASS class_certificate, class_public, class_private;

#endif
