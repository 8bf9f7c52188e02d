/* SPDX-License-Identifier: Apache-2.0 */
/* CMS signatures, detached and attached, PEM and DER, before the certificates that made the corpus.
 */
#include <stdlib.h>

#include "cms/cms.h"
#include "crypto/certificate.h"
#include "crypto/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Their private keys are nowhere. */
static const char certificates[] = /* clang-format off */
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBIDCBxwIUC2gDK6F9Lgd/gdC9KmTrn6ReFgwwCgYIKoZIzj0EAwIwEjEQMA4G\n"
    "A1UEAwwHZnV6eiBlYzAgFw0yNjExMjEwNzI4MDlaGA8yMTI2MTAyODA3MjgwOVow\n"
    "EjEQMA4GA1UEAwwHZnV6eiBlYzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABBNo\n"
    "J2E1d1tBEz0zF8otOkCzmndgXq/21WWuPO0PxP2WcI0n434fhG5idDv75LK4/ae8\n"
    "f7fwLRv7+53yuiuFFTEwCgYIKoZIzj0EAwIDSAAwRQIhAKRo4i3XMbaZT9uTeYS0\n"
    "GR/HUi9z4bIATWVX1zTrBrLgAiB4BdEAmBn+jEix+kuGOdvv33wqJje3uvcTrR+P\n"
    "Ki44PA==\n"
    "-----END CERTIFICATE-----\n"
    "-----BEGIN CERTIFICATE-----\n"
    "MIICrzCCAZcCFDZ8fbRAmYWTBpeBNWq6oiBnNZPTMA0GCSqGSIb3DQEBCwUAMBMx\n"
    "ETAPBgNVBAMMCGZ1enogcnNhMCAXDTI2MTEyMTA3MjgwOVoYDzIxMjYxMDI4MDcy\n"
    "ODA5WjATMREwDwYDVQQDDAhmdXp6IHJzYTCCASIwDQYJKoZIhvcNAQEBBQADggEP\n"
    "ADCCAQoCggEBAIWK8PwvCSwEmgOgCwzGz5KZ2mxt7bRx17amjocyuHabzxKQWoJp\n"
    "EyCc5KFyticq7QI+DhZsr3zWQtWOpNxJ2MEdmUvUbc63n5amkw3zfEkFUmSSRBDV\n"
    "3QMwrQmaJNSsrPRfcwqw3+so1kDCFJM7opmfa/83XAoUSxOZ+kBXoZWnaMvaLcnc\n"
    "0eRj+jF6TnUCc86hCOtT4Q+y5Sta2yf46UvNHTmQY33tl8r9lsXSlOekbU1rVSbf\n"
    "FLRZu0vXc9l/AguGSsQknvSSTSef3zFbly8eUU0KWFHhnlVP8j2qk1BHJbe+QzN5\n"
    "qUM+5odX/VT+TZJT3Mv+mKylvphbn/rj8vkCAwEAATANBgkqhkiG9w0BAQsFAAOC\n"
    "AQEActSIHR0nO1UpPDe7Cgn+47ZcG97VBVuyW7BJsxCbWyMiGjlVDYVjprDnDhkt\n"
    "NmH5613vvCflpYOBpZUo1aVmghzx8lqE4B0/JDganRAz80fbx20QTXtR4jtS8FpQ\n"
    "i7KcJHRytxuE8NE7MwpoBQx9E4drBHK7vl8eP9/mU57s3kxZVOQ2hgjjnMMMp7+e\n"
    "miC7m3kj+NHBIK9LrR6RA3uJoYoSPT3RRSZ4LeGnuo8TD98EC9i10gFi6NOfwgge\n"
    "5OjoxyoOzKB8+7V6wuuulKts5g0voLOX1WVNinHyl+TUzEiMu2inH+hlBuI1pYwe\n"
    "HWFmxn3xXrF17Um55+nkGfgRpQ==\n"
    "-----END CERTIFICATE-----\n"; /* clang-format on */

static struct expected_signer candidates[2];

static void load(void)
{
    static const char *const names[] = { "SHA256withECDSA", "SHA256withRSA" };
    STACK_OF(X509) * loaded;

    if (certificates_read(&loaded, text_bytes(certificates), "fuzz", NULL) ||
        sk_X509_num(loaded) != 2)
        abort();
    for (int i = 0; i < 2; i++)
        candidates[i] =
            (struct expected_signer){ .certificate = sk_X509_value(loaded, i), .version = 1 };
    for (size_t i = 0; i < 2; i++) {
        struct algorithm algorithm;

        if (!algorithm_parse(&algorithm, names[i], NULL))
            abort();
        candidates[i].algorithm =
            algorithm_signature(algorithm.digest, algorithm.family, algorithm.padding);
    }
    sk_X509_free(loaded);
}

static void verify(se_bytes in, se_bytes signature, X509_STORE *roots)
{
    AUTO(writer) content = { 0 };
    AUTO(verdict) verdict = { .certificate = NULL };
    const se_sink sink = sink_writer(&content);
    const se_source source = source_memory(&in);
    struct stream stream = { .source = &source };
    const struct verify_job job = {
        .candidates = candidates,
        .count = 2,
        .roots = roots,
        .time = 2000000000,
        .signature = signature,
        .in = &stream,
        .content = &sink,
    };
    const struct signature_format *format =
        signature_format_find(signature.data ? SE_FORM_DETACHED : SE_FORM_ATTACHED);

    (void)!format->verify(&verdict, &job, NULL);
}

/* Who it says to be by, whole and as a stream. */
static void find_signers(se_bytes in, uint64_t total)
{
    se_source source = source_memory(&in);
    struct stream stream = { .source = &source };
    const struct verify_job job = { .candidates = candidates, .count = 2, .in = &stream };
    bool made[2] = { false, false };

    source.total = total;
    (void)!cms_find_signers(made, &job, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static X509_STORE *roots;
    const se_bytes input = { data, size };

    if (!roots) {
        load();
        roots = X509_STORE_new();
        if (!roots || !X509_STORE_add_cert(roots, candidates[0].certificate))
            abort();
    }
    verify(text_bytes("content\n"), input, NULL);
    verify(input, (se_bytes){ NULL, 0 }, NULL);
    verify(input, (se_bytes){ NULL, 0 }, roots);
    find_signers(input, size);
    find_signers(input, 0);
    return 0;
}
