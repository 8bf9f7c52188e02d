#include "provision/p11.h"

#include <stdarg.h>
#include <stdio.h>

#include "crypto/crypto.h"
#include "keystore/pkcs11/ckr.h"

se_status p11_error(se_error *err, const char *format, ...)
{
    unsigned long code = ERR_peek_last_error();
    char text[sizeof err->text];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (ERR_GET_LIB(code) != ERR_get_CKR_code())
        return crypto_error(err, SE_ERR_STORE, "%s", text);
    ERR_clear_error();
    return ckr_error(err, (CK_RV)ERR_GET_REASON(code), "%s", text);
}

se_status p11_open(struct p11 *out, const char *path, const char *init_args, se_error *err)
{
    *out = (struct p11){ .context = PKCS11_CTX_new() };
    if (!out->context)
        return error_memory(err);
    if (*init_args)
        PKCS11_CTX_init_args(out->context, init_args);
    out->loaded = PKCS11_CTX_load(out->context, path) == 0;
    if (!out->loaded)
        return p11_error(err, "cannot load '%s'", path);
    if (PKCS11_enumerate_slots(out->context, &out->slots, &out->count))
        return p11_error(err, "cannot list the slots of '%s'", path);
    return SE_OK;
}

void p11_close(struct p11 *p11)
{
    if (p11->slots)
        PKCS11_release_all_slots(p11->context, p11->slots, p11->count);
    if (p11->loaded)
        PKCS11_CTX_unload(p11->context);
    if (p11->context)
        PKCS11_CTX_free(p11->context);
    *p11 = (struct p11){ .context = NULL };
}

se_status p11_slot(PKCS11_SLOT **out, const struct p11 *p11, unsigned long slot, se_error *err)
{
    for (unsigned i = 0; i < p11->count; i++) {
        *out = &p11->slots[i];
        if (PKCS11_get_slotid_from_slot(*out) == slot && (*out)->token)
            return SE_OK;
    }
    *out = NULL;
    return error_set(err, SE_ERR_UNAVAILABLE, "the token in slot %lu is gone", slot);
}
