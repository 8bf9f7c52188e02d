#include "keystore/password.h"

#include <limits.h>
#include <openssl/pkcs12.h>

static bool is_ascii(const se_buf *pin)
{
    for (size_t i = 0; i < pin->size; i++)
        if (pin->data[i] & 0x80)
            return false;
    return true;
}

/* As `openssl pkcs12` does it: each byte as a character, and back to UTF-8. */
static bool take_bytewise(struct passwords *out, const se_buf *pin)
{
    unsigned char *wide = NULL;
    int size = 0;
    char *text;

    if (!OPENSSL_asc2uni((const char *)pin->data, (int)pin->size, &wide, &size))
        return false;
    text = OPENSSL_uni2utf8(wide, size);
    OPENSSL_clear_free(wide, (size_t)size);
    if (!text)
        return false;
    out->bytewise = (unsigned char *)text;
    out->bytewise_size = strlen(text);
    out->forms[out->count++] = (struct password){ text, (int)out->bytewise_size };
    return true;
}

se_status passwords_of(struct passwords *out, const se_buf *pin, se_error *err)
{
    *out = (struct passwords){
        { { pin->data ? (const char *)pin->data : "", (int)pin->size } }, 1, NULL, 0
    };
    if (pin->size > INT_MAX / 4)
        return error_set(err, SE_ERR_ACCESS, "the PIN is too long");
    if (!pin->size)
        out->forms[out->count++] = (struct password){ NULL, 0 };
    else if (!is_ascii(pin) && !take_bytewise(out, pin))
        return error_memory(err);
    return SE_OK;
}

void passwords_free(struct passwords *passwords)
{
    OPENSSL_clear_free(passwords->bytewise, passwords->bytewise_size);
    *passwords = (struct passwords){ .count = 0 };
}
