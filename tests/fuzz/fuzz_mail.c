/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to be signed, and messages that say they are signed. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base64.h"
#include "mail/media_type.h"
#include "mail/message.h"
#include "mail/mime_canon.h"
#include "signengine-mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rewrite(struct writer *out, const se_source *source)
{
    const struct stream stream = { .source = source };
    AUTO(message) message = { .from = { .count = 0 } };
    AUTO(mime_canon) entity = { .parameter = "" };
    unsigned char piece[1000];
    size_t got = 1;

    if (message_open(&message, &stream, NULL) ||
        message_from(&message, NULL, MAILBOX_OBSOLETE, NULL) ||
        mime_canon_begin(&entity, &message.lines, NULL))
        return;
    while (got && !mime_canon_read(&got, &entity, piece, sizeof piece, NULL))
        writer_put(out, piece, got);
}

static ptrdiff_t read_byte(void *arg, void *data, size_t size)
{
    se_bytes *bytes = arg;
    const se_source source = source_memory(bytes);

    return source.read(bytes, data, size && bytes->size);
}

/* It ends, does not grow beyond measure, and is the same however it is read. */
static void rewrite_twice(se_bytes in)
{
    se_bytes whole = in, bytes = in;
    const se_source at_once = source_memory(&whole), byte_by_byte = { read_byte, &bytes, 0 };
    AUTO(writer) one = { 0 };
    AUTO(writer) other = { 0 };
    size_t lines = 0;

    rewrite(&one, &at_once);
    rewrite(&other, &byte_by_byte);
    if (one.buf.size != other.buf.size ||
        (one.buf.size && memcmp(one.buf.data, other.buf.data, one.buf.size) != 0))
        abort();
    for (size_t i = 0; i < one.buf.size; i++)
        lines += one.buf.data[i] == '\n';
    if (lines > 1000 + 40 * in.size)
        abort();
}

static void read_fields(se_bytes in)
{
    AUTO(writer) value = { 0 };
    AUTO(addresses) list = { .count = 0 };
    struct media media;

    writer_put(&value, in.data, in.size < 1000 ? in.size : 1000);
    media_read(&media, writer_string(&value));
    if (!*media.type || strchr(media.type, '/') == NULL)
        abort();
    if (addresses_read(&list, writer_string(&value), NULL))
        abort();
}

/* What is strictly right is right, and not empty. */
static void read_strictly(se_bytes in)
{
    AUTO(writer) value = { 0 };
    char strict[MAILBOX_ROOM], address[MAILBOX_ROOM];
    struct content_type type;

    writer_put(&value, in.data, in.size < 1000 ? in.size : 1000);
    if (!content_type_read(&type, buf_bytes(&value.buf)) &&
        (!type.type.size || type.boundary.size > CONTENT_TYPE_BOUNDARY))
        abort();
    if (!mailbox_read(strict, writer_string(&value), MAILBOX_STRICT) &&
        (!strchr(strict, '@') || mailbox_read(address, writer_string(&value), MAILBOX_OBSOLETE) ||
         strcmp(address, strict) != 0))
        abort();
}

static void read_back(se_bytes in)
{
    struct base64_reader reader = { 0 };
    unsigned char *out = malloc(in.size + 8);

    if (out && base64_read(out, &reader, in) > in.size / 4 * 3 + 3)
        abort();
    free(out);
}

/* Its private key is nowhere. */
static const char certificate[] = /* clang-format off */
    "-----BEGIN CERTIFICATE-----\n"
    "MIICfDCCAiGgAwIBAgIUDRxB0JgZVGP5NKtWiRgwMBUh0i4wCgYIKoZIzj0EAwIw\n"
    "FTETMBEGA1UEAwwKVGVzdCBDQSBjYTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEw\n"
    "MTAwMDAwMFowEDEOMAwGA1UEAwwFYWxpY2UwggEiMA0GCSqGSIb3DQEBAQUAA4IB\n"
    "DwAwggEKAoIBAQCxhVqEN7D5wEEMhPTPiV9JkpZqB5zKsmuIuAbmKtBvkQa+3tOS\n"
    "7xcY/3itxwuOTfgd9M3h8zX8LgRWGFa9gexyhjTKkMDrNVj7X83ewlyT5+PTZq26\n"
    "lpVjgNGAYgxCmGLWEiwOMsQ7oLG4hHkv0roBkgYScxnWYuIFx+wQGyl0yy3+XyhY\n"
    "MEVhE/X+KS9sYvEmWHsQdw3E5/HCSXSs5VgL5/k0+HlTGgsRgfR5ScsefmUfFJbc\n"
    "xkKgkxaVhtXjftclm30iANFBn19P+fGJDGSe5S95fTdoi4Fj0dJ7+69D3oCKZSoj\n"
    "aBaI0pVMtzqegMJz3Amdq8Qn9u8S7OzPlymPAgMBAAGjgYYwgYMwDgYDVR0PAQH/\n"
    "BAQDAgeAMBwGA1UdEQQVMBOBEWFsaWNlQGV4YW1wbGUub3JnMBMGA1UdJQQMMAoG\n"
    "CCsGAQUFBwMEMB0GA1UdDgQWBBR78kcB3/Yx/R+cGbEaUdVLbDer8jAfBgNVHSME\n"
    "GDAWgBRtIBdlF+PXlJF66ZzW7trakVK6OzAKBggqhkjOPQQDAgNJADBGAiEAzUMU\n"
    "KR9uGPcOT9MM9hrDfuuca4HHIReeWxqoLj+F0lwCIQCPxOGTWTmZPEYzOWqi+dYb\n"
    "fbgu4rHcBE1Xt++djpt7TQ==\n"
    "-----END CERTIFICATE-----\n"; /* clang-format on */

static void put_file(char *path, const char *text)
{
    int fd = mkstemp(path);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd))
        abort();
}

/* It needs the files until it has read the certificate. */
static se_engine *open_engine(void)
{
    char pem[] = "/tmp/fuzz-mail.XXXXXX", config[] = "/tmp/fuzz-mail.XXXXXX", text[600];
    se_engine *engine;
    se_signer signer;

    put_file(pem, certificate);
    (void)snprintf(text, sizeof text,
                   "<engineSignEncrypt><descriptors><descriptor name='SignEmailDescriptor'><type "
                   "algorithm='SHA256withRSA' key='k'/>"
                   "</descriptor></descriptors><keys><key name='k'><type name='pem' "
                   "locationValue='%s'/></key></keys></engineSignEncrypt>",
                   pem);
    put_file(config, text);
    if (se_open(&engine, config, NULL, NULL) ||
        se_find_signer(&signer, engine, "SignEmailDescriptor", NULL, NULL))
        abort();
    (void)unlink(pem);
    (void)unlink(config);
    return engine;
}

static void verify(se_bytes in)
{
    static se_engine *engine;
    const se_source source = source_memory(&in);
    se_mail_verify_params params = SE_MAIL_VERIFY_PARAMS_INIT;
    se_mail mail;

    if (!engine)
        engine = open_engine();
    params.time = 2000000000;
    if (se_mail_verify(&mail, engine, "SignEmailDescriptor", &source, &params, NULL) &&
        mail.signer.version)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const se_bytes input = { data, size };

    rewrite_twice(input);
    read_fields(input);
    read_strictly(input);
    read_back(input);
    verify(input);
    return 0;
}
