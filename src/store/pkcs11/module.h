/*
 * PKCS #11 modules of this process, one entry per path, counted: two engines share a module, and p11-kit coordinates C_Initialize with
 * other components.  The one mutable global of the library.
 */
#ifndef STORE_PKCS11_MODULE_H
#define STORE_PKCS11_MODULE_H

#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>

#include "base/buf.h"

struct module {
    char *path; /* resolved */
    CK_FUNCTION_LIST *calls;
};

/*
 * `location`: as the configuration says it: a path or a name, with or without extension; names are looked for as NAME.so and libNAME.so in
 * p11-kit's module folder and the loader's path.  `init_args`: pReserved of C_Initialize, "" for none.
 * The caller gives it back with module_close().  SE_ERR_STORE lists every path tried.
 */
SE_MUST_CHECK se_status module_open(struct module **out, const char *location, const char *init_args, se_error *err);
void module_close(struct module *module); /* accepts NULL */
AUTO_KIND(module, struct module *, module_close(*p))

/* "CKR_PIN_INCORRECT"; never NULL. */
const char *ckr_name(CK_RV rv);

#endif
