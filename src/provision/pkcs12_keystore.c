/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS #12 file as a key store.  It is rewritten bag by bag (RFC 7292, 4.2): foreign and
 * unknown bags stay as they are.
 */
#include "keystore/pkcs12.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "base/clock.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "provision/file_keystore.h"

AUTO_KIND(pkcs12, PKCS12 *, PKCS12_free(*p))
AUTO_KIND(safes, STACK_OF(PKCS7) *, sk_PKCS7_pop_free(*p, PKCS7_free))

struct pkcs12_keystore {
    struct file_keystore file; /* `certificates`: the new chain */
    struct pkcs12_file pfx;
    /* What is under the alias, chosen as for signing; NULL: nothing, or one of several. */
    const struct bundle_key *mine;
    struct origin {
        const struct bundle_key *key; /* of the bundle, or */
        X509 *certificate;            /* likewise, or neither */
    } * origins;                      /* of each bag */

    X509 *certificate; /* a new one */
};

static void pkcs12_close(struct keystore *keystore)
{
    struct pkcs12_keystore *p = (struct pkcs12_keystore *)keystore;

    pkcs12_file_free(&p->pfx);
    free(p->origins);
    X509_free(p->certificate);
    file_keystore_release(&p->file);
    free(p);
}

static bool is_certificate_of(X509 *certificate, const struct bundle_key *key)
{
    int size = 0;
    const unsigned char *id = X509_keyid_get0(certificate, &size);

    if (key->key)
        return EVP_PKEY_eq(key->key, X509_get0_pubkey(certificate)) == 1;
    return id && size > 0 && (size_t)size == key->id.size &&
           CRYPTO_memcmp(id, key->id.data, key->id.size) == 0;
}

/* Decrypting is slow by design: each bag is opened once. */
static se_status open_bag(struct pkcs12_keystore *p, int i, se_error *err)
{
    size_t keys = p->file.bundle.count;
    int certificates = sk_X509_num(p->file.bundle.certificates);
    se_status st =
        pkcs12_add_bag(&p->file.bundle, &p->pfx, sk_PKCS12_SAFEBAG_value(p->pfx.bags, i), err);

    if (!st && p->file.bundle.count > keys)
        p->origins[i].key = p->file.bundle.keys[keys];
    else if (!st &&
             sk_X509_num(p->file.bundle.certificates) > (certificates > 0 ? certificates : 0))
        p->origins[i].certificate = sk_X509_value(p->file.bundle.certificates,
                                                  sk_X509_num(p->file.bundle.certificates) - 1);
    return st;
}

static se_status open_bags(struct pkcs12_keystore *p, se_error *err)
{
    int count = sk_PKCS12_SAFEBAG_num(p->pfx.bags);

    if (!(p->origins = calloc(count > 0 ? (size_t)count : 1, sizeof *p->origins)))
        return error_memory(err);
    for (int i = 0; i < count; i++)
        TRY(open_bag(p, i, err));
    if (!p->pfx.vouched)
        TRY(bundle_check_pin(&p->file.bundle, err));
    if (bundle_find(&p->mine, &p->file.bundle, p->file.alias) != 1)
        p->mine = NULL;
    return SE_OK;
}

/* A new file has a PIN; one that is there may have an empty one. */
static se_status pkcs12_begin_file(struct pkcs12_keystore *p, se_error *err)
{
    TRY(target_pin(&p->file.pin, p->file.keystore.target, err));
    TRY(passwords_of(&p->pfx.passwords, &p->file.pin, err));
    return (p->pfx.bags = sk_PKCS12_SAFEBAG_new_null()) ? SE_OK : error_memory(err);
}

static se_status pkcs12_load(struct pkcs12_keystore *p, se_error *err)
{
    const struct target *target = p->file.keystore.target;
    AUTO(se_buf) content = SE_BUF_INIT;

    TRY(key_file_read(&content, target->ref.location, err));
    if (!content.size)
        return pkcs12_begin_file(p, err);
    TRY(keyref_pin(&p->file.pin, &target->ref, err));
    TRY(pkcs12_read(&p->pfx, buf_bytes(&content), &p->file.pin, err));
    return open_bags(p, err);
}

static se_status pkcs12_open(struct keystore **out, const struct target *target, enum access access,
                             se_error *err)
{
    AUTO(keystore) keystore = calloc(1, sizeof(struct pkcs12_keystore));

    (void)access; /* nothing can be seen without the PIN */
    if (!keystore)
        return error_memory(err);
    *keystore = (struct keystore){ &pkcs12_keystore_ops, target };
    ((struct file_keystore *)keystore)->alias = target->ref.alias;
    TRY(pkcs12_load((struct pkcs12_keystore *)keystore, err));
    *out = MOVE(keystore);
    return SE_OK;
}

