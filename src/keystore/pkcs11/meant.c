#include "keystore/pkcs11/meant.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <uninorm.h>

#include "base/text.h"
#include "keystore/pkcs11/slot.h"

enum { LABEL_ROOM = 256 };

static bool same_letters(const char *a, const char *b)
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
    return !text_is_ascii(shown) && !text_is_ascii(wanted) && same_letters(shown, wanted);
}

static se_status keep_labelled(struct objects *out, struct session *session, const se_buf *handles,
                               const struct keyref *ref, se_error *err)
{
    out->count = 0;
    for (size_t i = 0; i < objects_count(handles) && out->count < OBJECTS_MOST; i++) {
        AUTO(se_buf) label = SE_BUF_INIT;
        CK_OBJECT_HANDLE object = objects_at(handles, i);
        se_status st = object_bytes(&label, session, object, CKA_LABEL, err);

        if (st)
            return st;
        if (label.size ? label_is(buf_bytes(&label), ref->alias) : ref->id.size > 0)
            out->list[out->count++] = object;
    }
    return SE_OK;
}

static se_status find_by_looks(struct objects *out, struct session *session,
                               const struct query *base, const struct keyref *ref, se_error *err)
{
    AUTO(se_buf) all = SE_BUF_INIT;
    se_status st = object_find_all(&all, session, base, err);

    return st ? st : keep_labelled(out, session, &all, ref, err);
}

/* An object of another label is not what was meant, if a label was. */
static se_status find_by_id(struct objects *out, struct session *session, struct query query,
                            const struct keyref *ref, se_error *err)
{
    query_add(&query, CKA_ID, buf_bytes(&ref->id));
    return *ref->alias ? find_by_looks(out, session, &query, ref, err)
                       : object_find(out, session, &query, err);
}

se_status meant_find(struct objects *out, struct session *session, const struct query *base,
                     const struct keyref *ref, enum meant_by by, se_error *err)
{
    struct query query = *base;

    out->count = 0;
    if (ref->id.size)
        return by == MEANT_EXACTLY ? find_by_id(out, session, query, ref, err) : SE_OK;
    if (!*ref->alias)
        return SE_OK;
    if (by == MEANT_BY_LOOKS)
        return find_by_looks(out, session, base, ref, err);
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
