/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pem_text.h"

#include <limits.h>
#include <string.h>

#include "base/text.h"

static const char boundary[] = "-----BEGIN ";

/* A SEQUENCE whose length is not a character of a text: more than 127 bytes, or of indefinite
 * length. */
static bool begins_der(const unsigned char *p, size_t size)
{
    return size > 1 && p[0] == 0x30 &&
           (p[1] == 0x80 || (p[1] > 0x80 && p[1] <= 0x84) || p[1] == size - 2);
}

bool pem_text_is(se_bytes text)
{
    const char *p = text.data, *end = p + text.size, *at = p;

    if (!text.size || begins_der(text.data, text.size))
        return false;
    for (; (at = memmem(at, (size_t)(end - at), boundary, strlen(boundary))); at++)
        if (at == p || at[-1] == '\n' || at[-1] == '\r' || (at - p >= 3 && text_mark(at - 3, 3)))
            return true;
    return false;
}

BIO *pem_text_open(se_bytes text)
{
    static const char marked[] = UTF8_MARK "-----BEGIN ";
    BIO *out = text.size <= INT_MAX ? BIO_new(BIO_s_mem()) : NULL;
    const char *p = text.data, *end = p + text.size, *mark;
    bool done = out;

    while (done && (mark = memmem(p, (size_t)(end - p), marked, strlen(marked)))) {
        done = mark == p || BIO_write(out, p, (int)(mark - p)) > 0;
        p = mark + strlen(UTF8_MARK);
    }
    if (done && (end == p || BIO_write(out, p, (int)(end - p)) > 0))
        return out;
    BIO_free(out);
    return NULL;
}
