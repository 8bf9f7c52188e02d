/* libunistring, loaded when a name in an archive or on a token is beyond ASCII. */
#ifndef BASE_LIBUNISTRING_H
#define BASE_LIBUNISTRING_H

#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>

#include "base/error.h"

#define LIBUNISTRING_FUNCTIONS(F)                                                                                                          \
    F(u8_casefold)                                                                                                                         \
    F(u8_normalize)                                                                                                                        \
    F(uc_is_property_default_ignorable_code_point)                                                                                         \
    F(uninorm_nfc)                                                                                                                         \
    F(uninorm_nfkd)

struct libunistring {
#define FIELD(function) __typeof__(&function) function;
    LIBUNISTRING_FUNCTIONS(FIELD)
#undef FIELD
};

/* Its functions, after libunistring_load(). */
extern struct libunistring unistring;

/* Once for all, from any thread.  SE_ERR_UNAVAILABLE: it is not installed. */
SE_MUST_CHECK se_status libunistring_load(se_error *err);

#endif
