/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in PKCS #12 files (RFC 7292): every key and certificate with its friendlyName, not just the
 * first as PKCS12_parse() has it. */
#include <openssl/err.h>

#include "base/file.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "keystore/pkcs12.h"

AUTO_KIND(pkcs12, PKCS12 *, PKCS12_free(*p))
AUTO_KIND(safes, STACK_OF(PKCS7) *, sk_PKCS7_pop_free(*p, PKCS7_free))
AUTO_KIND(bag, PKCS12_SAFEBAG *, PKCS12_SAFEBAG_free(*p))
AUTO_KIND(p8, PKCS8_PRIV_KEY_INFO *, PKCS8_PRIV_KEY_INFO_free(*p))

static const char no_pin[] = "it needs a PIN, and no PIN is configured";

/* ---- the PIN ---- */

/* Without a MAC nobody has said yet which form of the PIN is right: the one that has opened
 * something is. */
static void prefer_form(struct pkcs12_file *file, size_t i)
{
    struct password first = file->passwords.forms[0];

    if (i && !file->vouched) {
        file->passwords.forms[0] = file->passwords.forms[i];
        file->passwords.forms[i] = first;
    }
}

/* What OpenSSL has just not opened: for want of the cipher, or else of the PIN. */
static se_status not_opened(const struct pkcs12_file *file, const char *what, se_error *err)
{
    if (crypto_lacks())
        return crypto_error(err, SE_ERR_KEY, "%s is encrypted in a way that is not known", what);
    if (file->vouched) {
        ERR_clear_error();
        return error_set(err, SE_ERR_ACCESS, "%s has another PIN than the file, or is damaged",
                         what);
    }
    if (file->passwords.forms[0].length)
        return crypto_error(err, SE_ERR_ACCESS, "the PIN does not open %s", what);
    ERR_clear_error();
    return error_set(err, SE_ERR_ACCESS, no_pin);
}

static se_status check_mac(bool *out, struct pkcs12_file *file, PKCS12 *pkcs12, se_bytes der,
                           se_error *err)
{
    se_status st = SE_OK;

    *out = false;
    for (size_t i = 0; !st && !*out && i < file->passwords.count; i++) {
        const struct password *form = &file->passwords.forms[i];

        if (pbmac1_is(pkcs12))
            st = pbmac1_check(out, pkcs12, der, form, err);
        else
            *out = PKCS12_verify_mac(pkcs12, form->text, form->length);
        if (*out)
            prefer_form(file, i);
    }
    return st;
}

/* A digest that OpenSSL does not have makes every password look wrong. */
static se_status check_mac_kind(const PKCS12 *pkcs12, se_error *err)
{
    const X509_ALGOR *algorithm = NULL;
    const ASN1_OBJECT *id = NULL;
    char name[80] = "none";
    EVP_MD *md;

    PKCS12_get0_mac(NULL, &algorithm, NULL, NULL, pkcs12);
    if (algorithm)
        X509_ALGOR_get0(&id, NULL, NULL, algorithm);
    if (pbmac1_is(pkcs12) || !id || OBJ_obj2txt(name, sizeof name, id, 0) <= 0)
        return SE_OK;
    md = EVP_MD_fetch(crypto_context(), name, NULL);
    EVP_MD_free(md);
    return md ? SE_OK
              : crypto_error(err, SE_ERR_STORE, "its MAC is of a kind that is not known (%s)",
                             name);
}

static se_status check_password(struct pkcs12_file *file, PKCS12 *pkcs12, se_bytes der,
                                se_error *err)
{
    bool right;

    if (!PKCS12_mac_present(pkcs12))
        return SE_OK;
    TRY(check_mac_kind(pkcs12, err));
    TRY(check_mac(&right, file, pkcs12, der, err));
    if (!right && file->passwords.forms[0].length)
        return crypto_error(err, SE_ERR_ACCESS, "the PIN does not open it");
    ERR_clear_error();
    file->vouched = right;
    return right ? SE_OK : error_set(err, SE_ERR_ACCESS, no_pin);
}

