/* SPDX-License-Identifier: Apache-2.0 */
/* XML signatures, enveloped, enveloping and detached, before the certificates of
 * tests/vectors/xml-attacks; and signed configurations. */
#include <stdlib.h>

#include "crypto/certificate.h"
#include "crypto/signature.h"
#include "xmldsig/config.h"
#include "xmldsig/xmldsig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char certificates[] = /* clang-format off */
    "-----BEGIN CERTIFICATE-----\n"
    "MIIDCzCCAfOgAwIBAgIUaxtcuD9jhXakSRL8yI21TMtgNAcwDQYJKoZIhvcNAQEL\n"
    "BQAwDTELMAkGA1UEAwwCY2EwIBcNMjYxMTIxMTM1MzU1WhgPMjEyNjEwMjgxMzUz\n"
    "NTVaMBExDzANBgNVBAMMBnNpZ25lcjCCASIwDQYJKoZIhvcNAQEBBQADggEPADCC\n"
    "AQoCggEBAMH4gM1pJXFBl05/WNGLN7hhSvYsnmuqu2OdnRXEWCFv0rlOV4tl6vbb\n"
    "Rtqay5xdD5kOpN9VeJoscFNUrgdbyfUBk7Y8jbWPNiQJn+0tObcDU2p0i6wQ9oK5\n"
    "iqDAgX12ka07QsIFHmXwn8Jv9UrT3RpY59tNLh1eZ+R9eXynPa68/uCSdqiQOsnJ\n"
    "tddZWBZ/oSrrmNHgXh/Ax6sc2hUWAn5zaMuBBuful6C4wA//cPBsXyENKgvTQvjN\n"
    "oYmYIb0yIn9L/NdBXusDKBR/Z5SGnacqbt6agHyxN9ZEzQPgzIJFQN1Ip+v5RLu5\n"
    "SO8IGs+s+tz3+0bC9xbbAUy6TcWD2AECAwEAAaNdMFswCQYDVR0TBAIwADAOBgNV\n"
    "HQ8BAf8EBAMCB4AwHQYDVR0OBBYEFD+9Iel2kZI2Ge7EIcHY32BSLwheMB8GA1Ud\n"
    "IwQYMBaAFDbCYj9n7dqgbK8o/7Qsp7U1KZl2MA0GCSqGSIb3DQEBCwUAA4IBAQCW\n"
    "0ZOfuP1CNaX9yqrHSrx1ipskuEhZ3mId2NFmqL5VEa7KLwsKmkIwSEcSRLp6cFE7\n"
    "LmUz9xhIotVmSb0+OVILDm2yatjB0Q7CLJQgYuz3OzYp7kpf+rsjwQL2+5Sl5koM\n"
    "G9rIlNK+uF1O+tdl+pSEjCzOl49hFqDB0qbB4mBpRanyRmZXe6/bMHfOnM4IDHnE\n"
    "E7tt+wnWiLvB0aQqQI62yMp+b+m11fBo+oPzwP8xO5lGs9OObjSAouRqE/2/Jiqq\n"
    "WoL7W8tm34/KZRgaKqbu1Rkqtbd9vgK7oN73wWy7hgw2QvBYa3SpoGycDGVzw3TZ\n"
    "Cli9bVJmf6CpLUe+g65R\n"
    "-----END CERTIFICATE-----\n";
/* clang-format on */

static struct expected_signer candidate;
static X509_STORE *roots;

static void load(void)
{
    STACK_OF(X509) * loaded;

    if (certificates_read(&loaded, text_bytes(certificates), "fuzz", NULL))
        abort();
    candidate = (struct expected_signer){
        .certificate = sk_X509_value(loaded, 0),
        .algorithm = algorithm_signature(DIGEST_SHA256, FAMILY_RSA, PADDING_PKCS1),
        .version = 1,
    };
    sk_X509_free(loaded);
    roots = X509_STORE_new();
    if (!roots || !X509_STORE_add_cert(roots, candidate.certificate))
        abort();
    X509_STORE_set_flags(roots, X509_V_FLAG_PARTIAL_CHAIN);
}

static void verify(se_form form, se_bytes in, se_bytes signature, const char *id)
{
    AUTO(writer) content = { 0 };
    AUTO(verdict) verdict = { .certificate = NULL };
    const se_sink sink = sink_writer(&content);
    const se_source source = source_memory(&in);
    struct stream stream = { .source = &source };
    const struct verify_job job = {
        .candidates = &candidate,
        .count = 1,
        .roots = id ? roots : NULL,
        .time = 2000000000,
        .signature = signature,
        .in = &stream,
        .content = &sink,
        .xml = { .id = id },
    };

    (void)!signature_format_find(form)->verify(&verdict, &job, NULL);
}

static void verify_config(se_bytes in)
{
    AUTO(verdict) verdict = { .certificate = NULL };
    AUTO(se_buf) canonical = SE_BUF_INIT;
    AUTO(se_buf) stripped = SE_BUF_INIT;
    const struct verify_job job = { .roots = roots, .time = 2000000000 };

    (void)!xmldsig_config_verify(&verdict, &canonical, &job, in, NULL);
    (void)!xmldsig_config_strip(&stripped, in, NULL);
}

static void find_signers(se_bytes in)
{
    const se_source source = source_memory(&in);
    struct stream stream = { .source = &source };
    const struct verify_job job = { .candidates = &candidate, .count = 1, .in = &stream };
    bool made = false;

    (void)!xmldsig_find_signers(&made, &job, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(se_buf) text = SE_BUF_INIT;

    if (!roots)
        load();
    if (buf_copy(&text, (se_bytes){ data, size }, NULL)) /* a NUL must follow */
        abort();
    verify(SE_FORM_XML, buf_bytes(&text), (se_bytes){ NULL, 0 }, NULL);
    verify(SE_FORM_XML, buf_bytes(&text), (se_bytes){ NULL, 0 }, "a");
    verify(SE_FORM_XML_DETACHED, text_bytes("content\n"), buf_bytes(&text), NULL);
    verify_config(buf_bytes(&text));
    find_signers(buf_bytes(&text));
    return 0;
}
