/* SPDX-License-Identifier: Apache-2.0 */
/* Between the calls (calls.c) and the faults that happen at them (fault.c). */
#ifndef TESTS_LIB_SHIM_CALLS_H
#define TESTS_LIB_SHIM_CALLS_H

#include "tests/lib/shim/fault.h"

/* What happens at the call; the answer, or CKR_OK: as the module below says. */
CK_RV fault_at(enum fault_call call);

/* Around each call to the module below. */
void fault_enter(void);
CK_RV fault_leave(CK_RV rv);

/* What is added to the handles of objects. */
CK_OBJECT_HANDLE fault_moved(void);

/* What is answered to that mechanism, or CKR_OK. */
CK_RV fault_refusal(CK_MECHANISM_TYPE mechanism);

bool fault_no_tokens(void);

/* The module is being initialised. */
void fault_restart(void);

/* The slot that harm is done to: that of the last session. */
void fault_slot(CK_SLOT_ID slot);

/* What harm is done with: `through` counts sessions, `real` does not. */
void fault_harms(const CK_FUNCTION_LIST *through, const CK_FUNCTION_LIST *real);

#endif
