/* Keys in PKCS #12 files (RFC 7292): every key and certificate with its friendlyName, not just the first as PKCS12_parse() has it. */
#include <openssl/err.h>

#include "base/file.h"
#include "key/certificate.h"
#include "key/crypto.h"
#include "store/pkcs12.h"

AUTO_KIND(pkcs12, PKCS12 *, PKCS12_free(*p))
AUTO_KIND(safes, STACK_OF(PKCS7) *, sk_PKCS7_pop_free(*p, PKCS7_free))
AUTO_KIND(p8, PKCS8_PRIV_KEY_INFO *, PKCS8_PRIV_KEY_INFO_free(*p))

static se_status add_key(struct bundle *bundle, const PKCS8_PRIV_KEY_INFO *info, PKCS12_SAFEBAG *bag, se_error *err)
{
    EVP_PKEY *key = info ? EVP_PKCS82PKEY_ex(info, crypto_context(), NULL) : NULL;
    char *name;
    se_status st;

    if (!key)
        return crypto_error(err, SE_ERR_KEY, "a private key in it can't be read");
    name = PKCS12_get_friendlyname(bag);
    st = bundle_add_key(bundle, key, name, err);
    OPENSSL_free(name);
    return st;
}

/* What OpenSSL 3.0 hands out belongs to the default context: read it again in ours. */
static se_status add_certificate(struct bundle *bundle, PKCS12_SAFEBAG *bag, se_error *err)
{
    AUTO(x509) raw = PKCS12_SAFEBAG_get1_cert(bag);
    X509 *certificate = NULL;
    unsigned char *der = NULL;
    int size = raw ? i2d_X509(raw, &der) : -1;
    char *name = PKCS12_get_friendlyname(bag);
    se_status st = size > 0 ? certificate_parse(&certificate, (se_bytes){ der, (size_t)size }, err)
                            : crypto_error(err, SE_ERR_KEY, "a certificate in it can't be read");

    if (!st && name)
        (void)X509_alias_set1(certificate, (unsigned char *)name, -1);
    if (!st)
        st = bundle_add_certificate(bundle, certificate, err);
    OPENSSL_free(name);
    OPENSSL_free(der);
    return st;
}

se_status pkcs12_add_bag(struct bundle *bundle, const struct pkcs12_file *file, PKCS12_SAFEBAG *bag, se_error *err)
{
    AUTO(p8) decrypted = NULL;

    switch (PKCS12_SAFEBAG_get_nid(bag)) {
    case NID_keyBag:
        return add_key(bundle, PKCS12_SAFEBAG_get0_p8inf(bag), bag, err);
    case NID_pkcs8ShroudedKeyBag:
        decrypted = PKCS12_decrypt_skey_ex(bag, file->password, file->length, crypto_context(), NULL);
        return add_key(bundle, decrypted, bag, err);
    case NID_certBag:
        return PKCS12_SAFEBAG_get_bag_nid(bag) == NID_x509Certificate ? add_certificate(bundle, bag, err) : SE_OK;
    default:
        return SE_OK; /* CRLs, secrets, nested safes: nothing of ours */
    }
}

static STACK_OF(PKCS12_SAFEBAG) * unpack(const struct pkcs12_file *file, PKCS7 *safe)
{
    if (OBJ_obj2nid(safe->type) == NID_pkcs7_data)
        return PKCS12_unpack_p7data(safe);
    return PKCS12_unpack_p7encdata(safe, file->password, file->length);
}

static se_status move_safe(struct pkcs12_file *file, PKCS7 *safe, se_error *err)
{
    AUTO(bags) bags = unpack(file, safe);
    PKCS12_SAFEBAG *bag;

    if (!bags)
        return crypto_error(err, SE_ERR_KEY, "a part of it can't be read");
    while ((bag = sk_PKCS12_SAFEBAG_shift(bags)))
        if (!sk_PKCS12_SAFEBAG_push(file->bags, bag)) {
            PKCS12_SAFEBAG_free(bag);
            return error_memory(err);
        }
    return SE_OK;
}

