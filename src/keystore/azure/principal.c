/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/azure/principal.h"

#include <string.h>

#include "base/base64.h"
#include "base/text.h"
#include "keystore/azure/login.h"

/* The middle part of "Authorization: Bearer header.claims.signature" (RFC 7519, 3.1). */
static bool find_claims(se_bytes *out, const se_buf *header)
{
    const char *text = (const char *)header->data;
    const char *first = text ? strchr(text, '.') : NULL;
    const char *second = first ? strchr(first + 1, '.') : NULL;

    if (!second)
        return false;
    *out = (se_bytes){ first + 1, (size_t)(second - first) - 1 };
    return true;
}

/*
 * A token is meant for the vault alone, and need not be a JWT; what it says of its owner is shown,
 * and nothing depends on it.
 */
static bool read_principal(char out[64], se_bytes claims)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(json) json = NULL;
    const char *id;

    if (base64url_decode(&text, claims, NULL))
        return false;
    json = json_loadb((const char *)text.data, text.size, 0, NULL);
    id = member_text(json, "oid");
    if (!*id || strlen(id) >= 64)
        return false;
    memcpy(out, id, strlen(id) + 1);
    text_clean(out);
    return true;
}

se_status vault_principal(char out[64], struct vault *vault, int64_t until, se_error *err)
{
    AUTO(se_buf) header = SE_BUF_INIT;
    se_bytes claims;

    *out = '\0';
    TRY(login_header(&header, vault_login(vault), until, err));
    if (find_claims(&claims, &header) && read_principal(out, claims))
        return SE_OK;
    return error_set(err, SE_ERR_STORE, "the token does not say whose it is");
}
