/* Which of the objects of one label belong to its private key: others of that label are somebody
 * else's. */
#include <openssl/err.h>

#include "crypto/certificate.h"
#include "provision/token_shelf.h"

/* What tells whose an object is, as far as it does. */
struct mark {
    EVP_PKEY *public;
    se_buf id;
};

static void mark_free(struct mark *mark)
{
    EVP_PKEY_free(mark->public);
    se_buf_free(&mark->id);
}
AUTO_KIND(mark, struct mark, mark_free(p))

static se_status read_public(EVP_PKEY **out, struct session *session, CK_OBJECT_HANDLE object,
                             bool certificate, se_error *err)
{
    AUTO(se_buf) der = SE_BUF_INIT;
    AUTO(x509) parsed = NULL;

    if (!certificate)
        return object_public(out, session, object, err);
    TRY(object_bytes(&der, session, object, CKA_VALUE, err));
    if (!certificate_parse(&parsed, buf_bytes(&der), NULL))
        *out = X509_get_pubkey(parsed);
    ERR_clear_error();
    return SE_OK;
}

static se_status read_mark(struct mark *out, struct session *session, CK_OBJECT_HANDLE object,
                           bool certificate, se_error *err)
{
    se_status st = object_bytes(&out->id, session, object, CKA_ID, err);

    return st ? st : read_public(&out->public, session, object, certificate, err);
}

/* The keys themselves say it, else their CKA_ID; where neither does, the label is all that there
 * is. */
static bool same_key(const struct mark *one, const struct mark *other)
{
    if (one->public && other->public)
        return EVP_PKEY_eq(one->public, other->public) == 1;
    if (!one->id.size || !other->id.size)
        return true;
    return one->id.size == other->id.size &&
           !CRYPTO_memcmp(one->id.data, other->id.data, one->id.size);
}

static se_status keep_own(struct objects *objects, struct token_shelf_open *s,
                          const struct mark *key, bool certificates, se_error *err)
{
    size_t kept = 0;

    for (size_t i = 0; i < objects->count; i++) {
        AUTO(mark) mark = { NULL, SE_BUF_INIT };
        se_status st = read_mark(&mark, &s->session, objects->list[i], certificates, err);

        if (st)
            return st;
        if (same_key(key, &mark))
            objects->list[kept++] = objects->list[i];
    }
    objects->count = kept;
    return SE_OK;
}

se_status token_keep_own(struct token_shelf_open *s, se_error *err)
{
    AUTO(mark) key = { NULL, SE_BUF_INIT };

    if (s->privates.count != 1)
        return SE_OK;
    TRY(read_mark(&key, &s->session, s->privates.list[0], false, err));
    TRY(keep_own(&s->publics, s, &key, false, err));
    return keep_own(&s->certificates, s, &key, true, err);
}

static void list_ids(struct writer *out, struct session *session, const struct objects *objects)
{
    for (size_t i = 0; i < objects->count; i++) {
        AUTO(se_buf) id = SE_BUF_INIT;

        if (object_bytes(&id, session, objects->list[i], CKA_ID, NULL))
            continue;
        writer_text(out, i ? ", " : "");
        for (size_t n = 0; n < id.size && n < PUBLIC_ID; n++)
            writer_format(out, "%02x", id.data[n]);
        writer_text(out, id.size ? "" : "none");
    }
}

/* What has lost its private key may be of several keys, too. */
static se_status check_rest(struct token_shelf_open *s, const struct objects *objects,
                            bool certificates, se_error *err)
{
    AUTO(mark) first = { NULL, SE_BUF_INIT };
    se_status st = objects->count
                       ? read_mark(&first, &s->session, objects->list[0], certificates, err)
                       : SE_OK;

    for (size_t i = 1; !st && i < objects->count; i++) {
        AUTO(mark) mark = { NULL, SE_BUF_INIT };

        if (!(st = read_mark(&mark, &s->session, objects->list[i], certificates, err)) &&
            !same_key(&first, &mark))
            st = error_set(
                err, SE_ERR_KEY,
                "there are %s of that label for several keys, and no private key that says which",
                certificates ? "certificates" : "public keys");
    }
    return st;
}

se_status token_check_single(struct token_shelf_open *s, se_error *err)
{
    AUTO(writer) ids = { 0 };
    se_status st;

    if (s->privates.count == 1)
        return SE_OK;
    if (!s->privates.count)
        return (st = check_rest(s, &s->certificates, true, err))
                   ? st
                   : check_rest(s, &s->publics, false, err);
    list_ids(&ids, &s->session, &s->privates);
    return error_set(err, SE_ERR_KEY,
                     "there are %zu private keys of that label, which their CKA_ID tells apart: %s",
                     s->privates.count, writer_string(&ids));
}
