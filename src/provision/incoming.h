/* A key that is brought in: with its certificate and the chain above that. */
#ifndef PROVISION_INCOMING_H
#define PROVISION_INCOMING_H

#include "crypto/key.h"
#include "provision/provision.h"

struct incoming {
    EVP_PKEY *key;
    X509 *certificate;
    STACK_OF(X509) * chain; /* may be NULL */
};

/* SE_ERR_FORMAT: it is neither PKCS #12 nor PEM, or does not hold one key with its certificate;
 * SE_ERR_ACCESS: the password is another. */
SE_MUST_CHECK se_status incoming_read(struct incoming *out, const struct provision_import *import,
                                      se_error *err);
void incoming_free(struct incoming *incoming);
AUTO_KIND(incoming, struct incoming, incoming_free(p))

#endif
