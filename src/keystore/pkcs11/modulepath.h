/* From what the configuration calls a module to the file that it is. */
#ifndef KEYSTORE_PKCS11_MODULEPATH_H
#define KEYSTORE_PKCS11_MODULEPATH_H

#include "base/error.h"

/*
 * A location with a slash is tried as written, then with ".so".  A bare name is looked for as NAME,
 * NAME.so and libNAME.so, in p11-kit's module folder and then on the loader's path.  *out is
 * absolute, without symbolic links, and released with free(). SE_ERR_STORE lists everything that
 * was tried.
 */
SE_MUST_CHECK se_status module_path(char **out, const char *location, se_error *err);

#endif