/* ---- bags ---- */

static se_bytes attribute_bytes(const PKCS12_SAFEBAG *bag, int nid)
{
    const ASN1_TYPE *value = PKCS12_SAFEBAG_get0_attr(bag, nid);

    if (!value || value->type != V_ASN1_OCTET_STRING)
        return (se_bytes){ NULL, 0 };
    return (se_bytes){ value->value.octet_string->data, (size_t)value->value.octet_string->length };
}

static se_status unknown_type(const PKCS8_PRIV_KEY_INFO *info, se_error *err)
{
    const ASN1_OBJECT *id = NULL;
    char name[80] = "none";

    ERR_clear_error();
    (void)PKCS8_pkey_get0(&id, NULL, NULL, NULL, info);
    if (id)
        (void)OBJ_obj2txt(name, sizeof name, id, 0);
    return error_set(err, SE_ERR_KEY, "it is a private key that can't be read, of type %s", name);
}

static se_status put_key(struct bundle *bundle, EVP_PKEY *key, PKCS12_SAFEBAG *bag,
                         const se_error *why, se_error *err)
{
    char *name = PKCS12_get_friendlyname(bag);
    se_status st =
        bundle_add_key(bundle, key, name, attribute_bytes(bag, NID_localKeyID), why, err);

    OPENSSL_free(name);
    return st;
}

static se_status add_key(struct bundle *bundle, const PKCS8_PRIV_KEY_INFO *info,
                         PKCS12_SAFEBAG *bag, se_error *err)
{
    EVP_PKEY *key = EVP_PKCS82PKEY_ex(info, crypto_context(), NULL);
    se_error why = SE_ERROR_INIT;

    if (!key && unknown_type(info, &why) == SE_ERR_MEMORY)
        return error_memory(err);
    return put_key(bundle, key, bag, key ? NULL : &why, err);
}

static se_status add_shrouded(struct bundle *bundle, struct pkcs12_file *file, PKCS12_SAFEBAG *bag,
                              se_error *err)
{
    AUTO(p8) info = NULL;
    se_error why = SE_ERROR_INIT;

    ERR_clear_error();
    for (size_t i = 0; !info && i < file->passwords.count; i++) {
        const struct password *form = &file->passwords.forms[i];

        if ((info = PKCS12_decrypt_skey_ex(bag, form->text, form->length, crypto_context(), NULL)))
            prefer_form(file, i);
    }
    if (!info) {
        (void)not_opened(file, "the private key", &why);
        return put_key(bundle, NULL, bag, &why, err);
    }
    ERR_clear_error();
    return add_key(bundle, info, bag, err);
}

/* What OpenSSL 3.0 hands out belongs to the default context: read it again in ours. */
static X509 *read_certificate(PKCS12_SAFEBAG *bag)
{
    AUTO(x509) raw = PKCS12_SAFEBAG_get1_cert(bag);
    X509 *certificate = NULL;
    unsigned char *der = NULL;
    int size = raw ? i2d_X509(raw, &der) : -1;

    if (size > 0)
        (void)!certificate_parse(&certificate, (se_bytes){ der, (size_t)size }, NULL);
    OPENSSL_free(der);
    ERR_clear_error();
    return certificate;
}

static se_status add_certificate(struct bundle *bundle, PKCS12_SAFEBAG *bag, se_error *err)
{
    X509 *certificate = read_certificate(bag);
    se_bytes id = attribute_bytes(bag, NID_localKeyID);
    char *name;

    if (!certificate)
        return SE_OK;
    if ((name = PKCS12_get_friendlyname(bag)))
        (void)X509_alias_set1(certificate, (unsigned char *)name, -1);
    if (id.size)
        (void)X509_keyid_set1(certificate, (unsigned char *)id.data, (int)id.size);
    OPENSSL_free(name);
    return bundle_add_certificate(bundle, certificate, err);
}

