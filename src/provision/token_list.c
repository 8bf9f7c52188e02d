/* What is on a token, as rows. */
#include <openssl/err.h>
#include <stdlib.h>

#include "crypto/certificate.h"
#include "keystore/pkcs11/object.h"
#include "keystore/pkcs11/token.h"
#include "provision/row.h"
#include "provision/token_shelf.h"
#include "provision/token_slots.h"

/* An object as far as its row needs it. */
struct seen {
    char label[256];
    se_buf id;
    EVP_PKEY *public;  /* of keys */
    X509 *certificate; /* of certificates */
    bool shown;
};

struct scene {
    se_buf handles; /* CK_OBJECT_HANDLE */
    struct seen *list;
    size_t count;
};

static void scene_free(struct scene *scene)
{
    for (size_t i = 0; scene->list && i < scene->count; i++) {
        se_buf_free(&scene->list[i].id);
        EVP_PKEY_free(scene->list[i].public);
        X509_free(scene->list[i].certificate);
    }
    free(scene->list);
    se_buf_free(&scene->handles);
}
AUTO_KIND(scene, struct scene, scene_free(p))

static se_status look(struct seen *out, struct session *session, CK_OBJECT_HANDLE object,
                      bool certificate, se_error *err)
{
    AUTO(se_buf) label = SE_BUF_INIT;
    AUTO(se_buf) value = SE_BUF_INIT;
    se_status st;

    TRY(object_bytes(&label, session, object, CKA_LABEL, err));
    TRY(object_bytes(&out->id, session, object, CKA_ID, err));
    token_text(out->label, sizeof out->label, label.data, label.size);
    if (!certificate)
        return object_public(&out->public, session, object, err);
    TRY(object_bytes(&value, session, object, CKA_VALUE, err));
    /* one that can't be read is a row all the same */
    st = certificate_parse(&out->certificate, buf_bytes(&value), NULL);
    return st == SE_ERR_MEMORY ? error_memory(err) : SE_OK;
}

static se_status load(struct scene *out, struct session *session, const CK_OBJECT_CLASS *class,
                      se_error *err)
{
    struct query query = query_class(class);
    se_status st = object_find_all(&out->handles, session, &query, err);

    if (st)
        return st;
    out->count = objects_count(&out->handles);
    if (!(out->list = calloc(out->count ? out->count : 1, sizeof *out->list)))
        return error_memory(err);
    for (size_t i = 0; !st && i < out->count; i++)
        st = look(&out->list[i], session, objects_at(&out->handles, i), class == &class_certificate,
                  err);
    return st;
}

static bool same_id(const struct seen *a, const struct seen *b)
{
    return a->id.size && a->id.size == b->id.size &&
           !CRYPTO_memcmp(a->id.data, b->id.data, a->id.size);
}

/* What belongs to a private key has its CKA_ID, or at least its label. */
static struct seen *companion(struct scene *scene, const struct seen *key)
{
    for (size_t i = 0; i < scene->count; i++)
        if (same_id(&scene->list[i], key))
            return &scene->list[i];
    for (size_t i = 0; i < scene->count; i++)
        if (*key->label && strcmp(scene->list[i].label, key->label) == 0)
            return &scene->list[i];
    return NULL;
}

struct rows {
    struct session *session;
    const struct provision_report *report;
    const struct token_shelf_open *mine; /* only what is under its alias; NULL: all */
};

static bool is_shown(const struct rows *rows, const struct objects *mine, CK_OBJECT_HANDLE object)
{
    for (size_t i = 0; rows->mine && i < mine->count; i++)
        if (mine->list[i] == object)
            return true;
    return !rows->mine;
}

static void show_private(const struct rows *rows, const struct seen *key, CK_OBJECT_HANDLE object,
                         struct scene *publics, struct scene *certificates)
{
    struct seen *public = companion(publics, key), *certificate = companion(certificates, key);

    if (public)
    public->shown = true;
    if (certificate)
        certificate->shown = true;
    if (!is_shown(rows, rows->mine ? &rows->mine->privates : NULL, object))
        return;
    report_row(rows->report,
               &(struct row){
                   .label = *key->label || !certificate ? key->label : certificate->label,
                   .id = buf_bytes(&key->id),
                   .public = key->public ? key->public
                             : public    ? public->public
                                         : NULL,
                   .type = "unknown",
                   .certificate = certificate ? certificate->certificate : NULL,
                   .has_private = true,
                   .may_sign = object_flag(rows->session, object, CKA_SIGN, false),
                   .may_decrypt = key->public && key_family(key->public) == FAMILY_RSA &&
                                  object_flag(rows->session, object, CKA_DECRYPT, false),
               });
}

/* Certificates of issuers, and whatever has no private key, or none that can be seen without a
 * login. */
static void show_rest(const struct rows *rows, struct scene *scene, const struct objects *mine)
{
    for (size_t i = 0; i < scene->count; i++) {
        const struct seen *one = &scene->list[i];

        if (!one->shown && is_shown(rows, mine, objects_at(&scene->handles, i)))
            report_row(rows->report, &(struct row){ .label = one->label,
                                                    .id = buf_bytes(&one->id),
                                                    .public = one->public,
                                                    .type = "unknown",
                                                    .certificate = one->certificate });
    }
}

static void hide_companions(struct scene *publics, struct scene *certificates)
{
    for (size_t i = 0; i < publics->count; i++)
        if (companion(certificates, &publics->list[i]))
            publics->list[i].shown = true;
}

se_status token_list(struct shelf *shelf, bool mine, const struct provision_report *report,
                     se_error *err)
{
    struct token_shelf_open *s = (struct token_shelf_open *)shelf;
    const struct rows rows = { &s->session, report, mine ? s : NULL };
    AUTO(scene) privates = { .count = 0 };
    AUTO(scene) publics = { .count = 0 };
    AUTO(scene) certificates = { .count = 0 };

    TRY(load(&privates, &s->session, &class_private, err));
    TRY(load(&publics, &s->session, &class_public, err));
    TRY(load(&certificates, &s->session, &class_certificate, err));
    for (size_t i = 0; i < privates.count; i++)
        show_private(&rows, &privates.list[i], objects_at(&privates.handles, i), &publics,
                     &certificates);
    hide_companions(&publics, &certificates);
    show_rest(&rows, &certificates, &s->certificates);
    show_rest(&rows, &publics, &s->publics);
    ERR_clear_error();
    return SE_OK;
}
