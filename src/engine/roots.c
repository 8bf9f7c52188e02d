#include "engine/roots.h"

#include "base/file.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"

enum { TRUST_LIMIT = 16 << 20 };

se_status roots_add(X509_STORE *roots, STACK_OF(X509) * certificates, se_error *err)
{
    for (int i = 0; i < sk_X509_num(certificates); i++)
        if (!X509_STORE_add_cert(roots, sk_X509_value(certificates, i)))
            return crypto_error(err, SE_ERR_CRYPTO,
                                "cannot use a certificate that is to be trusted");
    return SE_OK;
}

se_status roots_load(X509_STORE *roots, const char *path, se_error *err)
{
    AUTO(x509_stack) certificates = NULL;
    AUTO(se_buf) text = SE_BUF_INIT;
    se_status st;

    if ((st = file_read(&text, path, TRUST_LIMIT, err)) ||
        (st = certificates_read(&certificates, buf_bytes(&text), path, err)))
        return error_prefix(err, "trust: ");
    return roots_add(roots, certificates, err);
}
