#include "store/bundle.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <strings.h>

#include "key/certificate.h"

se_status bundle_add_key(struct bundle *bundle, EVP_PKEY *key, const char *name, se_error *err)
{
    char *copy = strdup(name ? name : "");

    if (copy && bundle->count < BUNDLE_KEYS) {
        bundle->keys[bundle->count++] = (struct bundle_key){ key, copy };
        return SE_OK;
    }
    EVP_PKEY_free(key);
    free(copy);
    return copy ? error_set(err, SE_ERR_KEY, "more than %d keys", BUNDLE_KEYS) : error_memory(err);
}

se_status bundle_add_certificate(struct bundle *bundle, X509 *certificate, se_error *err)
{
    if (!bundle->certificates)
        bundle->certificates = sk_X509_new_null();
    if (bundle->certificates && sk_X509_push(bundle->certificates, certificate))
        return SE_OK;
    X509_free(certificate);
    return error_memory(err);
}

void bundle_free(struct bundle *bundle)
{
    for (size_t i = 0; i < bundle->count; i++) {
        EVP_PKEY_free(bundle->keys[i].key);
        free(bundle->keys[i].name);
    }
    sk_X509_pop_free(bundle->certificates, X509_free);
    *bundle = (struct bundle){ .count = 0 };
}

static const char *alias_of(X509 *certificate)
{
    int size;
    const unsigned char *alias = X509_alias_get0(certificate, &size);

    return alias ? (const char *)alias : "";
}

static void list_names(struct writer *w, const struct bundle *bundle)
{
    for (size_t i = 0; i < bundle->count; i++)
        writer_format(w, "%s'%s'", i ? ", " : "", bundle->keys[i].name);
}

/* Java writes aliases in lower case, so case does not count. */
static se_status choose_key(EVP_PKEY **out, const struct bundle *bundle, const char *alias, se_error *err)
{
    AUTO(writer) names = { 0 };

    *out = bundle->count ? bundle->keys[0].key : NULL;
    if (!bundle->count || (!*alias && bundle->count == 1))
        return SE_OK;
    for (size_t i = 0; *alias && i < bundle->count; i++) {
        *out = bundle->keys[i].key;
        if (strcasecmp(bundle->keys[i].name, alias) == 0)
            return SE_OK;
    }
    list_names(&names, bundle);
    if (!*alias)
        return error_set(err, SE_ERR_KEY, "%zu keys, and no alias that says which: %s", bundle->count, writer_string(&names));
    return error_set(err, SE_ERR_KEY, "no key with alias '%s'; there are: %s", alias, writer_string(&names));
}

static bool has_issued_others(X509 *certificate, const STACK_OF(X509) * all)
{
    for (int i = 0; i < sk_X509_num(all); i++)
        if (sk_X509_value(all, i) != certificate && certificate_has_issued(certificate, sk_X509_value(all, i)))
            return true;
    return false;
}

/* Without a private key to tell: issuers may stand first. */
static X509 *named_certificate(const struct bundle *bundle, const char *alias)
{
    X509 *first = NULL;

    for (int i = 0; i < sk_X509_num(bundle->certificates); i++) {
        X509 *one = sk_X509_value(bundle->certificates, i);

        if (*alias && strcasecmp(alias_of(one), alias) != 0)
            continue;
        if (!has_issued_others(one, bundle->certificates))
            return one;
        if (!first)
            first = one;
    }
    return first;
}

static X509 *choose_certificate(const struct bundle *bundle, EVP_PKEY *key, const char *alias)
{
    X509 *named = key ? NULL : named_certificate(bundle, alias);
    EVP_PKEY *public = key ? key : named ? X509_get0_pubkey(named) : NULL;
    X509 *chosen = public ? certificates_choose(bundle->certificates, public) : NULL;

    ERR_clear_error();
    return chosen ? chosen : named;
}

static se_status with_configured_certificate(struct key **out, EVP_PKEY *key, const struct keyref *ref, se_error *err)
{
    X509 *certificate;
    STACK_OF(X509) * chain;
    se_status st = store_configured_certificate(&certificate, &chain, ref, err);

    *out = NULL;
    if (st || !certificate)
        return st;
    if (key)
        EVP_PKEY_up_ref(key);
    return key_new(out, key, certificate, chain, err);
}

se_status bundle_open(struct key **out, const struct bundle *bundle, const struct keyref *ref, enum key_part part, se_error *err)
{
    AUTO(x509_stack) chain = NULL;
    EVP_PKEY *key = NULL;
    X509 *certificate;
    se_status st;

    *out = NULL;
    if ((st = choose_key(&key, bundle, ref->alias, err)))
        return st;
    if (part != PART_CERTIFICATE && !key)
        return error_set(err, SE_ERR_KEY, "no private key in it");
    if ((st = with_configured_certificate(out, key, ref, err)) || *out)
        return st;
    if (!(certificate = choose_certificate(bundle, key, ref->alias)))
        return error_set(err, SE_ERR_KEY, "no certificate %s in it (%d others); certificate= can name one",
                         key ? "of the key" : "with that alias",
                         sk_X509_num(bundle->certificates) < 0 ? 0 : sk_X509_num(bundle->certificates));
    if ((st = certificates_chain(&chain, certificate, bundle->certificates, err)))
        return st;
    X509_up_ref(certificate);
    if (key)
        EVP_PKEY_up_ref(key);
    st = key_new(out, key, certificate, chain, err);
    chain = NULL;
    return st;
}
