/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS #11 URIs (RFC 7512), as a place of keys. */
#ifndef CONFIG_TOKEN_URI_H
#define CONFIG_TOKEN_URI_H

#include "base/buf.h"

/* What one says; a text that it does not say is NULL. */
struct token_uri {
    char *module; /* as keyref.location: the path, the name, or p11-kit's proxy, which has all
                     modules of the machine */
    char *token, *serial, *manufacturer, *model, *object, *pin_source;
    se_buf id;
    bool has_slot;
    unsigned long slot;
};

bool token_uri_is(const char *text);

/* SE_ERR_CONFIG: it is no URI, has a part that is not supported, or holds a PIN, which the message
 * leaves out. */
SE_MUST_CHECK se_status token_uri_parse(struct token_uri *out, const char *text, se_error *err);
void token_uri_free(struct token_uri *uri);
AUTO_KIND(token_uri, struct token_uri, token_uri_free(p))

#endif
