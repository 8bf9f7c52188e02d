/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/azure/guid.h"

#include <stdio.h>
#include <string.h>

#include "crypto/crypto.h"

bool guid_is(const char *text)
{
    for (size_t i = 0; i < GUID_TEXT - 1; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23
                ? text[i] != '-'
                : !text[i] || !strchr("0123456789abcdefABCDEF", text[i]))
            return false;
    return !text[GUID_TEXT - 1];
}

se_status guid_draw(char out[GUID_TEXT], se_error *err)
{
    unsigned char r[16];
    size_t used = 0;

    *out = '\0';
    TRY(crypto_draw_public(r, sizeof r, err));
    r[6] = (unsigned char)((r[6] & 0x0f) | 0x40);
    r[8] = (unsigned char)((r[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof r; i++)
        used += (size_t)snprintf(out + used, GUID_TEXT - used, "%s%02x",
                                 i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", r[i]);
    return SE_OK;
}
