/* SPDX-License-Identifier: Apache-2.0 */
/* OCSP responses, bare or brought by a CMS signature, before a certificate and the CA of the
 * corpus'. */
#include <openssl/err.h>

#include "cms/revocation_info.h"
#include "crypto/ocsp.h"
#include "tests/fuzz/revocation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Their private keys are nowhere. */
static const char path[] = /* clang-format off */
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBBjCBrgICEmcwCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwEZnV6ejAgFw0yNjEy\n"
    "MDIxMTI1NTNaGA8yMTI2MTEwODExMjU1M1owDjEMMAoGA1UEAwwDb25lMFkwEwYH\n"
    "KoZIzj0CAQYIKoZIzj0DAQcDQgAEgG5NpWJp2lY6MfJixrfZzSS0N8PmYLMmoEUQ\n"
    "aSEEffKd7mcLLSTl6ahWK6B6lCZJYU7pYtEXc5/v6PdV5lT3xjAKBggqhkjOPQQD\n"
    "AgNHADBEAiBLguXtkkL1xDR2IEDoKhGP4Ut/32nuGYLMg/eAuuTmZQIgFinRg7s6\n"
    "8qiSyQvAhhQ5n5igK65rSbBiv7pLunr3FZg=\n"
    "-----END CERTIFICATE-----\n"
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBZDCCAQqgAwIBAgIUGP9M23BrWj+k+TEepOJPXZ5WY+YwCgYIKoZIzj0EAwIw\n"
    "DzENMAsGA1UEAwwEZnV6ejAgFw0yNjEyMDIxMTI1NTNaGA8yMTI2MTEwODExMjU1\n"
    "M1owDzENMAsGA1UEAwwEZnV6ejBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGyM\n"
    "4jp+0XhS6BMXqR/IqHA0ZAKyBZQ0038U7HNDivu6st2/CzAxb+Yixl0eI0tTMOXb\n"
    "zJv4WuSVfP+nhKGKOu2jQjBAMA4GA1UdDwEB/wQEAwIBBjAPBgNVHRMBAf8EBTAD\n"
    "AQH/MB0GA1UdDgQWBBRWbEg3HeA7gVlYPvqtycGRki0CQTAKBggqhkjOPQQDAgNI\n"
    "ADBFAiA2ThnBTPzfDH1Q5FLu8mgZbDOmetz3nuOmsiKBuBFaigIhALIW1fCzBMSS\n"
    "uXaqKSr8yYcv0iZAaFdduuGo697uv/KP\n"
    "-----END CERTIFICATE-----\n"; /* clang-format on */

AUTO_KIND(sources, struct revocation_sources, revocation_sources_free(p))
AUTO_KIND(cms, CMS_ContentInfo *, CMS_ContentInfo_free(*p))

static void read_response(struct revocation_sources *sources, const uint8_t *data, size_t size)
{
    const unsigned char *p = data;
    AUTO(ocsp_response) response = d2i_OCSP_RESPONSE(NULL, &p, (long)size);
    OCSP_BASICRESP *answer;

    if (response && !ocsp_response_read(&answer, response, NULL, NULL) &&
        !sk_OCSP_BASICRESP_push(sources->answers, answer))
        abort();
}

static void read_message(struct revocation_sources *sources, const uint8_t *data, size_t size)
{
    const unsigned char *p = data;
    AUTO(cms) cms = d2i_CMS_ContentInfo(NULL, &p, (long)size);

    if (cms && revocation_info_add(sources, cms, (se_bytes){ data, size }, NULL))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(sources) sources = { .answers = NULL };

    if (!revocation_sources_begin(&sources))
        abort();
    read_response(&sources, data, size);
    read_message(&sources, data, size);
    ERR_clear_error();
    check_revocation(&sources, path);
    return 0;
}
