/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates of a caller: whoever is let in has a name, an issuer and an identifier, and is
 * let in again by the same CAs; whoever is not is told why. Input: certificates in DER, each behind
 * its size in two bytes; the first is the caller's, and the last one is the CA that is trusted.
 */
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "daemon/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 16 };

static size_t split_input(se_bytes out[MOST], const uint8_t *data, size_t size)
{
    size_t count = 0, at = 0;

    while (count < MOST && size - at > 2) {
        const size_t wanted = (size_t)data[at] << 8 | data[at + 1];
        const size_t piece = wanted < size - at - 2 ? wanted : size - at - 2;

        out[count++] = (se_bytes){ data + at + 2, piece };
        at += 2 + piece;
    }
    return count;
}

/* NULL: it is no certificate. */
static struct trust *trust_in(se_bytes der)
{
    const unsigned char *at = der.data;
    X509 *ca = d2i_X509(NULL, &at, (long)der.size);
    struct trust *trust = NULL;
    char path[64];
    FILE *file;
    int fd;

    if (!ca)
        return NULL;
    fd = memfd_create("ca", MFD_CLOEXEC);
    if (fd < 0 || !(file = fdopen(fd, "w")))
        abort();
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (PEM_write_X509(file, ca) && fflush(file) == 0)
        (void)!trust_load(&trust, path, NULL, NULL);
    (void)fclose(file);
    X509_free(ca);
    return trust;
}

static void judge_identity(const struct identity *identity, const struct trust *trust)
{
    se_error err = SE_ERROR_INIT;

    if (strlen(identity->sha256) != 64 || strncmp(identity->id, "cert:", 5) != 0 ||
        strlen(identity->id) != 5 + 64 || !identity->certificate.size)
        abort();
    if (identity_check(identity, trust, &err))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    se_bytes pieces[MOST];
    const size_t count = split_input(pieces, data, size);
    struct trust *trust = count ? trust_in(pieces[count - 1]) : NULL;
    struct identity *identity = NULL;
    se_error err = SE_ERROR_INIT;

    if (!trust)
        return 0;
    if (!identity_read(&identity, trust, pieces, count, &err))
        judge_identity(identity, trust);
    else if (identity || !*err.text ||
             (err.status != SE_ERR_REJECTED && err.status != SE_ERR_MEMORY))
        abort();
    identity_free(identity);
    trust_free(trust);
    return 0;
}