se_status pkcs12_add_bag(struct bundle *bundle, struct pkcs12_file *file, PKCS12_SAFEBAG *bag,
                         se_error *err)
{
    switch (PKCS12_SAFEBAG_get_nid(bag)) {
    case NID_keyBag:
        return add_key(bundle, PKCS12_SAFEBAG_get0_p8inf(bag), bag, err);
    case NID_pkcs8ShroudedKeyBag:
        return add_shrouded(bundle, file, bag, err);
    case NID_certBag:
        return PKCS12_SAFEBAG_get_bag_nid(bag) == NID_x509Certificate
                   ? add_certificate(bundle, bag, err)
                   : SE_OK;
    default:
        return SE_OK; /* CRLs, secrets: nothing of ours */
    }
}

/* ---- safes ---- */

static STACK_OF(PKCS12_SAFEBAG) * unpack_safe(struct pkcs12_file *file, PKCS7 *safe)
{
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;

    ERR_clear_error();
    if (OBJ_obj2nid(safe->type) == NID_pkcs7_data)
        return PKCS12_unpack_p7data(safe);
    for (size_t i = 0; !bags && i < file->passwords.count; i++)
        if ((bags = PKCS12_unpack_p7encdata(safe, file->passwords.forms[i].text,
                                            file->passwords.forms[i].length)))
            prefer_form(file, i);
    return bags;
}

/* Takes the bag over.  A safe inside of a safe means no more than its bags do; DER nests 30 times
 * at most for OpenSSL. */
static se_status take_bag(struct pkcs12_file *file, PKCS12_SAFEBAG *bag, se_error *err)
{
    AUTO(bag) taken = bag;
    const STACK_OF(PKCS12_SAFEBAG) * inner;
    se_status st = bag ? SE_OK : crypto_error(err, SE_ERR_KEY, "a part of it can't be read");

    if (!st && PKCS12_SAFEBAG_get_nid(bag) == NID_safeContentsBag) {
        inner = PKCS12_SAFEBAG_get0_safes(bag);
        for (int i = 0; !st && i < sk_PKCS12_SAFEBAG_num(inner); i++)
            st = take_bag(
                file,
                ASN1_item_dup(ASN1_ITEM_rptr(PKCS12_SAFEBAG), sk_PKCS12_SAFEBAG_value(inner, i)),
                err);
        return st;
    }
    if (!st && !sk_PKCS12_SAFEBAG_push(file->bags, bag))
        return error_memory(err);
    if (!st)
        taken = NULL;
    return st;
}

/* What was not asked for may be in one that can't be opened; a PIN that opens nothing is wrong. */
static se_status pass_over(struct pkcs12_file *file, const PKCS7 *safe, se_error *err)
{
    bool encrypted = OBJ_obj2nid(safe->type) == NID_pkcs7_encrypted;
    se_status st = encrypted
                       ? not_opened(file, "a part of it", &file->sealed)
                       : crypto_error(&file->sealed, SE_ERR_KEY, "a part of it can't be read");

    if (st != SE_ERR_ACCESS || file->vouched)
        return SE_OK;
    return error_set_at(err, st, file->sealed.file, file->sealed.line, "%s", file->sealed.text);
}

static se_status take_safe(struct pkcs12_file *file, PKCS7 *safe, se_error *err)
{
    AUTO(bags) bags = unpack_safe(file, safe);
    PKCS12_SAFEBAG *bag;
    se_status st = SE_OK;

    if (!bags)
        return pass_over(file, safe, err);
    while (!st && (bag = sk_PKCS12_SAFEBAG_shift(bags)))
        st = take_bag(file, bag, err);
    return st;
}

