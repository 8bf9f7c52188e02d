/*
 * A PKCS #12 file as a shelf.  It is rewritten bag by bag (RFC 7292, 4.2): what is not ours, and
 * what we do not know, stays as it is.
 */
#include "keystore/pkcs12.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "provision/filing.h"

AUTO_KIND(pkcs12, PKCS12 *, PKCS12_free(*p))
AUTO_KIND(safes, STACK_OF(PKCS7) *, sk_PKCS7_pop_free(*p, PKCS7_free))

struct pkcs12 {
    struct shelf shelf;
    se_buf pin;
    struct pkcs12_file file;
    struct bundle all; /* what is in it */
    const struct bundle_key *
        mine; /* what is under the alias, chosen as for signing; NULL: nothing, or one of several */
    struct origin {
        const struct bundle_key *key; /* of `all`, or */
        X509 *certificate;            /* likewise, or neither */
    } * origins;                      /* of each bag */

    EVP_PKEY *key; /* new ones */
    X509 *certificate;
    STACK_OF(X509) * chain;
};

static void close_pkcs12(struct shelf *shelf)
{
    struct pkcs12 *p = (struct pkcs12 *)shelf;

    pkcs12_file_free(&p->file);
    free(p->origins);
    bundle_free(&p->all);
    EVP_PKEY_free(p->key);
    X509_free(p->certificate);
    sk_X509_pop_free(p->chain, X509_free);
    se_buf_free(&p->pin);
    free(p);
}

