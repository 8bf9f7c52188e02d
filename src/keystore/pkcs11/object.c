/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/pkcs11/object.h"

#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <uninorm.h>

#include "base/choice.h"
#include "base/clock.h"
#include "base/text.h"
#include "crypto/certificate.h"

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

static se_status search_failed(struct session *session, CK_RV rv, se_error *err)
{
    return session_error(err, session, rv, "cannot search the token");
}

static CK_RV search_begin(struct session *session, const struct query *query)
{
    CK_ATTRIBUTE list[QUERY_MOST];

    memcpy(list, query->list, sizeof list);
    return session->calls->C_FindObjectsInit(session->handle, list, query->count);
}

se_status object_find(struct objects *out, struct session *session, const struct query *query,
                      se_error *err)
{
    CK_ULONG n = 0;
    CK_RV rv = search_begin(session, query);

    *out = (struct objects){ .count = 0 };
    if (rv != CKR_OK)
        return search_failed(session, rv, err);
    /* some tokens give fewer than they could, so only an empty answer is the end */
    do {
        rv = session->calls->C_FindObjects(session->handle, out->list + out->count,
                                           OBJECTS_MOST - out->count, &n);
        out->count += rv == CKR_OK && n <= OBJECTS_MOST - out->count ? n : 0;
    } while (rv == CKR_OK && n && out->count < OBJECTS_MOST);
    session_note(session, session->calls->C_FindObjectsFinal(session->handle));
    return rv == CKR_OK ? SE_OK : search_failed(session, rv, err);
}

