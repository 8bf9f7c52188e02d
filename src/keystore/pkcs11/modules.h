/* Between the table of modules (modules.c) and one of them (module.c). */
#ifndef KEYSTORE_PKCS11_MODULES_H
#define KEYSTORE_PKCS11_MODULES_H

#include "keystore/pkcs11/module.h"

/* Counted once, and nothing of the module has been called yet; NULL: no memory. */
struct module *module_new(const char *path, const char *init_args);
void module_free(struct module *module);

/* Loads and initialises it, if nobody has.  It may take as long as it takes: no other lock is held
 * than the module's own. */
SE_MUST_CHECK se_status module_start(struct module *module, se_error *err);
void module_stop(struct module *module);

#endif
