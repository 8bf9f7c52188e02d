#include "keystore/pkcs11/held.h"

#include <time.h>

#include "crypto/certificate.h"

void held_free(struct held_list *held)
{
    for (size_t i = 0; i < held->count; i++) {
        X509_free(held->list[i].certificate);
        se_buf_free(&held->list[i].id);
    }
    held->count = 0;
}

static void insert(struct held_list *held, const struct held *new)
{
    size_t i = held->count++;
    int64_t at = time(NULL);

    for (; i && certificate_precedes(new->certificate, held->list[i - 1].certificate, at); i--)
        held->list[i] = held->list[i - 1];
    held->list[i] = *new;
}

static se_status add(struct held_list *held, struct session *session, CK_OBJECT_HANDLE object,
                     se_error *err)
{
    AUTO(se_buf) der = SE_BUF_INIT;
    struct held new = { NULL, SE_BUF_INIT };
    se_status st = object_bytes(&der, session, object, CKA_VALUE, err);

    if (st || certificate_parse(&new.certificate, buf_bytes(&der), NULL))
        return st;
    if ((st = object_bytes(&new.id, session, object, CKA_ID, err))) {
        X509_free(new.certificate);
        return st;
    }
    insert(held, &new);
    return SE_OK;
}

struct query held_query(void)
{
    static const CK_CERTIFICATE_TYPE x509 = CKC_X_509;
    struct query query = query_class(&class_certificate);

    query_add(&query, CKA_CERTIFICATE_TYPE, (se_bytes){ &x509, sizeof x509 });
    return query;
}

se_status held_load(struct held_list *out, struct session *session, const struct objects *found,
                    se_error *err)
{
    se_status st = SE_OK;

    out->count = 0;
    for (size_t i = 0; !st && i < found->count; i++)
        st = add(out, session, found->list[i], err);
    if (st)
        held_free(out);
    return st;
}

static se_status add_to(STACK_OF(X509) * pool, X509 *certificate, se_error *err)
{
    if (!X509_up_ref(certificate))
        return error_memory(err);
    if (sk_X509_push(pool, certificate))
        return SE_OK;
    X509_free(certificate);
    return error_memory(err);
}

/* Adds what the token has under the name of the issuer. */
static se_status add_issuers(STACK_OF(X509) * pool, struct session *session,
                             const X509 *certificate, se_error *err)
{
    AUTO(held_list) held = { .count = 0 };
    struct query query = held_query();
    struct objects found;
    unsigned char *name = NULL;
    int size = i2d_X509_NAME(X509_get_issuer_name(certificate), &name);
    se_status st;

    if (size <= 0)
        return error_memory(err);
    query_add(&query, CKA_SUBJECT, (se_bytes){ name, (size_t)size });
    st = object_find(&found, session, &query, err);
    OPENSSL_free(name);
    if (!st)
        st = held_load(&held, session, &found, err);
    for (size_t i = 0; !st && i < held.count; i++)
        st = add_to(pool, held.list[i].certificate, err);
    return st;
}

static se_status add_issuers_of(STACK_OF(X509) * pool, struct session *session,
                                const STACK_OF(X509) * chain, int *asked, se_error *err)
{
    se_status st = SE_OK;

    for (; !st && *asked < sk_X509_num(chain); ++*asked)
        if (!X509_self_signed(sk_X509_value(chain, *asked), 0))
            st = add_issuers(pool, session, sk_X509_value(chain, *asked), err);
    return st;
}

/* The token is asked for the issuers of what it gave last, until nothing new comes. */
se_status held_chain(STACK_OF(X509) * *out, struct session *session, X509 *certificate,
                     const STACK_OF(X509) * more, se_error *err)
{
    AUTO(x509_stack) pool = more ? X509_chain_up_ref((STACK_OF(X509) *)more) : sk_X509_new_null();
    AUTO(x509_stack) seen = sk_X509_new_null();
    AUTO(x509_stack) chain = NULL;
    se_status st = pool && seen ? add_to(seen, certificate, err) : error_memory(err);

    *out = NULL;
    for (int asked = 0; !st && asked < sk_X509_num(seen);) {
        sk_X509_pop_free(chain, X509_free);
        chain = NULL;
        if ((st = add_issuers_of(pool, session, seen, &asked, err)) ||
            (st = certificates_chain(&chain, certificate, pool, err)))
            break;
        for (int i = 0; !st && i < sk_X509_num(chain); i++)
            if (!certificates_hold(seen, sk_X509_value(chain, i)))
                st = add_to(seen, sk_X509_value(chain, i), err);
    }
    if (st)
        return st;
    *out = MOVE(chain);
    return SE_OK;
}
