/* What the two halves of the provider share: keys (remote.c) and signatures (remote_sign.c). */
#ifndef KEY_BRIDGE_H
#define KEY_BRIDGE_H

#include <openssl/core_dispatch.h>

#include "key/remote.h"

/* The provider's key data.  OpenSSL makes it empty and fills it by an import. */
struct bridge {
    const struct remote_ops *ops;
    void *remote;
    EVP_PKEY *public;
};

/* OSSL_DISPATCH holds all functions as one type; each is called as what its number says. */
#define ENTRY(number, function)                                                                                                            \
    {                                                                                                                                      \
        (number), (void (*)(void))(function)                                                                                               \
    }

extern const OSSL_DISPATCH bridge_signature[];

/* Keeps a remote failure for remote_failure(). */
void bridge_failed(const se_error *err);

#endif
