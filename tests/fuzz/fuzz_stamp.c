/* SPDX-License-Identifier: Apache-2.0 */
/* Time stamps over the bytes "signature", before the CA that made the corpus' authorities. */
#include <stdlib.h>

#include "cms/tsp.h"
#include "crypto/certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Its private key is nowhere. */
static const char ca[] = /* clang-format off */
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBYzCCAQqgAwIBAgIUHAApeO/cVdVyELOIUfP4mflEROAwCgYIKoZIzj0EAwIw\n"
    "DzENMAsGA1UEAwwEZnV6ejAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAw\n"
    "MFowDzENMAsGA1UEAwwEZnV6ejBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMsR\n"
    "jUreDAem6Ut+ziTGlzv7eXM/oco5J9o86Q4wBb/zkwXGQVenmycnPp76RFzfGVNT\n"
    "dQrfU72HLXNWBmmWHbKjQjBAMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQD\n"
    "AgIEMB0GA1UdDgQWBBRIzbTXNwCu103SKzyBbSptEeHy4zAKBggqhkjOPQQDAgNH\n"
    "ADBEAiBlxC+jyPTtK9y1xkhfP1sXsFWDSlcF7AiHgrUKyJpCcgIgdS2L5JoKhClF\n"
    "op5EH24DBRwZpGU7B5ho1Y2hDNaSUvs=\n"
    "-----END CERTIFICATE-----\n"; /* clang-format on */

static X509_STORE *trust(void)
{
    STACK_OF(X509) * certificates;
    X509_STORE *roots = X509_STORE_new();

    if (!roots || certificates_read(&certificates, text_bytes(ca), "fuzz", NULL) ||
        !X509_STORE_add_cert(roots, sk_X509_value(certificates, 0)))
        abort();
    sk_X509_pop_free(certificates, X509_free);
    return roots;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static X509_STORE *roots;
    struct verify_job job = { .time = 2000000000 };
    struct stamp stamp = { .time = 0 };
    se_error err = SE_ERROR_INIT;

    if (!roots)
        roots = trust();
    job.tsa_roots = roots;
    if (!stamp_check(&stamp, (se_bytes){ data, size }, text_bytes("signature"), &job, &err) &&
        !stamp.time == !*stamp.ignored)
        abort();
    return 0;
}
