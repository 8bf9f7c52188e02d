/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate that the configuration itself gives: what is below all stores. */
#include "config/files.h"
#include "crypto/certificate.h"
#include "keystore/keystore.h"

/* The first says whose certificates they are: its successor may lie beside it. */
static X509 *choose_certificate(const STACK_OF(X509) * all)
{
    X509 *first = sk_X509_value(all, 0), *best = NULL;

    if (X509_get0_pubkey(first))
        best = certificates_choose(all, X509_get0_pubkey(first));
    return best ? best : first;
}

se_status store_configured_certificate(struct certificates *out, const struct keyref *ref,
                                       se_error *err)
{
    AUTO(x509_stack) all = NULL;
    AUTO(se_buf) text = SE_BUF_INIT;
    se_status st = SE_OK;

    *out = (struct certificates){ .own = NULL };
    if (ref->certificate_der.size)
        return certificate_parse(&out->own, buf_bytes(&ref->certificate_der), err);
    if (!*ref->certificate)
        return SE_OK;
    if ((st = certificate_file_read(&text, ref, err)) ||
        (st = certificates_read(&all, buf_bytes(&text), ref->certificate, err)))
        return st == SE_ERR_ACCESS ? st : error_restate(err, SE_ERR_KEY);
    return certificates_gather(out, choose_certificate(all), all, err);
}
