/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/libp11_signer.h"

#include <libp11.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { SIGNATURE_MOST = 1024 };

static PKCS11_TOKEN *find_token(PKCS11_SLOT *slots, unsigned count, const char *label)
{
    for (unsigned i = 0; i < count; i++)
        if (slots[i].token && slots[i].token->label && !strcmp(slots[i].token->label, label))
            return slots[i].token;
    give_up(label, "no such token");
}

static EVP_PKEY *find_key(PKCS11_TOKEN *token)
{
    PKCS11_KEY *keys;
    unsigned count;

    if (PKCS11_enumerate_keys(token, &keys, &count))
        give_up("libp11", "cannot list keys");
    for (unsigned i = 0; i < count; i++)
        if (keys[i].label && !strcmp(keys[i].label, "bench"))
            return PKCS11_get_private_key(&keys[i]);
    give_up("the key 'bench'", "not found");
}

static void *begin_signing(void *key)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);

    if (!ctx || EVP_PKEY_sign_init(ctx) <= 0 ||
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) <= 0 ||
        EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) <= 0)
        give_up("libp11", "does not begin to sign");
    return ctx;
}

static bool sign_hash(void *ctx)
{
    static const unsigned char hash[32];
    unsigned char signature[SIGNATURE_MOST];
    size_t size = sizeof signature;

    return EVP_PKEY_sign(ctx, signature, &size, hash, sizeof hash) > 0;
}

static void end_signing(void *ctx)
{
    EVP_PKEY_CTX_free(ctx);
}

/* Of the process, like the engine's: nothing is closed. */
struct runner libp11_signer(const char *module, const char *label, const char *pin_file)
{
    AUTO(se_buf) pin = SE_BUF_INIT;
    PKCS11_CTX *ctx = PKCS11_CTX_new();
    se_error err = SE_ERROR_INIT;
    PKCS11_TOKEN *token;
    PKCS11_SLOT *slots;
    unsigned count;

    if (file_read(&pin, pin_file, 256, &err))
        give_up("PIN", err.text);
    if (!ctx || PKCS11_CTX_load(ctx, module) || PKCS11_enumerate_slots(ctx, &slots, &count))
        give_up(module, "libp11 does not start");
    token = find_token(slots, count, label);
    pin.data[strcspn((const char *)pin.data, "\n")] = '\0'; /* the line end is not part of it */
    if (PKCS11_login(token->slot, 0, (const char *)pin.data))
        give_up("libp11", "the login was refused");
    return (struct runner){ find_key(token), begin_signing, sign_hash, end_signing, 0 };
}
