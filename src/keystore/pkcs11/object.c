#include "keystore/pkcs11/object.h"

#include "base/choice.h"
#include "keystore/pkcs11/slot.h"

enum { ATTRIBUTE_MOST = 1 << 20, DESCRIBED_MOST = 100 };

const CK_OBJECT_CLASS class_certificate = CKO_CERTIFICATE, class_public = CKO_PUBLIC_KEY,
                      class_private = CKO_PRIVATE_KEY;

struct query query_class(const CK_OBJECT_CLASS *class)
{
    struct query q = { 0 };

    query_add(&q, CKA_CLASS, (se_bytes){ class, sizeof *class });
    return q;
}

void query_add(struct query *query, CK_ATTRIBUTE_TYPE type, se_bytes value)
{
    /* PKCS #11 has one struct for what is read and what is written: a search only reads */
    query->list[query->count++] = (CK_ATTRIBUTE){ type, (void *)value.data, value.size };
}

se_status object_find(struct objects *out, struct session *session, const struct query *query,
                      se_error *err)
{
    CK_ATTRIBUTE list[QUERY_MOST];
    CK_ULONG n = 0;
    CK_RV rv;

    *out = (struct objects){ .count = 0 };
    memcpy(list, query->list, sizeof list);
    if ((rv = session->calls->C_FindObjectsInit(session->handle, list, query->count)) != CKR_OK)
        return session_error(err, session, rv, "cannot search the token");
    /* some tokens give fewer than they could, so only an empty answer is the end */
    do {
        rv = session->calls->C_FindObjects(session->handle, out->list + out->count,
                                           OBJECTS_MOST - out->count, &n);
        out->count += rv == CKR_OK && n <= OBJECTS_MOST - out->count ? n : 0;
    } while (rv == CKR_OK && n && out->count < OBJECTS_MOST);
    session_note(session, session->calls->C_FindObjectsFinal(session->handle));
    return rv == CKR_OK ? SE_OK : session_error(err, session, rv, "cannot search the token");
}

se_status object_find_all(se_buf *out, struct session *session, const struct query *query,
                          se_error *err)
{
    CK_ATTRIBUTE list[QUERY_MOST];
    AUTO(writer) handles = { 0 };
    CK_OBJECT_HANDLE some[OBJECTS_MOST];
    CK_ULONG n = 0;
    CK_RV rv;

    *out = (se_buf)SE_BUF_INIT;
    memcpy(list, query->list, sizeof list);
    if ((rv = session->calls->C_FindObjectsInit(session->handle, list, query->count)) != CKR_OK)
        return session_error(err, session, rv, "cannot search the token");
    do {
        rv = session->calls->C_FindObjects(session->handle, some, OBJECTS_MOST, &n);
        if (rv == CKR_OK && n > OBJECTS_MOST)
            rv = CKR_GENERAL_ERROR;
        writer_put(&handles, some, rv == CKR_OK ? n * sizeof *some : 0);
    } while (rv == CKR_OK && n);
    session_note(session, session->calls->C_FindObjectsFinal(session->handle));
    return rv == CKR_OK ? writer_finish(out, &handles, err)
                        : session_error(err, session, rv, "cannot search the token");
}

CK_OBJECT_HANDLE objects_at(const se_buf *all, size_t i)
{
    CK_OBJECT_HANDLE handle;

    memcpy(&handle, all->data + i * sizeof handle, sizeof handle);
    return handle;
}

static bool is_missing(CK_RV rv, const CK_ATTRIBUTE *a)
{
    return rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE ||
           (rv == CKR_OK && a->ulValueLen == CK_UNAVAILABLE_INFORMATION);
}

se_status object_bytes(se_buf *out, struct session *session, CK_OBJECT_HANDLE object,
                       CK_ATTRIBUTE_TYPE type, se_error *err)
{
    CK_ATTRIBUTE a = { type, NULL, 0 };
    AUTO(se_buf) value = SE_BUF_INIT;
    CK_RV rv = session->calls->C_GetAttributeValue(session->handle, object, &a, 1);

    *out = (se_buf)SE_BUF_INIT;
    if (is_missing(rv, &a))
        return SE_OK;
    if (rv != CKR_OK)
        return session_error(err, session, rv, "cannot read attribute 0x%lx", type);
    if (a.ulValueLen > ATTRIBUTE_MOST)
        return error_set(err, SE_ERR_KEY,
                         "attribute 0x%lx has %lu bytes, more than an object can have", type,
                         a.ulValueLen);
    TRY(buf_new(&value, a.ulValueLen, err));
    a.pValue = value.data;
    rv = session->calls->C_GetAttributeValue(session->handle, object, &a, 1);
    if (rv == CKR_OK && a.ulValueLen > value.size)
        rv = CKR_BUFFER_TOO_SMALL;
    if (rv != CKR_OK)
        return session_error(err, session, rv, "cannot read attribute 0x%lx", type);
    value.size = a.ulValueLen;
    *out = buf_move(&value);
    return SE_OK;
}

bool object_flag(struct session *session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                 bool otherwise)
{
    CK_BBOOL flag = CK_FALSE;
    CK_ATTRIBUTE a = { type, &flag, sizeof flag };
    CK_RV rv = session->calls->C_GetAttributeValue(session->handle, object, &a, 1);

    session_note(session, rv);
    return rv == CKR_OK && a.ulValueLen == sizeof flag ? flag != CK_FALSE : otherwise;
}

/* NSS gives private keys no label: their CKA_ID is what there is to see. */
static void describe(struct choice *out, struct session *session, CK_OBJECT_HANDLE object,
                     const char *what)
{
    AUTO(se_buf) label = SE_BUF_INIT;
    AUTO(se_buf) id = SE_BUF_INIT;
    AUTO(writer) shown = { 0 };
    char text[65];

    if (object_bytes(&label, session, object, CKA_LABEL, NULL) ||
        object_bytes(&id, session, object, CKA_ID, NULL))
        return;
    token_text(text, sizeof text, label.data, label.size);
    writer_format(&shown, *text ? "%s '%s'" : "%s without label, CKA_ID ", what, text);
    for (size_t i = 0; !*text && i < id.size && i < 20; i++)
        writer_format(&shown, "%02x", id.data[i]);
    choice_add(out, text, writer_string(&shown));
}

static void list_class(struct choice *out, struct session *session, const CK_OBJECT_CLASS *class,
                       const char *what)
{
    struct query query = query_class(class);
    AUTO(se_buf) found = SE_BUF_INIT;
    size_t count;

    if (object_find_all(&found, session, &query, NULL))
        return;
    count = objects_count(&found);
    for (size_t i = 0; i < count && i < DESCRIBED_MOST; i++)
        describe(out, session, objects_at(&found, i), what);
    out->count += count > DESCRIBED_MOST ? count - DESCRIBED_MOST : 0;
}

void object_list(struct writer *out, struct session *session, const char *alias)
{
    struct choice choice = { .wanted = alias };

    list_class(&choice, session, &class_certificate, "certificate");
    list_class(&choice, session, &class_private, "private key");
    choice_write(out, &choice);
    if (!choice.count)
        writer_text(out, session->logged_in ? "nothing" : "nothing to be seen without a login");
}