static se_status pkcs12_holds(bool *out, const struct keystore *keystore, se_error *err)
{
    const struct pkcs12_keystore *p = (const struct pkcs12_keystore *)keystore;
    const struct bundle_key *any;

    *out = bundle_find(&any, &p->file.bundle, p->file.alias);
    return *out && !p->mine ? bundle_choose(&any, &p->file.bundle, p->file.alias, err) : SE_OK;
}

static se_status pkcs12_put_certificates(struct keystore *keystore, X509 *certificate,
                                         const STACK_OF(X509) * chain, se_error *err)
{
    struct pkcs12_keystore *p = (struct pkcs12_keystore *)keystore;
    EVP_PKEY *key = p->file.key ? p->file.key : p->mine->key;
    unsigned char id[KEY_ID_SIZE];
    const char *name =
        p->file.key || !*p->mine->name ? p->file.keystore.target->name : p->mine->name;

    TRY(key_public_id(id, key, err));
    /* friendlyName and localKeyID */
    if (!X509_alias_set1(certificate, (const unsigned char *)name, -1) ||
        !X509_keyid_set1(certificate, id, sizeof id))
        return error_memory(err);
    X509_up_ref(certificate);
    p->certificate = certificate;
    return certificates_join(&p->file.certificates, chain, err);
}

/* The same key under another name stays, and then its certificates too. */
static bool key_goes(const struct pkcs12_keystore *p, const struct bundle_key *key)
{
    return key == p->mine ||
           (p->mine && bundle_same_key(key, p->mine) && strcmp(key->name, p->mine->name) == 0);
}

static bool certificate_goes(const struct pkcs12_keystore *p, X509 *certificate)
{
    for (size_t i = 0; i < p->file.bundle.count; i++)
        if (!key_goes(p, p->file.bundle.keys[i]) &&
            is_certificate_of(certificate, p->file.bundle.keys[i]))
            return false;
    return p->mine && is_certificate_of(certificate, p->mine);
}

static bool bag_goes(const struct pkcs12_keystore *p, const struct origin *origin)
{
    if (origin->key)
        return key_goes(p, origin->key);
    return origin->certificate && certificate_goes(p, origin->certificate);
}

static void drop_old_bags(struct pkcs12_keystore *p)
{
    for (int i = sk_PKCS12_SAFEBAG_num(p->pfx.bags) - 1; i >= 0; i--)
        if (bag_goes(p, &p->origins[i]))
            PKCS12_SAFEBAG_free(sk_PKCS12_SAFEBAG_delete(p->pfx.bags, i));
    ERR_clear_error();
}

/*
 * Other readers take a key's certificate by its localKeyID, and expect one: it is the one to use
 * now. Those that it replaces stay without names, for the engine finds them by their key.
 */
static bool set_aside_replaced(struct pkcs12_keystore *p)
{
    for (int i = sk_PKCS12_SAFEBAG_num(p->pfx.bags) - 1; i >= 0; i--) {
        X509 *old = p->origins[i].certificate;

        if (!old || !is_certificate_of(old, p->mine) ||
            (X509_cmp(old, p->certificate) != 0 &&
             !certificate_precedes(p->certificate, old, clock_seconds())))
            continue;
        PKCS12_SAFEBAG_free(sk_PKCS12_SAFEBAG_delete(p->pfx.bags, i));
        if (X509_cmp(old, p->certificate) == 0)
            continue;
        if (!X509_alias_set1(old, NULL, 0) || !X509_keyid_set1(old, NULL, 0) ||
            !PKCS12_add_cert(&p->pfx.bags, old))
            return false;
    }
    return true;
}

/* As the rest of the file has it: other readers know one form only. */
static const struct password *file_password(const struct pkcs12_keystore *p)
{
    return &p->pfx.passwords.forms[0];
}

static bool add_key_bag(struct pkcs12_keystore *p)
{
    unsigned char id[KEY_ID_SIZE];
    PKCS12_SAFEBAG *bag =
        PKCS12_add_key_ex(&p->pfx.bags, p->file.key, 0, FILE_ITERATIONS, NID_aes_256_cbc,
                          file_password(p)->text, crypto_context(), NULL);

    return bag && !key_public_id(id, p->file.key, NULL) &&
           PKCS12_add_friendlyname_utf8(bag, p->file.keystore.target->name, -1) &&
           PKCS12_add_localkeyid(bag, id, sizeof id);
}

static bool add_new_bags(struct pkcs12_keystore *p)
{
    if (p->file.key && !add_key_bag(p))
        return false;
    if (p->certificate && !PKCS12_add_cert(&p->pfx.bags, p->certificate))
        return false;
    for (int i = 0; i < sk_X509_num(p->file.certificates); i++)
        if (!certificates_hold(p->file.bundle.certificates,
                               sk_X509_value(p->file.certificates, i)) &&
            !PKCS12_add_cert(&p->pfx.bags, sk_X509_value(p->file.certificates, i)))
            return false;
    return true;
}

