/* SPDX-License-Identifier: Apache-2.0 */
/* What is changed in the faults while other threads are in the module, and what is read then. */
#ifndef TESTS_TOKEN_CONTROL_H
#define TESTS_TOKEN_CONTROL_H

#include "tests/lib/shim/fault.h"

/* These two, the second of which may be NULL; calls are counted from 1 again. */
void set_faults(struct faults *faults, const struct fault *first, const struct fault *second);
void end_faults(struct faults *faults);

/* All calls answer that; CKR_OK: no more. */
void set_away(struct faults *faults, CK_RV rv);

/* One of `one_in` calls fails, and with `harms` does harm; 0: none. */
void set_random(struct faults *faults, unsigned one_in, bool harms, unsigned long seed);

/* How often one did, so far. */
unsigned faults_drawn(struct faults *faults);

/* What hangs returns, and is waited for. */
void go_on(struct faults *faults);

/* How often the first of the faults happened. */
unsigned faults_done(struct faults *faults);

#endif
