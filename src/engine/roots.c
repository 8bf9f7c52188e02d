#include "engine/roots.h"

#include <pthread.h>

#include "base/file.h"
#include "key/certificate.h"
#include "key/crypto.h"

enum { TRUST_LIMIT = 16 << 20 };

se_status roots_add(X509_STORE *roots, STACK_OF(X509) * certificates, se_error *err)
{
    for (int i = 0; i < sk_X509_num(certificates); i++)
        if (!X509_STORE_add_cert(roots, sk_X509_value(certificates, i)))
            return crypto_error(err, SE_ERR_CRYPTO, "cannot use a certificate that is to be trusted");
    return SE_OK;
}

se_status roots_load(X509_STORE *roots, const char *path, se_error *err)
{
    AUTO(x509_stack) certificates = NULL;
    AUTO(se_buf) text = SE_BUF_INIT;
    se_status st;

    if ((st = file_read(&text, path, TRUST_LIMIT, err)) || (st = certificates_read(&certificates, buf_bytes(&text), path, err)))
        return error_prefix(err, "trust: ");
    return roots_add(roots, certificates, err);
}

/* ---- the system's: reading them takes longer than most verifications (X509_LOOKUP_meth_new(3)) ---- */

static int find(X509_STORE *roots, X509_LOOKUP_TYPE type, const X509_NAME *name, X509_OBJECT *out)
{
    X509 *certificate = NULL;
    X509_OBJECT *found;

    X509_STORE_lock(roots);
    if ((found = X509_OBJECT_retrieve_by_subject(X509_STORE_get0_objects(roots), type, name)))
        certificate = X509_OBJECT_get0_X509(found);
    X509_STORE_unlock(roots);
    if (!certificate || !X509_OBJECT_set1_X509(out, certificate))
        return 0;
    X509_free(certificate); /* who asked counts it too, and the store has it */
    return 1;
}

static int read_and_find(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, const X509_NAME *name, X509_OBJECT *out)
{
    X509_STORE *roots = X509_LOOKUP_get_store(lookup);

    if (type != X509_LU_X509 || X509_LOOKUP_get_method_data(lookup))
        return 0;
    (void)X509_LOOKUP_set_method_data(lookup, roots); /* it has been read */
    return X509_STORE_set_default_paths_ex(roots, crypto_context(), NULL) && find(roots, type, name, out);
}

static X509_LOOKUP_METHOD *reading;

static void make_method(void)
{
    X509_LOOKUP_METHOD *method = X509_LOOKUP_meth_new("the system's CAs");

    if (method && X509_LOOKUP_meth_set_get_by_subject(method, read_and_find))
        reading = method;
}

se_status roots_system(X509_STORE *roots, se_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, make_method);
    if (reading && X509_STORE_add_lookup(roots, reading))
        return SE_OK;
    return crypto_error(err, SE_ERR_CRYPTO, "cannot use the system's CA certificates");
}