/* Shrouded keys are encrypted already; everything else goes into a safe that is. */
static bool sort_bags(STACK_OF(PKCS12_SAFEBAG) * open, STACK_OF(PKCS12_SAFEBAG) * closed,
                      const STACK_OF(PKCS12_SAFEBAG) * bags)
{
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++) {
        PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(bags, i);

        if (!sk_PKCS12_SAFEBAG_push(
                PKCS12_SAFEBAG_get_nid(bag) == NID_pkcs8ShroudedKeyBag ? open : closed, bag))
            return false;
    }
    return true;
}

static bool pack_bags(STACK_OF(PKCS7) * *safes, const struct pkcs12_keystore *p,
                      STACK_OF(PKCS12_SAFEBAG) * open, STACK_OF(PKCS12_SAFEBAG) * closed)
{
    if (!sort_bags(open, closed, p->pfx.bags))
        return false;
    if (sk_PKCS12_SAFEBAG_num(closed) > 0 &&
        !PKCS12_add_safe_ex(safes, closed, NID_aes_256_cbc, FILE_ITERATIONS, file_password(p)->text,
                            crypto_context(), NULL))
        return false;
    return sk_PKCS12_SAFEBAG_num(open) <= 0 ||
           PKCS12_add_safe_ex(safes, open, -1, 0, NULL, crypto_context(), NULL);
}

static PKCS12 *pkcs12_encode(const struct pkcs12_keystore *p)
{
    STACK_OF(PKCS12_SAFEBAG) *open = sk_PKCS12_SAFEBAG_new_null(),
                             *closed = sk_PKCS12_SAFEBAG_new_null();
    AUTO(safes) safes = NULL;
    AUTO(pkcs12) made = NULL;
    PKCS12 *out = NULL;

    if (open && closed && pack_bags(&safes, p, open, closed))
        made = PKCS12_add_safes_ex(safes, 0, crypto_context(), NULL);
    if (made && PKCS12_set_mac(made, file_password(p)->text, file_password(p)->length, NULL, 0,
                               FILE_ITERATIONS, EVP_sha256())) {
        out = MOVE(made);
    }
    sk_PKCS12_SAFEBAG_free(open); /* the bags are the file's */
    sk_PKCS12_SAFEBAG_free(closed);
    return out;
}

static se_status pkcs12_write_file(const struct pkcs12_keystore *p, se_error *err)
{
    AUTO(pkcs12) made = pkcs12_encode(p);
    unsigned char *der = NULL;
    int size = made ? i2d_PKCS12(made, &der) : -1;
    se_status st;

    if (size <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "writing the key as PKCS #12");
    st =
        key_file_write(p->file.keystore.target->ref.location, (se_bytes){ der, (size_t)size }, err);
    OPENSSL_free(der);
    return st;
}

static se_status pkcs12_commit(struct keystore *keystore, enum replace replace, se_error *err)
{
    struct pkcs12_keystore *p = (struct pkcs12_keystore *)keystore;

    if (p->pfx.sealed.status)
        return error_set(err, SE_ERR_STORE, "%s, and would be lost if it were written again",
                         p->pfx.sealed.text);
    if (replace == REPLACE_ALL)
        drop_old_bags(p);
    if ((replace == REPLACE_NOTHING && !set_aside_replaced(p)) || !add_new_bags(p))
        return crypto_error(err, SE_ERR_CRYPTO, "adding the key to the PKCS #12");
    if (!sk_PKCS12_SAFEBAG_num(p->pfx.bags))
        return key_file_remove(keystore->target->ref.location, err);
    return pkcs12_write_file(p, err);
}

static se_status pkcs12_list(struct keystore *keystore, unsigned scope,
                             const struct provision_report *report, se_error *err)
{
    const struct pkcs12_keystore *p = (const struct pkcs12_keystore *)keystore;
    const bool is_own = scope & LIST_OWN;

    (void)err;
    if (!is_own || p->mine)
        file_keystore_list(&p->file.bundle, is_own ? p->mine : NULL, NULL, report);
    return SE_OK;
}

const struct keystore_ops pkcs12_keystore_ops = {
    .features = KEYSTORE_READABLE,
    .open = pkcs12_open,
    .holds = pkcs12_holds,
    .find = file_keystore_find,
    .generate = file_keystore_generate,
    .put_key = file_keystore_put_key,
    .put_certificates = pkcs12_put_certificates,
    .commit = pkcs12_commit,
    .list = pkcs12_list,
    .close = pkcs12_close,
};
