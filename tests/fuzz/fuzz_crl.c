/* SPDX-License-Identifier: Apache-2.0 */
/* CRLs before a certificate and the CA that made the corpus'. */
#include "crypto/crl.h"
#include "tests/fuzz/revocation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Their private keys are nowhere. */
static const char path[] = /* clang-format off */
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBCDCBrgICEmcwCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwEZnV6ejAgFw0yNjEy\n"
    "MDIwNzI1MDZaGA8yMTI2MTEwODA3MjUwNlowDjEMMAoGA1UEAwwDb25lMFkwEwYH\n"
    "KoZIzj0CAQYIKoZIzj0DAQcDQgAEBz62KhelgvMiO/qlV+n4iaGJS02Iztxa3MLZ\n"
    "JGkk2HhzRJ7nuKCwSpeoJBiRrP9njJ8xvVSXg+G7NDZ9/5ixzDAKBggqhkjOPQQD\n"
    "AgNJADBGAiEAwYm2yZ23PhZMtZc877ITQqpH3Ta8gkJPD/U/ADEzzOYCIQD7xCr6\n"
    "YlWE8BnGeSR35CR0u4XgWj6pfvBpEtzGbdfaFQ==\n"
    "-----END CERTIFICATE-----\n"
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBZTCCAQqgAwIBAgIUTHnLmfJo02GYcWFCS+k73Yj6bMkwCgYIKoZIzj0EAwIw\n"
    "DzENMAsGA1UEAwwEZnV6ejAgFw0yNjEyMDIwNzI1MDZaGA8yMTI2MTEwODA3MjUw\n"
    "NlowDzENMAsGA1UEAwwEZnV6ejBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKMY\n"
    "jYIoUS/DhOfn76EeAL990eeHwIKiMJOPL/FNC/o47f+TOzdoe2kAjsgRxOzWfsqV\n"
    "Ts4pBzgFZuOVbt4u8cGjQjBAMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQD\n"
    "AgEGMB0GA1UdDgQWBBTIKB8DJ8AsArcwqlmDLOQAg89hgjAKBggqhkjOPQQDAgNJ\n"
    "ADBGAiEAswe9CIfzvdEqcOnYTwwe7Ay+smc+TjRFsarqnfbuLbcCIQDxG3UWfMie\n"
    "NTFJQgOwqwokyR0EGrfuOLoYf/oAhZBbtg==\n"
    "-----END CERTIFICATE-----\n"; /* clang-format on */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(crl_stack) crls = sk_X509_CRL_new_null();
    struct revocation_sources sources = { .crls = crls };
    se_error err = SE_ERROR_INIT;

    if (!crls)
        abort();
    if (crls_read(crls, (se_bytes){ data, size }, "fuzz", &err))
        return 0;
    check_revocation(&sources, path);
    return 0;
}
