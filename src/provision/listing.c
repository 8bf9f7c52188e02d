/* SPDX-License-Identifier: Apache-2.0 */
/* What `key list` shows: slots, and the keys and certificates of tokens; files have it in
 * file_keystore.c. */
#include "provision/listing.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/certificate.h"
#include "keystore/pkcs11/object.h"
#include "provision/token_keystore.h"

/* ---- one row ---- */

enum { ID_SHOWN = 64 };

static void format_id(char out[2 * ID_SHOWN + 1], se_bytes bytes)
{
    const unsigned char *p = bytes.data;

    *out = '\0';
    for (size_t i = 0; i < bytes.size && i < ID_SHOWN; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", p[i]);
}

void listing_key(const struct provision_report *report, const struct listing_row *row)
{
    EVP_PKEY *public_key = row->public_key    ? row->public_key
                           : row->certificate ? X509_get0_pubkey(row->certificate)
                                              : NULL;
    char type[32] = "", id[2 * ID_SHOWN + 1], subject[256] = "";

    if (public_key)
        key_type_name(type, public_key);
    else
        (void)snprintf(type, sizeof type, "%s", row->type);
    if (row->certificate)
        certificate_subject(subject, sizeof subject, row->certificate);
    format_id(id, row->id);
    report->key(report->arg,
                &(struct key_row){
                    .label = row->label,
                    .type = type,
                    .id = id,
                    .has_private = row->has_private,
                    .has_certificate = row->certificate,
                    .may_sign = row->may_sign,
                    .may_decrypt = row->may_decrypt,
                    .may_leave = row->may_leave,
                    .subject = subject,
                    .not_after = row->certificate ? certificate_not_after(row->certificate) : 0,
                    .state = row->state,
                });
}

/* ---- slots ---- */

void listing_slot(const struct provision_report *report, const struct slot *slot)
{
    report->slot(report->arg, &(struct slot_row){
                                  .slot = slot->id,
                                  .label = slot->label,
                                  .model = slot->model,
                                  .serial = slot->serial,
                                  .initialised = slot_initialised(slot),
                                  .user_pin = slot->flags & CKF_USER_PIN_INITIALIZED,
                                  .pin_locked = slot->flags & CKF_USER_PIN_LOCKED,
                              });
}

static bool names_one_token(const struct keyref *ref)
{
    return ref->has_slot || ref->has_slot_index || *ref->token_label || *ref->token_serial ||
           *ref->alias;
}

se_status listing_slots(bool *chosen, const struct target *target,
                        const struct provision_report *report, se_error *err)
{
    AUTO(module) module = NULL;
    AUTO(slots) slots = { .count = 0 };
    size_t usable = 0;

    TRY(module_open(&module, target->ref.location, target->ref.init_args, err));
    TRY(slots_load(&slots, module, err));
    for (size_t i = 0; i < slots.count; i++) {
        listing_slot(report, &slots.list[i]);
        usable += slot_initialised(&slots.list[i]);
    }
    *chosen = names_one_token(&target->ref) || usable == 1;
    return SE_OK;
}

/* ---- the objects of a token ---- */

/* An object as far as its row needs it. */
struct token_object {
    char label[256];
    se_buf id;
    EVP_PKEY *public_key; /* of keys */
    X509 *certificate;    /* of certificates */
    bool shown;
};

struct token_objects {
    se_buf handles; /* CK_OBJECT_HANDLE */
    struct token_object *list;
    size_t count;
};

static void token_objects_free(struct token_objects *token_objects)
{
    for (size_t i = 0; token_objects->list && i < token_objects->count; i++) {
        se_buf_free(&token_objects->list[i].id);
        EVP_PKEY_free(token_objects->list[i].public_key);
        X509_free(token_objects->list[i].certificate);
    }
    free(token_objects->list);
    se_buf_free(&token_objects->handles);
}
AUTO_KIND(token_objects, struct token_objects, token_objects_free(p))

static se_status read_token_object(struct token_object *out, struct session *session,
                                   CK_OBJECT_HANDLE object, bool certificate, se_error *err)
{
    AUTO(se_buf) label = SE_BUF_INIT;
    AUTO(se_buf) value = SE_BUF_INIT;
    se_status st;

    TRY(object_bytes(&label, session, object, CKA_LABEL, err));
    TRY(object_bytes(&out->id, session, object, CKA_ID, err));
    token_text(out->label, sizeof out->label, label.data, label.size);
    if (!certificate)
        return token_public_key(&out->public_key, session, object, err);
    TRY(object_bytes(&value, session, object, CKA_VALUE, err));
    /* one that can't be read is a row all the same */
    st = certificate_parse(&out->certificate, buf_bytes(&value), NULL);
    return st == SE_ERR_MEMORY ? error_memory(err) : SE_OK;
}

static se_status load_token_objects(struct token_objects *out, struct session *session,
                                    const CK_OBJECT_CLASS *object_class, se_error *err)
{
    struct query query = query_class(object_class);

    TRY(object_find_all(&out->handles, session, &query, err));
    out->count = objects_count(&out->handles);
    if (!(out->list = calloc(out->count ? out->count : 1, sizeof *out->list)))
        return error_memory(err);
    for (size_t i = 0; i < out->count; i++)
        TRY(read_token_object(&out->list[i], session, objects_at(&out->handles, i),
                              object_class == &class_certificate, err));
    return SE_OK;
}

static bool same_id(const struct token_object *a, const struct token_object *b)
{
    return a->id.size && a->id.size == b->id.size &&
           !CRYPTO_memcmp(a->id.data, b->id.data, a->id.size);
}

/* What belongs to a private key has its CKA_ID, or at least its label. */
static struct token_object *find_companion(struct token_objects *token_objects,
                                           const struct token_object *key)
{
    for (size_t i = 0; i < token_objects->count; i++)
        if (same_id(&token_objects->list[i], key))
            return &token_objects->list[i];
    for (size_t i = 0; i < token_objects->count; i++)
        if (*key->label && strcmp(token_objects->list[i].label, key->label) == 0)
            return &token_objects->list[i];
    return NULL;
}

struct rows {
    struct session *session;
    const struct provision_report *report;
    const struct token_keystore *mine; /* only what is under its alias; NULL: all */
};

static bool is_shown(const struct rows *rows, const struct objects *mine, CK_OBJECT_HANDLE object)
{
    for (size_t i = 0; rows->mine && i < mine->count; i++)
        if (mine->list[i] == object)
            return true;
    return !rows->mine;
}

static void show_private(const struct rows *rows, const struct token_object *key,
                         CK_OBJECT_HANDLE object, struct token_objects *publics,
                         struct token_objects *certificates)
{
    struct token_object *public_key = find_companion(publics, key),
                        *certificate = find_companion(certificates, key);

    if (public_key)
        public_key->shown = true;
    if (certificate)
        certificate->shown = true;
    if (!is_shown(rows, rows->mine ? &rows->mine->privates : NULL, object))
        return;
    listing_key(rows->report,
                &(struct listing_row){
                    .label = *key->label || !certificate ? key->label : certificate->label,
                    .id = buf_bytes(&key->id),
                    .public_key = key->public_key ? key->public_key
                                  : public_key    ? public_key->public_key
                                                  : NULL,
                    .type = "unknown",
                    .certificate = certificate ? certificate->certificate : NULL,
                    .has_private = true,
                    .may_sign = object_flag(rows->session, object, CKA_SIGN, false),
                    .may_decrypt = key->public_key && key_family(key->public_key) == FAMILY_RSA &&
                                   object_flag(rows->session, object, CKA_DECRYPT, false),
                    .may_leave = object_may_leave(rows->session, object),
                });
}

/* Certificates of issuers, and whatever has no private key, or none that can be token_object
 * without a login. */
static void show_rest(const struct rows *rows, struct token_objects *token_objects,
                      const struct objects *mine)
{
    for (size_t i = 0; i < token_objects->count; i++) {
        const struct token_object *one = &token_objects->list[i];

        if (!one->shown && is_shown(rows, mine, objects_at(&token_objects->handles, i)))
            listing_key(rows->report, &(struct listing_row){ .label = one->label,
                                                             .id = buf_bytes(&one->id),
                                                             .public_key = one->public_key,
                                                             .type = "unknown",
                                                             .certificate = one->certificate });
    }
}

static void hide_companions(struct token_objects *publics, struct token_objects *certificates)
{
    for (size_t i = 0; i < publics->count; i++)
        if (find_companion(certificates, &publics->list[i]))
            publics->list[i].shown = true;
}

se_status token_list(struct keystore *keystore, unsigned scope,
                     const struct provision_report *report, se_error *err)
{
    struct token_keystore *s = (struct token_keystore *)keystore;
    const struct rows rows = { &s->session, report, scope & LIST_OWN ? s : NULL };
    AUTO(token_objects) privates = { .count = 0 };
    AUTO(token_objects) publics = { .count = 0 };
    AUTO(token_objects) certificates = { .count = 0 };

    TRY(load_token_objects(&privates, &s->session, &class_private, err));
    TRY(load_token_objects(&publics, &s->session, &class_public, err));
    TRY(load_token_objects(&certificates, &s->session, &class_certificate, err));
    for (size_t i = 0; i < privates.count; i++)
        show_private(&rows, &privates.list[i], objects_at(&privates.handles, i), &publics,
                     &certificates);
    hide_companions(&publics, &certificates);
    show_rest(&rows, &certificates, &s->certificates);
    show_rest(&rows, &publics, &s->publics);
    ERR_clear_error();
    return SE_OK;
}