se_status object_find_all(se_buf *out, struct session *session, const struct query *query,
                          se_error *err)
{
    AUTO(writer) handles = { 0 };
    CK_OBJECT_HANDLE some[OBJECTS_MOST];
    CK_ULONG n = 0;
    CK_RV rv = search_begin(session, query);

    *out = (se_buf)SE_BUF_INIT;
    if (rv != CKR_OK)
        return search_failed(session, rv, err);
    do {
        rv = session->calls->C_FindObjects(session->handle, some, OBJECTS_MOST, &n);
        if (rv == CKR_OK && n > OBJECTS_MOST)
            rv = CKR_GENERAL_ERROR;
        writer_put(&handles, some, rv == CKR_OK ? n * sizeof *some : 0);
    } while (rv == CKR_OK && n);
    session_note(session, session->calls->C_FindObjectsFinal(session->handle));
    return rv == CKR_OK ? writer_finish(out, &handles, err) : search_failed(session, rv, err);
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

bool object_may_leave(struct session *session, CK_OBJECT_HANDLE object)
{
    return object_flag(session, object, CKA_EXTRACTABLE, false) &&
           !object_flag(session, object, CKA_WRAP_WITH_TRUSTED, false);
}

/* Bytes of the UTF-8 character at `text`; 0: it is not one. */
static size_t utf8_length(const unsigned char *text, size_t size)
{
    unsigned long value;
    int n = UTF8_getc(text, size > 6 ? 6 : (int)size, &value);

    return n > 0 ? (size_t)n : 0;
}

void token_text(char *out, size_t room, const CK_UTF8CHAR *text, size_t size)
{
    size_t used = 0;

    /* some tokens pad with NUL where the standard says blanks */
    while (size && (text[size - 1] == ' ' || text[size - 1] == '\0'))
        size--;
    for (size_t i = 0, n; i < size; i += n ? n : 1) {
        n = utf8_length(text + i, size - i);
        if (used + (n ? n : 1) >= room)
            break;
        if (n)
            memcpy(out + used, text + i, n);
        else
            out[used] = '?';
        used += n ? n : 1;
    }
    out[used] = '\0';
}

/* NSS gives private keys no label: their CKA_ID is what there is to see. */
static void describe_object(struct choice *out, struct session *session, CK_OBJECT_HANDLE object,
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

static void describe_class(struct choice *out, struct session *session,
                           const CK_OBJECT_CLASS *class, const char *what)
{
    struct query query = query_class(class);
    AUTO(se_buf) found = SE_BUF_INIT;
    size_t count;

    if (object_find_all(&found, session, &query, NULL))
        return;
    count = objects_count(&found);
    for (size_t i = 0; i < count && i < DESCRIBED_MOST; i++)
        describe_object(out, session, objects_at(&found, i), what);
    out->count += count > DESCRIBED_MOST ? count - DESCRIBED_MOST : 0;
}

void object_list(struct writer *out, struct session *session, const char *alias)
{
    struct choice choice = { .wanted = alias };

    describe_class(&choice, session, &class_certificate, "certificate");
    describe_class(&choice, session, &class_private, "private key");
    choice_write(out, &choice);
    if (!choice.count)
        writer_text(out, session->logged_in ? "nothing" : "nothing to be seen without a login");
}

/* ---- the objects that a keyref means ---- */

enum { LABEL_ROOM = 256 };

static bool is_same_text(const char *a, const char *b)
{
    size_t a_size = 0, b_size = 0;
    uint8_t *x, *y;
    bool same;

    x = u8_normalize(UNINORM_NFC, (const uint8_t *)a, strlen(a), NULL, &a_size);
    y = u8_normalize(UNINORM_NFC, (const uint8_t *)b, strlen(b), NULL, &b_size);
    same = x && y && a_size == b_size && !CRYPTO_memcmp(x, y, a_size);
    free(x);
    free(y);
    return same;
}

bool label_is(se_bytes label, const char *written)
{
    char shown[LABEL_ROOM], wanted[LABEL_ROOM];

    token_text(shown, sizeof shown, label.data, label.size);
    token_text(wanted, sizeof wanted, (const CK_UTF8CHAR *)written, strlen(written));
    if (strcmp(shown, wanted) == 0)
        return true;
    return !text_is_ascii(shown) && !text_is_ascii(wanted) && is_same_text(shown, wanted);
}

static se_status keep_labelled(struct objects *out, struct session *session, const se_buf *handles,
                               const struct keyref *ref, se_error *err)
{
    out->count = 0;
    for (size_t i = 0; i < objects_count(handles) && out->count < OBJECTS_MOST; i++) {
        AUTO(se_buf) label = SE_BUF_INIT;
        CK_OBJECT_HANDLE object = objects_at(handles, i);

        TRY(object_bytes(&label, session, object, CKA_LABEL, err));
        if (label.size ? label_is(buf_bytes(&label), ref->alias) : ref->id.size > 0)
            out->list[out->count++] = object;
    }
    return SE_OK;
}

static se_status meant_by_looks(struct objects *out, struct session *session,
                                const struct query *base, const struct keyref *ref, se_error *err)
{
    AUTO(se_buf) all = SE_BUF_INIT;

    TRY(object_find_all(&all, session, base, err));
    return keep_labelled(out, session, &all, ref, err);
}

/* An object of another label is not what was meant, if a label was. */
static se_status meant_by_id(struct objects *out, struct session *session, struct query query,
                             const struct keyref *ref, se_error *err)
{
    query_add(&query, CKA_ID, buf_bytes(&ref->id));
    return *ref->alias ? meant_by_looks(out, session, &query, ref, err)
                       : object_find(out, session, &query, err);
}

se_status meant_find(struct objects *out, struct session *session, const struct query *base,
                     const struct keyref *ref, enum meant_by by, se_error *err)
{
    struct query query = *base;

    out->count = 0;
    if (ref->id.size)
        return by == MEANT_EXACTLY ? meant_by_id(out, session, query, ref, err) : SE_OK;
    if (!*ref->alias)
        return SE_OK;
    if (by == MEANT_BY_LOOKS)
        return meant_by_looks(out, session, base, ref, err);
    query_add(&query, CKA_LABEL, text_bytes(ref->alias));
    return object_find(out, session, &query, err);
}

bool meant_exists(struct session *session, const struct keyref *ref)
{
    const CK_OBJECT_CLASS *const classes[] = { &class_certificate, &class_private };

    for (enum meant_by by = MEANT_EXACTLY; by <= MEANT_BY_LOOKS; by++)
        for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
            struct query query = query_class(classes[i]);
            struct objects found;

            if (!meant_find(&found, session, &query, ref, by, NULL) && found.count)
                return true;
        }
    return false;
}

const char *meant_name(struct meant_name *out, const struct keyref *ref)
{
    size_t used = (size_t)snprintf(out->text, sizeof out->text,
                                   *ref->alias    ? "'%.250s'"
                                   : ref->id.size ? "with CKA_ID "
                                                  : "of the certificate",
                                   ref->alias);

    for (size_t i = 0; !*ref->alias && i < ref->id.size && i < 64; i++)
        used +=
            (size_t)snprintf(out->text + used, sizeof out->text - used, "%02x", ref->id.data[i]);
    return out->text;
}

/* ---- certificates ---- */

void token_certs_free(struct token_certs *certs)
{
    for (size_t i = 0; i < certs->count; i++) {
        X509_free(certs->list[i].certificate);
        se_buf_free(&certs->list[i].id);
    }
    certs->count = 0;
}

static void insert_certificate(struct token_certs *certs, const struct token_cert *cert)
{
    size_t i = certs->count++;
    int64_t at = clock_seconds();

    for (; i && certificate_precedes(cert->certificate, certs->list[i - 1].certificate, at); i--)
        certs->list[i] = certs->list[i - 1];
    certs->list[i] = *cert;
}

static se_status add_certificate(struct token_certs *certs, struct session *session,
                                 CK_OBJECT_HANDLE object, se_error *err)
{
    AUTO(se_buf) der = SE_BUF_INIT;
    struct token_cert cert = { NULL, SE_BUF_INIT };
    se_status st = object_bytes(&der, session, object, CKA_VALUE, err);

    if (st || certificate_parse(&cert.certificate, buf_bytes(&der), NULL))
        return st;
    if ((st = object_bytes(&cert.id, session, object, CKA_ID, err))) {
        X509_free(cert.certificate);
        return st;
    }
    insert_certificate(certs, &cert);
    return SE_OK;
}

struct query token_certs_query(void)
{
    static const CK_CERTIFICATE_TYPE x509 = CKC_X_509;
    struct query query = query_class(&class_certificate);

    query_add(&query, CKA_CERTIFICATE_TYPE, (se_bytes){ &x509, sizeof x509 });
    return query;
}

se_status token_certs_load(struct token_certs *out, struct session *session,
                           const struct objects *found, se_error *err)
{
    se_status st = SE_OK;

    out->count = 0;
    for (size_t i = 0; !st && i < found->count; i++)
        st = add_certificate(out, session, found->list[i], err);
    if (st)
        token_certs_free(out);
    return st;
}

static se_status push_counted(STACK_OF(X509) * pool, X509 *certificate, se_error *err)
{
    if (!X509_up_ref(certificate))
        return error_memory(err);
    if (sk_X509_push(pool, certificate))
        return SE_OK;
    X509_free(certificate);
    return error_memory(err);
}

/* Adds what the token has under the name of the issuer. */
static se_status add_issuers(STACK_OF(X509) * pool, struct session *session,
                             const X509 *certificate, se_error *err)
{
    AUTO(token_certs) certs = { .count = 0 };
    struct query query = token_certs_query();
    struct objects found;
    unsigned char *name = NULL;
    int size = i2d_X509_NAME(X509_get_issuer_name(certificate), &name);
    se_status st;

    if (size <= 0)
        return error_memory(err);
    query_add(&query, CKA_SUBJECT, (se_bytes){ name, (size_t)size });
    st = object_find(&found, session, &query, err);
    OPENSSL_free(name);
    if (!st)
        st = token_certs_load(&certs, session, &found, err);
    for (size_t i = 0; !st && i < certs.count; i++)
        st = push_counted(pool, certs.list[i].certificate, err);
    return st;
}

static se_status add_issuers_of(STACK_OF(X509) * pool, struct session *session,
                                const STACK_OF(X509) * chain, int *asked, se_error *err)
{
    for (; *asked < sk_X509_num(chain); ++*asked)
        if (!X509_self_signed(sk_X509_value(chain, *asked), 0))
            TRY(add_issuers(pool, session, sk_X509_value(chain, *asked), err));
    return SE_OK;
}

/* The token is asked for the issuers of what it gave last, until nothing new comes. */
se_status token_certs_chain(STACK_OF(X509) * *out, struct session *session, X509 *certificate,
                            const STACK_OF(X509) * more, se_error *err)
{
    AUTO(x509_stack) pool = more ? X509_chain_up_ref((STACK_OF(X509) *)more) : sk_X509_new_null();
    AUTO(x509_stack) seen = sk_X509_new_null();
    AUTO(x509_stack) chain = NULL;

    *out = NULL;
    if (!pool || !seen)
        return error_memory(err);
    TRY(push_counted(seen, certificate, err));
    for (int asked = 0; asked < sk_X509_num(seen);) {
        sk_X509_pop_free(chain, X509_free);
        chain = NULL;
        TRY(add_issuers_of(pool, session, seen, &asked, err));
        TRY(certificates_chain(&chain, certificate, pool, err));
        for (int i = 0; i < sk_X509_num(chain); i++)
            if (!certificates_hold(seen, sk_X509_value(chain, i)))
                TRY(push_counted(seen, sk_X509_value(chain, i), err));
    }
    *out = MOVE(chain);
    return SE_OK;
}