static bool right_password(struct pkcs12_file *file, PKCS12 *pkcs12)
{
    if (!PKCS12_mac_present(pkcs12) || PKCS12_verify_mac(pkcs12, file->password, file->length))
        return true;
    file->password = file->length ? file->password : NULL;
    return !file->length && PKCS12_verify_mac(pkcs12, NULL, 0);
}

static se_status parse(PKCS12 **out, se_bytes file, se_error *err)
{
    const unsigned char *p = file.data;

    /* made in our context first: decryption inside uses the context that the structure was made in */
    *out = PKCS12_init_ex(NID_pkcs7_data, crypto_context(), NULL);
    if (!*out)
        return error_memory(err);
    crypto_legacy();
    if (d2i_PKCS12(out, &p, (long)file.size))
        return SE_OK;
    return crypto_error(err, SE_ERR_STORE, "it is not a PKCS #12 file");
}

static se_status move_bags(struct pkcs12_file *out, const PKCS12 *pkcs12, se_error *err)
{
    AUTO(safes) safes = PKCS12_unpack_authsafes(pkcs12);
    se_status st = SE_OK;

    if (!safes)
        return crypto_error(err, SE_ERR_STORE, "its contents can't be read");
    if (!(out->bags = sk_PKCS12_SAFEBAG_new_null()))
        return error_memory(err);
    for (int i = 0; !st && i < sk_PKCS7_num(safes); i++)
        st = move_safe(out, sk_PKCS7_value(safes, i), err);
    if (st)
        pkcs12_file_free(out);
    return st;
}

se_status pkcs12_read(struct pkcs12_file *out, se_bytes file, const se_buf *pin, se_error *err)
{
    AUTO(pkcs12) pkcs12 = NULL;
    se_status st;

    *out = (struct pkcs12_file){ NULL, pin->data ? (const char *)pin->data : "", (int)pin->size };
    if ((st = parse(&pkcs12, file, err)))
        return st;
    if (!right_password(out, pkcs12))
        return crypto_error(err, SE_ERR_ACCESS, pin->size ? "the PIN does not open it" : "it needs a PIN, and no PIN is configured");
    return move_bags(out, pkcs12, err);
}

void pkcs12_file_free(struct pkcs12_file *file)
{
    sk_PKCS12_SAFEBAG_pop_free(file->bags, PKCS12_SAFEBAG_free);
    *file = (struct pkcs12_file){ .bags = NULL };
}

se_status pkcs12_bundle(struct bundle *bundle, se_bytes text, const se_buf *pin, se_error *err)
{
    AUTO(pkcs12_file) file = { .bags = NULL };
    se_status st = pkcs12_read(&file, text, pin, err);

    for (int i = 0; !st && i < sk_PKCS12_SAFEBAG_num(file.bags); i++)
        st = pkcs12_add_bag(bundle, &file, sk_PKCS12_SAFEBAG_value(file.bags, i), err);
    return st;
}

static se_status fill(struct bundle *bundle, const struct keyref *ref, se_error *err)
{
    AUTO(se_buf) file = SE_BUF_INIT;
    AUTO(se_buf) pin = SE_BUF_INIT;
    se_status st;

    if ((st = file_read(&file, ref->location, BUNDLE_FILE_LIMIT, err)))
        return st == SE_ERR_ACCESS ? st : error_restate(err, SE_ERR_STORE);
    if ((st = keyref_pin(&pin, ref, err)))
        return st;
    return pkcs12_bundle(bundle, buf_bytes(&file), &pin, err);
}

/* A key that is held is never lost. */
static se_status open_pkcs12(struct key **out, const struct keyref *ref, enum key_part part, const struct key_watch *watch, se_error *err)
{
    AUTO(bundle) bundle = { .count = 0 };
    se_status st = fill(&bundle, ref, err);

    (void)watch;
    *out = NULL;
    if (!st)
        st = bundle_open(out, &bundle, ref, part, err);
    if (st)
        (void)error_prefix(err, "PKCS #12 file '%s': ", ref->location);
    return st;
}

const struct store_type pkcs12_store = { "pkcs12", open_pkcs12 };