static const char *alias_of(const struct pkcs12 *p)
{
    return p->shelf.target->ref.alias;
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
static se_status add_bag(struct pkcs12 *p, int i, se_error *err)
{
    size_t keys = p->all.count;
    int certificates = sk_X509_num(p->all.certificates);
    se_status st = pkcs12_add_bag(&p->all, &p->file, sk_PKCS12_SAFEBAG_value(p->file.bags, i), err);

    if (!st && p->all.count > keys)
        p->origins[i].key = p->all.keys[keys];
    else if (!st && sk_X509_num(p->all.certificates) > (certificates > 0 ? certificates : 0))
        p->origins[i].certificate =
            sk_X509_value(p->all.certificates, sk_X509_num(p->all.certificates) - 1);
    return st;
}

static se_status take_apart(struct pkcs12 *p, se_error *err)
{
    int count = sk_PKCS12_SAFEBAG_num(p->file.bags);
    se_status st = SE_OK;

    if (!(p->origins = calloc(count > 0 ? (size_t)count : 1, sizeof *p->origins)))
        return error_memory(err);
    for (int i = 0; !st && i < count; i++)
        st = add_bag(p, i, err);
    if (!st && !p->file.vouched)
        st = bundle_check_pin(&p->all, err);
    if (!st && bundle_find(&p->mine, &p->all, alias_of(p)) != 1)
        p->mine = NULL;
    return st;
}

/* A new file has a PIN; one that is there may have an empty one. */
static se_status start(struct pkcs12 *p, se_error *err)
{
    se_status st = target_pin(&p->pin, p->shelf.target, err);

    if (st || (st = passwords_of(&p->file.passwords, &p->pin, err)))
        return st;
    return (p->file.bags = sk_PKCS12_SAFEBAG_new_null()) ? SE_OK : error_memory(err);
}

static se_status load(struct pkcs12 *p, se_error *err)
{
    const struct target *target = p->shelf.target;
    AUTO(se_buf) content = SE_BUF_INIT;

    TRY(filing_read(&content, target->ref.location, err));
    if (!content.size)
        return start(p, err);
    TRY(keyref_pin(&p->pin, &target->ref, err));
    TRY(pkcs12_read(&p->file, buf_bytes(&content), &p->pin, err));
    return take_apart(p, err);
}

static se_status open_pkcs12(struct shelf **out, const struct target *target, enum access access,
                             se_error *err)
{
    AUTO(shelf) shelf = calloc(1, sizeof(struct pkcs12));

    (void)access; /* nothing can be seen without the PIN */
    if (!shelf)
        return error_memory(err);
    *shelf = (struct shelf){ &pkcs12_shelf, target };
    TRY(load((struct pkcs12 *)shelf, err));
    *out = MOVE(shelf);
    return SE_OK;
}

static se_status holds(bool *out, const struct shelf *shelf, se_error *err)
{
    const struct pkcs12 *p = (const struct pkcs12 *)shelf;
    const struct bundle_key *any;

    *out = bundle_find(&any, &p->all, alias_of(p));
    return *out && !p->mine ? bundle_choose(&any, &p->all, alias_of(p), err) : SE_OK;
}

static se_status find(struct pair *out, struct shelf *shelf, se_error *err)
{
    const struct pkcs12 *p = (const struct pkcs12 *)shelf;
    const struct bundle_key *key;
    se_status st = bundle_choose(&key, &p->all, alias_of(p), err);

    return st ? st : filing_find(out, key, err);
}

static se_status generate(struct pair *out, struct shelf *shelf, const struct key_type *type,
                          unsigned uses, se_error *err)
{
    struct pkcs12 *p = (struct pkcs12 *)shelf;
    se_status st = filing_generate(&p->key, type, err);

    (void)uses; /* says the certificate */
    return st ? st : filing_pair(out, p->key);
}

static se_status put_key(struct shelf *shelf, EVP_PKEY *key, unsigned uses, se_error *err)
{
    (void)uses;
    (void)err;
    EVP_PKEY_up_ref(key);
    ((struct pkcs12 *)shelf)->key = key;
    return SE_OK;
}

static se_status put_certificates(struct shelf *shelf, X509 *certificate,
                                  const STACK_OF(X509) * chain, se_error *err)
{
    struct pkcs12 *p = (struct pkcs12 *)shelf;
    EVP_PKEY *key = p->key ? p->key : p->mine->key;
    unsigned char id[KEY_ID_SIZE];
    const char *name = p->key || !*p->mine->name ? p->shelf.target->name : p->mine->name;

    TRY(key_public_id(id, key, err));
    /* friendlyName and localKeyID */
    if (!X509_alias_set1(certificate, (const unsigned char *)name, -1) ||
        !X509_keyid_set1(certificate, id, sizeof id))
        return error_memory(err);
    X509_up_ref(certificate);
    p->certificate = certificate;
    return certificates_join(&p->chain, chain, err);
}

/* The same key under another name stays, and then its certificates too. */
static bool key_goes(const struct pkcs12 *p, const struct bundle_key *key)
{
    return key == p->mine ||
           (p->mine && bundle_same_key(key, p->mine) && strcmp(key->name, p->mine->name) == 0);
}

static bool certificate_goes(const struct pkcs12 *p, X509 *certificate, enum replace replace)
{
    for (size_t i = 0; replace == REPLACE_ALL && i < p->all.count; i++)
        if (!key_goes(p, p->all.keys[i]) && is_certificate_of(certificate, p->all.keys[i]))
            return false;
    return replace != REPLACE_NOTHING && p->mine && is_certificate_of(certificate, p->mine);
}

static bool goes(const struct pkcs12 *p, const struct origin *origin, enum replace replace)
{
    if (origin->key)
        return replace == REPLACE_ALL && key_goes(p, origin->key);
    return origin->certificate && certificate_goes(p, origin->certificate, replace);
}

static void drop_mine(struct pkcs12 *p, enum replace replace)
{
    for (int i = sk_PKCS12_SAFEBAG_num(p->file.bags) - 1; i >= 0; i--)
        if (goes(p, &p->origins[i], replace))
            PKCS12_SAFEBAG_free(sk_PKCS12_SAFEBAG_delete(p->file.bags, i));
    ERR_clear_error();
}

/* As the rest of the file has it: other readers know one form only. */
static const struct password *password_of(const struct pkcs12 *p)
{
    return &p->file.passwords.forms[0];
}

static bool add_key_bag(struct pkcs12 *p)
{
    unsigned char id[KEY_ID_SIZE];
    PKCS12_SAFEBAG *bag =
        PKCS12_add_key_ex(&p->file.bags, p->key, 0, FILE_ITERATIONS, NID_aes_256_cbc,
                          password_of(p)->text, crypto_context(), NULL);

    return bag && !key_public_id(id, p->key, NULL) &&
           PKCS12_add_friendlyname_utf8(bag, p->shelf.target->name, -1) &&
           PKCS12_add_localkeyid(bag, id, sizeof id);
}

static bool add_new(struct pkcs12 *p)
{
    if (p->key && !add_key_bag(p))
        return false;
    if (p->certificate && !PKCS12_add_cert(&p->file.bags, p->certificate))
        return false;
    for (int i = 0; i < sk_X509_num(p->chain); i++)
        if (!certificates_hold(p->all.certificates, sk_X509_value(p->chain, i)) &&
            !PKCS12_add_cert(&p->file.bags, sk_X509_value(p->chain, i)))
            return false;
    return true;
}

/* Shrouded keys are encrypted already; everything else goes into a safe that is. */
static bool sort(STACK_OF(PKCS12_SAFEBAG) * open, STACK_OF(PKCS12_SAFEBAG) * closed,
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

static bool pack(STACK_OF(PKCS7) * *safes, const struct pkcs12 *p, STACK_OF(PKCS12_SAFEBAG) * open,
                 STACK_OF(PKCS12_SAFEBAG) * closed)
{
    if (!sort(open, closed, p->file.bags))
        return false;
    if (sk_PKCS12_SAFEBAG_num(closed) > 0 &&
        !PKCS12_add_safe_ex(safes, closed, NID_aes_256_cbc, FILE_ITERATIONS, password_of(p)->text,
                            crypto_context(), NULL))
        return false;
    return sk_PKCS12_SAFEBAG_num(open) <= 0 ||
           PKCS12_add_safe_ex(safes, open, -1, 0, NULL, crypto_context(), NULL);
}

static PKCS12 *encode(const struct pkcs12 *p)
{
    STACK_OF(PKCS12_SAFEBAG) *open = sk_PKCS12_SAFEBAG_new_null(),
                             *closed = sk_PKCS12_SAFEBAG_new_null();
    AUTO(safes) safes = NULL;
    AUTO(pkcs12) made = NULL;
    PKCS12 *out = NULL;

    if (open && closed && pack(&safes, p, open, closed))
        made = PKCS12_add_safes_ex(safes, 0, crypto_context(), NULL);
    if (made && PKCS12_set_mac(made, password_of(p)->text, password_of(p)->length, NULL, 0,
                               FILE_ITERATIONS, EVP_sha256())) {
        out = MOVE(made);
    }
    sk_PKCS12_SAFEBAG_free(open); /* the bags are the file's */
    sk_PKCS12_SAFEBAG_free(closed);
    return out;
}

static se_status write_file(const struct pkcs12 *p, se_error *err)
{
    AUTO(pkcs12) made = encode(p);
    unsigned char *der = NULL;
    int size = made ? i2d_PKCS12(made, &der) : -1;
    se_status st;

    if (size <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "writing the key as PKCS #12");
    st = filing_write(p->shelf.target->ref.location, (se_bytes){ der, (size_t)size }, err);
    OPENSSL_free(der);
    return st;
}

static se_status commit(struct shelf *shelf, enum replace replace, se_error *err)
{
    struct pkcs12 *p = (struct pkcs12 *)shelf;

    if (p->file.sealed.status)
        return error_set(err, SE_ERR_STORE, "%s, and would be lost if it were written again",
                         p->file.sealed.text);
    drop_mine(p, replace);
    if (!add_new(p))
        return crypto_error(err, SE_ERR_CRYPTO, "adding the key to the PKCS #12");
    if (!sk_PKCS12_SAFEBAG_num(p->file.bags))
        return filing_remove(shelf->target->ref.location, err);
    return write_file(p, err);
}

static se_status list(struct shelf *shelf, bool mine, const struct provision_report *report,
                      se_error *err)
{
    const struct pkcs12 *p = (const struct pkcs12 *)shelf;

    return mine && !p->mine ? SE_OK
                            : filing_list(&p->all, mine ? p->mine : NULL, NULL, report, err);
}

const struct shelf_type pkcs12_shelf = {
    open_pkcs12, holds, find, generate, put_key, put_certificates, commit, list, close_pkcs12,
};
