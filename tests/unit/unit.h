/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test begins with. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "signengine.h"

/* Fails with the error's text when `expr` is not the status expected. */
#define assert_status(expected, expr, err)                                                         \
    do {                                                                                           \
        se_status got_ = (expr);                                                                   \
        if (got_ != (expected))                                                                    \
            fail_msg("%s: %s, not %s: %s", #expr, se_status_name(got_), se_status_name(expected),  \
                     (err)->text);                                                                 \
    } while (0)

/* Test functions are static: one that is missing from the table is an unused function, and -Werror
 * stops the build. */

#endif
