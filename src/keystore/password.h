/* A PIN as the forms that it may have as the password of a key file. */
#ifndef KEYSTORE_PASSWORD_H
#define KEYSTORE_PASSWORD_H

#include "base/buf.h"

struct password {
    const char *text; /* NULL: none at all, which the derivation of PKCS #12 tells apart from an
                         empty one */
    int length;
};

/*
 * The PIN itself is the first.  An empty one may be none at all; of one beyond ASCII, OpenSSL
 * before 1.1.0 took each byte for a character (passphrase-encoding(7)).
 */
struct passwords {
    struct password forms[2];
    size_t count;
    unsigned char *bytewise; /* wiped */
    size_t bytewise_size;
};

/* `pin` outlives *out. */
SE_MUST_CHECK se_status passwords_of(struct passwords *out, const se_buf *pin, se_error *err);
void passwords_free(struct passwords *passwords);
AUTO_KIND(passwords, struct passwords, passwords_free(p))

#endif
