/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence records of the files "one" and "two", before the CA that made the corpus' authorities.
 */
#include <stdlib.h>

#include "crypto/certificate.h"
#include "evidence/evidence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Its private key is nowhere. */
static const char ca[] = /* clang-format off */
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBcDCCARagAwIBAgIUVXgp/GKgTab6H8ofnBXrsqkTSZcwCgYIKoZIzj0EAwIw\n"
    "FTETMBEGA1UEAwwKVGVzdCBDQSBjYTAgFw0yNjEyMDIxMjQzNDFaGA8yMTI2MTEw\n"
    "ODEyNDM0MVowFTETMBEGA1UEAwwKVGVzdCBDQSBjYTBZMBMGByqGSM49AgEGCCqG\n"
    "SM49AwEHA0IABHS1Exahq+c6ToyVTL87xbu6GdoESMecq7+4HRQBVveKuxoWha1o\n"
    "4SdchCAAlDUCwJWrZG1YE2pVGVkDd93AZFejQjBAMA8GA1UdEwEB/wQFMAMBAf8w\n"
    "DgYDVR0PAQH/BAQDAgEGMB0GA1UdDgQWBBRtg7A3eow29SYfhfcUm/S4ftGVfzAK\n"
    "BggqhkjOPQQDAgNIADBFAiEA4MZjxw0i0jUP9XMiji2C0pzaCpXnNnCOXIS5eLLN\n"
    "o+cCIC+5Dc1Wpdwq4kG076uAT3BCF1u90PqyTZhsAYj5dmE5\n"
    "-----END CERTIFICATE-----\n"; /* clang-format on */

static X509_STORE *roots;
static struct file_digests files[2] = { { .name = "one" }, { .name = "two" } };

static void begin(void)
{
    STACK_OF(X509) * certificates;

    roots = X509_STORE_new();
    if (!roots || certificates_read(&certificates, text_bytes(ca), "fuzz", NULL) ||
        !X509_STORE_add_cert(roots, sk_X509_value(certificates, 0)))
        abort();
    sk_X509_pop_free(certificates, X509_free);
    for (size_t i = 0; i < 2; i++)
        for (enum digest d = DIGEST_SHA256; d <= DIGEST_SHA512; d++) {
            const se_bytes content = text_bytes(files[i].name);

            if (content_digest_join(&files[i].by[d], d, &content, 1, NULL))
                abort();
        }
}

/* What was read can be written, and is read again. */
static void write_again(const struct evidence_record *record)
{
    AUTO(se_buf) der = SE_BUF_INIT;
    AUTO(evidence) again = NULL;

    if (evidence_write(&der, record, NULL) || evidence_read(&again, buf_bytes(&der), NULL))
        abort();
}

static void verify_record(const struct evidence_record *record, size_t count)
{
    const struct verify_job job = { .tsa_roots = roots, .time = 4000000000 };
    const struct evidence_files named = { files, count };
    AUTO(seen_stamps) seen = { .count = 0 };

    if (!evidence_verify(&seen, record, &named, count == 1, &job, NULL) && !seen.count)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(evidence) record = NULL;

    if (!roots)
        begin();
    if (evidence_read(&record, (se_bytes){ data, size }, NULL))
        return 0;
    write_again(record);
    verify_record(record, 1);
    verify_record(record, 2);
    return 0;
}