static se_status take_bags(struct pkcs12_file *file, const PKCS12 *pkcs12, se_error *err)
{
    AUTO(safes) safes = PKCS12_unpack_authsafes(pkcs12);
    se_status st = SE_OK;

    if (!safes)
        return crypto_error(err, SE_ERR_STORE, "its contents can't be read");
    if (!(file->bags = sk_PKCS12_SAFEBAG_new_null()))
        return error_memory(err);
    for (int i = 0; !st && i < sk_PKCS7_num(safes); i++)
        st = take_safe(file, sk_PKCS7_value(safes, i), err);
    return st;
}

static se_status parse_file(PKCS12 **out, se_bytes file, se_error *err)
{
    const unsigned char *p = file.data;

    /* made in our context first: decryption inside uses the context that the structure was made in
     */
    *out = PKCS12_init_ex(NID_pkcs7_data, crypto_context(), NULL);
    if (!*out)
        return error_memory(err);
    crypto_legacy();
    if (d2i_PKCS12(out, &p, (long)file.size))
        return SE_OK;
    ERR_clear_error(); /* "too long" and its like say nothing of a text */
    return error_set(err, SE_ERR_STORE, "it is not a PKCS #12 file");
}

se_status pkcs12_read(struct pkcs12_file *out, se_bytes file, const se_buf *pin, se_error *err)
{
    AUTO(pkcs12_file) read = { .sealed = SE_ERROR_INIT };
    AUTO(pkcs12) pkcs12 = NULL;

    *out = (struct pkcs12_file){ .sealed = SE_ERROR_INIT };
    TRY(passwords_of(&read.passwords, pin, err));
    TRY(parse_file(&pkcs12, file, err));
    TRY(check_password(&read, pkcs12, file, err));
    TRY(take_bags(&read, pkcs12, err));
    *out = MOVE(read);
    return SE_OK;
}

void pkcs12_file_free(struct pkcs12_file *file)
{
    sk_PKCS12_SAFEBAG_pop_free(file->bags, PKCS12_SAFEBAG_free);
    passwords_free(&file->passwords);
    *file = (struct pkcs12_file){ .bags = NULL };
}

se_status pkcs12_bundle(struct bundle *bundle, se_bytes text, const se_buf *pin, se_error *err)
{
    AUTO(pkcs12_file) file = { .bags = NULL };
    se_status st = pkcs12_read(&file, text, pin, err);

    for (int i = 0; !st && i < sk_PKCS12_SAFEBAG_num(file.bags); i++)
        st = pkcs12_add_bag(bundle, &file, sk_PKCS12_SAFEBAG_value(file.bags, i), err);
    if (!st && !file.vouched)
        st = bundle_check_pin(bundle, err);
    if (st || bundle->count || !file.sealed.status)
        return st;
    return error_set_at(err, file.sealed.status, file.sealed.file, file.sealed.line, "%s",
                        file.sealed.text);
}

static se_status load_bundle(struct bundle *bundle, const struct keyref *ref, se_error *err)
{
    AUTO(se_buf) file = SE_BUF_INIT;
    AUTO(se_buf) pin = SE_BUF_INIT;
    se_status st;

    if ((st = file_read(&file, ref->location, BUNDLE_FILE_LIMIT, err)))
        return st == SE_ERR_ACCESS ? st : error_restate(err, SE_ERR_STORE);
    TRY(keyref_pin(&pin, ref, err));
    return pkcs12_bundle(bundle, buf_bytes(&file), &pin, err);
}

/* A key that is held is never lost. */
static se_status open_pkcs12(struct key **out, const struct keyref *ref, enum key_part part,
                             const struct key_watch *watch, se_error *err)
{
    AUTO(bundle) bundle = { .count = 0 };
    se_status st = load_bundle(&bundle, ref, err);

    (void)watch;
    *out = NULL;
    if (!st)
        st = bundle_open(out, &bundle, ref, part, err);
    return error_prefix(err, st, "PKCS #12 file '%s': ", ref->location);
}

const struct store_type pkcs12_store = { .name = "pkcs12", .open = open_pkcs12 };
