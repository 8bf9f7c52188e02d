/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a report, from what tokens and files have. */
#ifndef PROVISION_LISTING_H
#define PROVISION_LISTING_H

#include "crypto/key.h"
#include "keystore/pkcs11/token.h"
#include "provision/target.h"

/* What is known about one key; whatever is missing shows as such. */
struct listing_row {
    const char *label;
    se_bytes id;
    EVP_PKEY *public_key; /* NULL: the certificate's, or `type` */
    const char *type;     /* when there is neither */
    X509 *certificate;    /* may be NULL */
    bool has_private, may_sign, may_decrypt, may_leave;
    const struct key_state *state; /* may be NULL */
};
void listing_key(const struct provision_report *report, const struct listing_row *row);
void listing_slot(const struct provision_report *report, const struct slot *slot);

/* Reports every slot with a token.  *chosen: the target means one token, or there is only one. */
SE_MUST_CHECK se_status listing_slots(bool *chosen, const struct target *target,
                                      const struct provision_report *report, se_error *err);

#endif
