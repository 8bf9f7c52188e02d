/* The slots of a target's module, and which of them is meant. */
#ifndef PROVISION_TOKEN_SLOTS_H
#define PROVISION_TOKEN_SLOTS_H

#include "keystore/pkcs11/token.h"
#include "provision/target.h"

/* Reports every slot with a token.  *chosen: the target means one token, or there is only one. */
SE_MUST_CHECK se_status token_slots(bool *chosen, const struct target *target,
                                    const struct provision_report *report, se_error *err);

void report_slot(const struct provision_report *report, const struct slot *slot);

#endif
