/* What a key file holds, and the choice of one key from it: shared by the stores that read files. */
#ifndef STORE_BUNDLE_H
#define STORE_BUNDLE_H

#include "store/store.h"

enum { BUNDLE_KEYS = 64, BUNDLE_FILE_LIMIT = 4 << 20 };

struct bundle {
    struct bundle_key {
        EVP_PKEY *key;
        char *name; /* friendlyName, "" without one */
    } keys[BUNDLE_KEYS];
    size_t count;
    STACK_OF(X509) * certificates; /* with X509_alias for friendlyName */
};

/* Both take over what they are given, also on failure. */
SE_MUST_CHECK se_status bundle_add_key(struct bundle *bundle, EVP_PKEY *key, const char *name, se_error *err);
SE_MUST_CHECK se_status bundle_add_certificate(struct bundle *bundle, X509 *certificate, se_error *err);

/* The key that `ref` means: by alias, or the only one; its certificate is the one that matches it. */
SE_MUST_CHECK se_status bundle_open(struct key **out, const struct bundle *bundle, const struct keyref *ref, enum key_part part,
                                    se_error *err);
void bundle_free(struct bundle *bundle);
AUTO_KIND(bundle, struct bundle, bundle_free(p))

#endif
