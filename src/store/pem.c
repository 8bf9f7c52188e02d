/* Keys in PEM files: a private key, encrypted or not, its certificate and the chain, in any order. */
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/file.h"
#include "key/certificate.h"
#include "key/crypto.h"
#include "store/pem.h"

AUTO_KIND(bio, BIO *, BIO_free(*p))

struct passphrase {
    const se_buf *pin;
    bool asked;
};

static int give_passphrase(char *out, int room, int writing, void *arg)
{
    struct passphrase *passphrase = arg;

    (void)writing;
    passphrase->asked = true;
    if (!passphrase->pin->size || passphrase->pin->size > (size_t)room)
        return -1;
    memcpy(out, passphrase->pin->data, passphrase->pin->size);
    return (int)passphrase->pin->size;
}

static se_status read_key(struct bundle *bundle, se_bytes text, const se_buf *pin, se_error *err)
{
    AUTO(bio) bio = BIO_new_mem_buf(text.data, (int)text.size);
    struct passphrase passphrase = { pin, false };
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey_ex(bio, NULL, give_passphrase, &passphrase, crypto_context(), NULL) : NULL;

    if (key)
        return bundle_add_key(bundle, key, "", err);
    if (passphrase.asked && pin->size)
        return crypto_error(err, SE_ERR_ACCESS, "the PIN does not open the private key");
    if (passphrase.asked) { /* in OpenSSL's words somebody has interrupted it */
        ERR_clear_error();
        return error_set(err, SE_ERR_ACCESS, "the private key is encrypted, and no PIN is configured");
    }
    return crypto_error(err, SE_ERR_KEY, "the private key can't be read");
}

static se_status read_certificates(struct bundle *bundle, se_bytes text, const char *name, se_error *err)
{
    if (!memmem(text.data, text.size, "-----BEGIN CERTIFICATE", 22) && !memmem(text.data, text.size, "-----BEGIN TRUSTED", 18))
        return SE_OK;
    return certificates_read(&bundle->certificates, text, name, err);
}

bool pem_has_key(se_bytes text)
{
    return memmem(text.data, text.size, "PRIVATE KEY-----", 16);
}

se_status pem_bundle(struct bundle *bundle, se_bytes text, const se_buf *pin, const char *name, se_error *err)
{
    se_status st = pin && pem_has_key(text) ? read_key(bundle, text, pin, err) : SE_OK;

    if (st)
        return st;
    return read_certificates(bundle, text, name, err);
}

static se_status fill(struct bundle *bundle, const struct keyref *ref, enum key_part part, se_error *err)
{
    AUTO(se_buf) file = SE_BUF_INIT;
    AUTO(se_buf) pin = SE_BUF_INIT;
    se_status st = file_read(&file, ref->location, BUNDLE_FILE_LIMIT, err);

    if (st)
        return st == SE_ERR_ACCESS ? st : error_restate(err, SE_ERR_STORE);
    if (part != PART_CERTIFICATE && (st = keyref_pin(&pin, ref, err)))
        return st;
    return pem_bundle(bundle, buf_bytes(&file), part != PART_CERTIFICATE ? &pin : NULL, ref->location, err);
}

/* A key that is held is never lost. */
static se_status open_pem(struct key **out, const struct keyref *ref, enum key_part part, const struct key_watch *watch, se_error *err)
{
    AUTO(bundle) bundle = { .count = 0 };
    struct keyref any = *ref;
    se_status st = fill(&bundle, ref, part, err);

    (void)watch;
    *out = NULL;
    any.alias = (char[]){ "" }; /* PEM has no names: an alias says nothing */
    if (!st)
        st = bundle_open(out, &bundle, &any, part, err);
    if (st)
        (void)error_prefix(err, "PEM file '%s': ", ref->location);
    return st;
}

const struct store_type pem_store = { "pem", open_pem };
