/* The protected header of a JWE (RFC 7516, 4; RFC 7518, 4.1 and 5.1). */
#ifndef FIELDS_JWE_HEADER_H
#define FIELDS_JWE_HEADER_H

#include "crypto/key.h"
#include "crypto/provider_keymgmt.h"

enum { HEADER_HASH = 32 };

/* Content encryption. */
struct jwe_enc {
    const char *name;
    enum cipher cipher;
    unsigned bits; /* of the AES key */
    enum digest
        digest; /* CBC: of the HMAC, which has a key as long as AES has, and a tag as long */
};

struct jwe_header {
    struct unwrap_how how;
    const struct jwe_enc *enc;
    bool has_key, has_context;
    unsigned char key[HEADER_HASH];     /* kid: our id of the key, if it is one */
    unsigned char context[HEADER_HASH]; /* ctx (doc/formats.md): SHA-256 of the context */
};

/* NULL: there is none. */
const struct jwe_enc *jwe_enc_find(enum cipher cipher, unsigned bits);
size_t jwe_secret_size(const struct jwe_enc *enc);

/* All but the context and the closing brace. */
SE_MUST_CHECK se_status jwe_header_begin(struct writer *w, const struct jwe_header *header,
                                         se_error *err);
SE_MUST_CHECK se_status jwe_header_context(struct writer *w,
                                           const unsigned char context[HEADER_HASH], se_error *err);

/* False: it is not JSON, or asks for what the engine does not do. */
bool jwe_header_read(struct jwe_header *out, se_bytes json);

#endif
